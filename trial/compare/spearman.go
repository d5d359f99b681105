package compare

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// spearmanExact is the largest number of pairs for which P of Spearman's correlation is computed from
// all orders: 9! = 362,880, as in R's cor.test.
const spearmanExact = 9

// Correlation is a correlation with its test against 0.
type Correlation struct {
	Rho Interval
	P   float64
	// Exact reports that P is exact, given the ties; otherwise it is that of t.
	Exact bool
}

// Spearman returns the correlation of the midranks of the pairs of x and y.
//
// For up to 9 pairs, with or without ties, p is the proportion of all orders of y in which |ρ| is at
// least as large. For more pairs it is that of t = ρ·√((n − 2)/(1 − ρ²)) with n − 2 degrees of freedom, as
// in R's cor.test with exact = FALSE. The interval is tanh(atanh ρ ± z·√((1 + ρ²/2)/(n − 3))) (Bonett and
// Wright 2000, doi:10.1007/BF02294183).
//
// Fewer than two pairs, or values that do not vary, have no correlation. Fewer than four pairs, or
// ρ = ±1, for which the formula of the variance does not hold, have no interval.
func Spearman(x, y []float64, level float64) (Correlation, error) {
	c, err := checkPairs(x, y, level)
	if err != nil {
		return c, err
	}
	n := len(x)
	if n < 2 {
		return c, fmt.Errorf("fewer than two pairs (%d): no correlation", n)
	}
	a, b := centredRanks(x), centredRanks(y)
	ab, aa, bb := floats.Dot(a, b), floats.Dot(a, a), floats.Dot(b, b)
	if aa == 0 || bb == 0 {
		return c, errConstant
	}
	rho := ab / math.Sqrt(aa*bb)
	perfect := aa == bb && math.Abs(ab) == aa
	if perfect {
		rho = math.Copysign(1, ab)
	}
	c.Rho.Estimate = rho
	if n <= spearmanExact {
		c.P, c.Exact = partOfOrders(a, b, make([]int, n)), true
	}
	err = c.approximate(float64(n-2), perfect, level, fmt.Sprintf("%d pairs", n))
	return c, err
}

// checkPairs returns a correlation that does not exist, and an error unless pairs and level are valid.
func checkPairs(x, y []float64, level float64) (Correlation, error) {
	c := Correlation{Rho: noInterval, P: nan}
	if len(x) != len(y) {
		return c, fmt.Errorf("%d values, but %d of the other", len(x), len(y))
	}
	return c, errors.Join(checkFinite("first of the pairs", x), checkFinite("second of the pairs", y), checkLevel(level))
}

// approximate fills in p, unless it is exact, from t with df degrees of freedom, and the interval. It returns an
// error that names the pairs if the interval does not exist.
func (c *Correlation) approximate(df float64, perfect bool, level float64, pairs string) error {
	rho := c.Rho.Estimate
	switch {
	case c.Exact:
	case perfect:
		c.P = 0 // t is infinite; as in cor.test
	default:
		c.P = tTwoSided(rho*math.Sqrt(df/((1-rho)*(1+rho))), df)
	}
	switch {
	case df < 2:
		return errors.New(pairs + ": no interval")
	case perfect:
		return errors.New("the ranks agree in full: no interval")
	}
	half := normalQuantile(level) * math.Sqrt((1+rho*rho/2)/(df-1))
	c.Rho.Low, c.Rho.High = math.Tanh(math.Atanh(rho)-half), math.Tanh(math.Atanh(rho)+half)
	return nil
}

