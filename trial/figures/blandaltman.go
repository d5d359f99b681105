package figures

import (
	"fmt"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial/repeat"
)

// BlandAltman draws the differences of scan and rescan over their means, with the bias, the limits of
// agreement and their intervals, in a panel for each compartment. All panels have the same axis of
// differences.
func BlandAltman(s repeat.Study) ([]figure.Picture, error) {
	s, note := renamedStudy(s)
	visits := figure.ShortenAll(s.Visits, isShort)
	b := agreements{Study: s}
	b.Name, b.Title = "bland-altman", "Agreement of scan and rescan"
	b.Caption = fmt.Sprintf("Difference of %s and %s over their mean, one point per knee. Lines: the bias, and the "+
		"limits of agreement, bias ± 1.96 SD; bars at the right: their %s confidence intervals. wSD: within-subject "+
		"standard deviation; wCV: within-subject coefficient of variation; RC: repeatability coefficient, 1.96·√2·wSD.",
		visits[1], visits[0], percentOf(s.Level))
	if note != "" {
		b.Caption += " " + note
	}
	for _, l := range s.Excluded {
		b.Remarks = append(b.Remarks, exclusion(l))
	}
	b.Remarks = append(b.Remarks, s.Notes...)
	b.legend = []entry{lineEntry("bias", biasLine), lineEntry("limits of agreement, bias ± 1.96 SD", limitLine),
		barEntry(percentOf(s.Level) + " confidence intervals")}
	if len(s.Visits) > 2 {
		b.notes = append(b.notes, "Of the repeats, the first two are drawn.")
	}
	b.measure()
	if b.cut {
		b.notes = append(b.notes, "Arrowheads: the interval extends beyond the panel.")
	}
	return b.pictures()
}

// exclusion describes a knee that is not in the figure.
func exclusion(l repeat.Excluded) string {
	s := l.Knee.String()
	if l.Compartment != "" {
		s += ", " + l.Compartment
	}
	return s + ": omitted: " + l.Reason
}

// agreements are the panels of the figure.
type agreements struct {
	frame
	repeat.Study
	scale figure.Range
	cut   bool // the panel cuts an interval
}

// Sizes of the panels in points, and the lines of numbers above each.
const (
	agreementHeight = 130
	agreementLines  = 3
	agreementBars   = 22 // room for the bars of intervals at the right of a panel
)

var (
	biasLine  = draw.LineStyle{Color: figure.Colours[0], Width: 1.2}
	limitLine = draw.LineStyle{Color: figure.Colours[1], Width: 1, Dashes: []vg.Length{5, 2.5}}
)

func lineEntry(words string, line draw.LineStyle) entry {
	return entry{words: words, sign: func(c draw.Canvas, box vg.Rectangle) {
		y := (box.Min.Y + box.Max.Y) / 2
		c.StrokeLine2(line, box.Min.X, y, box.Max.X, y)
	}}
}

func barEntry(words string) entry {
	return entry{words: words, width: 18, sign: func(c draw.Canvas, box vg.Rectangle) {
		third := box.Size().X / 3
		for i, line := range []draw.LineStyle{limitLine, biasLine, limitLine} {
			x := box.Min.X + third*(vg.Length(i)+0.5)
			barUp(c, line, upright{x: x, low: box.Min.Y, high: box.Max.Y})
		}
	}}
}

// upright is the position of a vertical interval, and at which ends the panel cuts it.
type upright struct {
	x, low, high       vg.Length
	cutBelow, cutAbove bool
}

// barUp draws a vertical interval, with arrowheads where it is cut.
func barUp(c draw.Canvas, line draw.LineStyle, u upright) {
	const half = 1.8
	line.Dashes = nil
	c.StrokeLine2(line, u.x, u.low, u.x, u.high)
	figure.EndBar(c, line, figure.BarEnd{Tip: vg.Point{X: u.x, Y: u.low}, Outward: vg.Point{Y: -1}, Half: half,
		Cut: u.cutBelow})
	figure.EndBar(c, line, figure.BarEnd{Tip: vg.Point{X: u.x, Y: u.high}, Outward: vg.Point{Y: 1}, Half: half,
		Cut: u.cutAbove})
}

// linesOf returns the drawable lines of a panel, and their styles.
func linesOf(a repeat.Agreement) (lines []repeat.Interval, styles []draw.LineStyle) {
	for i, l := range []repeat.Interval{a.Lower, a.Bias, a.Upper} {
		if figure.Drawable(l.Estimate) {
			lines, styles = append(lines, l), append(styles, []draw.LineStyle{limitLine, biasLine, limitLine}[i])
		}
	}
	return lines, styles
}

// measure chooses the range of differences.
func (b *agreements) measure() {
	core, full := []float64{0}, []float64{0}
	for _, c := range b.Compartments {
		core = append(core, c.Agreement.Differences...)
		lines, _ := linesOf(c.Agreement)
		for _, l := range lines {
			core, full = append(core, l.Estimate), append(full, l.Low, l.High)
		}
	}
	b.scale, _ = sight(core, full)
	for _, x := range full {
		b.cut = b.cut || figure.Drawable(x) && !b.scale.Has(x)
	}
}

