package publish

import (
	"math"
	"slices"

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
	primary      bool
	holm         float64
	statistic    float64
	exact        string
	arrangements int // −1 for none
	notes        []string
}

const byModel = "mixed model"

// comparisons returns the contrast by each method. A permutation test is made at the
// primary visit only, and has no row elsewhere.
func comparisons(p place, c trial.Contrast) []comparison {
	nan := math.NaN()
	row := func(method string, estimate mmrm.Estimate, reason string) comparison {
		return comparison{place: p, method: method, n: c.N, reference: c.NReference, Estimate: estimate,
			primary: c.Primary,
			holm:    nan, statistic: estimate.T, arrangements: -1, notes: []string{reason}}
	}
	model := row(byModel, c.Model, "")
	model.n, model.reference = p.e.Model.InIt(c.Arm, c.Visit), p.e.Model.InIt(0, c.Visit)
	model.holm, model.notes = c.Holm, modelNotes(p, c.Model.Value)
	ancova := row("ancova", c.Ancova, c.Reasons.Ancova)
	ancova.n, ancova.reference = c.NAdjusted, c.NAdjustedReference
	wilcoxon := row("wilcoxon", ofInterval(c.Wilcoxon.Shift, c.Wilcoxon.P), c.Reasons.Wilcoxon)
	wilcoxon.statistic, wilcoxon.exact = c.Wilcoxon.U, yesNo(c.Wilcoxon.Exact, c.Wilcoxon.P)
	rows := []comparison{
		model, ancova, row("welch", c.Welch, c.Reasons.Welch), wilcoxon,
		row("hedges g", ofInterval(c.Effect, nan), c.Reasons.Effect),
	}
	if c.Visit == p.a.Design.Primary.Visit {
		r := row("permutation", ofInterval(trial.Interval{Estimate: nan, Low: nan, High: nan}, c.Permutation.P),
			c.Reasons.Permutation)
		r.n, r.reference = c.NAdjusted, c.NAdjustedReference
		r.exact = yesNo(c.Permutation.Exact, c.Permutation.P)
		if c.Permutation.Arrangements > 0 {
			r.arrangements = c.Permutation.Arrangements
		}
		rows = append(rows, r)
	}
	return rows
}

// ofInterval returns an estimate of which only the interval and p are known.
func ofInterval(i trial.Interval, p float64) mmrm.Estimate {
	nan := math.NaN()
	return mmrm.Estimate{Value: i.Estimate, SE: nan, DF: nan, T: nan, P: p, Low: i.Low, High: i.High}
}

// yesNo returns Y or N; empty where there is no p.
func yesNo(exact bool, p float64) string {
	switch {
	case math.IsNaN(p):
		return ""
	case exact:
		return "Y"
	}
	return "N"
}

var contrastColumns = func() []column[comparison] {
	toPlace := func(r comparison) place { return r.place }
	x := numbers[comparison]
	const unit = endpointUnit + "; none for hedges g"
	return slices.Concat(columnsOf(toPlace, endpointColumns), columnsOf(toPlace, armColumns), []column[comparison]{
		words("reference", "Reference arm", fromDesign, func(r comparison) string { return r.a.Design.Arms[0] }).
			withDerivation("first arm of the design, or the one set"),
	}, columnsOf(toPlace, visitColumns), []column[comparison]{
		marks("primary", "Primary contrast", func(r comparison) bool { return r.primary }).withOrigin(fromDesign),
		words("method", "Method", assigned, func(r comparison) string { return r.method }).
			withTerms("mixed model, ancova, welch, wilcoxon, hedges g, permutation").
			withDerivation("mixed model: difference of least-squares means; ancova: difference of changes at this " +
				"visit adjusted for baseline and the covariates of the plan, all arms in one model; welch: " +
				"difference of mean changes, unequal variances; wilcoxon: Hodges-Lehmann shift; hedges g: " +
				"standardised mean difference of changes; permutation: of the baseline-adjusted difference, primary " +
				"visit only"),
		counts("n", "Subjects of the arm that the method uses", func(r comparison) int { return r.n }).
			withDerivation("with a change at the visit; ancova and permutation: and known covariates; mixed model: " +
				"in the model at the visit"),
		counts("n_reference", "Subjects of the reference",
			func(r comparison) int { return r.reference }).withDerivation("as n"),
		x("estimate", "Arm minus reference",
			func(r comparison) float64 { return r.Value }).withUnit(unit).withDerivation("by method"),
		x("se", "Standard error", func(r comparison) float64 { return r.SE }).withUnit(endpointUnit),
		x("df", "Degrees of freedom", func(r comparison) float64 { return r.DF }).
			withDerivation("mixed model: by df_method; ancova: subjects less parameters; welch: Welch-Satterthwaite"),
		x("statistic", "Test statistic", func(r comparison) float64 { return r.statistic }).
			withDerivation("t; for wilcoxon U, the pairs in which the arm's change is larger, ties half"),
		x("p", "Two-sided p, unadjusted", func(r comparison) float64 { return r.P }),
		x("p_holm", "p adjusted over compartments", func(r comparison) float64 { return r.holm }).
			withDerivation("Holm 1979, over all compartments of the analysis at this visit and arm, of which one " +
				"without a p counts as p = 1; mixed model only"),
		x("ci_low", "Lower limit", func(r comparison) float64 { return r.Low }).withUnit(unit),
		x("ci_high", "Upper limit", func(r comparison) float64 { return r.High }).withUnit(unit),
	}, columnsOf(toPlace, []column[place]{levelColumn}),
		fitColumns(toPlace, func(r comparison) bool { return r.method == byModel }), []column[comparison]{
			words("exact", "p is exact", derived, func(r comparison) string { return r.exact }).
				withTerms("Y, N or empty").withDerivation("wilcoxon: given the ties; permutation: every arrangement " +
				"was tried"),
			counts("arrangements", "Arrangements that were tried",
				func(r comparison) int { return r.arrangements }).withDerivation("permutation only"),
			noteColumn(func(r comparison) []string { return r.notes }),
		})
}()

