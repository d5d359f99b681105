package publish

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial"
	"github.com/t2map/t2map/trial/mmrm"
)

// noStatistic says why a statistic of a sample of n does not exist.
func noStatistic(n int) string {
	switch n {
	case 0:
		return "nobody has a value"
	case 1:
		return "one value has no spread"
	}
	return "not estimable"
}

// describedCells returns the cells of a description: mean to interval.
func describedCells(d trial.Description, decimals int) []cell {
	quartiles := figure.Number(d.Median, decimals)
	if !math.IsNaN(d.Q1) && !math.IsNaN(d.Q3) {
		quartiles += " " + interval(d.Q1, d.Q3, decimals)
	}
	reason := noStatistic(d.N)
	return []cell{
		num(figure.Number(d.Mean, decimals), reason), num(figure.Number(d.SD, decimals), reason),
		num(quartiles, reason), num(interval(d.Low, d.High, decimals), reason),
	}
}

func descriptionSection(a *trial.Analysis) section {
	s := section{ID: "description", Title: "Description",
		Lead: "Values and their change from baseline, by visit and arm; intervals are of the mean."}
	for e := range endpoints(a) {
		s.Grids = append(s.Grids, valueGrid(a, e))
		if len(a.Design.Visits) > 1 {
			s.Grids = append(s.Grids, changeGrid(a, e))
		}
	}
	return s
}

// byVisit returns a group for each visit from firstVisit on, with a row for each arm.
func byVisit(a *trial.Analysis, e *trial.EndpointAnalysis, firstVisit int, cells func(trial.Cell, int) []cell) []group {
	sizes := armSizes(a.Design)
	var groups []group
	for _, v := range e.Visits {
		if v < firstVisit {
			continue
		}
		block := group{}
		block.addArms(a, e, v, func(arm int) []cell {
			c := e.Cells[arm][v]
			flags := c.ChangeFlags
			if firstVisit == 0 { // values
				flags = c.ValueFlags
			}
			return append(cells(c, sizes[arm]), flagCell(a, flags))
		})
		groups = append(groups, block)
	}
	return groups
}

// flagCell names the kinds of flags that figures show.
func flagCell(a *trial.Analysis, flags []int) cell {
	var shown []int
	for _, i := range flags {
		if a.Flags[i].Kind.OnFigures() {
			shown = append(shown, i)
		}
	}
	return cell{Text: kindsOf(a, shown), Class: "flagged"}
}

func valueGrid(a *trial.Analysis, e *trial.EndpointAnalysis) grid {
	d := e.Decimals()
	g := grid{
		Title: withUnit(e),
		Heads: append(append(heads("Visit", "Arm"),
			numericHeads("n", "missing", "Mean", "SD", "Median [Q1, Q3]", percentOf(a.Plan.Level)+" CI")...),
			heads("Flags")...),
	}
	g.Groups = byVisit(a, e, 0, func(c trial.Cell, _ int) []cell {
		return append([]cell{num(thousands(c.Value.N)), num(thousands(c.Missing))}, describedCells(c.Value, d)...)
	})
	return g.trimmed().finish("description.csv")
}

func changeGrid(a *trial.Analysis, e *trial.EndpointAnalysis) grid {
	d := shownDecimals(e)
	g := grid{
		Title: withUnit(e) + ": change from baseline",
		Heads: append(append(heads("Visit", "Arm"),
			numericHeads("n", "missing", "Mean", "SD", "Median [Q1, Q3]", percentOf(a.Plan.Level)+" CI", "Mean %",
				"SD %", percentOf(a.Plan.Level)+" CI %")...), heads("Flags")...),
	}
	if e.Log {
		g.Title = withUnit(e) + ": ratio to baseline"
		g.Notes = []string{"Geometric means and medians of the ratio; SD of its natural logarithm."}
	}
	g.Groups = byVisit(a, e, 1, func(c trial.Cell, size int) []cell {
		cells := append([]cell{num(thousands(c.Change.N)), num(thousands(size - c.Change.N))},
			describedCells(shownDescription(e, c.Change), d)...)
		p, reason := percentOfAll(c)
		return append(cells, num(figure.Number(p.Mean, percentDecimals), reason),
			num(figure.Number(p.SD, percentDecimals), reason), num(interval(p.Low, p.High, percentDecimals), reason))
	})
	return g.trimmed().finish("description.csv")
}

// percentOfAll returns the description of a cell in percent if all changes have a percentage, and otherwise
// the reason why it is omitted: the mean percentage of some subjects could have another sign than the mean
// change of all.
func percentOfAll(c trial.Cell) (trial.Description, string) {
	if c.Percent.N == c.Change.N {
		return c.Percent, noStatistic(c.Percent.N)
	}
	nan := math.NaN()
	return trial.Description{Mean: nan, SD: nan, Low: nan, High: nan},
		fmt.Sprintf("the baseline of %d of %d is not above 0: percent of the others is in description.csv",
			c.Change.N-c.Percent.N, c.Change.N)
}

