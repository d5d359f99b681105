package publish

import (
	"math"
	"strconv"
	"strings"

	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/trial"
)

// SDTM MK, the findings of the musculoskeletal system: SDTMIG 3.4; names,
// labels and order of its table. Terms were looked up in a release of CDISC's controlled
// terminology with 50 tests in MUSCTSCD, none of them a relaxation time, and no
// patellofemoral joint in LOC: what is not in it is a sponsor's term, and says so.

// toCheck marks terms that were not found in CDISC's controlled terminology.
const toCheck = "sponsor term, to be checked against the current release: "

const (
	mkTestCode = "T2MEAN"
	mkTest     = "Mean Cartilage T2 Relaxation Time"
	mkCategory = "CARTILAGE T2 MAPPING"
)

// mkRow is a compartment of a subject at a planned visit.
type mkRow struct {
	subjectRow
	seq int
}

func (r mkRow) done() bool { return !math.IsNaN(r.X) }

// noneChosen ends the reasons of package trial for results that are there and that none of is used:
// "two studies at one visit, none chosen".
const noneChosen = ", none chosen"

// unused says that there are results, none of which is used.
func (r mkRow) unused() bool { return !r.done() && strings.HasSuffix(r.Value.Missing, noneChosen) }

// side is that of the design, or where it does not say of the images.
func (r mkRow) side() string {
	if s := laterality(r.who().Side); s != "" {
		return s
	}
	return laterality(r.Value.Side)
}

// location returns LOC and DIR of a compartment.
func location(compartment string) (loc, dir string) {
	switch strings.ToLower(compartment) {
	case "medial":
		return "KNEE JOINT", "MEDIAL"
	case "lateral":
		return "KNEE JOINT", "LATERAL"
	case "patellofemoral":
		return "PATELLOFEMORAL JOINT", ""
	// The cartilage of one bone is not that of a compartment.
	case "medial-tibial":
		return "TIBIA", "MEDIAL"
	case "lateral-tibial":
		return "TIBIA", "LATERAL"
	case "femoral":
		return "FEMUR", ""
	case "patellar":
		return "PATELLA", ""
	}
	return "KNEE JOINT", ""
}

// ofTwo says that a value is the mean of two studies.
func (r mkRow) ofTwo() bool {
	if !r.a.Plan.MeanOfTwo || !r.done() {
		return false
	}
	for _, f := range r.Flags {
		if f >= 0 && f < len(r.a.Flags) && r.a.Flags[f].Kind == trial.TwoStudies {
			return true
		}
	}
	return false
}

// result is the value as text, empty where there is none.
func (r mkRow) result() string { return plain(r.X) }

// onlyDone is s where there is a value.
func (r mkRow) onlyDone(s string) string {
	if r.done() {
		return s
	}
	return ""
}

func fixed(s string) func(mkRow) string { return func(mkRow) string { return s } }

