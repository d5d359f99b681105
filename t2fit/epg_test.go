package t2fit

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/t2map/t2map/volume"
)

// tissue holds the parameters of a simulated train: times in ms, B1 as a fraction of 180°.
type tissue struct{ spacing, t1, t2, b1 float64 }

// bloch returns n echoes of magnetisation 1. It follows the vectors of spins that the gradients
// spread evenly over a circle, enough to distinguish all orders of dephasing. It uses neither a
// phase graph nor a generating function, and is as exact.
func bloch(n int, v tissue) []float64 {
	spins := 4*n + 4
	echo := make([]float64, n)
	e1, e2 := math.Exp(-v.spacing/2/v.t1), math.Exp(-v.spacing/2/v.t2)
	turnSin, turnCos := math.Sincos(math.Pi * v.b1)
	for s := range spins {
		sin, cos := math.Sincos(2 * math.Pi * float64(s) / float64(spins))
		half := func(x, y, z float64) (float64, float64, float64) {
			return e2 * (x*cos - y*sin), e2 * (x*sin + y*cos), 1 - e1*(1-z)
		}
		x, y, z := 1.0, 0.0, 0.0 // after 90° about y
		for e := range echo {
			x, y, z = half(x, y, z)
			y, z = y*turnCos-z*turnSin, y*turnSin+z*turnCos // about x
			x, y, z = half(x, y, z)
			echo[e] += x / float64(spins)
		}
	}
	return echo
}

// scaled returns y times s.
func scaled(y []float64, s float64) []float64 {
	z := make([]float64, len(y))
	for e, v := range y {
		z[e] = v * s
	}
	return z
}

// withNoise returns magnitudes with Rician noise.
func withNoise(rng *rand.Rand, y []float64, sigma float64) []float64 {
	z := make([]float64, len(y))
	for e, v := range y {
		z[e] = math.Hypot(v+sigma*rng.NormFloat64(), sigma*rng.NormFloat64())
	}
	return z
}

// wide accepts every T2.
var wide = [2]float64{0, 1e9}

// From echoes without noise, the fit recovers the parameters, to the tolerance of the iteration,
// and to the rounding of float64 once it converges quadratically. Angles above 180° are returned as
// their mirror image below.
func TestEPGExact(t *testing.T) {
	for _, c := range []struct {
		n       int
		spacing float64
	}{{4, 13.8}, {7, 10}, {8, 6.312}, {32, 8}} {
		te := echoTimes(c.spacing, c.spacing, c.n)
		for _, t1 := range []float64{400, 1200} {
			for _, t2 := range []float64{5, 8, 12, 20, 35, 50, 80, 150, 300} {
				for _, b1 := range []float64{0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1, 1.05, 1.2} {
					y := scaled(bloch(c.n, tissue{c.spacing, t1, t2, b1}), 800)
					got, err := Curve(te, y, Options{Method: EPG, T1: t1, T2Range: wide})
					if err != nil {
						t.Fatal(err)
					}
					// At 180° the cosine changes with the square of the angle: 1e-14 of it are 1e-7
					// of B1.
					if want := math.Min(b1, 2-b1); got.Status != volume.Fitted || !near(got.T2, t2, 1e-6) ||
						!near(got.S0, 800, 1e-6) ||
						math.Abs(got.B1-want) > 1e-6 ||
						got.SE > 1e-5*t2 {
						t.Errorf("%d × %g ms, T1 %g, T2 %g, B1 %g: got %+v", c.n, c.spacing, t1, t2, b1, got)
					}
				}
			}
		}
	}
}

// With pulses of 180°, EPG agrees with nlls on all echoes.
func TestEPGIsMonoExponentialAt180(t *testing.T) {
	rng := rand.New(rand.NewPCG(31, 32))
	te := echoTimes(10, 10, 7)
	limit := 0
	for range 2000 {
		y := withNoise(rng, decayOf(te, 20+60*rng.Float64(), 1000), 10)
		got, err := Curve(te, y, Options{Method: EPG, T2Range: wide})
		if err != nil {
			t.Fatal(err)
		}
		if got.B1 < 1 {
			continue
		}
		limit++
		want, err := Curve(te, y, Options{SkipEchoes: NoSkip, T2Range: wide})
		if err != nil || got.Status != volume.Fitted {
			t.Fatal(got, err)
		}
		if !near(got.T2, want.T2, 1e-8) || !near(got.S0, want.S0, 1e-8) || math.Abs(got.R2-want.R2) > 1e-12 {
			t.Errorf("%v: on the limit %+v, nlls %+v", y, got, want)
		}
	}
	if limit < 800 || limit > 1200 {
		t.Errorf("%d of 2000 estimates are at 180°, want about half", limit)
	}
}

