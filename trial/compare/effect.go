package compare

import (
	"errors"
	"math"
	"slices"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/stat"
)

// HedgesG returns the standardised difference of the means of two samples, in pooled standard
// deviations: g = J·(mean(x) − mean(y))/s. J = Γ(ν/2)/(√(ν/2)·Γ((ν − 1)/2)), ν = nx + ny − 2, makes it
// unbiased for normal samples of equal variance (Hedges 1981, doi:10.3102/10769986006002107).
//
// The interval of the standardised difference of the populations is exact under the same assumptions. It
// consists of the noncentrality parameters for which the observed t is the (1 − level)/2 and the
// (1 + level)/2 quantile of the noncentral t distribution, times √(1/nx + 1/ny)
// (Steiger and Fouladi 1997; Cumming and Finch 2001, doi:10.1177/0013164401614002). It is
// not multiplied by J, and not symmetric about g.
//
// It is an error if a sample is empty, if there are fewer than four values in all (J is 0 for ν = 1), or
// if the values do not vary.
func HedgesG(x, y []float64, level float64) (Interval, error) {
	if err := checkSamples(x, y, level); err != nil {
		return noInterval, err
	}
	nx, ny := float64(len(x)), float64(len(y))
	df := nx + ny - 2
	if df < 2 {
		return noInterval, errors.New("fewer than four values: no effect size")
	}
	mx, my := stat.Mean(x, nil), stat.Mean(y, nil)
	s := math.Sqrt((squares(x, mx) + squares(y, my)) / df)
	unit := math.Sqrt(1/nx + 1/ny)
	if s*unit <= 10*epsilon*max(math.Abs(mx), math.Abs(my)) {
		return noInterval, errConstant
	}
	d := (mx - my) / s
	alpha := (1 - level) / 2
	return Interval{
		Estimate: smallSample(df) * d,
		Low:      unit * noncentrality(d/unit, df, 1-alpha),
		High:     unit * noncentrality(d/unit, df, alpha),
	}, nil
}

// squares returns the sum of squares about the mean.
func squares(x []float64, mean float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += (v - mean) * (v - mean)
	}
	return sum
}

// smallSample returns Hedges' J.
func smallSample(df float64) float64 {
	a, _ := math.Lgamma(df / 2)
	b, _ := math.Lgamma((df - 1) / 2)
	return math.Exp(a-b) / math.Sqrt(df/2)
}

// noncentrality returns the δ for which P(T ≤ t) = p, with T = (Z + δ)/√(χ²/df).
func noncentrality(t, df, p float64) float64 {
	if t < 0 { // noncentralT needs t ≥ 0
		return -noncentrality(-t, df, 1-p)
	}
	// P decreases from 1 to 0 as δ increases.
	low, high := -10.0, t+10
	for noncentralT(t, df, high) > p {
		high *= 2
	}
	for noncentralT(t, df, low) < p {
		low *= 2
	}
	return bisect(low, high, func(delta float64) bool { return noncentralT(t, df, delta) > p })
}

// The quadrature rule for each interval of noncentralT. An interval is at most a few widths of either
// factor wide, for which 20 points have an error below 1e-13.
const nodes = 20

var ruleX, ruleW = func() ([]float64, []float64) {
	x, w := make([]float64, nodes), make([]float64, nodes)
	quad.Legendre{}.FixedLocations(x, w, -1, 1)
	return x, w
}()

// noncentralT returns P((Z + δ)/S ≤ t) = ∫ Φ(ts − δ)·f(s) ds for t ≥ 0, where f is the density of
// S = √(χ²/df), by Gauss–Legendre quadrature in intervals.
func noncentralT(t, df, delta float64) float64 {
	// f has its maximum near 1 and decreases like a Gaussian of SD 1/√(2 df). For df ≥ 2, where the upper
	// tail is exp(−s²), it is negligible more than 12 SD from 1.
	sd := 1 / math.Sqrt(2*df)
	low, high := max(1-12*sd, 0), 1+12*sd
	var cuts []float64
	for k := -12.0; k <= 12; k += 2 {
		cuts = append(cuts, 1+k*sd)
	}
	// Φ increases from 0 to 1 around δ/t, within a few 1/t.
	for k := -9.0; k <= 9; k += 3 {
		cuts = append(cuts, (delta+k)/t)
	}
	cuts = append(cuts, low, high)
	logGamma, _ := math.Lgamma(df / 2)
	logScale := math.Ln2 + df/2*math.Log(df/2) - logGamma
	// The sum is divided by ∫ f by the same rule, which cancels the rounding error of the scale. That error
	// grows with df.
	sum, all, start := 0.0, 0.0, low
	for _, end := range sortedWithin(cuts, low, high) {
		half, middle := (end-start)/2, (end+start)/2
		for i, x := range ruleX {
			s := middle + half*x
			density := math.Exp(logScale + (df-1)*math.Log(s) - df/2*s*s)
			all += half * ruleW[i] * density
			sum += half * ruleW[i] * density * 0.5 * math.Erfc((delta-t*s)/math.Sqrt2)
		}
		start = end
	}
	return min(sum/all, 1)
}

// sortedWithin returns the cuts in (low, high], ascending.
func sortedWithin(cuts []float64, low, high float64) []float64 {
	slices.Sort(cuts)
	return slices.DeleteFunc(cuts, func(c float64) bool { return !(c > low && c <= high) })
}
