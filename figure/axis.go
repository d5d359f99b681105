package figure

import (
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// mostTicks is the number of ticks of a y axis, and of an x axis, whose labels are beside each other.
const (
	mostTicks  = 6
	mostTicksX = 5
)

// TickRoom returns the width of the labels of y axes and of the axis name.
func TickRoom(axes ...Range) vg.Length {
	const gap, name = 3, 14
	widest := vg.Length(0)
	for _, r := range axes {
		for _, t := range r.Ticks(mostTicks) {
			widest = max(widest, Small.Width(t.Label))
		}
	}
	return widest + gap + name
}

// AxisY draws the grid of the y axis and, if labelled, its labels.
func (p Panel) AxisY(labelled bool) {
	for _, t := range p.Y.Ticks(mostTicks) {
		p.LineY(Thin(Grid), t.Value)
		if labelled {
			Write(p.Canvas, Align(Small, Right, Middle), vg.Point{X: p.Area.Min.X - 3, Y: p.AtY(t.Value)}, t.Label)
		}
	}
}

// NameY writes the name of the y axis, reading upwards, at the left end of the room for its labels.
func (p Panel) NameY(left vg.Length, style draw.TextStyle, name string) {
	style.Rotation = math.Pi / 2
	pos := vg.Point{X: p.Area.Min.X - left + 8, Y: (p.Area.Min.Y + p.Area.Max.Y) / 2}
	Write(p.Canvas, Align(style, Center, Base), pos, Fit(style, name, p.Area.Size().Y))
}

// AxisX draws the x axis: its grid, the labels that have room, and its line with ticks.
func (p Panel) AxisX() { p.BottomAxis(p.GridX()) }

// GridX draws the grid of the x axis and the labels that have room, and returns the places of its ticks.
func (p Panel) GridX() (places []vg.Length) {
	var widths []vg.Length
	ticks := p.X.Ticks(mostTicksX)
	for _, t := range ticks {
		places, widths = append(places, p.AtX(t.Value)), append(widths, Small.Width(t.Label))
		p.LineX(Thin(Grid), t.Value)
	}
	for _, n := range Sparse(places, widths, 3) {
		p.labelX(places[n], ticks[n].Label)
	}
	return places
}

// WriteTitle writes a title above the left end of the panel.
func (p Panel) WriteTitle(title string) {
	Write(p.Canvas, Strong, vg.Point{X: p.Area.Min.X, Y: p.Area.Max.Y + 4}, title)
}

// labelX writes the label of a tick at x.
func (p Panel) labelX(x vg.Length, label string) {
	Write(p.Canvas, Align(Small, Center, Below), vg.Point{X: x, Y: p.Area.Min.Y - 5}, label)
}

// NameX writes the name of the x axis below its labels.
func (p Panel) NameX(name string) {
	Write(p.Canvas, Align(Small, Center, Below), vg.Point{X: Centre(p.Area).X, Y: p.Area.Min.Y - 15}, name)
}

// ZeroLine is the line of no change or difference, and SoftLine one that points are not measured from.
var (
	ZeroLine = draw.LineStyle{Color: Ink, Width: 0.7}
	SoftLine = draw.LineStyle{Color: Axis, Width: 0.6}
)

// LineX draws a line at x from the bottom to the top of the panel.
func (p Panel) LineX(style draw.LineStyle, x float64) {
	p.StrokeLine2(style, p.AtX(x), p.Area.Min.Y, p.AtX(x), p.Area.Max.Y)
}

// LineY draws a line at y from the left to the right of the panel.
func (p Panel) LineY(style draw.LineStyle, y float64) {
	p.StrokeLine2(style, p.Area.Min.X, p.AtY(y), p.Area.Max.X, p.AtY(y))
}

// Remark writes why nothing is drawn in a panel, above its middle, where a line at 0 may be.
func (p Panel) Remark(reason string) {
	lines := Wrap(Small, reason, p.Area.Size().X-8, 3)
	pos := vg.Point{X: Centre(p.Area).X, Y: p.Area.Min.Y + 0.7*p.Area.Size().Y + vg.Length(len(lines)-1)*NoteRow/2}
	for _, l := range lines {
		Write(p.Canvas, Align(Small, Center, Middle), pos, l)
		pos.Y -= NoteRow
	}
}

// Centre returns the middle of a rectangle.
func Centre(r vg.Rectangle) vg.Point {
	return vg.Point{X: (r.Min.X + r.Max.X) / 2, Y: (r.Min.Y + r.Max.Y) / 2}
}

// Clamp brings x into the range.
func (r Range) Clamp(x float64) float64 {
	if math.IsNaN(x) {
		return x
	}
	return min(max(x, r.Low), r.High)
}

// Cuts reports whether a drawable value is outside the range.
func (r Range) Cuts(values []float64) bool {
	return slices.ContainsFunc(values, func(x float64) bool { return Drawable(x) && !r.Has(x) })
}

// Sight returns the range of an axis: the values of core and full, unless the full range is so much wider
// that the core could not be read. Then it is the range of the core with room at either end, and
// intervals are cut.
func Sight(core, full []float64) (r Range, exists bool) {
	const wider = 3
	inner, some := Cover(core...)
	outer, exists := Cover(append(full, core...)...)
	if some && len(core) > 1 && outer.Length() > wider*inner.Length() {
		outer = inner.Pad(0.5)
	}
	return outer.Pad(0.06), exists
}

// Sparse returns the indices of the places at which texts of these widths fit with gaps: the first, the
// last, and others between them, in equal steps if the places have equal steps.
func Sparse(places, widths []vg.Length, gap vg.Length) []int {
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
