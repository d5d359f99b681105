package publish

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial"
)

func responderSection(a *trial.Analysis) section {
	s := section{
		ID: "responders", Title: "Changes larger than repeatability",
		Lead: "Participants who changed by more than RC. If nothing changes between two scans, their values " +
			"differ by less than RC in 95 % of cases.",
	}
	g := grid{Heads: append(heads("Visit", "Arm"),
		numericHeads("n", "Below −RC", "Within", "Above RC", "SDC of the mean, %", "p, below", "p, above")...)}
	for e := range endpoints(a) {
		block := group{Name: fmt.Sprintf("%s, RC %s %%", withUnit(e), figure.Number(e.RC, percentDecimals))}
		for _, r := range e.Responders {
			block.addArms(a, e, r.Visit, func(arm int) []cell { return responderCells(r, arm) })
		}
		g.addGroup(block)
	}
	if g.rows() == 0 {
		return s
	}
	g.Notes = []string{"RC = 1.96·√2·wCV. SDC, the smallest detectable change of the arm’s mean: RC/√n. p: Fisher’s " +
		"exact test against the reference arm, two-sided, not adjusted."}
	s.Grids = []grid{g.finish("responders.csv")}
	return s
}

// responderCells returns the counts of an arm, and its tests against the reference.
func responderCells(r trial.Responders, arm int) []cell {
	n := r.Arms[arm]
	tests := slices.Repeat([]cell{{Text: "ref.", Num: true, Class: "soft"}}, 2)
	if arm > 0 {
		const reason = "an arm has no change to test"
		tests = []cell{num(figure.PValue(r.Decrease[arm-1]), reason), num(figure.PValue(r.Increase[arm-1]), reason)}
	}
	return append([]cell{num(thousands(n.N())), share(n.Decrease, n.N()), share(n.Within, n.N()),
		share(n.Increase, n.N()), num(figure.Number(n.SDC, percentDecimals), "nobody has a change")}, tests...)
}

// share prints a count k and its percentage of n.
func share(k, n int) cell {
	c := num(thousands(k))
	if n > 0 {
		c.Text += fmt.Sprintf(" (%.0f %%)", 100*float64(k)/float64(n))
	}
	return c
}

// correlationLead explains the three kinds of correlations, the most informative first.
const correlationLead = " Within arms: partial correlation given the arm, without the difference between the arms. " +
	"All participants: regardless of arm; a treatment that changes both endpoints causes a correlation by itself."

// withinFirst sorts the correlations of each pair and visit: within arms, all participants, each arm. This is
// the order of their indices.
func withinFirst(all []trial.Correlation) []trial.Correlation {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(x, y trial.Correlation) int {
		return cmp.Or(cmp.Compare(x.X, y.X), cmp.Compare(x.Y, y.Y), cmp.Compare(x.Visit, y.Visit),
			cmp.Compare(x.Arm, y.Arm))
	})
	return all
}

func correlationSection(a *trial.Analysis) section {
	s := section{ID: "correlations", Title: "Correlations of changes",
		Lead: "Spearman’s, of the change of T2 with the change of other endpoints."}
	if len(a.Design.Arms) > 1 {
		s.Lead += correlationLead
	}
	g := grid{Heads: append(heads("Visit", "Arms"), numericHeads("n", "ρ", percentOf(a.Plan.Level)+" CI", "p")...)}
	last := -1 // the visit of the previous row
	for _, c := range withinFirst(a.Correlations) {
		pair := titleOf(&a.Endpoints[c.X]) + " with " + titleOf(&a.Endpoints[c.Y])
		if n := len(g.Groups); n == 0 || g.Groups[n-1].Name != pair {
			g.Groups = append(g.Groups, group{Name: pair})
		}
		arm := correlationGroup(c.Arm)
		switch {
		case c.Arm == trial.AllSubjects:
			arm = "all participants"
		case c.Arm >= 0:
			arm = a.Design.Arms[c.Arm]
		}
		reason := cmp.Or(c.Reason, fmt.Sprintf("%d pairs are too few, or do not vary", c.N))
		block := &g.Groups[len(g.Groups)-1]
		visit := textCell(a.Design.Visits[c.Visit].Name)
		if len(block.Rows) > 0 && last == c.Visit {
			visit = cell{}
		}
		last = c.Visit
		block.add(visit, textCell(arm), num(thousands(c.N)), num(figure.Number(c.Rho.Estimate, ratioDecimals), reason),
			num(interval(c.Rho.Low, c.Rho.High, ratioDecimals), reason), num(figure.PValue(c.P), reason))
	}
	if g.rows() > 0 {
		s.Grids = []grid{g.finish("correlations.csv")}
	}
	return s
}

func individualSection(a *trial.Analysis) section {
	s := section{ID: "individuals", Title: "Individuals",
		Lead: "Each participant’s change from baseline. Marked: a change larger than RC."}
	if len(a.Design.Visits) < 2 {
		return s
	}
	for e := range endpoints(a) {
		if g := individualGrid(a, e); g.rows() > 0 {
			s.Grids = append(s.Grids, g.finish("individuals.csv"))
		}
	}
	return s
}

func individualGrid(a *trial.Analysis, e *trial.EndpointAnalysis) grid {
	g := grid{
		Title: withUnit(e),
		Heads: append(append(heads("Participant", "Arm"), numericHeads("Baseline")...),
			append(heads("Visit"), numericHeads("Value", "Δ", "Δ %", "Against RC")...)...),
		Class: "individuals",
	}
	if math.IsNaN(e.RC) {
		g.Heads = g.Heads[:len(g.Heads)-1]
	} else {
		g.Title += fmt.Sprintf(", RC %s %%", figure.Number(e.RC, percentDecimals))
	}
	g.Heads = append(g.Heads, heads("Flags")...)
	d := e.Decimals()
	for s, subject := range a.Design.Subjects {
		block := group{}
		for i, v := range e.After() {
			r := rowOf(a, e, s, v)
			cells := []cell{textCell(subject.ID), textCell(a.Design.Arms[subject.Arm]),
				num(figure.Number(r.baseline().X, d), r.baseline().Missing.String())}
			if i > 0 {
				cells = []cell{{}, {}, {}}
			}
			cells = append(cells, textCell(a.Design.Visits[v].Name),
				num(figure.Number(r.X, d), r.Value.Missing.String()),
				num(figure.Number(r.Delta, d), r.Change.Missing.String()),
				num(figure.Number(r.Percent, percentDecimals),
					cmp.Or(r.Change.Missing.String(), "the baseline is not above 0")))
			if !math.IsNaN(e.RC) {
				cells = append(cells, verdictCell(r))
			}
			cells = append(cells, flagCell(a, r.changeFlags()))
			block.add(cells...)
		}
		g.Groups = append(g.Groups, block)
	}
	return g.trimmed()
}

// verdictCell shows the verdict by a word and a sign, not only by colour.
func verdictCell(r subjectRow) cell {
	switch r.Verdict {
	case trial.Decrease:
		return cell{Text: "▼ decrease", Class: "down", Num: true}
	case trial.Increase:
		return cell{Text: "▲ increase", Class: "up", Num: true}
	case trial.Within:
		return cell{Text: "within", Num: true, Class: "soft"}
	}
	return num(dash, r.Change.Missing.String())
}
