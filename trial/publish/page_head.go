package publish

import (
	"fmt"
	"math"
	"slices"
	"strings"

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
	add := func(name string, text func(arm int) string) {
		r := row{Cells: []cell{{Text: name}}}
		known := false
		for arm := range groups {
			c := num(text(arm), "not in the design")
			known = known || c.Text != dash
			r.Cells = append(r.Cells, c)
		}
		if known {
			rows.Rows = append(rows.Rows, r)
		}
	}
	add("Participants", func(arm int) string { return thousands(len(groups[arm])) })
	for _, c := range a.Characteristics {
		add(characteristicNames[c.Name]+", mean ± SD", func(arm int) string {
			return meanText(c.Arms[arm], 1, len(groups[arm]))
		})
	}
	for _, f := range []struct {
		name  string
		level func(trial.Subject) string
	}{{"Sex", func(s trial.Subject) string { return s.Sex }}, {"Side", func(s trial.Subject) string { return s.Side }},
		{"Site", func(s trial.Subject) string { return s.Site }},
		{"Stratum", func(s trial.Subject) string { return s.Stratum }}} {
		add(f.name, func(arm int) string { return levelCounts(mapped(groups[arm], f.level)) })
	}
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

// characteristicNames are the names of trial.Characteristic with their units.
var characteristicNames = map[string]string{"age": "Age (years)", "bmi": "BMI (kg/m²)"}

// baselineText describes the values of an arm, with n if some are missing.
func baselineText(e *trial.EndpointAnalysis, c trial.Cell) string {
	if e.Log {
		return withInterval(c.Value.Median, c.Value.Q1, c.Value.Q3, e.Decimals()) + ofSome(c.Value.N, c.Value.N+c.Missing)
	}
	return meanText(c.Value, e.Decimals(), c.Value.N+c.Missing)
}

// meanText prints mean ± SD, with n if that is less than all.
func meanText(d trial.Description, decimals, all int) string {
	if d.N == 0 {
		return dash
	}
	text := figure.Number(d.Mean, decimals)
	if !math.IsNaN(d.SD) {
		text += "\u00a0±\u00a0" + figure.Number(d.SD, decimals)
	}
	return text + ofSome(d.N, all)
}

// ofSome returns " (n = 11)" if n is not all and not 0.
func ofSome(n, all int) string {
	if n == 0 || n == all {
		return ""
	}
	return fmt.Sprintf(" (n = %d)", n)
}

// levelCounts counts the subjects at each level of a factor, or at the first of many levels.
func levelCounts(levels []string) string {
	const most = 6
	n := map[string]int{}
	var order []string
	for _, l := range levels {
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
