package figure

import (
	"image/color"
	"math"

	plotfont "gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/t2map/t2map/printable"
)

// Range is the range of an axis; Low < High.
type Range struct{ Low, High float64 }

// Drawable reports whether x can be drawn on an axis: it is finite, and differences of such numbers do
// not overflow.
func Drawable(x float64) bool { return math.Abs(x) < 1e100 }

// Cover returns the range of the drawable values, and whether there are any. Where all
// are the same, it reaches 5 % of them to either side, or 1 where that is 0.
func Cover(values ...float64) (Range, bool) {
	r := Range{math.Inf(1), math.Inf(-1)}
	for _, x := range values {
		if Drawable(x) {
			r.Low, r.High = min(r.Low, x), max(r.High, x)
		}
	}
	if r.Low > r.High {
		return Range{0, 1}, false
	}
	// Ticks that differ after 12 digits would look the same.
	if r.High-r.Low <= 1e-12*max(math.Abs(r.Low), math.Abs(r.High)) {
		pad := 0.05 * math.Abs(r.Low)
		if pad == 0 {
			pad = 1
		}
		r = Range{r.Low - pad, r.High + pad}
	}
	return r, true
}

// Pad returns the range with that share of its length added at either end.
func (r Range) Pad(share float64) Range {
	margin := share * r.Length()
	return Range{r.Low - margin, r.High + margin}
}

// Length is High − Low.
func (r Range) Length() float64 { return r.High - r.Low }

// Has reports whether x is in the range.
func (r Range) Has(x float64) bool { return x >= r.Low && x <= r.High }

// Tick is a position on an axis with its label.
type Tick struct {
	Value float64
	Label string
}

// Ticks returns the multiples of 1, 2 or 5 times a power of ten in the range, with the
// smallest step that gives at most that many.
func (r Range) Ticks(most int) []Tick {
	power := math.Floor(math.Log10(r.Length() / float64(most)))
	step, decimals := math.Pow(10, power), int(max(0, -power))
	for _, f := range []float64{1, 2, 5, 10} {
		if r.Length()/(step*f) <= float64(most) {
			step *= f
			if f == 10 {
				decimals = max(0, decimals-1)
			}
			break
		}
	}
	var ticks []Tick
	for n := math.Ceil(r.Low/step - 1e-9); n*step <= r.High+1e-9*step && len(ticks) <= 2*most; n++ {
		value := n*step + 0 // which makes 0 of −0
		ticks = append(ticks, Tick{value, Number(value, decimals)})
	}
	return ticks
}

// Panel is an area with two linear axes.
type Panel struct {
	draw.Canvas
	Area vg.Rectangle
	X, Y Range
}

// At returns the place of a value; outside of the range, it is outside of the area.
func (p Panel) At(x, y float64) vg.Point { return vg.Point{X: p.AtX(x), Y: p.AtY(y)} }

// AtX returns the place of x across.
func (p Panel) AtX(x float64) vg.Length {
	return p.Area.Min.X + p.Area.Size().X*vg.Length((x-p.X.Low)/p.X.Length())
}

// AtY returns the place of y upwards.
func (p Panel) AtY(y float64) vg.Length {
	return p.Area.Min.Y + p.Area.Size().Y*vg.Length((y-p.Y.Low)/p.Y.Length())
}

// Thin is the style of the lines of axes and grids.
func Thin(c color.Color) draw.LineStyle { return draw.LineStyle{Color: c, Width: 0.5} }

// GridY draws the lines of the grid at the ticks of the y axis, and their labels, where
// wished for, at its left in that style.
func (p Panel) GridY(ticks []Tick, labels bool, style draw.TextStyle) {
	for _, t := range ticks {
		y := p.AtY(t.Value)
		p.StrokeLine2(Thin(Grid), p.Area.Min.X, y, p.Area.Max.X, y)
		if labels {
			Write(p.Canvas, Align(style, Right, Middle), vg.Point{X: p.Area.Min.X - 3, Y: y}, t.Label)
		}
	}
}

// BottomAxis draws the line at the bottom of the area, with a stroke at each of the places.
func (p Panel) BottomAxis(places []vg.Length) {
	p.StrokeLine2(Thin(Axis), p.Area.Min.X, p.Area.Min.Y, p.Area.Max.X, p.Area.Min.Y)
	for _, x := range places {
		p.StrokeLine2(Thin(Axis), x, p.Area.Min.Y, x, p.Area.Min.Y-2.5)
	}
}

// Where a text lies by its point, across.
const (
	Left   text.XAlignment = 0
	Center text.XAlignment = -0.5
	Right  text.XAlignment = -1
)

// Where a text lies by its point, upwards, in the size of the letters of Liberation
// Sans, whose capitals are 0.73 high.
const (
	Base   text.YAlignment = 0
	Middle text.YAlignment = -0.36
	Below  text.YAlignment = -0.73
)

// Align is the style of text whose point is its left, centre or right end, and its baseline,
// middle or top. Styles are at the left end of the baseline where nothing else is said.
func Align(style draw.TextStyle, x text.XAlignment, y text.YAlignment) draw.TextStyle {
	style.XAlign, style.YAlign = x, y
	return style
}

// Write puts a line of text to a point, as the style is aligned. A rotated style turns it
// about the point.
func Write(c draw.Canvas, style draw.TextStyle, position vg.Point, s string) {
	s = printable.Line(s)
	face := plotfont.DefaultCache.Lookup(style.Font, style.Font.Size)
	offset := vg.Point{X: vg.Length(style.XAlign) * face.Width(s), Y: vg.Length(style.YAlign) * style.Font.Size}
	c.Push()
	defer c.Pop()
	c.SetColor(style.Color)
	c.Translate(position)
	if style.Rotation != 0 {
		c.Rotate(style.Rotation)
	}
	c.FillString(face, offset, s)
}
