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

	"gonum.org/v1/gonum/stat"

	"github.com/t2map/t2map/dicomio"
)

// A subject who drops out has no images after month 3, no scores after month 9, and is not in the per-protocol set.
// The last study of another has new software.
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
	if len(visits["S01"]) != 5 || len(visits["S02"]) != 4 || visits["S02"]["month12"] {
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
	sum := 0.0
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

// At month 9 the changes of WOMAC and KOOS have the published means and standard deviations in each arm, up to rounding
// to whole points and the ends of the scales.
func TestChangesAreThePublishedOnes(t *testing.T) {
	trial := Trial{Subjects: 24, Dropout: 9}
	var truth []Truth
	for n, arm := range trial.arms() {
		for _, v := range trial.visitsOf(n) {
			truth = append(truth, Truth{Subject: subjectName(n), Arm: arm, Visit: v.name, Month: v.month,
				T2: []Compartment{{MeanT2: 36}}})
		}
	}
	arms := trial.arms()
	baseline, changes := map[string]float64{}, map[string][]float64{} // by name and arm
	for _, r := range trial.scores(truth) {
		switch r.visit {
		case "baseline":
			baseline[r.subject+r.endpoint.name] = r.value
		case "month09":
			n, err := strconv.Atoi(r.subject[1:])
			if err != nil {
				t.Fatal(err)
			}
			key := r.endpoint.name + arms[n-1]
			changes[key] = append(changes[key], r.value-baseline[r.subject+r.endpoint.name])
		}
	}
	for name, group := range map[string]string{womacTotal: womac, "KOOS pain": koos, "KOOS QoL": koos} {
		for arm, want := range published[group] {
			mean, sd := stat.MeanStdDev(changes[name+arm], nil)
			// The sum of three rounded subscales is off by 0.5, an SD; a mean of 12 by 0.7 at most. KOOS may reach an end.
			if limit := 0.7 + 0.05*want.sd; len(changes[name+arm]) != 12 || math.Abs(mean-want.mean) > limit ||
				math.Abs(sd-want.sd) > limit {
				t.Errorf("%s, %s: %.2f ± %.2f in %d subjects, want %v", name, arm, mean, sd, len(changes[name+arm]), want)
			}
		}
	}
}

// Between visits with images, the change of T2 is interpolated.
func TestMedialChange(t *testing.T) {
	var studies []Truth
	for i, month := range []int{0, 3, 12} {
		studies = append(studies, Truth{Month: month, T2: []Compartment{{MeanT2: []float64{36, 37, 40}[i]}}})
	}
	for month, want := range map[int]float64{0: 0, 3: 1, 6: 2, 9: 3, 12: 4, 15: 4} {
		if got := medialChange(studies, month); math.Abs(got-want) > 1e-9 {
			t.Errorf("month %d: %v, want %v", month, got, want)
		}
	}
}
