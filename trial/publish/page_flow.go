package publish

import (
	"fmt"
	"strings"

	"github.com/t2map/t2map/trial"
)

// flowView is the flow of participants through the trial, with a column for each arm.
type flowView struct {
	// Screened are the persons before the division into arms; Steps is nil if their number is not known.
	Screened flowStep
	Arms     []string
	Steps    []flowStep
	// MoreVisits has the visits that are not in the diagram, if there are many.
	MoreVisits grid
}

type flowStep struct {
	Name, Detail string
	Boxes        []flowBox
	// Hidden steps are in MoreVisits and not in the diagram.
	Hidden bool
}

type flowBox struct {
	N, Total string
	// Lines are below the number: those who left, and those with and without T2.
	Lines []string
}

// mostFlowSteps is the largest number of visits in the diagram; they fit on a page of A4.
const mostFlowSteps = 8

func newFlowView(a *trial.Analysis) flowView {
	v := flowView{}
	if a.Plan.Screened > 0 {
		v.Screened = flowStep{Name: "Screened", Boxes: []flowBox{{N: thousands(a.Plan.Screened),
			Lines: reasonLines("excluded", a.Plan.Excluded)}}}
	}
	first := flowStep{Name: "Randomised", Detail: "in the design"}
	if len(a.Design.Arms) < 2 {
		first.Name = "Planned"
	}
	analysed := flowStep{Name: "Analysed", Detail: "baseline and a later T2" + inSet(a)}
	steps := make([]flowStep, len(a.Design.Visits))
	for i, visit := range a.Design.Visits {
		steps[i] = flowStep{Name: called(visit.Name), Detail: "month " + months(visit.Month)}
		if i == 0 && !strings.EqualFold(visit.Name, "baseline") {
			steps[i].Detail = "baseline, " + steps[i].Detail
		}
		steps[i].Hidden = len(steps) > mostFlowSteps && i > 0 && i < len(steps)-1
	}
	for arm, f := range a.Flow {
		v.Arms = append(v.Arms, called(a.Design.Arms[arm]))
		first.Boxes = append(first.Boxes, flowBox{N: thousands(f.Planned)})
		analysed.Boxes = append(analysed.Boxes, flowBox{N: thousands(f.Analysed), Total: thousands(f.Planned)})
		for i := range steps {
			steps[i].Boxes = append(steps[i].Boxes, newFlowBox(f.Visits[i], f.Planned))
		}
	}
	v.Steps = append(append([]flowStep{first}, steps...), analysed)
	v.MoreVisits = moreVisitsGrid(v)
	return v
}

// moreVisitsGrid returns the steps that the diagram does not show.
func moreVisitsGrid(v flowView) grid {
	g := grid{Heads: append(heads("Visit", ""), heads(v.Arms...)...)}
	block := group{}
	for _, s := range v.Steps {
		if !s.Hidden {
			continue
		}
		r := row{Cells: []cell{{Text: s.Name}, {Text: s.Detail, Class: "soft"}}}
		for _, b := range s.Boxes {
			r.Cells = append(r.Cells, cell{Text: strings.Join(append([]string{b.N + " of " + b.Total}, b.Lines...), "; ")})
		}
		block.Rows = append(block.Rows, r)
	}
	if len(block.Rows) == 0 {
		return g
	}
	g.Groups = []group{block}
	g = g.finish("flow.csv")
	g.Fold, g.Summary = true, "the "+plural(len(block.Rows), "visit", "visits")+" between"
	return g
}

func newFlowBox(f trial.FlowVisit, planned int) flowBox {
	b := flowBox{N: thousands(f.InTrial), Total: thousands(planned), Lines: reasonLines("left", f.Left)}
	if f.Planned {
		b.Lines = append(b.Lines, "T2: "+thousands(f.Present)+" of "+thousands(planned))
		b.Lines = append(b.Lines, reasonLines("no T2", listOf(f.Missing, func(r trial.ReasonCount) trial.Exclusion {
			return trial.Exclusion{Reason: r.Reason.String(), N: r.N}
		}))...)
	}
	return b
}

// reasonLines returns "left: 2 (no later data)" for each reason, or for the first of many.
func reasonLines(word string, all []trial.Exclusion) []string {
	const most = 4 // reasons in a box
	var lines []string
	rest := 0
	for i, e := range all {
		if i < most {
			lines = append(lines, fmt.Sprintf("%s: %s (%s)", word, thousands(e.N), called(e.Reason)))
		} else {
			rest += e.N
		}
	}
	if rest > 0 {
		lines = append(lines, fmt.Sprintf("%s: %s (other reasons)", word, thousands(rest)))
	}
	return lines
}
