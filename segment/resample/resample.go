// Package resample resamples a label map to another grid in patient space. It computes the
// fraction of each voxel of a series that each label covers, and assigns voxels to labels by
// these fractions. The nouns:
//
//   - the mask is the label map on its own grid, and the series is the grid of the T2 images;
//   - a voxel of the series is a box: its pixel times the thickness of the slice along the
//     normal of the slice. The gap between slices belongs to no voxel;
//   - the fraction of a label is the part of this box that lies in voxels of the label;
//   - the field of view is the box that contains all voxels of the series, with the gaps.
//
// The grids may have any position and orientation. Lengths are in mm, positions in mm LPS. A
// mask that has the same voxels as the series does not need this package; see segment.OnGrid.
//
// The package does not interpret labels, and does not smooth.
package resample

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/t2map/t2map/volume"
)

// Options are the options of ComputeFractions and Cover. The zero value is the default.
type Options struct {
	// ThicknessMM is the thickness of a slice along its normal. 0 means the distance between slices.
	ThicknessMM float64
	// Transform maps a position in the series to the image on which the mask was drawn. nil means
	// the identity.
	Transform *volume.Rigid
	// LeastCovered is the least part of a label's volume that must lie in the field of view. 0 means
	// 0.5; AnyCover means that any part is accepted.
	LeastCovered float64
	// Workers is the number of goroutines. 0 means one per processor.
	Workers int
}

// AnyCover is the value of Options.LeastCovered that accepts labels mostly or entirely outside the field
// of view.
const AnyCover = -1

// leastCovered is the default of Options.LeastCovered: less than half of a plate does not represent the
// plate.
const leastCovered = 0.5

func (o Options) defaults() (Options, error) {
	if !(o.ThicknessMM >= 0) || math.IsInf(o.ThicknessMM, 0) {
		return o, fmt.Errorf("slice thickness is %g mm, want 0 or more", o.ThicknessMM)
	}
	switch {
	case o.LeastCovered == 0:
		o.LeastCovered = leastCovered
	case o.LeastCovered == AnyCover:
	case !(o.LeastCovered > 0 && o.LeastCovered <= 1):
		return o, fmt.Errorf("the least covered part is %g, want 0 to 1", o.LeastCovered)
	}
	if o.Transform == nil {
		identity := volume.Identity()
		o.Transform = &identity
	}
	return o, nil
}

// Fractions holds the fractions of the voxels of a series that labels cover, without zeros. Voxel
// Voxels[n] has the entries Start[n] to Start[n+1]−1 of Label and Fraction.
type Fractions struct {
	volume.Geometry
	// Labels are the labels of the mask, increasing, without 0.
	Labels []uint16
	// Voxels are the indices of the voxels that labels cover at least in part, increasing.
	Voxels []uint32
	Start  []uint32
	// Label increases within a voxel, and Fraction is above 0. The fractions of a voxel sum
	// to 1 at most. They are multiples of 1/1024, so their sums are exact.
	Label    []uint16
	Fraction []float32
	// Coverage is the part of each label in the field of view, in the order of Labels.
	Coverage []Coverage
}

// ComputeFractions returns the fractions of the voxels of series that the labels of the mask cover. If one
// label, or none, covers the whole voxel, its fraction is exact. Otherwise it is the share of 1024 points
// in the voxel. If a voxel spans several voxels of the mask, the error is 0.001 to 0.002 (root mean
// square) and at most 0.015 (see TestPointsSuffice). The result does not depend on the number of workers.
// A mask without labels is not an error and has no fractions.
//
// If no label overlaps the field of view, the error is an *OutsideError. If too little of a label lies in
// it, the error is a *CoverageError. Grids that are flat or not finite are also errors. If ctx ends, its
// error is returned.
func ComputeFractions(ctx context.Context, mask volume.Labels, series volume.Geometry, o Options) (Fractions, error) {
	o, err := o.defaults()
	if err != nil {
		return Fractions{}, err
	}
	return computeFractions(ctx, mask, series, o, points(latticeSize, latticeStep))
}

