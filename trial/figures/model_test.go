package figures

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial"
	"github.com/t2map/t2map/trial/mmrm"
)

// A subject without a covariate is described, and is not in the models: the n of model estimates is that of
// the model.
func TestCountsOfTheModel(t *testing.T) {
	s := founding
	s.missing, s.flags, s.scores, s.compartments = 0, 0, 0, 1
	a := trialOf(s)
	e := &a.Endpoints[0]
	e.Model.N = [][]int{{11, 10}, {12, 13}}
	pictures := drawAll(t, a, Options{})
	for name, want := range map[string][]string{
		"change": {"12", "12", "12", "12"}, "lsmeans": {"11", "10", "12", "13"}, "forest": {"12, 11", "13, 10"},
	} {
		var got []string
		for _, w := range texts(t, pictures[name].SVG) {
			if strings.Trim(w.text, "0123456789, ") == "" && len(w.text) > 1 &&
				(name == "forest" || w.y0 > pictures[name].Height*72/25.4-40) {
				got = append(got, w.text)
			}
		}
		if strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("%s: n is %q, want %q", name, got, want)
		}
	}
	if c := pictures["lsmeans"].Caption; !strings.Contains(c, "Below each point is n in the model,") {
		t.Error(c)
	}
	if c := pictures["forest"].Caption; !strings.Contains(c, "n of the arm and of the reference in the model.") {
		t.Error(c)
	}
}

// Captions name a covariance that was not planned, its endpoints and its assumptions, and the terms and
// visits that are not in the model.
func TestRemarksOnModels(t *testing.T) {
	fellBack := func(c mmrm.Covariance) trial.Model {
		return trial.Model{Covariance: c,
			Rejected: []mmrm.Rejected{{Covariance: mmrm.Unstructured, Reason: "the covariance is singular"}},
			N:        [][]int{{12, 11}, {12, 12}}}
	}
	few := fellBack(mmrm.CompoundSymmetry)
	few.N = [][]int{{12, 0}, {12, 3}}
	withoutAge := trial.Model{Omitted: []trial.Omission{{Term: "age", Reason: "it follows from site"},
		{Visit: 1, Reason: "2 changes in 2 arms are too few for the model"}}}
	const because = ", because the planned one, unstructured, could not be fitted"
	for name, c := range map[string]struct {
		models [2]trial.Model
		want   string
	}{
		"as planned": {[2]trial.Model{}, ""},
		"for all": {[2]trial.Model{fellBack(mmrm.HeterogeneousCS), fellBack(mmrm.HeterogeneousCS)},
			" Covariance: heterogeneous compound symmetry" + because + "."},
		"for one": {[2]trial.Model{{}, fellBack(mmrm.AR1)}, " Covariance: first-order autoregressive (lateral T2)" +
			because + "; the first-order autoregressive covariance assumes the same variance at every visit."},
		"few": {[2]trial.Model{few, few}, " Covariance: compound symmetry" + because +
			"; the compound symmetry covariance assumes the same variance at every visit, and with so few participants the " +
			"test rejects too often; ANCOVA does not assume it."},
		"two": {[2]trial.Model{fellBack(mmrm.CompoundSymmetry), fellBack(mmrm.AR1)},
			" Covariance: compound symmetry (medial T2); first-order autoregressive (lateral T2)" + because +
				"; the compound symmetry and first-order autoregressive covariances assume the same variance at every visit."},
		"one failed": {[2]trial.Model{{Failed: "no change", Rejected: []mmrm.Rejected{{Reason: "x"}}},
			fellBack(mmrm.HeterogeneousCS)}, " Covariance: heterogeneous compound symmetry" + because + "."},
		"left out": {[2]trial.Model{withoutAge, withoutAge},
			" Not in the model: age (it follows from site); month3 (2 changes in 2 arms are too few for the model)."},
		"one's": {[2]trial.Model{{}, withoutAge},
			" Not in the model: age (it follows from site; of lateral T2); month3 (2 changes in 2 arms are too few " +
				"for the model; of lateral T2)."},
	} {
		a := trialOf(founding)
		a.Endpoints = a.Endpoints[:2]
		for n := range c.models {
			m := c.models[n]
			m.LSMeans = a.Endpoints[n].Model.LSMeans
			a.Endpoints[n].Model = m
		}
		for _, draw := range []kind{lsMeans, forest} {
			pictures, err := ofT2(draw, a)
			if err != nil {
				t.Fatal(err)
			}
			caption := pictures[0].Caption
			if !strings.Contains(caption, c.want) || c.want == "" &&
				(strings.Contains(caption, "Covariance") || strings.Contains(caption, "Not in")) {
				t.Errorf("%s: the caption of %s is\n%q, want\n%q", name, pictures[0].Name, caption, c.want)
			}
		}
	}
}

