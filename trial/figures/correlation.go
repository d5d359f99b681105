package figures

import (
	"cmp"
	"fmt"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial"
)

// correlations draws the change of T2 against the change of another endpoint, in a panel for each pair
// with a correlation within arms or over all subjects: at the primary visit or, if there is none at
// that visit, at every visit.
//
// A treatment that changes both endpoints causes a correlation over all subjects even if the endpoints are
// not related in either arm. Therefore the correlation within arms comes first.
func correlations(a trial.Analysis, _ family, _ Options) ([]figure.Picture, error) {
	a, names := renamed(a)
	chosen, all := chooseCorrelations(a)
	if len(chosen) == 0 {
		return nil, nil
	}
	flags := newFlagged(names)
	s := scatters{arms: a.Design.Arms}
	hasWithin := false
	for _, c := range chosen {
		s.panels = append(s.panels, newScatter(a, c, flags))
		hasWithin = hasWithin || c.withinArms != nil
	}
	s.Frame = newFrame("correlation", "Change of T2 against change of other endpoints",
		fmt.Sprintf("Changes from baseline, one mark per participant who has both: that of T2 upwards, that of "+
			"the other endpoint across. ρ is Spearman's rank correlation with its %s confidence interval",
			percentOf(a.Plan.Level)))
	if hasWithin {
		s.Caption += ": within arms, the partial one given the arm; over all participants it includes the difference " +
			"between arms"
	}
	s.Caption += "."
	if len(chosen) < all {
		s.Caption += " Of many pairs, those of the primary compartments are shown."
	}
	s.Legend = figure.MarkSymbols(a.Design.Arms)
	flags.annotate(&s.Frame)
	return s.pictures()
}

// pairing has the correlations of two endpoints at a visit. One of them may be nil.
type pairing struct {
	x, y, visit             int
	withinArms, allSubjects *trial.Correlation
}

// mostPairs is the number of pairs above which only those of the primary compartments are drawn: three pictures.
const mostPairs = 18

// chooseCorrelations returns the correlations at the visit of each pair, and the number of all such pairs: if there
// are more than mostPairs, only those of compartments with a primary contrast. The compartments of one score follow
// each other.
func chooseCorrelations(a trial.Analysis) (pairs []pairing, all int) {
	for i := range a.Correlations {
		c := &a.Correlations[i]
		if c.Arm != trial.WithinArms && c.Arm != trial.AllSubjects {
			continue
		}
		n := slices.IndexFunc(pairs, func(p pairing) bool { return p.x == c.X && p.y == c.Y && p.visit == c.Visit })
		if n < 0 {
			n, pairs = len(pairs), append(pairs, pairing{x: c.X, y: c.Y, visit: c.Visit})
		}
		if c.Arm == trial.WithinArms {
			pairs[n].withinArms = c
		} else {
			pairs[n].allSubjects = c
		}
	}
	pairs = slices.DeleteFunc(pairs, func(p pairing) bool { return p.visit != a.CorrelationVisit(p.x, p.y) })
	all = len(pairs)
	primary := func(p pairing) bool {
		return slices.ContainsFunc(a.Design.Primary, func(t trial.Target) bool { return t.Endpoint == a.Endpoints[p.x].Name })
	}
	if all > mostPairs && slices.ContainsFunc(pairs, primary) {
		pairs = slices.DeleteFunc(pairs, func(p pairing) bool { return !primary(p) })
	}
	slices.SortStableFunc(pairs, func(p, q pairing) int {
		return cmp.Or(cmp.Compare(p.y, q.y), cmp.Compare(p.visit, q.visit), cmp.Compare(p.x, q.x))
	})
	return pairs, all
}

// words returns the correlations in two lines above a panel; the second may be empty. They end with the
// number of subjects.
func (p pairing) words() (first, second string) {
	rho := func(subjects string, c *trial.Correlation) string {
		if !figure.Drawable(c.Rho.Estimate) {
			return subjects + " ρ: " + cmp.Or(c.Reason, "–")
		}
		n := func(x float64) string { return figure.Number(x, 2) }
		return fmt.Sprintf("%s ρ = %s [%s, %s]", subjects, n(c.Rho.Estimate), n(c.Rho.Low), n(c.Rho.High))
	}
	if p.withinArms == nil {
		return fmt.Sprintf("%s, n = %d", rho("all participants", p.allSubjects), p.allSubjects.N), ""
	}
	if p.allSubjects == nil {
		return rho("within arms", p.withinArms), fmt.Sprintf("n = %d", p.withinArms.N)
	}
	n := fmt.Sprintf("n = %d", p.withinArms.N)
	if p.allSubjects.N != p.withinArms.N {
		n += fmt.Sprintf(" and %d", p.allSubjects.N)
	}
	return rho("within arms", p.withinArms), rho("all participants", p.allSubjects) + ", " + n
}

