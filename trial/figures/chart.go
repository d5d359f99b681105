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
	title, group string
	label        string // of the y axis
	log          bool   // values are natural logarithms
	// visits are those of the points, as indices into the visits of the axis.
	visits []int
	// noPoints says why there is no point; empty: no values.
	noPoints string
	arms     [][]point
	lines    []individual
}

// point is a mean with its interval; NaN if there is none.
type point struct {
	n              int
	mid, low, high float64
	flagged, star  bool
}

// individual is a subject's values by visit of the chart.
type individual struct {
	arm    int
	values []float64
}

func (p point) drawn() bool { return figure.Drawable(p.mid) }

func (p point) hasInterval() bool {
	return p.drawn() && figure.Drawable(p.low) && figure.Drawable(p.high)
}

// charts are panels, three in a row. Each group begins a row.
type charts struct {
	frame
	visits visitAxis
	panels []chart
	arms   int
	// shared reports that all panels have the same y axis, which is named once.
	shared bool
	// zero reports that there is a line at 0, which is always in the panel. bars draws no bands.
	zero, bars bool
}

// Sizes of charts in points.
const (
	chartColumns = 3
	chartHeight  = 116
	chartLow     = 92 // of panels with axes of their own, of which four rows fit a page
	chartWidest  = 215
	chartTitle   = 14
	chartFoot    = 27 // labels and name of the x axis
	chartCount   = 9.5
	chartGap     = 12
	chartRowGap  = 10
	chartHeading = 17 // above a row, with the name of a group
	dodgeStep    = 5  // from arm to arm
	ribbonsMost  = 3  // arms; more ribbons would hide each other, so that only bars are drawn
	ribbonAlpha  = 0x30
)

// letter gives the panels of groups letters, which continue over the groups.
func (g *charts) letter() {
	for n := range g.panels {
		if p := &g.panels[n]; p.group != "" {
			p.title = letterOf(n) + "  " + p.title
		}
	}
}

// letterOf returns a to z, then aa, ab and so on.
func letterOf(n int) string {
	letter := string(rune('a' + n%26))
	if n < 26 {
		return letter
	}
	return letterOf(n/26-1) + letter
}

// pictures draws the charts.
func (g charts) pictures() ([]figure.Picture, error) {
	ranges, cut := g.ranges()
	if g.visits.evenly {
		g.Caption += " Visits are at equal distances, since some are too close together in time."
	}
	if cut {
		g.notes = append(g.notes, "Arrowheads: the interval extends beyond the panel.")
	}
	// There is room for the signs of the arms beside the counts.
	columns := chartColumns
	if len(g.panels) == 4 && !g.shared && !g.grouped() {
		columns = 2
	}
	places := grid{panels: len(g.panels), columns: columns, height: g.rowHeight(), each: !g.shared,
		left: max(tickRoom(ranges...), 18+markRadius*3)}
	var all []string
	for first := 0; first < len(g.panels); {
		end := first
		for end < len(g.panels) && (!g.grouped() || g.panels[end].group == g.panels[first].group) {
			all = append(all, g.panels[end].title)
			end++
		}
		places.rows = append(places.rows, rowsOfPanels(first, end, columns)...)
		first = end
	}
	room := places.width()
	if places.each {
		room += places.left
	}
	titles := fitAll(strong, all, room)
	return g.frame.pictures(places, func(c draw.Canvas, s slot) {
		pos := g.place(c, s, ranges[s.panel])
		pos.title, pos.left = titles[s.panel], places.left
		g.panel(pos)
	})
}

// grouped reports whether a panel is in a group.
func (g charts) grouped() bool {
	return slices.ContainsFunc(g.panels, func(c chart) bool { return c.group != "" })
}

// heading is the height above the titles of a row.
func (g charts) heading() vg.Length {
	if g.grouped() {
		return chartHeading
	}
	return chartRowGap
}

// height is the height of a panel.
func (g charts) height() vg.Length {
	if g.shared {
		return chartHeight
	}
	return chartLow
}

