package publish

import (
	"slices"

	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/table"
	"github.com/t2map/t2map/trial"
)

// subjectRow is a subject at a visit.
type subjectRow struct {
	place
	subject int
	trial.Value
	trial.Change
}

func rowOf(a *trial.Analysis, e *trial.EndpointAnalysis, subject, visit int) subjectRow {
	return subjectRow{
		place: place{a, e, a.Design.Subjects[subject].Arm, visit}, subject: subject,
		Value: e.Values[subject][visit], Change: e.Changes[subject][visit],
	}
}

func (r subjectRow) participant() trial.Subject { return r.a.Design.Subjects[r.subject] }

// baseline returns the subject's value at the first visit.
func (r subjectRow) baseline() trial.Value { return r.e.Values[r.subject][0] }

// changeFlags returns the flags of the value and of its baseline; none at baseline, where there is no
// change.
func (r subjectRow) changeFlags() []int {
	if r.visit == 0 {
		return nil
	}
	return slices.Concat(r.Flags, r.baseline().Flags)
}

var (
	subjectColumns = []table.Column[subjectRow]{
		table.Text("subject", "Subject", table.FromDesign, func(r subjectRow) string { return r.participant().ID }),
	}
	valueColumn = table.Number("value", "Value", func(r subjectRow) float64 { return r.X }).WithUnit(endpointUnit).
			WithDerivation("T2 of a compartment, the mean or, if planned, the median of its voxels; or as the endpoint's " +
			"table has it").WithOrigin(table.FromResults)
	baselineColumn = table.Number("baseline", "Value at baseline",
		func(r subjectRow) float64 { return r.baseline().X }).WithUnit(endpointUnit).
		WithDerivation("value at the first visit").WithOrigin(table.FromResults)
	deltaColumn = table.Number("change", "Change from baseline", func(r subjectRow) float64 { return r.Delta }).
			WithUnit(endpointUnit).WithDerivation("value - baseline on either scale; empty for subjects who are not in " +
		"the first set of the plan")
	percentColumn = table.Number("percent", "Change in percent of baseline",
		func(r subjectRow) float64 { return r.Percent }).
		WithUnit("%").WithDerivation("100*change/baseline; empty where the baseline is not above 0")
	verdictColumn = table.Text("verdict", "Change against repeatability", table.Derived,
		func(r subjectRow) string { return verdictName(r.Verdict) }).
		WithTerms("decrease, within, increase; empty where there is no change or no RC").
		WithDerivation("decrease: percent < -RC; increase: percent > RC; RC = 1.96*sqrt(2)*wCV")
	maskFromColumn = table.Text("mask_from", "Visit whose mask was carried to this one", table.FromResults,
		func(r subjectRow) string { return r.MaskFrom }).
		WithDerivation("by registration; empty where the mask was drawn at the visit itself")
	covariateColumns = []table.Column[subjectRow]{
		table.Text("site", "Site", table.FromDesign, func(r subjectRow) string { return r.participant().Site }),
		table.Text("stratum", "Stratum of the randomisation", table.FromDesign,
			func(r subjectRow) string { return r.participant().Stratum }),
		table.Text("sex", "Sex", table.FromDesign, func(r subjectRow) string { return r.participant().Sex }),
		table.Number("age", "Age at baseline", func(r subjectRow) float64 { return r.participant().Age }).
			WithUnit("year").WithOrigin(table.FromDesign),
		table.Number("bmi", "Body mass index at baseline", func(r subjectRow) float64 { return r.participant().BMI }).
			WithUnit("kg/m2").WithOrigin(table.FromDesign),
	}
)

// changeFlagColumn returns the column of the flags of a change, whose name depends on the table.
func changeFlagColumn(name string) table.Column[subjectRow] {
	return flagColumn(name, "Kinds of flags of this change",
		func(r subjectRow) (*trial.Analysis, []int) { return r.a, r.changeFlags() }).
		WithDerivation("of the value or of its baseline, whether there is a change or not; empty at baseline")
}

// valueColumns returns the columns of values.csv, with one for each set of the plan.
func valueColumns(p trial.Plan) []table.Column[subjectRow] {
	columns := slices.Concat(subjectColumns, placed[subjectRow](armColumns, visitColumns, endpointColumns),
		[]table.Column[subjectRow]{
			valueColumn, baselineColumn, deltaColumn, percentColumn, verdictColumn,
			table.Text("missing", "Why there is no value", table.Derived,
				func(r subjectRow) string { return r.Value.Missing.String() }),
			flagColumn("flags", "Kinds of flags of this value",
				func(r subjectRow) (*trial.Analysis, []int) { return r.a, r.Flags }),
			changeFlagColumn("change_flags"),
			table.Text("side", "Side of the knee in the images", table.FromResults, func(r subjectRow) string { return r.Side }),
			table.Text("study", "Hash of the study", table.FromResults, func(r subjectRow) string { return r.Study }).
				WithDerivation("of the StudyInstanceUID"),
			table.Text("series", "Hash of the series", table.FromResults, func(r subjectRow) string { return r.Series }).
				WithDerivation("of the SeriesInstanceUID"),
			table.Text("method", "Method of estimating T2", table.FromResults, func(r subjectRow) string { return r.Method }),
			maskFromColumn,
		}, covariateColumns, table.Lift(func(r subjectRow) trial.ImageQuality { return r.Quality.Known() }, imageColumns))
	use := "the set that is analysed"
	for i, set := range p.Sets {
		columns = append(columns, table.Text(setColumn(set), "In the set "+printable.Line(set.Name), table.FromDesign,
			func(r subjectRow) string { return yesNo(r.participant().Sets[i], 0) }).WithTerms("Y, N").WithDerivation(use))
		use = "the set of a sensitivity analysis"
	}
	return columns
}

