package publish

import (
	"fmt"
	"math"

	"github.com/t2map/t2map/trial"
)

// An ADaM data set in the basic data structure (ADaMIG 1.3): one row per subject, parameter and
// visit with a value. It holds every endpoint.

type bdsRow struct {
	subjectRow
	code string
	// parameter counts the endpoints from 1; seq is MKSEQ of the same value, −1 for none.
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

// source returns s for values that are in mk.csv.
func (r bdsRow) source(s string) string {
	if r.seq < 0 {
		return ""
	}
	return s
}

var bdsColumns = []column[bdsRow]{
	words("STUDYID", "Study Identifier", fromDesign,
		func(r bdsRow) string { return studyID(r.a.Design) }).withDerivation("as in mk.csv"),
	words("USUBJID", "Unique Subject Identifier", derived,
		func(r bdsRow) string { return usubjid(r.a.Design, r.subject) }).withDerivation("as in mk.csv"),
	words("SUBJID", "Subject Identifier for the Study", fromDesign,
		func(r bdsRow) string { return identifier(r.who().ID) }).
		withDerivation("subject of the design"),
	words("SITEID", "Study Site Identifier", fromDesign, func(r bdsRow) string { return identifier(r.who().Site) }),
	numbers("AGE", "Age",
		func(r bdsRow) float64 { return r.who().Age }).withUnit("year").withDerivation("at baseline").withOrigin(fromDesign),
	words("AGEU", "Age Units", assigned, func(r bdsRow) string {
		if math.IsNaN(r.who().Age) {
			return ""
		}
		return "YEARS"
	}).withTerms("AGEU (C66781): YEARS").withDerivation("empty where AGE is"),
	words("SEX", "Sex", fromDesign, func(r bdsRow) string { return sexTerm(r.who().Sex) }).
		withTerms("SEX (C66731): F, M, U; other words of the design are unchanged"),
	numbers("BMIBL", "Baseline BMI",
		func(r bdsRow) float64 { return r.who().BMI }).withUnit("kg/m2").withOrigin(fromDesign),
	truncated("STRATUM", "Stratum of Randomisation", fromDesign, func(r bdsRow) string { return r.who().Stratum }).
		withDerivation(toCheck + "variable STRATUM"),
	truncated("TRTP", "Planned Treatment", fromDesign,
		func(r bdsRow) string { return r.armName() }).withDerivation("arm of the design"),
	counts("TRTPN", "Planned Treatment (N)", func(r bdsRow) int { return r.arm + 1 }).
		withDerivation("place of the arm in the design from 1, which is the reference").withOrigin(assigned),
	words("PARCAT1", "Parameter Category 1", assigned, func(r bdsRow) string {
		if r.e.Compartment {
			return "CARTILAGE T2"
		}
		return "OTHER ENDPOINT"
	}).withTerms("CARTILAGE T2, OTHER ENDPOINT"),
	truncated("PARAM", "Parameter", derived, bdsRow.label).withDerivation("title of the endpoint with its unit"),
	words("PARAMCD", "Parameter Code", assigned, func(r bdsRow) string { return r.code }).
		withTerms(toCheck + "T2MED, T2LAT, T2PF, T2MT, T2LT, T2PAT, T2FEM; others from the endpoint's name").
		withDerivation("letters and digits of the name, truncated to 8, made unique with a number"),
	counts("PARAMN", "Parameter (N)", func(r bdsRow) int { return r.parameter }).
		withDerivation("place of the endpoint in the analysis, from 1").withOrigin(assigned),
	truncated("AVISIT", "Analysis Visit", fromDesign, func(r bdsRow) string { return r.visitName() }),
	numbers("AVISITN", "Analysis Visit (N)", func(r bdsRow) float64 { return r.month() }).withUnit("month").
		withDerivation("nominal month of the visit").withOrigin(fromDesign),
	numbers("AVAL", "Analysis Value",
		func(r bdsRow) float64 { return r.X }).withUnit(endpointUnit).withOrigin(fromResults),
	numbers("BASE", "Baseline Value", func(r bdsRow) float64 { return r.baseline().X }).withUnit(endpointUnit).
		withDerivation("AVAL of the first visit; empty where there is none"),
	numbers("CHG", "Change from Baseline", func(r bdsRow) float64 { return r.Delta }).withUnit(endpointUnit).
		withDerivation("AVAL - BASE; empty at baseline"),
	numbers("PCHG", "Percent Change from Baseline", func(r bdsRow) float64 { return r.Percent }).withUnit("%").
		withDerivation("100*CHG/BASE; empty at baseline and where BASE is not above 0"),
	marks("ABLFL", "Baseline Record Flag",
		func(r bdsRow) bool { return r.visit == 0 }).withDerivation("Y at the first visit"),
	marks("ANL01FL", "Analysis Flag 01", func(r bdsRow) bool { return r.a.InModel(r.e, r.subject, r.visit) }).
		withDerivation("Y for an observation of the mixed model: a change at a visit that is in it, and every " +
			"covariate of the plan is known"),
	words("CRIT1", "Analysis Criterion 1", derived,
		func(r bdsRow) string { criterion, _ := r.criterion(); return criterion }).
		withDerivation("the change exceeds the repeatability coefficient, 1.96*sqrt(2)*wCV; empty at baseline and " +
			"where no wCV is known"),
	words("CRIT1FL", "Criterion 1 Evaluation Result Flag", derived,
		func(r bdsRow) string { _, flag := r.criterion(); return flag }).withTerms("Y, N or empty"),
	truncated("MASKFROM", "Visit Whose Mask Was Carried", fromResults, func(r bdsRow) string { return r.MaskFrom }).
		withDerivation(toCheck + "variable MASKFROM; empty where the mask of AVAL was drawn at the visit itself"),
	words("SRCDOM", "Source Data", assigned,
		func(r bdsRow) string { return r.source("MK") }).withTerms("MK or empty").withDerivation("MK for compartments"),
	words("SRCVAR", "Source Variable", assigned,
		func(r bdsRow) string { return r.source("MKSTRESN") }).withTerms("MKSTRESN or empty"),
	counts("SRCSEQ", "Source Sequence Number",
		func(r bdsRow) int { return r.seq }).withDerivation("MKSEQ of the value").withOrigin(assigned),
}

// bdsRows are in the order of subject, parameter and visit, without missing values.
func bdsRows(a *trial.Analysis) []bdsRow {
	codes := paramCodes(a.Endpoints)
	compartments := familyOf(a)
	var rows []bdsRow
	for s := range a.Design.Subjects {
		compartment := 0 // number among the compartments, from 1
		for i := range a.Endpoints {
			e := &a.Endpoints[i]
			if e.Compartment {
				compartment++
			}
			for v := range a.Design.Visits {
				r := bdsRow{subjectRow: rowOf(a, e, s, v), code: codes[i], parameter: i + 1, seq: -1}
				if e.Compartment {
					r.seq = v*compartments + compartment
				}
				if !math.IsNaN(r.X) {
					rows = append(rows, r)
				}
			}
		}
	}
	return rows
}

func bdsTable(a *trial.Analysis) table { return newTable("adbds", bdsColumns, bdsRows(a)) }
