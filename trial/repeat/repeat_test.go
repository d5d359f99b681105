package repeat

import (
	"encoding/csv"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/t2map/t2map/trial/compare"
)

// agrees is how far a figure may be from R's, relative or absolute: both are sums in
// double precision, and quantiles of gonum are good to some 1e-11.
const agrees = 1e-9

func tableOf(t *testing.T, dir, name string) [][]string {
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

func parsed(t *testing.T, s string) float64 {
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

func near(got, want, tolerance float64) bool {
	return math.IsNaN(got) && math.IsNaN(want) || math.Abs(got-want) <= tolerance*max(1, math.Abs(want))
}

// named returns the figures by the names of the referee.
func named(f Estimates) map[string]float64 {
	all := map[string]float64{
		"n": float64(f.N), "df": float64(f.DF), "mean": f.Mean, "wsd over mean": f.WSDOverMean,
		"bias p": f.Agreement.P, "proportional rho": f.Proportional.Rho.Estimate,
	}
	for name, i := range map[string]compare.Interval{
		"wsd": f.WSD, "wcv": f.WCV, "rc": f.RC, "rc percent": f.RCPercent, "sdc": f.SDC, "icc21": f.ICC21,
		"icc31": f.ICC31,
		"bias":  f.Agreement.Bias, "lower": f.Agreement.Lower, "upper": f.Agreement.Upper,
	} {
		all[name+" estimate"], all[name+" low"], all[name+" high"] = i.Estimate, i.Low, i.High
	}
	return all
}

// TestReferee holds every figure to that of R.
func TestReferee(t *testing.T) {
	cases := map[string][][]float64{}
	for _, r := range tableOf(t, "testdata", "repeats.csv") {
		var knee []float64
		for j := range int(parsed(t, r[6])) {
			knee = append(knee, parsed(t, r[2+j]))
		}
		cases[r[0]] = append(cases[r[0]], knee)
	}
	got := map[string]map[string]float64{}
	for name, values := range cases {
		f, err := Analyse(values, 0.95)
		if err != nil {
			t.Fatal(name, err)
		}
		got[name] = named(f)
	}
	held := 0
	for _, r := range tableOf(t, "testdata", "expected.csv") {
		g, ok := got[r[0]][r[1]]
		if !ok {
			t.Fatalf("%s: no %s", r[0], r[1])
		}
		if want := parsed(t, r[2]); !near(g, want, agrees) {
			t.Errorf("%s: %s is %.15g, R's %.15g", r[0], r[1], g, want)
		}
		held++
	}
	if held < 300 {
		t.Errorf("%d figures were held to R", held)
	}
}

// TestRefereeAnew runs R again: what is committed is what it says.
func TestRefereeAnew(t *testing.T) {
	if os.Getenv("T2MAP_R") == "" {
		t.Skip("R runs again where T2MAP_R=1 asks for it, as CI does")
	}
	if _, err := exec.LookPath("Rscript"); err != nil {
		t.Skip("Rscript is not installed")
	}
	if exec.Command("Rscript", "-e", "library(psych)").Run() != nil {
		t.Skip("R's package psych is not installed")
	}
	dir := t.TempDir()
	if out, err := exec.Command("Rscript", filepath.Join("testdata", "referee.R"), dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"repeats.csv", "expected.csv"} {
		now, then := tableOf(t, dir, name), tableOf(t, "testdata", name)
		if len(now) != len(then) {
			t.Fatalf("%s: %d rows, committed %d", name, len(now), len(then))
		}
		for i, row := range now {
			for j, cell := range row {
				// R's own last digits may depend on its version and the processor.
				if cell != then[i][j] && (j == 0 || !near(parsed(t, cell), parsed(t, then[i][j]), 1e-11)) {
					t.Errorf("%s: row %d says %s, committed %s", name, i+2, cell, then[i][j])
				}
			}
		}
	}
}

// TestBlandAltman1986 is the example of the paper: peak flow of 17 subjects by the
// large Wright meter, twice, whose repeatability coefficient is 2 × 15.3 there (rounded).
func TestBlandAltman1986(t *testing.T) {
	first := []float64{494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427}
	second := []float64{490, 397, 512, 401, 470, 611, 415, 431, 638, 429, 420, 633, 275, 492, 165, 372, 421}
	var pairs [][]float64
	for i := range first {
		pairs = append(pairs, []float64{first[i], second[i]})
	}
	f, err := Analyse(pairs, 0.95)
	if err != nil || math.Abs(f.WSD.Estimate-15.3) > 0.05 {
		t.Errorf("wSD %.2f, the paper's 15.3; %v", f.WSD.Estimate, err)
	}
}

// TestScale: figures in ms follow the unit, the others do not know it.
func TestScale(t *testing.T) {
	values := [][]float64{{38, 39}, {41, 40.2}, {35.5, 36.3}, {44, 43.1}, {39.2, 39.9}}
	var seconds [][]float64
	for _, v := range values {
		seconds = append(seconds, []float64{v[0] / 1000, v[1] / 1000})
	}
	a, errA := Analyse(values, 0.9)
	b, errB := Analyse(seconds, 0.9)
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	for _, c := range []struct{ a, b, factor float64 }{
		{a.WSD.High, b.WSD.High, 1000}, {a.RC.Low, b.RC.Low, 1000}, {a.SDC.Estimate, b.SDC.Estimate, 1000},
		{a.Agreement.Upper.Low, b.Agreement.Upper.Low, 1000},
		{a.WCV.Low, b.WCV.Low, 1}, {a.ICC21.Low, b.ICC21.Low, 1}, {a.ICC31.High, b.ICC31.High, 1},
		{a.Agreement.P, b.Agreement.P, 1}, {a.Proportional.P, b.Proportional.P, 1},
	} {
		if !near(c.a, c.b*c.factor, 1e-10) {
			t.Errorf("%g and %g", c.a, c.b*c.factor)
		}
	}
}

func TestDegenerate(t *testing.T) {
	for _, c := range []struct {
		name   string
		values [][]float64
		level  float64
		err    string
		reason string // one of Reasons
	}{
		{"nobody", nil, 0.95, "no knee was measured twice", ""},
		{"once each", [][]float64{{38, nan}, {nan, 40}}, 0.95, "no knee was measured twice", ""},
		{"one repeat", [][]float64{{38}, {40}}, 0.95, "no knee was measured twice", ""},
		{"one pair", [][]float64{{38, 39}}, 0.95, "", "one pair has no spread"},
		{"copies", [][]float64{{38, 38}, {40, 40}, {41, 41}}, 0.95, "", "do not differ at all"},
		{"a constant", [][]float64{{38, 38.3}, {40, 40.3}, {41, 41.3}}, 0.95, "", "only by a constant"},
		{"no complete knee", [][]float64{{38, 38.3, nan}, {40, nan, 41}, {nan, 39, 39.4}}, 0.95, "",
			"fewer than two knees have all repeats"},
		{"not the first two", [][]float64{{nan, 38.3, 38}, {nan, 40, 41}, {nan, 39, 39.4}}, 0.95, "",
			"no knee has the first two"},
		{"0 ms", [][]float64{{38, 0}}, 0.95, "0 is not a measurement", ""},
		{"negative", [][]float64{{38, -3}}, 0.95, "-3 is not a measurement", ""},
		{"infinite", [][]float64{{38, math.Inf(1)}}, 0.95, "+Inf is not a measurement", ""},
		{"lengths", [][]float64{{38, 39}, {38}}, 0.95, "knee 2 has 1 repeats", ""},
		{"level", [][]float64{{38, 39}}, 95, "level 95", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := Analyse(c.values, c.level)
			if c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) || c.err == "" && err != nil {
				t.Fatalf("error %v, want %q", err, c.err)
			}
			if c.reason != "" && !slices.ContainsFunc(f.Reasons,
				func(r string) bool { return strings.Contains(r, c.reason) }) {
				t.Errorf("reasons %q, want %q", f.Reasons, c.reason)
			}
			if absent := hasNaN(f); absent != (len(f.Reasons) > 0 || err != nil) {
				t.Errorf("%+v", f)
			}
		})
	}
}

func hasNaN(f Estimates) bool {
	for _, v := range named(f) {
		if math.IsNaN(v) {
			return true
		}
	}
	return math.IsNaN(f.Proportional.P)
}
