package publish

import (
	"math"
	"slices"
	"strings"

	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/trial"
	"github.com/t2map/t2map/trial/mmrm"
)

// place is what most rows begin with: an endpoint, an arm and a visit. An arm or visit of −1 is
// none.
type place struct {
	a          *trial.Analysis
	e          *trial.EndpointAnalysis
	arm, visit int
}

func (p place) armName() string {
	if p.arm < 0 {
		return ""
	}
	return p.a.Design.Arms[p.arm]
}

func (p place) visitName() string {
	if p.visit < 0 {
		return ""
	}
	return p.a.Design.Visits[p.visit].Name
}

func (p place) month() float64 {
	if p.visit < 0 {
		return math.NaN()
	}
	return p.a.Design.Visits[p.visit].Month
}

var (
	endpointColumns = []column[place]{
		words("endpoint", "Endpoint", fromResults, func(p place) string { return p.e.Name }).
			withTerms("compartments as results name them, other endpoints as their tables do"),
		words("unit", "Unit of the endpoint", fromResults, func(p place) string { return p.e.Unit }).
			withTerms("ms for T2; as given for others; empty for scores"),
	}
	armColumns   = []column[place]{words("arm", "Arm", fromDesign, place.armName)}
	visitColumns = []column[place]{
		words("visit", "Visit", fromDesign, place.visitName),
		numbers("month", "Nominal month of the visit", place.month).withUnit("month").withOrigin(fromDesign),
	}
	levelColumn = numbers("level", "Level of the intervals", func(p place) float64 { return p.a.Plan.Level }).
			withDerivation("0.95 unless set").withOrigin(assigned)
)

type descriptionRow struct {
	place
	measure string
	trial.Description
	arms  int // subjects of the arm in the design
	flags []int
}

var descriptionColumns = func() []column[descriptionRow] {
	toPlace := func(r descriptionRow) place { return r.place }
	x := func(name, label string, f func(trial.Description) float64) column[descriptionRow] {
		return numbers(name, label, func(r descriptionRow) float64 { return f(r.Description) }).withUnit(endpointUnit +
			"; % where measure is percent")
	}
	return slices.Concat(columnsOf(toPlace, endpointColumns), columnsOf(toPlace, armColumns),
		columnsOf(toPlace, visitColumns), []column[descriptionRow]{
			words("measure", "What is described", derived, func(r descriptionRow) string { return r.measure }).
				withTerms("value, change, percent").withDerivation("change = value - baseline; percent = " +
				"100*change/baseline, of baselines above 0"),
			counts("n", "Subjects with a value", func(r descriptionRow) int { return r.N }),
			counts("missing", "Subjects of the arm without a value",
				func(r descriptionRow) int { return r.arms - r.N }).
				withDerivation("subjects of the arm in the design - n"),
			x("mean", "Mean", func(d trial.Description) float64 { return d.Mean }).withDerivation("sum(x)/n"),
			x("sd", "Standard deviation", func(d trial.Description) float64 { return d.SD }).
				withDerivation("sqrt(sum((x - mean)^2)/(n - 1)); empty for n < 2"),
			x("median", "Median", func(d trial.Description) float64 { return d.Median }),
			x("q1", "Lower quartile", func(d trial.Description) float64 { return d.Q1 }).
				withDerivation("linear between order statistics (Hyndman and Fan's type 7)"),
			x("q3", "Upper quartile", func(d trial.Description) float64 { return d.Q3 }).withDerivation("as q1"),
			x("min", "Minimum", func(d trial.Description) float64 { return d.Min }),
			x("max", "Maximum", func(d trial.Description) float64 { return d.Max }),
			x("ci_low", "Lower limit of the mean's interval", func(d trial.Description) float64 { return d.Low }).
				withDerivation("mean - t(n - 1)*sd/sqrt(n)"),
			x("ci_high", "Upper limit of the mean's interval", func(d trial.Description) float64 { return d.High }).
				withDerivation("mean + t(n - 1)*sd/sqrt(n)"),
		}, columnsOf(toPlace, []column[place]{levelColumn}), []column[descriptionRow]{
			flagColumn("flags", "Kinds of flags that concern this cell",
				func(r descriptionRow) (*trial.Analysis, []int) { return r.a, r.flags }).
				withDerivation("value: of the values; change and percent: of the values and of their baselines"),
		})
}()

// flagColumn returns a column of the kinds of flags.
func flagColumn[R any](name, label string, flags func(R) (*trial.Analysis, []int)) column[R] {
	return words(name, label, derived, func(r R) string { return kindsOf(flags(r)) }).
		withTerms("two studies; protocol change; scanner change; carried mask; quality; other side; no result; not " +
			"in the design")
}

func descriptionTable(a *trial.Analysis) table {
	var rows []descriptionRow
	sizes := armSizes(a.Design)
	for i := range a.Endpoints {
		e := &a.Endpoints[i]
		for arm, cells := range e.Cells {
			for visit, c := range cells {
				row := func(measure string, d trial.Description, flags []int) {
					rows = append(rows, descriptionRow{place{a, e, arm, visit}, measure, d, sizes[arm], flags})
				}
				row("value", c.Value, c.ValueFlags)
				if visit > 0 {
					row("change", c.Change, c.ChangeFlags)
					row("percent", c.Percent, c.ChangeFlags)
				}
			}
		}
	}
	return newTable("description", descriptionColumns, rows)
}

