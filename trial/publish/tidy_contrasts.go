package publish

import (
	"cmp"
	"math"
	"slices"

	"github.com/t2map/t2map/table"
	"github.com/t2map/t2map/trial"
	"github.com/t2map/t2map/trial/mmrm"
)

// comparison is a contrast by one method.
type comparison struct {
	place
	method string
	// n and reference count the subjects whose changes the method uses.
	n, reference int
	mmrm.Estimate
	family       trial.Family
	holm         float64
	statistic    float64
	exact        string
	arrangements int // −1 if absent
	notes        []string
}

const byModel = "mixed model"

// comparisons returns a contrast by each method. The permutation test has a row only for contrasts of a family.
func comparisons(p place, c trial.Contrast) []comparison {
	nan := math.NaN()
	row := func(method string, estimate mmrm.Estimate, reason string) comparison {
		return comparison{place: p, method: method, n: c.N, reference: c.NReference, Estimate: p.e.Displayed(estimate),
			family: c.Family, holm: nan, statistic: estimate.T, arrangements: -1, notes: []string{reason}}
	}
	model := row(byModel, c.Model, "")
	model.n, model.reference = p.e.Model.SubjectsAt(c.Arm, c.Visit), p.e.Model.SubjectsAt(0, c.Visit)
	model.holm, model.notes = c.Holm, modelNotes(p, c.Model.Value)
	ancova := row("ancova", c.Ancova, c.Reasons.Ancova)
	ancova.n, ancova.reference = c.NAdjusted, c.NAdjustedReference
	wilcoxon := row("wilcoxon", ofInterval(c.Wilcoxon.Shift, c.Wilcoxon.P), c.Reasons.Wilcoxon)
	wilcoxon.statistic, wilcoxon.exact = c.Wilcoxon.U, yesNo(c.Wilcoxon.Exact, c.Wilcoxon.P)
	effect := row("hedges g", mmrm.Estimate{}, c.Reasons.Effect)
	effect.Estimate, effect.statistic = ofInterval(c.Effect, nan), nan // in standard deviations on either scale
	rows := []comparison{model, ancova, row("welch", c.Welch, c.Reasons.Welch), wilcoxon, effect}
	if c.Family != trial.NoFamily {
		r := row("permutation", ofInterval(trial.Interval{Estimate: nan, Low: nan, High: nan}, c.Permutation.P),
			c.Reasons.Permutation)
		r.n, r.reference = c.NAdjusted, c.NAdjustedReference
		r.exact = yesNo(c.Permutation.Exact, c.Permutation.P)
		r.arrangements = cmp.Or(c.Permutation.Arrangements, -1)
		rows = append(rows, r)
	}
	return rows
}

// ofInterval returns an estimate without standard error, degrees of freedom and t.
func ofInterval(i trial.Interval, p float64) mmrm.Estimate {
	nan := math.NaN()
	return mmrm.Estimate{Value: i.Estimate, SE: nan, DF: nan, T: nan, P: p, Low: i.Low, High: i.High}
}

// yesNo returns Y or N; empty if there is no p.
func yesNo(exact bool, p float64) string {
	switch {
	case math.IsNaN(p):
		return ""
	case exact:
		return "Y"
	}
	return "N"
}

