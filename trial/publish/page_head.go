package publish

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial"
)

// headlines returns a headline for each primary contrast, and the sentence above them.
func headlines(a *trial.Analysis) (lead string, lines []headline) {
	for i := range a.Endpoints {
		e := &a.Endpoints[i]
		for _, c := range e.Contrasts {
			if c.Primary {
				lines = append(lines, newHeadline(a, e, c))
			}
		}
	}
	switch {
	case len(lines) == 0 && len(a.Design.Arms) < 2:
		return "One arm: there is no comparison. The report describes its change over the visits.", nil
	case len(lines) == 0 && len(a.Design.Visits) < 2:
		return "One visit: there is no change to compare.", nil
	case len(lines) == 0:
		return "There is no primary contrast. The tables have all comparisons.", nil
	case len(lines) == 1:
		return "Primary result", lines
	}
	return "Primary results", lines
}

func newHeadline(a *trial.Analysis, e *trial.EndpointAnalysis, c trial.Contrast) headline {
	h := headline{
		Contrast: fmt.Sprintf("%s, change to %s, %s − %s", titleOf(e), called(a.Design.Visits[c.Visit].Name),
			called(a.Design.Arms[c.Arm]), called(a.Design.Arms[0])),
	}
	if e.Model.Failed != "" {
		h.Result, h.Detail = "no model", called(e.Model.Failed)+
			"; other tests of the contrast are under “Supporting tests”"
		return h
	}
	m := c.Model
	if math.IsNaN(m.Value) {
		h.Result, h.Detail = "no estimate",
			fmt.Sprintf("%s; changes of %d in the arm and %d in the reference", called(absent(a, e.Model, c.Visit)),
				c.N, c.NReference)
		return h
	}
	d := e.Decimals()
	h.Result = fmt.Sprintf("%s%s [%s CI %s to %s], %s", figure.Number(m.Value, d), spaced(e), percentOf(a.Plan.Level),
		figure.Number(m.Low, d), figure.Number(m.High, d), pIs(m.P))
	arm, reference := e.Model.SubjectsAt(c.Arm, c.Visit), e.Model.SubjectsAt(0, c.Visit)
	n := fmt.Sprintf("n = %d and %d", arm, reference)
	if arm != c.N || reference != c.NReference {
		n += fmt.Sprintf(" in the model, of %d and %d with a change", c.N, c.NReference)
	}
	details := []string{n}
	if family := familyOf(a); family > 1 && !math.IsNaN(c.Holm) {
		details = append(details, fmt.Sprintf("adjusted over %s %s (Holm)", holmOver(family), pIs(c.Holm)))
	}
	fit := "mixed model, " + e.Model.Covariance.String() + " covariance"
	if len(e.Model.Rejected) > 0 {
		fit += " (planned: " + a.Plan.Covariance.String() + ", which could not be fitted)"
	}
	details = append(details, fit+", "+e.Model.DF.String()+", "+figure.Number(m.DF, dfDecimals)+" degrees of freedom",
		caution(e.Model), omissionText(a, e.Model))
	h.Detail = called(strings.Join(nonEmpty(details), "; "))
	return h
}

// flowView is the flow of participants through the trial, with a column for each arm.
type flowView struct {
	Arms  []string
	Steps []flowStep
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
	Missing  []string
}

// mostFlowSteps is the largest number of visits in the diagram; they fit on a page of A4.
const mostFlowSteps = 8