func TestEPGStatus(t *testing.T) {
	echoes := func(t2, b1 float64) []float64 { return scaled(bloch(7, tissue{10, 1200, t2, b1}), 900) }
	for _, c := range []struct {
		name string
		y    []float64
		o    Options
		want volume.Status
		b1   float64
	}{
		{"below the range", echoes(40, 0.35), Options{}, volume.AtBound, 0.4},
		{"inside", echoes(40, 0.42), Options{}, volume.Fitted, 0.42},
		{"180° is not a bound", echoes(40, 1), Options{}, volume.Fitted, 1},
		{"180° is one where the range ends before", echoes(40, 1), Options{B1Range: [2]float64{0.5, 0.9}},
			volume.AtBound, 0.9},
		{"a range above 180°", echoes(40, 1.2), Options{B1Range: [2]float64{1.1, 1.4}}, volume.Fitted, 1.2},
		{"below that", echoes(40, 1), Options{B1Range: [2]float64{1.1, 1.4}}, volume.AtBound, 1.1},
		{"outside the range", echoes(40, 1.5), Options{B1Range: [2]float64{0.9, 1.4}}, volume.AtBound, 1.4},
		{"an even profile of less", echoes(40, 0.72), Options{RefocusingProfile: []float64{0.8, 0.8}}, volume.Fitted,
			0.9},
		{"an even profile that ends below 180°", echoes(40, 1), Options{RefocusingProfile: []float64{0.8}},
			volume.AtBound, 1.2},
		{"no T2 decay", echoes(math.Inf(1), 0.8), Options{}, volume.NotDecaying, math.NaN()},
		{"less than none", decayOf(echoTimes(10, 10, 7), -50, 100), Options{}, volume.NotDecaying, math.NaN()},
		{"stimulated echoes alone", scaled(echoes(0.3, 0.6), math.Exp(10/0.3)), Options{}, volume.NotConverged,
			math.NaN()},
		{"T2 above the accepted", echoes(150, 0.8), Options{}, volume.OutOfRange, 0.8},
	} {
		c.o.Method = EPG
		got, err := Curve(echoTimes(10, 10, 7), c.y, c.o)
		if err != nil {
			t.Fatal(err)
		}
		if got.Status != c.want || math.Abs(got.B1-c.b1) > 1e-6 || math.IsNaN(got.B1) != math.IsNaN(c.b1) ||
			math.IsNaN(got.T2) != math.IsNaN(c.b1) {
			t.Errorf("%s: got %+v, want %v and B1 %g", c.name, got, c.want, c.b1)
		}
	}
}

// If the angle varies across the slice, angles above the nominal one are not a mirror image of
// those below, and the whole range is searched.
func TestEPGProfile(t *testing.T) {
	te := echoTimes(10, 10, 7)
	profile := []float64{1, 0.97, 0.9, 0.75, 0.5}
	for _, b1 := range []float64{0.5, 0.7, 0.9, 1, 1.1, 1.18} {
		for _, t2 := range []float64{15, 40, 90} {
			y := make([]float64, 7)
			for _, f := range profile {
				for e, v := range bloch(7, tissue{10, 1200, t2, b1 * f}) {
					y[e] += 300 * v
				}
			}
			got, err := Curve(te, y, Options{Method: EPG, T2Range: wide, RefocusingProfile: profile})
			if err != nil {
				t.Fatal(err)
			}
			if got.Status != volume.Fitted || !near(got.T2, t2, 1e-6) || !near(got.B1, b1, 1e-6) ||
				!near(got.S0, 300*5, 1e-6) {
				t.Errorf("T2 %g, B1 %g: got %+v", t2, b1, got)
			}
		}
	}
	y := make([]float64, 7)
	for _, f := range profile {
		for e, v := range bloch(7, tissue{10, 1200, 40, 1.18 * f}) {
			y[e] += 300 * v
		}
	}
	got, err := Curve(te, y, Options{Method: EPG, B1Range: [2]float64{0.4, 1.1}, RefocusingProfile: profile})
	if err != nil || got.Status != volume.AtBound || got.B1 != 1.1 {
		t.Errorf("B1 of 1.18 in a range to 1.1: %+v, %v, want the upper bound", got, err)
	}
}

// epgGrid holds echoes of length 1 over a grid of T2 and B1 from the simulation, as an oracle for
// the least residual.
type epgGrid struct{ unit [][]float64 }

func newEPGGrid(n int, spacing float64) epgGrid {
	var g epgGrid
	last := spacing * float64(n)
	for t2 := spacing / 8; t2 < 50*last; t2 *= 1.06 {
		for b1 := 0.4; b1 < 1.001; b1 += 0.01 {
			y := bloch(n, tissue{spacing, 1200, t2, b1})
			g.unit = append(g.unit, scaled(y, 1/math.Sqrt(scatter(y, 0))))
		}
	}
	return g
}

// least returns the least residual of y on the grid.
func (g epgGrid) least(y []float64) float64 {
	best := 0.0
	for _, unit := range g.unit {
		best = max(best, dot(unit, y))
	}
	return scatter(y, 0) - best*best
}

