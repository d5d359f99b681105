package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/trial"
)

// The demo runs from studies to the report, on smaller images than 't2map demo', which CI runs.
func TestDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("71 studies take some seconds")
	}
	dir := filepath.Join(t.TempDir(), "demo")
	var out bytes.Buffer
	studies := demoStudies
	studies.Matrix, studies.Slices = 64, 6
	c := demoCommand(studies)
	c.SetArgs([]string{dir})
	c.SetOut(&out)
	c.SetErr(&out)
	if err := c.ExecuteContext(context.Background()); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	for _, w := range []string{"medial", "control", "treatment", "month12", "71 studies written and mapped",
		"index.html", "trial.html"} {
		if !strings.Contains(out.String(), w) {
			t.Errorf("the demo does not say %q:\n%s", w, &out)
		}
	}
	for _, name := range []string{
		"results/index.html", "results/compartments.csv", "results/studies.csv", "studies/S01/baseline/labels.nii.gz",
		"results/S01/baseline/overlay.png",
		"report/trial.html", "report/trial.json", "report/mk.csv", "report/figures/means.svg",
		"report/figures/maps.png",
	} {
		if info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(name))); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	checkPlanted(t, dir)
	checkPlanned(t, filepath.Join(dir, "report"))
}

// checkPlanned checks that what was not planned is nowhere missing: T2 at months 6 and 9. The only scan that was not
// done is that of the subject who dropped out, and the only change of scanner is that of one subject.
func checkPlanned(t *testing.T, report string) {
	t.Helper()
	const dropout, upgraded = "S09", "S16"
	notDone := 0
	for _, r := range rowsOf(t, filepath.Join(report, "mk.csv")) {
		if r["MKSTAT"] != "NOT DONE" {
			continue
		}
		notDone++
		if !strings.HasSuffix(r["USUBJID"], dropout) || r["VISIT"] != "month12" {
			t.Errorf("mk.csv: %s is NOT DONE at %s", r["USUBJID"], r["VISIT"])
		}
	}
	if notDone == 0 {
		t.Error("mk.csv: every scan is done")
	}
	changed := 0
	for _, r := range rowsOf(t, filepath.Join(report, "flags.csv")) {
		isDropout := r["kind"] == string(trial.NoResult) && r["subject"] == dropout && r["visit"] != "month03"
		isUpgrade := r["kind"] == string(trial.ScannerChange) && r["subject"] == upgraded && r["visit"] == "month12"
		if isUpgrade {
			changed++
		}
		if !isDropout && !isUpgrade {
			t.Errorf("flags.csv: %v", r)
		}
		if t2 := slices.Contains(phantom.Compartments[1:], r["endpoint"]); t2 && r["visit"] != "month12" {
			t.Errorf("flags.csv: T2 at a visit without images: %v", r)
		}
	}
	if changed == 0 {
		t.Error("flags.csv: no change of scanner")
	}
}

// checkPlanted checks that the model finds the effect in the images: its interval at the last visit contains the true
// effect and not 0.
func checkPlanted(t *testing.T, dir string) {
	t.Helper()
	sum, n := map[string]float64{}, map[string]float64{} // of the true changes, by arm
	baseline := map[string]float64{}
	for _, r := range rowsOf(t, filepath.Join(dir, "studies", "truth.csv")) {
		if r["compartment"] != "medial" {
			continue
		}
		x, err := strconv.ParseFloat(r["mean_t2_ms"], 64)
		if err != nil {
			t.Fatal(err)
		}
		switch r["visit"] {
		case "baseline":
			baseline[r["subject"]] = x
		case "month12":
			sum[r["arm"]] += x - baseline[r["subject"]]
			n[r["arm"]]++
		}
	}
	truth := sum[phantom.Treatment]/n[phantom.Treatment] - sum[phantom.Control]/n[phantom.Control]
	found := 0
	for _, r := range rowsOf(t, filepath.Join(dir, "report", "contrasts.csv")) {
		if r["endpoint"] != "medial" || r["visit"] != "month12" || r["arm"] != phantom.Treatment ||
			r["method"] != "mixed model" {
			continue
		}
		found++
		low, errLow := strconv.ParseFloat(r["ci_low"], 64)
		high, errHigh := strconv.ParseFloat(r["ci_high"], 64)
		if errLow != nil || errHigh != nil || low > truth || high < truth || low <= 0 && high >= 0 {
			t.Errorf("medial at month12: %s to %s; the truth is %.3f", r["ci_low"], r["ci_high"], truth)
		}
	}
	if found != 1 {
		t.Errorf("%d rows of the contrast", found)
	}
}

// rowsOf reads a CSV; a row maps columns to cells.
func rowsOf(t *testing.T, path string) []map[string]string {
	t.Helper()
	all, err := csv.NewReader(strings.NewReader(string(must(os.ReadFile(path))))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]string
	for _, cells := range all[1:] {
		row := map[string]string{}
		for i, c := range cells {
			row[all[0][i]] = c
		}
		rows = append(rows, row)
	}
	return rows
}