func modelSection(a *trial.Analysis) section {
	s := section{ID: "model", Title: "Mixed model",
		Lead: "Differences from the reference arm of the least-squares means of the change, and the means themselves."}
	if len(a.Design.Visits) < 2 {
		return s
	}
	if g := differenceGrid(a); g.rows() > 0 {
		s.Grids = append(s.Grids, g.finish("contrasts.csv"))
	} else {
		s.Lead = "Least-squares means of the change."
	}
	for _, g := range []grid{meansGrid(a), fitGrid(a)} {
		if g.rows() > 0 {
			s.Grids = append(s.Grids, g.finish("lsmeans.csv"))
		}
	}
	return s
}

// estimateCells returns the cells of an estimate: value, SE, df, interval, p.
func estimateCells(e mmrm.Estimate, decimals int, reason string) []cell {
	return []cell{
		num(figure.Number(e.Value, decimals), reason), num(figure.Number(e.SE, decimals), reason),
		num(figure.Number(e.DF, dfDecimals), reason),
		num(interval(e.Low, e.High, decimals), reason), num(figure.PValue(e.P), reason),
	}
}

func differenceGrid(a *trial.Analysis) grid {
	g := grid{
		Title: "Differences from the reference",
		Heads: append(heads("Visit", "Arms"),
			numericHeads("n", "Difference", "SE", "df", percentOf(a.Plan.Level)+" CI", "p", "p, Holm")...),
	}
	g.addContrasts(a, func(e *trial.EndpointAnalysis) string { return modelDetail(a, e.Model) },
		func(e *trial.EndpointAnalysis, c trial.Contrast) []cell {
			reason := absent(a, e.Model, c.Visit)
			holm := "not adjusted: neither primary nor key secondary"
			if c.Family != trial.NoFamily {
				holm = reason
			}
			cells := append([]cell{pair(e.Model.SubjectsAt(c.Arm, c.Visit), e.Model.SubjectsAt(0, c.Visit))},
				estimateCells(e.Displayed(c.Model), shownDecimals(e), reason)...)
			return append(cells, num(figure.PValue(c.Holm), holm))
		})
	g.Notes = []string{"Bold: the primary contrast. n: participants of the arm and of the reference who are in the " +
		"model at the visit."}
	if n := familySize(a, trial.PrimaryFamily); n > 1 {
		g.Notes[0] += fmt.Sprintf(" p, Holm: adjusted over the %d primary contrasts (endpoints, visits and arms); one "+
			"without a p counts as p = 1.", n)
	}
	if slices.ContainsFunc(a.Endpoints, func(e trial.EndpointAnalysis) bool { return e.Log }) {
		g.Notes[0] += " SE of a ratio: that of its logarithm."
	}
	switch n := familySize(a, trial.SecondaryFamily); {
	case n > 1:
		g.Notes[0] += fmt.Sprintf(" The %d key secondary contrasts are a family of their own.", n)
	case n == 1:
		g.Notes[0] += " The key secondary contrast is a family of its own."
	}
	return g
}

func meansGrid(a *trial.Analysis) grid {
	g := grid{
		Title: "Least-squares means of the change",
		Heads: append(heads("Visit", "Arm"),
			numericHeads("n", "Mean", "SE", "df", percentOf(a.Plan.Level)+" CI", "p of no change")...),
	}
	for e := range endpoints(a) {
		if e.Model.Failed != "" {
			continue
		}
		baseline := e.DisplayedInterval(trial.Interval{Estimate: e.Model.BaselineMean}).Estimate
		block := group{Name: shownUnit(e) + ", at a baseline of " + figure.Number(baseline, e.Decimals())}
		if len(e.Contrasts) == 0 {
			block.Detail = modelDetail(a, e.Model) // otherwise the table of differences has it
		}
		for _, v := range e.After() {
			block.addArms(a, e, v, func(arm int) []cell {
				m := e.Displayed(e.Model.LSMeans[arm][v-1])
				return append([]cell{num(thousands(e.Model.SubjectsAt(arm, v)))},
					estimateCells(m, shownDecimals(e), absent(a, e.Model, v))...)
			})
		}
		g.Groups = append(g.Groups, block)
	}
	return g
}

// modelDetail returns the remark under an endpoint's name: that there is no model, or how it differs
// from the planned one.
func modelDetail(a *trial.Analysis, m trial.Model) string {
	if m.Failed != "" {
		return "no model: " + called(m.Failed)
	}
	var parts []string
	if len(m.Rejected) > 0 {
		parts = append(parts, "covariance "+m.Covariance.String()+", because the planned one, "+
			a.Plan.Covariance.String()+", could not be fitted")
	}
	if parts = nonEmpty(append(parts, caution(m), omissionText(a, m))); len(parts) == 0 {
		return ""
	}
	return called(strings.Join(parts, "; "))
}

