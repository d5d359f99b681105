package publish

import (
	"fmt"
	"strings"
	"testing"

	"github.com/t2map/t2map/trial"
	"github.com/t2map/t2map/trial/mmrm"
)

// rowsWith returns the rows of a table with these cells, given as column, value, column, value.
func rowsWith(t output, pairs ...string) []map[string]string {
	var rows []map[string]string
	for _, r := range cells(t) {
		fits := true
		for i := 0; i < len(pairs); i += 2 {
			fits = fits && r[pairs[i]] == pairs[i+1]
		}
		if fits {
			rows = append(rows, r)
		}
	}
	return rows
}

// only returns the single row with these cells.
func only(t *testing.T, table output, pairs ...string) map[string]string {
	t.Helper()
	rows := rowsWith(table, pairs...)
	if len(rows) != 1 {
		t.Fatalf("%s: %d rows with %q, want 1", table.name, len(rows), pairs)
	}
	return rows[0]
}

func says(t *testing.T, name, text string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("%s does not say %q:\n%s", name, w, text)
		}
	}
}

func never(t *testing.T, name, text string, unwanted ...string) {
	t.Helper()
	for _, w := range unwanted {
		if strings.Contains(text, w) {
			t.Errorf("%s says %q:\n%s", name, w, text)
		}
	}
}

// n is that of the method: one participant has no age, and one visit is not in the model.
func TestNIsOfTheMethod(t *testing.T) {
	a := usual.analysis()
	e := &a.Endpoints[0]
	c := &e.Contrasts[1]
	c.N, c.NReference, c.NAdjusted, c.NAdjustedReference = 11, 10, 10, 9
	e.Model.N = [][]int{{0, 9}, {0, 10}}
	e.Model.Omitted = []trial.Omission{{Visit: 1, Reason: "2 changes in 2 arms are too few for the model"},
		{Term: "site", Reason: "it follows from age"}}
	e.Contrasts[0].Model, e.Contrasts[0].Holm = none, nan
	table := contrastTable(&a)
	for method, want := range map[string]string{
		"mixed model": "10 9", "ancova": "10 9", "permutation": "10 9", "welch": "11 10", "wilcoxon": "11 10",
		"hedges g": "11 10",
	} {
		r := only(t, table, "endpoint", "medial", "visit", "visit 2", "method", method)
		if got := r["n"] + " " + r["n_reference"]; got != want {
			t.Errorf("%s: n %s, want %s", method, got, want)
		}
		if fit := method == "mixed model"; fit != (r["covariance"] == "unstructured") ||
			fit != (r["df_method"] == "kenward-roger") || fit != (r["subjects"] == "22") ||
			fit != (r["observations"] != "") {
			t.Errorf("%s: what was fitted: %v", method, r)
		}
	}
	first := only(t, table, "endpoint", "medial", "visit", "visit 1", "method", "mixed model")
	if want := "visit 1: 2 changes in 2 arms are too few for the model; not in the model: visit 1 (2 changes in 2 " +
		"arms are too few for the model); site (it follows from age)"; first["note"] != want || first["n"] != "0" {
		t.Errorf("a visit that is not in the model: n %s, note %q", first["n"], first["note"])
	}
	if r := only(t, meanTable(&a), "endpoint", "medial", "visit", "visit 2", "arm", "low dose"); r["n"] != "10" ||
		!strings.Contains(r["note"], "site (it follows from age)") {
		t.Errorf("a least-squares mean: %v", r)
	}
	for _, r := range rowsWith(bdsTable(&a), "PARAMCD", "T2MED", "AVISIT", "visit 1") {
		if r["ANL01FL"] != "" {
			t.Fatalf("a visit that is not in the model is analysed: %v", r)
		}
	}
	says(t, "the page", readable(page(t, a)), "n = 10 and 9 in the model, of 11 and 10 with a change",
		"11, 10 adjusted: 10, 9",
		"Omitted from the model were visit 1 (2 changes in 2 arms are too few for the model); site (it follows from "+
			"age) for medial T2.")
}

