package figure

import (
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Charts are a figure of panels, three in a row. Each group begins a row, and its panels have letters.
type Charts struct {
	Frame
	X      Steps
	Panels []Chart
	Arms   int
	// Shared reports that all panels have the same y axis, which is named once.
	Shared bool
	// Zero reports that there is a line at 0, which is always in the panel. Bars draws no bands.
	Zero, Bars bool
}

// Chart is one endpoint over steps of the x axis: a point with its interval for each arm.
type Chart struct {
	Title, Group string
	Label        string // of the y axis
	Log          bool   // values are natural logarithms
	// Steps are those of the points, as indices into the steps of the axis.
	Steps []int
	// NoPoints is the reason why the chart has no points. Default: "no values".
	NoPoints string
	Arms     [][]Point
	Tracks   []Track
}

// Point is a mean with its interval; NaN if there is none. A negative N is not written.
type Point struct {
	N              int
	Mid, Low, High float64
	Flagged, Star  bool
}

// Track is the values of one subject by step of the chart.
type Track struct {
	Arm    int
	Values []float64
}

func (p Point) drawn() bool { return Drawable(p.Mid) }

func (p Point) hasInterval() bool { return p.drawn() && Drawable(p.Low) && Drawable(p.High) }

// Sizes of charts in points.
const (
	chartHeight  = 116
	chartLow     = 92 // of panels with axes of their own, of which four rows fit a page
	chartCount   = 9.5
	chartHeading = 17 // above a row, with the name of a group
	dodgeStep    = 5  // from arm to arm
	ribbonAlpha  = 0x30

	ChartColumns = 3

	// MostRibbons is the largest number of arms with bands. More would hide each other, so that only bars are drawn.
	MostRibbons = 3
)

// letterOf returns a to z, then aa, ab and so on.
func letterOf(n int) string {
	letter := string(rune('a' + n%26))
	if n < 26 {
		return letter
	}
	return letterOf(n/26-1) + letter
}

// Draw draws the charts.
func (g Charts) Draw() ([]Picture, error) {
	ranges, cut := g.ranges()
	g.NoteArrowheads(cut)
	// There is room for the signs of the arms beside the counts.
	columns := ChartColumns
	if len(g.Panels) == 4 && !g.Shared && !g.grouped() {
		columns = 2
	}
	places := PanelGrid{Panels: len(g.Panels), Columns: columns, Height: g.rowHeight(), Each: !g.Shared,
		Left: max(TickRoom(ranges...), 18+MarkRadius*3), Rows: g.rows(columns)}
	room := places.Width()
	if places.Each {
		room += places.Left
	}
	titles := FitAll(Strong, g.titles(), room)
	return g.Frame.DrawPanels(places, func(c draw.Canvas, s Slot) {
		p := g.place(c, s, ranges[s.Panel])
		p.Title, p.left = titles[s.Panel], places.Left
		g.panel(p)
	})
}

// rows begins a row with each group.
func (g Charts) rows(columns int) (rows [][2]int) {
	first := 0
	for n := range g.Panels {
		if last := n+1 == len(g.Panels); last || g.Panels[n+1].Group != g.Panels[n].Group {
			rows = append(rows, rowsOfPanels(first, n+1, columns)...)
			first = n + 1
		}
	}
	return rows
}

// titles returns the titles, of groups with letters, which continue over the groups.
func (g Charts) titles() (titles []string) {
	for n, p := range g.Panels {
		if p.Group != "" {
			p.Title = letterOf(n) + "  " + p.Title
		}
		titles = append(titles, p.Title)
	}
	return titles
}

// grouped reports whether a panel is in a group.
func (g Charts) grouped() bool {
	return slices.ContainsFunc(g.Panels, func(c Chart) bool { return c.Group != "" })
}

// heading is the height above the titles of a row.
func (g Charts) heading() vg.Length {
	if g.grouped() {
		return chartHeading
	}
	return PanelRowGap
}

// height is the height of a panel.
func (g Charts) height() vg.Length {
	if g.Shared {
		return chartHeight
	}
	return chartLow
}

func (g Charts) rowHeight() vg.Length {
	return g.heading() + PanelTitle + g.height() + PanelFoot + vg.Length(g.Arms)*chartCount
}

// ranges returns the y axis of each panel, and whether an interval is cut by one.
func (g Charts) ranges() (ranges []Range, cut bool) {
	var all, allCore []float64
	cores := make([][]float64, len(g.Panels))
	fulls := make([][]float64, len(g.Panels))
	for n, p := range g.Panels {
		cores[n], fulls[n] = p.extent()
		all, allCore = append(all, fulls[n]...), append(allCore, cores[n]...)
	}
	for n := range g.Panels {
		core, full := cores[n], fulls[n]
		if g.Shared {
			core, full = allCore, all
		}
		if g.Zero {
			core = append(slices.Clone(core), 0)
		}
		r, _ := Sight(core, full)
		r.Log = g.Panels[n].Log
		ranges, cut = append(ranges, r), cut || r.Cuts(full)
	}
	return ranges, cut
}

// extent returns the values that must be visible (core), and all values (full). Intervals of the mean of
// two values, which extend nine standard deviations to either side, may be cut.
func (c Chart) extent() (core, full []float64) {
	for _, arm := range c.Arms {
		for _, p := range arm {
			core = append(core, p.Mid)
			if !p.hasInterval() {
				continue
			}
			full = append(full, p.Low, p.High)
			if p.N > 2 {
				core = append(core, p.Low, p.High)
			}
		}
	}
	for _, l := range c.Tracks {
		core = append(core, l.Values...)
	}
	return core, full
}

// placed is a chart with its panel. The inner panel, that of the steps, is narrower, so that marks fit at
// the first and the last step.
type placed struct {
	Panel
	Chart
	inner     Panel
	groupName string    // above the first panel of a group
	labelled  bool      // the panel has the labels of its axis
	left      vg.Length // room for labels
}

func (g Charts) place(c draw.Canvas, s Slot, y Range) placed {
	p := placed{Chart: g.Panels[s.Panel], labelled: s.Labelled}
	p.Panel = s.Place(c, g.heading()+PanelTitle, g.height())
	p.X, p.Y = g.X.scale, y
	p.inner = p.Panel
	edge := max(s.Width*0.06, dodgeStep*vg.Length(len(p.Arms)-1)/2+MarkRadius+1)
	p.inner.Area.Min.X += edge
	p.inner.Area.Max.X -= edge
	if s.Panel == 0 || p.Group != g.Panels[s.Panel-1].Group {
		p.groupName = Fit(Heading, p.Group, BodyWidth)
	}
	return p
}

// panel draws one chart.
func (g Charts) panel(p placed) {
	corner := vg.Point{X: p.Area.Min.X, Y: p.Area.Max.Y + TextGap}
	if !g.Shared {
		corner.X -= p.left
	}
	Write(p.Canvas, Strong, corner, p.Title)
	Write(p.Canvas, Heading, vg.Point{X: corner.X, Y: corner.Y + PanelTitle - 3}, p.groupName)
	g.axes(p)
	p.BottomAxis(nil)
	labelled := g.X.draw(p.inner, p.countWidths(len(g.X.At)))
	if !p.any() {
		p.Remark(p.reason())
	}
	for _, t := range p.Tracks {
		g.track(p, t)
	}
	d := g.dodge(p)
	for _, layer := range []func(arm int){d.ribbon, d.line, d.fadeMarks, d.points, d.marks} {
		for arm := range p.Arms {
			layer(arm)
		}
	}
	g.counts(p, labelled)
}

// axes draws the grid, the y axis' labels and name, and the line of 0.
func (g Charts) axes(p placed) {
	if p.any() || g.Shared && slices.ContainsFunc(g.Panels, Chart.any) { // a value determines the axis
		p.AxisY(p.labelled)
	}
	if p.labelled {
		p.NameY(p.left, Medium, p.Label)
	}
	if g.Zero {
		p.LineY(ZeroLine, 0)
	}
}

// reason returns why a chart has no point.
func (c Chart) reason() string {
	if c.NoPoints != "" {
		return c.NoPoints
	}
	for _, arm := range c.Arms {
		if slices.ContainsFunc(arm, func(p Point) bool { return p.N > 0 && !math.IsNaN(p.Mid) }) {
			return "values are too large or too small to draw"
		}
	}
	return "no values"
}

func (c Chart) any() bool {
	return slices.ContainsFunc(c.Arms, func(arm []Point) bool { return slices.ContainsFunc(arm, Point.drawn) })
}

// countWidths returns the width of the counts at each step of the axis.
func (c Chart) countWidths(steps int) []vg.Length {
	widths := make([]vg.Length, steps)
	for _, arm := range c.Arms {
		for k, p := range arm {
			widths[c.Steps[k]] = max(widths[c.Steps[k]], Small.Width(p.count()))
		}
	}
	return widths
}

// counts writes n of each arm below the labelled steps.
func (g Charts) counts(p placed, labelled []int) {
	y := p.Area.Min.Y - PanelFoot - 3
	for arm, points := range p.Arms {
		if p.labelled {
			sign := vg.Point{X: p.Area.Min.X - 4 - 2*MarkRadius, Y: y}
			Write(p.Canvas, Align(Small, Right, Middle), vg.Point{X: sign.X - 2*MarkRadius, Y: y}, "n")
			p.DrawGlyphNoClip(SignOf(arm).Mark(MarkRadius*0.9, false), sign)
		}
		for k, v := range p.Steps {
			if slices.Contains(labelled, v) {
				place := vg.Point{X: p.inner.AtX(g.X.At[v]), Y: y}
				Write(p.Canvas, Align(Small, Center, Middle), place, points[k].count())
			}
		}
		y -= chartCount
	}
}

// count returns n; empty if it is negative.
func (p Point) count() string {
	if p.N < 0 {
		return ""
	}
	return strconv.Itoa(p.N)
}

// track draws the values of a subject as lines between consecutive steps.
func (g Charts) track(p placed, t Track) {
	style := SignOf(t.Arm).Line(0.4)
	style.Color = Tint(SignOf(t.Arm).Colour, 0.45)
	for _, run := range runs(len(t.Values), func(v int) bool { return Drawable(t.Values[v]) }) {
		var line []vg.Point
		for v := run[0]; v < run[1]; v++ {
			line = append(line, p.inner.At(g.X.At[p.Steps[v]], p.Y.Clamp(t.Values[v])))
		}
		p.StrokeLines(style, line)
		if len(line) == 1 {
			p.DrawGlyphNoClip(draw.GlyphStyle{Color: style.Color, Radius: 0.8, Shape: draw.CircleGlyph{}}, line[0])
		}
	}
}

// runs returns the ranges [start, end) of consecutive numbers below n for which holds is true.
func runs(n int, holds func(int) bool) (ranges [][2]int) {
	for start := 0; start < n; start++ {
		end := start
		for end < n && holds(end) {
			end++
		}
		if end > start {
			ranges = append(ranges, [2]int{start, end})
			start = end
		}
	}
	return ranges
}
