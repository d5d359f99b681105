package compare

import (
	"errors"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// Description has the statistics of a sample.
type Description struct {
	N                                  int
	Mean, SD, Median, Q1, Q3, Min, Max float64
	// Low and High are the t interval of the mean.
	Low, High float64
}

// Describe returns mean, standard deviation (n − 1), median and quartiles (see Quantile), range, and the
// interval of the mean, mean ± t(n − 1)·SD/√n.
//
// An empty sample has no statistics, and one value has no SD and no interval; these are not errors. A
// constant sample has SD 0 and an interval of width 0.
func Describe(x []float64, level float64) (Description, error) {
	d := Description{0, nan, nan, nan, nan, nan, nan, nan, nan, nan}
	if err := errors.Join(checkFinite("sample", x), checkLevel(level)); err != nil || len(x) == 0 {
		return d, err
	}
	sorted := slices.Sorted(slices.Values(x))
	d.N = len(x)
	// In sorted order, so that the last bit does not depend on the order of x.
	d.Mean = stat.Mean(sorted, nil)
	d.Min, d.Max = sorted[0], sorted[len(x)-1]
	d.Q1, d.Median, d.Q3 = Quantile(0.25, sorted), Quantile(0.5, sorted), Quantile(0.75, sorted)
	if len(x) > 1 {
		d.SD = stat.StdDev(sorted, nil)
		half := tQuantile(level, float64(len(x)-1)) * d.SD / math.Sqrt(float64(len(x)))
		d.Low, d.High = d.Mean-half, d.Mean+half
	}
	return d, nil
}

// Quantile returns the p-quantile, linear between order statistics, at index (n − 1)·p (Hyndman and Fan
// 1996, type 7, doi:10.2307/2684934; the default of R and numpy). sorted is in ascending order. The
// quantile is NaN if sorted is empty or p is not in [0, 1].
func Quantile(p float64, sorted []float64) float64 {
	if len(sorted) == 0 || !(p >= 0 && p <= 1) {
		return nan
	}
	index := float64(len(sorted)-1) * p
	below := int(index)
	if below == len(sorted)-1 {
		return sorted[below]
	}
	f := index - float64(below)
	return (1-f)*sorted[below] + f*sorted[below+1]
}
