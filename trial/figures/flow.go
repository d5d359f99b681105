package figures

import (
	"fmt"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial"
)

// flow draws the flow of participants as CONSORT has it: screened, excluded by reason, randomised, and for each arm
// those in the trial at each visit, those who left by reason, and those who were analysed. Screening is drawn if the
// plan gives its numbers.
func flow(a trial.Analysis, _ family, _ Options) ([]figure.Picture, error) {
	a, names := renamed(a)
	c := flowChart{Analysis: a, visits: flowVisits(a)}
	c.Frame = newFrame("flow", "Flow of participants", fmt.Sprintf("Flow of %s. In the trial: participants who were seen "+
		"at this or a later visit. Analysed: those with a change at any visit in the mixed model of a primary endpoint, "+
		"among them participants who left later.", population(a.Design)))
	if len(c.visits) < len(a.Design.Visits) {
		c.Caption += " Of many visits, the first and the last are shown."
	}
	if names.note != "" {
		c.Caption += " " + names.note
	}
	// Drawn on a canvas without a page, the boxes show how high the page has to be.
	none := draw.NewCanvas(new(recorder.Canvas), figure.BodyWidth, 0)
	height := -c.paint(none, vg.Rectangle{Max: vg.Point{X: figure.BodyWidth}})
	p, err := c.Draw(height+2, func(canvas draw.Canvas, body vg.Rectangle) { c.paint(canvas, body) })
	return []figure.Picture{p}, err
}

// Sizes of the flow in points.
const (
	flowGap    = 14 // between boxes
	flowInset  = 5
	flowMost   = 8 // visits
	flowLines  = 6 // of reasons
	flowWidest = 190
	flowArms   = 10 // between columns
)

var flowLine = draw.LineStyle{Color: figure.Ink, Width: 0.7}

// flowChart has the boxes of the flow.
type flowChart struct {
	figure.Frame
	trial.Analysis
	visits []int
}

// flowVisits returns the visits that are shown: all or, of many, the first and the last.
func flowVisits(a trial.Analysis) []int {
	if last := len(a.Design.Visits) - 1; last >= flowMost {
		return []int{0, last}
	}
	var all []int
	for v := range a.Design.Visits {
		all = append(all, v)
	}
	return all
}

// left lists those who left after the shown visit before v, until v, by reason.
func (c flowChart) left(arm, n int) []trial.Exclusion {
	first := 0
	if n > 0 {
		first = c.visits[n-1] + 1
	}
	var all []trial.Exclusion
	for v := first; v <= c.visits[n]; v++ {
		for _, e := range c.Flow[arm].Visits[v].Left {
			i := slices.IndexFunc(all, func(o trial.Exclusion) bool { return o.Reason == e.Reason })
			if i < 0 {
				i, all = len(all), append(all, trial.Exclusion{Reason: e.Reason})
			}
			all[i].N += e.N
		}
	}
	return all
}

// reasonLines writes a number of persons and their reasons into lines of a width.
func reasonLines(words string, all []trial.Exclusion, width vg.Length) []string {
	if len(all) == 0 {
		return nil
	}
	total := 0
	var parts []string
	for _, e := range all {
		total += e.N
		parts = append(parts, fmt.Sprintf("%d %s", e.N, short(e.Reason)))
	}
	lines := []string{fmt.Sprintf("%s: %d", words, total)}
	for _, part := range parts {
		lines = append(lines, figure.Wrap(small, part, width, 2)...)
	}
	if len(lines) > flowLines {
		lines = append(lines[:flowLines-1:flowLines-1], "and others")
	}
	return lines
}

// excluded returns the lines beside the box of the persons screened.
func (c flowChart) excluded() []string {
	return reasonLines("Not randomised", c.Plan.Excluded, flowWidest-20)
}

// columnWidth is the width of the boxes of an arm.
func (c flowChart) columnWidth() vg.Length {
	arms := vg.Length(len(c.Flow))
	return min((figure.BodyWidth-flowArms*(arms-1))/arms, flowWidest)
}

// beside returns the lines beside the arrow to the n-th visit, or at the end to those analysed.
func (c flowChart) beside(arm, n int) []string {
	return reasonLines("Left", c.left(arm, n), c.columnWidth()*0.75-6)
}

// gap is the height of the arrows to the n-th visit, the same in all arms.
func (c flowChart) gap(n int) vg.Length {
	height := vg.Length(flowGap)
	for arm := range c.Flow {
		height = max(height, vg.Length(len(c.beside(arm, n)))*figure.NoteRow+6)
	}
	return height
}

func boxHeight(lines []string) vg.Length { return vg.Length(len(lines))*figure.NoteRow + 2*flowInset }

