package publish

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/t2map/t2map/table"
	"github.com/t2map/t2map/trial"
)

// mk.csv is SDTM MK, musculoskeletal system findings, with the names, labels and order of SDTMIG 3.4. Terms
// come from a release of CDISC's controlled terminology in which none of the 50 tests of MUSCTSCD is a
// relaxation time, and LOC has no patellofemoral joint. Other terms are marked as the sponsor's.

// toCheck marks terms that are not in that release.
const toCheck = "sponsor term, to be checked against the current release: "

const mkCategory = "CARTILAGE T2 MAPPING"

// mkRow is a compartment of a subject at a planned visit.
type mkRow struct {
	subjectRow
	seq int
}

func (r mkRow) done() bool { return !math.IsNaN(r.X) }

// ifDone returns s if there is a value, and other if there is none.
func (r mkRow) ifDone(s, other string) string {
	if r.done() {
		return s
	}
	return other
}

// side returns the side in the design or, if the design has none, in the images.
func (r mkRow) side() string {
	return cmp.Or(laterality(r.participant().Side), laterality(r.Value.Side))
}

// locations has LOC and DIR of compartments. The cartilage of one bone is located at the bone.
var locations = map[string][2]string{
	"medial": {"", "MEDIAL"}, "lateral": {"", "LATERAL"}, "patellofemoral": {"PATELLOFEMORAL JOINT"},
	"medial-tibial": {"TIBIA", "MEDIAL"}, "lateral-tibial": {"TIBIA", "LATERAL"}, "femoral": {"FEMUR"},
	"patellar": {"PATELLA"},
}

func location(compartment string) (loc, dir string) {
	l := locations[strings.ToLower(compartment)]
	return cmp.Or(l[0], "KNEE JOINT"), l[1]
}

// isMean reports whether a value is the mean of several studies.
func (r mkRow) isMean() bool {
	return r.a.Plan.MeanOfTwo && r.done() &&
		slices.ContainsFunc(r.Flags, func(f int) bool { return r.a.Flags[f].Kind == trial.TwoStudies })
}

func (r mkRow) result() string { return table.Digits(r.X, 15) }

// constant returns a column with the same text in each row.
func constant[R any](name, label, s string) table.Column[R] {
	return table.Text(name, label, table.Assigned, func(R) string { return s })
}

// truncated returns a column of texts that are truncated to the longest that the transport format
// holds.
func truncated[R any](name, label string, origin table.Origin, cell func(R) string) table.Column[R] {
	return table.Text(name, label, origin, func(r R) string { return truncate(cell(r), longestText) })
}

