package power

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/trial"
	"github.com/t2map/t2map/trial/mmrm"
)

// study analyses a trial of three visits in which every fourth subject misses the last.
func study(t *testing.T, heading string) trial.Analysis {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	var design, results strings.Builder
	fmt.Fprintf(&design, "# visits: baseline=0, month03=3, month12=12\n# reference: control\n%ssubject,arm\n", heading)
	results.WriteString("subject,visit,study,series,side,compartment,mean_t2_ms,method,settings,scanner,acquisition,lossy_images,note\n")
	for i := range 24 {
		fmt.Fprintf(&design, "S%02d,%s\n", i, []string{"control", "treatment"}[i%2])
		level := 38 + 3*rng.NormFloat64()
		for v, visit := range []string{"baseline", "month03", "month12"} {
			if v < 2 || i%4 != 0 {
				fmt.Fprintf(&results, "S%02d,%s,st-%d-%d,se-%d-%d,right,medial,%.3f,nlls,plain,Maker One,7 echoes,,\n",
					i, visit, i, v, i, v, level+rng.NormFloat64())
			}
		}
	}
	a, err := trial.Analyse(context.Background(), "test", trial.Tables{
		Design:       trial.Source{Name: "trial.csv", Data: []byte(design.String())},
		Compartments: trial.Source{Name: "compartments.csv", Data: []byte(results.String())},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestFromStudy(t *testing.T) {
	a := study(t, "# covariance: ar1\n# df: satterthwaite\n")
	s, _, err := FromStudy(a, "medial")
	if err != nil {
		t.Fatal(err)
	}
	if cmp.Diff([][]int{{1}}, s.Primary) != "" || s.Arms != 2 || s.Model.Covariance != mmrm.AR1 || s.Model.DF != mmrm.Satterthwaite {
		t.Errorf("%+v", s)
	}
	for i := range 2 {
		for j := range 2 {
			if got, want := s.Sigma.At(i, j), a.Endpoints[0].Model.Sigma[i][j]; got != want {
				t.Errorf("Σ %d %d: %v, the study has %v", i, j, got, want)
			}
		}
	}
	got := map[string]float64{}
	for _, p := range s.Patterns {
		got[fmt.Sprint(p.Present)] = p.Weight
	}
	if len(got) != 2 || got["[true true]"] != 18 || got["[true false]"] != 6 {
		t.Errorf("patterns %v", got)
	}
	// Drawn trials have the covariance and the patterns that they were drawn with.
	s.Difference = 5
	factor, err := s.factor()
	if err != nil {
		t.Fatal(err)
	}
	r := s.draw(factor, 20000, rand.New(rand.NewPCG(1, 1)))[0]
	var sum, square, seen [2]float64
	for i, c := range r.Change {
		if !math.IsNaN(c[1]) {
			sum[r.Arm[i]] += c[1]
			square[r.Arm[i]] += c[1] * c[1]
			seen[r.Arm[i]]++
		}
	}
	for arm := range 2 {
		mean := sum[arm] / seen[arm]
		sd := math.Sqrt(square[arm]/seen[arm] - mean*mean)
		if math.Abs(mean-5*float64(arm)) > 0.05 || math.Abs(sd/math.Sqrt(s.Sigma.At(1, 1))-1) > 0.02 ||
			math.Abs(seen[arm]/20000-0.75) > 0.015 {
			t.Errorf("arm %d: mean %v, SD %v, %v seen", arm, mean, sd, seen[arm])
		}
	}
}

func TestFromStudyRefusals(t *testing.T) {
	a := study(t, "")
	if _, _, err := FromStudy(a, "lateral"); err == nil || !strings.HasSuffix(err.Error(), "they have medial") {
		t.Errorf("an unknown endpoint: %v", err)
	}
	a.Endpoints[0].Model.Failed = "no reason"
	if _, _, err := FromStudy(a, "medial"); err == nil || !strings.Contains(err.Error(), "no reason") {
		t.Errorf("no model: %v", err)
	}
	a = study(t, "")
	a.Endpoints[0].Model.Sigma[1][1] = math.NaN()
	if _, _, err := FromStudy(a, "medial"); err == nil || !strings.Contains(err.Error(), "month12") {
		t.Errorf("nobody at the primary visit: %v", err)
	}
}

// What the variance of a study has and drawn trials have not is said.
func TestCaveats(t *testing.T) {
	a := study(t, "")
	if got := caveats(a, &a.Endpoints[0]); got != nil {
		t.Errorf("%q", got)
	}
	a.Plan.Covariates = []string{"site", "age"}
	m := &a.Endpoints[0].Model
	m.Covariance, m.Rejected = mmrm.CompoundSymmetry, []mmrm.Rejected{{Covariance: mmrm.Unstructured, Reason: "too few"}}
	a.Flags = []trial.Flag{{Kind: trial.TwoStudies, Subject: "S01"},
		{Kind: trial.TwoStudies, Subject: "S02", Endpoint: "VAS"}}
	got := caveats(a, &a.Endpoints[0])
	for i, want := range []string{"adjusted for site, age", "a fallback covariance, compound symmetry: " +
		"unstructured: too few",
		"two studies count as missing"} {
		if len(got) != 3 || !strings.Contains(got[i], want) {
			t.Fatalf("%q, want %q", got, want)
		}
	}
	a.Flags = a.Flags[1:]
	if got := caveats(a, &a.Endpoints[0]); len(got) != 2 {
		t.Errorf("another endpoint's flag: %q", got)
	}
}

// The family is that of the trial: the contrasts of every primary endpoint at its own visits.
func TestFamilyOfStudy(t *testing.T) {
	a := study(t, "# primary: medial@month03, medial@month12\n")
	a.Design.Primary = append(a.Design.Primary, trial.Target{Endpoint: "WOMAC", Visit: 2})
	s, _, err := FromStudy(a, "medial")
	if err != nil || s.Contrasts() != 3 {
		t.Fatalf("%d contrasts, %v", s.Contrasts(), err)
	}
	if diff := cmp.Diff([][]int{{0, 1}, {1}}, s.Primary); diff != "" {
		t.Error(diff)
	}
}

// The other endpoints keep the number of their contrasts, also if they have more visits.
func TestFamilyOfFewerVisits(t *testing.T) {
	a := study(t, "# visits[medial]: baseline, month12\n# primary: medial@month12\n")
	for visit := 1; visit <= 3; visit++ {
		a.Design.Primary = append(a.Design.Primary, trial.Target{Endpoint: "WOMAC", Visit: visit})
	}
	s, _, err := FromStudy(a, "medial")
	if err != nil || s.Contrasts() != 4 {
		t.Errorf("%d contrasts, %v", s.Contrasts(), err)
	}
}
