package lanes

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// blockOf returns a block of n decays of many kinds, at times 0, 1, 2 …
func blockOf(echoes, n int, seed uint64) []float64 {
	rng := rand.New(rand.NewPCG(seed, 1))
	y := make([]float64, echoes*Width)
	for i := range n {
		rate, s0, noise := math.Exp(1.5*rng.NormFloat64()-1), 1000*rng.Float64(), 30*rng.Float64()
		kind := rng.IntN(8)
		for e := range echoes {
			v := math.Hypot(s0*math.Exp(-rate*float64(e))+noise*rng.NormFloat64(), noise*rng.NormFloat64())
			switch kind {
			case 0:
				v = noise * rng.NormFloat64()
			case 1:
				v = math.Round(v / 40)
			case 2:
				v = s0
			case 3:
				v *= float64(e)
			}
			y[e*Width+i] = v
		}
	}
	return y
}

// inGoAndAssembly runs f with the functions in Go and then with those in assembly.
func inGoAndAssembly(t *testing.T, f func()) {
	t.Helper()
	if !Vectors() {
		t.Skip("this processor has no AVX2 with FMA")
	}
	setVectors(false)
	f()
	setVectors(true)
	f()
}

func same(a, b []float64) (int, bool) {
	for i := range a {
		if math.Float64bits(a[i]) != math.Float64bits(b[i]) && !(a[i] != a[i] && b[i] != b[i]) {
			return i, false
		}
	}
	return 0, true
}

// compare reports an error if two columns differ in a bit. NaN is equal to NaN.
func compare(t *testing.T, name string, a, b []float64) {
	t.Helper()
	if i, ok := same(a, b); !ok {
		t.Errorf("%s of decay %d: in Go %x (%g), in assembly %x (%g)", name, i, a[i], a[i], b[i], b[i])
	}
}

var trains = []int{3, 4, 5, 6, 7, 8, 31, 32, 40, 60, 61}

func TestSameBits(t *testing.T) {
	for _, echoes := range trains {
		for _, n := range []int{1, 3, 4, 101, Width} {
			t.Run(fmt.Sprintf("%d echoes, %d decays", echoes, n), func(t *testing.T) {
				sameBits(t, echoes, n)
			})
		}
	}
}

// results are those of every function for one block, in Go and in assembly.
type results struct {
	sums, weighted, plain               [2]Sums // of Sum and of LogLine
	minima                              [2]Minima
	curves, weightedCurves, plainCurves [2]Curves
	short                               [2]Shorts
	wide                                [2][]float64
	below                               [2][Width]uint64
}

func sameBits(t *testing.T, echoes, n int) {
	y, k := blockOf(echoes, n, uint64(echoes*1000+n)), Train{TE0: 20, Step: 10, T: make([]float64, echoes)}
	for e := range k.T {
		k.T[e] = 10 * float64(e)
	}
	rng := rand.New(rand.NewPCG(9, 9))
	phi := make([][]float64, 28)
	for r := range phi {
		phi[r] = make([]float64, echoes)
		for e := range phi[r] {
			phi[r][e] = rng.NormFloat64()
		}
	}
	r := new(results)
	way := 0
	inGoAndAssembly(t, func() {
		Sum(y, k.T, 5, n, &r.sums[way])
		a := Brackets{Start: r.sums[way].Start}
		for i := range a.Hi {
			a.Hi[i] = 1
		}
		Solve(y, echoes, n, &a, &r.minima[way])
		Finish(k, n, &r.minima[way], &r.curves[way])
		LogLine(y, k, 5, true, n, &r.weighted[way], &r.weightedCurves[way])
		Narrow(&r.weightedCurves[way], &r.sums[way].Total, Limits{0, 100, 0.5}, n, &r.short[way])
		r.wide[way] = make([]float64, n)
		Widen(r.wide[way], r.short[way].T2[:n])
		LogLine(y, k, 5, false, n, &r.plain[way], &r.plainCurves[way])
		Signs(y, Weights(phi), echoes, n, &r.below[way])
		way++
	})
	r.compareSums(t, n)
	r.compareCurves(t, n)
	compare(t, "widened", r.wide[0], r.wide[1])
	for i := range n {
		if r.below[0][i] != r.below[1][i] {
			t.Errorf("signs of decay %d: in Go %b, in assembly %b", i, r.below[0][i], r.below[1][i])
		}
	}
}

func (r *results) compareSums(t *testing.T, n int) {
	t.Helper()
	for name, field := range map[string]func(*Sums) []float64{
		"sum":     func(s *Sums) []float64 { return s.Sum[:n] },
		"squares": func(s *Sums) []float64 { return s.Squares[:n] },
		"total":   func(s *Sums) []float64 { return s.Total[:n] },
		"line":    func(s *Sums) []float64 { return s.Line[:n] },
		"start":   func(s *Sums) []float64 { return s.Start[:n] },
		"above":   func(s *Sums) []float64 { return s.Above[:n] },
	} {
		compare(t, name, field(&r.sums[0]), field(&r.sums[1]))
	}
	for _, s := range []*[2]Sums{&r.weighted, &r.plain} {
		compare(t, "line's sum", s[0].Sum[:n], s[1].Sum[:n])
		compare(t, "line's squares", s[0].Squares[:n], s[1].Squares[:n])
		compare(t, "line's total", s[0].Total[:n], s[1].Total[:n])
		compare(t, "line's above", s[0].Above[:n], r.sums[0].Above[:n])
		compare(t, "line's above", s[1].Above[:n], r.sums[0].Above[:n])
	}
}

