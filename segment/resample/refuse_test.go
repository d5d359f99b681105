package resample

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/t2map/t2map/volume"
)

// The coverage of a label and its distance from the field of view, on an oblique grid.
func TestCoverage(t *testing.T) {
	rotation := turned(30, 40, 50)
	g := grid([3]int{20, 20, 5}, [3]float64{1, 1, 3}, rotation, [3]float64{}) // 20 × 20 × 15 mm, less half a gap
	project := func(p [3]float64, axis int) float64 {
		return rotation[0][axis]*p[0] + rotation[1][axis]*p[1] + rotation[2][axis]*p[2]
	}
	// A box of 4 mm from x to x + 4 along the rows, on a grid with the same axes but voxels of 0.5 mm.
	box := func(axis int, x float64) func([3]float64) uint16 {
		return func(p [3]float64) uint16 {
			for a := range 3 {
				start := -2.0
				if a == axis {
					start = x
				}
				if c := project(p, a); c < start || c > start+4 {
					return 0
				}
			}
			return 3
		}
	}
	for _, c := range []struct {
		axis              int
		start, thickness  float64
		share             float64
		nearest, farthest float64
		kind              string
	}{
		{0, 0, 0, 1, 0, 0, ""},
		{0, 7, 0, 0.75, 0, 0.75, ""},
		{0, 8, 0, 0.5, 0, 1.75, ""},
		{0, 9, 0, 0.25, 0, 2.75, "cover"},
		{1, -13, 0, 0.25, 0, 2.75, "cover"},
		{0, 10, 0, 0, 0.25, 3.75, "outside"},
		{1, 15, 0, 0, 5.25, 8.75, "outside"},
		{2, 4.5, 3, 0.75, 0, 0.75, ""},
		{2, 4.5, 2, 0.625, 0, 1.25, ""}, // the slab ends at 7 mm: five of eight layers
		{2, 6.5, 3, 0.25, 0, 2.75, "cover"},
	} {
		mask := painted(
			grid([3]int{100, 100, 100}, [3]float64{0.5, 0.5, 0.5}, rotation, [3]float64{}), box(c.axis, c.start),
		)
		f, err := ComputeFractions(context.Background(), mask, g, Options{ThicknessMM: c.thickness})
		got := ""
		if outside := (*OutsideError)(nil); errors.As(err, &outside) {
			got = "outside"
			if math.Abs(outside.DistanceMM-c.nearest) > 1e-9 {
				t.Errorf("%+v: %v", c, err)
			}
		} else if cover := (*CoverageError)(nil); errors.As(err, &cover) {
			got = "cover"
			if len(cover.Labels) != 1 || cover.Labels[0] != f.Coverage[0] || cover.Least != 0.5 {
				t.Errorf("%+v: %v", c, err)
			}
		} else if err != nil {
			t.Fatal(err)
		}
		if got != c.kind {
			t.Errorf("%+v: %v", c, err)
		}
		f, err = ComputeFractions(context.Background(), mask, g, Options{ThicknessMM: c.thickness, LeastCovered: AnyCover})
		if _, outside := err.(*OutsideError); outside != (c.kind == "outside") {
			t.Errorf("%+v: with AnyCover: %v", c, err)
		}
		x := f.Coverage[0]
		if math.Abs(x.share()-c.share) > 1e-9 || math.Abs(x.NearestMM-c.nearest) > 1e-9 ||
			math.Abs(x.FarthestMM-c.farthest) > 1e-9 {
			t.Errorf("%+v: %+v, share %g", c, x, x.share())
		}
	}
}

func TestMessages(t *testing.T) {
	err := error(
		&CoverageError{
			Least: 0.5,
			Labels: []Coverage{
				{Label: 2, Voxels: 3, Inside: 1, FarthestMM: 12.54},
				{Label: 4, Voxels: 10, NearestMM: 3, FarthestMM: 9},
			},
		},
	)
	want := "mask lies mostly outside the series: 33 % of label 2 lies inside (50 % needed), " +
		"the rest up to 12.5 mm away; " +
		"0 % of label 4 lies inside (50 % needed), the rest up to 9.0 mm away"
	if err.Error() != want {
		t.Error(err)
	}
	err = &OutsideError{DistanceMM: 12.5}
	if want := "mask lies outside the series: its nearest voxel is 12.5 mm from the field of view"; err.Error() != want {
		t.Error(err)
	}
}

