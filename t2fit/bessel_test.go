package t2fit

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// bigBessel sums the power series of I0 and I1 in 600 bits. All terms are positive, so that no
// digits are lost. The scale exp(−x) is 1/Σxᵏ/k!.
func bigBessel(x float64) (i0e, i1e float64) {
	const bits = 600
	num := func(v float64) *big.Float { return new(big.Float).SetPrec(bits).SetFloat64(v) }
	exp, term := num(1), num(1)
	for k := 1.0; k < 20*(x+20); k++ {
		term.Mul(term, num(x)).Quo(term, num(k))
		exp.Add(exp, term)
	}
	half := num(x / 2)
	quarter := num(0).Mul(half, half)
	t0, t1 := num(1), half
	s0, s1 := num(1), num(0).Set(t1)
	for k := 1.0; k < 10*(x+20); k++ {
		t0.Mul(t0, quarter).Quo(t0, num(k*k))
		t1 = num(0).Quo(num(0).Mul(t1, quarter), num(k*(k+1)))
		s0.Add(s0, t0)
		s1.Add(s1, t1)
	}
	i0e, _ = s0.Quo(s0, exp).Float64()
	i1e, _ = s1.Quo(s1, exp).Float64()
	return i0e, i1e
}

func TestScaledBessel(t *testing.T) {
	for _, x := range []float64{0, 1e-300, 1e-9, 1e-3, 0.1, 0.5, 1, 2, 5, 7.9, 8.1, 15, 25, 29.999, 30, 30.001, 40, 64,
		100, 300} {
		i0e, i1e := scaledBessel(x)
		want0, want1 := bigBessel(x)
		if !near(i0e, want0, 4e-15) || !near(i1e, want1, 4e-15) {
			t.Errorf("at %g: %.17g, %.17g, want %.17g, %.17g", x, i0e, i1e, want0, want1)
		}
	}
	// Both tend to 1/√(2πx).
	for _, x := range []float64{1e6, 1e30, 1e300} {
		i0e, i1e := scaledBessel(x)
		if limit := 1 / math.Sqrt(2*math.Pi*x); !near(i0e, limit, 1e-6) || !near(i1e, limit, 1e-6) {
			t.Errorf("at %g: %g, %g, limit %g", x, i0e, i1e, limit)
		}
	}
}

// The expectation is the mean of √((x+n₁)²+n₂²) over normal n₁, n₂: a million draws determine it to
// 0.001 (one standard error); five such errors are allowed.
func TestMagnitudeIsTheMean(t *testing.T) {
	rng := rand.New(rand.NewPCG(21, 22))
	m := tabulated()
	for _, x := range []float64{0, 0.3, 1, 2, 3.5, 8, 17} {
		const draws = 1_000_000
		var sum, squares float64
		for range draws {
			r := math.Hypot(x+rng.NormFloat64(), rng.NormFloat64())
			sum += r
			squares += r * r
		}
		mean := sum / draws
		v := squares/draws - mean*mean
		if got := m.evaluate(x).mean; math.Abs(got-mean) > 5*math.Sqrt(v/draws) {
			t.Errorf("x %g: mean %.6f, drawn %.6f", x, got, mean)
		}
		// The variance of a variance of near-normal draws is 2v²/n.
		if got := m.variance(x); math.Abs(got-v) > 5*v*math.Sqrt(2.0/draws) {
			t.Errorf("x %g: variance %.6f, drawn %.6f", x, got, v)
		}
	}
}

// The table agrees with the definition within the error that its comment states, also at the ends
// of cells, and continues into the expansion for large x without a step.
func TestMagnitudesTable(t *testing.T) {
	m := tabulated()
	rng := rand.New(rand.NewPCG(23, 24))
	var worst magnitude
	try := func(x float64) {
		got, want := m.evaluate(x), magnitudeOf(x)
		worst.mean = max(worst.mean, math.Abs(got.mean/want.mean-1))
		worst.slope = max(worst.slope, math.Abs(got.slope-want.slope))
		worst.bend = max(worst.bend, math.Abs(got.bend-want.bend))
	}
	for i := range farFrom*cells + 1 {
		try(float64(i) / cells)
	}
	for range 200_000 {
		try(20 * rng.Float64())
	}
	for _, x := range []float64{math.Nextafter(farFrom, 0), farFrom, 25, 40} {
		try(x)
	}
	t.Logf("worst %+v", worst)
	if worst.mean > 1e-13 || worst.slope > 1e-10 || worst.bend > 1e-5 {
		t.Errorf("the table errs by %+v", worst)
	}
	for _, x := range []float64{1e3, 1e9, 1e200} {
		if got := m.evaluate(x); !near(got.mean, x+1/(2*x), 1e-12) || got.slope > 1 {
			t.Errorf("at %g: %+v", x, got)
		}
	}
}

// The derivatives agree with central differences of the definition, which with a step of 1e-3 have
// a relative error of 1e-7.
func TestMagnitudeDerivatives(t *testing.T) {
	const h = 1e-3
	for _, x := range []float64{0.01, 0.5, 1, 2, 4, 9, 15, 18} {
		lo, mid, hi := magnitudeOf(x-h), magnitudeOf(x), magnitudeOf(x+h)
		if slope := (hi.mean - lo.mean) / (2 * h); math.Abs(slope-mid.slope) > 1e-6 {
			t.Errorf("x %g: slope %g, differences %g", x, mid.slope, slope)
		}
		if bend := (hi.slope - lo.slope) / (2 * h); math.Abs(bend-mid.bend) > 1e-6 {
			t.Errorf("x %g: bend %g, differences %g", x, mid.bend, bend)
		}
	}
	if m := magnitudeOf(0); m.mean != floor || m.slope != 0 || m.bend != floor/2 {
		t.Errorf("noise alone: %+v", m)
	}
}

func BenchmarkMagnitude(b *testing.B) {
	m := tabulated()
	for _, c := range []struct {
		name string
		x    float64
	}{{"table", 3.7}, {"far", 30}} {
		b.Run(c.name, func(b *testing.B) {
			sum := 0.0
			for b.Loop() {
				sum += m.evaluate(c.x).mean
			}
			_ = sum
		})
	}
}
