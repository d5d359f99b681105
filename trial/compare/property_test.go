package compare

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/floats/scalar"
	"gonum.org/v1/gonum/stat/combin"
)

// normals returns n numbers with those decimals.
func normals(r *rand.Rand, n int, decimals int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = scalar.Round(r.NormFloat64(), decimals)
	}
	return x
}

// TestSubsetSums compares with counting the subsets one by one.
func TestSubsetSums(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for n := 1; n <= 9; n++ {
		for m := 0; m <= n; m++ {
			ranks, _ := doubledMidranks(normals(r, n, 0))
			want := make([]float64, len(subsetSums(ranks, m)))
			for _, c := range combin.Combinations(n, m) {
				sum := 0
				for _, i := range c {
					sum += ranks[i]
				}
				want[sum]++
			}
			if got := subsetSums(ranks, m); !slices.Equal(got, want) {
				t.Errorf("%d of %v: %v, want %v", m, ranks, got, want)
			}
		}
	}
}

// TestKthDifference compares with sorting all differences.
func TestKthDifference(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 1))
	for range 50 {
		x, y := normals(r, 1+r.IntN(9), 1), normals(r, 1+r.IntN(9), 1)
		slices.Sort(x)
		slices.Sort(y)
		var all []float64
		for _, a := range x {
			for _, b := range y {
				all = append(all, a-b)
			}
		}
		slices.Sort(all)
		for k := range all {
			if got := kthDifference(x, y, k+1); got != all[k] {
				t.Fatalf("difference %d of %v − %v: %g, want %g", k+1, x, y, got, all[k])
			}
		}
	}
}

// TestSwapped: swapping the samples changes the sign and nothing else.
func TestSwapped(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	for _, n := range [][2]int{{4, 7}, {12, 12}, {30, 60}} {
		for _, decimals := range []int{0, 9} {
			x, y := normals(r, n[0], decimals), normals(r, n[1], decimals)
			a, _ := Welch(x, y, 0.9)
			b, _ := Welch(y, x, 0.9)
			if a.P != b.P || a.Value != -b.Value || a.Low != -b.High {
				t.Errorf("Welch: %+v and %+v", a, b)
			}
			c, _ := Wilcoxon(x, y, 0.9)
			d, _ := Wilcoxon(y, x, 0.9)
			if math.Abs(c.P-d.P) > 1e-12 || c.Shift.Estimate != -d.Shift.Estimate || c.Shift.Low != -d.Shift.High ||
				c.U+d.U != float64(n[0]*n[1]) {
				t.Errorf("Wilcoxon: %+v and %+v", c, d)
			}
			e, _ := HedgesG(x, y, 0.9)
			f, _ := HedgesG(y, x, 0.9)
			if e.Estimate != -f.Estimate || math.Abs(e.Low+f.High) > 1e-12 {
				t.Errorf("HedgesG: %+v and %+v", e, f)
			}
		}
	}
}

// trial returns n subjects with arms, baselines and a covariate of two values.
func trial(r *rand.Rand, n, strata, decimals int) Subjects {
	s := Subjects{Change: normals(r, n, decimals), Baseline: normals(r, n, decimals),
		Covariates: [][]float64{normals(r, n, decimals)}}
	for i := range n {
		s.Arm = append(s.Arm, i%2)
		s.Stratum = append(s.Stratum, i/2%strata)
	}
	return s
}

// shuffled returns the subjects in another order, and their strata with other numbers.
func (s Subjects) shuffled(r *rand.Rand) Subjects {
	order := r.Perm(len(s.Change))
	out := s.reordered(order)
	for _, o := range order {
		out.Arm = append(out.Arm, s.Arm[o])
		out.Stratum = append(out.Stratum, 100-7*s.Stratum[o])
	}
	return out
}

// TestRowOrder: permutation tests, also with drawn arrangements, do not depend on the order of rows.
func TestRowOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 1))
	for range 20 {
		s := trial(r, 14, 1+r.IntN(3), r.IntN(3))
		for _, options := range []Permutations{{}, {Limit: 1, Draws: 500, Seed: 7}} {
			a, errA := Permutation(s, options)
			b, errB := Permutation(s.shuffled(r), options)
			if errA != nil || errB != nil || a != b {
				t.Errorf("%+v (%v) and %+v (%v)", a, errA, b, errB)
			}
		}
	}
}

