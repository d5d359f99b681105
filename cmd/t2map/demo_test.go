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
)

// The demo runs from studies to the report, on smaller images than 't2map demo', which CI runs.
func TestDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("36 studies take some seconds")
	}
	dir := filepath.Join(t.TempDir(), "demo")
	var out bytes.Buffer
	c := demoCommand(phantom.Trial{Matrix: 64, Slices: 6})
	c.SetArgs([]string{dir})
	c.SetOut(&out)
	c.SetErr(&out)
	if err := c.ExecuteContext(context.Background()); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	for _, w := range []string{"medial", "control", "treatment", "month12", "36 studies written and mapped",
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
}

// checkPlanted checks that the model finds the effect in the images: its interval at the last visit contains the true
// effect and not 0.
func checkPlanted(t *testing.T, dir string) {
	t.Helper()
	sum, n := map[string]float64{}, map[string]float64{} // of the true changes, by arm
	for _, r := range rowsOf(t, filepath.Join(dir, "studies", "truth.csv")) {
		sign := map[string]float64{"baseline": -1, "month12": 1}[r["visit"]]
		if r["compartment"] != "medial" || sign == 0 {
			continue
		}
		x, err := strconv.ParseFloat(r["mean_t2_ms"], 64)
		if err != nil {
			t.Fatal(err)
		}
		sum[r["arm"]] += sign * x
		n[r["arm"]] += 0.5
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
