package publish

import (
	"math"
	"strings"

	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/trial"
	"github.com/t2map/t2map/trial/mmrm"
)

// comparison is a contrast by one method.
type comparison struct {
	place
	c      trial.Contrast
	method string
	mmrm.Estimate
	holm         float64
	statistic    float64
	exact        string
	arrangements int
	notes        []string
	// n and reference are the subjects that the method is of.
	n, reference int
}

// ofModel says that the row is the mixed model's.
func (c comparison) ofModel() bool { return c.method == byModel }

const byModel = "mixed model"

// comparisons returns the contrast by each method. A permutation test is made at the
// primary visit only, and has no row elsewhere.
func comparisons(at place, c trial.Contrast) []comparison {
	nan := math.NaN()
	row := func(method string, e mmrm.Estimate) comparison {
		r := comparison{place: at, c: c, method: method, Estimate: e, holm: nan, statistic: e.T, n: c.N, reference: c.NReference}
		switch {
		case method == byModel:
			r.n, r.reference = at.e.Model.InIt(c.Arm, c.Visit), at.e.Model.InIt(0, c.Visit)
		case adjusted[method]:
			r.n, r.reference = c.NAdjusted, c.NAdjustedReference
		}
		return r
	}
	interval := func(i trial.Interval, p float64) mmrm.Estimate {
		return mmrm.Estimate{Value: i.Estimate, SE: nan, DF: nan, T: nan, P: p, Low: i.Low, High: i.High}
	}
	exactly := func(exact bool, p float64) string {
		switch {
		case math.IsNaN(p):
			return ""
		case exact:
			return "Y"
		}
		return "N"
	}
	model := row(byModel, c.Model)
	model.holm, model.notes = c.Holm, modelNotes(at.a, at.e.Model)
	if at.e.Model.Failed == "" && math.IsNaN(c.Model.Value) {
		model.notes = append([]string{absent(at.a, at.e.Model, c.Visit)}, model.notes...)
	}
	ranks := row("wilcoxon", interval(c.Wilcoxon.Shift, c.Wilcoxon.P))
	ranks.statistic, ranks.exact = c.Wilcoxon.U, exactly(c.Wilcoxon.Exact, c.Wilcoxon.P)
	rows := []comparison{model, row("ancova", c.Ancova), row("welch", c.Welch), ranks, row("hedges g", interval(c.Effect, nan))}
	if !math.IsNaN(c.Permutation.P) || c.Visit == at.a.Design.Primary.Visit {
		p := row("permutation", interval(trial.Interval{Estimate: nan, Low: nan, High: nan}, c.Permutation.P))
		p.exact, p.arrangements = exactly(c.Permutation.Exact, c.Permutation.P), c.Permutation.Arrangements
		rows = append(rows, p)
	}
	for i := range rows[1:] {
		rows[i+1].notes = without([]string{reasonIn(c, reasonNames[rows[i+1].method])})
	}
	return rows
}

// adjusted are the methods at one visit that need the covariates of a subject.
var adjusted = map[string]bool{"ancova": true, "permutation": true}

// reasonNames are what trial.Contrast.Reasons calls the methods.
var reasonNames = map[string]string{
	"ancova": "ANCOVA", "welch": "Welch", "wilcoxon": "Wilcoxon", "hedges g": "Hedges' g", "permutation": "permutation",
}

// reasonIn returns why a method gave no figure or not all; empty where it gave them.
func reasonIn(c trial.Contrast, method string) string {
	for _, r := range c.Reasons {
		if why, ok := strings.CutPrefix(r, method+": "); ok {
			return why
		}
	}
	return ""
}

