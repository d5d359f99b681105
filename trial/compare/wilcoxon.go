package compare

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// exactBelow is the size of both samples below which the Wilcoxon test is exact, as in R's wilcox.test.
// Samples of 49 and 49 take about 50 million additions.
const exactBelow = 50

// RankTest is a Wilcoxon–Mann–Whitney test.
type RankTest struct {
	// U counts the pairs in which the value of x is larger, ties half.
	U float64
	P float64
	// Exact reports that P is exact, given the ties; otherwise it is a normal approximation.
	Exact bool
	// Shift is the Hodges–Lehmann estimate of x minus y, the median of the differences of all
	// pairs, with its interval.
	Shift Interval
}

// Wilcoxon compares two samples by the Wilcoxon–Mann–Whitney test of midranks.
//
// If both have fewer than 50 values, p is exact, with or without ties: the proportion of all divisions of
// these midranks between the samples in which U is at least as far from its expectation (Streitberg and
// Röhmel 1986; as in coin and exactRankTests and, without ties, wilcox.test). Otherwise p is the normal
// approximation of R's wilcox.test, with its corrections for ties and continuity.
//
// The limits of the interval are order statistics of the differences of all pairs, from the distribution
// of U without ties (Hollander and Wolfe 1999, 4.3). It is exact if p is; otherwise it uses the normal
// approximation with a correction for continuity. With ties the interval has at least its level: it is
// the limit of the intervals if ties are broken by decreasing random amounts. wilcox.test has the same
// interval if it is exact; otherwise it solves for the shift at which its approximation reaches the
// level, which is another interval.
//
// Samples that are too small for an interval of this level have p but no interval: 3 and 3 values allow
// 90 %. Values that are all equal have only a shift.
func Wilcoxon(x, y []float64, level float64) (RankTest, error) {
	none := RankTest{U: nan, P: nan, Shift: noInterval}
	if err := checkSamples(x, y, level); err != nil {
		return none, err
	}
	x, y = slices.Sorted(slices.Values(x)), slices.Sorted(slices.Values(y))
	r := RankTest{P: nan, Exact: len(x) < exactBelow && len(y) < exactBelow, Shift: noInterval}
	pairs := len(x) * len(y)
	r.Shift.Estimate = (kthDifference(x, y, (pairs+1)/2) + kthDifference(x, y, pairs/2+1)) / 2
	ranks, ties := doubledMidranks(slices.Concat(x, y))
	sum := 0
	for _, d := range ranks[:len(x)] {
		sum += d
	}
	r.U = float64(sum)/2 - float64(len(x)*(len(x)+1))/2
	if ranks[0] == ranks[len(ranks)-1] && x[0] == x[len(x)-1] && y[0] == y[len(y)-1] {
		r.Exact = false
		return r, errConstant
	}
	if r.Exact {
		r.P = exactRankP(ranks, len(x))
	} else {
		r.P = normalRankP(r.U, float64(len(x)), float64(len(y)), ties)
	}
	k := rankOfLimit(len(x), len(y), level, r.Exact)
	if k < 1 {
		return r, fmt.Errorf("%d and %d values are too few for an interval of %g %%", len(x), len(y), 100*level)
	}
	r.Shift.Low, r.Shift.High = kthDifference(x, y, k), kthDifference(x, y, pairs+1-k)
	return r, nil
}

// exactRankP returns the proportion of all subsets of size m of the ranks whose sum is at least as far from
// its expectation as that of the first m.
func exactRankP(ranks []int, m int) float64 {
	n := len(ranks)
	if 2*m > n { // the sum of the others is as far from its expectation
		ranks, m = append(slices.Clone(ranks[m:]), ranks[:m]...), n-m
	}
	observed := 0
	for _, d := range ranks[:m] {
		observed += d
	}
	expected := m * (n + 1) // of doubled ranks, n + 1 on average
	var tail, all float64
	for sum, count := range subsetSums(ranks, m) {
		all += count
		if abs(sum-expected) >= abs(observed-expected) {
			tail += count
		}
	}
	return min(tail/all, 1)
}

func abs(i int) int { return max(i, -i) }

// normalRankP returns p of the normal approximation; ties is the sum of t³ − t.
func normalRankP(u, m, n, ties float64) float64 {
	z := math.Abs(u - m*n/2)
	z = max(z-0.5, 0) // correction for continuity
	variance := m * n / 12 * (m + n + 1 - ties/((m+n)*(m+n-1)))
	return min(2*distuv.UnitNormal.Survival(z/math.Sqrt(variance)), 1)
}

// rankOfLimit returns the largest k for which the interval between the k-th smallest and the k-th
// largest of the m·n differences has the level: P(U ≤ k − 1) ≤ (1 − level)/2. It is 0 if there is none.
func rankOfLimit(m, n int, level float64, exact bool) int {
	alpha := (1 - level) / 2
	if !exact {
		mean := float64(m) * float64(n) / 2
		sd := math.Sqrt(mean * float64(m+n+1) / 6)
		return int(max(math.Floor(mean-distuv.UnitNormal.Quantile(1-alpha)*sd+0.5), 0))
	}
	ranks := make([]int, m+n)
	for i := range ranks {
		ranks[i] = i
	}
	counts := subsetSums(ranks, min(m, n))
	all := 0.0
	for _, c := range counts {
		all += c
	}
	k, below := 0, 0.0
	// The smallest sum belongs to U = 0. The factor allows for the rounding error of the level.
	for least := min(m, n) * (min(m, n) - 1) / 2; least+k < len(counts); k++ {
		if below += counts[least+k]; below/all > alpha*(1+1e-9) {
			break
		}
	}
	return k
}
