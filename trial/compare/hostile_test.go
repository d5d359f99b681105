package compare

import (
	"encoding/binary"
	"math"
	"reflect"
	"strings"
	"testing"
)

// hasNaN says whether a figure of a result is NaN.
func hasNaN(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Float64:
		return math.IsNaN(v.Float())
	case reflect.Struct:
		for i := range v.NumField() {
			if hasNaN(v.Field(i)) {
				return true
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			if hasNaN(v.Index(i)) {
				return true
			}
		}
	}
	return false
}

// explained fails unless a result has either all figures or an error.
func explained(t *testing.T, name string, result any, err error) {
	t.Helper()
	if absent := hasNaN(reflect.ValueOf(result)); absent != (err != nil) {
		t.Errorf("%s: %+v with error %v", name, result, err)
	}
}

// TestTwoSamplesDegenerate: an absent number has a reason, and the others are right.
func TestTwoSamplesDegenerate(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		name                    string
		x, y                    []float64
		level                   float64
		welch, wilcoxon, hedges string // parts of errors
		difference, p           float64
	}{
		{"none", nil, nil, 0.95, "both samples are empty", "both samples are empty", "both samples are empty", nan,
			nan},
		{"no first", nil, []float64{1, 2}, 0.95, "first sample is empty", "first sample is empty",
			"first sample is empty", nan, nan},
		{"no second", []float64{1, 2}, nil, 0.95, "second sample is empty", "second sample is empty",
			"second sample is empty", nan, nan},
		{"one and one", []float64{3}, []float64{1}, 0.95, "one value has no variance", "1 and 1 values are too few",
			"fewer than four", 2, 1},
		{"one and two", []float64{3}, []float64{1, 2}, 0.95, "one value has no variance", "1 and 2 values are too few",
			"fewer than four", 1.5, 2. / 3},
		{"one and three", []float64{6}, []float64{1, 2, 3}, 0.95, "one value has no variance",
			"1 and 3 values are too few", "", 4, 0.5},
		{"two and two", []float64{3, 4}, []float64{1, 2}, 0.95, "", "2 and 2 values are too few", "", 2, 1. / 3},
		{"all the same", []float64{2, 2, 2}, []float64{2, 2}, 0.95, "do not vary", "do not vary", "do not vary", 0,
			nan},
		{"each the same", []float64{5, 5, 5}, []float64{2, 2}, 0.95, "do not vary", "3 and 2 values are too few",
			"do not vary", 3, 0.1},
		{"NaN", []float64{1, 2, nan}, []float64{1, 2, 3}, 0.95, "first sample: value 3 is NaN",
			"first sample: value 3 is NaN", "value 3 is NaN", nan, nan},
		{"infinity", []float64{1, 2, 3}, []float64{1, -inf, 3}, 0.95, "second sample: value 2 is -Inf",
			"second sample: value 2 is -Inf", "value 2 is -Inf", nan, nan},
		{"too large", []float64{1, 2, 3}, []float64{1, 1e300, 3}, 0.95, "value 2 is 1e+300", "value 2 is 1e+300",
			"value 2", nan, nan},
		{"level 1", []float64{1, 2, 3}, []float64{1, 2, 4}, 1, "level 1 is not", "level 1 is not", "level 1 is not",
			nan, nan},
		{"level NaN", []float64{1, 2, 3}, []float64{1, 2, 4}, nan, "level NaN is not", "level NaN is not",
			"level NaN is not", nan, nan},
		{"level 90", []float64{4, 5, 6}, []float64{1, 2, 3}, 0.9, "", "", "", 3, 0.1},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, err := Welch(c.x, c.y, c.level)
			explained(t, "Welch", w, err)
			wants(t, "Welch", err, c.welch)
			if !close(w.Value, c.difference, 1e-12) {
				t.Errorf("the difference is %g, want %g", w.Value, c.difference)
			}
			r, err := Wilcoxon(c.x, c.y, c.level)
			explained(t, "Wilcoxon", r, err)
			wants(t, "Wilcoxon", err, c.wilcoxon)
			if !close(r.P, c.p, 1e-12) {
				t.Errorf("P is %g, want %g", r.P, c.p)
			}
			g, err := HedgesG(c.x, c.y, c.level)
			explained(t, "HedgesG", g, err)
			wants(t, "HedgesG", err, c.hedges)
		})
	}
}

