package publish

import (
	"iter"
	"math"
	"slices"
	"strings"

	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/table"
	"github.com/t2map/t2map/trial"
	"github.com/t2map/t2map/trial/mmrm"
)

// place has the first columns of most rows: endpoint, arm and visit. An arm or visit of −1 is absent.
type place struct {
	a          *trial.Analysis
	e          *trial.EndpointAnalysis
	arm, visit int
}

// places iterates over endpoints, arms and some visits of the endpoint, such as its planned ones.
func places(a *trial.Analysis, visits func(trial.Endpoint) []int) iter.Seq[place] {
	return func(yield func(place) bool) {
		for e := range endpoints(a) {
			for arm := range a.Design.Arms {
				for _, v := range visits(e.Endpoint) {
					if !yield(place{a, e, arm, v}) {
						return
					}
				}
			}
		}
	}
}

func plannedVisits(e trial.Endpoint) []int { return e.Visits }

// located is a row with a place.
type located interface{ where() place }

func (p place) where() place { return p }

// placed returns columns of the places of rows.
func placed[R located](columns ...[]table.Column[place]) []table.Column[R] {
	return table.Lift(R.where, slices.Concat(columns...))
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

// displayed returns a number on the scale of the analysis as tables show it: on the log scale, a ratio.
func (p place) displayed(x float64) float64 {
	return p.e.DisplayedInterval(trial.Interval{Estimate: x}).Estimate
}

// estimateUnit is the unit of estimates of a model, and seUnit that of their standard errors.
const (
	estimateUnit = endpointUnit + "; none where scale is log"
	seUnit       = endpointUnit + "; of the natural logarithm where scale is log"
)

var (
	endpointColumns = []table.Column[place]{
		table.Text("endpoint", "Endpoint", table.FromResults, func(p place) string { return p.e.Name }).
			WithTerms("compartments as results name them, other endpoints as their tables do"),
		table.Text("unit", "Unit of the endpoint", table.FromResults, func(p place) string { return p.e.Unit }).
			WithTerms("ms for T2; as given for others; empty for scores"),
		table.Text("scale", "Scale on which the endpoint is analysed", table.FromDesign,
			func(p place) string { return map[bool]string{false: "linear", true: "log"}[p.e.Log] }).
			WithTerms("linear, log").
			WithDerivation("log: natural logarithms; estimates and intervals are ratios of geometric means"),
	}
	armColumns   = []table.Column[place]{table.Text("arm", "Arm", table.FromDesign, place.armName)}
	visitColumns = []table.Column[place]{
		table.Text("visit", "Visit", table.FromDesign, place.visitName),
		table.Number("month", "Nominal month of the visit", place.month).WithUnit("month").WithOrigin(table.FromDesign),
	}
	levelColumns = []table.Column[place]{
		table.Number("level", "Level of the intervals", func(p place) float64 { return p.a.Plan.Level }).
			WithDerivation("0.95 unless set").WithOrigin(table.Assigned),
	}
)

type descriptionRow struct {
	place
	measure string
	trial.Description
	arms  int // subjects of the arm in the design
	flags []int
}

var descriptionColumns = func() []table.Column[descriptionRow] {
	x := func(name, label string, f func(trial.Description) float64) table.Column[descriptionRow] {
		return table.Number(name, label, func(r descriptionRow) float64 { return f(r.Description) }).
			WithUnit(endpointUnit + "; % where measure is percent; none where measure is ratio")
	}
	return slices.Concat(placed[descriptionRow](endpointColumns, armColumns, visitColumns),
		[]table.Column[descriptionRow]{
			table.Text("measure", "What is described", table.Derived, func(r descriptionRow) string { return r.measure }).
				WithTerms("value, change, percent; ratio in place of change where scale is log").
				WithDerivation("change = value - baseline; percent = 100*change/baseline, of baselines above 0; ratio = " +
					"value/baseline: mean is the geometric mean, sd that of the natural logarithms, the others are " +
					"exponentials of the statistics of the logarithms"),
			table.Count("n", "Subjects with a value", func(r descriptionRow) int { return r.N }),
			table.Count("missing", "Subjects of the arm without a value", func(r descriptionRow) int { return r.arms - r.N }).
				WithDerivation("subjects of the arm in the design - n"),
			x("mean", "Mean", func(d trial.Description) float64 { return d.Mean }).WithDerivation("sum(x)/n"),
			x("sd", "Standard deviation", func(d trial.Description) float64 { return d.SD }).
				WithDerivation("sqrt(sum((x - mean)^2)/(n - 1)); empty for n < 2"),
			x("median", "Median", func(d trial.Description) float64 { return d.Median }),
			x("q1", "Lower quartile", func(d trial.Description) float64 { return d.Q1 }).
				WithDerivation("linear between order statistics (Hyndman and Fan's type 7)"),
			x("q3", "Upper quartile", func(d trial.Description) float64 { return d.Q3 }).WithDerivation("as q1"),
			x("min", "Minimum", func(d trial.Description) float64 { return d.Min }),
			x("max", "Maximum", func(d trial.Description) float64 { return d.Max }),
			x("ci_low", "Lower limit of the mean's interval", func(d trial.Description) float64 { return d.Low }).
				WithDerivation("mean - t(n - 1)*sd/sqrt(n)"),
			x("ci_high", "Upper limit of the mean's interval", func(d trial.Description) float64 { return d.High }).
				WithDerivation("mean + t(n - 1)*sd/sqrt(n)"),
		}, placed[descriptionRow](levelColumns), []table.Column[descriptionRow]{
			flagColumn("flags", "Kinds of flags that concern this cell",
				func(r descriptionRow) (*trial.Analysis, []int) { return r.a, r.flags }).
				WithDerivation("value: of the values; change and percent: of the values and of their baselines"),
		})
}()

// flagColumn returns a column of the kinds of flags.
func flagColumn[R any](name, label string, flags func(R) (*trial.Analysis, []int)) table.Column[R] {
	return table.Text(name, label, table.Derived, func(r R) string { return kindsOf(flags(r)) }).
		WithTerms("two studies; protocol change; scanner change; carried mask; beyond limit; quality; other side; no result; not " +
			"in the design")
}

func descriptionTable(a *trial.Analysis) output {
	var rows []descriptionRow
	sizes := armSizes(a.Design)
	for p := range places(a, plannedVisits) {
		c := p.e.Cells[p.arm][p.visit]
		add := func(measure string, d trial.Description, flags []int) {
			rows = append(rows, descriptionRow{p, measure, d, sizes[p.arm], flags})
		}
		add("value", c.Value, c.ValueFlags)
		switch {
		case p.visit == 0:
			continue
		case p.e.Log:
			add("ratio", ratioOf(p.e, c.Change), c.ChangeFlags)
		default:
			add("change", c.Change, c.ChangeFlags)
		}
		add("percent", c.Percent, c.ChangeFlags)
	}
	return newOutput("description", descriptionColumns, rows)
}

// ratioOf returns the description of value/baseline from that of its logarithms. SD remains that of the logarithms.
func ratioOf(e *trial.EndpointAnalysis, d trial.Description) trial.Description {
	for _, x := range []*float64{&d.Mean, &d.Median, &d.Q1, &d.Q3, &d.Min, &d.Max, &d.Low, &d.High} {
		*x = place{e: e}.displayed(*x)
	}
	return d
}

type meanRow struct {
	place
	mmrm.Estimate
}

var meanColumns = func() []table.Column[meanRow] {
	x := func(name, label string, f func(mmrm.Estimate) float64) table.Column[meanRow] {
		return table.Number(name, label, func(r meanRow) float64 { return f(r.Estimate) })
	}
	return slices.Concat(placed[meanRow](endpointColumns, armColumns, visitColumns),
		[]table.Column[meanRow]{
			table.Count("n", "Subjects of the arm in the model at the visit",
				func(r meanRow) int { return r.e.Model.SubjectsAt(r.arm, r.visit) }),
			x("estimate", "Least-squares mean of the change", func(e mmrm.Estimate) float64 { return e.Value }).
				WithUnit(estimateUnit).WithDerivation("l'beta at the mean baseline and covariates of the observations, equal " +
				"weight of each level of a factor; scale log: its exponential, the geometric mean of value/baseline"),
			x("se", "Standard error", func(e mmrm.Estimate) float64 { return e.SE }).WithUnit(seUnit).
				WithDerivation("of the model, adjusted for small samples with Kenward-Roger"),
			x("df", "Degrees of freedom", func(e mmrm.Estimate) float64 { return e.DF }).WithDerivation("by df_method"),
			x("t", "Test statistic", func(e mmrm.Estimate) float64 { return e.T }).
				WithDerivation("estimate/se; scale log: ln(estimate)/se"),
			x("p", "Two-sided p of no change", func(e mmrm.Estimate) float64 { return e.P }).WithDerivation("2*P(T > |t|)"),
			x("ci_low", "Lower limit", func(e mmrm.Estimate) float64 { return e.Low }).WithUnit(estimateUnit).
				WithDerivation("estimate - t(df)*se; scale log: exp(ln(estimate) - t(df)*se)"),
			x("ci_high", "Upper limit", func(e mmrm.Estimate) float64 { return e.High }).WithUnit(estimateUnit).
				WithDerivation("as ci_low, with +"),
		}, placed[meanRow](levelColumns), fitColumns(func(meanRow) bool { return true }), []table.Column[meanRow]{
			table.Number("baseline_mean", "Baseline at which the mean is estimated",
				func(r meanRow) float64 { return r.displayed(r.e.Model.BaselineMean) }).
				WithUnit(endpointUnit).WithDerivation("mean over the observations; scale log: geometric mean"),
			noteColumn(func(r meanRow) []string { return modelNotes(r.place, r.Value) }),
		})
}()

// noteColumn returns the column of notes on the numbers of a row. It omits empty and repeated notes.
func noteColumn[R any](notes func(R) []string) table.Column[R] {
	return table.Text("note", "Why numbers are missing, and remarks on them", table.Derived, func(r R) string {
		var all []string
		for _, n := range notes(r) {
			if n != "" && !slices.Contains(all, n) {
				all = append(all, n)
			}
		}
		return strings.Join(all, "; ")
	}).WithDerivation("mixed model: why a covariance other than the planned one was fitted, what it assumes, and " +
		"which terms and visits are omitted from the model")
}

// fitColumns returns the columns about the fitted model. They are empty in rows of other methods.
func fitColumns[R located](ofModel func(R) bool) []table.Column[R] {
	columns := table.Lift(func(r R) trial.Model { return r.where().e.Model }, []table.Column[trial.Model]{
		table.Text("covariance", "Fitted covariance", table.Derived,
			func(m trial.Model) string { return m.Covariance.String() }).
			WithTerms("unstructured, heterogeneous compound symmetry, first-order autoregressive, compound symmetry").
			WithDerivation("mixed model only; note says where it is not the planned one"),
		table.Text("df_method", "Method of the degrees of freedom", table.Derived,
			func(m trial.Model) string { return dfTerm(m.DF) }).
			WithTerms("kenward-roger, satterthwaite").WithDerivation("mixed model only"),
		table.Count("subjects", "Subjects in the model", func(m trial.Model) int { return m.Subjects }).
			WithDerivation("mixed model only; of all arms and visits"),
		table.Count("observations", "Observations in the model", func(m trial.Model) int { return m.Observations }).
			WithDerivation("mixed model only; of all arms and visits"),
	})
	for i, c := range columns {
		columns[i].Cell = func(r R) string {
			if !ofModel(r) || r.where().e.Model.Failed != "" {
				return ""
			}
			return c.Cell(r)
		}
	}
	return columns
}

func meanTable(a *trial.Analysis) output {
	var rows []meanRow
	for p := range places(a, trial.Endpoint.After) {
		rows = append(rows, meanRow{p, p.e.Displayed(p.e.Model.LSMeans[p.arm][p.visit-1])})
	}
	return newOutput("lsmeans", meanColumns, rows)
}

// identifier returns a name as an identifier: trimmed and on one line. It does not truncate, since the
// identifiers of two subjects could become equal.
func identifier(s string) string { return strings.TrimSpace(printable.Line(s)) }
