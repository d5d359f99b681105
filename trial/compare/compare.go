// Package compare has the tests of a trial that do not need a mixed model: two samples (Welch,
// Wilcoxon–Mann–Whitney, Hedges' g), the difference adjusted for baseline (analysis of covariance, by
// least squares and by permutation), counts (Fisher, Clopper–Pearson), Spearman's correlation, and
// Holm's adjustment.
//
// Values have any unit; differences have the same unit. Callers remove missing values: NaN, infinities
// and magnitudes above 1e100 are errors. Tests are two-sided. A level is that of a confidence interval,
// such as 0.95. Intervals are closed.
//
// An error says why numbers of a result are NaN. The other numbers are valid: two samples of one value
// each have a difference, but no standard error.
package compare

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"

	"github.com/t2map/t2map/trial/mmrm"
)

// Interval is an estimate with a confidence interval.
type Interval struct{ Estimate, Low, High float64 }

var nan = math.NaN()

// noEstimate and noInterval are absent results.
var (
	noEstimate = mmrm.Estimate{Value: nan, SE: nan, DF: nan, T: nan, P: nan, Low: nan, High: nan}
	noInterval = Interval{nan, nan, nan}
)

// checkLevel returns an error unless level is between 0 and 1.
func checkLevel(level float64) error {
	if !(level > 0 && level < 1) {
		return fmt.Errorf("level %g is not between 0 and 1", level)
	}
	return nil
}

// largest is above any measurement. Sums of its squares do not overflow.
const largest = 1e100

// checkFinite returns an error that names the first value that is not a number, or too large.
func checkFinite(name string, x []float64) error {
	for i, v := range x {
		if math.IsNaN(v) || math.Abs(v) > largest {
			return fmt.Errorf("%s: value %d is %g", name, i+1, v)
		}
	}
	return nil
}

// checkSamples checks two samples and a level.
func checkSamples(x, y []float64, level float64) error {
	if err := errors.Join(checkFinite("first sample", x), checkFinite("second sample", y),
		checkLevel(level)); err != nil {
		return err
	}
	switch {
	case len(x) == 0 && len(y) == 0:
		return errors.New("both samples are empty")
	case len(x) == 0:
		return errors.New("the first sample is empty")
	case len(y) == 0:
		return errors.New("the second sample is empty")
	}
	return nil
}

// tTwoSided returns P(|T| ≥ |t|) of Student's t, by the incomplete beta function of the tail, which
// preserves the digits of small probabilities.
func tTwoSided(t, df float64) float64 {
	if t*t < 1 { // df/(df + t²) would lose digits near 1
		return 1 - mathext.RegIncBeta(0.5, df/2, t*t/(df+t*t))
	}
	return mathext.RegIncBeta(df/2, 0.5, df/(df+t*t))
}

// tQuantile returns the t that |T| exceeds with probability 1 − level.
//
// It inverts tTwoSided by bisection, since gonum's inverse of the incomplete beta function is inaccurate
// for fractions of a degree of freedom.
func tQuantile(level, df float64) float64 {
	alpha := 1 - level
	high := 1.0
	for tTwoSided(high, df) > alpha && high < 1e300 {
		high *= 2
	}
	return bisect(0, high, func(t float64) bool { return tTwoSided(t, df) > alpha })
}

// bisect returns the x where below(x), which is true at low and false at high, changes.
func bisect(low, high float64, below func(float64) bool) float64 {
	for range 200 { // a double has 64 bits; limits of different magnitude need more steps
		middle := low + (high-low)/2
		if middle <= low || middle >= high {
			break
		}
		if below(middle) {
			low = middle
		} else {
			high = middle
		}
	}
	return low + (high-low)/2
}

// estimate returns the estimate with this value and standard error.
func estimate(value, se, df, level float64) mmrm.Estimate {
	t := value / se
	half := tQuantile(level, df) * se
	return mmrm.Estimate{Value: value, SE: se, DF: df, T: t, P: tTwoSided(t, df), Low: value - half, High: value + half}
}
