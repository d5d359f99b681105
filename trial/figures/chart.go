package figures

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial"
)

// chart is one endpoint over the visits: a point with its interval for each arm.
type chart struct {
	title string
	label string // of the y axis
	// noPoints says why there is no point; empty: no values.
	noPoints string
	arms     [][]point
	lines    []individual
}

// point is a mean with its interval; NaN if there is none.
type point struct {
	n              int
	mid, low, high float64
	flagged        bool
}

// individual is a subject's values by visit.
type individual struct {
	arm    int
	values []float64
}

func (p point) drawn() bool { return figure.Drawable(p.mid) }

func (p point) hasInterval() bool {
	return p.drawn() && figure.Drawable(p.low) && figure.Drawable(p.high)
}

// charts are panels, three in a row.
type charts struct {
	frame
	visits visitAxis
	panels []chart
	arms   int
	// shared reports that all panels have the same y axis, which is named once.
	shared bool
	// zero reports that there is a line at 0, which is always in the panel.
	zero bool
}

// Sizes of charts in points.
const (
	chartColumns = 3
	chartHeight  = 142
	chartWidest  = 215
	chartTitle   = 14
	chartFoot    = 27 // labels and name of the x axis
	chartCount   = 9.5
	chartGap     = 12
	chartRowGap  = 10
	dodgeStep    = 5 // from arm to arm
	ribbonsMost  = 3 // arms; more ribbons would hide each other, so that only bars are drawn
	ribbonAlpha  = 0x30
)

// pictures draws the charts.
func (g charts) pictures() ([]figure.Picture, error) {
	ranges, cut := g.ranges()
	if g.visits.evenly {
		g.Caption += " Visits are at equal distances, since some are too close together in time."
	}
	if cut {
		g.notes = append(g.notes, "Arrowheads: the interval extends beyond the panel.")
	}
	return g.frame.pictures(len(g.panels), chartColumns, g.rowHeight(),
		func(c draw.Canvas, body vg.Rectangle, first, end int) {
			g.paint(c, body, g.panels[first:end], ranges[first:end])
		})
}

func (g charts) rowHeight() vg.Length {
	return chartTitle + chartHeight + chartFoot + vg.Length(g.arms)*chartCount + chartRowGap
}

// ranges returns the y axis of each panel, and whether an interval is cut by one.
func (g charts) ranges() (out []figure.Range, cut bool) {
	var all, allCore []float64
	cores := make([][]float64, len(g.panels))
	fulls := make([][]float64, len(g.panels))
	for n, p := range g.panels {
		cores[n], fulls[n] = p.extent()
		all, allCore = append(all, fulls[n]...), append(allCore, cores[n]...)
	}
	for n := range g.panels {
		core, full := cores[n], fulls[n]
		if g.shared {
			core, full = allCore, all
		}
		if g.zero {
			core = append(slices.Clone(core), 0)
		}
		r, _ := sight(core, full)
		out = append(out, r)
		for _, y := range full {
			cut = cut || figure.Drawable(y) && !r.Has(y)
		}
	}
	return out, cut
}

// extent returns the values that must be visible (core), and all values (full). Intervals of the mean of
// two values, which extend nine standard deviations to either side, may be cut.
func (c chart) extent() (core, full []float64) {
	for _, arm := range c.arms {
		for _, p := range arm {
			core = append(core, p.mid)
			if !p.hasInterval() {
				continue
			}
			full = append(full, p.low, p.high)
			if p.n > 2 {
				core = append(core, p.low, p.high)
			}
		}
	}
	for _, l := range c.lines {
		core = append(core, l.values...)
	}
	return core, full
}

// paint draws the panels of a page into its body.
func (g charts) paint(c draw.Canvas, body vg.Rectangle, panels []chart, ranges []figure.Range) {
	left := max(tickRoom(ranges...), 18+markRadius*3) // room for the signs of the arms beside the counts
	columns := min(chartColumns, len(panels))
	lefts := vg.Length(columns) * left
	if g.shared {
		lefts = left
	}
	width := min((body.Size().X-lefts-chartGap*vg.Length(columns-1)-2)/vg.Length(columns), chartWidest)
	var all []string
	for _, p := range g.panels {
		all = append(all, p.title)
	}
	titles := fitAll(strong, all, width)
	for n := range panels {
		column, row := n%chartColumns, n/chartColumns
		x := body.Min.X + left + vg.Length(column)*(width+chartGap)
		if !g.shared {
			x += vg.Length(column) * left
		}
		top := body.Max.Y - vg.Length(row)*g.rowHeight() - chartTitle
		p := figure.Panel{Canvas: c, X: g.visits.scale, Y: ranges[n]}
		p.Area = vg.Rectangle{Min: vg.Point{X: x, Y: top - chartHeight}, Max: vg.Point{X: x + width, Y: top}}
		pos := g.place(p, panels[n])
		pos.title = titles[slices.Index(all, pos.title)]
		pos.labelled, pos.left = column == 0 || !g.shared, left
		g.panel(pos)
	}
}

// placed is a chart with its panel. The inner panel, that of the visits, is narrower, so that marks fit at
// the first and the last visit.
type placed struct {
	figure.Panel
	chart
	inner    figure.Panel
	labelled bool      // the panel has the labels of its axis
	left     vg.Length // room for labels
}

func (g charts) place(p figure.Panel, ch chart) placed {
	inner := p
	edge := max(p.Area.Size().X*0.06, dodgeStep*vg.Length(len(ch.arms)-1)/2+markRadius+1)
	inner.Area.Min.X += edge
	inner.Area.Max.X -= edge
	return placed{Panel: p, chart: ch, inner: inner}
}