func (r *results) compareCurves(t *testing.T, n int) {
	t.Helper()
	m := &r.minima
	compare(t, "residual", m[0].RSS[:n], m[1].RSS[:n])
	a, b := &r.short[0], &r.short[1]
	for i := range n {
		found := !math.IsInf(m[0].RSS[i], 1)
		if found {
			compare(t, "minimum", []float64{m[0].A[i], m[0].Ratio[i], m[0].Spread[i]},
				[]float64{m[1].A[i], m[1].Ratio[i], m[1].Spread[i]})
		}
		for name, c := range map[string]*[2]Curves{
			"finish": &r.curves, "weighted line": &r.weightedCurves, "line": &r.plainCurves,
		} {
			if name == "finish" && !found {
				continue
			}
			compare(t, name, []float64{c[0].T2[i], c[0].S0[i], c[0].SE[i], c[0].RSS[i]},
				[]float64{c[1].T2[i], c[1].S0[i], c[1].SE[i], c[1].RSS[i]})
		}
		if a.Sound[i/4]>>(i%4)&1 != b.Sound[i/4]>>(i%4)&1 {
			t.Errorf("decay %d is sound in Go or in assembly, but not in both", i)
		}
		compare(t, "short", []float64{float64(a.T2[i]), float64(a.S0[i]), float64(a.R2[i]), float64(a.SE[i])},
			[]float64{float64(b.T2[i]), float64(b.S0[i]), float64(b.R2[i]), float64(b.SE[i])})
	}
}

// The elementary functions agree with arithmetic of 200 bits. The series of ln converges slowly, so
// that exp is compared with its series and ln with exp.
func TestElementary(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	worst := 0.0
	for range 20000 {
		x := 700 * (2*rng.Float64() - 1)
		if rng.IntN(2) == 0 {
			x /= 500
		}
		want := bigExp(x)
		got := new(big.Float).SetPrec(200).SetFloat64(Exp(x))
		deviation, _ := got.Sub(got, want).Quo(got, want).Float64()
		worst = math.Max(worst, math.Abs(deviation))
	}
	if worst > 4*0x1p-53 {
		t.Errorf("Exp is off by %g, %g × 2⁻⁵³", worst, worst*0x1p53)
	}
	worst = 0
	for range 20000 {
		x := math.Exp(600 * (2*rng.Float64() - 1))
		if rng.IntN(2) == 0 {
			x = 1 + 0.9*(rng.Float64()-0.5)
		}
		l := Log(x)
		// ln x = l + (x/eˡ − 1) to second order.
		q := new(big.Float).SetPrec(200).SetFloat64(x)
		q.Quo(q, bigExp(l)).Sub(q, big.NewFloat(1))
		deviation, _ := q.Float64()
		worst = math.Max(worst, math.Abs(deviation/l))
	}
	if worst > 4*0x1p-53 {
		t.Errorf("Log is off by %g, %g × 2⁻⁵³", worst, worst*0x1p53)
	}
}

// bigExp returns eˣ by the series of x/2¹², squared twelve times.
func bigExp(x float64) *big.Float {
	const halvings = 12
	r := new(big.Float).SetPrec(200).SetFloat64(x)
	r.SetMantExp(r, -halvings)
	sum, term := big.NewFloat(1).SetPrec(200), big.NewFloat(1).SetPrec(200)
	for i := 1; i < 40; i++ {
		term.Mul(term, r).Quo(term, new(big.Float).SetInt64(int64(i)))
		sum.Add(sum, term)
	}
	for range halvings {
		sum.Mul(sum, sum)
	}
	return sum
}

func BenchmarkSolve(b *testing.B) {
	const echoes = 6
	y := make([]float64, echoes*Width)
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range Width {
		t2 := 20 + 60*rng.Float64()
		for e := range echoes {
			y[e*Width+i] = math.Hypot(800*math.Exp(-10*float64(e+2)/t2)+12*rng.NormFloat64(), 12*rng.NormFloat64())
		}
	}
	times := make([]float64, echoes)
	for e := range times {
		times[e] = 10 * float64(e)
	}
	var s Sums
	var m Minima
	var c Curves
	var below [Width]uint64
	a := new(Brackets)
	for i := range a.Hi {
		a.Hi[i] = 1
	}
	weights := make([]float64, 28*echoes)
	ways := []bool{false}
	if Vectors() {
		ways = append(ways, true)
	}
	for _, vector := range ways {
		setVectors(vector)
		for name, f := range map[string]func(){
			"sum":     func() { Sum(y, times, 0, Width, &s) },
			"solve":   func() { a.Start = s.Start; Solve(y, echoes, Width, a, &m) },
			"signs":   func() { Signs(y, weights, echoes, Width, &below) },
			"finish":  func() { Finish(Train{20, 10, times}, Width, &m, &c) },
			"logline": func() { LogLine(y, Train{20, 10, times}, 0, true, Width, &s, &c) },
		} {
			Sum(y, times, 0, Width, &s)
			Solve(y, echoes, Width, a, &m)
			b.Run(fmt.Sprintf("%s/vector=%t", name, vector), func(b *testing.B) {
				for b.Loop() {
					f()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/Width, "ns/decay")
			})
		}
	}
	setVectors(len(ways) == 2)
}
