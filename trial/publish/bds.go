package publish

import (
	"fmt"
	"math"
	"strconv"

	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/trial"
)

// An ADaM data set in the basic data structure (ADaMIG 1.3): one row per subject,
// parameter and visit with a value. It is called adbds and not after T2, because it holds
// every endpoint.

type bdsRow struct {
	subjectRow
	code string
	// param counts the endpoints from 1; seq is MKSEQ of the same value, 0 for none.
	param, seq int
}

// post says that the row has a change: a later visit, a value and a baseline.
func (r bdsRow) post() bool { return r.visit > 0 && !math.IsNaN(r.Delta) }

// analysed says that the row is an observation of the mixed model.
func (r bdsRow) analysed() bool {
	if !r.post() || r.e.Model.Failed != "" || r.e.Model.InIt(r.arm, r.visit) == 0 {
		return false // no change, no model, or one that leaves this visit out
	}
	who := r.who()
	for _, c := range r.a.Plan.Covariates {
		switch c {
		case "age":
			if math.IsNaN(who.Age) {
				return false
			}
		case "bmi":
			if math.IsNaN(who.BMI) {
				return false
			}
		case "sex":
			if who.Sex == "" {
				return false
			}
		case "site":
			if who.Site == "" {
				return false
			}
		case "stratum":
			if who.Stratum == "" {
				return false
			}
		}
	}
	return true
}

// label is PARAM: the title with its unit.
func (r bdsRow) label() string {
	title := r.e.Title
	if title == "" {
		title = r.e.Name
	}
	if r.e.Unit != "" {
		title += " (" + r.e.Unit + ")"
	}
	return printable.Cell(within(title, longestText))
}

// criterion is CRIT1 and its flag, where there is a repeatability coefficient.
func (r bdsRow) criterion() (crit, flag string) {
	if !r.post() || math.IsNaN(r.e.RC) || math.IsNaN(r.Percent) {
		return "", ""
	}
	flag = "N"
	if math.Abs(r.Percent) > r.e.RC {
		flag = "Y"
	}
	return fmt.Sprintf("|PCHG| > RC (%.4g %%)", r.e.RC), flag
}

// covariate is a number of the design, empty where it does not say.
func covariate(x func(trial.Subject) float64) func(bdsRow) string {
	return func(r bdsRow) string { return plain(x(r.who())) }
}

