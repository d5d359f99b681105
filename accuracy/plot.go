package accuracy

import (
	"fmt"
	"io"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/t2map/t2map/figure"
)

// The pictures of bias have four panels at the left and the methods at the right.
const (
	biasHeight = 5.6 * vg.Inch
	biasLegend = 2.15 * vg.Inch
	biasGap    = 0.12 * vg.Inch

	biasGlyphs = 3 // the number of figure.Glyphs that are distinct at this size
)

// biasPicture is four plots of bias against SNR or B1, one for each T2.
type biasPicture struct {
	Result
	t2      [4]float64 // ms
	x       []float64
	label   string
	log     bool
	low     float64 // range of the bias, percent
	high    float64
	cell    func(t2, x float64) Cell
	methods func(Method) bool
	remark  string
}

// judged returns the coordinates of a cell in the train of the limits, without a method.
func (a Result) judged(t2, snr, b1 float64) Cell {
	return Cell{Echoes: a.Echoes, Spacing: a.Spacing, T2: t2, SNR: snr, B1: b1}
}

// bestSNR returns the highest SNR. Bias against B1 is shown at this SNR, where it is due to the model.
func (a Result) bestSNR() float64 {
	if len(a.Cells) == 0 {
		return math.NaN()
	}
	return slices.Max(a.values(snrOf))
}

// plotSNR draws bias against SNR at B1 = 1.
func (a Result) plotSNR(w io.Writer) error {
	return biasPicture{
		Result: a, t2: [4]float64{20, 30, 50, 80}, x: a.values(snrOf), label: "SNR (S0/σ)", log: true,
		low: -10, high: 20,
		cell:    func(t2, x float64) Cell { return a.judged(t2, x, 1) },
		methods: func(m Method) bool { return !m.Variant || m.Skipped > 0 },
		remark:  "B1 1, " + a.judgedTrain(),
	}.draw(w)
}

// plotB1 draws bias against B1 at the highest SNR.
func (a Result) plotB1(w io.Writer) error {
	return biasPicture{
		Result: a, t2: [4]float64{20, 40, 60, 80}, x: a.values(b1Of), label: "B1 (refocusing angle / 180°)",
		low: -10, high: 20,
		cell:    func(t2, x float64) Cell { return a.judged(t2, a.bestSNR(), x) },
		methods: func(m Method) bool { return !m.Variant || m.Skipped == 0 },
		remark:  fmt.Sprintf("SNR %g, %s", a.bestSNR(), a.judgedTrain()),
	}.draw(w)
}

func (a Result) judgedTrain() string { return trainName(a.Echoes, a.Spacing) }

func trainName(echoes int, spacing float64) string {
	return fmt.Sprintf("%d × %g ms", echoes, spacing)
}

func (b biasPicture) draw(w io.Writer) error {
	plots := make([][]*plot.Plot, 2)
	for n, t2 := range b.t2 {
		plots[n/2] = append(plots[n/2], b.panel(t2, n))
	}
	legend := figure.Legend{{Text: b.remark}}
	for n, m := range b.Methods {
		if b.methods(m) {
			points, curve := b.curve(n, 0)
			legend = append(legend, figure.Entry{Name: m.Name, Text: m.Words, Signs: []plot.Thumbnailer{curve, points}})
		}
	}
	return figure.WriteScreen(w, biasHeight, func(page draw.Canvas) {
		tiles := draw.Tiles{Rows: 2, Cols: 2, PadX: biasGap, PadY: biasGap}
		for row, canvases := range plot.Align(plots, tiles, draw.Crop(page, 0, -biasLegend, 0, 0)) {
			for col, c := range canvases {
				plots[row][col].Draw(c)
			}
		}
		legend.Draw(draw.Crop(page, page.Rectangle.Size().X-biasLegend+vg.Points(12), 0, 0, -vg.Points(20)))
	})
}

// panel returns the plot of one T2. Only the plots at the left and at the bottom have axis labels.
func (b biasPicture) panel(t2 float64, n int) *plot.Plot {
	p := figure.NewPlot(9)
	p.Title.Padding = vg.Points(5)
	p.Title.Text = fmt.Sprintf("T2 %g ms", t2)
	p.X.Label.Padding, p.Y.Label.Padding = vg.Points(3), vg.Points(3)
	if n >= 2 {
		p.X.Label.Text = b.label
	}
	if n%2 == 0 {
		p.Y.Label.Text = "bias of the median (%)"
	}
	if len(b.x) > 0 {
		zero := figure.Line(plotter.XYs{{X: b.x[0]}, {X: b.x[len(b.x)-1]}}, figure.Axis)
		zero.Width = vg.Points(0.7)
		p.Add(zero)
	}
	for n, m := range b.Methods {
		if b.methods(m) {
			points, curve := b.curve(n, t2)
			p.Add(curve, only{points})
		}
	}
	b.axes(p)
	return p
}

// only is a plotter that needs no space outside the axes. Otherwise a mark near the edge would
// move the axis of its plot.
type only struct{ plot.Plotter }

// axes fixes the ranges and ticks, which are the same in all panels.
func (b biasPicture) axes(p *plot.Plot) {
	p.Y.Min, p.Y.Max = b.low, b.high
	p.Y.Tick.Marker = plot.TickerFunc(figure.RoundTicks)
	var ticks []plot.Tick
	for _, x := range b.x {
		ticks = append(ticks, plot.Tick{Value: x, Label: fmt.Sprintf("%g", x)})
	}
	p.X.Tick.Marker = plot.ConstantTicks(ticks)
	if len(b.x) < 2 {
		p.X.Min, p.X.Max = 0, 1 // an empty axis must have a length
		return
	}
	p.X.Min, p.X.Max = b.x[0], b.x[len(b.x)-1]
	if b.log {
		p.X.Scale = plot.LogScale{}
		p.X.Min, p.X.Max = p.X.Min/1.08, p.X.Max*1.08 // a mark's width on either side
		return
	}
	edge := (p.X.Max - p.X.Min) / 30
	p.X.Min, p.X.Max = p.X.Min-edge, p.X.Max+edge
}

// curve returns the marks and the line of a method. A variant has the colour of its method, hollow marks and a dashed
// line.
func (b biasPicture) curve(method int, t2 float64) (*plotter.Scatter, *plotter.Line) {
	colour := -1
	for _, m := range b.Methods[:method+1] {
		if !m.Variant {
			colour++
		}
	}
	var xy plotter.XYs
	for _, x := range b.x {
		if y := 100 * b.find(b.Methods[method].Name, b.cell(t2, x)).Bias; !math.IsNaN(y) && !math.IsInf(y, 0) {
			xy = append(xy, plotter.XY{X: x, Y: y})
		}
	}
	ink := figure.Colours[max(colour, 0)%len(figure.Colours)]
	mark := figure.Glyphs[max(colour, 0)%biasGlyphs]
	points, line := figure.Marks(xy, ink, mark.Full), figure.Line(xy, ink)
	points.Radius = vg.Points(2.4)
	if b.Methods[method].Variant {
		points.Shape = mark.Hollow
		line.Dashes = []vg.Length{vg.Points(3), vg.Points(2)}
	}
	return points, line
}