// box draws centred lines in a box with its top left corner, and returns its bottom.
func box(c draw.Canvas, corner vg.Point, width vg.Length, lines ...string) vg.Length {
	r := vg.Rectangle{Min: vg.Point{X: corner.X, Y: corner.Y - boxHeight(lines)},
		Max: vg.Point{X: corner.X + width, Y: corner.Y}}
	figure.StrokeRect(c, flowLine, r)
	for n, line := range lines {
		figure.Write(c, figure.Align(small, figure.Center, figure.Middle),
			vg.Point{X: corner.X + width/2, Y: corner.Y - flowInset - (vg.Length(n)+0.5)*figure.NoteRow},
			figure.Fit(small, line, width-2*flowInset))
	}
	return r.Min.Y
}

// paint draws the boxes below the top of a body, and returns the bottom of the last.
func (c flowChart) paint(canvas draw.Canvas, body vg.Rectangle) vg.Length {
	middle, y := (body.Min.X+body.Max.X)/2, body.Max.Y-2
	down := func(x, start, end vg.Length) {
		figure.Arrow(canvas, flowLine, vg.Point{X: x, Y: start}, vg.Point{X: x, Y: end})
	}
	const width = 130
	if excluded := c.excluded(); c.Plan.Screened > 0 || len(excluded) > 0 {
		screened := "Screened"
		if c.Plan.Screened > 0 {
			screened = fmt.Sprintf("Screened: %d", c.Plan.Screened)
		}
		bottom := box(canvas, vg.Point{X: middle - width/2, Y: y}, width, screened)
		y = bottom - max(flowGap, boxHeight(excluded)+8)
		down(middle, bottom, y)
		if len(excluded) > 0 {
			side := vg.Point{X: middle + 12, Y: (bottom + y) / 2}
			figure.Arrow(canvas, flowLine, vg.Point{X: middle, Y: side.Y}, side)
			side.Y += boxHeight(excluded) / 2
			box(canvas, side, body.Max.X-side.X, excluded...)
		}
	}
	y = box(canvas, vg.Point{X: middle - width/2, Y: y}, width, fmt.Sprintf("Randomised: %d", len(c.Design.Subjects)))
	column, arms := c.columnWidth(), vg.Length(len(c.Flow))
	left := middle - (column*arms+flowArms*(arms-1))/2
	across := y - flowGap
	canvas.StrokeLine2(flowLine, middle, y, middle, across)
	canvas.StrokeLine2(flowLine, left+column/2, across, left+(column+flowArms)*(arms-1)+column/2, across)
	for arm := range c.Flow {
		x := left + vg.Length(arm)*(column+flowArms)
		down(x+column/2, across, across-flowGap)
		y = c.arm(canvas, arm, vg.Point{X: x, Y: across - flowGap})
	}
	return y
}

// visitLines returns the lines in the box of a visit: those in the trial and, where T2 is planned, those with and
// without T2.
func (c flowChart) visitLines(arm, visit int) []string {
	f := c.Flow[arm].Visits[visit]
	lines := []string{fmt.Sprintf("%s, in the trial: %d", visitLabel(c.Design.Visits[visit]), f.InTrial)}
	if !f.T2Planned {
		return lines
	}
	var missing []trial.Exclusion
	for _, m := range f.Missing {
		missing = append(missing, trial.Exclusion{Reason: m.Reason.String(), N: m.N})
	}
	lines = append(lines, fmt.Sprintf("with T2: %d", f.Present))
	return append(lines, reasonLines("without T2", missing, c.columnWidth()-2*flowInset)...)
}

// arm draws the column of an arm with its top left corner, and returns its bottom.
func (c flowChart) arm(canvas draw.Canvas, arm int, corner vg.Point) vg.Length {
	f, width := c.Flow[arm], c.columnWidth()
	name := figure.FitAll(small, c.Design.Arms, width-2*flowInset)[arm]
	corner.Y = box(canvas, corner, width, name, fmt.Sprintf("Randomised: %d", f.Randomised))
	for n, v := range c.visits {
		start := vg.Point{X: corner.X + width*0.2, Y: corner.Y}
		corner.Y -= c.gap(n)
		figure.Arrow(canvas, flowLine, start, vg.Point{X: start.X, Y: corner.Y})
		for k, words := range c.beside(arm, n) {
			figure.Write(canvas, figure.Align(small, figure.Left, figure.Middle),
				vg.Point{X: start.X + 6, Y: start.Y - 3 - (vg.Length(k)+0.5)*figure.NoteRow},
				figure.Fit(small, words, width*0.8-6))
		}
		lines := c.visitLines(arm, v)
		for other := range c.Flow { // boxes of a visit are equally high
			lines = append(lines, make([]string, max(0, len(c.visitLines(other, v))-len(lines)))...)
		}
		corner.Y = box(canvas, corner, width, lines...)
	}
	corner.Y -= flowGap
	lines := []string{fmt.Sprintf("Analysed: %d", f.Analysed), fmt.Sprintf("of %d randomised", f.Randomised)}
	if slices.ContainsFunc(c.Flow, func(f trial.Flow) bool { return f.OutsideSet > 0 }) {
		lines = append(lines, fmt.Sprintf("%d not in the analysis set", f.OutsideSet))
	}
	return box(canvas, corner, width, lines...)
}
