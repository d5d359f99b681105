package publish

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/t2map/t2map/trial"
)

// SDTM MK, musculoskeletal system findings, with the names, labels and order of SDTMIG 3.4. Terms
// were looked up in a release of CDISC's controlled terminology with 50 tests in MUSCTSCD, none of
// which is a relaxation time, and without a patellofemoral joint in LOC. Other terms are marked as
// the sponsor's.

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

// ifDone returns s where there is a value, and otherwise where there is none.
func (r mkRow) ifDone(s, otherwise string) string {
	if r.done() {
		return s
	}
	return otherwise
}

// side returns the side of the design or, where it does not say, of the images.
func (r mkRow) side() string { return cmp.Or(laterality(r.who().Side), laterality(r.Value.Side)) }

// location returns LOC and DIR of a compartment. The cartilage of one bone is located at the bone.
func location(compartment string) (loc, dir string) {
	switch strings.ToLower(compartment) {
	case "medial":
		return "KNEE JOINT", "MEDIAL"
	case "lateral":
		return "KNEE JOINT", "LATERAL"
	case "patellofemoral":
		return "PATELLOFEMORAL JOINT", ""
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

// isMean reports whether a value is the mean of several studies.
func (r mkRow) isMean() bool {
	return r.a.Plan.MeanOfTwo && r.done() &&
		slices.ContainsFunc(r.Flags, func(f int) bool { return r.a.Flags[f].Kind == trial.TwoStudies })
}

func (r mkRow) result() string { return plain(r.X) }

// constant returns a column with the same text in each row.
func constant[R any](name, label, s string) column[R] {
	return words(name, label, assigned, func(R) string { return s })
}

// truncated returns a column of texts that are truncated to the longest that the transport format
// holds.
func truncated[R any](name, label string, from origin, cell func(R) string) column[R] {
	return words(name, label, from, func(r R) string { return within(cell(r), longestText) })
}

var mkColumns = []column[mkRow]{
	words("STUDYID", "Study Identifier", fromDesign, func(r mkRow) string { return studyID(r.a.Design) }).
		withDerivation("name of the trial in the design; " + unnamed + " where it has none"),
	constant[mkRow]("DOMAIN", "Domain Abbreviation", "MK").withTerms("MK"),
	words("USUBJID", "Unique Subject Identifier", derived,
		func(r mkRow) string { return usubjid(r.a.Design, r.subject) }).
		withDerivation("STUDYID, a hyphen, the subject of the design"),
	counts("MKSEQ", "Sequence Number", func(r mkRow) int { return r.seq }).withOrigin(assigned).
		withDerivation("1, 2, ... by subject, in the order of visits and compartments; the numbers of omitted rows " +
			"are not used"),
	truncated("MKREFID", "Reference ID", fromResults, func(r mkRow) string { return r.Study }).
		withDerivation("hash of the StudyInstanceUID, as compartments.csv has it"),
	constant[mkRow]("MKTESTCD", "Short Name of Musculoskeletal Test", mkTestCode).
		withTerms("MUSCTSCD (C127269, extensible); " + toCheck + mkTestCode),
	constant[mkRow]("MKTEST", "Name of Musculoskeletal Test", mkTest).withTerms("MUSCTS (C127270, extensible); " +
		toCheck + mkTest),
	constant[mkRow]("MKCAT", "Category for Musculoskeletal Test", mkCategory).withTerms(mkCategory),
	truncated("MKSCAT", "Subcategory for Musculoskeletal Test", fromResults,
		func(r mkRow) string { return strings.ToUpper(r.e.Name) }).
		withDerivation("compartment as the results name it, in capitals"),
	words("MKORRES", "Result or Finding in Original Units", fromResults, mkRow.result).withUnit("ms").
		withDerivation("mean T2 of the compartment that the analysis uses, not every result that was acquired: " +
			"results of the other knee and of unplanned visits are not in this table; empty where MKSTAT is NOT DONE"),
	words("MKORRESU", "Original Units", assigned,
		func(r mkRow) string { return r.ifDone("ms", "") }).withTerms("UNIT (C71620): ms (C41140)"),
	words("MKSTRESC", "Character Result/Finding in Std Format", derived,
		mkRow.result).withUnit("ms").withDerivation("as MKORRES"),
	numbers("MKSTRESN", "Numeric Result/Finding in Standard Units",
		func(r mkRow) float64 { return r.X }).withUnit("ms").withDerivation("as MKORRES"),
	words("MKSTRESU", "Standard Units", assigned,
		func(r mkRow) string { return r.ifDone("ms", "") }).withTerms("UNIT (C71620): ms (C41140)"),
	words("MKSTAT", "Completion Status", derived,
		func(r mkRow) string { return r.ifDone("", "NOT DONE") }).withTerms("ND (C66789): NOT DONE").
		withDerivation("NOT DONE where a planned visit has no result; results that are not used, as of two studies " +
			"at one visit, have no row here, and are in values.csv"),
	truncated("MKREASND", "Reason Not Done", derived, func(r mkRow) string { return r.Value.Missing.String() }).
		withDerivation("why there is no value; truncated to 200 bytes"),
	words("MKLOC", "Location Used for the Measurement", assigned,
		func(r mkRow) string { loc, _ := location(r.e.Name); return loc }).
		withTerms("LOC (C74456, extensible): KNEE JOINT (C32898); " + toCheck +
			"PATELLOFEMORAL JOINT, TIBIA, FEMUR, PATELLA").
		withDerivation("by compartment: medial and lateral are of the knee joint, the cartilage of one bone of that " +
			"bone"),
	words("MKLAT", "Laterality", fromDesign,
		mkRow.side).withTerms("LAT (C99073): LEFT, RIGHT").withDerivation("side of the design, or of the images"),
	words("MKDIR", "Directionality", assigned, func(r mkRow) string { _, dir := location(r.e.Name); return dir }).
		withTerms("DIR (C99074): MEDIAL (C25232), LATERAL (C25230)").withDerivation("by compartment; empty for others"),
	constant[mkRow]("MKMETHOD", "Method of Test or Examination", "MRI").withTerms("METHOD (C85492): MRI"),
	constant[mkRow]("MKLOBXFL", "Last Observation Before Exposure Flag", "").withTerms("NY (C66742): Y or empty").
		withDerivation("empty: the results hold no dates, so that the first exposure is not known; to be derived by " +
			"the sponsor"),
	marks("MKBLFL", "Baseline Flag", func(r mkRow) bool {
		return r.visit == 0 &&
			r.done()
	}).withTerms("NY (C66742): Y or empty").
		withDerivation("Y for a result of the first planned visit"),
	marks("MKDRVFL", "Derived Flag", mkRow.isMean).withTerms("NY (C66742): Y or empty").
		withDerivation("Y where the result is the mean of two studies at the visit"),
	counts("VISITNUM", "Visit Number", func(r mkRow) int { return r.visit + 1 }).withOrigin(fromDesign).
		withDerivation("place of the visit in the design, from 1"),
	truncated("VISIT", "Visit Name", fromDesign, func(r mkRow) string { return r.visitName() }),
	constant[mkRow]("MKDTC", "Date/Time of Collection", "").withTerms("ISO 8601").
		withDerivation("empty: the results hold no dates, for privacy; to be joined by the sponsor"),
}

// mkRows are in the order of subject, visit and compartment. Results that are not used have no row:
// such a visit is not NOT DONE, and it is not known which of its results is meant.
func mkRows(a *trial.Analysis) []mkRow {
	var rows []mkRow
	for s := range a.Design.Subjects {
		seq := 0
		for v := range a.Design.Visits {
			for i := range a.Endpoints {
				if e := &a.Endpoints[i]; e.Compartment {
					seq++
					if r := (mkRow{rowOf(a, e, s, v), seq}); !r.Value.Missing.Unused() {
						rows = append(rows, r)
					}
				}
			}
		}
	}
	return rows
}

func mkTable(a *trial.Analysis) table { return newTable("mk", mkColumns, mkRows(a)) }
