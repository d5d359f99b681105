package compare

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// Permutations are the options of a permutation test. The zero value is the default.
type Permutations struct {
	// Limit is the largest number of arrangements that are all tried. Default: 20000.
	Limit int
	// Draws is the number of random arrangements if there are more. Default: 9999.
	Draws int
	// Seed of the draws.
	Seed uint64
}

// The defaults of Permutations. With 9999 draws, p = 0.05 has a standard error of 0.002.
const (
	DefaultLimit = 20000
	DefaultDraws = 9999
)

// PermutationTest is a test by shuffling arms.
type PermutationTest struct {
	P float64
	// Arrangements is the number of arrangements that were tried; Exact reports that these were all.
	Arrangements int
	Exact        bool
}

// sameStatistic is the difference up to which two squared partial correlations count as equal: sums in
// another order differ by about 1e-14.
const sameStatistic = 1e-10

// Permutation tests the baseline-adjusted difference of arm 1 and the reference by shuffling the arms
// among subjects within strata. The number of each arm in a stratum does not change. The statistic is |t|
// of Ancova, computed for each arrangement: projecting baseline and covariates out of the change, once,
// and out of each arrangement of arms results in the t of the whole model (Frisch, Waugh and Lovell).
// Changes, baselines and covariates stay with their subject. Residuals are not exchanged, unlike in
// Freedman and Lane's method, which is approximate.
//
// If arms were assigned at random within strata, and neither changes nor missingness depend on the arm,
// all arrangements are equally likely. Then p ≤ α has a probability of at most α, whether the linear
// model is true or not. If arms were assigned in blocks, this requires blocks as strata, or changes that
// do not depend on the order of entry.
//
// If there are at most Limit arrangements, p is the proportion of all arrangements with at least the
// observed |t|. Otherwise it is (1 + b)/(1 + B), where b of B drawn arrangements have at least the
// observed |t|; the same bound holds (Phipson and Smyth 2010, doi:10.2202/1544-6115.1585). An arrangement
// that the covariates determine has no t and counts as larger. The result does not depend on the order
// of rows or the numbers of strata.
//
// The errors are those of Ancova of the two arms, except that the arms may explain the whole change. It is
// also an error if the strata allow only one arrangement.
func Permutation(s Subjects, p Permutations) (PermutationTest, error) {
	none := PermutationTest{P: nan}
	p.Limit, p.Draws = cmp.Or(p.Limit, DefaultLimit), cmp.Or(p.Draws, DefaultDraws)
	if p.Limit < 0 || p.Draws < 0 {
		return none, fmt.Errorf("limit %d or draws %d is negative", p.Limit, p.Draws)
	}
	if err := s.checkTwoArms(); err != nil {
		return none, err
	}
	g, err := newShuffle(s)
	if err != nil {
		return none, err
	}
	observed := g.statistic() - sameStatistic
	if math.IsInf(observed, 1) {
		return none, rankError("arm")
	}
	if all := g.arrangements(float64(p.Limit)); all <= float64(p.Limit) {
		if all == 1 {
			return none, errors.New("the strata allow no other arrangement of the arms")
		}
		n, atLeast := 0, 0
		for g.first(); ; {
			n++
			if g.statistic() >= observed {
				atLeast++
			}
			if !g.next() {
				break
			}
		}
		return PermutationTest{P: float64(atLeast) / float64(n), Arrangements: n, Exact: true}, nil
	}
	atLeast := 0
	// The second word of the generator's state is an arbitrary constant.
	random := rand.New(rand.NewPCG(p.Seed, 0x9e3779b97f4a7c15))
	for range p.Draws {
		g.draw(random)
		if g.statistic() >= observed {
			atLeast++
		}
	}
	return PermutationTest{P: float64(1+atLeast) / float64(1+p.Draws), Arrangements: p.Draws}, nil
}

// checkTwoArms returns an error unless the columns are valid and both arms have subjects.
func (s Subjects) checkTwoArms() error {
	if err := s.check(); err != nil {
		return err
	}
	var count [2]int
	for _, a := range s.Arm {
		if a > 1 {
			return fmt.Errorf("arm %d of 2", a)
		}
		count[a]++
	}
	if count[0] == 0 || count[1] == 0 {
		return fmt.Errorf("%d of the arm and %d of the reference have a change: nothing to compare", count[1], count[0])
	}
	return nil
}

// shuffle is an arrangement of arms among the subjects, with the data of its statistic.
type shuffle struct {
	// strata has the end of each stratum in the canonical order of the subjects, and chosen its subjects
	// of arm 1, ascending.
	strata []int
	chosen [][]int
	// residual is the residual of the change given baseline and covariates, scaled to length 1.
	residual []float64
	// basis is an orthonormal basis of intercept, baseline and covariates, subject by subject.
	basis [][]float64

	sums []float64
}