// computeFractions is ComputeFractions for the given points of the unit cube.
func computeFractions(
	ctx context.Context, mask volume.Labels, series volume.Geometry, o Options, cube [][3]float64,
) (Fractions, error) {
	if len(mask.Data) != mask.Voxels() {
		return Fractions{}, fmt.Errorf(
			"mask has %d labels, want %d×%d×%d", len(mask.Data), mask.Size[0], mask.Size[1], mask.Size[2],
		)
	}
	p, err := placed(mask.Geometry, series, o)
	if err != nil {
		return Fractions{}, err
	}
	out := Fractions{Geometry: series, Start: []uint32{0}}
	s, err := surveyed(ctx, mask, p, o.Workers)
	switch {
	case err != nil:
		return Fractions{}, err
	case len(s.labels) == 0:
		return out, nil
	}
	out.Labels, out.Coverage = s.labels, s.coverage
	if err := p.sample(ctx, mask, s, newCloud(p, cube), o.Workers, &out); err != nil {
		return Fractions{}, err
	}
	return out, refuse(out, o.LeastCovered)
}

// placement is the position of the grids relative to each other.
type placement struct {
	series volume.Geometry
	// toMask maps an index of the series to an index of the mask, and toSeries is its inverse.
	toMask, toSeries [3][4]float64
	// The columns of edges are the edges of a voxel of the series, in indices of the mask. half is half
	// the extent of this voxel along each axis of the mask.
	edges [3][3]float64
	half  [3]float64
	// reach is half the thickness of a slice in indices of the series: 0.5 without gaps.
	reach float64
}

var errFlat = errors.New("grid is flat or not finite")

func placed(mask, series volume.Geometry, o Options) (placement, error) {
	p := placement{series: series}
	moved := mask.Moved(o.Transform.Inverse())
	inMask, ok := moved.Inverse()
	if !ok {
		return p, fmt.Errorf("mask: %w", errFlat)
	}
	inSeries, ok := series.Inverse()
	if !ok {
		return p, fmt.Errorf("series: %w", errFlat)
	}
	p.toMask, p.toSeries = compose(inMask, series.Affine), compose(inSeries, moved.Affine)
	normal, spacing := normalOf(series)
	thickness := o.ThicknessMM
	if thickness == 0 {
		thickness = spacing
	}
	p.reach = thickness / spacing / 2
	for a := range 3 {
		p.edges[a] = [3]float64{p.toMask[a][0], p.toMask[a][1]}
		for r := range 3 {
			p.edges[a][2] += float64(inMask[a][r] * normal[r] * thickness)
		}
		p.half[a] = (math.Abs(p.edges[a][0]) + math.Abs(p.edges[a][1]) + math.Abs(p.edges[a][2])) / 2
		if math.IsNaN(p.half[a]) || p.half[a] > maxHalf {
			return p, fmt.Errorf(
				"a voxel of the series spans %.3g voxels of the mask, at most %d are possible", 2*p.half[a],
				2*maxHalf,
			)
		}
	}
	return p, nil
}

// normalOf returns the unit normal of the slices and the distance between slices along it.
func normalOf(g volume.Geometry) (normal [3]float64, spacing float64) {
	a, length := g.Affine, 0.0
	for r := range 3 {
		s, t := (r+1)%3, (r+2)%3
		normal[r] = float64(a[s][0]*a[t][1]) - float64(a[t][0]*a[s][1])
		length += float64(normal[r] * normal[r])
	}
	length = math.Sqrt(length)
	for r := range 3 {
		normal[r] /= length
		spacing += float64(normal[r] * a[r][2])
	}
	return normal, math.Abs(spacing)
}

// compose returns the composition a∘b of affine maps. Here and below, products are rounded before they are
// added, so that all machines compute the same result.
func compose(a, b [3][4]float64) [3][4]float64 {
	var out [3][4]float64
	for r := range 3 {
		for c := range 4 {
			out[r][c] = float64(a[r][0]*b[0][c]) + float64(a[r][1]*b[1][c]) + float64(a[r][2]*b[2][c])
		}
		out[r][3] += a[r][3]
	}
	return out
}

// apply returns the image of the index (i, j, k).
func apply(m *[3][4]float64, i, j, k float64) [3]float64 {
	var out [3]float64
	for r := range out {
		out[r] = float64(m[r][0]*i) + float64(m[r][1]*j) + float64(m[r][2]*k) + m[r][3]
	}
	return out
}