var mkColumns = []table.Column[mkRow]{
	table.Text("STUDYID", "Study Identifier", table.FromDesign, func(r mkRow) string { return studyID(r.a.Design) }).
		WithDerivation("name of the trial in the design; " + unnamed + " where it has none"),
	constant[mkRow]("DOMAIN", "Domain Abbreviation", "MK").WithTerms("MK"),
	table.Text("USUBJID", "Unique Subject Identifier", table.Derived,
		func(r mkRow) string { return usubjid(r.a.Design, r.subject) }).
		WithDerivation("STUDYID, a hyphen, the subject of the design"),
	table.Count("MKSEQ", "Sequence Number", func(r mkRow) int { return r.seq }).WithOrigin(table.Assigned).
		WithDerivation("1, 2, ... by subject, in the order of planned visits and compartments; the numbers of omitted " +
			"rows are not used"),
	truncated("MKREFID", "Reference ID", table.FromResults, func(r mkRow) string { return r.Study }).
		WithDerivation("hash of the StudyInstanceUID, as compartments.csv has it"),
	table.Text("MKTESTCD", "Short Name of Musculoskeletal Test", table.Assigned,
		func(r mkRow) string { return "T2" + strings.ToUpper(r.a.Plan.Summary()) }).
		WithTerms("MUSCTSCD (C127269, extensible); " + toCheck + "T2MEAN, T2MEDIAN"),
	table.Text("MKTEST", "Name of Musculoskeletal Test", table.Assigned, func(r mkRow) string {
		return map[bool]string{true: "Median", false: "Mean"}[r.a.Plan.Median] + " Cartilage T2 Relaxation Time"
	}).WithTerms("MUSCTS (C127270, extensible); " + toCheck + "Mean (or Median) Cartilage T2 Relaxation Time"),
	constant[mkRow]("MKCAT", "Category for Musculoskeletal Test", mkCategory).WithTerms(mkCategory),
	truncated("MKSCAT", "Subcategory for Musculoskeletal Test", table.FromResults,
		func(r mkRow) string { return strings.ToUpper(r.e.Name) }).
		WithDerivation("compartment as the results name it, in capitals"),
	table.Text("MKORRES", "Result or Finding in Original Units", table.FromResults, mkRow.result).WithUnit("ms").
		WithDerivation("T2 of the compartment that the analysis uses, mean or median as planned, not every result that was acquired: " +
			"results of the other knee and of unplanned visits are not in this table; empty where MKSTAT is NOT DONE"),
	table.Text("MKORRESU", "Original Units", table.Assigned,
		func(r mkRow) string { return r.ifDone("ms", "") }).WithTerms("UNIT (C71620): ms (C41140)"),
	table.Text("MKSTRESC", "Character Result/Finding in Std Format", table.Derived,
		mkRow.result).WithUnit("ms").WithDerivation("as MKORRES"),
	table.Number("MKSTRESN", "Numeric Result/Finding in Standard Units",
		func(r mkRow) float64 { return r.X }).WithUnit("ms").WithDerivation("as MKORRES"),
	table.Text("MKSTRESU", "Standard Units", table.Assigned,
		func(r mkRow) string { return r.ifDone("ms", "") }).WithTerms("UNIT (C71620): ms (C41140)"),
	table.Text("MKSTAT", "Completion Status", table.Derived,
		func(r mkRow) string { return r.ifDone("", "NOT DONE") }).WithTerms("ND (C66789): NOT DONE").
		WithDerivation("NOT DONE where a planned visit has no result; results that are not used, as of two studies " +
			"at one visit or of a mask that is not signed, have no row here, and are in values.csv"),
	truncated("MKREASND", "Reason Not Done", table.Derived, func(r mkRow) string { return r.Value.Missing.String() }).
		WithDerivation("why there is no value; truncated to 200 bytes"),
	table.Text("MKLOC", "Location Used for the Measurement", table.Assigned,
		func(r mkRow) string { loc, _ := location(r.e.Name); return loc }).
		WithTerms("LOC (C74456, extensible): KNEE JOINT (C32898); " + toCheck +
			"PATELLOFEMORAL JOINT, TIBIA, FEMUR, PATELLA").
		WithDerivation("by compartment: medial and lateral are of the knee joint, the cartilage of one bone of that " +
			"bone"),
	table.Text("MKLAT", "Laterality", table.FromDesign,
		mkRow.side).WithTerms("LAT (C99073): LEFT, RIGHT").WithDerivation("side of the design, or of the images"),
	table.Text("MKDIR", "Directionality", table.Assigned,
		func(r mkRow) string { _, dir := location(r.e.Name); return dir }).
		WithTerms("DIR (C99074): MEDIAL (C25232), LATERAL (C25230)").WithDerivation("by compartment; empty for others"),
	constant[mkRow]("MKMETHOD", "Method of Test or Examination", "MRI").WithTerms("METHOD (C85492): MRI"),
	constant[mkRow]("MKLOBXFL", "Last Observation Before Exposure Flag", "").WithTerms("NY (C66742): Y or empty").
		WithDerivation("empty: the results hold no dates, so that the first exposure is not known; to be derived by " +
			"the sponsor"),
	table.Flag("MKBLFL", "Baseline Flag", "Y", func(r mkRow) bool { return r.visit == 0 && r.done() }).
		WithTerms("NY (C66742): Y or empty").WithDerivation("Y for a result of the first planned visit"),
	table.Flag("MKDRVFL", "Derived Flag", "Y", mkRow.isMean).WithTerms("NY (C66742): Y or empty").
		WithDerivation("Y where the result is the mean of two studies at the visit"),
	table.Count("VISITNUM", "Visit Number", func(r mkRow) int { return r.visit + 1 }).WithOrigin(table.FromDesign).
		WithDerivation("number of the visit in the design, from 1"),
	truncated("VISIT", "Visit Name", table.FromDesign, func(r mkRow) string { return r.visitName() }),
	constant[mkRow]("MKDTC", "Date/Time of Collection", "").WithTerms("ISO 8601").
		WithDerivation("empty: the results hold no dates, for privacy; to be joined by the sponsor"),
}

// mkRows returns the rows in the order of subject, visit and compartment. Results that are not used have no
// row: the visit was done, but it is not known which of its results is valid.
func mkRows(a *trial.Analysis) []mkRow {
	var rows []mkRow
	scans := plannedScans(a)
	for s := range a.Design.Subjects {
		for i, scan := range scans {
			r := mkRow{rowOf(a, &a.Endpoints[scan.endpoint], s, scan.visit), i + 1}
			if !r.Value.Missing.Unused() {
				rows = append(rows, r)
			}
		}
	}
	return rows
}

// scan is a planned T2 of a compartment: indices of the endpoint and of the visit.
type scan struct{ endpoint, visit int }

// plannedScans returns the planned scans of a subject, in the order of MKSEQ: visits, then compartments.
func plannedScans(a *trial.Analysis) []scan {
	var scans []scan
	for v := range a.Design.Visits {
		for i := range a.Endpoints {
			if e := &a.Endpoints[i]; e.Compartment && e.Planned(v) {
				scans = append(scans, scan{i, v})
			}
		}
	}
	return scans
}

func mkTable(a *trial.Analysis) output { return newOutput("mk", mkColumns, mkRows(a)) }