// fitGrid describes the fitted model of each endpoint.
func fitGrid(a *trial.Analysis) grid {
	g := grid{
		Title: "Fitted models",
		Heads: append(heads("Endpoint", "Covariance", "Degrees of freedom"),
			numericHeads("Participants", "Observations", "Log-likelihood", "Residual SD by visit")...),
	}
	rows := group{}
	for e := range endpoints(a) {
		m := e.Model
		name := cell{Text: titleOf(e), Detail: called(m.Formula.String())}
		if m.Failed != "" {
			detail := called(strings.Join(nonEmpty(modelNotes(place{a: a, e: e}, math.NaN())), "; "))
			rows.add(append([]cell{name, {Text: "no model", Detail: detail}},
				slices.Repeat([]cell{num(dash, m.Failed)}, 5)...)...)
			continue
		}
		fit := cell{Text: m.Covariance.String()}
		if f := fallback(a, m); f != "" {
			fit.Detail = called(f)
		}
		if l := omissionText(a, m); l != "" {
			name.Detail += "; " + called(l)
		}
		rows.add(name, fit, cell{Text: m.DF.String()}, num(thousands(m.Subjects)), num(thousands(m.Observations)),
			num(figure.Number(m.LogLik, 2)), residualCell(e))
	}
	g.Groups = []group{rows}
	return g
}

// residualCell shows the standard deviations of Σ, and its correlation if there is one.
func residualCell(e *trial.EndpointAnalysis) cell {
	const mostVisits, mostPairs = 6, 1
	sigma, visits := e.Model.Sigma, e.After()
	if len(sigma) == 0 || len(visits) > mostVisits {
		return num(dash, "the covariance of many visits is in trial.json")
	}
	var sds, correlations []string
	for i, v := range visits {
		sds = append(sds, figure.Number(math.Sqrt(sigma[v-1][v-1]), shownDecimals(e)))
		for _, w := range visits[:i] {
			correlations = append(correlations,
				figure.Number(sigma[v-1][w-1]/math.Sqrt(sigma[v-1][v-1]*sigma[w-1][w-1]), ratioDecimals))
		}
	}
	c := num(strings.Join(sds, ", "))
	if k := len(correlations); k > 0 && k <= mostPairs {
		c.Detail = "correlation " + strings.Join(correlations, ", ")
	}
	return c
}

func supportingSection(a *trial.Analysis) section {
	s := section{ID: "supporting", Title: "Supporting tests",
		Lead: "The same contrasts by other methods. These p values are not adjusted."}
	g := grid{Class: "wide", Heads: append(heads("Visit", "Arms"),
		numericHeads("n", "ANCOVA", "Welch", "Wilcoxon", "Hedges’ g", "Permutation")...)}
	g.addContrasts(a, func(*trial.EndpointAnalysis) string { return "" }, supportingCells)
	if g.rows() == 0 {
		return s
	}
	g.Notes = []string{"Differences and shifts are arm minus reference, or ratios on the log scale, with their " +
		percentOf(a.Plan.Level) + " CI. Wilcoxon: Hodges–Lehmann shift. n: participants with a change at the visit; adjusted: those with " +
		"known covariates, whose changes ANCOVA and the permutation test use."}
	s.Grids = []grid{g.finish("contrasts.csv")}
	return s
}

// tooFew explains a test that has neither a result nor a reason.
func tooFew(arm, reference int) string {
	return fmt.Sprintf("%d and %d changes are too few, or do not vary", arm, reference)
}

func supportingCells(e *trial.EndpointAnalysis, c trial.Contrast) []cell {
	d := shownDecimals(e)
	test := func(x mmrm.Estimate, reason, none string) cell {
		x = e.Displayed(x)
		t := num(withInterval(x.Value, x.Low, x.High, d), cmp.Or(reason, none))
		if !math.IsNaN(x.P) {
			t.Detail = pIs(x.P)
		}
		if t.Text != dash && reason != "" && math.IsNaN(x.Low) {
			t.Reason, t.Part = called(reason), true
		}
		return t
	}
	none := tooFew(c.N, c.NReference)
	shift := c.Wilcoxon.Shift
	wilcoxon := test(mmrm.Estimate{Value: shift.Estimate, Low: shift.Low, High: shift.High, P: c.Wilcoxon.P},
		c.Reasons.Wilcoxon, none)
	if c.Wilcoxon.Exact && wilcoxon.Detail != "" {
		wilcoxon.Detail += ", exact"
	}
	permutation := num(dash, cmp.Or(c.Reasons.Permutation, "only computed for primary and key secondary contrasts"))
	if p := c.Permutation; !math.IsNaN(p.P) {
		permutation = num(pIs(p.P))
		permutation.Detail = thousands(p.Arrangements) + " arrangements"
		if p.Exact {
			permutation.Detail = "all " + permutation.Detail
		}
	}
	n := pair(c.N, c.NReference)
	if c.NAdjusted != c.N || c.NAdjustedReference != c.NReference {
		n.Detail = fmt.Sprintf("adjusted: %d, %d", c.NAdjusted, c.NAdjustedReference)
	}
	return []cell{
		n,
		test(c.Ancova, c.Reasons.Ancova, tooFew(c.NAdjusted, c.NAdjustedReference)),
		test(c.Welch, c.Reasons.Welch, none), wilcoxon,
		num(withInterval(c.Effect.Estimate, c.Effect.Low, c.Effect.High, ratioDecimals),
			cmp.Or(c.Reasons.Effect, none)),
		permutation,
	}
}
