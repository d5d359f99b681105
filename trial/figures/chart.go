package figures

import (
	"fmt"
	"image/color"
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
	why   string // there is no point; empty: no values
	arms  [][]point
	lines []individual
}

// point is a mean with its interval; NaN where there is none.
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

// charts are panels side by side, three in a row.
type charts struct {
	frame
	visits visitAxis
	panels []chart
	arms   int
	// shared: all panels have the same y axis, which is named once.
	shared bool
	// zero: a line is drawn at 0, which is always in sight.
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
	ribbonsMost  = 3 // arms; more ribbons hide each other, and bars alone are drawn
	ribbonAlpha  = 0x30
)

// pictures draws the charts, as many to a picture as a page has room for.
func (g charts) pictures() ([]figure.Picture, error) {
	ranges, cut := g.ranges()
	if g.visits.evenly {
		g.Caption += " Visits stand at equal distances, since some are too close together in time."
	}
	if cut {
		g.notes = append(g.notes, "Arrowheads: the interval extends beyond the panel.")
	}
	return g.frame.pictures(len(g.panels), chartColumns, g.rowHeight(), func(c draw.Canvas, body vg.Rectangle, first, end int) {
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

// extent returns what must be in sight, and what may be cut: intervals of two values,
// which reach nine standard deviations to either side.
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
	left := max(tickRoom(ranges...), 18+markRadius*3) // at least the signs of the arms by their counts
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
		p := figure.Panel{Canvas: c, X: g.visits.across, Y: ranges[n]}
		p.Area = vg.Rectangle{Min: vg.Point{X: x, Y: top - chartHeight}, Max: vg.Point{X: x + width, Y: top}}
		at := g.place(p, panels[n])
		at.title = titles[slices.Index(all, at.title)]
		at.labelled, at.left = column == 0 || !g.shared, left
		g.panel(at)
	}
}

// placed is a chart with its place: the panel, and within it the one of the visits, which
// leaves room for what stands beside the first and last of them.
type placed struct {
	figure.Panel
	chart
	inner    figure.Panel
	labelled bool      // at the left, where the axis is shared
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
		d.daggers(arm, func(c draw.Canvas, at vg.Point) { writeDagger(c, at, true) })
	}
	g.counts(p, shown)
}

// axes draws the grid, the y axis' labels and name, and the line of 0.
func (g charts) axes(p placed) {
	if g.known(p.chart) {
		p.GridY(p.Y.Ticks(6), p.labelled, small)
	}
	if p.labelled {
		writeAxisName(p.Panel, labels, p.Area.Min.X-p.left+8, p.label)
	}
	if g.zero {
		p.StrokeLine2(draw.LineStyle{Color: figure.Ink, Width: 0.7}, p.Area.Min.X, p.AtY(0), p.Area.Max.X, p.AtY(0))
	}
}

// known says whether there is a value from which the chart's axis follows.
func (g charts) known(c chart) bool {
	if g.shared {
		return slices.ContainsFunc(g.panels, chart.any)
	}
	return c.any()
}

// reason says why a chart has no point.
func (c chart) reason() string {
	if c.why != "" {
		return c.why
	}
	for _, arm := range c.arms {
		if slices.ContainsFunc(arm, func(p point) bool { return p.n > 0 && !math.IsNaN(p.mid) }) {
			return "values beyond any axis"
		}
	}
	return "no values"
}

func (c chart) any() bool {
	return slices.ContainsFunc(c.arms, func(arm []point) bool { return slices.ContainsFunc(arm, point.drawn) })
}

// countWidths returns how wide the counts at each visit are.
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
			figure.Write(p.Canvas, figure.Align(small, figure.Right, figure.Middle), vg.Point{X: sign.X - 2*markRadius, Y: y}, "n")
			p.DrawGlyphNoClip(figure.SignOf(arm).Mark(markRadius*0.9, false), sign)
		}
		for _, v := range shown {
			if v < len(points) {
				figure.Write(p.Canvas, figure.Align(small, figure.Center, figure.Middle), vg.Point{X: p.inner.AtX(g.visits.x[v]), Y: y}, count(points[v]))
			}
		}
		y -= chartCount
	}
}

// count returns n, which is negative where nothing is counted.
func count(p point) string {
	if p.n < 0 {
		return ""
	}
	return strconv.Itoa(p.n)
}

// individual draws the values of a subject, whole where no visit is missing between.
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

// runs returns the ranges of consecutive numbers below n for which it is true.
func runs(n int, is func(int) bool) [][2]int {
	var out [][2]int
	for from := 0; from < n; from++ {
		to := from
		for to < n && is(to) {
			to++
		}
		if to > from {
			out = append(out, [2]int{from, to})
			from = to
		}
	}
	return out
}

// dodged is a panel in which arms stand a little beside each other.
type dodged struct {
	figure.Panel
	ch   chart
	x    []float64
	room []vg.Length // around each visit
}

func (g charts) dodge(p figure.Panel, ch chart) dodged {
	return dodged{Panel: p, ch: ch, x: g.visits.x, room: g.visits.room(p)}
}

// radius of the marks at a visit.
func (d dodged) radius(visit int) vg.Length { return min(markRadius, max(0.7, 0.3*d.room[visit])) }