func (g charts) rowHeight() vg.Length {
	return g.heading() + chartTitle + g.height() + chartFoot + vg.Length(g.arms)*chartCount
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
		r.Log = g.panels[n].log
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

// placed is a chart with its panel. The inner panel, that of the visits, is narrower, so that marks fit at
// the first and the last visit.
type placed struct {
	figure.Panel
	chart
	inner     figure.Panel
	groupName string    // above the first panel of a group
	labelled  bool      // the panel has the labels of its axis
	left      vg.Length // room for labels
}

func (g charts) place(c draw.Canvas, s slot, y figure.Range) placed {
	p := placed{chart: g.panels[s.panel], labelled: s.labelled}
	top := s.top - g.heading() - chartTitle
	p.Panel = figure.Panel{Canvas: c, X: g.visits.scale, Y: y,
		Area: vg.Rectangle{Min: vg.Point{X: s.x, Y: top - g.height()}, Max: vg.Point{X: s.x + s.width, Y: top}}}
	p.inner = p.Panel
	edge := max(s.width*0.06, dodgeStep*vg.Length(len(p.arms)-1)/2+markRadius+1)
	p.inner.Area.Min.X += edge
	p.inner.Area.Max.X -= edge
	if s.panel == 0 || p.group != g.panels[s.panel-1].group {
		p.groupName = figure.Fit(titles, p.group, bodyWidth)
	}
	return p
}

// panel draws one chart.
func (g charts) panel(p placed) {
	corner := vg.Point{X: p.Area.Min.X, Y: p.Area.Max.Y + 4}
	if !g.shared {
		corner.X -= p.left
	}
	figure.Write(p.Canvas, strong, corner, p.title)
	figure.Write(p.Canvas, titles, vg.Point{X: corner.X, Y: corner.Y + chartTitle - 2}, p.groupName)
	g.axes(p)
	p.BottomAxis(nil)
	labelled := g.visits.draw(p.inner, p.countWidths(len(g.visits.x)))
	if !p.any() {
		noValues(p.Canvas, p.Area, p.reason())
	}
	for _, l := range p.lines {
		g.individual(p, l)
	}
	d := g.dodge(p)
	for arm := range p.arms {
		d.ribbon(arm)
	}
	for arm := range p.arms {
		d.line(arm)
	}
	for arm := range p.arms {
		d.marks(arm, func(c draw.Canvas, pos vg.Point, _ string) { patch(c, pos) })
	}
	for arm := range p.arms {
		d.points(arm)
	}
	for arm := range p.arms {
		d.marks(arm, func(c draw.Canvas, pos vg.Point, mark string) { writeMark(c, pos, mark, true) })
	}
	g.counts(p, labelled)
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

// countWidths returns the width of the counts at each visit of the axis.
func (c chart) countWidths(visits int) []vg.Length {
	widths := make([]vg.Length, visits)
	for _, arm := range c.arms {
		for k, p := range arm {
			widths[c.visits[k]] = max(widths[c.visits[k]], small.Width(count(p)))
		}
	}
	return widths
}

// counts writes n of each arm below the labelled visits.
func (g charts) counts(p placed, labelled []int) {
	y := p.Area.Min.Y - chartFoot - 3
	for arm, points := range p.arms {
		if p.labelled {
			sign := vg.Point{X: p.Area.Min.X - 4 - 2*markRadius, Y: y}
			figure.Write(p.Canvas, figure.Align(small, figure.Right, figure.Middle),
				vg.Point{X: sign.X - 2*markRadius, Y: y}, "n")
			p.DrawGlyphNoClip(figure.SignOf(arm).Mark(markRadius*0.9, false), sign)
		}
		for k, v := range p.visits {
			if slices.Contains(labelled, v) {
				figure.Write(p.Canvas, figure.Align(small, figure.Center, figure.Middle),
					vg.Point{X: p.inner.AtX(g.visits.x[v]), Y: y}, count(points[k]))
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
func (g charts) individual(p placed, l individual) {
	style := figure.SignOf(l.arm).Line(0.4)
	style.Color = figure.Tint(figure.SignOf(l.arm).Colour, 0.45)
	for _, run := range runs(len(l.values), func(v int) bool { return figure.Drawable(l.values[v]) }) {
		var line []vg.Point
		for v := run[0]; v < run[1]; v++ {
			line = append(line, p.inner.At(g.visits.x[p.visits[v]], clamp(p.Y, l.values[v])))
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

// sameScale reports whether the panels have the same kind of scale, linear or log.
func (g charts) sameScale() bool {
	return !slices.ContainsFunc(g.panels, func(c chart) bool { return c.log != g.panels[0].log })
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
