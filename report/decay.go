package report

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
	"github.com/t2map/t2map/number"
	"github.com/t2map/t2map/segment"
)

// decay.png has the plot on the left and its legend on the right. It is 672 pixels high.
const (
	decayHeight = 4.2 * vg.Inch
	legendWidth = 2.05 * vg.Inch
)

// writeDecay writes decay.png: for each compartment the mean signal against TE and the curve that was
// fitted to it. Marks of skipped echoes are hollow. A curve S0·exp(−TE/T2) is continued to TE = 0 as a
// dashed line. A compartment without a signal is in the legend only.
func writeDecay(w io.Writer, r Result) error {
	p := newDecayPlot(r)
	l := figure.Legend{{Text: "T2 of the mean signal:"}}
	for n, d := range r.Decays {
		c := curve{Decay: d, te: r.TE, skipped: r.Protocol.SkippedEchoes, number: n}
		l = append(l, c.addTo(p))
	}
	if len(r.Decays) == 0 {
		l = figure.Legend{{Text: "no compartments"}}
	} else if r.Protocol.SkippedEchoes > 0 {
		ring := figure.Marks(nil, figure.Axis, draw.RingGlyph{})
		l = append(l, figure.Entry{Text: "not fitted", Signs: []plot.Thumbnailer{ring}})
	}
	return figure.WriteScreen(w, decayHeight, func(page draw.Canvas) {
		p.Draw(draw.Crop(page, 0, -legendWidth, 0, 0))
		l.Draw(draw.Crop(page, page.Rectangle.Size().X-legendWidth+vg.Points(12), 0, 0, -vg.Points(26)))
	})
}

// newDecayPlot returns the plot without curves. Its axes run from 0 to the end of the data.
func newDecayPlot(r Result) *plot.Plot {
	p := figure.NewPlot(10)
	p.Title.Padding = vg.Points(9)
	p.Title.Text = figure.Fit(p.Title.TextStyle, title(r), figure.ScreenWidth-legendWidth-4*figure.ScreenMargin)
	p.X.Label.Text = "TE (ms)"
	p.Y.Label.Text = "mean signal (units of the series)"
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Label.Padding = vg.Points(5)
		a.Min, a.Max = 0, 1
		a.Tick.Marker = plot.TickerFunc(figure.RoundTicks)
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
		for _, s := range slices.Concat(d.Signal, d.Model, []number.Float{d.S0}) {
			if isFinite(float64(s)) {
				top = max(top, float64(s))
			}
		}
	}
	return top
}

// curve is the decay of one compartment in the plot.
type curve struct {
	Decay
	te      []float64
	skipped int // number of first echoes that were not fitted
	number  int // of the compartment; determines colour and mark
}

// addTo draws the curve into p and returns its entry of the legend.
func (c curve) addTo(p *plot.Plot) figure.Entry {
	ink := figure.Colours[c.colour()]
	mark := figure.Glyphs[c.number/len(figure.Colours)%len(figure.Glyphs)]
	fitted := figure.Marks(c.points(c.skipped, len(c.te)), ink, mark.Full)
	skipped := figure.Marks(c.points(0, c.skipped), ink, mark.Hollow)
	e := figure.Entry{Name: c.Compartment, Signs: []plot.Thumbnailer{fitted}}
	if len(fitted.XYs)+len(skipped.XYs) == 0 {
		e.Text = "no signal"
		return e
	}
	e.Text, e.Detail = "no curve", fmt.Sprintf("%d voxels", c.Voxels)
	if c.hasCurve() {
		solid := figure.Line(c.expected(), ink)
		p.Add(solid)
		if c.Model == nil {
			dashed := figure.Line(c.exponential(0, c.te[c.skipped]), ink)
			dashed.Dashes = []vg.Length{vg.Points(3), vg.Points(3)}
			p.Add(dashed)
		}
		e.Signs = append(e.Signs, solid)
		e.Text = fmt.Sprintf("%.2f ms", float64(c.T2))
	}
	p.Add(fitted, skipped)
	return e
}

// colour returns the index of the curve's colour. The lateral and the patellofemoral compartment have
// the same hues as in overlay.png, regions.png and profile.png.
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

// points returns the finite signals of the echoes from first to end−1.
func (c curve) points(first, end int) plotter.XYs {
	return finite(c.te[:end], c.Signal, first)
}

// finite returns the finite values, from the echo first.
func finite(te []float64, values []number.Float, first int) plotter.XYs {
	var xy plotter.XYs
	for e := first; e < len(te); e++ {
		if v := float64(values[e]); isFinite(v) {
			xy = append(xy, plotter.XY{X: te[e], Y: v})
		}
	}
	return xy
}

// expected returns the fitted curve over the fitted echoes. If it is not an exponential, it is a line
// from echo to echo.
func (c curve) expected() plotter.XYs {
	if c.Model == nil {
		return c.exponential(c.te[c.skipped], c.te[len(c.te)-1])
	}
	return finite(c.te, c.Model, c.skipped)
}

// exponential returns S0·exp(−TE/T2) between two echo times.
func (c curve) exponential(start, end float64) plotter.XYs {
	const steps = 60 // each shorter than the width of the line
	xy := make(plotter.XYs, steps+1)
	for n := range xy {
		te := start + (end-start)*float64(n)/steps
		xy[n] = plotter.XY{X: te, Y: float64(c.S0) * math.Exp(-te/float64(c.T2))}
	}
	return xy
}

func isFinite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
