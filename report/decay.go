package report

import (
	"fmt"
	"image"
	"image/color"
	"io"
	"math"
	"slices"
	"strconv"

	"golang.org/x/image/font"
	"gonum.org/v1/plot"
	plotfont "gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/segment"
)

// decay.png is 7.5 × 4.2 inches at 160 dots per inch, 1200 × 672 pixels: sharp
// in a page and on paper. The plot stands at the left, its legend at the right.
const (
	decayWidth  = 7.5 * vg.Inch
	decayHeight = 4.2 * vg.Inch
	decayDPI    = 160
	decayMargin = 0.14 * vg.Inch
	legendWidth = 2.05 * vg.Inch
)

// marks are the signs of compartments, full for fitted and hollow for skipped
// echoes. With the colours, 21 compartments can be told apart.
var marks = [...]struct{ full, hollow draw.GlyphDrawer }{
	{draw.CircleGlyph{}, draw.RingGlyph{}},
	{draw.BoxGlyph{}, draw.SquareGlyph{}},
	{draw.PyramidGlyph{}, draw.TriangleGlyph{}},
}

// writeDecay writes decay.png: for each compartment the mean signal against TE,
// hollow at skipped echoes, and the curve fitted to it; where that is
// S0·exp(−TE/T2), it is extended, dashed, over the skipped echoes to TE = 0. A compartment without
// a signal is in the legend only.
func writeDecay(w io.Writer, r Result) error {
	p := newDecayPlot(r)
	l := legend{{value: "T2 of the mean signal:"}}
	for n, d := range r.Decays {
		c := curve{Decay: d, te: r.TE, skipped: r.Protocol.SkippedEchoes, number: n}
		l = append(l, c.addTo(p))
	}
	if len(r.Decays) == 0 {
		l = legend{{value: "no compartments"}}
	} else if r.Protocol.SkippedEchoes > 0 {
		l = append(l, entry{value: "not fitted", sign: []plot.Thumbnailer{glyphs(nil, figure.Axis, draw.RingGlyph{})}})
	}
	canvas := vgimg.NewWith(vgimg.UseWH(decayWidth, decayHeight), vgimg.UseDPI(decayDPI))
	page := draw.New(canvas)
	page = draw.Crop(page, decayMargin, -decayMargin, decayMargin, -decayMargin)
	p.Draw(draw.Crop(page, 0, -legendWidth, 0, 0))
	l.draw(draw.Crop(page, page.Rectangle.Size().X-legendWidth+vg.Points(12), 0, 0, -vg.Points(26)))
	return encodePNG(w, figure.Paletted(canvas.Image().(*image.RGBA)))
}

// newDecayPlot returns the plot without curves, over the range of the data
// from the origin on.
func newDecayPlot(r Result) *plot.Plot {
	p := figure.NewPlot(10)
	p.Title.Padding = vg.Points(9)
	p.Title.Text = figure.Fit(p.Title.TextStyle, title(r), decayWidth-legendWidth-4*decayMargin)
	p.X.Label.Text = "TE (ms)"
	p.Y.Label.Text = "mean signal (units of the series)"
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Label.Padding = vg.Points(5)
		a.Min, a.Max = 0, 1
		a.Tick.Marker = plot.TickerFunc(roundTicks)
	}
	if n := len(r.TE); n > 0 && r.TE[n-1] > 0 {
		p.X.Max = r.TE[n-1] * 1.04
	}
	if top := highest(r.Decays); top > 0 {
		p.Y.Max = top * 1.04
	}
	return p
}

// highest returns the greatest finite value of signals and curves.
func highest(decays []Decay) float64 {
	var top float64
	for _, d := range decays {
		for _, s := range slices.Concat(d.Signal, d.Model, []segment.Number{d.S0}) {
			if isFinite(float64(s)) {
				top = max(top, float64(s))
			}
		}
	}
	return top
}

// roundTicks places ticks at multiples of 1, 2 or 5 times a power of ten, six or
// so over the range.
func roundTicks(low, high float64) []plot.Tick {
	step := math.Pow(10, math.Floor(math.Log10((high-low)/6)))
	for _, f := range []float64{1, 2, 5, 10} {
		if (high-low)/(step*f) <= 7 {
			step *= f
			break
		}
	}
	var ticks []plot.Tick
	for n := math.Ceil(low / step); n*step <= high; n++ {
		ticks = append(ticks, plot.Tick{Value: n * step, Label: strconv.FormatFloat(n*step, 'g', 6, 64)})
	}
	return ticks
}

// curve is the decay of one compartment, to be drawn.
type curve struct {
	Decay
	te      []float64
	skipped int // first echoes, drawn hollow
	number  int // of the compartment: its colour and mark
}

// addTo draws the curve into p and returns its entry of the legend.
func (c curve) addTo(p *plot.Plot) entry {
	ink := figure.Colours[c.colour()]
	mark := marks[c.number/len(figure.Colours)%len(marks)]
	fitted := glyphs(c.points(c.skipped, len(c.te)), ink, mark.full)
	skipped := glyphs(c.points(0, c.skipped), ink, mark.hollow)
	e := entry{name: c.Compartment, sign: []plot.Thumbnailer{fitted}}
	if len(fitted.XYs)+len(skipped.XYs) == 0 {
		e.value = "no signal"
		return e
	}
	e.value, e.count = "no curve", fmt.Sprintf("%d voxels", c.Voxels)
	if c.hasCurve() {
		solid := line(c.expected(), ink)
		p.Add(solid)
		if c.Model == nil {
			dashed := line(c.exponential(0, c.te[c.skipped]), ink)
			dashed.Dashes = []vg.Length{vg.Points(3), vg.Points(3)}
			p.Add(dashed)
		}
		e.sign = append(e.sign, solid)
		e.value = fmt.Sprintf("%.2f ms", float64(c.T2))
	}
	p.Add(fitted, skipped)
	return e
}

