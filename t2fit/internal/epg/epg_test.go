package epg

import (
	"fmt"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"
)

// matrix is a 3×3 matrix on the states (F, conjugate of F of the opposite order, Z).
type matrix [3][3]complex128

// rotation returns the matrix of a pulse of angle alpha and phase phi in radians: Weigel 2015
// (10.1002/jmri.24619), equation 15.
func rotation(alpha, phi float64) matrix {
	c2, s2 := complex(math.Pow(math.Cos(alpha/2), 2), 0), complex(math.Pow(math.Sin(alpha/2), 2), 0)
	sin, cos := complex(math.Sin(alpha), 0), complex(math.Cos(alpha), 0)
	turn := func(k float64) complex128 { return cmplx.Exp(complex(0, k*phi)) }
	return matrix{
		{c2, turn(2) * s2, -1i * turn(1) * sin},
		{turn(-2) * s2, c2, 1i * turn(-1) * sin},
		{-0.5i * turn(-1) * sin, 0.5i * turn(1) * sin, cos},
	}
}

// graph holds all configuration states of a train, F[k] and Z[k] for orders k from −reach to reach,
// each order separate and complex: slow, complete, and independent of the package.
type graph struct {
	reach int
	f, z  []complex128
}

func (g *graph) pulse(m matrix) {
	f, z := make([]complex128, len(g.f)), make([]complex128, len(g.z))
	for k := -g.reach; k <= g.reach; k++ {
		in := [3]complex128{g.f[g.reach+k], cmplx.Conj(g.f[g.reach-k]), g.z[g.reach+k]}
		for i := range in {
			f[g.reach+k] += m[0][i] * in[i]
			z[g.reach+k] += m[2][i] * in[i]
		}
	}
	g.f, g.z = f, z
}

// half applies half a spacing: relaxation and one order of dephasing. Recovery creates
// magnetisation of order 0.
func (g *graph) half(time, t1, t2 float64) {
	f := make([]complex128, len(g.f))
	for i := range g.f {
		if i > 0 {
			f[i] = g.f[i-1] * complex(math.Exp(-time/t2), 0)
		}
		g.z[i] *= complex(math.Exp(-time/t1), 0)
	}
	g.f = f
	g.z[g.reach] += complex(1-math.Exp(-time/t1), 0)
}

// brute returns the echoes of a train of pulses of b1·180°, excited by 90° from
// equilibrium.
func brute(t Train, t2, b1 float64) []float64 {
	reach := 2*t.Echoes + 2
	g := graph{reach: reach, f: make([]complex128, 2*reach+1), z: make([]complex128, 2*reach+1)}
	g.z[reach] = 1
	g.pulse(rotation(math.Pi/2, math.Pi/2)) // about y: along x
	echo := make([]float64, t.Echoes)
	for e := range echo {
		g.half(t.Spacing/2, t.T1, t2)
		g.pulse(rotation(math.Pi*b1, 0)) // about x
		g.half(t.Spacing/2, t.T1, t2)
		echo[e] = real(g.f[reach])
		if math.Abs(imag(g.f[reach])) > 1e-14 {
			panic(fmt.Sprint("echo ", e, " is not real: ", g.f[reach]))
		}
	}
	return echo
}

var trains = []Train{
	{1, 10, 1200}, {2, 10, 1200}, {3, 8, 300}, {7, 10, 1200}, {8, 6.312, 1200}, {20, 12, 800}, {32, 10, 1200},
	{31, 8, 60},
}

func TestRefocusAgainstBruteForce(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, k := range trains {
		d := NewDecay(k)
		for range 60 {
			t2, b1 := math.Exp(math.Log(3)+rng.Float64()*math.Log(100)), 0.2+1.6*rng.Float64()
			d.Refocus(1/t2, math.Cos(math.Pi*b1))
			for e, want := range brute(k, t2, b1) {
				// The rounding error grows with the square of the number of echoes, 32² × 1e-16.
				if math.Abs(d.Echo[e]-want) > 1e-13 {
					t.Fatalf("%+v, T2 %g, B1 %g, echo %d: %.17g, brute force %.17g", k, t2, b1, e+1, d.Echo[e], want)
				}
			}
		}
	}
}

// After pulses of 180°, the echoes are exp(−TE/T2).
func TestRefocusIdeal(t *testing.T) {
	for _, k := range trains {
		d := NewDecay(k)
		for _, t2 := range []float64{1, 5, 20, 80, 300, 2000} {
			d.Refocus(1/t2, -1)
			for e, v := range d.Echo {
				if want := math.Exp(-float64(e+1) * k.Spacing / t2); math.Abs(v-want) > 1e-13 {
					t.Errorf("%+v, T2 %g, echo %d: %.17g, want %.17g", k, t2, e+1, v, want)
				}
			}
		}
	}
}

// Derivatives agree with central differences, whose error is of the order of step² and
// rounding/step: 1e-10 at the best step of 1e-5.
func TestDerivatives(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	const step = 1e-5
	fractions := []float64{1, 0.9, 0.6, 0.2}
	for _, k := range trains {
		d, up, down := NewDecay(k), NewDecay(k), NewDecay(k)
		check := func(name string, got []float64, width float64) {
			t.Helper()
			for e, v := range got {
				want := (up.Echo[e] - down.Echo[e]) / (2 * width)
				if math.Abs(v-want) > 1e-8*(math.Abs(want)+float64(k.Echoes)) {
					t.Fatalf("%+v, %s, echo %d: %.12g, differences %.12g", k, name, e+1, v, want)
				}
			}
		}
		for range 20 {
			r, c, b1 := (0.02+rng.Float64())/k.Spacing, 0.3-1.3*rng.Float64(), 0.4+0.8*rng.Float64()
			dr := step / k.Spacing
			d.Refocus(r, c)
			up.Refocus(r+dr, c)
			down.Refocus(r-dr, c)
			check("rate", d.ByRate, dr)
			up.Refocus(r, c+step)
			down.Refocus(r, c-step)
			check("cosine", d.ByAngle, step)
			d.Profile(r, b1, fractions)
			up.Profile(r+dr, b1, fractions)
			down.Profile(r-dr, b1, fractions)
			check("rate, profile", d.ByRate, dr)
			up.Profile(r, b1+step, fractions)
			down.Profile(r, b1-step, fractions)
			check("B1, profile", d.ByAngle, step)
		}
	}
}

func TestProfile(t *testing.T) {
	k := Train{7, 10, 1200}
	d := NewDecay(k)
	fractions := []float64{1, 0.95, 0.5}
	for _, b1 := range []float64{0.5, 0.9, 1, 1.15} {
		d.Profile(1./40, b1, fractions)
		want := make([]float64, 7)
		for _, f := range fractions {
			for e, v := range brute(k, 40, b1*f) {
				want[e] += v / 3
			}
		}
		for e, v := range d.Echo {
			if math.Abs(v-want[e]) > 1e-15 {
				t.Errorf("B1 %g, echo %d: %g, want %g", b1, e+1, v, want[e])
			}
		}
	}
}

func TestAllocatesNothing(t *testing.T) {
	k := Train{7, 10, 1200}
	d := NewDecay(k)
	if n := testing.AllocsPerRun(10, func() { d.Profile(1./40, 0.9, []float64{1, 0.8}) }); n != 0 {
		t.Errorf("%g allocations", n)
	}
}

func BenchmarkRefocus(b *testing.B) {
	for _, n := range []int{7, 32} {
		k := Train{n, 10, 1200}
		d := NewDecay(k)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				d.Refocus(1./40, -0.9)
			}
		})
	}
}