// setColumn returns the name of the column of a set: that of the design, or set_NAME if values.csv has another
// column of this name.
func setColumn(s trial.Set) string {
	if slices.Contains(table.Heads(valueColumns(trial.Plan{})), s.Column) {
		return "set_" + s.Column
	}
	return printable.Cell(s.Column)
}

// eachSubject returns a row per endpoint, subject and planned visit.
func eachSubject(a *trial.Analysis, visits func(trial.Endpoint) []int) []subjectRow {
	var rows []subjectRow
	for e := range endpoints(a) {
		for s := range a.Design.Subjects {
			for _, v := range visits(e.Endpoint) {
				rows = append(rows, rowOf(a, e, s, v))
			}
		}
	}
	return rows
}

func valueTable(a *trial.Analysis) output {
	return newOutput("values", valueColumns(a.Plan), eachSubject(a, plannedVisits))
}

var individualColumns = func() []table.Column[subjectRow] {
	return slices.Concat(placed[subjectRow](endpointColumns), subjectColumns, placed[subjectRow](armColumns, visitColumns),
		[]table.Column[subjectRow]{
			baselineColumn, valueColumn, deltaColumn, percentColumn,
			table.Number("rc_percent", "Repeatability coefficient", func(r subjectRow) float64 { return r.e.RC }).WithUnit("%").
				WithDerivation("1.96*sqrt(2)*wCV; empty where no wCV is known"),
			verdictColumn,
			table.Text("missing", "Why there is no change", table.Derived,
				func(r subjectRow) string { return r.Change.Missing.String() }),
			changeFlagColumn("flags"), maskFromColumn,
		})
}()

func individualTable(a *trial.Analysis) output {
	return newOutput("individuals", individualColumns, eachSubject(a, trial.Endpoint.After))
}

type flagRow struct {
	number int // from 1
	trial.Flag
}

var flagColumns = append([]table.Column[flagRow]{
	table.Count("number", "Number of the flag", func(r flagRow) int { return r.number }).WithOrigin(table.Assigned),
	table.Text("kind", "Kind", table.Derived, func(r flagRow) string { return string(r.Kind) }).
		WithTerms("not in the design; no result; other side; two studies; protocol change; scanner change; carried " +
			"mask; beyond limit; quality"),
	table.Text("subject", "Subject", table.FromResults, func(r flagRow) string { return r.Subject }).
		WithTerms("empty: all"),
	table.Text("visit", "Visit", table.FromResults, func(r flagRow) string { return r.Visit }).WithTerms("empty: all"),
	table.Text("endpoint", "Endpoint", table.FromResults,
		func(r flagRow) string { return r.Endpoint }).WithTerms("empty: every compartment"),
	table.Flag("on_figures", "Shown on the figures that it concerns", "Y",
		func(r flagRow) bool { return r.Kind.OnFigures() }).WithOrigin(table.Assigned),
	table.Text("text", "Problem", table.Derived, func(r flagRow) string { return r.ProblemASCII() }),
}, table.Lift(func(r flagRow) trial.Excess { return r.Excess }, excessColumns)...)

func flagTable(a *trial.Analysis) output {
	var rows []flagRow
	for i, f := range a.Flags {
		rows = append(rows, flagRow{i + 1, f})
	}
	return newOutput("flags", flagColumns, rows)
}

type flowRow struct {
	place
	step, reason string
	n            int
}

var flowColumns = func() []table.Column[flowRow] {
	return slices.Concat(placed[flowRow](armColumns), []table.Column[flowRow]{
		table.Text("step", "Step", table.Derived, func(r flowRow) string { return r.step }).
			WithTerms("screened, excluded, randomised, in the trial, left, t2 present, t2 missing, analysed").
			WithDerivation("screened and excluded, by reason: of the plan, without an arm; randomised: in the design; " +
				"in the trial: seen at the visit or later, with a value of any endpoint or a study; left, by reason: in " +
				"the trial at the visit before, and not at this one; t2 present: in the trial, with a value in at least " +
				"one compartment at a visit where T2 is planned; t2 missing: the others in the trial, by reason; " +
				"analysed: with a change in the mixed model of a primary endpoint"),
	}, placed[flowRow](visitColumns), []table.Column[flowRow]{
		table.Text("reason", "Why they were excluded, left or have no T2", table.Derived,
			func(r flowRow) string { return r.reason }),
		table.Count("n", "Participants", func(r flowRow) int { return r.n }),
	})
}()

func flowTable(a *trial.Analysis) output {
	var rows []flowRow
	add := func(arm, visit int, step, reason string, n int) {
		rows = append(rows, flowRow{place{a: a, arm: arm, visit: visit}, step, reason, n})
	}
	if a.Plan.Screened > 0 {
		add(-1, -1, "screened", "", a.Plan.Screened)
	}
	for _, e := range a.Plan.Excluded {
		add(-1, -1, "excluded", e.Reason, e.N)
	}
	for arm, f := range a.Flow {
		add(arm, -1, "randomised", "", f.Randomised)
		for visit, v := range f.Visits {
			for _, e := range v.Left {
				add(arm, visit, "left", e.Reason, e.N)
			}
			add(arm, visit, "in the trial", "", v.InTrial)
			if v.T2Planned {
				add(arm, visit, "t2 present", "", v.Present)
			}
			for _, m := range v.Missing {
				add(arm, visit, "t2 missing", m.Reason.String(), m.N)
			}
		}
		add(arm, -1, "analysed", "", f.Analysed)
	}
	return newOutput("flow", flowColumns, rows)
}
