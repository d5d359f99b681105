package publish

import (
	"slices"

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

func (r subjectRow) who() trial.Subject { return r.a.Design.Subjects[r.subject] }

// baseline returns the subject's value at the first visit.
func (r subjectRow) baseline() trial.Value { return r.e.Values[r.subject][0] }

// changeFlags returns the flags of the value and of its baseline; none at baseline, which is not a
// change.
func (r subjectRow) changeFlags() []int {
	if r.visit == 0 {
		return nil
	}
	return slices.Concat(r.Flags, r.baseline().Flags)
}

var (
	subjectColumns = []column[subjectRow]{
		words("subject", "Subject", fromDesign, func(r subjectRow) string { return r.who().ID }),
	}
	valueColumn = numbers("value", "Value", func(r subjectRow) float64 { return r.X }).withUnit(endpointUnit).
			withDerivation("mean T2 of a compartment, or as the endpoint's table has it").withOrigin(fromResults)
	deltaColumn = numbers("change", "Change from baseline", func(r subjectRow) float64 { return r.Delta }).
			withUnit(endpointUnit).withDerivation("value - baseline")
	percentColumn = numbers("percent", "Change in percent of baseline",
		func(r subjectRow) float64 { return r.Percent }).
		withUnit("%").withDerivation("100*change/baseline; empty where the baseline is not above 0")
	verdictColumn = words("verdict", "Change against repeatability", derived,
		func(r subjectRow) string { return verdictName(r.Verdict) }).
		withTerms("decrease, within, increase; empty where there is no change or no RC").
		withDerivation("decrease: percent < -RC; increase: percent > RC; RC = 1.96*sqrt(2)*wCV")
	maskFromColumn = words("mask_from", "Visit whose mask was carried to this one", fromResults,
		func(r subjectRow) string { return r.MaskFrom }).
		withDerivation("by registration; empty where the mask was drawn at the visit itself")
)

// changeFlagColumn returns the column of the flags of a change, which has another name in each
// table.
func changeFlagColumn(name string) column[subjectRow] {
	return flagColumn(name, "Kinds of flags of this change",
		func(r subjectRow) (*trial.Analysis, []int) { return r.a, r.changeFlags() }).
		withDerivation("of the value or of its baseline, whether there is a change or not; empty at baseline")
}

var valueColumns = func() []column[subjectRow] {
	toPlace := func(r subjectRow) place { return r.place }
	return slices.Concat(subjectColumns, columnsOf(toPlace, armColumns), columnsOf(toPlace, visitColumns),
		columnsOf(toPlace, endpointColumns), []column[subjectRow]{
			valueColumn, deltaColumn, percentColumn, verdictColumn,
			words("missing", "Why there is no value", derived,
				func(r subjectRow) string { return r.Value.Missing.String() }),
			flagColumn("flags", "Kinds of flags of this value",
				func(r subjectRow) (*trial.Analysis, []int) { return r.a, r.Flags }),
			changeFlagColumn("change_flags"),
			words("side", "Side of the knee in the images", fromResults, func(r subjectRow) string { return r.Side }),
			words("study", "Hash of the study", fromResults,
				func(r subjectRow) string { return r.Study }).withDerivation("of the StudyInstanceUID"),
			words("series", "Hash of the series", fromResults,
				func(r subjectRow) string { return r.Series }).withDerivation("of the SeriesInstanceUID"),
			words("method", "Method of estimating T2", fromResults, func(r subjectRow) string { return r.Method }),
			maskFromColumn,
		})
}()

// eachSubject returns a row per endpoint, subject and visit from the given one on.
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

func valueTable(a *trial.Analysis) table {
	return newTable("values", valueColumns, eachSubject(a, 0))
}

var individualColumns = func() []column[subjectRow] {
	toPlace := func(r subjectRow) place { return r.place }
	return slices.Concat(columnsOf(toPlace, endpointColumns), subjectColumns, columnsOf(toPlace, armColumns),
		columnsOf(toPlace, visitColumns), []column[subjectRow]{
			numbers("baseline", "Value at baseline",
				func(r subjectRow) float64 { return r.baseline().X }).withUnit(endpointUnit).
				withDerivation("value at the first visit").withOrigin(fromResults),
			valueColumn, deltaColumn, percentColumn,
			numbers("rc_percent", "Repeatability coefficient",
				func(r subjectRow) float64 { return r.e.RC }).withUnit("%").
				withDerivation("1.96*sqrt(2)*wCV; empty where no wCV is known"),
			verdictColumn,
			words("missing", "Why there is no change", derived,
				func(r subjectRow) string { return r.Change.Missing.String() }),
			changeFlagColumn("flags"), maskFromColumn,
		})
}()

func individualTable(a *trial.Analysis) table {
	return newTable("individuals", individualColumns, eachSubject(a, 1))
}

type flagRow struct {
	number int // from 1
	trial.Flag
}

var flagColumns = []column[flagRow]{
	counts("number", "Number of the flag", func(r flagRow) int { return r.number }).withOrigin(assigned),
	words("kind", "Kind", derived, func(r flagRow) string { return string(r.Kind) }).
		withTerms("not in the design; no result; other side; two studies; protocol change; scanner change; carried " +
			"mask; quality"),
	words("subject", "Subject", fromResults, func(r flagRow) string { return r.Subject }).withTerms("empty: all"),
	words("visit", "Visit", fromResults, func(r flagRow) string { return r.Visit }).withTerms("empty: all"),
	words("endpoint", "Endpoint", fromResults,
		func(r flagRow) string { return r.Endpoint }).withTerms("empty: every compartment"),
	marks("on_figures", "Shown on the figures that it concerns",
		func(r flagRow) bool { return r.Kind.OnFigures() }).withOrigin(assigned),
	words("text", "Problem", derived, func(r flagRow) string { return r.Text }),
}

func flagTable(a *trial.Analysis) table {
	var rows []flagRow
	for i, f := range a.Flags {
		rows = append(rows, flagRow{i + 1, f})
	}
	return newTable("flags", flagColumns, rows)
}

type flowRow struct {
	place
	step, reason string
	n            int
}

var flowColumns = func() []column[flowRow] {
	toPlace := func(r flowRow) place { return r.place }
	return slices.Concat(columnsOf(toPlace, armColumns), []column[flowRow]{
		words("step", "Step", derived,
			func(r flowRow) string { return r.step }).withTerms("planned, present, missing, analysed").
			withDerivation("planned: in the design; present: a value in at least one compartment at the visit; " +
				"missing: the others, by reason; analysed: a baseline and a later visit in at least one " +
				"compartment; where there are no compartments, of any endpoint"),
	}, columnsOf(toPlace, visitColumns), []column[flowRow]{
		words("reason", "Why participants are missing", derived, func(r flowRow) string { return r.reason }),
		counts("n", "Participants", func(r flowRow) int { return r.n }),
	})
}()

func flowTable(a *trial.Analysis) table {
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
	return newTable("flow", flowColumns, rows)
}