func newFlowView(a *trial.Analysis) flowView {
	v := flowView{}
	planned := flowStep{Name: "Planned", Detail: "in the design"}
	analysed := flowStep{Name: "Analysed", Detail: "baseline and a later visit"}
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
		planned.Boxes = append(planned.Boxes, flowBox{N: thousands(f.Planned)})
		analysed.Boxes = append(analysed.Boxes, flowBox{N: thousands(f.Analysed), Total: thousands(f.Planned)})
		for i := range steps {
			steps[i].Boxes = append(steps[i].Boxes, newFlowBox(f.Visits[i], f.Planned))
		}
	}
	v.Steps = append(append([]flowStep{planned}, steps...), analysed)
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
			text := b.N
			if b.Total != "" {
				text += " of " + b.Total
			}
			r.Cells = append(r.Cells, cell{Text: strings.Join(append([]string{text}, b.Missing...), "; ")})
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
	const most = 4 // reasons in a box
	b := flowBox{N: thousands(f.Present), Total: thousands(planned)}
	rest := 0
	for i, m := range f.Missing {
		if i < most {
			b.Missing = append(b.Missing, called(m.Reason.String())+": "+thousands(m.N))
		} else {
			rest += m.N
		}
	}
	if rest > 0 {
		b.Missing = append(b.Missing, "other reasons: "+thousands(rest))
	}
	return b
}

// peopleGrid describes the participants of each arm at the start.
func peopleGrid(a *trial.Analysis) grid {
	g := grid{Class: "people"}
	g.Heads = append(heads(""), numericHeads(mapped(a.Design.Arms, called)...)...)
	groups := make([][]trial.Subject, len(a.Design.Arms))
	for _, s := range a.Design.Subjects {
		groups[s.Arm] = append(groups[s.Arm], s)
	}
	rows := group{}
	add := func(name string, text func([]trial.Subject) string) {
		r := row{Cells: []cell{{Text: name}}}
		known := false
		for _, subjects := range groups {
			c := num(text(subjects), "not in the design")
			known = known || c.Text != dash
			r.Cells = append(r.Cells, c)
		}
		if known {
			rows.Rows = append(rows.Rows, r)
		}
	}
	add("Participants", func(s []trial.Subject) string { return thousands(len(s)) })
	add("Age (years), mean ± SD", meanOf(func(s trial.Subject) float64 { return s.Age }))
	add("BMI (kg/m²), mean ± SD", meanOf(func(s trial.Subject) float64 { return s.BMI }))
	add("Sex", levelsOf(func(s trial.Subject) string { return s.Sex }))
	add("Side", levelsOf(func(s trial.Subject) string { return s.Side }))
	add("Site", levelsOf(func(s trial.Subject) string { return s.Site }))
	add("Stratum", levelsOf(func(s trial.Subject) string { return s.Stratum }))
	g.Groups = []group{rows}
	return g.explained("")
}

// meanOf returns a function that prints mean ± SD of the known values, with n if some are not known.
func meanOf(x func(trial.Subject) float64) func([]trial.Subject) string {
	return func(subjects []trial.Subject) string {
		var known []float64
		for _, s := range subjects {
			if !math.IsNaN(x(s)) {
				known = append(known, x(s))
			}
		}
		if len(known) == 0 {
			return dash
		}
		text := figure.Number(stat.Mean(known, nil), 1)
		if len(known) > 1 {
			text += " ± " + figure.Number(stat.StdDev(known, nil), 1)
		}
		if len(known) < len(subjects) {
			text += fmt.Sprintf(" (n = %d)", len(known))
		}
		return text
	}
}

// levelsOf returns a function that prints the number of subjects at each level of a factor, or at the first
// of many levels.
func levelsOf(level func(trial.Subject) string) func([]trial.Subject) string {
	return func(subjects []trial.Subject) string {
		const most = 6
		n := map[string]int{}
		var order []string
		for _, s := range subjects {
			l := level(s)
			if l == "" {
				continue
			}
			if n[l] == 0 {
				order = append(order, l)
			}
			n[l]++
		}
		if len(order) == 0 {
			return dash
		}
		slices.Sort(order) // the same in every arm
		var parts []string
		for i, l := range order {
			if i == most {
				parts = append(parts, fmt.Sprintf("%d more", len(order)-most))
				break
			}
			parts = append(parts, fmt.Sprintf("%s: %d", called(l), n[l]))
		}
		return strings.Join(parts, ", ")
	}
}