// A fallback is named beside each p, with its assumption.
func TestFallbackIsNamed(t *testing.T) {
	a := sample{arms: 2, visits: 3, perArm: 2}.analysis()
	m := &a.Endpoints[0].Model
	a.Endpoints[0].Contrasts[1].Model.DF = 17.84
	m.Covariance, m.Omitted = mmrm.CompoundSymmetry, nil
	m.Rejected = []mmrm.Rejected{{Covariance: mmrm.Unstructured, Reason: "did not converge"},
		{Covariance: mmrm.HeterogeneousCS, Reason: "singular"}, {Covariance: mmrm.AR1, Reason: "singular"}}
	const few = "the compound symmetry covariance assumes the same variance at every visit, and with so few participants the " +
		"test rejects too often; ANCOVA does not assume it"
	const planned = "planned unstructured, could not be fitted: did not converge; heterogeneous compound symmetry: " +
		"singular; first-order autoregressive: singular"
	r := only(t, contrastTable(&a), "endpoint", "medial", "visit", "visit 2", "method", "mixed model")
	if want := planned + "; " + few; r["note"] != want || r["covariance"] != "compound symmetry" {
		t.Errorf("contrasts.csv: covariance %q, note %q, want %q", r["covariance"], r["note"], want)
	}
	if r := only(t, contrastTable(&a), "endpoint", "medial", "visit", "visit 2", "method",
		"ancova"); r["note"] != a.Endpoints[0].Contrasts[1].Reasons.Ancova {
		t.Errorf("ANCOVA has the model's note: %q", r["note"])
	}
	if got := only(t, meanTable(&a), "endpoint", "medial", "visit", "visit 2", "arm",
		"control")["note"]; got != planned+"; "+few {
		t.Errorf("lsmeans.csv: note %q", got)
	}
	text := readable(page(t, a))
	says(t, "the page", text, planned,
		"mixed model, compound symmetry covariance (planned: unstructured, which could not be fitted), "+
			"Kenward–Roger, 17.8 degrees of freedom; "+few,
		"Medial T2 (ms) covariance compound symmetry, because the planned one, unstructured, could not be fitted; "+few,
		"For medial T2: "+few)
	// The planned covariance is not a fallback, and one with a variance for each visit needs no caution.
	for _, m := range []trial.Model{
		{Covariance: mmrm.CompoundSymmetry, N: m.N},
		{Covariance: mmrm.HeterogeneousCS, Rejected: m.Rejected[:1], N: m.N},
		{Failed: "x", Covariance: mmrm.AR1, Rejected: m.Rejected},
	} {
		if got := caution(m); got != "" {
			t.Errorf("%v after %q: %q", m.Covariance, m.Rejected, got)
		}
	}
	if got := caution(trial.Model{Covariance: mmrm.AR1, Rejected: m.Rejected[:2],
		N: [][]int{{12, 11},
			{0, 4}}}); got != "the first-order autoregressive covariance "+
		"assumes the same variance at every visit; ANCOVA does not" {
		t.Errorf("many subjects: %q", got)
	}
	rejected := m.Rejected[:1]
	fail(m, "singular")
	m.Rejected = rejected
	if got := only(t, contrastTable(&a), "endpoint", "medial", "visit", "visit 2", "method",
		"mixed model"); got["note"] != "singular; tried: unstructured: did not converge" || got["covariance"] != "" ||
		got["subjects"] != "" {
		t.Errorf("no model: %v", got)
	}
}

// A permutation test that failed at the primary visit has a row that says why.
func TestFailedPermutationHasARow(t *testing.T) {
	a := usual.analysis()
	c := &a.Endpoints[0].Contrasts[1]
	c.Permutation, c.Reasons.Permutation = trial.PermutationTest{P: nan},
		"the strata leave no other arrangement of the arms"
	table := contrastTable(&a)
	r := only(t, table, "endpoint", "medial", "method", "permutation")
	if r["visit"] != "visit 2" || r["p"] != "" || r["arrangements"] != "" ||
		r["note"] != "the strata leave no other arrangement of the arms" {
		t.Errorf("a failed permutation test: %v", r)
	}
}