// A label that is mostly outside is refused, though another is inside; and a mask that is
// twice as large as the field of view is not.
func TestLabelsApart(t *testing.T) {
	g := grid([3]int{20, 20, 5}, [3]float64{1, 1, 3}, turned(0, 90, 0), [3]float64{})
	large := grid([3]int{80, 80, 80}, [3]float64{0.5, 0.5, 0.5}, turned(0, 0, 0), [3]float64{})
	inside, outside := ellipsoid(
		[3]float64{}, [3]float64{5, 5, 5}, turned(0, 0, 0),
	), ellipsoid(
		[3]float64{0, 15, 0}, [3]float64{4, 4, 4}, turned(0, 0, 0),
	)
	mask := painted(large, inside)
	mustOnto(t, mask, g, Options{})
	for v, label := range painted(large, outside).Data {
		mask.Data[v] += 65535 * label
	}
	_, err := ComputeFractions(context.Background(), mask, g, Options{})
	if cover := (*CoverageError)(nil); !errors.As(err, &cover) || len(cover.Labels) != 1 ||
		cover.Labels[0].Label != 65535 ||
		cover.Labels[0].Inside != 0 {
		t.Errorf("%v", err)
	}
	f := mustOnto(t, mask, g, Options{LeastCovered: AnyCover})
	assigned, err := f.Assign(0, nil)
	if err != nil || len(assigned.Means) != 2 || assigned.Means[1].Voxels != 0 ||
		!math.IsNaN(assigned.Means[1].Fraction) ||
		assigned.Means[0].Voxels == 0 {
		t.Errorf("%+v, %v", assigned.Means, err)
	}
}

func TestBadInput(t *testing.T) {
	g := grid([3]int{4, 4, 4}, [3]float64{1, 1, 1}, turned(0, 0, 0), [3]float64{})
	mask := noise(g, 1)
	flat := g
	flat.Affine[2] = [4]float64{}
	tiny := grid([3]int{4, 4, 4}, [3]float64{0.01, 0.01, 0.01}, turned(0, 0, 0), [3]float64{})
	for name, c := range map[string]struct {
		mask   volume.Labels
		series volume.Geometry
		o      Options
	}{
		"short":     {volume.Labels{Geometry: g}, g, Options{}},
		"flat":      {mask, flat, Options{}},
		"flat mask": {volume.Labels{Geometry: flat, Data: mask.Data}, g, Options{}},
		"thickness": {mask, g, Options{ThicknessMM: -1}},
		"NaN":       {mask, g, Options{ThicknessMM: math.NaN()}},
		"least":     {mask, g, Options{LeastCovered: 1.5}},
		"too fine":  {volume.Labels{Geometry: tiny, Data: mask.Data}, g, Options{}},
		"zero move": {mask, g, Options{Transform: &volume.Rigid{}}},
	} {
		if _, err := ComputeFractions(context.Background(), c.mask, c.series, c.o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := ComputeFractions(ended, mask, g, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	empty := volume.Labels{Geometry: g, Data: make([]uint16, g.Voxels())}
	f, err := ComputeFractions(context.Background(), empty, g, Options{})
	if err != nil || len(f.Voxels) != 0 || len(f.Start) != 1 {
		t.Errorf("an empty mask: %+v, %v", f, err)
	}
	if assigned, err := f.Assign(0, nil); err != nil || len(assigned.Means) != 0 || len(assigned.Data) != g.Voxels() {
		t.Errorf("an empty mask: %v", err)
	}
	for _, threshold := range []float64{-1, 1.01, math.NaN()} {
		if _, err := f.Assign(threshold, nil); err == nil {
			t.Errorf("a threshold of %g is accepted", threshold)
		}
	}
}
