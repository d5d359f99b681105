package panel

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/figure"
)

// The scale is from the 5th to the 95th percentile, in steps of 5 ms, and has at least two steps.
func TestPercentileRange(t *testing.T) {
	var ramp []float32
	for n := range 1000 {
		ramp = append(ramp, 20+40*float32(n)/999)
	}
	for name, c := range map[string]struct {
		values    []float32
		low, high float64
	}{
		"ramp": {ramp, 20, 60}, "one": {[]float32{37}, 35, 45}, "none": {nil, 0, figure.ScaleMaxMS},
		"outliers": {append(slices.Repeat([]float32{36, 44}, 50), 500, 0.1), 35, 45},
	} {
		if low, high := percentileRange(c.values); low != c.low || high != c.high {
			t.Errorf("%s: %g to %g, want %g to %g", name, low, high, c.low, c.high)
		}
	}
}

// A range that is given decides the colours, and the caption says how a default was chosen.
func TestDisplayRange(t *testing.T) {
	dir := panelStudy(t, func(s *study) {
		for v := range s.Maps.T2 {
			s.Maps.T2[v] = 30 + float32(v%11)
		}
	})
	rows := []Row{{Label: "S01", Visits: []Visit{{Folder: dir}}}}
	for name, c := range map[string]struct {
		given, want [2]float64
	}{"default": {[2]float64{}, [2]float64{30, 40}}, "given": {[2]float64{35, 36}, [2]float64{35, 36}}} {
		p, err := newPanel(t.Context(), rows, Options{Visits: []string{"v0"}, Row: "medial", DisplayRange: c.given})
		if err != nil {
			t.Fatal(err)
		}
		tile := p.tiles[0][0].picture
		for n, x := range tile.t2 {
			share := (float64(x) - c.want[0]) / (c.want[1] - c.want[0])
			if want := figure.T2Index(float32(share * figure.ScaleMaxMS)); x > excluded && tile.Pix[n] != want {
				t.Fatalf("%s: %g ms has the colour %d, want %d", name, x, tile.Pix[n], want)
			}
		}
		if p.scale != c.want || strings.Contains(p.caption(), "5th to the 95th percentile of the medial T2 shown") !=
			(name == "default") {
			t.Errorf("%s: scale %g; %s", name, p.scale, p.caption())
		}
	}
}

// The change is later minus first in the voxels of both masks with a T2, if both maps are on one grid.
func TestChangeTiles(t *testing.T) {
	shift := func(by float32, change func(s *study)) string {
		return panelStudy(t, func(s *study) {
			for v := range s.Maps.T2 {
				s.Maps.T2[v] += by
			}
			if change != nil {
				change(s)
			}
		})
	}
	row := Row{Label: "S01", Visits: []Visit{{Folder: shift(0, nil)}, {Folder: shift(4, nil)},
		{Folder: shift(4, func(s *study) { s.place(moved(s.Echo.Affine, 0, 3)) })},
		{Folder: shift(4, func(s *study) { s.Result.Side = "right" })}, {Missing: "no study"}}}
	o := Options{Visits: []string{"v0", "v1", "v2", "v3", "v4"}}
	p, err := newPanel(t.Context(), []Row{row}, o)
	if err != nil {
		t.Fatal(err)
	}
	if p.tiles[0][0].change != nil || p.tiles[0][4].change != nil {
		t.Error("there is a change at baseline, or at a visit without maps")
	}
	same := p.tiles[0][1].change
	compared := 0
	for _, x := range same.ms {
		if x == x {
			compared++
			if math.Abs(float64(x)-4) > 1e-3 {
				t.Fatalf("a change of %g ms, want 4", x)
			}
		}
	}
	if same.missing != "" || same.voxels == 0 || compared == 0 || p.change != 10 {
		t.Errorf("%q, %d voxels, %d pixels, scale to %g", same.missing, same.voxels, compared, p.change)
	}
	for n, want := range map[int]string{2: "a grid up to 3.0 mm from that at baseline", 3: "the other knee"} {
		if got := p.tiles[0][n].change.missing; !strings.HasPrefix(got, want) {
			t.Errorf("visit %d: %q, want %q", n, got, want)
		}
	}
	if !strings.Contains(p.caption(), "on a scale of −10 to 10 ms") {
		t.Error(p.caption())
	}
	many, err := newPanel(t.Context(), slices.Repeat([]Row{row}, MostChangeRows+1), o)
	if err != nil {
		t.Fatal(err)
	}
	if many.hasChanges() || strings.Contains(many.caption(), "second row") {
		t.Error("seven subjects have rows of changes")
	}
}

// The caption says how the slices were chosen.
func TestCaptionOfTheSlice(t *testing.T) {
	const fullest, requested = "the slice is the one with the most voxels of", "the slice is the requested one"
	for name, c := range map[string]struct {
		rows []Row
		want string
	}{
		"none":  {make([]Row, 2), fullest},
		"each":  {[]Row{{Slice: 7}, {Position: new(float64)}}, requested + "."},
		"mixed": {[]Row{{Slice: 7}, {}}, requested + " or, without a request, the one with the most voxels of"},
	} {
		if got := (&panel{rows: c.rows, layout: layout{rows: len(c.rows)}}).caption(); !strings.Contains(got, c.want) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// A slice that is asked for is that of the first visit.
func TestSliceAskedFor(t *testing.T) {
	dir := panelStudy(t, nil)
	for number, want := range map[int]int{0: 5, 1: 0, 12: 11, 13: 5} {
		s, err := openRow(t.Context(), Row{Slice: number, Visits: []Visit{{Folder: dir}}}, "")
		if err != nil {
			t.Fatal(err)
		}
		if noted := len(s[0].notes) > 0; s[0].slice != want || noted != (number == 13) {
			t.Errorf("slice %d: %d, want %d; notes %q", number, s[0].slice, want, s[0].notes)
		}
	}
}
