// Package register aligns two images of one knee by a rigid transform, so that a mask that
// was drawn on one can be used on the other. It runs elastix (Klein et al. 2010, IEEE
// Transactions on Medical Imaging 29:196–205), compiled to WebAssembly, in a sandbox.
//
// Both images have positions in one patient space, mm LPS, from which registration starts. Their
// contrast, spacing and orientation may differ: thick slices of a T2 series are aligned with a thin
// three-dimensional series by mutual information. A knee that bends is not one rigid body;
// Options.Field restricts the registration to the joint.
//
// The same images and options give the same transform on every machine, to the last digit.
package register

import (
	"cmp"
	"context"
	"math"
	"strconv"

	"github.com/t2map/t2map/volume"
)

// Options are the options of a registration. The zero value of each field is its default.
type Options struct {
	// Field is the part of the fixed image that is registered, mm LPS; the zero value means the
	// whole image. See BoundingBox.
	Field Box
	// MaxRotation is the largest rotation accepted, in degrees. Default: 15.
	MaxRotation float64
	// MaxShift is the largest shift of the field's centre accepted, in mm. Default: 30.
	MaxShift float64
	// Resolutions, Iterations per resolution, and Samples per iteration are parameters of elastix.
	// Defaults: 2, 200, 2048.
	Resolutions, Iterations, Samples int
	// Seed selects the random samples. Default: 1.
	Seed uint16
	// CheckMirror also checks whether the images fit better if one is mirrored from left to right,
	// as those of a left and a right knee do.
	CheckMirror bool

	known *volume.Rigid // the start of elastix; nil if it has to be searched
}

// The defaults of Options.
const (
	defaultMaxRotation = 15.0
	defaultMaxShift    = 30.0
	defaultResolutions = 2 // more would widen the range of shifts, as the search for a start does
	defaultIterations  = 200
	defaultSamples     = 2048
	defaultSeed        = 1
)

// fill sets the zero fields to their defaults.
func (o Options) fill() Options {
	o.MaxRotation, o.MaxShift = cmp.Or(o.MaxRotation, defaultMaxRotation), cmp.Or(o.MaxShift, defaultMaxShift)
	o.Resolutions, o.Iterations = cmp.Or(o.Resolutions, defaultResolutions), cmp.Or(o.Iterations, defaultIterations)
	o.Samples, o.Seed = cmp.Or(o.Samples, defaultSamples), cmp.Or(o.Seed, defaultSeed)
	return o
}

// check refuses options that are out of range. The upper limits keep the time bounded.
func (o Options) check() error {
	for _, c := range []struct {
		name           string
		got, low, high float64
	}{
		{"largest rotation", o.MaxRotation, 0, 180},
		{"largest shift", o.MaxShift, 0, 1000},
		{"resolutions", float64(o.Resolutions), 1, 6},
		{"iterations", float64(o.Iterations), 1, 10000},
		{"samples", float64(o.Samples), 100, 1e6},
	} {
		if !(c.got >= c.low && c.got <= c.high) {
			return &OptionError{Name: c.name, Got: c.got, Low: c.low, High: c.high}
		}
	}
	return nil
}

// Result is the result of a registration.
type Result struct {
	// Transform maps a point of the fixed image to the same point of the knee in the moving image.
	Transform volume.Rigid
	// Rotation is the angle of the transform about its axis, in degrees.
	Rotation float64
	// Shift is the distance in mm by which the transform moves the centre of the field.
	Shift float64
	// Before and After are the mutual information of the images in nats, before and after the
	// transform; see mutualInformation.
	Before, After float64
	// Overlap is the fraction of the field that the moving image covers after the transform.
	Overlap float64
	// Still reports that the images were already aligned: elastix returned a movement of less than
	// 1 mm, which did not increase the mutual information, and Transform is the identity.
	Still bool
	// Iterations is the number of iterations over all resolutions.
	Iterations int
	// Version is the version of elastix.
	Version string
}

// still is the largest movement in mm of a point of the field that need not increase the mutual
// information: less than a third of the usual slice of 3 mm.
const still = 1.0

// Rigid registers the moving image to the fixed one. Voxels that are not finite count as
// background. Errors: UnsuitableError, OverlapError, MotionError, MetricError, MirrorError,
// OptionError, ModuleError, and the context's.
func Rigid(ctx context.Context, fixed, moving volume.Map, o Options) (Result, error) {
	o = o.fill()
	if err := o.check(); err != nil {
		return Result{}, err
	}
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	p, err := prepare(fixed, moving, o)
	if err != nil {
		return Result{}, err
	}
	// The start is applied to the position of the moving image, and elastix starts from the
	// identity, so that it needs no initial transform.
	start := o.known
	if start == nil {
		best := p.start(o)
		start = &best
	}
	e, err := run(ctx, o.parameters(), p.fixed.picture, p.moving.moved(start.Inverse()), p.turns(o), p.memory())
	if err != nil {
		return Result{}, err
	}
	r, err := p.judge(e.rigid().Then(*start), o)
	if err == nil && o.CheckMirror {
		err = p.checkMirror(r)
	}
	return r, err
}

