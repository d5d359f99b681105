package figures

import (
	"fmt"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial"
)

// flow draws the flow of participants as CONSORT has it: screened, excluded by reason, randomised, and for each arm
// those in the trial at each visit, those who left by reason, and those who were analysed. Screening is drawn if the
// plan gives its numbers.
func flow(a trial.Analysis, _ family, _ Options) ([]figure.Picture, error) {
	a, names := renamed(a)
	c := flowChart{Analysis: a, visits: flowVisits(a)}
	c.frame = frame{Picture: figure.Picture{Name: "flow", Title: "Flow of participants"}}
	c.Caption = fmt.Sprintf("Flow of %s. In the trial: participants with a value of any endpoint at this or a later "+
		"visit. Analysed: those with T2 at baseline and at a later visit in at least one compartment; the mixed model "+
		"also uses participants who left later.", population(a.Design))
	if len(c.visits) < len(a.Design.Visits) {
		c.Caption += " Of many visits, the first, the last and those after which most participants left are shown."
	}
	if names.note != "" {
		c.Caption += " " + names.note
	}
	p, err := c.render(c.measure(), c.paint)
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

// flowChart has the boxes of the flow.
type flowChart struct {
	frame
	trial.Analysis
	visits []int
}

// flowVisits returns the visits that are shown: all or, of many, the first, the last, and those at which most
// participants had left.
func flowVisits(a trial.Analysis) []int {
	var all []int
	left := make([]int, len(a.Design.Visits))
	for v := range a.Design.Visits {
		all = append(all, v)
		for _, f := range a.Flow {
			for _, e := range f.Visits[v].Left {
				left[v] += e.N
			}
		}
	}
	if len(all) <= flowMost {
		return all
	}
	last := len(all) - 1
	middle := all[1:last]
	slices.SortStableFunc(middle, func(v, w int) int { return left[w] - left[v] })
	middle = slices.Sorted(slices.Values(middle[:flowMost-2]))
	return append(append([]int{0}, middle...), last)
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
	all := slices.Clone(c.Plan.Excluded)
	known := len(c.Design.Subjects)
	for _, e := range all {
		known += e.N
	}
	if rest := c.Plan.Screened - known; rest > 0 {
		all = append(all, trial.Exclusion{Reason: word(len(all) == 0, "reason not given", "other reasons"), N: rest})
	}
	return reasonLines("Not randomised", all, flowWidest-20)
}

// columnWidth is the width of the boxes of an arm.
func (c flowChart) columnWidth() vg.Length {
	arms := vg.Length(len(c.Flow))
	return min((bodyWidth-flowArms*(arms-1))/arms, flowWidest)
}

// beside returns the lines beside the arrow to the n-th visit, or at the end to those analysed.
func (c flowChart) beside(arm, n int) []string {
	return reasonLines("Left", c.left(arm, n), c.columnWidth()*0.75-6)
}

// gap is the height of the arrows to the n-th visit.
func (c flowChart) gap(n int) vg.Length {
	most := 0
	for arm := range c.Flow {
		most = max(most, len(c.beside(arm, n)))
	}
	return max(flowGap, vg.Length(most)*noteRow+6)
}

func boxHeight(lines int) vg.Length { return vg.Length(lines)*noteRow + 2*flowInset }

// screening is the height of the boxes above the arms.
func (c flowChart) screening() vg.Length {
	height := boxHeight(1) + 2*flowGap
	if c.Plan.Screened > 0 || len(c.Plan.Excluded) > 0 {
		height += boxHeight(1) + max(flowGap, boxHeight(len(c.excluded()))+8)
	}
	return height
}

func (c flowChart) measure() vg.Length {
	height := c.screening() + boxHeight(2) + flowGap + boxHeight(2)
	for n := range c.visits {
		height += c.gap(n) + boxHeight(1)
	}
	return height + 4
}

// box draws centred lines in a box with its top at y, and returns its bottom.
func box(c draw.Canvas, left, width, y vg.Length, lines ...string) vg.Length {
	r := vg.Rectangle{Min: vg.Point{X: left, Y: y - boxHeight(len(lines))}, Max: vg.Point{X: left + width, Y: y}}
	strokeRect(c, draw.LineStyle{Color: figure.Ink, Width: 0.7}, r)
	for n, line := range lines {
		style := figure.Align(small, figure.Center, figure.Middle)
		figure.Write(c, style, vg.Point{X: left + width/2, Y: y - flowInset - (vg.Length(n)+0.5)*noteRow},
			figure.Fit(small, line, width-2*flowInset))
	}
	return r.Min.Y
}

// arrow draws an arrow from (x, y) to (x2, y2), horizontal or downwards.
func arrow(c draw.Canvas, start, tip vg.Point) {
	line := draw.LineStyle{Color: figure.Ink, Width: 0.7}
	c.StrokeLine2(line, start.X, start.Y, tip.X, tip.Y)
	outward := vg.Point{Y: -1}
	if tip.Y == start.Y {
		outward = vg.Point{X: 1}
	}
	endBar(c, line, barEnd{tip: tip, outward: outward, half: 2, cut: true})
}

// paint draws the boxes.
func (c flowChart) paint(canvas draw.Canvas, body vg.Rectangle) {
	line := draw.LineStyle{Color: figure.Ink, Width: 0.7}
	middle, y := (body.Min.X+body.Max.X)/2, body.Max.Y-2
	const width = 130
	if excluded := c.excluded(); c.Plan.Screened > 0 || len(excluded) > 0 {
		screened := "Screened"
		if c.Plan.Screened > 0 {
			screened = fmt.Sprintf("Screened: %d", c.Plan.Screened)
		}
		bottom := box(canvas, middle-width/2, width, y, screened)
		y = bottom - max(flowGap, boxHeight(len(excluded))+8)
		arrow(canvas, vg.Point{X: middle, Y: bottom}, vg.Point{X: middle, Y: y})
		if len(excluded) > 0 {
			side := bottom - (bottom-y)/2
			arrow(canvas, vg.Point{X: middle, Y: side}, vg.Point{X: middle + 12, Y: side})
			box(canvas, middle+12, body.Max.X-middle-12, side+boxHeight(len(excluded))/2, excluded...)
		}
	}
	y = box(canvas, middle-width/2, width, y, fmt.Sprintf("Randomised: %d", len(c.Design.Subjects)))
	column := c.columnWidth()
	arms := vg.Length(len(c.Flow))
	left := middle - (column*arms+flowArms*(arms-1))/2
	across := y - flowGap
	canvas.StrokeLine2(line, middle, y, middle, across)
	canvas.StrokeLine2(line, left+column/2, across, left+(column+flowArms)*(arms-1)+column/2, across)
	for arm := range c.Flow {
		x := left + vg.Length(arm)*(column+flowArms)
		arrow(canvas, vg.Point{X: x + column/2, Y: across}, vg.Point{X: x + column/2, Y: across - flowGap})
		c.arm(canvas, arm, vg.Point{X: x, Y: across - flowGap})
	}
}

// arm draws the column of an arm with its top left corner.
func (c flowChart) arm(canvas draw.Canvas, arm int, corner vg.Point) {
	f, width := c.Flow[arm], c.columnWidth()
	name := fitAll(small, c.Design.Arms, width-2*flowInset)[arm]
	y := box(canvas, corner.X, width, corner.Y, name, fmt.Sprintf("Randomised: %d", f.Planned))
	x := corner.X + width*0.2
	for n, v := range c.visits {
		next := y - c.gap(n)
		arrow(canvas, vg.Point{X: x, Y: y}, vg.Point{X: x, Y: next})
		for k, words := range c.beside(arm, n) {
			figure.Write(canvas, figure.Align(small, figure.Left, figure.Middle),
				vg.Point{X: x + 6, Y: y - 3 - (vg.Length(k)+0.5)*noteRow}, figure.Fit(small, words, width*0.8-6))
		}
		y = box(canvas, corner.X, width, next, fmt.Sprintf("%s, in the trial: %d",
			strings.TrimSpace(visitLabel(c.Design.Visits[v])), f.Visits[v].InTrial))
	}
	box(canvas, corner.X, width, y-flowGap, fmt.Sprintf("Analysed: %d", f.Analysed),
		fmt.Sprintf("of %d randomised", f.Planned))
}