// scatters are the panels of the figure.
type scatters struct {
	figure.Frame
	arms   []string
	panels []scatter
}

// scatter is one panel.
type scatter struct {
	title         string
	words, second string // the correlation
	x, y          string // names of the axes
	xLog, yLog    bool
	points        []pair
}

type pair struct {
	x, y    float64
	arm     int
	flagged bool
}

// Sizes of scatters in points.
const (
	scatterHeight = 92
	scatterLines  = 2 * figure.NoteRow // the correlation
	wideColumns   = 2                  // panels with sentences above them
)

func newScatter(a trial.Analysis, c pairing, flags *flagged) scatter {
	t2, other := a.Endpoints[c.x], a.Endpoints[c.y]
	s := scatter{
		title: fmt.Sprintf("%s, %s", t2.Title, visitInText(a.Design.Visits[c.visit])),
		x:     withUnit("Change of "+other.Title, other.Unit), xLog: other.Log,
		y: withUnit("Change of T2", t2.Unit), yLog: t2.Log,
	}
	if other.Log {
		s.x = "Ratio of " + other.Title + " to baseline"
	}
	if t2.Log {
		s.y = "Ratio of T2 to baseline"
	}
	s.words, s.second = c.words()
	for n, subject := range a.Design.Subjects {
		p := pair{x: other.Changes[n][c.visit].Scaled, y: t2.Changes[n][c.visit].Scaled, arm: subject.Arm}
		if !figure.Drawable(p.x) || !figure.Drawable(p.y) {
			continue
		}
		for _, e := range []trial.EndpointAnalysis{t2, other} {
			touched := flags.touch(e.Values[n][0].Flags, e.Values[n][c.visit].Flags)
			p.flagged = p.flagged || touched
		}
		s.points = append(s.points, p)
	}
	return s
}

func (s scatters) pictures() ([]figure.Picture, error) {
	var axes []figure.Range
	var titles, names []string
	for _, p := range s.panels {
		_, y := p.ranges()
		axes, titles, names = append(axes, y), append(titles, p.title), append(names, p.x)
	}
	g := figure.PanelGrid{Panels: len(s.panels), Columns: wideColumns, Each: true, Right: 14,
		Left:   figure.TickRoom(axes...),
		Height: figure.PanelTitle + scatterLines + scatterHeight + figure.PanelFoot + figure.PanelRowGap}
	titles, names = figure.FitAll(strong, titles, g.Width()+g.Left), figure.FitAll(small, names, g.Width()+g.Left)
	return s.DrawPanels(g, func(c draw.Canvas, place figure.Slot) {
		p := s.panels[place.Panel]
		p.title, p.x = titles[place.Panel], names[place.Panel]
		p.paint(place.Place(c, figure.PanelTitle+scatterLines, scatterHeight), g.Left)
	})
}

// ranges returns the ranges of the axes: all points, and 0.
func (s scatter) ranges() (xAxis, yAxis figure.Range) {
	x, y := []float64{0}, []float64{0}
	for _, q := range s.points {
		x, y = append(x, q.x), append(y, q.y)
	}
	xAxis, _ = figure.Cover(x...)
	yAxis, _ = figure.Cover(y...)
	xAxis.Log, yAxis.Log = s.xLog, s.yLog
	return xAxis.Pad(0.08), yAxis.Pad(0.08)
}

// paint draws the panel, with lines at 0.
func (s scatter) paint(p figure.Panel, left vg.Length) {
	p.X, p.Y = s.ranges()
	corner := vg.Point{X: p.Area.Min.X - left, Y: p.Area.Max.Y + figure.TextGap}
	for n, words := range []string{s.second, s.words} {
		figure.Write(p.Canvas, small, vg.Point{X: corner.X, Y: corner.Y + vg.Length(n)*figure.NoteRow},
			figure.Fit(small, words, left+p.Area.Size().X+8))
	}
	figure.Write(p.Canvas, strong, vg.Point{X: corner.X, Y: corner.Y + scatterLines}, s.title)
	p.AxisY(true)
	p.AxisX()
	p.LineY(figure.SoftLine, 0)
	p.LineX(figure.SoftLine, 0)
	p.NameX(s.x)
	p.NameY(left, small, s.y)
	if len(s.points) == 0 {
		p.Remark("no values")
	}
	for _, q := range s.points {
		pos := p.At(q.x, q.y)
		p.DrawGlyphNoClip(figure.SignOf(q.arm).Mark(2.2, false), pos)
		if q.flagged {
			figure.WriteMark(p.Canvas, vg.Point{X: pos.X + 5, Y: pos.Y + 0.5}, figure.Dagger, true)
		}
	}
}
