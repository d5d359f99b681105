package publish

import (
	"slices"
	"strconv"

	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/trial"
)

// subjectRow is a subject at a visit.
type subjectRow struct {
	place
	subject int
	trial.Value
	trial.Change
}

func (r subjectRow) who() trial.Subject { return r.a.Design.Subjects[r.subject] }

// rowOf is that of a subject at a visit; what the analysis does not hold is absent.
func rowOf(a *trial.Analysis, e *trial.EndpointAnalysis, subject, visit int) subjectRow {
	r := subjectRow{place: place{a, e, a.Design.Subjects[subject].Arm, visit}, subject: subject, Value: noValue, Change: noChange}
	if subject < len(e.Values) && visit < len(e.Values[subject]) {
		r.Value = e.Values[subject][visit]
	}
	if subject < len(e.Changes) && visit < len(e.Changes[subject]) {
		r.Change = e.Changes[subject][visit]
	}
	return r
}

// baseline is the subject's value at the first visit.
func (r subjectRow) baseline() float64 { return rowOf(r.a, r.e, r.subject, 0).X }

// changeFlags is the derivation of the flags of a change.
const changeFlags = "of the value or of its baseline, whether there is a change or not; empty at baseline"

// changeFlags are those of the value and of its baseline; none at baseline, which is not a change.
func (r subjectRow) changeFlags() []int {
	if r.visit == 0 {
		return nil
	}
	return append(slices.Clone(r.Flags), rowOf(r.a, r.e, r.subject, 0).Flags...)
}

var subjectColumns = []column[subjectRow]{
	{"subject", "Subject", text, "", "", "", ofDesign, func(r subjectRow) string { return printable.Cell(r.who().ID) }},
}

var (
	deltaColumn   = numbered("change", "Change from baseline", func(r subjectRow) float64 { return r.Delta }).measured(endpointUnit).had("value - baseline")
	percentColumn = numbered("percent", "Change in percent of baseline", func(r subjectRow) float64 { return r.Percent }).measured("%").had("100*change/baseline; empty where the baseline is not above 0")
	verdictColumn = column[subjectRow]{"verdict", "Change against repeatability", text, "", "decrease, within, increase; empty where there is no change or no RC",
		"decrease: percent < -RC; increase: percent > RC; RC = 1.96*sqrt(2)*wCV", derived, func(r subjectRow) string { return verdictName(r.Verdict) }}
	valueColumn = column[subjectRow]{"value", "Value", number, endpointUnit, "", "mean T2 of a compartment, or as the endpoint's table has it", ofInput,
		func(r subjectRow) string { return plain(r.X) }}
)

// maskFromColumn says of a value that its mask was not drawn at its own visit.
var maskFromColumn = column[subjectRow]{"mask_from", "Visit whose mask was carried to this one", text, "", "", "by registration; empty where the mask was drawn at the visit itself", ofInput,
	func(r subjectRow) string { return printable.Cell(r.MaskFrom) }}

var valueColumns = func() []column[subjectRow] {
	at := func(r subjectRow) place { return r.place }
	input := func(name, label, from string, f func(subjectRow) string) column[subjectRow] {
		return column[subjectRow]{name, label, text, "", "", from, ofInput, func(r subjectRow) string { return printable.Cell(f(r)) }}
	}
	return join(subjectColumns, of(at, armColumns), of(at, visitColumns), of(at, endpointColumns), []column[subjectRow]{
		valueColumn, deltaColumn, percentColumn, verdictColumn,
		{"missing", "Why there is no value", text, "", "", "", derived, func(r subjectRow) string { return printable.Cell(r.Value.Missing) }},
		{"flags", "Kinds of flags of this value", text, "", flagTerms, "", derived, func(r subjectRow) string { return kindsOf(*r.a, r.Flags) }},
		{"change_flags", "Kinds of flags of this change", text, "", flagTerms, changeFlags, derived, func(r subjectRow) string { return kindsOf(*r.a, r.changeFlags()) }},
		input("side", "Side of the knee in the images", "", func(r subjectRow) string { return r.Side }),
		input("study", "Hash of the study", "of the StudyInstanceUID", func(r subjectRow) string { return r.Study }),
		input("series", "Hash of the series", "of the SeriesInstanceUID", func(r subjectRow) string { return r.Series }),
		input("method", "How T2 was estimated", "", func(r subjectRow) string { return r.Method }),
		maskFromColumn,
	})
}()

