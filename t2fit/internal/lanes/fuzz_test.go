package lanes

import (
	"math"
	"math/rand/v2"
	"testing"
)

// hostile returns an unusual number that a series may hold.
func hostile(rng *rand.Rand) float64 {
	switch rng.IntN(12) {
	case 0:
		return 0
	case 1:
		return math.Copysign(0, -1)
	case 2, 3:
		return float64(float32(math.Copysign(math.Pow(10, 76*rng.Float64()-38), rng.Float64()-0.5)))
	case 4:
		return math.SmallestNonzeroFloat32
	case 5:
		return math.MaxFloat32
	case 6:
		return float64(rng.IntN(3))
	default:
		return 1000 * rng.Float64()
	}
}

// FuzzSameBits checks that assembly and Go return the same bits for blocks of unusual numbers, with
// any number of echoes and decays.
func FuzzSameBits(f *testing.F) {
	f.Add(uint64(1), uint8(6), uint8(100), 10.0, 0.0)
	f.Add(uint64(2), uint8(70), uint8(3), 0.01, 5.0)
	f.Fuzz(func(t *testing.T, seed uint64, size, decays uint8, step, floor float64) {
		if !Vectors() || !(step > 1e-3 && step < 1e4) {
			t.Skip()
		}
		rng := rand.New(rand.NewPCG(seed, 8))
		echoes, n := 3+int(size)%70, 1+int(decays)%Width
		y := make([]float64, echoes*Width)
		for i := range y {
			y[i] = hostile(rng)
		}
		k := Train{TE0: 3 * step * rng.Float64(), Step: step, T: make([]float64, echoes)}
		for e := range k.T {
			k.T[e] = step * float64(e)
		}
		var two [2]everything
		way := 0
		inGoAndAssembly(t, func() {
			two[way].compute(y, k, floor, n)
			way++
		})
		two[0].compare(t, &two[1], n)
	})
}

// everything holds the results of all functions for a block.
type everything struct {
	sums, lines [2]Sums
	minima      Minima
	curves      [3]Curves
	short       Shorts
}

func (r *everything) compute(y []float64, k Train, floor float64, n int) {
	Sum(y, k.T, floor, n, &r.sums[0])
	a := Brackets{Start: r.sums[0].Start}
	for i := range a.Hi {
		a.Hi[i] = 1
	}
	Solve(y, len(k.T), n, &a, &r.minima)
	Finish(k, n, &r.minima, &r.curves[0])
	LogLine(y, k, floor, true, n, &r.lines[0], &r.curves[1])
	LogLine(y, k, floor, false, n, &r.lines[1], &r.curves[2])
	Narrow(&r.curves[1], &r.sums[0].Total, Limits{0, 100, 0.5}, n, &r.short)
}

func (r *everything) compare(t *testing.T, o *everything, n int) {
	t.Helper()
	compare(t, "total", r.sums[0].Total[:n], o.sums[0].Total[:n])
	compare(t, "start", r.sums[0].Start[:n], o.sums[0].Start[:n])
	compare(t, "line", r.sums[0].Line[:n], o.sums[0].Line[:n])
	compare(t, "residual", r.minima.RSS[:n], o.minima.RSS[:n])
	for c := range r.curves {
		for i := range n {
			if c == 0 && math.IsInf(r.minima.RSS[i], 1) {
				continue // no minimum was found
			}
			a, b := &r.curves[c], &o.curves[c]
			compare(
				t, "curve", []float64{a.T2[i], a.S0[i], a.SE[i], a.RSS[i]},
				[]float64{b.T2[i], b.S0[i], b.SE[i], b.RSS[i]},
			)
		}
	}
	for i := range n {
		if (r.short.Sound[i/4]^o.short.Sound[i/4])>>(i%4)&1 != 0 {
			t.Errorf("decay %d is sound in Go or in assembly, but not in both", i)
		}
	}
}
