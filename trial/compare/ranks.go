package compare

import (
	"cmp"
	"math"
	"slices"
)

// doubledMidranks returns twice the midrank of each value, an integer, and the sum of
// t³ − t over the groups of t equal values.
func doubledMidranks(x []float64) (ranks []int, ties float64) {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(x[a], x[b]) })
	ranks = make([]int, len(x))
	for start := 0; start < len(x); {
		end := start + 1
		for end < len(x) && x[order[end]] == x[order[start]] {
			end++
		}
		for _, i := range order[start:end] {
			ranks[i] = start + 1 + end // ranks start+1 … end
		}
		t := float64(end - start)
		ties += t*t*t - t
		start = end
	}
	return ranks, ties
}

// subsetSums counts the subsets of size m of scores, which are not negative, by their sum, with the
// shift algorithm of Streitberg and Röhmel (1986). Counts above 2^53 are rounded. Their relative error is
// about 1e-14, since all terms are positive.
func subsetSums(scores []int, m int) []float64 {
	sorted := slices.Sorted(slices.Values(scores))
	// largest[j] is the largest sum of j of the scores so far.
	largest := make([]int, m+1)
	total := 0
	for _, s := range sorted[len(sorted)-m:] {
		total += s
	}
	counts := make([][]float64, m+1)
	for j := range counts {
		counts[j] = make([]float64, total+1)
	}
	counts[0][0] = 1
	for i, s := range sorted {
		for j := min(i+1, m); j >= 1; j-- {
			// The scores ascend, so that the last j of them are the largest.
			largest[j] = largest[j-1] + s
			smaller, larger := counts[j-1], counts[j] // subsets
			for sum := 0; sum <= largest[j-1]; sum++ {
				larger[sum+s] += smaller[sum]
			}
		}
	}
	return counts[m]
}

// kthDifference returns the k-th smallest of the differences xᵢ − yⱼ of ascending x and y; k counts
// from 1.
//
// It bisects the doubles between the smallest and the largest difference, counting the differences that
// are not above a double, so that it does not store all n·m differences. Rounding does not change their
// order: the result is the same as that of sorting them.
func kthDifference(x, y []float64, k int) float64 {
	low, high := key(x[0]-y[len(y)-1]), key(x[len(x)-1]-y[0])
	for low < high {
		middle := low + int64(uint64(high-low)/2)
		if notAbove(x, y, unkey(middle)) >= k {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return unkey(low)
}

// notAbove counts the differences xᵢ − yⱼ ≤ v of ascending x and y.
func notAbove(x, y []float64, v float64) int {
	count, first := 0, 0 // differences with y[first:] are not above v
	for _, xi := range x {
		for first < len(y) && xi-y[first] > v {
			first++
		}
		count += len(y) - first
	}
	return count
}

// key numbers the doubles in ascending order; −0 and 0 have the same number. The difference of two keys
// is less than 2^64, which kthDifference needs.
func key(x float64) int64 {
	if x == 0 {
		return 0
	}
	b := int64(math.Float64bits(math.Abs(x)))
	if x < 0 {
		return -b
	}
	return b
}

func unkey(k int64) float64 {
	if k < 0 {
		return -math.Float64frombits(uint64(-k))
	}
	return math.Float64frombits(uint64(k))
}