var contrastColumns = func() []table.Column[comparison] {
	x := table.Number[comparison]
	const unit = estimateUnit + "; none for hedges g"
	return slices.Concat(placed[comparison](endpointColumns, armColumns),
		[]table.Column[comparison]{
			table.Text("reference", "Reference arm", table.FromDesign,
				func(r comparison) string { return r.a.Design.Arms[0] }).WithDerivation("of the plan"),
		}, placed[comparison](visitColumns), []table.Column[comparison]{
			table.Flag("primary", "Primary contrast", "Y",
				func(r comparison) bool { return r.family == trial.PrimaryFamily }).WithOrigin(table.FromDesign),
			table.Text("family", "Family of planned contrasts", table.FromDesign,
				func(r comparison) string { return r.family.String() }).
				WithTerms("primary, secondary; empty for exploratory contrasts").
				WithDerivation("endpoints, visits and arms that are named as primary or as key secondary"),
			table.Text("method", "Method", table.Assigned, func(r comparison) string { return r.method }).
				WithTerms("mixed model, ancova, welch, wilcoxon, hedges g, permutation").
				WithDerivation("mixed model: difference of least-squares means; ancova: difference of changes at " +
					"this visit adjusted for baseline and the covariates of the plan, all arms in one model; welch: " +
					"difference of mean changes, unequal variances; wilcoxon: Hodges-Lehmann shift; hedges g: " +
					"standardised mean difference of changes; permutation: of the baseline-adjusted difference, " +
					"contrasts of a family only; scale log: of changes of the natural logarithm"),
			table.Count("n", "Subjects of the arm that the method uses", func(r comparison) int { return r.n }).
				WithDerivation("with a change at the visit; ancova and permutation: and known covariates; mixed " +
					"model: in the model at the visit"),
			table.Count("n_reference", "Subjects of the reference", func(r comparison) int { return r.reference }).
				WithDerivation("as n"),
			x("estimate", "Arm minus reference", func(r comparison) float64 { return r.Value }).WithUnit(unit).
				WithDerivation("by method; scale log: arm divided by reference, the ratio of their geometric means of " +
					"value/baseline"),
			x("se", "Standard error", func(r comparison) float64 { return r.SE }).WithUnit(seUnit),
			x("df", "Degrees of freedom", func(r comparison) float64 { return r.DF }).
				WithDerivation("mixed model: by df_method; ancova: subjects less parameters; " +
					"welch: Welch-Satterthwaite"),
			x("statistic", "Test statistic", func(r comparison) float64 { return r.statistic }).
				WithDerivation("t (scale log: of the logarithm); for wilcoxon U, the pairs in which the arm's change is " +
					"larger, ties as half"),
			x("p", "Two-sided p, unadjusted", func(r comparison) float64 { return r.P }),
			x("p_holm", "p adjusted over the family", func(r comparison) float64 { return r.holm }).
				WithDerivation("Holm 1979, over all contrasts of the family: endpoints, visits and arms; one without a p " +
					"counts as p = 1; mixed model only"),
			x("ci_low", "Lower limit", func(r comparison) float64 { return r.Low }).WithUnit(unit),
			x("ci_high", "Upper limit", func(r comparison) float64 { return r.High }).WithUnit(unit),
		}, placed[comparison](levelColumns), fitColumns(func(r comparison) bool { return r.method == byModel }),
		[]table.Column[comparison]{
			table.Text("exact", "p is exact", table.Derived, func(r comparison) string { return r.exact }).
				WithTerms("Y, N or empty").WithDerivation("wilcoxon: given the ties; permutation: every arrangement " +
				"was tried"),
			table.Count("arrangements", "Arrangements that were tried",
				func(r comparison) int { return r.arrangements }).WithDerivation("permutation only"),
			noteColumn(func(r comparison) []string { return r.notes }),
		})
}()

func contrastTable(a *trial.Analysis) output {
	var rows []comparison
	for e, c := range contrasts(a) {
		rows = append(rows, comparisons(place{a, e, c.Arm, c.Visit}, c)...)
	}
	return newOutput("contrasts", contrastColumns, rows)
}

type responderRow struct {
	place
	trial.ResponderCount
	increase, decrease float64 // p; NaN for the reference
}

var responderColumns = func() []table.Column[responderRow] {
	const fisher = "Fisher's exact test, two-sided, against the reference arm"
	return slices.Concat(placed[responderRow](endpointColumns, visitColumns, armColumns),
		[]table.Column[responderRow]{
			table.Count("n", "Subjects with a change", func(r responderRow) int { return r.N() }).
				WithDerivation("decrease + within + increase"),
			table.Count("decrease", "Subjects whose change is below -RC", func(r responderRow) int { return r.Decrease }),
			table.Count("within", "Subjects whose change is within +/-RC", func(r responderRow) int { return r.Within }),
			table.Count("increase", "Subjects whose change is above RC", func(r responderRow) int { return r.Increase }),
			table.Number("rc_percent", "Repeatability coefficient", func(r responderRow) float64 { return r.e.RC }).
				WithUnit("%").WithDerivation("1.96*sqrt(2)*wCV"),
			table.Number("sdc_percent", "Smallest detectable change of the arm's mean",
				func(r responderRow) float64 { return r.SDC }).WithUnit("%").WithDerivation("RC/sqrt(n)"),
			table.Number("p_decrease", "p of decrease against the rest",
				func(r responderRow) float64 { return r.decrease }).WithDerivation(fisher),
			table.Number("p_increase", "p of increase against the rest",
				func(r responderRow) float64 { return r.increase }).WithDerivation(fisher),
			flagColumn("flags", "Kinds of flags that concern these changes", func(r responderRow) (*trial.Analysis, []int) {
				return r.a, r.e.Cells[r.arm][r.visit].ChangeFlags
			}).WithDerivation("of the values or of their baselines"),
		})
}()

