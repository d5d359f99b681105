package figures

import (
	"cmp"
	"fmt"
	"image/color"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial"
)

// waterfall draws the change of each subject in percent at the primary visit, sorted, over the band of
// the repeatability coefficient, in a panel for each endpoint that has one.
func waterfall(a trial.Analysis, _ family, _ Options) ([]figure.Picture, error) {
	a, names := renamed(a)
	visit := mainVisit(a)
	if visit < 1 {
		return nil, nil
	}
	w := falls{arms: a.Design.Arms, columns: figure.ChartColumns}
	flags := newFlagged(names)
	for _, e := range a.Endpoints {
		if !figure.Drawable(e.RC) || !e.Planned(visit) {
			continue
		}
		f := newFall(a, e, visit, flags)
		w.panels = append(w.panels, f)
		if len(f.bars) > barsInColumn {
			w.columns = 1
		}
	}
	if len(w.panels) == 0 {
		return nil, nil
	}
	month := visitInText(a.Design.Visits[visit])
	w.label = "Change at " + month + " (%)"
	w.Frame = newFrame("waterfall", "Individual change of T2 at "+month,
		fmt.Sprintf("Change of %s T2 from baseline at %s in percent, one bar per participant, sorted, of %s. "+
			"Rows below repeat the arm of each bar. The grey band holds 95 %% of the differences between repeated "+
			"scans: the repeatability coefficient, 1.96·√2 times the within-subject coefficient of variation.",
			a.Plan.Summary(), month, population(a.Design)))
	w.Legend = barSymbols(a.Design.Arms)
	if slices.ContainsFunc(w.panels, fall.anyExceeds) {
		w.Legend = append(w.Legend, exceedsSymbol())
	}
	flags.annotate(&w.Frame)
	return w.pictures()
}

// mainVisit returns the latest main visit of the compartments.
func mainVisit(a trial.Analysis) int {
	visit := 0
	for _, e := range a.Endpoints {
		if e.Compartment {
			visit = max(visit, a.Design.MainVisit(e.Endpoint))
		}
	}
	return visit
}

// falls are the panels of a waterfall.
type falls struct {
	figure.Frame
	arms    []string
	panels  []fall
	columns int
	label   string
}

// fall is one panel.
type fall struct {
	title    string
	rc       float64
	bars     []fallBar // in ascending order
	noChange int       // subjects without a change
	y        figure.Range
}

type fallBar struct {
	percent float64
	arm     int
	flagged bool
	exceeds bool // the change exceeds repeatability
}

func (f fall) anyExceeds() bool {
	return slices.ContainsFunc(f.bars, func(b fallBar) bool { return b.exceeds })
}

// Sizes of waterfalls in points.
const (
	barsInColumn = 36 // of at least 2.5 points each; more bars take the whole width
	fallHeight   = 150
	fallRow      = 7.5
	fallWidest   = 16  // the largest width of a bar
	stripeStep   = 2.6 // the distance of stripes
)

func newFall(a trial.Analysis, e trial.EndpointAnalysis, visit int, flags *flagged) fall {
	f := fall{title: e.Title, rc: e.RC}
	values := []float64{0, e.RC, -e.RC}
	for s, subject := range a.Design.Subjects {
		c := e.Changes[s][visit]
		if !figure.Drawable(c.Percent) {
			f.noChange++
			continue
		}
		touched := flags.touch(e.Values[s][0].Flags, e.Values[s][visit].Flags)
		f.bars = append(f.bars, fallBar{c.Percent, subject.Arm, touched, c.Verdict == trial.Decrease ||
			c.Verdict == trial.Increase})
		values = append(values, c.Percent)
	}
	slices.SortStableFunc(f.bars, func(x, y fallBar) int {
		return cmp.Or(cmp.Compare(x.percent, y.percent), cmp.Compare(x.arm, y.arm))
	})
	// Room around the band keeps its limits apart from the edges of the panel.
	f.y, _ = figure.Cover(values...)
	f.y = f.y.Pad(0.15)
	return f
}