var bdsColumns = []column[bdsRow]{
	{"STUDYID", "Study Identifier", text, "", "", "as in mk.csv", ofDesign, func(r bdsRow) string { return identifier(studyID(r.a.Design)) }},
	{"USUBJID", "Unique Subject Identifier", text, "", "", "as in mk.csv", derived, func(r bdsRow) string { return identifier(usubjid(r.a.Design, r.subject)) }},
	{"SUBJID", "Subject Identifier for the Study", text, "", "", "subject of the design", ofDesign, func(r bdsRow) string { return identifier(r.who().ID) }},
	{"SITEID", "Study Site Identifier", text, "", "", "", ofDesign, func(r bdsRow) string { return identifier(r.who().Site) }},
	{"AGE", "Age", number, "year", "", "at baseline", ofDesign, covariate(func(s trial.Subject) float64 { return s.Age })},
	{"AGEU", "Age Units", text, "", "AGEU (C66781): YEARS", "empty where AGE is", assigned, func(r bdsRow) string {
		if math.IsNaN(r.who().Age) {
			return ""
		}
		return "YEARS"
	}},
	{"SEX", "Sex", text, "", "SEX (C66731): F, M, U; other words of the design stand as they are", "", ofDesign, func(r bdsRow) string { return sexTerm(r.who().Sex) }},
	{"BMIBL", "Baseline BMI", number, "kg/m2", "", "", ofDesign, covariate(func(s trial.Subject) float64 { return s.BMI })},
	{"STRATUM", "Stratum of Randomisation", text, "", "", toCheck + "variable STRATUM", ofDesign, func(r bdsRow) string { return printable.Cell(within(r.who().Stratum, longestText)) }},
	{"TRTP", "Planned Treatment", text, "", "", "arm of the design", ofDesign, func(r bdsRow) string { return printable.Cell(within(armName(r.a.Design, r.arm), longestText)) }},
	{"TRTPN", "Planned Treatment (N)", integer, "", "", "place of the arm in the design from 1, which is the reference", assigned, func(r bdsRow) string { return strconv.Itoa(r.arm + 1) }},
	{"PARCAT1", "Parameter Category 1", text, "", "CARTILAGE T2, OTHER ENDPOINT", "", assigned, func(r bdsRow) string {
		if r.e.Compartment {
			return "CARTILAGE T2"
		}
		return "OTHER ENDPOINT"
	}},
	{"PARAM", "Parameter", text, "", "", "title of the endpoint with its unit", derived, bdsRow.label},
	{"PARAMCD", "Parameter Code", text, "", toCheck + "T2MED, T2LAT, T2PF, T2MT, T2LT, T2PAT, T2FEM; others from the endpoint's name", "letters and digits of the name, cut to 8, made unique with a number", assigned, func(r bdsRow) string { return r.code }},
	{"PARAMN", "Parameter (N)", integer, "", "", "place of the endpoint in the analysis, from 1", assigned, func(r bdsRow) string { return strconv.Itoa(r.param) }},
	{"AVISIT", "Analysis Visit", text, "", "", "", ofDesign, func(r bdsRow) string { return printable.Cell(within(visitName(r.a.Design, r.visit), longestText)) }},
	{"AVISITN", "Analysis Visit (N)", number, "month", "", "nominal month of the visit", ofDesign, func(r bdsRow) string { return plain(monthOf(r.a.Design, r.visit)) }},
	{"AVAL", "Analysis Value", number, endpointUnit, "", "", ofInput, func(r bdsRow) string { return plain(r.X) }},
	{"BASE", "Baseline Value", number, endpointUnit, "", "AVAL of the first visit; empty where there is none", derived, func(r bdsRow) string { return plain(r.baseline()) }},
	{"CHG", "Change from Baseline", number, endpointUnit, "", "AVAL - BASE; empty at baseline", derived, func(r bdsRow) string { return plain(r.Delta) }},
	{"PCHG", "Percent Change from Baseline", number, "%", "", "100*CHG/BASE; empty at baseline and where BASE is not above 0", derived, func(r bdsRow) string { return plain(r.Percent) }},
	{"ABLFL", "Baseline Record Flag", text, "", "Y or empty", "Y at the first visit", derived, func(r bdsRow) string { return mark(r.visit == 0) }},
	{"ANL01FL", "Analysis Flag 01", text, "", "Y or empty", "Y for an observation of the mixed model: a change at a visit that is in it, and every covariate of the plan is known", derived, func(r bdsRow) string { return mark(r.analysed()) }},
	{"CRIT1", "Analysis Criterion 1", text, "", "", "the change exceeds the repeatability coefficient, 1.96*sqrt(2)*wCV; empty at baseline and where no wCV is known", derived, func(r bdsRow) string { crit, _ := r.criterion(); return crit }},
	{"CRIT1FL", "Criterion 1 Evaluation Result Flag", text, "", "Y, N or empty", "", derived, func(r bdsRow) string { _, flag := r.criterion(); return flag }},
	{"MASKFROM", "Visit Whose Mask Was Carried", text, "", "", toCheck + "variable MASKFROM; empty where the mask of AVAL was drawn at the visit itself", ofInput, func(r bdsRow) string { return printable.Cell(within(r.MaskFrom, longestText)) }},
	{"SRCDOM", "Source Data", text, "", "MK or empty", "MK for compartments", assigned, func(r bdsRow) string {
		if r.seq > 0 {
			return "MK"
		}
		return ""
	}},
	{"SRCVAR", "Source Variable", text, "", "MKSTRESN or empty", "", assigned, func(r bdsRow) string {
		if r.seq > 0 {
			return "MKSTRESN"
		}
		return ""
	}},
	{"SRCSEQ", "Source Sequence Number", integer, "", "", "MKSEQ of the value", assigned, func(r bdsRow) string {
		if r.seq > 0 {
			return strconv.Itoa(r.seq)
		}
		return ""
	}},
}

// bdsRows are in the order of subject, parameter and visit. Rows are made of values alone.
func bdsRows(a *trial.Analysis) []bdsRow {
	codes := paramCodes(a.Endpoints)
	compartments := 0
	place := make([]int, len(a.Endpoints)) // of each compartment among them, from 1
	for i, e := range a.Endpoints {
		if e.Compartment {
			compartments++
			place[i] = compartments
		}
	}
	var rows []bdsRow
	for s := range a.Design.Subjects {
		for i := range a.Endpoints {
			for v := range a.Design.Visits {
				r := bdsRow{subjectRow: rowOf(a, &a.Endpoints[i], s, v), code: codes[i], param: i + 1}
				if math.IsNaN(r.X) {
					continue
				}
				if place[i] > 0 {
					r.seq = v*compartments + place[i]
				}
				rows = append(rows, r)
			}
		}
	}
	return rows
}

func bdsTable(a *trial.Analysis) table {
	return newTable("adbds", "ADaM BDS: one row per subject, parameter and visit with a value", bdsColumns, bdsRows(a))
}
