package figures

import (
	"fmt"
	"image/color"
	"strconv"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial/compare"
	"github.com/t2map/t2map/trial/repeat"
)

// BlandAltman draws the differences of scan and rescan over their means, a panel for each
// compartment, with the bias and the limits of agreement and their intervals.
// Differences have one axis in all panels.
func BlandAltman(s repeat.Study) ([]figure.Picture, error) {
	b := agreements{Study: s}
	b.Name, b.Title = "bland-altman", "Agreement of scan and rescan"
	b.Caption = fmt.Sprintf("Difference of %s and %s over their mean, one point per knee. Lines: the bias, and the limits of agreement, bias ± 1.96 SD; bands: their %s confidence intervals. wSD: within-subject standard deviation; wCV: within-subject coefficient of variation; RC: repeatability coefficient, 1.96·√2·wSD.",
		short(s.Visits[1]), short(s.Visits[0]), percentOf(s.Level))
	for _, l := range s.Left {
		b.Flags = append(b.Flags, leftOut(l))
	}
	b.Flags = append(b.Flags, s.Notes...)
	b.legend = []entry{lineEntry("bias", biasLine), lineEntry("limits of agreement, bias ± 1.96 SD", limitLine), bandEntry(percentOf(s.Level) + " confidence intervals")}
	if len(s.Visits) > 2 {
		b.notes = append(b.notes, "Of the repeats, the first two are drawn.")
	}
	b.axis()
	if b.cut {
		b.notes = append(b.notes, "Bands that end at the edge go on beyond the panel.")
	}
	return b.pictures()
}

// leftOut says who is in no figure.
func leftOut(l repeat.Left) string {
	s := l.Knee.String()
	if l.Compartment != "" {
		s += ", " + l.Compartment
	}
	return s + ": left out: " + l.Reason
}

func percentOf(level float64) string { return strconv.FormatFloat(100*level, 'g', 4, 64) + " %" }

// agreements are the panels of the figure.
type agreements struct {
	frame
	repeat.Study
	up  figure.Range
	cut bool // a band leaves the panel
}

// Sizes of the panels in points; three lines of figures stand above each.
const (
	agreementHeight = 130
	agreementLines  = 3
	agreementLeft   = 36
)

var (
	biasLine  = draw.LineStyle{Color: figure.Colours[0], Width: 1.2}
	limitLine = draw.LineStyle{Color: figure.Colours[1], Width: 1, Dashes: []vg.Length{5, 2.5}}
)

// bandOf is the colour of a line's interval.
func bandOf(l draw.LineStyle) color.Color {
	c := l.Color.(color.RGBA)
	return color.NRGBA{c.R, c.G, c.B, ribbonAlpha}
}

func lineEntry(words string, line draw.LineStyle) entry {
	return entry{words: words, sign: func(c draw.Canvas, box vg.Rectangle) {
		y := (box.Min.Y + box.Max.Y) / 2
		c.StrokeLine2(line, box.Min.X, y, box.Max.X, y)
	}}
}

func bandEntry(words string) entry {
	return entry{words: words, sign: func(c draw.Canvas, box vg.Rectangle) {
		middle := (box.Min.X + box.Max.X) / 2
		left, right := box, box
		left.Max.X, right.Min.X = middle, middle
		fillRect(c, draw.LineStyle{Color: bandOf(biasLine)}, left)
		fillRect(c, draw.LineStyle{Color: bandOf(limitLine)}, right)
	}}
}

// lines of a panel that have a place.
func linesOf(a repeat.Agreement) (lines []compare.Interval, styles []draw.LineStyle) {
	for i, l := range []compare.Interval{a.Bias, a.Lower, a.Upper} {
		if figure.Drawable(l.Estimate) {
			lines, styles = append(lines, l), append(styles, []draw.LineStyle{biasLine, limitLine, limitLine}[i])
		}
	}
	return lines, styles
}

// axis chooses the range of differences.
func (b *agreements) axis() {
	core, full := []float64{0}, []float64{0}
	for _, c := range b.Compartments {
		core = append(core, c.Agreement.Differences...)
		lines, _ := linesOf(c.Agreement)
		for _, l := range lines {
			core, full = append(core, l.Estimate), append(full, l.Low, l.High)
		}
	}
	b.up, _ = sight(core, full)
	for _, x := range full {
		b.cut = b.cut || figure.Drawable(x) && !b.up.Has(x)
	}
}

func (b *agreements) rowHeight() vg.Length {
	return chartTitle + agreementLines*noteRow + agreementHeight + scatterFoot + chartRowGap
}