// TestPermutationMatchesAncova: the statistic sorts the arrangements as |t| of Ancova does.
func TestPermutationMatchesAncova(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 1))
	s := trial(r, 10, 1, 9)
	observed, err := Ancova(s, 2, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	n, atLeast := 0, 0
	for _, c := range combin.Combinations(10, 5) {
		other := s
		other.Arm = make([]int, 10)
		for _, i := range c {
			other.Arm[i] = 1
		}
		e, err := Ancova(other, 2, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		n++
		if math.Abs(e[0].T) >= math.Abs(observed[0].T)*(1-1e-9) {
			atLeast++
		}
	}
	got, err := Permutation(s, Permutations{})
	if want := float64(atLeast) / float64(n); err != nil || got.P != want || got.Arrangements != n || !got.Exact {
		t.Errorf("%+v, %v; want %g of %d", got, err, want, n)
	}
}

// TestPermutationSize: of all arrangements of a trial, which are equally likely under randomisation, at
// most a proportion α has p ≤ α, for every α, with and without ties and strata.
func TestPermutationSize(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 1))
	for _, decimals := range []int{0, 9} {
		s := trial(r, 8, 2, decimals) // two strata of 2 and 2
		s.Covariates = nil
		var ps []float64
		g, err := newShuffle(s)
		if err != nil {
			t.Fatal(err)
		}
		order, _ := s.canonical()
		for g.first(); ; {
			other := s
			other.Arm = make([]int, len(s.Arm))
			for _, c := range g.chosen {
				for _, i := range c {
					other.Arm[order[i]] = 1
				}
			}
			p, err := Permutation(other, Permutations{})
			if err != nil {
				t.Fatal(err)
			}
			ps = append(ps, p.P)
			if !g.next() {
				break
			}
		}
		slices.Sort(ps)
		if len(ps) != 36 {
			t.Fatalf("%d arrangements", len(ps))
		}
		for i, p := range ps {
			if part := float64(i+1) / float64(len(ps)); part > p+1e-12 && (i+1 == len(ps) || ps[i+1] > p) {
				t.Errorf("P ≤ %g in %g of all", p, part)
			}
		}
	}
}

// TestDrawnAgreesWithAll: drawn arrangements agree with all, within five standard errors.
func TestDrawnAgreesWithAll(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 1))
	for range 5 {
		s := trial(r, 16, 2, 9)
		all, err := Permutation(s, Permutations{})
		if err != nil || !all.Exact || all.Arrangements != 70*70 {
			t.Fatalf("%+v, %v", all, err)
		}
		drawn, err := Permutation(s, Permutations{Limit: 10, Seed: r.Uint64()})
		if se := math.Sqrt(all.P * (1 - all.P) / DefaultDraws); err != nil || drawn.Exact ||
			drawn.Arrangements != DefaultDraws || math.Abs(drawn.P-all.P) > 5*se+1e-3 {
			t.Errorf("%+v, drawn %+v, %v", all, drawn, err)
		}
	}
}

// TestArrangements checks the number of arrangements, up to the limit.
func TestArrangements(t *testing.T) {
	for _, c := range []struct {
		n, m int
		want float64
	}{{12, 6, 924}, {100, 99, 100}, {16, 8, 12870}, {18, 9, math.Inf(1)}, {5, 0, 1}, {5, 5, 1}} {
		g := &shuffle{strata: []int{c.n}, chosen: [][]int{make([]int, c.m)}}
		if got := g.arrangements(20000); got != c.want && !(c.want > 20000 && got > 20000) {
			t.Errorf("%d of %d: %g, want %g", c.m, c.n, got, c.want)
		}
	}
}

// TestDrawIsUniform: each of the ten arrangements of 2 of 5 is drawn in a tenth of the cases, within five
// standard errors.
func TestDrawIsUniform(t *testing.T) {
	g := &shuffle{strata: []int{5}, chosen: [][]int{{0, 1}}}
	r := rand.New(rand.NewPCG(8, 1))
	const draws = 20000
	seen := map[[2]int]int{}
	for range draws {
		g.draw(r)
		c := g.chosen[0]
		seen[[2]int{min(c[0], c[1]), max(c[0], c[1])}]++
	}
	if len(seen) != 10 {
		t.Fatalf("%d arrangements", len(seen))
	}
	for c, n := range seen {
		if math.Abs(float64(n)-draws/10) > 5*math.Sqrt(draws*0.09) {
			t.Errorf("%v: %d of %d", c, n, draws)
		}
	}
}

// TestNoncentralT compares with the central t at δ = 0, and with the limit of large t.
func TestNoncentralT(t *testing.T) {
	for _, df := range []float64{2, 3, 7.5, 22, 200, 1e5} {
		for _, x := range []float64{0, 1e-6, 0.3, 1, 2, 5, 30} {
			want := 1 - tTwoSided(x, df)/2
			if got := noncentralT(x, df, 0); math.Abs(got-want) > max(1e-12, df*1e-15) {
				t.Errorf("P(T ≤ %g), %g degrees of freedom: %.15g, want %.15g", x, df, got, want)
			}
		}
	}
	// A pair of samples that hardly vary: the interval is g's to the χ² of the variance.
	i, err := HedgesG([]float64{1, 1 + 1e-9, 1, 1}, []float64{0, 1e-9, 0, 0}, 0.95)
	if err != nil || !(i.Low > 0.3*i.Estimate && i.High > i.Estimate && i.High < 3*i.Estimate) {
		t.Errorf("%+v, %v", i, err)
	}
}

// TestWilcoxonCovers: the interval covers the shift at least as often as its level, with and without ties;
// 400 trials, three standard errors.
func TestWilcoxonCovers(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 1))
	for _, decimals := range []int{0, 9} {
		covered := 0
		for range 400 {
			i, err := Wilcoxon(normals(r, 7, decimals), normals(r, 9, decimals), 0.95)
			if err != nil {
				t.Fatal(err)
			}
			if i.Shift.Low <= 0 && i.Shift.High >= 0 {
				covered++
			}
		}
		if covered < 367 { // 0.95·400 − 3·√(0.95·0.05·400)
			t.Errorf("%d decimals: %d of 400", decimals, covered)
		}
	}
}