// barSymbols returns the legend of bars: the fill and the mark of each arm.
func barSymbols(arms []string) []figure.Symbol {
	var out []figure.Symbol
	for n, name := range arms {
		sign := figure.SignOf(n)
		out = append(out, figure.Symbol{Words: name, Draw: func(c draw.Canvas, box vg.Rectangle) {
			middle := vg.Point{X: box.Min.X + 4, Y: figure.Centre(box).Y}
			box.Min.X += 11
			drawBar(c, n, box)
			c.DrawGlyphNoClip(sign.Mark(figure.MarkRadius, false), middle)
		}})
	}
	return out
}

// exceedsSymbol explains striped bars.
func exceedsSymbol() figure.Symbol {
	const words = "striped: larger than repeatability"
	return figure.Symbol{Words: words, Width: 11, Draw: func(c draw.Canvas, box vg.Rectangle) {
		figure.FillRect(c, figure.Axis, box)
		stripe(c, box)
		figure.StrokeRect(c, draw.LineStyle{Color: figure.Ink, Width: 0.35}, box)
	}}
}

// stripe draws white diagonal stripes, which are visible on any colour and in grey.
func stripe(c draw.Canvas, r vg.Rectangle) {
	w, h := r.Size().X, r.Size().Y
	white := draw.LineStyle{Color: color.White, Width: min(0.8, 0.25*w)}
	for up := stripeStep/2 - w; up < h; up += stripeStep {
		start, end := max(0, -up), min(w, h-up)
		if start < end {
			c.StrokeLine2(white, r.Min.X+start, r.Min.Y+up+start, r.Min.X+end, r.Min.Y+up+end)
		}
	}
}

// drawBar fills a bar with the colour of an arm, and outlines it for print.
func drawBar(c draw.Canvas, arm int, r vg.Rectangle) {
	figure.FillRect(c, figure.SignOf(arm).Colour, r)
	outlineBar(c, r)
}

func outlineBar(c draw.Canvas, r vg.Rectangle) {
	if width := r.Size().X; width > 2 {
		figure.StrokeRect(c, draw.LineStyle{Color: figure.Ink, Width: 0.35}, r)
	}
}

// pictures draws the panels, all on one scale.
func (w falls) pictures() ([]figure.Picture, error) {
	y := w.panels[0].y
	var titles []string
	for _, p := range w.panels {
		titles = append(titles, p.title)
		y = figure.Range{Low: min(y.Low, p.y.Low), High: max(y.High, p.y.High)}
	}
	g := figure.PanelGrid{Panels: len(w.panels), Columns: w.columns, Left: figure.TickRoom(y),
		Height: figure.PanelTitle + fallHeight + w.armsHeight() + 8 + figure.NoteRow + figure.PanelRowGap}
	if w.columns == 1 {
		g.Widest = figure.BodyWidth
	}
	titles = figure.FitAll(strong, titles, g.Width())
	return w.DrawPanels(g, func(c draw.Canvas, s figure.Slot) {
		f, p := w.panels[s.Panel], s.Place(c, figure.PanelTitle, fallHeight)
		p.X, p.Y = f.axis(s.Width), y
		p.WriteTitle(titles[s.Panel])
		w.panel(p, f, s.Labelled, g.Left)
	})
}

// armsHeight is the height of the rows of the arms below a panel.
func (w falls) armsHeight() vg.Length { return vg.Length(len(w.arms)) * fallRow }

// axis returns the axis of the bars in a panel of that width. A few bars are in the middle, no wider
// than fallWidest.
func (f fall) axis(width vg.Length) figure.Range {
	n := float64(max(1, len(f.bars)))
	free := max(0, float64(width/fallWidest)-n)
	return figure.Range{Low: -free / 2, High: n + free/2}
}

func (w falls) panel(p figure.Panel, f fall, labelled bool, left vg.Length) {
	f.band(p)
	p.AxisY(labelled)
	if labelled {
		p.NameY(left, figure.Medium, w.label)
	}
	if len(f.bars) == 0 {
		p.Remark("no values")
	}
	for n, b := range f.bars {
		f.bar(p, n, b)
	}
	p.LineY(figure.ZeroLine, 0)
	f.bandEdges(p)
	w.armRows(p, f, labelled)
	y := p.Area.Min.Y - 8 - w.armsHeight()
	words := fmt.Sprintf("n = %d", len(f.bars))
	if f.noChange > 0 {
		words += fmt.Sprintf(", %d without a change", f.noChange)
	}
	figure.Write(p.Canvas, figure.Align(small, figure.Left, figure.Below), vg.Point{X: p.Area.Min.X, Y: y}, words)
}