// dense says whether bars at a visit would run together; a band is drawn all the same.
func (d dodged) dense(visit int) bool { return d.room[visit] < 3 && len(d.ch.arms) <= ribbonsMost }

// at returns the place of a point of an arm, in sight.
func (d dodged) at(arm, visit int, y float64) vg.Point {
	step := min(dodgeStep, 0.7*d.room[visit]/vg.Length(len(d.ch.arms)))
	at := d.At(d.x[visit], clamp(d.Y, y))
	at.X += step * (vg.Length(arm) - vg.Length(len(d.ch.arms)-1)/2)
	return at
}

// ribbon fills the band between the limits, and draws its edges in the arm's dashes, by
// which bands can be told apart without colour.
func (d dodged) ribbon(arm int) {
	points := d.ch.arms[arm]
	if len(d.ch.arms) > ribbonsMost {
		return
	}
	sign := figure.SignOf(arm)
	for _, run := range runs(min(len(points), len(d.x)), func(v int) bool { return points[v].hasInterval() }) {
		var low, high []vg.Point
		for v := run[0]; v < run[1]; v++ {
			low, high = append(low, d.at(arm, v, points[v].low)), append(high, d.at(arm, v, points[v].high))
		}
		if len(low) < 2 {
			continue
		}
		edge := draw.LineStyle{Color: sign.Colour, Width: 0.4, Dashes: sign.Dashes}
		d.StrokeLines(edge, low, high)
		slices.Reverse(low)
		c := sign.Colour
		d.FillPolygon(color.NRGBA{c.R, c.G, c.B, ribbonAlpha}, append(high, low...))
	}
}

// line joins the means of visits that follow each other.
func (d dodged) line(arm int) {
	points := d.ch.arms[arm]
	for _, run := range runs(min(len(points), len(d.x)), func(v int) bool { return points[v].drawn() }) {
		var through []vg.Point
		for v := run[0]; v < run[1]; v++ {
			through = append(through, d.at(arm, v, points[v].mid))
		}
		d.StrokeLines(figure.SignOf(arm).Line(1.2), through)
	}
}

// points draws the means, hollow where they have no interval, with their bars.
func (d dodged) points(arm int) {
	sign := figure.SignOf(arm)
	for v, p := range d.ch.arms[arm] {
		if !p.drawn() || v >= len(d.x) {
			continue
		}
		at, r := d.at(arm, v, p.mid), d.radius(v)
		if p.hasInterval() && !d.dense(v) {
			d.bar(arm, v)
		}
		if !p.hasInterval() {
			d.DrawGlyphNoClip(draw.GlyphStyle{Color: color.White, Radius: r, Shape: draw.CircleGlyph{}}, at)
		}
		if !p.hasInterval() || !d.dense(v) {
			d.DrawGlyphNoClip(sign.Mark(r, !p.hasInterval()), at)
		}
	}
}

func (d dodged) bar(arm, visit int) {
	p := d.ch.arms[arm][visit]
	bar := draw.LineStyle{Color: figure.SignOf(arm).Colour, Width: min(0.9, d.radius(visit)/2)}
	low, high := d.at(arm, visit, p.low), d.at(arm, visit, p.high)
	d.StrokeLine2(bar, low.X, low.Y, high.X, high.Y)
	half := 0.8 * d.radius(visit)
	endBar(d.Canvas, bar, barEnd{at: low, outward: vg.Point{Y: -1}, half: half, cut: p.low < d.Y.Low})
	endBar(d.Canvas, bar, barEnd{at: high, outward: vg.Point{Y: 1}, half: half, cut: p.high > d.Y.High})
}

// daggers calls f with the place of the dagger of each flagged point of an arm: over its
// bar, or beside it where that leaves the panel.
func (d dodged) daggers(arm int, f func(draw.Canvas, vg.Point)) {
	for v, p := range d.ch.arms[arm] {
		if !p.flagged || !p.drawn() || v >= len(d.x) {
			continue
		}
		at := d.at(arm, v, p.mid)
		at.Y += d.radius(v) + 1
		if p.hasInterval() {
			at.Y = max(at.Y, d.at(arm, v, p.high).Y+2)
		}
		if highest := d.Area.Max.Y - 5; at.Y > highest {
			at.X, at.Y = at.X+daggerSize/2, d.Area.Max.Y-daggerSize
		}
		f(d.Canvas, at)
	}
}

// newCharts returns charts without panels.
func newCharts(a trial.Analysis, f family, name string) charts {
	return charts{
		frame:  frame{Picture: figure.Picture{Name: f.name(name)}, legend: armEntries(a.Design.Arms)},
		visits: newVisitAxis(a.Design), arms: len(a.Design.Arms), shared: !f.scores,
	}
}

// intervals are the sentences about bands and bars, and about the counts below.
func intervals(a trial.Analysis, what, n string) string {
	drawn := "Bands and bars"
	if len(a.Design.Arms) > ribbonsMost {
		drawn = "Bars"
	}
	return fmt.Sprintf("%s are %s %s; hollow points have none. Below each point is %s, if there is room.", drawn, percentOf(a.Plan.Level), what, n)
}