// colour returns the index of the curve's colour: the lateral and the patellofemoral compartment
// have the hues that overlay.png, regions.png and profile.png give them.
func (c curve) colour() int {
	switch {
	case c.number == 1 && c.Compartment == segment.Lateral:
		return 2 // green
	case c.number == 2 && c.Compartment == segment.Patellofemoral:
		return 1 // red
	}
	return c.number % len(figure.Colours)
}

func (c curve) hasCurve() bool {
	return isFinite(float64(c.T2)) && c.T2 > 0 && isFinite(float64(c.S0)) && c.skipped < len(c.te)
}

// points returns the finite signals of the echoes from first up to end.
func (c curve) points(first, end int) plotter.XYs {
	return finite(c.te[:end], c.Signal, first)
}

// finite returns the finite values at the echo times from first on.
func finite(te []float64, values []segment.Number, first int) plotter.XYs {
	var xy plotter.XYs
	for e := first; e < len(te); e++ {
		if v := float64(values[e]); isFinite(v) {
			xy = append(xy, plotter.XY{X: te[e], Y: v})
		}
	}
	return xy
}

// expected returns the fitted curve over the fitted echoes: from echo to echo where
// it is not an exponential.
func (c curve) expected() plotter.XYs {
	if c.Model == nil {
		return c.exponential(c.te[c.skipped], c.te[len(c.te)-1])
	}
	return finite(c.te, c.Model, c.skipped)
}

// exponential returns S0·exp(−TE/T2) between two echo times.
func (c curve) exponential(from, to float64) plotter.XYs {
	const steps = 60 // shorter than a line is wide
	xy := make(plotter.XYs, steps+1)
	for n := range xy {
		te := from + (to-from)*float64(n)/steps
		xy[n] = plotter.XY{X: te, Y: float64(c.S0) * math.Exp(-te/float64(c.T2))}
	}
	return xy
}

func glyphs(xy plotter.XYs, ink color.Color, shape draw.GlyphDrawer) *plotter.Scatter {
	return &plotter.Scatter{XYs: xy, GlyphStyle: draw.GlyphStyle{Color: ink, Radius: vg.Points(3.2), Shape: shape}}
}

func line(xy plotter.XYs, ink color.Color) *plotter.Line {
	return &plotter.Line{XYs: xy, LineStyle: draw.LineStyle{Color: ink, Width: vg.Points(1.3)}}
}

// legend explains the signs of decay.png, one entry below the other.
type legend []entry

// entry is one compartment of the legend: its sign, its name, its T2 and its
// number of voxels; or a remark, which has a value alone.
type entry struct {
	sign               []plot.Thumbnailer
	name, value, count string
}

const (
	signWidth = 20   // points
	linePitch = 11.5 // points, for 9 point text
)

// draw writes the entries from the top of c on, two lines each, or one where
// there are too many for two. What does not fit is counted.
func (l legend) draw(c draw.Canvas) {
	lines := int(c.Rectangle.Size().Y / linePitch)
	brief := len(l)*5/2 > lines
	y := c.Max.Y - linePitch
	for n, e := range l {
		if n == lines-1 && n < len(l)-1 {
			e = entry{value: fmt.Sprintf("and %d more", len(l)-n)}
		}
		y -= e.draw(c, y, brief)
		if n == lines-1 {
			return
		}
	}
}

// draw writes the entry with the baseline of its first line at y and returns
// its height.
func (e entry) draw(c draw.Canvas, y vg.Length, brief bool) vg.Length {
	plain := draw.TextStyle{Color: figure.Ink, Font: plotfont.From(figure.Sans, 9), Handler: plot.DefaultTextHandler}
	strong := plain
	strong.Font.Weight = font.WeightBold
	sign := draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
		Min: vg.Point{X: c.Min.X, Y: y - 2}, Max: vg.Point{X: c.Min.X + signWidth, Y: y + linePitch - 4},
	}}
	for _, s := range e.sign {
		s.Thumbnail(&sign)
	}
	at := vg.Point{X: c.Min.X, Y: y}
	if e.sign != nil {
		at.X += signWidth + 5
	}
	room := c.Max.X - at.X
	switch {
	case e.name == "":
		c.FillText(plain, at, figure.Fit(plain, e.value, room))
	case brief:
		width := plain.Width(e.value)
		c.FillText(strong, at, figure.Fit(strong, e.name, room-width-4))
		c.FillText(plain, vg.Point{X: c.Max.X - width, Y: y}, e.value)
	default:
		c.FillText(strong, at, figure.Fit(strong, e.name, room))
		at.Y -= linePitch
		c.FillText(plain, at, figure.Fit(plain, joinKnown(", ", e.value, e.count), room))
	}
	if brief {
		return linePitch
	}
	return y - at.Y + 1.5*linePitch
}

func isFinite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
