package publish

import (
	"slices"

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
			WithDerivation("T2 of a compartment, the mean or, if planned, the median of its voxels; or as the endpoint's table has it").WithOrigin(table.FromResults)
	deltaColumn = table.Number("change", "Change from baseline", func(r subjectRow) float64 { return r.Delta }).
			WithUnit(endpointUnit).WithDerivation("value - baseline")
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
)

// changeFlagColumn returns the column of the flags of a change, whose name depends on the table.
func changeFlagColumn(name string) table.Column[subjectRow] {
	return flagColumn(name, "Kinds of flags of this change",
		func(r subjectRow) (*trial.Analysis, []int) { return r.a, r.changeFlags() }).
		WithDerivation("of the value or of its baseline, whether there is a change or not; empty at baseline")
}

var valueColumns = func() []table.Column[subjectRow] {
	toPlace := func(r subjectRow) place { return r.place }
	return slices.Concat(subjectColumns, table.Lift(toPlace, armColumns), table.Lift(toPlace, visitColumns),
		table.Lift(toPlace, endpointColumns), []table.Column[subjectRow]{
			valueColumn, deltaColumn, percentColumn, verdictColumn,
			table.Text("missing", "Why there is no value", table.Derived,
				func(r subjectRow) string { return r.Value.Missing.String() }),
			flagColumn("flags", "Kinds of flags of this value",
				func(r subjectRow) (*trial.Analysis, []int) { return r.a, r.Flags }),
			changeFlagColumn("change_flags"),
			table.Text("side", "Side of the knee in the images", table.FromResults,
				func(r subjectRow) string { return r.Side }),
			table.Text("study", "Hash of the study", table.FromResults,
				func(r subjectRow) string { return r.Study }).WithDerivation("of the StudyInstanceUID"),
			table.Text("series", "Hash of the series", table.FromResults,
				func(r subjectRow) string { return r.Series }).WithDerivation("of the SeriesInstanceUID"),
			table.Text("method", "Method of estimating T2", table.FromResults,
				func(r subjectRow) string { return r.Method }),
			maskFromColumn,
		}, table.Lift(func(r subjectRow) trial.ImageQuality { return r.Quality.Known() }, imageColumns))
}()

// eachSubject returns a row per endpoint, subject and visit from firstVisit on.
func eachSubject(a *trial.Analysis, firstVisit int) []subjectRow {
	var rows []subjectRow
	for i := range a.Endpoints {
		for s := range a.Design.Subjects {
			for v := firstVisit; v < len(a.Design.Visits); v++ {
				rows = append(rows, rowOf(a, &a.Endpoints[i], s, v))
			}
		}
	}
	return rows
}

func valueTable(a *trial.Analysis) output {
	return newOutput("values", valueColumns, eachSubject(a, 0))
}

var individualColumns = func() []table.Column[subjectRow] {
	toPlace := func(r subjectRow) place { return r.place }
	return slices.Concat(table.Lift(toPlace, endpointColumns), subjectColumns, table.Lift(toPlace, armColumns),
		table.Lift(toPlace, visitColumns), []table.Column[subjectRow]{
			table.Number("baseline", "Value at baseline",
				func(r subjectRow) float64 { return r.baseline().X }).WithUnit(endpointUnit).
				WithDerivation("value at the first visit").WithOrigin(table.FromResults),
			valueColumn, deltaColumn, percentColumn,
			table.Number("rc_percent", "Repeatability coefficient",
				func(r subjectRow) float64 { return r.e.RC }).WithUnit("%").
				WithDerivation("1.96*sqrt(2)*wCV; empty where no wCV is known"),
			verdictColumn,
			table.Text("missing", "Why there is no change", table.Derived,
				func(r subjectRow) string { return r.Change.Missing.String() }),
			changeFlagColumn("flags"), maskFromColumn,
		})
}()

func individualTable(a *trial.Analysis) output {
	return newOutput("individuals", individualColumns, eachSubject(a, 1))
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
	table.Text("text", "Problem", table.Derived, func(r flagRow) string { return r.Problem() }),
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
	toPlace := func(r flowRow) place { return r.place }
	return slices.Concat(table.Lift(toPlace, armColumns), []table.Column[flowRow]{
		table.Text("step", "Step", table.Derived,
			func(r flowRow) string { return r.step }).WithTerms("planned, present, missing, analysed").
			WithDerivation("planned: in the design; present: a value in at least one compartment at the visit; " +
				"missing: the others, by reason; analysed: a baseline and a later visit in at least one " +
				"compartment; where there are no compartments, of any endpoint"),
	}, table.Lift(toPlace, visitColumns), []table.Column[flowRow]{
		table.Text("reason", "Why participants are missing", table.Derived, func(r flowRow) string { return r.reason }),
		table.Count("n", "Participants", func(r flowRow) int { return r.n }),
	})
}()

func flowTable(a *trial.Analysis) output {
	var rows []flowRow
	for arm, f := range a.Flow {
		whole := place{a: a, arm: arm, visit: -1}
		rows = append(rows, flowRow{whole, "planned", "", f.Planned})
		for visit, v := range f.Visits {
			here := place{a: a, arm: arm, visit: visit}
			rows = append(rows, flowRow{here, "present", "", v.Present})
			for _, m := range v.Missing {
				rows = append(rows, flowRow{here, "missing", m.Reason.String(), m.N})
			}
		}
		rows = append(rows, flowRow{whole, "analysed", "", f.Analysed})
	}
	return newOutput("flow", flowColumns, rows)
}