func responderTable(a *trial.Analysis) output {
	var rows []responderRow
	for e := range endpoints(a) {
		for _, r := range e.Responders {
			for arm, n := range r.Arms {
				row := responderRow{place{a, e, arm, r.Visit}, n, math.NaN(), math.NaN()}
				if arm > 0 {
					row.increase, row.decrease = r.Increase[arm-1], r.Decrease[arm-1]
				}
				rows = append(rows, row)
			}
		}
	}
	return newOutput("responders", responderColumns, rows)
}

type correlationRow struct {
	place
	trial.Correlation
}

var correlationColumns = func() []table.Column[correlationRow] {
	return slices.Concat([]table.Column[correlationRow]{
		table.Text("x", "First endpoint", table.FromResults,
			func(r correlationRow) string { return r.a.Endpoints[r.X].Name }).WithTerms("a compartment"),
		table.Text("y", "Second endpoint", table.FromResults,
			func(r correlationRow) string { return r.a.Endpoints[r.Y].Name }),
	}, placed[correlationRow](visitColumns), []table.Column[correlationRow]{
		table.Text("among", "Whose changes are correlated", table.Assigned,
			func(r correlationRow) string { return correlationGroup(r.Arm) }).WithTerms("within arms, all subjects, one arm").
			WithDerivation("within arms: partial correlation, given the arm; all subjects: regardless of arm, so " +
				"that a difference between arms in both endpoints is part of it"),
	}, placed[correlationRow]([]table.Column[place]{armColumns[0].WithTerms("empty where among is not one arm")}),
		[]table.Column[correlationRow]{
			table.Count("n", "Subjects with both changes", func(r correlationRow) int { return r.N }),
			table.Number("rho", "Spearman's correlation of the changes",
				func(r correlationRow) float64 { return r.Rho.Estimate }).
				WithDerivation("correlation of the ranks of the changes on the scale of each endpoint, ties at their mean; " +
					"within arms, of the residuals of the ranks given the arm"),
			table.Number("ci_low", "Lower limit", func(r correlationRow) float64 { return r.Rho.Low }).
				WithDerivation("Fisher's z, variance of Bonett and Wright 2000"),
			table.Number("ci_high", "Upper limit", func(r correlationRow) float64 { return r.Rho.High }).
				WithDerivation("as ci_low"),
		}, placed[correlationRow](levelColumns), []table.Column[correlationRow]{
			table.Number("p", "Two-sided p", func(r correlationRow) float64 { return r.P }).
				WithDerivation("of all orders up to 9 pairs, otherwise t with n - 2 degrees of freedom; within " +
					"arms, t with n - 1 - g degrees of freedom for g arms"),
			table.Text("note", "Why numbers are missing", table.Derived, func(r correlationRow) string { return r.Reason }),
		})
}()

// correlationGroup names the subjects of a correlation.
func correlationGroup(arm int) string {
	switch arm {
	case trial.WithinArms:
		return "within arms"
	case trial.AllSubjects:
		return "all subjects"
	}
	return "one arm"
}

func correlationTable(a *trial.Analysis) output {
	var rows []correlationRow
	for _, c := range a.Correlations {
		rows = append(rows, correlationRow{place{a: a, arm: c.Arm, visit: c.Visit}, c})
	}
	return newOutput("correlations", correlationColumns, rows)
}