// panel draws one chart.
func (g charts) panel(p placed) {
	figure.Write(p.Canvas, strong, vg.Point{X: p.Area.Min.X, Y: p.Area.Max.Y + 4}, p.title)
	g.axes(p)
	p.BottomAxis(nil)
	shown := g.visits.draw(p.inner, p.countWidths(len(g.visits.x)))
	if !p.any() {
		noValues(p.Canvas, p.Area, p.reason())
	}
	for _, l := range p.lines {
		g.individual(p.inner, l)
	}
	d := g.dodge(p.inner, p.chart)
	for arm := range p.arms {
		d.ribbon(arm)
	}
	for arm := range p.arms {
		d.line(arm)
	}
	for arm := range p.arms {
		d.daggers(arm, patch)
	}
	for arm := range p.arms {
		d.points(arm)
	}
	for arm := range p.arms {
		d.daggers(arm, func(c draw.Canvas, pos vg.Point) { writeDagger(c, pos, true) })
	}
	g.counts(p, shown)
}

// axes draws the grid, the y axis' labels and name, and the line of 0.
func (g charts) axes(p placed) {
	if g.hasAxis(p.chart) {
		p.GridY(p.Y.Ticks(6), p.labelled, small)
	}
	if p.labelled {
		writeAxisName(p.Panel, labels, p.Area.Min.X-p.left+8, p.label)
	}
	if g.zero {
		p.StrokeLine2(draw.LineStyle{Color: figure.Ink, Width: 0.7}, p.Area.Min.X, p.AtY(0), p.Area.Max.X, p.AtY(0))
	}
}

// hasAxis reports whether a value determines the y axis of a chart.
func (g charts) hasAxis(c chart) bool {
	if g.shared {
		return slices.ContainsFunc(g.panels, chart.any)
	}
	return c.any()
}

// reason returns why a chart has no point.
func (c chart) reason() string {
	if c.noPoints != "" {
		return c.noPoints
	}
	for _, arm := range c.arms {
		if slices.ContainsFunc(arm, func(p point) bool { return p.n > 0 && !math.IsNaN(p.mid) }) {
			return "values are too large or too small to draw"
		}
	}
	return "no values"
}

func (c chart) any() bool {
	return slices.ContainsFunc(c.arms, func(arm []point) bool { return slices.ContainsFunc(arm, point.drawn) })
}

// countWidths returns the width of the counts at each visit.
func (c chart) countWidths(visits int) []vg.Length {
	widths := make([]vg.Length, visits)
	for _, arm := range c.arms {
		for v := range min(visits, len(arm)) {
			widths[v] = max(widths[v], small.Width(count(arm[v])))
		}
	}
	return widths
}

// counts writes n of each arm below the labelled visits.
func (g charts) counts(p placed, shown []int) {
	y := p.Area.Min.Y - chartFoot - 3
	for arm, points := range p.arms {
		if p.labelled {
			sign := vg.Point{X: p.Area.Min.X - 4 - 2*markRadius, Y: y}
			figure.Write(p.Canvas, figure.Align(small, figure.Right, figure.Middle),
				vg.Point{X: sign.X - 2*markRadius, Y: y}, "n")
			p.DrawGlyphNoClip(figure.SignOf(arm).Mark(markRadius*0.9, false), sign)
		}
		for _, v := range shown {
			if v < len(points) {
				figure.Write(p.Canvas, figure.Align(small, figure.Center, figure.Middle),
					vg.Point{X: p.inner.AtX(g.visits.x[v]), Y: y}, count(points[v]))
			}
		}
		y -= chartCount
	}
}

// count returns n; empty if it is negative.
func count(p point) string {
	if p.n < 0 {
		return ""
	}
	return strconv.Itoa(p.n)
}

// individual draws the values of a subject as lines between consecutive visits.
func (g charts) individual(p figure.Panel, l individual) {
	style := figure.SignOf(l.arm).Line(0.4)
	style.Color = figure.Tint(figure.SignOf(l.arm).Colour, 0.45)
	for _, run := range runs(len(l.values), func(v int) bool { return figure.Drawable(l.values[v]) }) {
		var line []vg.Point
		for v := run[0]; v < run[1]; v++ {
			line = append(line, p.At(g.visits.x[v], clamp(p.Y, l.values[v])))
		}
		p.StrokeLines(style, line)
		if len(line) == 1 {
			p.DrawGlyphNoClip(draw.GlyphStyle{Color: style.Color, Radius: 0.8, Shape: draw.CircleGlyph{}}, line[0])
		}
	}
}

// runs returns the ranges [start, end) of consecutive numbers below n for which holds is true.
func runs(n int, holds func(int) bool) [][2]int {
	var out [][2]int
	for start := 0; start < n; start++ {
		end := start
		for end < n && holds(end) {
			end++
		}
		if end > start {
			out = append(out, [2]int{start, end})
			start = end
		}
	}
	return out
}

// newCharts returns charts without panels.
func newCharts(a trial.Analysis, f family, name string) charts {
	return charts{
		frame:  frame{Picture: figure.Picture{Name: f.name(name)}, legend: armEntries(a.Design.Arms)},
		visits: newVisitAxis(a.Design), arms: len(a.Design.Arms), shared: !f.scores,
	}
}

// intervals returns the sentences of a caption about bands, bars and counts.
func intervals(a trial.Analysis, kind, n string) string {
	drawn := "Bands and bars"
	if len(a.Design.Arms) > ribbonsMost {
		drawn = "Bars"
	}
	return fmt.Sprintf("%s are %s %s; hollow points have none. Below each point is %s, if there is room.", drawn,
		percentOf(a.Plan.Level), kind, n)
}