// wants fails unless the error has the part, or is none where that is empty.
func wants(t *testing.T, name string, err error, part string) {
	t.Helper()
	if part == "" && err != nil || part != "" && (err == nil || !strings.Contains(err.Error(), part)) {
		t.Errorf("%s: error %v, want …%s…", name, err, part)
	}
}

func TestSubjectsDegenerate(t *testing.T) {
	change, baseline := []float64{1, 3, 2, 5, 4, 7, 6, 9}, []float64{30, 31, 35, 34, 38, 37, 39, 33}
	arm := []int{0, 0, 0, 0, 1, 1, 1, 1}
	some := func(n int) Subjects {
		return Subjects{Change: change[:n], Baseline: baseline[:n], Arm: []int{0, 1, 0, 1, 0, 1, 0, 1}[:n]}
	}
	for _, c := range []struct {
		name                string
		s                   Subjects
		ancova, permutation string
	}{
		{"fine", Subjects{Change: change, Baseline: baseline, Arm: arm}, "", ""},
		{"no baseline", Subjects{Change: change, Arm: arm}, "", ""},
		{"nobody", Subjects{}, "nobody in the reference", "nothing to compare"},
		{"one", some(1), "nobody in an arm other", "nothing to compare"},
		{"two", some(2), "2 subjects for 3 parameters", "2 subjects for 3 parameters"},
		{"three", some(3), "3 subjects for 3 parameters", "3 subjects for 3 parameters"},
		{"four", some(4), "", ""},
		{"one arm", Subjects{Change: change, Baseline: baseline, Arm: make([]int, 8)}, "nobody in an arm other",
			"0 of the arm"},
		{"constant baseline", Subjects{Change: change,
			Baseline: []float64{35.1, 35.1, 35.1, 35.1, 35.1, 35.1, 35.1, 35.1}, Arm: arm}, "baseline is a combination",
			"baseline is a combination"},
		{"constant change", Subjects{Change: []float64{2, 2, 2, 2, 2, 2, 2, 2}, Baseline: baseline, Arm: arm},
			"no residual", "no residual"},
		{"change by arm", Subjects{Change: []float64{0, 0, 0, 0, 3, 3, 3, 3}, Baseline: baseline, Arm: arm},
			"no residual", ""},
		{"change by baseline", Subjects{Change: baseline, Baseline: baseline, Arm: arm}, "no residual", "no residual"},
		{"covariate is the arm", Subjects{Change: change, Baseline: baseline, Arm: arm,
			Covariates: [][]float64{{0, 0, 0, 0, 1, 1, 1, 1}}}, "arm 1 is a combination", "arm is a combination"},
		{"covariate twice", Subjects{Change: change, Baseline: baseline, Arm: arm,
			Covariates: [][]float64{change[:8], baseline}}, "covariate 2 is a combination",
			"covariate 2 is a combination"},
		{"NaN", Subjects{Change: []float64{nan, 1, 2, 3, 4, 5, 6, 7}, Baseline: baseline, Arm: arm},
			"change: value 1 is NaN", "change: value 1 is NaN"},
		{"NaN covariate", Subjects{Change: change, Baseline: baseline, Arm: arm,
			Covariates: [][]float64{{0, 1, nan, 3, 4, 5, 6, 7}}}, "covariate 1: value 3", "covariate 1: value 3"},
		{"lengths", Subjects{Change: change, Baseline: baseline[:3], Arm: arm}, "3 baselines", "3 baselines"},
		{"length of a covariate", Subjects{Change: change, Baseline: baseline, Arm: arm, Covariates: [][]float64{{1}}},
			"1 values of covariate 1", "1 values of covariate 1"},
		{"negative arm", Subjects{Change: change, Baseline: baseline, Arm: []int{0, 0, 0, 0, -1, 1, 1, 1}},
			"arm -1 is negative", "arm -1 is negative"},
		{"third arm", Subjects{Change: change, Baseline: baseline, Arm: []int{0, 0, 0, 0, 2, 1, 1, 1}}, "arm 2 of 2",
			"arm 2 of 2"},
		{"strata are arms", Subjects{Change: change, Baseline: baseline, Arm: arm, Stratum: arm}, "",
			"no other arrangement"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := Ancova(c.s, 2, 0.95)
			explained(t, "Ancova", a, err)
			wants(t, "Ancova", err, c.ancova)
			p, err := Permutation(c.s, Permutations{})
			explained(t, "Permutation", p, err)
			wants(t, "Permutation", err, c.permutation)
		})
	}
	if p, err := Permutation(Subjects{Change: []float64{0, 0, 0, 0, 3, 3, 3, 3}, Baseline: baseline, Arm: arm},
		Permutations{}); err != nil || p.P != 2./70 {
		t.Errorf("arms that explain the change: %+v, %v", p, err)
	}
	if _, err := Permutation(Subjects{Change: change, Baseline: baseline, Arm: arm},
		Permutations{Limit: -1}); err == nil {
		t.Error("a negative limit is accepted")
	}
	if a, err := Ancova(Subjects{Change: change, Baseline: baseline, Arm: []int{0, 0, 0, 0, 2, 2, 2, 2}}, 3,
		0.95); err != nil || !hasNaN(reflect.ValueOf(a[0])) || hasNaN(reflect.ValueOf(a[1])) {
		t.Errorf("an arm that is empty: %+v, %v", a, err)
	}
}