func newShuffle(s Subjects) (*shuffle, error) {
	order, strata := s.canonical()
	g := &shuffle{strata: strata, chosen: make([][]int, len(strata))}
	start := 0
	for k, end := range strata {
		for i := start; i < end; i++ {
			if s.Arm[order[i]] == 1 {
				g.chosen[k] = append(g.chosen[k], i)
			}
		}
		start = end
	}
	columns, names := s.reordered(order).adjustment()
	if len(order) <= len(columns)+1 {
		return nil, fmt.Errorf("%d subjects for %d parameters: too few", len(order), len(columns)+1)
	}
	q, _, err := decompose(columns, names)
	if err != nil {
		return nil, err
	}
	g.residual = make([]float64, len(order))
	for i, o := range order {
		g.residual[i] = s.Change[o]
		g.basis = append(g.basis, mat.Row(nil, i, q))
	}
	// The second pass removes the rounding error of the first.
	for range 2 {
		for j := range columns {
			c := mat.Col(nil, j, q)
			floats.AddScaled(g.residual, -floats.Dot(c, g.residual), c)
		}
	}
	norm := floats.Norm(g.residual, 2)
	if norm*norm <= perfectFit*floats.Dot(s.Change, s.Change) {
		return nil, errPerfect
	}
	floats.Scale(1/norm, g.residual)
	g.sums = make([]float64, len(columns))
	return g, nil
}

// canonical returns an order of the subjects, stratum by stratum, that depends only on their data without
// the arm, and the end of each stratum.
func (s Subjects) canonical() (order, ends []int) {
	byData := func(a, b int) int {
		c := cmp.Compare(s.Change[a], s.Change[b])
		if s.Baseline != nil {
			c = cmp.Or(c, cmp.Compare(s.Baseline[a], s.Baseline[b]))
		}
		for _, x := range s.Covariates {
			c = cmp.Or(c, cmp.Compare(x[a], x[b]))
		}
		return c
	}
	members := map[int][]int{}
	for i := range s.Change {
		k := 0
		if s.Stratum != nil {
			k = s.Stratum[i]
		}
		members[k] = append(members[k], i)
	}
	var strata [][]int
	for _, m := range members {
		slices.SortFunc(m, byData)
		strata = append(strata, m)
	}
	// Strata with the same data may differ in the number of subjects of arm 1.
	slices.SortFunc(strata, func(a, b []int) int {
		return cmp.Or(slices.CompareFunc(a, b, byData), cmp.Compare(s.treated(a), s.treated(b)))
	})
	for _, m := range strata {
		order = append(order, m...)
		ends = append(ends, len(order))
	}
	return order, ends
}

// treated counts the members of arm 1.
func (s Subjects) treated(members []int) int {
	n := 0
	for _, i := range members {
		n += s.Arm[i]
	}
	return n
}

// reordered returns the columns of the adjustment in another order.
func (s Subjects) reordered(order []int) Subjects {
	pick := func(x []float64) []float64 {
		if x == nil {
			return nil
		}
		out := make([]float64, len(order))
		for i, o := range order {
			out[i] = x[o]
		}
		return out
	}
	out := Subjects{Change: pick(s.Change), Baseline: pick(s.Baseline)}
	for _, c := range s.Covariates {
		out.Covariates = append(out.Covariates, pick(c))
	}
	return out
}

// arrangements returns the number of arrangements, or a number above limit.
func (g *shuffle) arrangements(limit float64) float64 {
	all, start := 1.0, 0
	for k, end := range g.strata {
		n, m := end-start, len(g.chosen[k])
		ways := 1.0
		for i := range min(m, n-m) { // ways increases up to here
			// The division is exact below limit: i + 1 divides the product.
			if ways = ways * float64(n-i) / float64(i+1); ways > limit {
				break
			}
		}
		if all *= ways; all > limit {
			break
		}
		start = end
	}
	return all
}

// first sets the first arrangement of next.
func (g *shuffle) first() {
	start := 0
	for k, end := range g.strata {
		for i := range g.chosen[k] {
			g.chosen[k][i] = start + i
		}
		start = end
	}
}

// next sets the next arrangement. After the last it returns false and sets the first.
func (g *shuffle) next() bool {
	start := 0
	for k, end := range g.strata {
		c := g.chosen[k]
		for i := len(c) - 1; i >= 0; i-- {
			if c[i] < end-len(c)+i {
				c[i]++
				for j := i + 1; j < len(c); j++ {
					c[j] = c[j-1] + 1
				}
				return true
			}
		}
		for i := range c {
			c[i] = start + i
		}
		start = end
	}
	return false
}

// draw sets a random arrangement, each with the same probability (Floyd's sample: Bentley and Floyd
// 1987).
func (g *shuffle) draw(random *rand.Rand) {
	start := 0
	for k, end := range g.strata {
		c := g.chosen[k][:0]
		for j := end - len(g.chosen[k]); j < end; j++ {
			pick := start + random.IntN(j-start+1)
			if slices.Contains(c, pick) {
				pick = j
			}
			c = append(c, pick)
		}
		start = end
	}
}

// statistic returns the squared partial correlation r² of change and arm, given baseline and
// covariates, which increases with |t|: t² = df·r²/(1 − r²). It is +Inf if these determine the arms.
func (g *shuffle) statistic() float64 {
	clear(g.sums)
	n, product := 0, 0.0
	for _, c := range g.chosen {
		n += len(c)
		for _, i := range c {
			product += g.residual[i]
			floats.Add(g.sums, g.basis[i])
		}
	}
	remaining := float64(n) - floats.Dot(g.sums, g.sums)
	if remaining <= rankTolerance*rankTolerance*float64(n) {
		return math.Inf(1)
	}
	return product * product / remaining
}
