package compare

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/t2map/t2map/trial/mmrm"
)

// agrees is how far a figure may be from R's, relative to it or absolute, where it is near
// 0. Both are sums in double precision; limits of effect sizes are roots of a quadrature.
const agrees = 1e-9

// table reads a CSV file of testdata, its header taken off.
func table(t *testing.T, dir, name string) [][]string {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) < 2 {
		t.Fatalf("%s: %d rows, %v", name, len(rows), err)
	}
	return rows[1:]
}

// figure is NaN where R has none.
func figure(t *testing.T, s string) float64 {
	t.Helper()
	if s == "" {
		return nan
	}
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func close(got, want, tolerance float64) bool {
	if math.IsNaN(want) {
		return math.IsNaN(got)
	}
	return math.Abs(got-want) <= tolerance*max(1, math.Abs(want)) &&
		(want == 0 || math.Abs(want) > 1e-6 || math.Abs(got-want) <= 1e-6*math.Abs(want))
}

// generated reads the referee's subjects by case.
func generated(t *testing.T, dir string) map[string]Subjects {
	t.Helper()
	cases := map[string]Subjects{}
	for _, r := range table(t, dir, "subjects.csv") {
		s := cases[r[0]]
		if s.Covariates == nil {
			s.Covariates = [][]float64{nil}
		}
		s.Arm = append(s.Arm, int(figure(t, r[1])))
		s.Change = append(s.Change, figure(t, r[2]))
		s.Baseline = append(s.Baseline, figure(t, r[3]))
		s.Covariates[0] = append(s.Covariates[0], figure(t, r[4]))
		s.Stratum = append(s.Stratum, int(figure(t, r[5])))
		cases[r[0]] = s
	}
	return cases
}

// figures returns all of a case by the names of the referee.
func figures(s Subjects) map[string]float64 {
	f := map[string]float64{}
	put := func(test string, e mmrm.Estimate) {
		for i, v := range []float64{e.Value, e.SE, e.DF, e.T, e.P, e.Low, e.High} {
			f[test+" "+[]string{"value", "se", "df", "t", "p", "low", "high"}[i]] = v
		}
	}
	var sample [3][]float64
	arms := 0
	for i, a := range s.Arm {
		sample[a] = append(sample[a], s.Change[i])
		arms = max(arms, a+1)
	}
	x, y := sample[1], sample[0]
	w, _ := Welch(x, y, 0.95)
	put("welch", w)
	r, _ := Wilcoxon(x, y, 0.95)
	f["wilcoxon u"], f["wilcoxon p"], f["wilcoxon shift"], f["wilcoxon low"], f["wilcoxon high"] = r.U, r.P,
		r.Shift.Estimate, r.Shift.Low, r.Shift.High
	g, _ := HedgesG(x, y, 0.95)
	f["hedges g"], f["hedges low"], f["hedges high"] = g.Estimate, g.Low, g.High
	adjusted, _ := Ancova(s, arms, 0.95)
	for a, e := range adjusted {
		put(fmt.Sprintf("ancova %d", a+1), e)
	}
	if arms == 2 {
		s := s
		s.Covariates = nil // the referee's permutations are without
		p, _ := Permutation(s, Permutations{})
		f["permutation p"], f["permutation arrangements"] = p.P, float64(p.Arrangements)
	}
	c, _ := Spearman(s.Change, s.Baseline, 0.95)
	f["spearman rho"], f["spearman p"], f["spearman low"], f["spearman high"] = c.Rho.Estimate, c.P, c.Rho.Low,
		c.Rho.High
	d, _ := Describe(x, 0.95)
	f["describe mean"], f["describe sd"], f["describe q1"], f["describe median"] = d.Mean, d.SD, d.Q1, d.Median
	f["describe q3"], f["describe low"], f["describe high"] = d.Q3, d.Low, d.High
	return f
}

// TestReferee compares every number with R's.
func TestReferee(t *testing.T) {
	got := map[string]map[string]float64{}
	for name, s := range generated(t, "testdata") {
		got[name] = figures(s)
	}
	seen := map[string]int{}
	for _, r := range table(t, "testdata", "expected.csv") {
		g, ok := got[r[0]][r[1]]
		if !ok {
			t.Fatalf("%s: no %s", r[0], r[1])
		}
		if want := figure(t, r[2]); !close(g, want, tolerance(r[0], r[1])) {
			t.Errorf("%s: %s is %.15g, R's %.15g", r[0], r[1], g, want)
		}
		seen[strings.Fields(r[1])[0]]++
	}
	for _, test := range []string{"welch", "wilcoxon", "hedges", "ancova", "permutation", "spearman", "describe"} {
		if seen[test] < 20 {
			t.Errorf("%s was held to R %d times only", test, seen[test])
		}
	}
}

// tolerance is wider where the data themselves have lost digits: with an offset of 1e6
// a change of 1 is good to 1e-10.
func tolerance(name, figure string) float64 {
	if name == "offset" {
		return 1e-7
	}
	return agrees
}

func TestRefereeCounts(t *testing.T) {
	for _, r := range table(t, "testdata", "counts.csv") {
		var k [4]int
		for i := range k {
			k[i] = int(figure(t, r[i]))
		}
		p, err := FisherExact(k[0], k[1], k[2], k[3])
		if want := figure(t, r[4]); err != nil || !close(p, want, agrees) {
			t.Errorf("%v: Fisher's P %g, R's %g, %v", k, p, want, err)
		}
		i, err := ClopperPearson(k[0], k[0]+k[1], 0.95)
		if err != nil || !close(i.Low, figure(t, r[5]), agrees) || !close(i.High, figure(t, r[6]), agrees) {
			t.Errorf("%d of %d: %v, R's %s to %s, %v", k[0], k[0]+k[1], i, r[5], r[6], err)
		}
	}
	sets := map[string][][]string{}
	for _, r := range table(t, "testdata", "holm.csv") {
		sets[r[0]] = append(sets[r[0]], r)
	}
	for _, rows := range sets {
		var p []float64
		for _, r := range rows {
			p = append(p, figure(t, r[1]))
		}
		for i, adjusted := range Holm(p) {
			if want := figure(t, rows[i][2]); !close(adjusted, want, agrees) {
				t.Errorf("Holm of %v: %d is %g, R's %g", p, i, adjusted, want)
			}
		}
	}
}

// TestRefereeAnew runs R again: it computes the committed numbers.
func TestRefereeAnew(t *testing.T) {
	if os.Getenv("T2MAP_R") == "" {
		t.Skip("R runs again where T2MAP_R=1 asks for it, as CI does")
	}
	if _, err := exec.LookPath("Rscript"); err != nil {
		t.Skip("Rscript is not installed")
	}
	if exec.Command("Rscript", "-e", "library(coin)").Run() != nil {
		t.Skip("R's package coin is not installed")
	}
	dir := t.TempDir()
	if out, err := exec.Command("Rscript", filepath.Join("testdata", "referee.R"), dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"subjects.csv", "expected.csv", "counts.csv", "holm.csv"} {
		now, then := table(t, dir, name), table(t, "testdata", name)
		if len(now) != len(then) {
			t.Fatalf("%s: %d rows, committed %d", name, len(now), len(then))
		}
		for i, row := range now {
			for j, cell := range row {
				if cell == then[i][j] {
					continue
				}
				a, errA := strconv.ParseFloat(cell, 64)
				b, errB := strconv.ParseFloat(then[i][j], 64)
				// R's own last digits depend on its version and, by way of its BLAS, on the processor.
				good := 1e-11
				if name == "expected.csv" {
					good = max(good, tolerance(row[0], row[1])*1e-2)
				}
				if errA != nil || errB != nil || !close(a, b, good) {
					t.Errorf("%s: row %d says %s, committed %s", name, i+2, cell, then[i][j])
				}
			}
		}
	}
}