func (b *agreements) rowHeight() vg.Length {
	return chartTitle + agreementLines*noteRow + agreementHeight + scatterFoot + chartRowGap
}

func (b *agreements) pictures() ([]figure.Picture, error) {
	g := grid{panels: len(b.Compartments), columns: wideColumns, height: b.rowHeight(), left: tickRoom(b.scale)}
	return b.frame.pictures(g, func(c draw.Canvas, s slot) {
		top := s.top - chartTitle - agreementLines*noteRow
		p := figure.Panel{Canvas: c, Y: b.scale, Area: vg.Rectangle{Min: vg.Point{X: s.x, Y: top - agreementHeight},
			Max: vg.Point{X: s.x + s.width, Y: top}}}
		p.GridY(p.Y.Ticks(6), s.labelled, small)
		if s.labelled {
			b.axisName(p, s.x-g.left+8)
		}
		b.panel(p, b.Compartments[s.panel])
	})
}

// panel draws one compartment.
func (b *agreements) panel(p figure.Panel, c repeat.Compartment) {
	a := c.Agreement
	b.words(p, c)
	if a.N == 0 {
		noValues(p.Canvas, p.Area, "no pairs")
		return
	}
	inner := p // of the points
	inner.Area.Max.X -= agreementBars
	inner.X, _ = figure.Cover(a.Means...)
	inner.X = inner.X.Pad(0.08)
	p.BottomAxis(drawXAxis(inner))
	middle := vg.Point{X: (inner.Area.Min.X + inner.Area.Max.X) / 2, Y: p.Area.Min.Y - 15}
	figure.Write(p.Canvas, figure.Align(small, figure.Center, figure.Below), middle, "Mean T2 of both (ms)")
	p.StrokeLine2(draw.LineStyle{Color: figure.Axis, Width: 0.6}, p.Area.Min.X, p.AtY(0), p.Area.Max.X, p.AtY(0))
	lines, styles := linesOf(a)
	for i, l := range lines {
		y := p.AtY(clamp(p.Y, l.Estimate))
		p.StrokeLine2(styles[i], p.Area.Min.X, y, p.Area.Max.X, y)
		if figure.Drawable(l.Low) && figure.Drawable(l.High) {
			x := p.Area.Max.X - agreementBars*(0.75-0.25*vg.Length(i))
			barUp(p.Canvas, styles[i], upright{
				x: x, low: p.AtY(clamp(p.Y, l.Low)), high: p.AtY(clamp(p.Y, l.High)),
				cutBelow: l.Low < p.Y.Low, cutAbove: l.High > p.Y.High,
			})
		}
	}
	for i, m := range a.Means {
		p.DrawGlyphNoClip(draw.GlyphStyle{Color: figure.Ink, Radius: 1.8, Shape: draw.CircleGlyph{}},
			inner.At(m, clamp(p.Y, a.Differences[i])))
	}
}

// axisName names the axis of differences after the visits.
func (b *agreements) axisName(p figure.Panel, x vg.Length) {
	half := (p.Area.Size().Y - labels.Width(" −  (ms)")) / 2
	visits := fitAll(labels, b.Visits, half)
	writeAxisName(p, labels, x, visits[1]+" − "+visits[0]+" (ms)")
}

// words writes the numbers of a panel above it.
func (b *agreements) words(p figure.Panel, c repeat.Compartment) {
	n := func(x float64) string { return figure.Number(x, 2) }
	a := c.Agreement
	lines := []string{
		fmt.Sprintf("n = %d, bias %s ms [%s, %s]", a.N, n(a.Bias.Estimate), n(a.Bias.Low), n(a.Bias.High)),
		fmt.Sprintf("limits %s to %s ms", n(a.Lower.Estimate), n(a.Upper.Estimate)),
		fmt.Sprintf("wSD %s ms, wCV %s %%, RC %s ms", n(c.WSD.Estimate), figure.Number(c.WCV.Estimate, 1),
			n(c.RC.Estimate)),
	}
	width := p.Area.Size().X + chartGap/2
	pos := vg.Point{X: p.Area.Min.X, Y: p.Area.Max.Y + 4 + agreementLines*noteRow}
	figure.Write(p.Canvas, strong, pos, b.name(c, width))
	if a.N == 0 {
		lines = []string{"n = 0"}
	}
	for _, l := range lines {
		pos.Y -= noteRow
		figure.Write(p.Canvas, small, pos, figure.Fit(small, l, width))
	}
}

// name returns the name of a compartment, shortened so that it differs from the other names.
func (b *agreements) name(c repeat.Compartment, width vg.Length) string {
	var all []string
	for _, x := range b.Compartments {
		all = append(all, capital(x.Name))
	}
	return fitOne(strong, capital(c.Name), all, width)
}

// capital capitalises the first letter of a name.
func capital(s string) string {
	r := []rune(s)
	if len(r) == 0 {
		return s
	}
	return strings.ToUpper(string(r[:1])) + string(r[1:])
}
