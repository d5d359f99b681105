package publish

import (
	"testing"
	"unicode"

	"github.com/t2map/t2map/trial"
)

// Spreadsheets misread UTF-8 without a byte-order mark, so that t2map's own words are ASCII.
func TestTablesAreASCII(t *testing.T) {
	a := usual.analysis()
	for name, content := range written(t, t.TempDir(), a) {
		if name == pageFile || len(name) < 4 || name[len(name)-4:] != ".csv" {
			continue
		}
		for i, r := range content {
			if r > unicode.MaxASCII {
				t.Errorf("%s: %q in …%s", name, r, content[max(0, i-40):min(len(content), i+20)])
				break
			}
		}
	}
	for _, r := range cells(meanTable(&a)) {
		if r["df_method"] != "kenward-roger" {
			t.Fatalf("df_method %q", r["df_method"])
		}
	}
}

// The flags of a change are those of its value and of its baseline, in every table that has
// changes.
func TestChangesHaveTheirFlags(t *testing.T) {
	a := usual.analysis()
	a.Endpoints[0].Cells[1][2].ChangeFlags = []int{flagOf(&a, trial.ScannerChange), flagOf(&a, trial.Quality)}
	where := func(rows []map[string]string, subject, visit string) map[string]string {
		for _, r := range rows {
			if r["subject"] == subject && r["visit"] == visit && r["endpoint"] == "medial" {
				return r
			}
		}
		t.Fatalf("no row of %s at %s", subject, visit)
		return nil
	}
	for _, c := range []struct{ subject, visit, value, change string }{
		{"S001", "baseline", "", ""},
		{"S001", "visit 1", "scanner change", "scanner change"},
		{"S001", "visit 2", "", ""},
		{"S002", "baseline", "quality", ""}, // there is no change
		{"S002", "visit 1", "", "quality"},
		{"S002", "visit 2", "", "quality"},
		{"S003", "visit 2", "", ""},
	} {
		r := where(cells(valueTable(&a)), c.subject, c.visit)
		if r["flags"] != c.value || r["change_flags"] != c.change {
			t.Errorf("values.csv, %s at %s: flags %q and %q, want %q and %q", c.subject, c.visit, r["flags"],
				r["change_flags"], c.value, c.change)
		}
		if c.visit == "baseline" {
			continue
		}
		if r := where(cells(individualTable(&a)), c.subject, c.visit); r["flags"] != c.change {
			t.Errorf("individuals.csv, %s at %s: flags %q, want %q", c.subject, c.visit, r["flags"], c.change)
		}
	}
	for _, r := range cells(responderTable(&a)) {
		if r["endpoint"] == "medial" && r["visit"] == "visit 2" && r["arm"] == "low dose" &&
			r["flags"] != "scanner change; quality" {
			t.Errorf("responders.csv: flags %q", r["flags"])
		}
	}
}
