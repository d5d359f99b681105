package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"os"
	"path/filepath"
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
	studies.Matrix, studies.DESSMatrix = 64, 64
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
	if strings.Contains(out.String(), "warning") {
		t.Errorf("the demo warns:\n%s", &out)
	}
	checkPlanted(t, dir)
	checkPublished(t, filepath.Join(dir, "report"))
	checkPlanned(t, filepath.Join(dir, "report"))
}

// checkPublished checks that WOMAC and KOOS at month 9 read as in the trial whose moments they have: p 0.02 and 0.028.
func checkPublished(t *testing.T, report string) {
	t.Helper()
	found := 0
	for _, r := range rowsOf(t, filepath.Join(report, "contrasts.csv")) {
		if r["family"] != "secondary" || r["method"] != "mixed model" {
			continue
		}
		found++
		p, holm := parse(t, r["p"]), parse(t, r["p_holm"])
		if p < 0.01 || p > 0.04 || holm >= 0.05 || r["visit"] != "month09" || r["n"] != "12" || r["n_reference"] != "12" {
			t.Errorf("%s at %s: p %v, Holm %v, n %s and %s", r["endpoint"], r["visit"], p, holm, r["n"], r["n_reference"])
		}
	}
	if found != 2 {
		t.Errorf("%d key secondary contrasts", found)
	}
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
		isUpgrade := r["kind"] == string(trial.ScannerChange) && r["subject"] == upgraded && r["visit"] == "month12"
		if isUpgrade {
			changed++
		}
		if !isUpgrade { // no visit after month 9 is expected of the subject who discontinued
			t.Errorf("flags.csv: %v", r)
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