func TestOLSDegenerate(t *testing.T) {
	x, names := [][]float64{{1, 1, 1}, {1, 2, 3}}, []string{"intercept", "slope"}
	f, err := OLS(x, names, []float64{1, 2, 4})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range [][]float64{{1}, {nan, 0}, {0, 0}} {
		e, err := f.Contrast(c, 0.95)
		explained(t, "Contrast", e, err)
		if err == nil {
			t.Errorf("a contrast of %v is accepted", c)
		}
	}
	if _, err := OLS(x, names, []float64{1, 2}); err == nil {
		t.Error("two values for two columns are accepted")
	}
	_, err = OLS([][]float64{{1, 1, 1}, {2, 2, 2}}, names, []float64{1, 2, 4})
	if err == nil || !strings.Contains(err.Error(), "slope is a combination of the terms before it") {
		t.Errorf("a column twice: %v", err)
	}
}

func TestCountsDegenerate(t *testing.T) {
	for _, k := range [][4]int{{0, 0, 1, 2}, {1, 2, 0, 0}, {0, 0, 0, 0}, {-1, 2, 3, 4}} {
		if p, err := FisherExact(k[0], k[1], k[2], k[3]); err == nil || !math.IsNaN(p) {
			t.Errorf("%v: %g, %v", k, p, err)
		}
	}
	for _, k := range [][2]int{{0, 0}, {-1, 3}, {4, 3}} {
		if i, err := ClopperPearson(k[0], k[1], 0.95); err == nil || !math.IsNaN(i.Low) {
			t.Errorf("%v: %v, %v", k, i, err)
		}
	}
	if _, err := ClopperPearson(1, 2, 0); err == nil {
		t.Error("level 0 is accepted")
	}
	if p := Holm(nil); len(p) != 0 {
		t.Errorf("Holm of nothing: %v", p)
	}
}

func TestSpearmanDegenerate(t *testing.T) {
	for _, c := range []struct {
		name   string
		x, y   []float64
		want   string
		rho, p float64
	}{
		{"none", nil, nil, "fewer than two pairs (0)", nan, nan},
		{"one", []float64{1}, []float64{2}, "fewer than two pairs (1)", nan, nan},
		{"two", []float64{1, 2}, []float64{2, 3}, "2 pairs: no interval", 1, 1},
		{"three", []float64{1, 2, 3}, []float64{2, 9, 3}, "3 pairs: no interval", 0.5, 1},
		{"constant", []float64{1, 2, 3, 4}, []float64{2, 2, 2, 2}, "do not vary", nan, nan},
		{"lengths", []float64{1, 2, 3}, []float64{2, 9}, "3 values, but 2", nan, nan},
		{"NaN", []float64{1, 2, nan}, []float64{2, 9, 3}, "first of the pairs: value 3", nan, nan},
		{"falling", []float64{1, 2, 3, 4}, []float64{4, 3, 2, 1}, "agree in full", -1, 2. / 24},
		{"ten rising", []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10},
			"agree in full", 1, 0},
		{"ties", []float64{1, 1, 2, 2}, []float64{1, 1, 2, 2}, "agree in full", 1, 8. / 24},
		{"fine", []float64{1, 2, 3, 4}, []float64{1, 2, 4, 3}, "", 0.8, 8. / 24},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Spearman(c.x, c.y, 0.95)
			explained(t, "Spearman", got, err)
			wants(t, "Spearman", err, c.want)
			if !close(got.Rho.Estimate, c.rho, 1e-15) || !close(got.P, c.p, 1e-15) {
				t.Errorf("rho %g, P %g, want %g and %g", got.Rho.Estimate, got.P, c.rho, c.p)
			}
		})
	}
}