// No point of a fine grid has a smaller residual than the fit: the dictionary's starts lie in the
// basin of the best minimum. The few exceptions that the comment on grid mentions are decays
// dominated by noise.
func TestEPGIsTheMinimum(t *testing.T) {
	rng := rand.New(rand.NewPCG(33, 34))
	for _, c := range []struct {
		n, draws int
		snr      float64
		worse    int // how many may be
	}{{4, 400, 30, 0}, {7, 600, 100, 0}, {7, 600, 30, 0}, {7, 600, 10, 1}, {32, 100, 100, 0}, {32, 100, 30, 0}} {
		te := echoTimes(10, 10, c.n)
		grid := newEPGGrid(c.n, 10)
		f := newFitter(te, mustResolve(t, Options{Method: EPG, T2Range: wide}))
		worse := 0
		for range c.draws {
			y := bloch(c.n, tissue{10, 1200, 15 * math.Pow(6, rng.Float64()), 0.6 + 0.4*rng.Float64()})
			y = withNoise(rng, scaled(y, 1000), 1000/c.snr)
			got, least := f.estimator.estimate(y, math.NaN()), grid.least(y)
			// The grid's residual is a difference of squares.
			if got.rss > least*(1+1e-6)+1e-12*scatter(y, 0) {
				worse++
				t.Logf("%d echoes, SNR %g, %v: %+v, residual on the grid %g", c.n, c.snr, y, got, least)
			}
		}
		if worse > c.worse {
			t.Errorf("%d echoes, SNR %g: %d of %d fits are not the minimum", c.n, c.snr, worse, c.draws)
		}
	}
}

// The bias of the median is below 2 %, and the coverage of the 95 % interval by Student's t of n−3
// degrees of freedom is 93 to 97 %. 4000 draws determine the bias to 0.1 % and the coverage to 0.35
// %.
func TestEPGBiasAndCoverage(t *testing.T) {
	const draws, snr = 4000, 100
	te := echoTimes(10, 10, 7)
	f := newFitter(te, mustResolve(t, Options{Method: EPG, T2Range: wide}))
	quantile := distuv.StudentsT{Sigma: 1, Nu: 7 - 3}.Quantile(0.975)
	for _, b1 := range []float64{0.6, 0.8, 0.9, 0.95, 1, 1.1, 1.2} {
		for _, t2 := range []float64{20, 35, 50, 80} {
			rng := rand.New(rand.NewPCG(35, 36))
			y := scaled(bloch(7, tissue{10, 1200, t2, b1}), 1000)
			var found []float64
			covered := 0
			var sum, sum2, se2 float64
			for range draws {
				est := f.estimate(withNoise(rng, y, 1000/snr), math.NaN())
				if est.Status != volume.Fitted {
					t.Fatalf("T2 %g, B1 %g: %+v", t2, b1, est)
				}
				found = append(found, est.T2)
				if math.Abs(est.T2-t2) <= quantile*est.SE {
					covered++
				}
				sum += est.T2
				sum2 += est.T2 * est.T2
				se2 += est.SE * est.SE
			}
			slices.Sort(found)
			bias, coverage := found[draws/2]/t2-1, float64(covered)/draws
			sd := math.Sqrt(sum2/draws - sum/draws*sum/draws)
			t.Logf(
				"B1 %.2f, T2 %g ms: median %+.2f %%, 95 %% interval covers %.1f %%, standard error/spread %.3f", b1,
				t2, 100*bias, 100*coverage, math.Sqrt(se2/draws)/sd,
			)
			if math.Abs(bias) > 0.02 || coverage < 0.93 || coverage > 0.97 {
				t.Errorf("B1 %g, T2 %g: median off by %.2f %%, coverage %.2f %%", b1, t2, 100*bias, 100*coverage)
			}
			// At the limit, the scatter is less than that of three parameters.
			if r := math.Sqrt(se2/draws) / sd; r < 0.96 || r > 1.1 {
				t.Errorf("B1 %g, T2 %g: standard error is %.3f of the spread", b1, t2, r)
			}
		}
	}
}

func TestEPGAllocatesNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(37, 38))
	for _, n := range []int{7, 32} {
		for _, profile := range [][]float64{nil, {1, 0.8, 0.5}} {
			f := newFitter(echoTimes(10, 10, n), mustResolve(t, Options{Method: EPG, RefocusingProfile: profile}))
			y := withNoise(rng, scaled(bloch(n, tissue{10, 1200, 40, 0.8}), 1000), 30)
			if allocs := testing.AllocsPerRun(5, func() { f.estimate(y, math.NaN()) }); allocs != 0 {
				t.Errorf("%d echoes, profile %v: %g allocations", n, profile, allocs)
			}
		}
	}
}

func BenchmarkEPG(b *testing.B) {
	for _, n := range []int{7, 32} {
		for _, snr := range []float64{100, 30} {
			rng := rand.New(rand.NewPCG(39, 40))
			y := make([][]float64, 1024)
			for i := range y {
				y[i] = bloch(n, tissue{10, 1200, 20 + 60*rng.Float64(), 0.6 + 0.4*rng.Float64()})
				y[i] = withNoise(rng, scaled(y[i], 1000), 1000/snr)
			}
			f := newFitter(echoTimes(10, 10, n), mustResolve(b, Options{Method: EPG}))
			b.Run(fmt.Sprintf("echoes=%d/snr=%g", n, snr), func(b *testing.B) {
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					f.estimate(y[i%1024], math.NaN())
				}
			})
		}
	}
}
