package publish

import (
	"fmt"
	"math"
	"slices"

	"github.com/t2map/t2map/table"
	"github.com/t2map/t2map/trial"
)

// adbds.csv is an ADaM data set in the basic data structure (ADaMIG 1.3), with one row per subject,
// parameter and visit with a value. It has every endpoint.

type bdsRow struct {
	subjectRow
	code string
	// parameter counts the endpoints from 1. seq is MKSEQ of the same value; −1 if it is not in mk.csv.
	parameter, seq int
}

// label is PARAM: the title with its unit.
func (r bdsRow) label() string {
	if r.e.Unit == "" {
		return r.e.Title
	}
	return r.e.Title + " (" + r.e.Unit + ")"
}

// criterion returns CRIT1 and its flag, where there is a change and a repeatability coefficient.
func (r bdsRow) criterion() (criterion, flag string) {
	if r.Verdict == trial.NoVerdict {
		return "", ""
	}
	flag = "Y"
	if r.Verdict == trial.Within {
		flag = "N"
	}
	return fmt.Sprintf("|PCHG| > RC (%.4g %%)", r.e.RC), flag
}

// source returns s for values in mk.csv, and otherwise nothing.
func (r bdsRow) source(s string) string {
	if r.seq < 0 {
		return ""
	}
	return s
}