// SpearmanWithin returns the partial rank correlation of pairs given the group of each: the correlation
// of the midranks of x and y minus their means in the group. Differences between groups do not
// contribute. group counts from 0.
//
// For up to 9 pairs, p is the proportion of all orders of y within groups in which |ρ| is at least as
// large. For more pairs in g groups it is that of t = ρ·√((n − 1 − g)/(1 − ρ²)) with n − 1 − g degrees of
// freedom. The interval is that of Spearman with n − 2 − g instead of n − 3: each group takes a degree of
// freedom, as another variable does. With one group it is Spearman's correlation.
//
// Too few pairs, or values that do not vary within groups, are an error, and the result is NaN.
func SpearmanWithin(x, y []float64, group []int, level float64) (Correlation, error) {
	c, err := checkPairs(x, y, level)
	if err != nil {
		return c, err
	}
	if len(x) != len(group) {
		return c, fmt.Errorf("%d pairs, but %d groups", len(x), len(group))
	}
	counts := map[int]int{}
	for _, g := range group {
		counts[g]++
	}
	a, b := withinRanks(x, group, counts), withinRanks(y, group, counts)
	df := len(x) - 1 - len(counts)
	if df < 1 {
		return c, fmt.Errorf("%d pairs in %d groups are too few for a correlation", len(x), len(counts))
	}
	length := floats.Norm(a, 2) * floats.Norm(b, 2)
	if length <= rankTolerance {
		return c, errConstant
	}
	rho := max(-1, min(1, floats.Dot(a, b)/length))
	c.Rho.Estimate = rho
	perfect := 1-math.Abs(rho) < rankTolerance*rankTolerance
	if len(x) <= spearmanExact {
		c.P, c.Exact = partOfOrders(a, b, group), true
	}
	err = c.approximate(float64(df), perfect, level, fmt.Sprintf("%d pairs in %d groups", len(x), len(counts)))
	return c, err
}

// partOfOrders returns the proportion of all orders of b within groups in which |Σ aᵢbᵢ| is at least
// that of the given order.
func partOfOrders(a, b []float64, group []int) float64 {
	order := make([]int, len(a))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return group[i] - group[j] })
	x, y := make([]float64, len(a)), make([]float64, len(a))
	end := make([]int, len(a)) // of the group of each pair
	for k, i := range order {
		x[k], y[k] = a[i], b[i]
	}
	for k := len(order) - 1; k >= 0; k-- {
		if end[k] = k + 1; k+1 < len(order) && group[order[k]] == group[order[k+1]] {
			end[k] = end[k+1]
		}
	}
	observed := math.Abs(floats.Dot(x, y)) * (1 - rankTolerance)
	all, atLeast := 0, 0
	var place func(k int, sum float64)
	place = func(k int, sum float64) {
		for ; k < len(x) && end[k] == k+1; k++ { // the last of a group
			sum += x[k] * y[k]
		}
		if k == len(x) {
			all++
			if math.Abs(sum) >= observed {
				atLeast++
			}
			return
		}
		for j := k; j < end[k]; j++ {
			y[k], y[j] = y[j], y[k]
			place(k+1, sum+x[k]*y[k])
			y[k], y[j] = y[j], y[k]
		}
	}
	place(0, 0)
	return float64(atLeast) / float64(all)
}

// centredRanks returns the doubled midranks minus their mean, n + 1: integers, whose sums of products are exact.
func centredRanks(x []float64) []float64 {
	doubled, _ := doubledMidranks(x)
	out := make([]float64, len(x))
	for i, r := range doubled {
		out[i] = float64(r - len(x) - 1)
	}
	return out
}

// withinRanks returns the doubled midranks minus their mean in the group.
func withinRanks(x []float64, group []int, counts map[int]int) []float64 {
	doubled, _ := doubledMidranks(x)
	mean := map[int]float64{}
	for i, r := range doubled {
		mean[group[i]] += float64(r) / float64(counts[group[i]])
	}
	out := make([]float64, len(x))
	for i, r := range doubled {
		out[i] = float64(r) - mean[group[i]]
	}
	return out
}

// normalQuantile returns the z that |Z| exceeds with probability 1 − level.
func normalQuantile(level float64) float64 {
	return math.Sqrt2 * math.Erfinv(level)
}
