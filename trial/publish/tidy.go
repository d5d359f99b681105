package publish

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/trial"
	"github.com/t2map/t2map/trial/mmrm"
)

// place is what most rows begin with: an endpoint, an arm and a visit.
type place struct {
	a          *trial.Analysis
	e          *trial.EndpointAnalysis
	arm, visit int
}

// of returns the columns of a place as columns of rows R.
func of[R any](at func(R) place, columns []column[place]) []column[R] {
	var out []column[R]
	for _, c := range columns {
		out = append(out, column[R]{
			name: c.name, label: c.label, kind: c.kind, unit: c.unit, terms: c.terms, from: c.from, origin: c.origin,
			cell: func(r R) string { return c.cell(at(r)) },
		})
	}
	return out
}

var (
	endpointColumns = []column[place]{
		{"endpoint", "Endpoint", text, "", "compartments as results name them, other endpoints as their tables do", "", ofInput,
			func(p place) string { return printable.Cell(p.e.Name) }},
		{"unit", "Unit of the endpoint", text, "", "ms for T2; as given for others; empty for scores", "", ofInput,
			func(p place) string { return printable.Cell(p.e.Unit) }},
	}
	armColumns = []column[place]{
		{"arm", "Arm", text, "", "", "", ofDesign, func(p place) string { return printable.Cell(armName(p.a.Design, p.arm)) }},
	}
	visitColumns = []column[place]{
		{"visit", "Visit", text, "", "", "", ofDesign, func(p place) string { return printable.Cell(visitName(p.a.Design, p.visit)) }},
		{"month", "Nominal month of the visit", number, "month", "", "", ofDesign, func(p place) string { return plain(monthOf(p.a.Design, p.visit)) }},
	}
)

// numbered is a column of numbers that are derived and have no unit, unless measured says it.
func numbered[R any](name, label string, x func(R) float64) column[R] {
	return column[R]{name: name, label: label, kind: number, origin: derived, cell: func(r R) string { return plain(x(r)) }}
}

// measured is the column with a unit.
func (c column[R]) measured(unit string) column[R] { c.unit = unit; return c }

// had is the column with how its values are had.
func (c column[R]) had(from string) column[R] { c.from = from; return c }

// counted is a column of counts.
func counted[R any](name, label, from string, n func(R) int) column[R] {
	return column[R]{name, label, integer, "", "", from, derived, func(r R) string { return strconv.Itoa(n(r)) }}
}

const endpointUnit = "of the endpoint"

type descriptionRow struct {
	place
	measure string
	trial.Description
	planned int
	flags   []int
}

var descriptionColumns = func() []column[descriptionRow] {
	at := func(r descriptionRow) place { return r.place }
	unit := endpointUnit + "; % where measure is percent"
	x := func(name, label string, f func(trial.Description) float64) column[descriptionRow] {
		return numbered(name, label, func(r descriptionRow) float64 { return f(r.Description) }).measured(unit)
	}
	return join(of(at, endpointColumns), of(at, armColumns), of(at, visitColumns), []column[descriptionRow]{
		{"measure", "What is described", text, "", "value, change, percent", "change = value - baseline; percent = 100*change/baseline, of baselines above 0", derived,
			func(r descriptionRow) string { return r.measure }},
		counted("n", "Subjects with a figure", "", func(r descriptionRow) int { return r.N }),
		counted("missing", "Subjects of the arm without one", "subjects of the arm in the design - n", func(r descriptionRow) int { return r.planned - r.N }),
		x("mean", "Mean", func(d trial.Description) float64 { return d.Mean }).had("sum(x)/n"),
		x("sd", "Standard deviation", func(d trial.Description) float64 { return d.SD }).had("sqrt(sum((x - mean)^2)/(n - 1)); empty for n < 2"),
		x("median", "Median", func(d trial.Description) float64 { return d.Median }),
		x("q1", "Lower quartile", func(d trial.Description) float64 { return d.Q1 }).had("linear between order statistics (Hyndman and Fan's type 7)"),
		x("q3", "Upper quartile", func(d trial.Description) float64 { return d.Q3 }).had("as q1"),
		x("min", "Minimum", func(d trial.Description) float64 { return d.Min }),
		x("max", "Maximum", func(d trial.Description) float64 { return d.Max }),
		x("ci_low", "Lower limit of the mean's interval", func(d trial.Description) float64 { return d.Low }).had("mean - t(n - 1)*sd/sqrt(n)"),
		x("ci_high", "Upper limit of the mean's interval", func(d trial.Description) float64 { return d.High }).had("mean + t(n - 1)*sd/sqrt(n)"),
		levelColumn(func(r descriptionRow) float64 { return r.a.Plan.Level }),
		{"flags", "Kinds of flags that touch this cell", text, "", flagTerms, "value: of the values; change and percent: of the values and of their baselines", derived,
			func(r descriptionRow) string { return kindsOf(*r.a, r.flags) }},
	})
}()

