package compare

import (
	"math"
	"testing"
)

// The expected values are R's: cor(resid(lm(rank(x) ~ factor(g))), resid(lm(rank(y) ~ factor(g)))), t with
// n − 1 − 3 degrees of freedom, Bonett and Wright's variance with n − 2 − 3.
func TestSpearmanWithin(t *testing.T) {
	x := []float64{1.2, 3.4, 2.2, 5.5, 4.1, 6.3, 7.7, 2.9, 8.1, 3.3, 9.2, 5.0}
	y := []float64{10, 14, 9, 15, 15, 22, 20, 18, 25, 19, 23, 21}
	g := []int{0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2}
	c, err := SpearmanWithin(x, y, g, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	for i, pair := range [][2]float64{{c.Rho.Estimate, 0.878105336505}, {c.P, 0.000831635826778},
		{c.Rho.Low, 0.458529962489}, {c.Rho.High, 0.977561163086}} {
		if math.Abs(pair[0]-pair[1]) > 1e-11 {
			t.Errorf("%d: %.12g, R has %.12g", i, pair[0], pair[1])
		}
	}
	// One group is Spearman's, but for an exact P.
	one := make([]int, len(x))
	within, _ := SpearmanWithin(x, y, one, 0.95)
	plain, _ := Spearman(x, y, 0.95)
	if math.Abs(within.Rho.Estimate-plain.Rho.Estimate) > 1e-14 || math.Abs(within.P-plain.P) > 1e-12 ||
		math.Abs(within.Rho.Low-plain.Rho.Low) > 1e-12 {
		t.Errorf("%+v, Spearman %+v", within, plain)
	}
}

// Up to nine pairs p is exact: two pairs in each of two groups have four orders, which all have |ρ| 0
// or 1.
func TestSpearmanWithinIsExact(t *testing.T) {
	c, _ := SpearmanWithin([]float64{1, 2, 3, 4}, []float64{1, 2, 3, 4}, []int{0, 0, 1, 1}, 0.95)
	if c.P != 0.5 || !c.Exact || c.Rho.Estimate != 1 {
		t.Errorf("%+v", c)
	}
	x := []float64{3, 1, 4, 1, 5, 9, 2, 6}
	y := []float64{2, 7, 1, 8, 2, 8, 1, 8}
	within, _ := SpearmanWithin(x, y, make([]int, 8), 0.95)
	plain, _ := Spearman(x, y, 0.95)
	if math.Abs(within.P-plain.P) > 1e-12 {
		t.Errorf("one group: %g, Spearman %g", within.P, plain.P)
	}
}

// Groups that differ in x and y cause a correlation, but not within groups.
func TestSpearmanWithinIsNotBetween(t *testing.T) {
	x := []float64{1, 2, 3, 4, 11, 12, 13, 14}
	y := []float64{2, 4, 1, 3, 12, 14, 11, 13}
	g := []int{0, 0, 0, 0, 1, 1, 1, 1}
	c, err := SpearmanWithin(x, y, g, 0.95)
	if err != nil || math.Abs(c.Rho.Estimate) > 1e-12 || c.P != 1 {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestSpearmanWithinOfLittle(t *testing.T) {
	for name, c := range map[string]struct {
		x, y []float64
		g    []int
	}{
		"nothing":           {nil, nil, nil},
		"one of each group": {[]float64{1, 2, 3}, []float64{3, 1, 2}, []int{0, 1, 2}},
		"no spread":         {[]float64{1, 1, 2, 2, 3, 3}, []float64{1, 2, 3, 4, 5, 6}, []int{0, 0, 1, 1, 2, 2}},
		"different lengths": {[]float64{1, 2}, []float64{1}, []int{0, 0}},
		"not a number":      {[]float64{1, math.NaN(), 3, 4}, []float64{1, 2, 3, 4}, []int{0, 0, 0, 0}},
	} {
		if got, err := SpearmanWithin(c.x, c.y, c.g, 0.95); err == nil || !math.IsNaN(got.Rho.Low) || !math.IsNaN(got.P) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}