var mkColumns = []column[mkRow]{
	{"STUDYID", "Study Identifier", text, "", "", "name of the trial in the design; " + unnamed + " where it has none", ofDesign, func(r mkRow) string { return identifier(studyID(r.a.Design)) }},
	{"DOMAIN", "Domain Abbreviation", text, "", "MK", "", assigned, fixed("MK")},
	{"USUBJID", "Unique Subject Identifier", text, "", "", "STUDYID, a hyphen, the subject of the design", derived, func(r mkRow) string { return identifier(usubjid(r.a.Design, r.subject)) }},
	{"MKSEQ", "Sequence Number", integer, "", "", "1, 2, ... by subject, in the order of visits and compartments; the number of a row that there is not is left out", assigned, func(r mkRow) string { return strconv.Itoa(r.seq) }},
	{"MKREFID", "Reference ID", text, "", "", "hash of the StudyInstanceUID, as compartments.csv has it", ofInput, func(r mkRow) string { return printable.Cell(within(r.Study, longestText)) }},
	{"MKTESTCD", "Short Name of Musculoskeletal Test", text, "", "MUSCTSCD (C127269, extensible); " + toCheck + mkTestCode, "", assigned, fixed(mkTestCode)},
	{"MKTEST", "Name of Musculoskeletal Test", text, "", "MUSCTS (C127270, extensible); " + toCheck + mkTest, "", assigned, fixed(mkTest)},
	{"MKCAT", "Category for Musculoskeletal Test", text, "", mkCategory, "", assigned, fixed(mkCategory)},
	{"MKSCAT", "Subcategory for Musculoskeletal Test", text, "", "", "compartment as the results name it, in capitals", ofInput, func(r mkRow) string { return printable.Cell(within(strings.ToUpper(r.e.Name), longestText)) }},
	{"MKORRES", "Result or Finding in Original Units", text, "ms", "", "mean T2 of the compartment that the analysis uses, not every result that was acquired: those of the other knee and of unplanned visits are not in this table; empty where MKSTAT is NOT DONE", ofInput, mkRow.result},
	{"MKORRESU", "Original Units", text, "", "UNIT (C71620): ms (C41140)", "", assigned, func(r mkRow) string { return r.onlyDone("ms") }},
	{"MKSTRESC", "Character Result/Finding in Std Format", text, "ms", "", "as MKORRES", derived, mkRow.result},
	{"MKSTRESN", "Numeric Result/Finding in Standard Units", number, "ms", "", "as MKORRES", derived, mkRow.result},
	{"MKSTRESU", "Standard Units", text, "", "UNIT (C71620): ms (C41140)", "", assigned, func(r mkRow) string { return r.onlyDone("ms") }},
	{"MKSTAT", "Completion Status", text, "", "ND (C66789): NOT DONE", "NOT DONE where a planned visit has no result; what was done and is not used, as of two studies of which none is chosen, has no row, and is in values.csv", derived, func(r mkRow) string {
		if r.done() {
			return ""
		}
		return "NOT DONE"
	}},
	{"MKREASND", "Reason Not Done", text, "", "", "why there is no value; cut to 200 bytes", derived, func(r mkRow) string {
		if r.done() {
			return ""
		}
		return printable.Cell(within(r.Value.Missing, longestText))
	}},
	{"MKLOC", "Location Used for the Measurement", text, "", "LOC (C74456, extensible): KNEE JOINT (C32898); " + toCheck + "PATELLOFEMORAL JOINT, TIBIA, FEMUR, PATELLA", "by compartment: medial and lateral are of the knee joint, the cartilage of one bone of that bone", assigned, func(r mkRow) string { loc, _ := location(r.e.Name); return loc }},
	{"MKLAT", "Laterality", text, "", "LAT (C99073): LEFT, RIGHT", "side of the design, or of the images", ofDesign, mkRow.side},
	{"MKDIR", "Directionality", text, "", "DIR (C99074): MEDIAL (C25232), LATERAL (C25230)", "by compartment; empty for others", assigned, func(r mkRow) string { _, dir := location(r.e.Name); return dir }},
	{"MKMETHOD", "Method of Test or Examination", text, "", "METHOD (C85492): MRI", "", assigned, fixed("MRI")},
	{"MKLOBXFL", "Last Observation Before Exposure Flag", text, "", "NY (C66742): Y or empty", "empty: the results hold no dates, so that the first exposure is not known; to be derived by the sponsor", assigned, fixed("")},
	{"MKBLFL", "Baseline Flag", text, "", "NY (C66742): Y or empty", "Y for a result of the first planned visit", derived, func(r mkRow) string { return mark(r.visit == 0 && r.done()) }},
	{"MKDRVFL", "Derived Flag", text, "", "NY (C66742): Y or empty", "Y where the result is the mean of two studies at the visit", derived, func(r mkRow) string { return mark(r.ofTwo()) }},
	{"VISITNUM", "Visit Number", integer, "", "", "place of the visit in the design, from 1", ofDesign, func(r mkRow) string { return strconv.Itoa(r.visit + 1) }},
	{"VISIT", "Visit Name", text, "", "", "", ofDesign, func(r mkRow) string { return printable.Cell(within(visitName(r.a.Design, r.visit), longestText)) }},
	{"MKDTC", "Date/Time of Collection", text, "", "ISO 8601", "empty: the results hold no dates, for privacy; to be joined by the sponsor", assigned, fixed("")},
}

// mkRows are in the order of subject, visit and compartment. What was done and is not used
// has no row: it is not NOT DONE, and which of its results holds is not known.
func mkRows(a *trial.Analysis) []mkRow {
	var rows []mkRow
	for s := range a.Design.Subjects {
		seq := 0
		for v := range a.Design.Visits {
			for i := range a.Endpoints {
				if e := &a.Endpoints[i]; e.Compartment {
					seq++
					if r := (mkRow{rowOf(a, e, s, v), seq}); !r.unused() {
						rows = append(rows, r)
					}
				}
			}
		}
	}
	return rows
}

func mkTable(a *trial.Analysis) table {
	return newTable("mk", "SDTM MK (SDTMIG 3.4): one row per subject, planned visit and compartment, but for what was done and is not used", mkColumns, mkRows(a))
}
