package figures

import (
	"math"
	"slices"

	"gonum.org/v1/plot/vg"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial"
)

// visitAxis is the x axis of a panel: visits by month, to scale.
type visitAxis struct {
	x     []float64
	words []string
	label string
	scale figure.Range
	// evenly reports that visits are at equal distances, not by month.
	evenly bool
}

// Sizes of the axis of visits in points.
const (
	visitsWide   = 125 // the width of the narrowest panel, of three in a row
	visitsApart  = 10  // 3.5 mm: closer points of two arms overlap
	visitsEvener = 2   // the factor by which equal distances must increase the smallest
)

// newVisitAxis returns the axis of some of a design's visits. Visits are placed by order if a month is not a
// number or months do not ascend. If some visits would be too close together, they are placed at equal
// distances with their months as labels, and the axis says so.
func newVisitAxis(d trial.Design, visits []int) visitAxis {
	v := visitAxis{label: "Month"}
	d.Visits = pick(d.Visits, visits)
	for n, visit := range d.Visits {
		v.x = append(v.x, visit.Month)
		v.words = append(v.words, month(visit.Month))
		if !figure.Drawable(visit.Month) || n > 0 && visit.Month <= d.Visits[n-1].Month {
			return byOrder(d)
		}
	}
	v.scale, _ = figure.Cover(v.x...)
	room := v.room(figure.Panel{X: v.scale, Area: vg.Rectangle{Max: vg.Point{X: visitsWide}}})
	if len(room) < 2 {
		return v
	}
	if least := slices.Min(room); least < visitsApart && visitsWide/vg.Length(len(room)-1) >= visitsEvener*least {
		v.x, v.scale = byOrder(d).x, byOrder(d).scale
		v.label, v.evenly = "Month (not to scale)", true
	}
	return v
}

// pick returns the elements with these indices.
func pick[T any](all []T, indices []int) []T {
	var out []T
	for _, i := range indices {
		out = append(out, all[i])
	}
	return out
}

func byOrder(d trial.Design) visitAxis {
	v := visitAxis{label: "Visit"}
	for n := range d.Visits {
		v.x = append(v.x, float64(n))
	}
	v.words = fitAll(small, visitNames(d), 30)
	v.scale, _ = figure.Cover(v.x...)
	return v
}

// room returns the distance of each visit from the nearest other in a panel.
func (v visitAxis) room(p figure.Panel) []vg.Length {
	out := make([]vg.Length, len(v.x))
	for n := range out {
		out[n] = p.Area.Size().X
		if n > 0 {
			out[n] = min(out[n], p.AtX(v.x[n])-p.AtX(v.x[n-1]))
		}
		if n+1 < len(v.x) {
			out[n] = min(out[n], p.AtX(v.x[n+1])-p.AtX(v.x[n]))
		}
	}
	return out
}

// draw draws the axis with its name and as many labels as fit. countWidths has the widths of the counts
// below the labels. It returns the visits with a label.
func (v visitAxis) draw(p figure.Panel, countWidths []vg.Length) []int {
	places, widths := make([]vg.Length, len(v.x)), make([]vg.Length, len(v.x))
	for n, x := range v.x {
		places[n], widths[n] = p.AtX(x), max(countWidths[n], small.Width(v.words[n]))
	}
	p.BottomAxis(places)
	shown := thin(places, widths, 3)
	for _, n := range shown {
		figure.Write(p.Canvas, figure.Align(small, figure.Center, figure.Below),
			vg.Point{X: places[n], Y: p.Area.Min.Y - 5}, v.words[n])
	}
	pos := vg.Point{X: (p.Area.Min.X + p.Area.Max.X) / 2, Y: p.Area.Min.Y - 15}
	figure.Write(p.Canvas, figure.Align(small, figure.Center, figure.Below), pos, v.label)
	return shown
}

// thin returns the indices of the places at which texts of these widths fit with gaps: the first, the
// last, and others between them, in equal steps if the places have equal steps.
func thin(places, widths []vg.Length, gap vg.Length) []int {
	if len(places) == 0 {
		return nil
	}
	fits := func(m, n int) bool { return places[n]-places[m] >= (widths[m]+widths[n])/2+gap }
	if equalSteps(places) {
		return everyFew(len(places), fits)
	}
	shown, last := []int{0}, len(places)-1
	for n := 1; n < last; n++ {
		if fits(shown[len(shown)-1], n) && fits(n, last) {
			shown = append(shown, n)
		}
	}
	if last > 0 && fits(shown[len(shown)-1], last) {
		shown = append(shown, last)
	}
	return shown
}

// equalSteps reports whether neighbouring places have the same distance, to one percent.
func equalSteps(places []vg.Length) bool {
	step := (places[len(places)-1] - places[0]) / vg.Length(max(1, len(places)-1))
	for n := 1; n < len(places); n++ {
		if d := places[n] - places[n-1] - step; d > step/100 || d < -step/100 {
			return false
		}
	}
	return len(places) > 2
}

// everyFew returns every k-th of n places with the smallest k for which their texts fit, and the last
// place. It uses a k up to twice as large if that includes the last place; otherwise the last place
// replaces those that it overlaps.
func everyFew(n int, fits func(m, n int) bool) []int {
	last, smallest := n-1, 0
	for k := 1; k <= last && (smallest == 0 || k <= 2*smallest); k++ {
		shown := []int{0}
		for m := k; m <= last && fits(m-k, m); m += k {
			shown = append(shown, m)
		}
		end := shown[len(shown)-1]
		switch {
		case end+k <= last: // one of them does not fit
		case end == last:
			return shown
		case smallest == 0:
			smallest = k
		}
	}
	shown := []int{0}
	for m := smallest; smallest > 0 && m < last; m += smallest {
		if fits(m, last) {
			shown = append(shown, m)
		}
	}
	if fits(0, last) {
		shown = append(shown, last)
	}
	return shown
}

// clamp brings y into the range.
func clamp(r figure.Range, y float64) float64 {
	if math.IsNaN(y) {
		return y
	}
	return min(max(y, r.Low), r.High)
}