type meanRow struct {
	place
	mmrm.Estimate
}

var meanColumns = func() []column[meanRow] {
	toPlace := func(r meanRow) place { return r.place }
	x := func(name, label string, f func(mmrm.Estimate) float64) column[meanRow] {
		return numbers(name, label, func(r meanRow) float64 { return f(r.Estimate) })
	}
	return slices.Concat(columnsOf(toPlace, endpointColumns), columnsOf(toPlace, armColumns),
		columnsOf(toPlace, visitColumns), []column[meanRow]{
			counts("n", "Subjects of the arm in the model at the visit",
				func(r meanRow) int { return r.e.Model.InIt(r.arm, r.visit) }),
			x("estimate", "Least-squares mean of the change",
				func(e mmrm.Estimate) float64 { return e.Value }).withUnit(endpointUnit).
				withDerivation("l'beta at the mean baseline and covariates of the observations, equal weight of " +
					"each level of a factor"),
			x("se", "Standard error", func(e mmrm.Estimate) float64 { return e.SE }).withUnit(endpointUnit).
				withDerivation("of the model, adjusted for small samples with Kenward-Roger"),
			x("df", "Degrees of freedom", func(e mmrm.Estimate) float64 { return e.DF }).withDerivation("by df_method"),
			x("t", "Test statistic", func(e mmrm.Estimate) float64 { return e.T }).withDerivation("estimate/se"),
			x("p", "Two-sided p of no change",
				func(e mmrm.Estimate) float64 { return e.P }).withDerivation("2*P(T > |t|)"),
			x("ci_low", "Lower limit",
				func(e mmrm.Estimate) float64 { return e.Low }).withUnit(endpointUnit).withDerivation("estimate - t(df)*se"),
			x("ci_high", "Upper limit",
				func(e mmrm.Estimate) float64 { return e.High }).withUnit(endpointUnit).withDerivation("estimate + t(df)*se"),
		}, columnsOf(toPlace, []column[place]{levelColumn}), fitColumns(toPlace, func(meanRow) bool { return true }),
		[]column[meanRow]{
			numbers("baseline_mean", "Baseline at which the mean is estimated",
				func(r meanRow) float64 { return r.e.Model.BaselineMean }).
				withUnit(endpointUnit).withDerivation("mean over the observations"),
			noteColumn(func(r meanRow) []string { return modelNotes(r.place, r.Value) }),
		})
}()

// noteColumn returns the column of notes on the numbers of a row; notes that are empty or repeated
// are omitted.
func noteColumn[R any](notes func(R) []string) column[R] {
	return words("note", "Why numbers are missing, and remarks on them", derived, func(r R) string {
		var all []string
		for _, n := range notes(r) {
			if n != "" && !slices.Contains(all, n) {
				all = append(all, n)
			}
		}
		return strings.Join(all, "; ")
	}).withDerivation("mixed model: why a covariance other than the planned one was fitted, what it assumes, and " +
		"which terms and visits are omitted from the model")
}

// fitColumns returns the columns about the fitted model, which are empty in rows of other methods.
func fitColumns[R any](toPlace func(R) place, ofModel func(R) bool) []column[R] {
	fitted := func(r R) (trial.Model, bool) {
		m := toPlace(r).e.Model
		return m, ofModel(r) && m.Failed == ""
	}
	word := func(f func(trial.Model) string) func(R) string {
		return func(r R) string {
			if m, ok := fitted(r); ok {
				return f(m)
			}
			return ""
		}
	}
	count := func(f func(trial.Model) int) func(R) int {
		return func(r R) int {
			if m, ok := fitted(r); ok {
				return f(m)
			}
			return -1
		}
	}
	return []column[R]{
		words("covariance", "Fitted covariance", derived,
			word(func(m trial.Model) string { return m.Covariance.String() })).
			withTerms("unstructured, heterogeneous compound symmetry, first-order autoregressive, compound symmetry").
			withDerivation("mixed model only; note says where it is not the planned one"),
		words("df_method", "Method of the degrees of freedom", derived,
			word(func(m trial.Model) string { return dfTerm(m.DF) })).
			withTerms("kenward-roger, satterthwaite").withDerivation("mixed model only"),
		counts("subjects", "Subjects in the model", count(func(m trial.Model) int { return m.Subjects })).
			withDerivation("mixed model only; of all arms and visits"),
		counts("observations", "Observations in the model", count(func(m trial.Model) int { return m.Observations })).
			withDerivation("mixed model only; of all arms and visits"),
	}
}

func meanTable(a *trial.Analysis) table {
	var rows []meanRow
	for i := range a.Endpoints {
		e := &a.Endpoints[i]
		for arm := range a.Design.Arms {
			for visit := 1; visit < len(a.Design.Visits); visit++ {
				rows = append(rows, meanRow{place{a, e, arm, visit}, e.Model.LSMeans[arm][visit-1]})
			}
		}
	}
	return newTable("lsmeans", meanColumns, rows)
}

// identifier returns a name that serves as an identifier: trimmed, on one line, and never truncated,
// since two subjects could become one.
func identifier(s string) string { return strings.TrimSpace(printable.Line(s)) }