// The page states the family of Holm's method.
func TestHolmSaysItsFamily(t *testing.T) {
	text := readable(page(t, usual.analysis()))
	says(t, "the page", text, "p, Holm: adjusted over the 3 primary contrasts (endpoints, visits and arms); one "+
		"without a p counts as p = 1.", "The p values of the 3 primary contrasts (endpoints, visits and arms) were adjusted "+
		"together by the method of Holm (1979)")
	one := usual.analysis()
	one.Endpoints = one.Endpoints[:1]
	one.Correlations = nil
	never(t, "the page of one compartment", readable(page(t, one)), "(Holm)", "by Holm (1979)",
		"adjusted over")
}

func TestCorrelationsWithinArms(t *testing.T) {
	a := usual.analysis()
	a.Correlations[0].Rho.Estimate = 0.31
	table := correlationTable(&a)
	for group, arm := range map[string]string{"within arms": "", "all subjects": "", "one arm": "control"} {
		rows := rowsWith(table, "x", "medial", "visit", "visit 2", "among", group, "arm", arm)
		if len(rows) != 1 {
			t.Errorf("%d rows among %s, arm %q", len(rows), group, arm)
		}
	}
	// The page leads with those within arms, however the analysis has them.
	for i, j := 0, len(a.Correlations)-1; i < j; i, j = i+1, j-1 {
		a.Correlations[i], a.Correlations[j] = a.Correlations[j], a.Correlations[i]
	}
	says(t, "the page", readable(page(t, a)), "Medial T2 with WOMAC pain visit 1 within arms 22 0.31",
		"a treatment that changes both endpoints causes a correlation by itself",
		"as the partial rank correlation given the arm")
}

// Means of percent are of all subjects with a change, or absent with a reason.
func TestPercentOfAPartIsNotShown(t *testing.T) {
	a := usual.analysis()
	cell := &a.Endpoints[3].Cells[1][2]
	cell.Percent.N, cell.Percent.Mean = cell.Change.N-4, 77.7
	text := readable(page(t, a))
	never(t, "the page", text, "77.7")
	says(t, "the page", text, "the baseline of 4 of 11 is not above 0: percent of the others is in description.csv.")
	if r := only(t, descriptionTable(&a), "endpoint", "WOMAC pain", "arm", "low dose", "visit", "visit 2", "measure",
		"percent"); r["n"] != "7" || r["mean"] != "77.7" {
		t.Errorf("description.csv: %v", r)
	}
}

// A dash has a letter that refers to a reason below the table; after five reasons the file is named.
func TestDashesHaveReasons(t *testing.T) {
	var rows []row
	for i := range 8 {
		rows = append(rows, row{Cells: []cell{num(dash, fmt.Sprintf("reason %d", i%7)), num("1", "none"), num(dash)}})
	}
	g := grid{Heads: numericHeads("x", "y", "z"), Groups: []group{{Rows: rows}}}.finish("x.csv")
	var marks []string
	for _, r := range g.Groups[0].Rows {
		marks = append(marks, r.Cells[0].Mark)
		if r.Cells[1].Mark != "" || r.Cells[2].Mark != "" {
			t.Error("a cell without a reason is marked")
		}
	}
	if got := strings.Join(marks, ","); got != "a,b,c,d,e,,,a" {
		t.Errorf("marks %s", got)
	}
	if len(g.Reasons) != 5 || g.Reasons[4] != (reason{"e", "reason 4"}) || g.MoreReasons != "Other dashes: see x.csv." {
		t.Errorf("reasons %v, %q", g.Reasons, g.MoreReasons)
	}
	a := usual.analysis()
	c := &a.Endpoints[0].Contrasts[0]
	c.Welch, c.Reasons.Welch = none, "a sample of one value has no variance"
	c.Wilcoxon.P, c.Wilcoxon.Exact = 0.0123, true
	c.Wilcoxon.Shift.Low, c.Wilcoxon.Shift.High, c.Wilcoxon.Shift.Estimate = nan, nan, 1.5
	c.Reasons.Wilcoxon = "3 and 2 values are too few for an interval"
	says(t, "the page", readable(page(t, a)), "– a", "a a sample of one value has no variance.",
		"1.50 b p = 0.012, exact", "b 3 and 2 values are too few for an interval.")
}
