package resample

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/t2map/t2map/volume"
)

// Coverage is the part of a label in the field of view of the series. A voxel of the mask lies in it if
// its centre does.
type Coverage struct {
	Label uint16
	// Voxels is the number of voxels of the mask with the label, and Inside the number of those in the
	// field of view.
	Voxels, Inside int
	// NearestMM and FarthestMM are the distances from the field of view of its nearest and its farthest
	// voxel; 0 inside.
	NearestMM, FarthestMM float64
}

// share returns the part of the label's volume that lies in the field of view.
func (c Coverage) share() float64 { return float64(c.Inside) / float64(c.Voxels) }

// Cover returns Fractions.Coverage without computing fractions, in increasing order of the labels. Low
// coverage is not an error.
func Cover(ctx context.Context, mask volume.Labels, series volume.Geometry, o Options) ([]Coverage, error) {
	o, err := o.defaults()
	if err != nil {
		return nil, err
	}
	p, err := placed(mask.Geometry, series, o)
	if err != nil {
		return nil, err
	}
	s, err := surveyed(ctx, mask, p, o.Workers)
	if err != nil {
		return nil, err
	}
	return s.coverage, nil
}

// OutsideError reports that the mask and the series do not overlap.
type OutsideError struct {
	// DistanceMM is the distance of the nearest labelled voxel from the field of view.
	DistanceMM float64
}

// Error returns a text such as "mask lies outside the series: its nearest voxel is 12.5 mm from the
// field of view".
func (e *OutsideError) Error() string {
	return fmt.Sprintf(
		"mask lies outside the series: its nearest voxel is %s from the field of view", Millimetres(e.DistanceMM),
	)
}

// Millimetres formats a distance in mm, such as "12.5 mm". A distance that is impossible in a scanner is
// "more than 10 m".
func Millimetres(d float64) string {
	const scanner = 10_000
	if !(d < scanner) {
		return "more than 10 m"
	}
	return fmt.Sprintf("%.1f mm", d)
}

// CoverageError lists the labels whose part in the field of view is too small.
type CoverageError struct {
	Least  float64 // the least part that must lie in it
	Labels []Coverage
}

// Error returns a text such as "mask lies mostly outside the series: 31 % of label 2 lies inside
// (50 % needed), the rest up to 12.5 mm away".
func (e *CoverageError) Error() string {
	var parts []string
	for _, c := range e.Labels {
		parts = append(parts, fmt.Sprintf("%.0f %% of label %d lies inside (%.0f %% needed), the rest up to %s away",
			math.Floor(100*c.share()), c.Label, 100*e.Least, Millimetres(c.FarthestMM)))
	}
	return "mask lies mostly outside the series: " + strings.Join(parts, "; ")
}

// refuse returns the error if the mask does not overlap the field of view, or not enough.
func refuse(f Fractions, least float64) error {
	nearest, low := math.Inf(1), []Coverage(nil)
	for _, c := range f.Coverage {
		nearest = min(nearest, c.NearestMM)
		if c.share() < least {
			low = append(low, c)
		}
	}
	switch {
	case len(f.Voxels) == 0 && nearest > 0:
		return &OutsideError{DistanceMM: nearest}
	case len(low) > 0:
		return &CoverageError{Least: least, Labels: low}
	}
	return nil
}

// view is the field of view: the positions at which the indices of the series lie between low and high.
type view struct {
	toSeries  [3][4]float64
	low, high [3]float64
	affine    [3][4]float64
}

func (p placement) view() view {
	v := view{toSeries: p.toSeries, affine: p.series.Affine}
	for a, n := range p.series.Size {
		reach := 0.5
		if a == 2 {
			reach = p.reach
		}
		v.low[a], v.high[a] = -reach, float64(n-1)+reach
	}
	return v
}

// outside returns the distance in mm of an index of the mask from the field of view; 0 inside. It is exact
// if the axes of the series are perpendicular.
func (v *view) outside(i, j, k float64) float64 {
	var d [3]float64
	inside := true
	for a, x := range apply(&v.toSeries, i, j, k) {
		if x < v.low[a] {
			d[a], inside = x-v.low[a], false
		} else if x > v.high[a] {
			d[a], inside = x-v.high[a], false
		}
	}
	if inside {
		return 0
	}
	sum := 0.0
	for _, row := range v.affine {
		x := float64(row[0]*d[0]) + float64(row[1]*d[1]) + float64(row[2]*d[2])
		sum += float64(x * x)
	}
	return math.Sqrt(sum)
}

// holds reports whether a box of voxels of the mask lies entirely in the field of view.
func (v *view) holds(low, high [3]int) bool {
	for corner := range 8 {
		var index [3]float64
		for a := range index {
			index[a] = float64(low[a])
			if corner>>a&1 == 1 {
				index[a] = float64(high[a])
			}
		}
		if v.outside(index[0], index[1], index[2]) > 0 {
			return false
		}
	}
	return true
}

// tally adds a voxel at distance d from the field of view.
func (c *Coverage) tally(d float64) {
	if c.Voxels == 0 || d < c.NearestMM {
		c.NearestMM = d
	}
	c.Voxels++
	if d == 0 {
		c.Inside++
	}
	c.FarthestMM = max(c.FarthestMM, d)
}

// join adds the voxels of the same label in another part of the mask.
func (c *Coverage) join(o Coverage) {
	if o.Voxels == 0 {
		return
	}
	if c.Voxels == 0 {
		c.NearestMM = o.NearestMM
	}
	c.NearestMM = min(c.NearestMM, o.NearestMM)
	c.Voxels += o.Voxels
	c.Inside += o.Inside
	c.FarthestMM = max(c.FarthestMM, o.FarthestMM)
}
