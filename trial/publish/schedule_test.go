package publish

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/t2map/t2map/trial"
)

// founding is a trial with T2 at 0, 3 and 12 months, and a score and a marker at 0, 3, 6, 9 and 12. S3 left after
// month 6, and S4 has no scan at month 3.
func founding(t *testing.T) trial.Analysis {
	t.Helper()
	const heading = "# visits: m00=0, m03=3, m06=6, m09=9, m12=12\n# visits[T2]: m00, m03, m12\n# reference: control\n" +
		"# primary: medial@m12, WOMAC@m09\n# secondary: lateral@m12, CRP@m03, CRP@m12\n# scale[CRP]: log\n" +
		"# sets: full analysis=fas, per protocol=pp\n# screened: 18\n# excluded: not eligible=5, declined=1\n"
	design := [][]string{{"subject", "arm", "stratum", "age", "fas", "pp", "discontinued"}}
	results := [][]string{{"subject", "visit", "compartment", "mean_t2_ms"}}
	scores := [][]string{{"subject", "visit", "name", "value", "unit"}}
	for n := range 12 {
		id, reason := fmt.Sprintf("S%d", n), ""
		if n == 3 {
			reason = "moved away"
		}
		design = append(design, []string{id, []string{"control", "treatment"}[n%2], []string{"early", "late"}[n/2%2],
			fmt.Sprint(50 + n), []string{"yes", "no"}[max(0, n-10)], []string{"yes", "no"}[min(1, max(0, n-9))], reason})
		for v, visit := range []string{"m00", "m03", "m06", "m09", "m12"} {
			if n == 3 && v > 2 {
				break
			}
			x := 36 + 3*noise(n) + float64(v)*(0.5-float64(n%2)) + noise(n, v)
			if v != 2 && v != 3 && (n != 4 || v != 1) {
				results = append(results, []string{id, visit, "medial", fmt.Sprintf("%.2f", x)},
					[]string{id, visit, "lateral", fmt.Sprintf("%.2f", x+noise(n, v, 1))})
			}
			scores = append(scores, []string{id, visit, "WOMAC", fmt.Sprintf("%.1f", 40+10*noise(n, v, 2)), ""},
				[]string{id, visit, "CRP", fmt.Sprintf("%.3f", math.Exp(1+noise(n, 4)+0.3*noise(n, v, 3))), "mg/L"})
		}
	}
	a, err := trial.Analyse(t.Context(), "1.2.3", trial.Tables{
		Design:       trial.Source{Name: "design.csv", Data: csvOf(quoted(strings.Split(heading, "\n")...), design...)},
		Compartments: trial.Source{Name: "compartments.csv", Data: csvOf("", results...)},
		Studies:      trial.Source{Name: "studies.csv", Data: []byte("subject,visit,status,reason\n")},
		Scores:       []trial.Source{{Name: "scores.csv", Data: csvOf("", scores...)}},
	}, func(_ trial.Design, p *trial.Plan) error { p.Permutations = 19; return nil })
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// No table has a row for a visit that is not planned for the endpoint, and each planned visit has its rows.
func TestTablesHavePlannedVisitsAlone(t *testing.T) {
	a := founding(t)
	for table, perVisit := range map[string]int{"description": 0, "lsmeans": 2, "contrasts": 0, "individuals": 12,
		"responders": 2, "values": 12} {
		i := slices.IndexFunc(tables(&a), func(o output) bool { return o.name == table })
		visits := map[string]map[string]int{}
		for _, r := range cells(tables(&a)[i]) {
			if visits[r["endpoint"]] == nil {
				visits[r["endpoint"]] = map[string]int{}
			}
			visits[r["endpoint"]][r["visit"]]++
		}
		for endpoint, want := range map[string]string{"medial": "m00 m03 m12", "WOMAC": "m00 m03 m06 m09 m12"} {
			if table != "description" && table != "values" {
				want = strings.TrimPrefix(want, "m00 ")
			}
			if table == "responders" && endpoint == "WOMAC" {
				want = ""
			}
			var got []string
			for visit, n := range visits[endpoint] {
				got = append(got, visit)
				if perVisit > 0 && n != perVisit {
					t.Errorf("%s.csv, %s at %s: %d rows, want %d", table, endpoint, visit, n, perVisit)
				}
			}
			slices.Sort(got)
			if s := strings.Join(got, " "); s != want {
				t.Errorf("%s.csv, %s: visits %q, want %q", table, endpoint, s, want)
			}
		}
	}
	for _, r := range cells(correlationTable(&a)) {
		if r["visit"] != "m03" && r["visit"] != "m12" {
			t.Errorf("a correlation at %s", r["visit"])
		}
	}
}

// Nobody planned a scan at 6 and 9 months: it is neither NOT DONE nor flagged. A planned scan is.
func TestUnplannedScansAreNotMissing(t *testing.T) {
	a := founding(t)
	mk := mkTable(&a)
	if got := len(mk.Rows); got != 12*3*2 {
		t.Errorf("mk.csv has %d rows, want subjects × planned visits × compartments", got)
	}
	var missing []string
	for _, r := range rowsWith(mk, "MKSTAT", "NOT DONE", "MKSCAT", "MEDIAL") {
		missing = append(missing, r["USUBJID"]+" "+r["VISIT"]+" "+r["VISITNUM"]+" "+r["MKSEQ"])
	}
	if got := strings.Join(missing, ", "); got != "UNNAMED-S3 m12 5 5, UNNAMED-S4 m03 2 3" {
		t.Errorf("NOT DONE: %s", got)
	}
	for _, r := range cells(flagTable(&a)) {
		if t2 := r["endpoint"] != "WOMAC" && r["endpoint"] != "CRP"; t2 && (r["visit"] == "m06" || r["visit"] == "m09") {
			t.Errorf("a flag of a scan that nobody planned: %v", r)
		}
	}
	bds := bdsTable(&a)
	for _, r := range cells(bds) {
		if r["SRCSEQ"] == "" {
			continue
		}
		if source := only(t, mk, "USUBJID", r["USUBJID"], "MKSEQ", r["SRCSEQ"]); source["MKSTRESN"] != r["AVAL"] ||
			source["VISIT"] != r["AVISIT"] {
			t.Errorf("AVAL %s at %s is not that of MKSEQ: %v", r["AVAL"], r["AVISIT"], source)
		}
	}
	if n := len(rowsWith(bds, "PARAMCD", "T2MED", "SRCDOM", "MK")); n != 12*3-2 {
		t.Errorf("adbds.csv has %d rows of medial T2", n)
	}
}

// p_holm is adjusted within each family, over endpoints and visits; others have none.
func TestFamilies(t *testing.T) {
	a := founding(t)
	families := map[string][]string{}
	for _, r := range cells(contrastTable(&a)) {
		if (r["primary"] == "Y") != (r["family"] == "primary") {
			t.Errorf("primary and family contradict each other: %v", r)
		}
		if planned := r["family"] != ""; (planned && r["method"] == byModel) != (r["p_holm"] != "") {
			t.Errorf("p_holm %q of %s at %s, %s", r["p_holm"], r["endpoint"], r["visit"], r["method"])
		}
		if r["method"] == byModel {
			families[r["family"]] = append(families[r["family"]], r["endpoint"]+"@"+r["visit"])
		}
	}
	if got := fmt.Sprint(families["primary"], families["secondary"]); got !=
		"[medial@m12 WOMAC@m09] [lateral@m12 CRP@m03 CRP@m12]" {
		t.Errorf("families %s", got)
	}
}

// On the log scale, estimates and intervals are ratios of geometric means; tests and standard errors are those of
// the logarithm. Hedges' g is the same in both.
func TestLogScale(t *testing.T) {
	a := founding(t)
	e := &a.Endpoints[3]
	c := e.Contrasts[len(e.Contrasts)-1]
	table := contrastTable(&a)
	row := func(method string) map[string]string {
		return only(t, table, "endpoint", "CRP", "visit", "m12", "method", method, "scale", "log", "unit", "mg/L")
	}
	is := func(name, cell string, want float64) {
		t.Helper()
		if x, err := strconv.ParseFloat(cell, 64); err != nil || !(math.Abs(x-want) <= 1e-12*math.Abs(want)) {
			t.Errorf("%s: %q, want %g", name, cell, want)
		}
	}
	is("estimate", row(byModel)["estimate"], math.Exp(c.Model.Value))
	is("lower limit", row(byModel)["ci_low"], math.Exp(c.Model.Low))
	is("se", row(byModel)["se"], c.Model.SE)
	is("t", row(byModel)["statistic"], c.Model.Value/c.Model.SE)
	is("Welch", row("welch")["estimate"], math.Exp(c.Welch.Value))
	is("ANCOVA", row("ancova")["ci_high"], math.Exp(c.Ancova.High))
	is("Hodges-Lehmann", row("wilcoxon")["estimate"], math.Exp(c.Wilcoxon.Shift.Estimate))
	is("g", row("hedges g")["estimate"], c.Effect.Estimate)
	mean := only(t, meanTable(&a), "endpoint", "CRP", "visit", "m12", "arm", "treatment")
	is("mean", mean["estimate"], math.Exp(e.Model.LSMeans[1][3].Value))
	is("baseline", mean["baseline_mean"], math.Exp(e.Model.BaselineMean))

	description := descriptionTable(&a)
	if n := len(rowsWith(description, "endpoint", "CRP", "measure", "change")); n != 0 {
		t.Errorf("%d rows of the linear change", n)
	}
	product, n := 1.0, 0.0
	for _, r := range rowsWith(valueTable(&a), "endpoint", "CRP", "visit", "m12", "arm", "treatment", "fas", "Y") {
		value, _ := strconv.ParseFloat(r["value"], 64)
		if baseline, _ := strconv.ParseFloat(r["baseline"], 64); r["change"] != "" {
			product, n = product*value/baseline, n+1
		}
	}
	ratio := only(t, description, "endpoint", "CRP", "visit", "m12", "arm", "treatment", "measure", "ratio")
	is("geometric mean", ratio["mean"], math.Pow(product, 1/n))
	is("sd", ratio["sd"], e.Cells[1][4].Change.SD)
	if linear := only(t, table, "endpoint", "WOMAC", "visit", "m09", "method", byModel); linear["scale"] != "linear" {
		t.Errorf("scale %s", linear["scale"])
	}
}

// values.csv has sets under the names of their columns, and the strata and covariates.
func TestValuesHaveSets(t *testing.T) {
	a := founding(t)
	for subject, want := range map[string]string{"S0": "Y Y early 50", "S10": "Y N late 60", "S11": "N N late 61"} {
		r := only(t, valueTable(&a), "subject", subject, "visit", "m12", "endpoint", "medial")
		if got := strings.Join([]string{r["fas"], r["pp"], r["stratum"], r["age"]}, " "); got != want {
			t.Errorf("%s: %s, want %s", subject, got, want)
		}
		if (r["change"] == "") != (r["fas"] == "N") || r["baseline"] == "" {
			t.Errorf("%s: baseline %q, change %q", subject, r["baseline"], r["change"])
		}
	}
	for column, want := range map[string]string{"side": "set_side", "value": "set_value", "fas": "fas", "=1": "'=1"} {
		if got := setColumn(trial.Set{Name: "x", Column: column}); got != want {
			t.Errorf("set in column %s: %s, want %s", column, got, want)
		}
	}
}

// Counts of the flow only go down, and each step down has its reason.
func TestFlowGoesDown(t *testing.T) {
	a := founding(t)
	table := flowTable(&a)
	number := func(pairs ...string) int {
		n, err := strconv.Atoi(only(t, table, pairs...)["n"])
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := number("step", "screened") - number("step", "excluded", "reason", "not eligible") -
		number("step", "excluded", "reason", "declined") - number("step", "randomised", "arm", "control") -
		number("step", "randomised", "arm", "treatment"); n != 0 {
		t.Errorf("%d persons are not accounted for", n)
	}
	before := number("step", "randomised", "arm", "treatment")
	for _, visit := range []string{"m00", "m03", "m06", "m09", "m12"} {
		now := number("step", "in the trial", "arm", "treatment", "visit", visit)
		for _, r := range rowsWith(table, "step", "left", "arm", "treatment", "visit", visit) {
			n, _ := strconv.Atoi(r["n"])
			if before -= n; r["reason"] != "moved away" || visit != "m09" {
				t.Errorf("left: %v", r)
			}
		}
		if now != before {
			t.Errorf("%s: %d in the trial, want %d", visit, now, before)
		}
		if planned := visit != "m06" && visit != "m09"; planned !=
			(len(rowsWith(table, "step", "t2 present", "arm", "treatment", "visit", visit)) == 1) {
			t.Errorf("%s: T2 present, planned %v", visit, planned)
		}
	}
	if before != 5 || number("step", "t2 missing", "arm", "control", "visit", "m03") != 1 ||
		number("step", "analysed", "arm", "treatment") != 5 {
		t.Errorf("the flow is:\n%s", table.CSV())
	}
}
