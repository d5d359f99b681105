package compare

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
)

// sameProbability is the factor up to which two probabilities count as equal, as in R's fisher.test.
const sameProbability = 1 + 1e-7

// FisherExact returns p of Fisher's exact test of the table
//
//	        yes  no
//	arm       a   b
//	reference c   d
//
// The test is two-sided: p is the sum over all tables with these margins that are not more probable
// than this one, as in R's fisher.test. It is 1 if everybody or nobody is in the column yes. It is an
// error if a row is empty or a count is negative.
func FisherExact(a, b, c, d int) (float64, error) {
	switch {
	case min(a, b, c, d) < 0:
		return nan, fmt.Errorf("a count of %d, %d, %d, %d is negative", a, b, c, d)
	case a+b == 0 || c+d == 0:
		return nan, errors.New("an arm is empty")
	}
	yes, arm, all := a+c, a+b, a+b+c+d
	low, high := max(0, yes-(c+d)), min(yes, arm)
	// Logarithms relative to the most probable table do not underflow.
	logs := make([]float64, high-low+1)
	for i := range logs {
		k := low + i
		logs[i] = logChoose(arm, k) + logChoose(all-arm, yes-k)
	}
	top := slices.Max(logs)
	observed := math.Exp(logs[a-low]-top) * sameProbability
	var sum, tail float64
	for _, l := range logs {
		p := math.Exp(l - top)
		sum += p
		if p <= observed {
			tail += p
		}
	}
	return min(tail/sum, 1), nil
}

func logChoose(n, k int) float64 {
	return -math.Log(float64(n+1)) - mathext.Lbeta(float64(n-k+1), float64(k+1))
}

// ClopperPearson returns the proportion k/n with its exact interval, as in R's binom.test (Clopper and
// Pearson 1934, doi:10.1093/biomet/26.4.404): P(X ≥ k) at the lower limit and P(X ≤ k) at the upper
// limit are (1 − level)/2. It is an error if n is 0 or k is not in [0, n].
func ClopperPearson(k, n int, level float64) (Interval, error) {
	if err := checkLevel(level); err != nil {
		return noInterval, err
	}
	if n <= 0 || k < 0 || k > n {
		return noInterval, fmt.Errorf("%d of %d is not a proportion", k, n)
	}
	alpha := (1 - level) / 2
	// P(X ≥ k) is the distribution function of Beta(k, n − k + 1) at the proportion.
	i := Interval{Estimate: float64(k) / float64(n), Low: 0, High: 1}
	if k > 0 {
		i.Low = bisect(0, 1, func(p float64) bool { return mathext.RegIncBeta(float64(k), float64(n-k+1), p) < alpha })
	}
	if k < n {
		i.High = bisect(0, 1, func(p float64) bool {
			return mathext.RegIncBeta(float64(k+1), float64(n-k), p) < 1-alpha
		})
	}
	return i, nil
}

// Holm returns p values adjusted for their number by Holm's step-down method (1979), as in R's
// p.adjust: the i-th smallest of m values is multiplied by m − i + 1, and is at least the adjusted value
// before it and at most 1. NaN stays NaN but counts as 1: a planned test that could not be computed does not make
// the others more significant.
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range p {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(-p[b], -p[a]), a-b) // NaN is less than all others for cmp.Compare, and last here
	})
	out := make([]float64, len(p))
	least := 0.0
	for i, o := range order {
		if out[o] = nan; !math.IsNaN(p[o]) {
			least = max(least, min(p[o]*float64(len(p)-i), 1))
			out[o] = least
		}
	}
	return out
}