var contrastColumns = func() []column[comparison] {
	at := func(r comparison) place { return r.place }
	x := numbered[comparison]
	unit := endpointUnit + "; none for hedges g"
	return join(of(at, endpointColumns), of(at, armColumns), []column[comparison]{
		{"reference", "Reference arm", text, "", "", "first arm of the design, or the one set", ofDesign, func(r comparison) string { return printable.Cell(armName(r.a.Design, 0)) }},
	}, of(at, visitColumns), []column[comparison]{
		{"primary", "Primary contrast", text, "", "Y or empty", "", ofDesign, func(r comparison) string { return mark(r.c.Primary) }},
		{"method", "Method", text, "", "mixed model, ancova, welch, wilcoxon, hedges g, permutation",
			"mixed model: difference of least-squares means; ancova: difference of changes at this visit adjusted for baseline and the covariates of the plan, all arms in one model; welch: difference of mean changes, unequal variances; wilcoxon: Hodges-Lehmann shift; hedges g: standardised mean difference of changes; permutation: of the baseline-adjusted difference, primary visit only", assigned,
			func(r comparison) string { return r.method }},
		counted("n", "Subjects of the arm that the method is of", "with a change at the visit; ancova and permutation: and known covariates; mixed model: who is in it at the visit", func(r comparison) int { return r.n }),
		counted("n_reference", "Subjects of the reference", "as n", func(r comparison) int { return r.reference }),
		x("estimate", "Arm minus reference", func(r comparison) float64 { return r.Value }).measured(unit).had("by method"),
		x("se", "Standard error", func(r comparison) float64 { return r.SE }).measured(endpointUnit),
		x("df", "Degrees of freedom", func(r comparison) float64 { return r.DF }).had("mixed model: by df_method; ancova: subjects less parameters; welch: Welch-Satterthwaite"),
		x("statistic", "Test statistic", func(r comparison) float64 { return r.statistic }).had("t; for wilcoxon U, the pairs in which the arm's change is larger, ties half"),
		x("p", "Two-sided p, unadjusted", func(r comparison) float64 { return r.P }),
		x("p_holm", "p adjusted over compartments", func(r comparison) float64 { return r.holm }).had("Holm 1979, over all compartments of the analysis at this visit and arm, of which one without a p counts as p = 1; mixed model only"),
		x("ci_low", "Lower limit", func(r comparison) float64 { return r.Low }).measured(unit),
		x("ci_high", "Upper limit", func(r comparison) float64 { return r.High }).measured(unit),
		levelColumn(func(r comparison) float64 { return r.a.Plan.Level }),
	}, fitColumns(func(r comparison) (trial.Model, bool) { return r.e.Model, r.ofModel() }), []column[comparison]{
		{"exact", "p is exact", text, "", "Y, N or empty", "wilcoxon: given the ties; permutation: every arrangement was tried", derived, func(r comparison) string { return r.exact }},
		{"arrangements", "Arrangements that were tried", integer, "", "", "permutation only", derived, func(r comparison) string {
			if r.arrangements == 0 {
				return ""
			}
			return plain(float64(r.arrangements))
		}},
		{"note", noteLabel, text, "", "", modelNoteFrom, derived, func(r comparison) string { return noteOf(r.notes) }},
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
	return newTable("contrasts", "one row per endpoint, arm against the reference, visit after baseline and method", contrastColumns, rows)
}

type responderRow struct {
	place
	trial.ResponderCount
	increase, decrease float64
}

var responderColumns = func() []column[responderRow] {
	at := func(r responderRow) place { return r.place }
	return join(of(at, endpointColumns), of(at, visitColumns), of(at, armColumns), []column[responderRow]{
		counted("n", "Subjects with a change", "decrease + within + increase", func(r responderRow) int { return r.Decrease + r.Within + r.Increase }),
		counted("decrease", "Subjects whose change is below -RC", "", func(r responderRow) int { return r.Decrease }),
		counted("within", "Subjects whose change is within +/-RC", "", func(r responderRow) int { return r.Within }),
		counted("increase", "Subjects whose change is above RC", "", func(r responderRow) int { return r.Increase }),
		numbered("rc_percent", "Repeatability coefficient", func(r responderRow) float64 { return r.e.RC }).measured("%").had("1.96*sqrt(2)*wCV"),
		numbered("sdc_percent", "Smallest detectable change of the arm's mean", func(r responderRow) float64 { return r.SDC }).measured("%").had("RC/sqrt(n)"),
		numbered("p_decrease", "p of decrease against the rest", func(r responderRow) float64 { return r.decrease }).had("Fisher's exact test, two-sided, against the reference arm"),
		numbered("p_increase", "p of increase against the rest", func(r responderRow) float64 { return r.increase }).had("Fisher's exact test, two-sided, against the reference arm"),
		{"flags", "Kinds of flags that touch these changes", text, "", flagTerms, "of the values or of their baselines", derived,
			func(r responderRow) string { return kindsOf(*r.a, changeFlagsOf(r.e, r.arm, r.visit)) }},
	})
}()

// changeFlagsOf are those of the changes of an arm at a visit.
func changeFlagsOf(e *trial.EndpointAnalysis, arm, visit int) []int {
	if arm >= len(e.Cells) || visit >= len(e.Cells[arm]) {
		return nil
	}
	return e.Cells[arm][visit].ChangeFlags
}

// against is the test of an arm against the reference, where there is one.
func against(tests []float64, arm int) float64 {
	if arm == 0 || arm > len(tests) {
		return math.NaN()
	}
	return tests[arm-1]
}

func responderTable(a *trial.Analysis) table {
	var rows []responderRow
	for i := range a.Endpoints {
		e := &a.Endpoints[i]
		for _, r := range e.Responders {
			for arm, n := range r.Arms {
				rows = append(rows, responderRow{place{a, e, arm, r.Visit}, n, against(r.Increase, arm), against(r.Decrease, arm)})
			}
		}
	}
	return newTable("responders", "one row per compartment, visit after baseline and arm", responderColumns, rows)
}

type correlationRow struct {
	a *trial.Analysis
	trial.Correlation
}

var correlationColumns = func() []column[correlationRow] {
	at := func(r correlationRow) place { return place{a: r.a, arm: r.Arm, visit: r.Visit} }
	name := func(a *trial.Analysis, i int) string {
		if i < 0 || i >= len(a.Endpoints) {
			return ""
		}
		return printable.Cell(a.Endpoints[i].Name)
	}
	return join([]column[correlationRow]{
		{"x", "First endpoint", text, "", "a compartment", "", ofInput, func(r correlationRow) string { return name(r.a, r.X) }},
		{"y", "Second endpoint", text, "", "", "", ofInput, func(r correlationRow) string { return name(r.a, r.Y) }},
	}, of(at, visitColumns), []column[correlationRow]{
		{"among", "Whose changes are correlated", text, "", "within arms, all subjects, one arm", "within arms: partial correlation, given the arm; all subjects: regardless of arm, so that a difference between arms in both endpoints is part of it", assigned,
			func(r correlationRow) string { return among(r.Arm) }},
		{"arm", "Arm", text, "", "empty where among is not one arm", "", ofDesign, func(r correlationRow) string { return printable.Cell(armName(r.a.Design, r.Arm)) }},
		counted("n", "Subjects with both changes", "", func(r correlationRow) int { return r.N }),
		numbered("rho", "Spearman's correlation of the changes", func(r correlationRow) float64 { return r.Rho.Estimate }).had("correlation of the ranks, ties at their mean; within arms, of what the arms leave of the ranks"),
		numbered("ci_low", "Lower limit", func(r correlationRow) float64 { return r.Rho.Low }).had("Fisher's z, variance of Bonett and Wright 2000"),
		numbered("ci_high", "Upper limit", func(r correlationRow) float64 { return r.Rho.High }).had("as ci_low"),
		levelColumn(func(r correlationRow) float64 { return r.a.Plan.Level }),
		numbered("p", "Two-sided p", func(r correlationRow) float64 { return r.P }).had("of all orders up to 9 pairs, otherwise t with n - 2 degrees of freedom; within arms, t with n - 1 - g of those in g arms"),
		{"note", "Why there are no figures, or not all", text, "", "", "", derived, func(r correlationRow) string { return printable.Cell(r.Reason) }},
	})
}()

// among says whose changes a correlation is of.
func among(arm int) string {
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
		rows = append(rows, correlationRow{a, c})
	}
	return newTable("correlations", "one row per compartment, other endpoint, visit, and arm or arms together", correlationColumns, rows)
}