// A flag of a value is on figures of values, a flag of a change on figures of changes: a subject without a
// baseline has no change to flag.
func TestFlagsOfValuesAndChanges(t *testing.T) {
	s := founding
	s.missing, s.flags, s.scores = 0, 1, 0
	a := trialOf(s)
	a.Flags = append(a.Flags, a.Flags[0])
	a.Flags[0].Visit, a.Flags[0].Text = "month12", "of a value"
	a.Flags[1].Visit, a.Flags[1].Text = "month12", "of a change"
	for n := range a.Endpoints {
		for arm := range a.Endpoints[n].Cells {
			for v := range a.Endpoints[n].Cells[arm] {
				c := &a.Endpoints[n].Cells[arm][v]
				c.ValueFlags, c.ChangeFlags = nil, nil
			}
		}
		c := &a.Endpoints[n].Cells[0][2]
		c.ValueFlags, c.ChangeFlags = []int{0}, []int{1}
	}
	pictures := drawAll(t, a, Options{})
	for name, want := range map[string]int{"means": 0, "change": 1, "lsmeans": 1, "forest": 1} {
		p := pictures[name]
		if !slices.Equal(p.Flags, []int{want}) {
			t.Errorf("%s has the flags %d, want %d", name, p.Flags, want)
		}
		// One at the point or row of each compartment, and the footnote's, which is not alone.
		daggers := 0
		for _, w := range texts(t, p.SVG) {
			if w.text == figure.Dagger || name == "forest" && strings.HasSuffix(w.text, figure.Dagger) {
				daggers++
			}
		}
		if daggers != 3 {
			t.Errorf("%s has %d daggers, want 3", name, daggers)
		}
	}
}

// The correlation within arms comes first. Absent correlations are not drawn, and a pair has one panel.
func TestCorrelationWithinArms(t *testing.T) {
	nan := math.NaN()
	correlation := func(arm, n int, rho float64) trial.Correlation {
		return trial.Correlation{X: 0, Y: 1, Visit: 2, Arm: arm, N: n,
			Rho: trial.Interval{Estimate: rho, Low: rho - 0.2, High: rho + 0.2}}
	}
	undefined := trial.Correlation{X: 0, Y: 1, Visit: 2, Arm: trial.WithinArms, N: 2,
		Rho: trial.Interval{Estimate: nan, Low: nan, High: nan}, Reason: "too few"}
	earlier := correlation(trial.WithinArms, 24, 0.3)
	earlier.Visit = 1
	for name, c := range map[string]struct {
		correlations  []trial.Correlation
		words, second string
	}{
		"both": {[]trial.Correlation{correlation(0, 12, 0.1), correlation(trial.AllSubjects, 24, 0.7),
			correlation(trial.WithinArms, 24, -0.06), earlier}, "within arms ρ = −0.06 [−0.26, 0.14]",
			"all participants ρ = 0.70 [0.50, 0.90], n = 24"},
		"other n": {[]trial.Correlation{correlation(trial.WithinArms, 22, -0.06),
			correlation(trial.AllSubjects, 24, 0.7)},
			"within arms ρ = −0.06 [−0.26, 0.14]", "all participants ρ = 0.70 [0.50, 0.90], n = 22 and 24"},
		"one arm": {[]trial.Correlation{correlation(trial.AllSubjects, 24, 0.7)},
			"all participants ρ = 0.70 [0.50, 0.90], n = 24", ""},
		"within": {[]trial.Correlation{correlation(trial.WithinArms, 24, 0.7)}, "within arms ρ = 0.70 [0.50, 0.90]",
			"n = 24"},
		"undefined": {[]trial.Correlation{undefined, correlation(trial.AllSubjects, 2, 1)}, "within arms ρ: too few",
			"all participants ρ = 1.00 [0.80, 1.20], n = 2"},
		"not of all": {[]trial.Correlation{correlation(0, 12, 0.1), correlation(-7, 12, 0.1)}, "", ""},
	} {
		s := founding
		s.compartments, s.scores = 1, 1
		a := trialOf(s)
		a.Correlations = c.correlations
		pairs, _ := chooseCorrelations(a)
		if c.words == "" {
			if len(pairs) != 0 {
				t.Errorf("%s: %d panels", name, len(pairs))
			}
			continue
		}
		if len(pairs) != 1 {
			t.Fatalf("%s: %d panels, want 1", name, len(pairs))
		}
		if first, second := pairs[0].words(); first != c.words || second != c.second {
			t.Errorf("%s: %q, %q", name, first, second)
		}
		p := drawAll(t, a, Options{})["correlation"]
		if text := joined(t, p); !strings.Contains(text, c.words) || !strings.Contains(text, c.second) {
			t.Errorf("%s: no %q and %q in\n%s", name, c.words, c.second, text)
		}
		if got := strings.Contains(p.Caption,
			"over all participants it includes the difference between arms"); got != strings.HasPrefix(c.words, "within") {
			t.Errorf("%s: %s", name, p.Caption)
		}
	}
}