func contrastTable(a *trial.Analysis) table {
	var rows []comparison
	for i := range a.Endpoints {
		e := &a.Endpoints[i]
		for _, c := range e.Contrasts {
			rows = append(rows, comparisons(place{a, e, c.Arm, c.Visit}, c)...)
		}
	}
	return newTable("contrasts", contrastColumns, rows)
}

type responderRow struct {
	place
	trial.ResponderCount
	increase, decrease float64 // p; NaN for the reference
}

var responderColumns = func() []column[responderRow] {
	toPlace := func(r responderRow) place { return r.place }
	const fisher = "Fisher's exact test, two-sided, against the reference arm"
	return slices.Concat(columnsOf(toPlace, endpointColumns), columnsOf(toPlace, visitColumns),
		columnsOf(toPlace, armColumns), []column[responderRow]{
			counts("n", "Subjects with a change",
				func(r responderRow) int { return r.N() }).withDerivation("decrease + within + increase"),
			counts("decrease", "Subjects whose change is below -RC", func(r responderRow) int { return r.Decrease }),
			counts("within", "Subjects whose change is within +/-RC", func(r responderRow) int { return r.Within }),
			counts("increase", "Subjects whose change is above RC", func(r responderRow) int { return r.Increase }),
			numbers("rc_percent", "Repeatability coefficient", func(r responderRow) float64 { return r.e.RC }).
				withUnit("%").withDerivation("1.96*sqrt(2)*wCV"),
			numbers("sdc_percent", "Smallest detectable change of the arm's mean",
				func(r responderRow) float64 { return r.SDC }).
				withUnit("%").withDerivation("RC/sqrt(n)"),
			numbers("p_decrease", "p of decrease against the rest",
				func(r responderRow) float64 { return r.decrease }).withDerivation(fisher),
			numbers("p_increase", "p of increase against the rest",
				func(r responderRow) float64 { return r.increase }).withDerivation(fisher),
			flagColumn("flags", "Kinds of flags that concern these changes",
				func(r responderRow) (*trial.Analysis, []int) {
					return r.a, r.e.Cells[r.arm][r.visit].ChangeFlags
				}).withDerivation("of the values or of their baselines"),
		})
}()

func responderTable(a *trial.Analysis) table {
	var rows []responderRow
	for i := range a.Endpoints {
		e := &a.Endpoints[i]
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
	return newTable("responders", responderColumns, rows)
}

type correlationRow struct {
	place
	trial.Correlation
}

var correlationColumns = func() []column[correlationRow] {
	toPlace := func(r correlationRow) place { return r.place }
	return slices.Concat([]column[correlationRow]{
		words("x", "First endpoint", fromResults,
			func(r correlationRow) string { return r.a.Endpoints[r.X].Name }).withTerms("a compartment"),
		words("y", "Second endpoint", fromResults, func(r correlationRow) string { return r.a.Endpoints[r.Y].Name }),
	}, columnsOf(toPlace, visitColumns), []column[correlationRow]{
		words("among", "Whose changes are correlated", assigned,
			func(r correlationRow) string { return correlationGroup(r.Arm) }).
			withTerms("within arms, all subjects, one arm").
			withDerivation("within arms: partial correlation, given the arm; all subjects: regardless of arm, so " +
				"that a difference between arms in both endpoints is part of it"),
	}, columnsOf(toPlace, []column[place]{armColumns[0].withTerms("empty where among is not one arm")}),
		[]column[correlationRow]{
			counts("n", "Subjects with both changes", func(r correlationRow) int { return r.N }),
			numbers("rho", "Spearman's correlation of the changes",
				func(r correlationRow) float64 { return r.Rho.Estimate }).
				withDerivation("correlation of the ranks, ties at their mean; within arms, of the residuals of the " +
					"ranks given the arm"),
			numbers("ci_low", "Lower limit", func(r correlationRow) float64 { return r.Rho.Low }).
				withDerivation("Fisher's z, variance of Bonett and Wright 2000"),
			numbers("ci_high", "Upper limit",
				func(r correlationRow) float64 { return r.Rho.High }).withDerivation("as ci_low"),
		}, columnsOf(toPlace, []column[place]{levelColumn}), []column[correlationRow]{
			numbers("p", "Two-sided p", func(r correlationRow) float64 { return r.P }).
				withDerivation("of all orders up to 9 pairs, otherwise t with n - 2 degrees of freedom; within " +
					"arms, t with n - 1 - g degrees of freedom for g arms"),
			words("note", "Why numbers are missing", derived, func(r correlationRow) string { return r.Reason }),
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

func correlationTable(a *trial.Analysis) table {
	var rows []correlationRow
	for _, c := range a.Correlations {
		rows = append(rows, correlationRow{place{a: a, arm: c.Arm, visit: c.Visit}, c})
	}
	return newTable("correlations", correlationColumns, rows)
}