// eachSubject returns a row per endpoint, subject and visit from the given one on.
func eachSubject(a *trial.Analysis, from int, wanted func(*trial.EndpointAnalysis) bool) []subjectRow {
	var rows []subjectRow
	for i := range a.Endpoints {
		e := &a.Endpoints[i]
		if !wanted(e) {
			continue
		}
		for s := range a.Design.Subjects {
			for v := from; v < len(a.Design.Visits); v++ {
				rows = append(rows, rowOf(a, e, s, v))
			}
		}
	}
	return rows
}

func all(*trial.EndpointAnalysis) bool { return true }

func valueTable(a *trial.Analysis) table {
	return newTable("values", "one row per endpoint, subject and planned visit", valueColumns, eachSubject(a, 0, all))
}

var individualColumns = func() []column[subjectRow] {
	at := func(r subjectRow) place { return r.place }
	return join(of(at, endpointColumns), subjectColumns, of(at, armColumns), of(at, visitColumns), []column[subjectRow]{
		{"baseline", "Value at baseline", number, endpointUnit, "", "value at the first visit", ofInput, func(r subjectRow) string { return plain(r.baseline()) }},
		valueColumn, deltaColumn, percentColumn,
		numbered("rc_percent", "Repeatability coefficient", func(r subjectRow) float64 { return r.e.RC }).measured("%").had("1.96*sqrt(2)*wCV; empty where no wCV is known"),
		verdictColumn,
		{"missing", "Why there is no change", text, "", "", "", derived, func(r subjectRow) string { return printable.Cell(r.Change.Missing) }},
		{"flags", "Kinds of flags of this change", text, "", flagTerms, changeFlags, derived, func(r subjectRow) string { return kindsOf(*r.a, r.changeFlags()) }},
		maskFromColumn,
	})
}()

func individualTable(a *trial.Analysis) table {
	return newTable("individuals", "one row per endpoint, subject and visit after baseline", individualColumns, eachSubject(a, 1, all))
}

type flagRow struct {
	number int
	trial.Flag
}

var flagColumns = []column[flagRow]{
	{"number", "Number of the flag", integer, "", "", "", assigned, func(r flagRow) string { return strconv.Itoa(r.number) }},
	{"kind", "Kind", text, "", "not in the design; no result; other side; two studies; protocol change; scanner change; carried mask; quality", "", derived, func(r flagRow) string { return printable.Cell(string(r.Kind)) }},
	{"subject", "Subject", text, "", "empty: about all", "", ofInput, func(r flagRow) string { return printable.Cell(r.Subject) }},
	{"visit", "Visit", text, "", "empty: about all", "", ofInput, func(r flagRow) string { return printable.Cell(r.Visit) }},
	{"endpoint", "Endpoint", text, "", "empty: every compartment", "", ofInput, func(r flagRow) string { return printable.Cell(r.Endpoint) }},
	{"on_figures", "Shown on figures that it touches", text, "", "Y or empty", "", assigned, func(r flagRow) string { return mark(r.Kind.OnFigures()) }},
	{"text", "Problem", text, "", "", "", derived, func(r flagRow) string { return printable.Cell(r.Text) }},
}

func flagTable(a *trial.Analysis) table {
	var rows []flagRow
	for i, f := range a.Flags {
		rows = append(rows, flagRow{i + 1, f})
	}
	return newTable("flags", "one row per flag", flagColumns, rows)
}

type flowRow struct {
	place
	step, reason string
	n            int
}

var flowColumns = func() []column[flowRow] {
	at := func(r flowRow) place { return r.place }
	return join(of(at, armColumns), []column[flowRow]{
		{"step", "Step", text, "", "planned, present, missing, analysed",
			"planned: in the design; present: a value in at least one compartment at the visit; missing: the others, by reason; analysed: a baseline and a later visit in at least one compartment; where there are no compartments, of any endpoint", derived,
			func(r flowRow) string { return r.step }},
	}, of(at, visitColumns), []column[flowRow]{
		{"reason", "Why participants are missing", text, "", "", "", derived, func(r flowRow) string { return printable.Cell(r.reason) }},
		counted("n", "Participants", "", func(r flowRow) int { return r.n }),
	})
}()

func flowTable(a *trial.Analysis) table {
	const nowhere = -1 // no visit
	var rows []flowRow
	for arm, f := range a.Flow {
		rows = append(rows, flowRow{place{a: a, arm: arm, visit: nowhere}, "planned", "", f.Planned})
		for visit, v := range f.Visits {
			at := place{a: a, arm: arm, visit: visit}
			rows = append(rows, flowRow{at, "present", "", v.Present})
			for _, m := range v.Missing {
				rows = append(rows, flowRow{at, "missing", m.Reason, m.N})
			}
		}
		rows = append(rows, flowRow{place{a: a, arm: arm, visit: nowhere}, "analysed", "", f.Analysed})
	}
	return newTable("flow", "one row per arm and step", flowColumns, rows)
}