func (b *agreements) pictures() ([]figure.Picture, error) {
	var out []figure.Picture
	for n, page := range pages(len(b.Compartments), chartColumns*rowsOnPage(b.rowHeight())) {
		f := b.frame
		f.Name = pageName(b.Name, n)
		panels := b.Compartments[page[0]:page[1]]
		rows := (len(panels) + chartColumns - 1) / chartColumns
		p, err := f.render(vg.Length(rows)*b.rowHeight(), func(c draw.Canvas, body vg.Rectangle) { b.paint(c, body, panels) })
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

func (b *agreements) paint(c draw.Canvas, body vg.Rectangle, panels []repeat.Compartment) {
	columns := vg.Length(min(chartColumns, len(panels)))
	width := min((body.Size().X-columns*agreementLeft-chartGap*(columns-1))/columns, chartWidest)
	for n, panel := range panels {
		column, row := n%chartColumns, n/chartColumns
		x := body.Min.X + agreementLeft + vg.Length(column)*(width+agreementLeft+chartGap)
		top := body.Max.Y - vg.Length(row)*b.rowHeight() - chartTitle - agreementLines*noteRow
		p := figure.Panel{Canvas: c, Y: b.up, Area: vg.Rectangle{Min: vg.Point{X: x, Y: top - agreementHeight}, Max: vg.Point{X: x + width, Y: top}}}
		b.panel(p, panel)
	}
}

// panel draws one compartment.
func (b *agreements) panel(p figure.Panel, c repeat.Compartment) {
	a := c.Agreement
	p.X, _ = figure.Cover(a.Means...)
	p.X = p.X.Pad(0.08)
	b.words(p, c)
	p.GridY(p.Y.Ticks(6), true, small)
	if a.N > 0 {
		p.BottomAxis(scatter{}.acrossAxis(p))
	}
	width := p.Area.Size().X
	figure.Write(p.Canvas, small, vg.Point{X: (p.Area.Min.X + p.Area.Max.X) / 2, Y: p.Area.Min.Y - 15}, "Mean T2 of both (ms)", figure.Center, figure.Below)
	name := small
	name.Rotation = vertical
	side := vg.Point{X: p.Area.Min.X - agreementLeft + 8, Y: (p.Area.Min.Y + p.Area.Max.Y) / 2}
	half := (p.Area.Size().Y - name.Width(" −  (ms)")) / 2
	words := figure.Fit(name, b.Visits[1], half) + " − " + figure.Fit(name, b.Visits[0], half) + " (ms)"
	figure.Write(p.Canvas, name, side, words, figure.Center, figure.Base)
	if a.N == 0 {
		noValues(p.Canvas, p.Area, "no pairs")
		return
	}
	p.StrokeLine2(draw.LineStyle{Color: figure.Axis, Width: 0.6}, p.Area.Min.X, p.AtY(0), p.Area.Max.X, p.AtY(0))
	lines, styles := linesOf(a)
	for i, l := range lines {
		if figure.Drawable(l.Low) && figure.Drawable(l.High) {
			low, high := p.AtY(clamp(p.Y, l.Low)), p.AtY(clamp(p.Y, l.High))
			fillRect(p.Canvas, draw.LineStyle{Color: bandOf(styles[i])}, vg.Rectangle{Min: vg.Point{X: p.Area.Min.X, Y: low}, Max: vg.Point{X: p.Area.Max.X, Y: high}})
		}
	}
	for i, l := range lines {
		y := p.AtY(clamp(p.Y, l.Estimate))
		p.StrokeLine2(styles[i], p.Area.Min.X, y, p.Area.Min.X+width, y)
	}
	for i, m := range a.Means {
		p.DrawGlyphNoClip(draw.GlyphStyle{Color: figure.Ink, Radius: 1.8, Shape: draw.CircleGlyph{}}, p.At(m, clamp(p.Y, a.Differences[i])))
	}
}

// words writes what the panel shows in figures above it.
func (b *agreements) words(p figure.Panel, c repeat.Compartment) {
	n := func(x float64) string { return figure.Number(x, 2) }
	a := c.Agreement
	lines := []string{
		fmt.Sprintf("bias %s ms [%s, %s], n = %d", n(a.Bias.Estimate), n(a.Bias.Low), n(a.Bias.High), a.N),
		fmt.Sprintf("limits %s to %s ms", n(a.Lower.Estimate), n(a.Upper.Estimate)),
		fmt.Sprintf("wSD %s ms, wCV %s %%, RC %s ms", n(c.WSD.Estimate), n(c.WCV.Estimate), n(c.RC.Estimate)),
	}
	width := p.Area.Size().X + chartGap
	at := vg.Point{X: p.Area.Min.X, Y: p.Area.Max.Y + 4 + agreementLines*noteRow}
	figure.Write(p.Canvas, strong, at, figure.Fit(strong, capital(c.Name), width), figure.Left, figure.Base)
	for _, l := range lines {
		at.Y -= noteRow
		figure.Write(p.Canvas, small, at, figure.Fit(small, l, width), figure.Left, figure.Base)
	}
}

// capital begins a name with a capital letter.
func capital(s string) string {
	r := []rune(s)
	if len(r) == 0 {
		return s
	}
	return strings.ToUpper(string(r[:1])) + string(r[1:])
}