const flagTerms = "two studies; protocol change; scanner change; carried mask; quality; other side; no result; not in the design"

// levelColumn is the level of the intervals beside it.
func levelColumn[R any](level func(R) float64) column[R] {
	return column[R]{"level", "Level of the intervals", number, "", "", "0.95 unless set", assigned, func(r R) string { return plain(level(r)) }}
}

// join puts columns side by side.
func join[R any](parts ...[]column[R]) []column[R] {
	var all []column[R]
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

func descriptionTable(a *trial.Analysis) table {
	var rows []descriptionRow
	sizes := armSizes(a.Design)
	for i := range a.Endpoints {
		e := &a.Endpoints[i]
		for arm, cells := range e.Cells {
			for visit, c := range cells {
				at := descriptionRow{place: place{a, e, arm, visit}, planned: sizes[arm]}
				for _, m := range []struct {
					name  string
					d     trial.Description
					flags []int
				}{{"value", c.Value, c.ValueFlags}, {"change", c.Change, c.ChangeFlags}, {"percent", c.Percent, c.ChangeFlags}} {
					if visit == 0 && m.name != "value" {
						continue // there is no change at baseline
					}
					r := at
					r.measure, r.Description, r.flags = m.name, m.d, m.flags
					rows = append(rows, r)
				}
			}
		}
	}
	return newTable("description", "one row per endpoint, arm, visit and measure", descriptionColumns, rows)
}

type meanRow struct {
	place
	mmrm.Estimate
}

var meanColumns = func() []column[meanRow] {
	at := func(r meanRow) place { return r.place }
	x := func(name, label string, f func(mmrm.Estimate) float64) column[meanRow] {
		return numbered(name, label, func(r meanRow) float64 { return f(r.Estimate) })
	}
	return join(of(at, endpointColumns), of(at, armColumns), of(at, visitColumns), []column[meanRow]{
		counted("n", "Subjects of the arm in the model at the visit", "", func(r meanRow) int { return r.e.Model.InIt(r.arm, r.visit) }),
		x("estimate", "Least-squares mean of the change", func(e mmrm.Estimate) float64 { return e.Value }).measured(endpointUnit).had("l'beta at the mean baseline and covariates of the observations, equal weight of each level of a factor"),
		x("se", "Standard error", func(e mmrm.Estimate) float64 { return e.SE }).measured(endpointUnit).had("of the model, adjusted for small samples with Kenward-Roger"),
		x("df", "Degrees of freedom", func(e mmrm.Estimate) float64 { return e.DF }).had("by df_method"),
		x("t", "Test statistic", func(e mmrm.Estimate) float64 { return e.T }).had("estimate/se"),
		x("p", "Two-sided p of no change", func(e mmrm.Estimate) float64 { return e.P }).had("2*P(T > |t|)"),
		x("ci_low", "Lower limit", func(e mmrm.Estimate) float64 { return e.Low }).measured(endpointUnit).had("estimate - t(df)*se"),
		x("ci_high", "Upper limit", func(e mmrm.Estimate) float64 { return e.High }).measured(endpointUnit).had("estimate + t(df)*se"),
		levelColumn(func(r meanRow) float64 { return r.a.Plan.Level }),
	}, fitColumns(func(r meanRow) (trial.Model, bool) { return r.e.Model, true }), []column[meanRow]{
		numbered("baseline_mean", "Baseline at which the mean stands", func(r meanRow) float64 {
			if r.e.Model.Failed != "" {
				return math.NaN()
			}
			return r.e.Model.BaselineMean
		}).measured(endpointUnit).had("mean over the observations"),
		{"note", noteLabel, text, "", "", modelNoteFrom, derived, func(r meanRow) string {
			notes := modelNotes(r.a, r.e.Model)
			if r.e.Model.Failed == "" && math.IsNaN(r.Value) {
				notes = append([]string{absent(r.a, r.e.Model, r.visit)}, notes...)
			}
			return noteOf(notes)
		}},
	})
}()

const (
	noteLabel     = "Why there are no figures, or what to know of them"
	modelNoteFrom = "mixed model: a covariance that is not the planned one and why, what it assumes, terms and visits that are not in the model and why"
)

// noteOf joins notes, each once.
func noteOf(notes []string) string {
	var once []string
	for _, n := range notes {
		if !slices.Contains(once, n) {
			once = append(once, n)
		}
	}
	return printable.Cell(strings.Join(once, "; "))
}

// fitColumns say what was fitted, in the rows that are of a model and where there is one.
func fitColumns[R any](model func(R) (trial.Model, bool)) []column[R] {
	of := func(f func(trial.Model) string) func(R) string {
		return func(r R) string {
			if m, ok := model(r); ok && m.Failed == "" {
				return f(m)
			}
			return ""
		}
	}
	return []column[R]{
		{"covariance", "Covariance that was fitted", text, "", "unstructured, heterogeneous compound symmetry, first-order autoregressive, compound symmetry", "mixed model only; note says where it is not the planned one", derived,
			of(func(m trial.Model) string { return m.Covariance.String() })},
		{"df_method", "Method of the degrees of freedom", text, "", "kenward-roger, satterthwaite", "mixed model only", derived,
			of(func(m trial.Model) string { return dfTerm(m.DF) })},
		{"subjects", "Subjects in the model", integer, "", "", "mixed model only; of all arms and visits", derived,
			of(func(m trial.Model) string { return strconv.Itoa(m.Subjects) })},
		{"observations", "Observations in the model", integer, "", "", "mixed model only; of all arms and visits", derived,
			of(func(m trial.Model) string { return strconv.Itoa(m.Observations) })},
	}
}

func meanTable(a *trial.Analysis) table {
	var rows []meanRow
	for i := range a.Endpoints {
		e := &a.Endpoints[i]
		for arm := range a.Design.Arms {
			for visit := 1; visit < len(a.Design.Visits); visit++ {
				rows = append(rows, meanRow{place{a, e, arm, visit}, lsMean(e.Model, arm, visit-1)})
			}
		}
	}
	return newTable("lsmeans", "one row per endpoint, arm and visit after baseline", meanColumns, rows)
}

// none is an estimate that could not be had.
var none = mmrm.Estimate{Value: math.NaN(), SE: math.NaN(), DF: math.NaN(), T: math.NaN(), P: math.NaN(), Low: math.NaN(), High: math.NaN()}

// lsMean is that of an arm at a visit, counted from 0 after baseline.
func lsMean(m trial.Model, arm, visit int) mmrm.Estimate {
	if m.Failed != "" || arm >= len(m.LSMeans) || visit >= len(m.LSMeans[arm]) {
		return none
	}
	return m.LSMeans[arm][visit]
}
