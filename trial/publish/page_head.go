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
	for e, c := range contrasts(a) {
		if c.Primary() {
			lines = append(lines, newHeadline(a, e, c))
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
		Contrast: fmt.Sprintf("%s, change to %s, %s", shownTitle(e), called(a.Design.Visits[c.Visit].Name),
			versus(a, e, c.Arm)),
	}
	if e.Model.Failed != "" {
		h.Result, h.Detail = "no model", called(e.Model.Failed)+
			"; other tests of the contrast are under “Supporting tests”"
		return h
	}
	m := e.Displayed(c.Model)
	if math.IsNaN(m.Value) {
		h.Result, h.Detail = "no estimate",
			fmt.Sprintf("%s; changes of %d in the arm and %d in the reference", called(absent(a, e.Model, c.Visit)),
				c.N, c.NReference)
		return h
	}
	d, family := shownDecimals(e), familySize(a, trial.PrimaryFamily)
	h.Result = fmt.Sprintf("%s%s [%s CI %s to %s], ", figure.Number(m.Value, d), spaced(e), percentOf(a.Plan.Level),
		figure.Number(m.Low, d), figure.Number(m.High, d))
	if family > 1 {
		h.Result += "adjusted "
	}
	h.Result += pIs(c.Holm)
	arm, reference := e.Model.SubjectsAt(c.Arm, c.Visit), e.Model.SubjectsAt(0, c.Visit)
	n := fmt.Sprintf("n = %d and %d", arm, reference)
	if arm != c.N || reference != c.NReference {
		n += fmt.Sprintf(" in the model, of %d and %d with a change", c.N, c.NReference)
	}
	details := []string{n}
	if family > 1 {
		details = append(details, fmt.Sprintf("%s before the adjustment over %d primary contrasts (Holm)", pIs(m.P),
			family))
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
	values := group{}
	for e := range endpoints(a) {
		cells := []cell{{Text: withUnit(e)}}
		for arm := range a.Design.Arms {
			c := e.Cells[arm][0]
			cells = append(cells, num(baselineText(e, c), noStatistic(c.Value.N)))
		}
		values.add(cells...)
	}
	g.Groups = []group{rows, values}
	g.Notes = []string{"Endpoints at baseline: mean ± SD, or median [Q1, Q3] on the log scale" + inSet(a) + "."}
	return g.explained("")
}

// baselineText describes the values of an arm, with n if some are missing.
func baselineText(e *trial.EndpointAnalysis, c trial.Cell) string {
	d := e.Decimals()
	text := figure.Number(c.Value.Mean, d)
	switch {
	case e.Log:
		text = withInterval(c.Value.Median, c.Value.Q1, c.Value.Q3, d)
	case !math.IsNaN(c.Value.SD):
		text += "\u00a0±\u00a0" + figure.Number(c.Value.SD, d)
	}
	if c.Missing > 0 && c.Value.N > 0 {
		text += fmt.Sprintf(" (n = %d)", c.Value.N)
	}
	return text
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
			text += "\u00a0±\u00a0" + figure.Number(stat.StdDev(known, nil), 1)
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
