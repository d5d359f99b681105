package pipeline

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/segment/resample"
	"github.com/t2map/t2map/volume"
)

// placedMask is a divided mask on the grid of the series.
type placedMask struct {
	dividedKnee
	regions segment.Regions
	// transform maps a position of the series to the space of the mask; nil if they share their space.
	transform *volume.Rigid
	resampled bool // onto another grid
	// coverage is how much of each part lies in the field of view of the series, before erosion; nil if the mask lies
	// on the grid of the series and therefore in its field of view.
	coverage []resample.Coverage
	// shift is the difference of position if the mask's grid has the size and spacing of the series; else nil.
	shift *segment.GridError
}

// findRegions reads the job's mask, divides it and, unless images must be aligned first, brings it onto the grid of
// the series. Its errors have hints.
func (j Job) findRegions(ctx context.Context, p protocol.Protocol, workers int) (maskRead, placedMask, error) {
	source := j.maskJob()
	m, err := source.readMask(ctx, p)
	if err != nil {
		return m, placedMask{}, err
	}
	onSeries := segment.CheckGrid(m.geometry(), source.Train.Geometry) == nil
	m.crop(j.Train.Geometry)
	marks, err := m.interpret(p.MaskScheme())
	if err != nil {
		return m, placedMask{}, err
	}
	collect() // makes room for the division
	k, err := source.divideMask(ctx, m, marks, p, workers)
	if errors.As(err, new(*anatomy.Error)) {
		err = j.elsewhere(m, err)
	}
	m.labels.Data = nil
	if k.onSeries = onSeries; err == nil {
		err = j.checkCarriedSide(k)
	}
	k.cropped = m.cropped
	collect() // makes room for the fractions
	if err != nil || j.needsAlignment(k) {
		return m, placedMask{dividedKnee: k}, err
	}
	k.marks = nil
	placed, err := j.place(ctx, k, p.Division, nil, workers)
	if placed.resampled {
		placed.shift = shifted(m.geometry(), j.Train.Geometry)
	}
	if err != nil {
		err = HintMask(fmt.Errorf("%s: %w", m.file.Path, err))
	}
	return m, placed, err
}

// place brings a divided mask onto the grid of the job's series: voxel by voxel if both have the same grid, else by
// the share of each voxel that the mask covers. transform maps a position of the series to the space of the mask;
// nil means that they share their space.
func (j Job) place(
	ctx context.Context, k dividedKnee, d protocol.Division, transform *volume.Rigid, workers int,
) (placedMask, error) {
	p := placedMask{dividedKnee: k, transform: transform}
	d = d.WithDefaults()
	if transform == nil && !k.cropped && segment.CheckGrid(k.parts.Geometry, j.Train.Geometry) == nil {
		labels, err := segment.OnGrid(k.parts.Labels, j.Train.Geometry)
		p.regions = k.parts.OnGrid(labels.Geometry, labels.Data, nil)
		p.recordView()
		return p, err
	}
	p.resampled = true
	options := resample.Options{
		ThicknessMM: j.Train.Thickness, Transform: transform, LeastCovered: resample.AnyCover, Workers: workers,
	}
	fractions, err := resample.ComputeFractions(ctx, k.parts.Labels, j.Train.Geometry, options)
	if err != nil {
		return p, err
	}
	p.coverage = fractions.Coverage
	if k.uneroded != nil {
		if p.coverage, err = resample.Cover(ctx, k.uneroded.Labels, j.Train.Geometry, options); err != nil {
			return p, err
		}
	}
	if err := checkCover(k.parts, p.coverage); err != nil {
		return p, err
	}
	assigned, err := fractions.Assign(d.MinFraction, k.parts.Groups())
	if err != nil {
		return p, err
	}
	unseen := p.unseenParts()
	for v, part := range assigned.Data {
		if unseen[part] {
			assigned.Data[v] = 0
		}
	}
	p.regions = k.parts.OnGrid(j.Train.Geometry, assigned.Data, assigned.Shares())
	p.recordView()
	return p, nil
}

// shifted returns the difference between the grids of a mask and the series if they have the same number and size of
// voxels; else nil. Such a mask was drawn on a series like this one.
func shifted(mask, series volume.Geometry) *segment.GridError {
	var e *segment.GridError
	if !errors.As(segment.CheckGrid(mask, series), &e) || math.IsNaN(e.Distance) {
		return nil
	}
	a, b := mask.Spacing(), series.Spacing()
	slices.Sort(a[:])
	slices.Sort(b[:])
	for i := range a {
		if math.Abs(a[i]-b[i]) > alikeSpacing*b[i] {
			return nil
		}
	}
	return e
}

// alikeSpacing is the largest relative difference of equal spacings: headers round spacings to some thousandths of
// a mm.
const alikeSpacing = 0.01

// tissueCover is how much of a tissue lies in the field of view.
type tissueCover struct {
	tissue         string
	voxels, inside int
	farthest       float64 // distance of its farthest voxel from the field of view, mm
}

// coverError says that too little of some tissues lies in the field of view of the series.
type coverError struct{ tissues []tissueCover }

// Error is, for example, "too little of the mask lies in the field of view of the series (50 % needed):
// femoral-cartilage 31 %, the rest up to 12.5 mm outside".
func (e *coverError) Error() string {
	var parts []string
	for _, t := range e.tissues {
		parts = append(parts, fmt.Sprintf("%s %d %%, the rest up to %s outside",
			t.tissue, 100*t.inside/t.voxels, resample.Millimetres(t.farthest)))
	}
	return fmt.Sprintf("too little of the mask lies in the field of view of the series (%.0f %% needed): %s",
		100*leastCovered, strings.Join(parts, "; "))
}

// checkCover returns a *coverError if less than half of a tissue lies in the field of view.
func checkCover(parts segment.Parts, coverage []resample.Coverage) error {
	tissues := make([]tissueCover, len(parts.Marked))
	for _, c := range coverage {
		n := parts.Tissue[c.Label-1] - 1
		t := &tissues[n]
		t.tissue = parts.Marked[n]
		t.voxels += c.Voxels
		t.inside += c.Inside
		t.farthest = max(t.farthest, c.FarthestMM)
	}
	tissues = slices.DeleteFunc(tissues, func(t tissueCover) bool {
		return t.voxels == 0 || float64(t.inside) >= leastCovered*float64(t.voxels)
	})
	if len(tissues) > 0 {
		return &coverError{tissues}
	}
	return nil
}
