package phantom

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/t2map/t2map/dicomio"
)

// A subject who drops out has neither images nor scores after month 3, and is not in the per-protocol set. The last
// study of another has new software.
func TestDropoutAndUpgrade(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "trial")
	trial := smallTrial()
	trial.Dropout, trial.Upgraded = 2, 3
	truth, err := WriteTrial(context.Background(), dir, trial)
	if err != nil {
		t.Fatal(err)
	}
	if len(truth) != 8 {
		t.Errorf("%d studies, want 8", len(truth))
	}
	if _, err := os.Stat(filepath.Join(dir, "S02", "month12")); err == nil {
		t.Error("the subject who dropped out has a study at month 12")
	}
	design := readTable(t, filepath.Join(dir, designName))
	pp, reason := slices.Index(design[0], "pp"), slices.Index(design[0], "discontinued")
	for n, row := range design[1:] {
		if out := n+1 == trial.Dropout; out != (row[pp] == "no") || out != (row[reason] != "") {
			t.Errorf("%v", row)
		}
	}
	visits := map[string]map[string]bool{}
	for _, row := range readTable(t, filepath.Join(dir, scoresName))[1:] {
		if visits[row[0]] == nil {
			visits[row[0]] = map[string]bool{}
		}
		visits[row[0]][row[1]] = true
	}
	if len(visits["S01"]) != 5 || len(visits["S02"]) != 2 || !visits["S02"]["month03"] {
		t.Errorf("visits of the scores: %v", visits)
	}
	found, err := dicomio.Find(context.Background(), []string{filepath.Join(dir, "S03")}, dicomio.FindOptions{})
	if err != nil {
		t.Fatal(err)
	}
	software := map[string]string{}
	for _, s := range found.Studies {
		software[s.TrialTimepoint] = s.Trains[0].Scanner.Software
	}
	if software["baseline"] != defaultSoftware || software["month03"] != defaultSoftware ||
		software["month12"] == defaultSoftware {
		t.Errorf("software of the scanner: %v", software)
	}
}

// Scores are on their scales, the total of WOMAC is the sum of its subscales, and CRP is positive and skewed.
func TestScores(t *testing.T) {
	study := func(month int, medial float64) Truth {
		return Truth{Subject: "S01", Month: month, T2: []Compartment{{MeanT2: medial}}}
	}
	var truth []Truth
	for n := range 200 {
		for _, v := range visits {
			s := study(v.month, 36+float64(v.month)/3)
			s.Subject = "S" + strconv.Itoa(n)
			truth = append(truth, s)
		}
	}
	rows := Trial{Seed: 5}.scores(truth)
	if len(rows) != 200*len(scoreVisits)*len(endpoints) {
		t.Fatalf("%d rows", len(rows))
	}
	sum, change := 0.0, map[string]float64{}
	var crp []float64
	for _, r := range rows {
		if r.value < r.endpoint.least || r.value > r.endpoint.most {
			t.Errorf("%s: %v", r.endpoint.name, r.value)
		}
		switch {
		case r.endpoint.name == womacTotal:
			if r.value != sum {
				t.Errorf("the total of WOMAC is %v, the sum of its subscales %v", r.value, sum)
			}
			sum = 0
		case strings.HasPrefix(r.endpoint.name, womac):
			sum += r.value
		}
		if r.endpoint.name == "CRP" {
			crp = append(crp, r.value)
		}
		change[r.endpoint.name] += map[string]float64{"baseline": -1, "month12": 1}[r.visit] * r.value / 200
	}
	// common + perMS × 4 ms; noise of 6 points at both visits, and a standard error over 200 subjects of 0.6.
	if got := change["KOOS ADL"]; math.Abs(got-(11-2.3*4)) > 3*0.6 {
		t.Errorf("KOOS ADL changes by %v", got)
	}
	slices.Sort(crp)
	mean := 0.0
	for _, x := range crp {
		mean += x / float64(len(crp))
	}
	if median := crp[len(crp)/2]; crp[0] <= 0 || mean < 1.1*median {
		t.Errorf("CRP from %v, median %v, mean %v: neither positive nor skewed", crp[0], median, mean)
	}
}

// Between visits with images, the change of T2 is interpolated.
func TestMedialChange(t *testing.T) {
	var studies []Truth
	for i, month := range []int{0, 3, 12} {
		studies = append(studies, Truth{Month: month, T2: []Compartment{{MeanT2: []float64{36, 37, 40}[i]}}})
	}
	for month, want := range map[int]float64{0: 0, 3: 1, 6: 2, 9: 3, 12: 4} {
		if got := medialChange(studies, month); math.Abs(got-want) > 1e-9 {
			t.Errorf("month %d: %v, want %v", month, got, want)
		}
	}
}