// judge measures the transform that elastix returned and checks it against the limits.
func (p pair) judge(t volume.Rigid, o Options) (Result, error) {
	r := Result{Transform: t, Iterations: o.Resolutions * o.Iterations, Version: Version}
	r.Rotation, r.Shift = angle(r.Transform), distance(p.centre, r.Transform.Apply(p.centre))
	if !(r.Rotation <= o.MaxRotation) || !(r.Shift <= o.MaxShift) {
		return r, &MotionError{Rotation: r.Rotation, Shift: r.Shift, MaxRotation: o.MaxRotation, MaxShift: o.MaxShift}
	}
	r.Before, r.After, r.Overlap = p.mutualInformation(r.Transform)
	switch {
	case r.After > r.Before:
	case p.moves(r.Transform) < still:
		r.Transform, r.Rotation, r.Shift, r.After, r.Still = volume.Identity(), 0, 0, r.Before, true
	default:
		return r, &MetricError{Before: r.Before, After: r.After}
	}
	return r, nil
}

// moves returns the largest distance in mm by which the transform moves a corner of the field.
func (p pair) moves(t volume.Rigid) float64 {
	most := 0.0
	for _, c := range whole(p.fixed.geometry()).corners(p.fixed.geometry()) {
		most = max(most, distance(c, t.Apply(c)))
	}
	return most
}

// parameters returns elastix's parameter map. Other parameters have elastix's defaults.
func (o Options) parameters() parameters {
	return parameters{
		"Registration":                     {"MultiResolutionRegistration"},
		"Transform":                        {"EulerTransform"},
		"AutomaticTransformInitialization": {"false"}, // see start
		"AutomaticScalesEstimation":        {"true"},
		"HowToCombineTransforms":           {"Compose"},
		"Metric":                           {"AdvancedMattesMutualInformation"},
		"NumberOfHistogramBins":            {"32"},
		"Optimizer":                        {"AdaptiveStochasticGradientDescent"},
		"MaximumNumberOfIterations":        {strconv.Itoa(o.Iterations)},
		"NumberOfSamplesForExactGradient":  {strconv.Itoa(5 * o.Samples)},
		"NumberOfResolutions":              {strconv.Itoa(o.Resolutions)},
		"ImageSampler":                     {"RandomCoordinate"}, // between voxels, against patterns of the grids
		"NumberOfSpatialSamples":           {strconv.Itoa(o.Samples)},
		"NewSamplesEveryIteration":         {"true"},
		"RandomSeed":                       {strconv.Itoa(int(o.Seed))},
		"Interpolator":                     {"LinearInterpolator"},
		"FixedImagePyramid":                {"FixedRecursiveImagePyramid"},
		"MovingImagePyramid":               {"MovingRecursiveImagePyramid"},
		"FixedInternalImagePixelType":      {"float"},
		"MovingInternalImagePixelType":     {"float"},
		"UseDirectionCosines":              {"true"},
		"Resampler":                        {"DefaultResampler"},
		"ResampleInterpolator":             {"FinalBSplineInterpolator"},
		"WriteResultImage":                 {"false"},
	}
}

// rigid returns the transform as p ↦ R·p + s. Its numbers are rounded, to 1e-12 and to
// 1e-9 mm, because the last bits of sine and cosine differ between processors.
func (e euler) rigid() volume.Rigid {
	sx, cx := math.Sincos(e.angles[0])
	sy, cy := math.Sincos(e.angles[1])
	sz, cz := math.Sincos(e.angles[2])
	t := volume.Rigid{Rotation: [3][3]float64{ // Rz·Rx·Ry
		{cz*cy - sz*sx*sy, -sz * cx, cz*sy + sz*sx*cy},
		{sz*cy + cz*sx*sy, cz * cx, sz*sy - cz*sx*cy},
		{-cx * sy, sx, cx * cy},
	}}
	for r, row := range t.Rotation {
		for c := range row {
			t.Rotation[r][c] = math.Round(row[c]*1e12) / 1e12
		}
	}
	turned := t.Apply(e.centre)
	for r := range t.Shift {
		t.Shift[r] = math.Round((e.centre[r]+e.shift[r]-turned[r])*1e9) / 1e9
	}
	return t
}

// angle returns the rotation of the transform about its axis in degrees. The sine is half of the
// length of the skew-symmetric part; the cosine alone would be inaccurate for small angles.
func angle(t volume.Rigid) float64 {
	m := t.Rotation
	sine := math.Hypot(math.Hypot(m[2][1]-m[1][2], m[0][2]-m[2][0]), m[1][0]-m[0][1]) / 2
	cosine := (m[0][0] + m[1][1] + m[2][2] - 1) / 2
	return math.Round(math.Atan2(sine, cosine)*180/math.Pi*1e9) / 1e9
}

func distance(a, b [3]float64) float64 {
	d := math.Sqrt(
		float64((a[0]-b[0])*(a[0]-b[0])) + float64((a[1]-b[1])*(a[1]-b[1])) + float64((a[2]-b[2])*(a[2]-b[2])),
	)
	return math.Round(d*1e9) / 1e9
}
