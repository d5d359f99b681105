package figure

import (
	"image/color"
	"math"
	"strconv"

	plotfont "gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/t2map/t2map/printable"
)

// Range is the range of an axis, with Low < High. With Log they are natural logarithms, and labels are the numbers
// themselves.
type Range struct {
	Low, High float64
	Log       bool
}

// Drawable reports whether x can be drawn on an axis. Differences of drawable numbers do not overflow.
func Drawable(x float64) bool { return math.Abs(x) < 1e100 }

// Cover returns the range of the drawable values, and whether there are any. If all values are equal, the
// range extends by 5 % of the value to either side, or by 1 if the value is 0.
func Cover(values ...float64) (Range, bool) {
	r := Range{Low: math.Inf(1), High: math.Inf(-1)}
	for _, x := range values {
		if Drawable(x) {
			r.Low, r.High = min(r.Low, x), max(r.High, x)
		}
	}
	if r.Low > r.High {
		return Range{High: 1}, false
	}
	// Ticks that differ after 12 digits would look the same.
	if r.High-r.Low <= 1e-12*max(math.Abs(r.Low), math.Abs(r.High)) {
		pad := 0.05 * math.Abs(r.Low)
		if pad == 0 {
			pad = 1
		}
		r = Range{Low: r.Low - pad, High: r.High + pad}
	}
	return r, true
}

// Pad returns the range extended by a share of its length at either end.
func (r Range) Pad(share float64) Range {
	margin := share * r.Length()
	return Range{r.Low - margin, r.High + margin, r.Log}
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

// Ticks returns the multiples of a step in the range. The step is 1, 2 or 5 times a power of ten: the
// smallest with which there are about most ticks or fewer.
func (r Range) Ticks(most int) []Tick {
	if r.Log {
		return r.logTicks(most)
	}
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
		value := n*step + 0 // changes −0 to 0
		ticks = append(ticks, Tick{value, Number(value, decimals)})
	}
	return ticks
}

// logTicks returns ticks at 1, 2 and 5 times powers of ten, or, if there are fewer than three of these, at equal
// steps of the numbers.
func (r Range) logTicks(most int) []Tick {
	low, high := math.Exp(r.Low), math.Exp(r.High)
	if !(low > 0 && Drawable(high)) {
		return nil
	}
	var ticks []Tick
	first, last := math.Floor(math.Log10(low)), math.Ceil(math.Log10(high))
	step := math.Ceil((last - first) / float64(most))
	for power := first; power <= last; power += step {
		for _, m := range []float64{1, 2, 5} {
			if x := m * math.Pow(10, power); x >= low && x <= high && (m == 1 || last-first <= 2) {
				ticks = append(ticks, Tick{Value: math.Log(x), Label: strconv.FormatFloat(x, 'g', 5, 64)})
			}
		}
	}
	if len(ticks) > 2 {
		return ticks
	}
	ticks = Range{Low: low, High: high}.Ticks(most)
	for n := range ticks {
		ticks[n].Value = math.Log(ticks[n].Value)
	}
	return ticks
}

// Number returns the number at a position of the axis: on a log axis the exponential.
func (r Range) Number(x float64) float64 {
	if r.Log {
		return math.Exp(x)
	}
	return x
}

// Panel is an area with two linear axes.
type Panel struct {
	draw.Canvas
	Area vg.Rectangle
	X, Y Range
}

// At returns the point of (x, y). It is outside the area if a value is outside its range.
func (p Panel) At(x, y float64) vg.Point { return vg.Point{X: p.AtX(x), Y: p.AtY(y)} }

// AtX returns the horizontal position of x.
func (p Panel) AtX(x float64) vg.Length {
	return p.Area.Min.X + p.Area.Size().X*vg.Length((x-p.X.Low)/p.X.Length())
}

// AtY returns the vertical position of y.
func (p Panel) AtY(y float64) vg.Length {
	return p.Area.Min.Y + p.Area.Size().Y*vg.Length((y-p.Y.Low)/p.Y.Length())
}

// Thin returns the line style of axes and grids.
func Thin(c color.Color) draw.LineStyle { return draw.LineStyle{Color: c, Width: 0.5} }

// BottomAxis draws the line at the bottom of the area with a tick at each of the places.
func (p Panel) BottomAxis(places []vg.Length) {
	p.StrokeLine2(Thin(Axis), p.Area.Min.X, p.Area.Min.Y, p.Area.Max.X, p.Area.Min.Y)
	for _, x := range places {
		p.StrokeLine2(Thin(Axis), x, p.Area.Min.Y, x, p.Area.Min.Y-2.5)
	}
}

// Horizontal alignment: the point is at the left end, the centre or the right end of the text.
const (
	Left   text.XAlignment = 0
	Center text.XAlignment = -0.5
	Right  text.XAlignment = -1
)

// Vertical alignment: the point is at the baseline, the middle or the top of the capitals, which are 0.73 of
// the size in Liberation Sans.
const (
	Base   text.YAlignment = 0
	Middle text.YAlignment = -0.36
	Below  text.YAlignment = -0.73
)

// Align returns the style with an alignment. The default is the left end of the baseline.
func Align(style draw.TextStyle, x text.XAlignment, y text.YAlignment) draw.TextStyle {
	style.XAlign, style.YAlign = x, y
	return style
}

// Write writes a line of text at a point, with the alignment of the style. The rotation of the style is
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