func TestDescribeDegenerate(t *testing.T) {
	if d, err := Describe(nil, 0.95); err != nil || d.N != 0 || !math.IsNaN(d.Mean) || !math.IsNaN(d.Min) {
		t.Errorf("nothing: %+v, %v", d, err)
	}
	if d, err := Describe([]float64{4}, 0.95); err != nil || d.Mean != 4 || d.Q1 != 4 || !math.IsNaN(d.SD) ||
		!math.IsNaN(d.Low) {
		t.Errorf("one: %+v, %v", d, err)
	}
	if d, err := Describe([]float64{4, 4}, 0.95); err != nil || d.SD != 0 || d.Low != 4 || d.High != 4 {
		t.Errorf("two alike: %+v, %v", d, err)
	}
	if d, err := Describe([]float64{4, nan}, 0.95); err == nil || d.N != 0 || !math.IsNaN(d.Mean) {
		t.Errorf("NaN: %+v, %v", d, err)
	}
	for _, p := range []float64{-0.1, 1.1, nan} {
		if q := Quantile(p, []float64{1, 2}); !math.IsNaN(q) {
			t.Errorf("the %g-quantile is %g", p, q)
		}
	}
	if a, b := Quantile(0, []float64{1, 2}), Quantile(1, []float64{1, 2}); a != 1 || b != 2 {
		t.Errorf("the ends are %g and %g", a, b)
	}
}

// FuzzTwoSamples: any samples result in numbers in their range, or an error with the reason.
func FuzzTwoSamples(f *testing.F) {
	f.Add([]byte("0123456789abcdef0123456789abcdef0123456789abcdef"), uint8(3))
	f.Add(make([]byte, 80), uint8(4))
	f.Fuzz(func(t *testing.T, data []byte, first uint8) {
		var all []float64
		for ; len(data) >= 8 && len(all) < 40; data = data[8:] {
			all = append(all, math.Float64frombits(binary.LittleEndian.Uint64(data)))
		}
		m := min(int(first), len(all))
		x, y := all[:m], all[m:]
		w, err := Welch(x, y, 0.95)
		explained(t, "Welch", w, err)
		r, err := Wilcoxon(x, y, 0.95)
		explained(t, "Wilcoxon", r, err)
		g, err := HedgesG(x, y, 0.95)
		explained(t, "HedgesG", g, err)
		n := min(len(x), len(y))
		c, err := Spearman(x[:n], y[:n], 0.95)
		explained(t, "Spearman", c, err)
		s := Subjects{Change: all, Baseline: make([]float64, len(all)), Arm: make([]int, len(all))}
		for i := range all {
			s.Baseline[i] = all[len(all)-1-i]
			if i < m {
				s.Arm[i] = 1
			}
		}
		a, err := Ancova(s, 2, 0.95)
		explained(t, "Ancova", a, err)
		p, err := Permutation(s, Permutations{Limit: 100, Draws: 50})
		explained(t, "Permutation", p, err)
		for _, v := range []float64{w.P, r.P, c.P, p.P, a[0].P} {
			if v < 0 || v > 1 {
				t.Errorf("P is %g", v)
			}
		}
		if r.Shift.Low > r.Shift.Estimate || r.Shift.High < r.Shift.Estimate || g.Low > g.High {
			t.Errorf("intervals %+v, %+v", r.Shift, g)
		}
	})
}
