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
	note         string
}

// comparisons returns the contrast by each method. A permutation test is made at the
// primary visit only, and has no row elsewhere.
func comparisons(at place, c trial.Contrast) []comparison {
	nan := math.NaN()
	row := func(method string, e mmrm.Estimate) comparison {
		return comparison{place: at, c: c, method: method, Estimate: e, holm: nan, statistic: e.T}
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
	model := row("mixed model", c.Model)
	model.holm, model.note = c.Holm, at.e.Model.Failed
	if model.note == "" && math.IsNaN(c.Model.Value) {
		model.note = noChangeThere
	}
	ranks := row("wilcoxon", interval(c.Wilcoxon.Shift, c.Wilcoxon.P))
	ranks.statistic, ranks.exact = c.Wilcoxon.U, exactly(c.Wilcoxon.Exact, c.Wilcoxon.P)
	rows := []comparison{model, row("ancova", c.Ancova), row("welch", c.Welch), ranks, row("hedges g", interval(c.Effect, nan))}
	if !math.IsNaN(c.Permutation.P) {
		p := row("permutation", interval(trial.Interval{Estimate: nan, Low: nan, High: nan}, c.Permutation.P))
		p.exact, p.arrangements = exactly(c.Permutation.Exact, c.Permutation.P), c.Permutation.Arrangements
		rows = append(rows, p)
	}
	for i := range rows[1:] {
		rows[i+1].note = reasonIn(c, reasonNames[rows[i+1].method])
	}
	return rows
}

// noChangeThere is why a model that there is has no figure for a visit.
const noChangeThere = "an arm has no change at this visit"

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
		counted("n", "Subjects of the arm with a change", "", func(r comparison) int { return r.c.N }),
		counted("n_reference", "Subjects of the reference with a change", "", func(r comparison) int { return r.c.NReference }),
		x("estimate", "Arm less reference", func(r comparison) float64 { return r.Value }).measured(unit).had("by method"),
		x("se", "Standard error", func(r comparison) float64 { return r.SE }).measured(endpointUnit),
		x("df", "Degrees of freedom", func(r comparison) float64 { return r.DF }).had("mixed model: by Plan.DF; ancova: subjects less parameters; welch: Welch-Satterthwaite"),
		x("statistic", "Test statistic", func(r comparison) float64 { return r.statistic }).had("t; for wilcoxon U, the pairs in which the arm's change is larger, ties half"),
		x("p", "Two-sided p, unadjusted", func(r comparison) float64 { return r.P }),
		x("p_holm", "p adjusted over compartments", func(r comparison) float64 { return r.holm }).had("Holm 1979, over the compartments at this visit and arm; mixed model only"),
		x("ci_low", "Lower limit", func(r comparison) float64 { return r.Low }).measured(unit),
		x("ci_high", "Upper limit", func(r comparison) float64 { return r.High }).measured(unit),
		levelColumn(func(r comparison) float64 { return r.a.Plan.Level }),
		{"exact", "p is exact", text, "", "Y, N or empty", "wilcoxon: given the ties; permutation: every arrangement was tried", derived, func(r comparison) string { return r.exact }},
		{"arrangements", "Arrangements that were tried", integer, "", "", "permutation only", derived, func(r comparison) string {
			if r.arrangements == 0 {
				return ""
			}
			return plain(float64(r.arrangements))
		}},
		{"note", "Why there are no figures, or not all", text, "", "", "", derived, func(r comparison) string { return printable.Cell(r.note) }},
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
		{"arm", "Arm", text, "", "empty: all subjects", "", ofDesign, func(r correlationRow) string { return printable.Cell(armName(r.a.Design, r.Arm)) }},
		counted("n", "Subjects with both changes", "", func(r correlationRow) int { return r.N }),
		numbered("rho", "Spearman's correlation of the changes", func(r correlationRow) float64 { return r.Rho.Estimate }).had("correlation of the ranks, ties at their mean"),
		numbered("ci_low", "Lower limit", func(r correlationRow) float64 { return r.Rho.Low }).had("Fisher's z, variance of Bonett and Wright 2000"),
		numbered("ci_high", "Upper limit", func(r correlationRow) float64 { return r.Rho.High }).had("as ci_low"),
		levelColumn(func(r correlationRow) float64 { return r.a.Plan.Level }),
		numbered("p", "Two-sided p", func(r correlationRow) float64 { return r.P }).had("of all orders up to 9 pairs, else t with n - 2 degrees of freedom"),
		{"note", "Why there are no figures, or not all", text, "", "", "", derived, func(r correlationRow) string { return printable.Cell(r.Reason) }},
	})
}()

func correlationTable(a *trial.Analysis) table {
	var rows []correlationRow
	for _, c := range a.Correlations {
		rows = append(rows, correlationRow{a, c})
	}
	return newTable("correlations", "one row per compartment, other endpoint, visit and arm", correlationColumns, rows)
}