var bdsColumns = []table.Column[bdsRow]{
	table.Text("STUDYID", "Study Identifier", table.FromDesign,
		func(r bdsRow) string { return studyID(r.a.Design) }).WithDerivation("as in mk.csv"),
	table.Text("USUBJID", "Unique Subject Identifier", table.Derived,
		func(r bdsRow) string { return usubjid(r.a.Design, r.subject) }).WithDerivation("as in mk.csv"),
	table.Text("SUBJID", "Subject Identifier for the Study", table.FromDesign,
		func(r bdsRow) string { return identifier(r.participant().ID) }).WithDerivation("subject of the design"),
	table.Text("SITEID", "Study Site Identifier", table.FromDesign,
		func(r bdsRow) string { return identifier(r.participant().Site) }),
	table.Number("AGE", "Age",
		func(r bdsRow) float64 { return r.participant().Age }).WithUnit("year").WithDerivation("at baseline").
		WithOrigin(table.FromDesign),
	table.Text("AGEU", "Age Units", table.Assigned, func(r bdsRow) string {
		if math.IsNaN(r.participant().Age) {
			return ""
		}
		return "YEARS"
	}).WithTerms("AGEU (C66781): YEARS").WithDerivation("empty where AGE is"),
	table.Text("SEX", "Sex", table.FromDesign, func(r bdsRow) string { return sexTerm(r.participant().Sex) }).
		WithTerms("SEX (C66731): F, M, U; other words of the design are unchanged"),
	table.Number("BMIBL", "Baseline BMI",
		func(r bdsRow) float64 { return r.participant().BMI }).WithUnit("kg/m2").WithOrigin(table.FromDesign),
	truncated("STRATUM", "Stratum of Randomisation", table.FromDesign,
		func(r bdsRow) string { return r.participant().Stratum }).WithDerivation(toCheck + "variable STRATUM"),
	truncated("TRTP", "Planned Treatment", table.FromDesign,
		func(r bdsRow) string { return r.armName() }).WithDerivation("arm of the design"),
	table.Count("TRTPN", "Planned Treatment (N)", func(r bdsRow) int { return r.arm + 1 }).
		WithDerivation("number of the arm in the design, from 1; the reference is 1").WithOrigin(table.Assigned),
	table.Text("PARCAT1", "Parameter Category 1", table.Assigned, func(r bdsRow) string {
		if r.e.Compartment {
			return "CARTILAGE T2"
		}
		return "OTHER ENDPOINT"
	}).WithTerms("CARTILAGE T2, OTHER ENDPOINT"),
	truncated("PARAM", "Parameter", table.Derived, bdsRow.label).WithDerivation("title of the endpoint with its unit"),
	table.Text("PARAMCD", "Parameter Code", table.Assigned, func(r bdsRow) string { return r.code }).
		WithTerms(toCheck + "T2MED, T2LAT, T2PF, T2MT, T2LT, T2PAT, T2FEM; others from the endpoint's name").
		WithDerivation("letters and digits of the name, truncated to 8, made unique with a number"),
	table.Count("PARAMN", "Parameter (N)", func(r bdsRow) int { return r.parameter }).
		WithDerivation("number of the endpoint in the analysis, from 1").WithOrigin(table.Assigned),
	truncated("AVISIT", "Analysis Visit", table.FromDesign, func(r bdsRow) string { return r.visitName() }),
	table.Number("AVISITN", "Analysis Visit (N)", func(r bdsRow) float64 { return r.month() }).WithUnit("month").
		WithDerivation("nominal month of the visit").WithOrigin(table.FromDesign),
	table.Number("AVAL", "Analysis Value",
		func(r bdsRow) float64 { return r.X }).WithUnit(endpointUnit).WithOrigin(table.FromResults),
	table.Number("BASE", "Baseline Value", func(r bdsRow) float64 { return r.baseline().X }).WithUnit(endpointUnit).
		WithDerivation("AVAL of the first visit; empty where there is none"),
	table.Number("CHG", "Change from Baseline", func(r bdsRow) float64 { return r.Delta }).WithUnit(endpointUnit).
		WithDerivation("AVAL - BASE, also for parameters that are analysed on the log scale; empty at baseline"),
	table.Number("PCHG", "Percent Change from Baseline", func(r bdsRow) float64 { return r.Percent }).WithUnit("%").
		WithDerivation("100*CHG/BASE; empty at baseline and where BASE is not above 0"),
	table.Flag("ABLFL", "Baseline Record Flag", "Y",
		func(r bdsRow) bool { return r.visit == 0 }).WithDerivation("Y at the first visit"),
	table.Flag("ANL01FL", "Analysis Flag 01", "Y", func(r bdsRow) bool { return r.a.InModel(r.e, r.subject, r.visit) }).
		WithDerivation("Y for an observation of the mixed model: a change at a visit that is in it, and every " +
			"covariate of the plan is known"),
	table.Text("CRIT1", "Analysis Criterion 1", table.Derived,
		func(r bdsRow) string { criterion, _ := r.criterion(); return criterion }).
		WithDerivation("the change exceeds the repeatability coefficient, 1.96*sqrt(2)*wCV; empty at baseline and " +
			"where no wCV is known"),
	table.Text("CRIT1FL", "Criterion 1 Evaluation Result Flag", table.Derived,
		func(r bdsRow) string { _, flag := r.criterion(); return flag }).WithTerms("Y, N or empty"),
	truncated("MASKFROM", "Visit Whose Mask Was Carried", table.FromResults, func(r bdsRow) string { return r.MaskFrom }).
		WithDerivation(toCheck + "variable MASKFROM; empty where the mask of AVAL was drawn at the visit itself"),
	table.Text("SRCDOM", "Source Data", table.Assigned,
		func(r bdsRow) string { return r.source("MK") }).WithTerms("MK or empty").WithDerivation("MK for compartments"),
	table.Text("SRCVAR", "Source Variable", table.Assigned,
		func(r bdsRow) string { return r.source("MKSTRESN") }).WithTerms("MKSTRESN or empty"),
	table.Count("SRCSEQ", "Source Sequence Number",
		func(r bdsRow) int { return r.seq }).WithDerivation("MKSEQ of the value").WithOrigin(table.Assigned),
}

// bdsRows returns the rows in the order of subject, parameter and visit, without missing values.
func bdsRows(a *trial.Analysis) []bdsRow {
	codes := paramCodes(a.Endpoints)
	scans := plannedScans(a)
	var rows []bdsRow
	for s := range a.Design.Subjects {
		for i := range a.Endpoints {
			e := &a.Endpoints[i]
			for _, v := range e.Visits {
				r := bdsRow{subjectRow: rowOf(a, e, s, v), code: codes[i], parameter: i + 1, seq: -1}
				if n := slices.Index(scans, scan{i, v}); n >= 0 {
					r.seq = n + 1
				}
				if !math.IsNaN(r.X) {
					rows = append(rows, r)
				}
			}
		}
	}
	return rows
}

func bdsTable(a *trial.Analysis) output { return newOutput("adbds", bdsColumns, bdsRows(a)) }
