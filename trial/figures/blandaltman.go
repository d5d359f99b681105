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
	return BlandAltmanOf(s, Agreement{Name: "bland-altman", Title: "Agreement of scan and rescan", Point: "knee"})
}

// Agreement says of what a figure shows the agreement.
type Agreement struct {
	// Name is that of the picture, and Title its title.
	Name, Title string
	// Point is what a point stands for, such as "knee".
	Point string
}

// BlandAltmanOf is BlandAltman for other pairs than scan and rescan.
func BlandAltmanOf(s repeat.Study, of Agreement) ([]figure.Picture, error) {
	s, note := renamedStudy(s)
	visits := figure.ShortenAll(s.Visits, isShort)
	b := agreements{Study: s, Frame: newFrame(of.Name, of.Title,
		fmt.Sprintf("Difference of %s and %s over their mean, one point per %s. Lines: the bias, and the "+
			"limits of agreement, bias ± 1.96 SD; bars at the right: their %s confidence intervals. wSD: within-subject "+
			"standard deviation; wCV: within-subject coefficient of variation; RC: repeatability coefficient, 1.96·√2·wSD.",
			visits[1], visits[0], of.Point, percentOf(s.Level)))}
	if note != "" {
		b.Caption += " " + note
	}
	for _, l := range s.Excluded {
		b.Remarks = append(b.Remarks, exclusion(l))
	}
	b.Remarks = append(b.Remarks, s.Notes...)
	b.Legend = []figure.Symbol{lineSymbol("bias", biasLine),
		lineSymbol("limits of agreement, bias ± 1.96 SD", limitLine),
		barSymbol(percentOf(s.Level) + " confidence intervals")}
	if len(s.Visits) > 2 {
		b.Frame.Notes = append(b.Frame.Notes, "Of the repeats, the first two are drawn.")
	}
	b.measure()
	b.NoteArrowheads(b.cut)
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
	figure.Frame
	repeat.Study
	scale figure.Range
	cut   bool // the panel cuts an interval
}

// Sizes of the panels in points, and the lines of numbers above each.
const (
	agreementHeight = 130
	agreementLines  = 3
	agreementBars   = 22 // room for the bars of intervals at the right of a panel
	agreementEnd    = 1.8
)

var (
	biasLine  = draw.LineStyle{Color: figure.Colours[0], Width: 1.2}
	limitLine = draw.LineStyle{Color: figure.Colours[1], Width: 1, Dashes: []vg.Length{5, 2.5}}
)

func lineSymbol(words string, line draw.LineStyle) figure.Symbol {
	return figure.Symbol{Words: words, Draw: func(c draw.Canvas, box vg.Rectangle) {
		y := figure.Centre(box).Y
		c.StrokeLine2(line, box.Min.X, y, box.Max.X, y)
	}}
}

func barSymbol(words string) figure.Symbol {
	return figure.Symbol{Words: words, Width: 18, Draw: func(c draw.Canvas, box vg.Rectangle) {
		third := box.Size().X / 3
		for i, line := range []draw.LineStyle{limitLine, biasLine, limitLine} {
			line.Dashes = nil
			box := figure.Panel{Canvas: c, Area: box, Y: figure.Range{High: 1}}
			box.IntervalY(line, box.Area.Min.X+third*(vg.Length(i)+0.5), 0, 1, agreementEnd)
		}
	}}
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
	b.scale, _ = figure.Sight(core, full)
	b.cut = b.scale.Cuts(full)
}

func (b *agreements) pictures() ([]figure.Picture, error) {
	const above = figure.PanelTitle + agreementLines*figure.NoteRow
	g := figure.PanelGrid{Panels: len(b.Compartments), Columns: wideColumns, Left: figure.TickRoom(b.scale),
		Height: above + agreementHeight + figure.PanelFoot + figure.PanelRowGap}
	var names []string
	for _, c := range b.Compartments {
		names = append(names, capital(c.Name))
	}
	names = figure.FitAll(strong, names, g.Width()+figure.PanelGap/2)
	return b.DrawPanels(g, func(c draw.Canvas, s figure.Slot) {
		p := s.Place(c, above, agreementHeight)
		p.Y = b.scale
		p.AxisY(s.Labelled)
		if s.Labelled {
			b.axisName(p, g.Left)
		}
		b.words(p, names[s.Panel], b.Compartments[s.Panel])
		b.panel(p, b.Compartments[s.Panel].Agreement)
	})
}

// panel draws one compartment.
func (b *agreements) panel(p figure.Panel, a repeat.Agreement) {
	if a.N == 0 {
		p.Remark("no pairs")
		return
	}
	inner := p // of the points
	inner.Area.Max.X -= agreementBars
	inner.X, _ = figure.Cover(a.Means...)
	inner.X = inner.X.Pad(0.08)
	p.BottomAxis(inner.GridX())
	inner.NameX("Mean T2 of both (ms)")
	p.LineY(figure.SoftLine, 0)
	lines, styles := linesOf(a)
	for i, l := range lines {
		p.LineY(styles[i], p.Y.Clamp(l.Estimate))
		if figure.Drawable(l.Low) && figure.Drawable(l.High) {
			styles[i].Dashes = nil
			p.IntervalY(styles[i], p.Area.Max.X-agreementBars*(0.75-0.25*vg.Length(i)), l.Low, l.High, agreementEnd)
		}
	}
	for i, m := range a.Means {
		p.DrawGlyphNoClip(draw.GlyphStyle{Color: figure.Ink, Radius: 1.8, Shape: draw.CircleGlyph{}},
			inner.At(m, p.Y.Clamp(a.Differences[i])))
	}
}

// axisName names the axis of differences after the visits.
func (b *agreements) axisName(p figure.Panel, left vg.Length) {
	half := (p.Area.Size().Y - figure.Medium.Width(" −  (ms)")) / 2
	visits := figure.FitAll(figure.Medium, b.Visits, half)
	p.NameY(left, figure.Medium, visits[1]+" − "+visits[0]+" (ms)")
}

// words writes the numbers of a panel above it.
func (b *agreements) words(p figure.Panel, name string, c repeat.Compartment) {
	n := func(x float64) string { return figure.Number(x, 2) }
	a := c.Agreement
	lines := []string{
		fmt.Sprintf("n = %d, bias %s ms [%s, %s]", a.N, n(a.Bias.Estimate), n(a.Bias.Low), n(a.Bias.High)),
		fmt.Sprintf("limits %s to %s ms", n(a.Lower.Estimate), n(a.Upper.Estimate)),
		fmt.Sprintf("wSD %s ms, wCV %s %%, RC %s ms", n(c.WSD.Estimate), figure.Number(c.WCV.Estimate, 1),
			n(c.RC.Estimate)),
	}
	pos := vg.Point{X: p.Area.Min.X, Y: p.Area.Max.Y + 4 + agreementLines*figure.NoteRow}
	figure.Write(p.Canvas, strong, pos, name)
	if a.N == 0 {
		lines = []string{"n = 0"}
	}
	for _, l := range lines {
		pos.Y -= figure.NoteRow
		figure.Write(p.Canvas, small, pos, figure.Fit(small, l, p.Area.Size().X+figure.PanelGap/2))
	}
}

// capital capitalises the first letter of a name.
func capital(s string) string {
	r := []rune(s)
	if len(r) == 0 {
		return s
	}
	return strings.ToUpper(string(r[:1])) + string(r[1:])
}