// band shades the band of the repeatability coefficient.
func (f fall) band(p figure.Panel) {
	grey := color.Gray{0xe9}
	figure.FillRect(p.Canvas, grey, vg.Rectangle{Min: vg.Point{X: p.Area.Min.X, Y: p.AtY(-f.rc)},
		Max: vg.Point{X: p.Area.Max.X, Y: p.AtY(f.rc)}})
}

// bandEdges draws the limits of the band over the bars, with a label at the left: above the band, or below
// it if bars are in the way.
func (f fall) bandEdges(p figure.Panel) {
	edge := draw.LineStyle{Color: figure.Ink, Width: 0.6, Dashes: []vg.Length{3, 2}}
	for _, y := range []float64{-f.rc, f.rc} {
		p.LineY(edge, y)
	}
	words := fmt.Sprintf("±%s %%: repeatability", figure.Number(f.rc, 1))
	covered := 0 // bars under the words
	for covered < len(f.bars) && p.AtX(float64(covered)) < p.Area.Min.X+3+small.Width(words) {
		covered++
	}
	pos, y := vg.Point{X: p.Area.Min.X + 3, Y: p.AtY(f.rc) + 2.5}, figure.Base
	if covered > 0 && f.bars[covered-1].percent > f.rc && f.bars[0].percent > -f.rc {
		pos.Y, y = p.AtY(-f.rc)-2.5, figure.Below
	}
	figure.Write(p.Canvas, figure.Align(small, figure.Left, y), pos, figure.Fit(small, words, p.Area.Size().X-4))
}

// bar draws the n-th bar, with a gap beside it if there is room.
func (f fall) bar(p figure.Panel, n int, b fallBar) {
	left, right := p.AtX(float64(n)), p.AtX(float64(n+1))
	gap := min(1, 0.15*(right-left))
	low, high := min(b.percent, 0), max(b.percent, 0)
	r := vg.Rectangle{Min: vg.Point{X: left + gap, Y: p.AtY(low)}, Max: vg.Point{X: right - gap, Y: p.AtY(high)}}
	drawBar(p.Canvas, b.arm, r)
	if b.exceeds {
		stripe(p.Canvas, r)
		outlineBar(p.Canvas, r)
	}
	if b.flagged {
		pos, up := vg.Point{X: (left + right) / 2, Y: p.AtY(high) + 2}, b.percent >= 0
		if !up {
			pos.Y = p.AtY(low) - 2
		}
		figure.WriteMark(p.Canvas, pos, figure.Dagger, up)
	}
}

// mostBars returns the number of bars in the fullest panel.
func (w falls) mostBars() int {
	most := 1
	for _, f := range w.panels {
		most = max(most, len(f.bars))
	}
	return most
}

// armRows shows the arm of each bar below the panel: its mark, or a stroke if bars are thin.
func (w falls) armRows(p figure.Panel, f fall, labelled bool) {
	for arm := range w.arms {
		y := p.Area.Min.Y - 5 - (vg.Length(arm)+0.5)*fallRow
		sign := figure.SignOf(arm)
		if labelled {
			p.DrawGlyphNoClip(sign.Mark(figure.MarkRadius*0.9, false),
				vg.Point{X: p.Area.Min.X - 4 - 2*figure.MarkRadius, Y: y})
		}
		for n, b := range f.bars {
			left, right := p.AtX(float64(n)), p.AtX(float64(n+1))
			switch {
			case b.arm != arm:
			case p.Area.Size().X/vg.Length(w.mostBars()) >= 3: // in all panels or in none
				p.DrawGlyphNoClip(sign.Mark(min(figure.MarkRadius*0.8, 0.45*(right-left)), false),
					vg.Point{X: (left + right) / 2, Y: y})
			default:
				figure.FillRect(p.Canvas, sign.Colour,
					vg.Rectangle{Min: vg.Point{X: left, Y: y - 2.5}, Max: vg.Point{X: right, Y: y + 2.5}})
			}
		}
	}
}
