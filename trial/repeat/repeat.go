// Package repeat estimates the repeatability of a measurement from subjects who were scanned twice or more often
// while nothing changed: within-subject standard deviation and coefficient of variation, repeatability coefficient,
// intraclass correlation, and the agreement of scan and rescan.
//
// Values are positive and have one unit, ms for T2. Absolute estimates have the same unit; relative estimates are in
// percent. Intervals have the level that the caller chooses. It does not change the 95 % that is part of the
// definition of the repeatability coefficient and of the limits of agreement.
//
// Sources: Bland and Altman 1986 (doi:10.1016/S0140-6736(86)90837-8) and 1999 (doi:10.1177/096228029900800204);
// Raunig et al. 2015, the metrology of QIBA (doi:10.1177/0962280214537344); McGraw and Wong 1996
// (doi:10.1037/1082-989X.1.1.30).
package repeat

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/t2map/t2map/trial/compare"
)

// z95 is the rounded normal quantile of two-sided 95 % in the definitions of the repeatability coefficient (QIBA,
// PMC8574057) and of the limits of agreement (Bland and Altman 1999). Package trial uses the same value.
const z95 = 1.96

// Interval is an estimate with a confidence interval.
type Interval = compare.Interval

// Estimates describe the repeatability of one measure. An estimate that does not exist is NaN, and Reasons has the
// reason. The knee i has kᵢ values with mean mᵢ and standard deviation sᵢ.
type Estimates struct {
	// N is the number of knees with two or more values, Measured the number of their values, and DF = Σ(kᵢ − 1) the
	// degrees of freedom within knees.
	N, Measured, DF int
	// Mean is the mean of mᵢ.
	Mean float64
	// WSD is the within-subject standard deviation, √(Σ(kᵢ − 1)sᵢ²/DF), for pairs √(Σd²/2n), with an interval from χ²
	// with DF degrees of freedom. It includes a systematic difference between scan and rescan.
	WSD Interval
	// WCV is the within-subject coefficient of variation in percent as QIBA defines it: the root mean square of
	// sᵢ/mᵢ, with the weights kᵢ − 1. Its interval from the same χ² is an approximation.
	WCV Interval
	// WSDOverMean is 100·WSD/Mean in percent, in which knees with long T2 have more weight.
	WSDOverMean float64
	// RC is the repeatability coefficient, 1.96·√2·WSD: the difference that 95 % of pairs of measurements do not
	// exceed. RCPercent is 1.96·√2·WCV.
	RC, RCPercent Interval
	// SDC is the smallest detectable change, 1.96·√2·√MSE, where MSE is the mean square of the residual after knees
	// and repeats, from the complete knees. For pairs it is 1.96 times the SD of the differences. It excludes a
	// systematic difference between scan and rescan. Its χ² has (n − 1)(k − 1) degrees of freedom.
	SDC Interval
	// Complete is the number of knees with all repeats.
	Complete int
	// ICC21 is the intraclass correlation of single measurements for absolute agreement, two-way random effects;
	// ICC31 is the one for consistency, two-way mixed effects (ICC(A,1) and ICC(C,1) of McGraw and Wong). Both are
	// from the complete knees.
	ICC21, ICC31 Interval
	// Agreement is the agreement of the first and the second repeat.
	Agreement Agreement
	// Proportional is Spearman's correlation of sᵢ, for pairs |d|, with mᵢ. If it is positive, WCV and RCPercent
	// describe all knees better than WSD and RC.
	Proportional compare.Correlation
	// Reasons are the reasons why estimates are NaN.
	Reasons []string
}

// Agreement is Bland and Altman's analysis of pairs.
type Agreement struct {
	// N is the number of pairs.
	N int
	// Means and Differences (second − first) of the pairs, in the order of the knees that have both.
	Means, Differences []float64
	// Bias is the mean difference with an interval from t, SD the standard deviation of the differences.
	Bias Interval
	SD   float64
	// P of the t test of Bias against 0.
	P float64
	// Lower and Upper are the limits of agreement, Bias ± 1.96·SD. Their intervals are from t with the standard error
	// SD·√(1/n + 1.96²/(2(n − 1))) (Bland and Altman 1999).
	Lower, Upper Interval
}

var (
	nan        = math.NaN()
	noInterval = Interval{Estimate: nan, Low: nan, High: nan}
)

// Analyse returns the repeatability of values, which are indexed by knee and repeat. A missing value is NaN. Knees
// with fewer than two values are ignored. The intervals have the given level.
//
// It is an error if a value is infinite or not positive, if knees differ in length, if no knee has two values, or if
// level is not between 0 and 1. All estimates are then NaN.
func Analyse(values [][]float64, level float64) (Estimates, error) {
	f := Estimates{
		Mean: nan, WSD: noInterval, WCV: noInterval, WSDOverMean: nan, RC: noInterval, RCPercent: noInterval,
		SDC: noInterval, ICC21: noInterval, ICC31: noInterval,
		Agreement:    Agreement{Bias: noInterval, SD: nan, P: nan, Lower: noInterval, Upper: noInterval},
		Proportional: compare.Correlation{Rho: noInterval, P: nan},
	}
	if !(level > 0 && level < 1) {
		return f, fmt.Errorf("level %g is not between 0 and 1", level)
	}
	if err := check(values); err != nil {
		return f, err
	}
	f.addWithin(values, level)
	if f.N == 0 {
		return f, errors.New("no knee was measured twice")
	}
	f.addTwoWay(values, level)
	f.addAgreement(values, level)
	return f, nil
}

// check returns an error if knees differ in length or a number cannot be a measurement.
func check(values [][]float64) error {
	for i, knee := range values {
		if len(knee) != len(values[0]) {
			return fmt.Errorf("knee %d has %d repeats, the first %d", i+1, len(knee), len(values[0]))
		}
		for _, v := range knee {
			if v <= 0 || v > 1e100 {
				return fmt.Errorf("knee %d: %g is not a measurement", i+1, v)
			}
		}
	}
	return nil
}

// moments returns the number of values of a knee, their mean and their sum of squares about the mean.
func moments(knee []float64) (n int, mean, squares float64) {
	for _, v := range knee {
		if !math.IsNaN(v) {
			n++
			mean += v
		}
	}
	mean /= float64(n)
	for _, v := range knee {
		if !math.IsNaN(v) {
			squares += (v - mean) * (v - mean)
		}
	}
	return n, mean, squares
}

// addWithin adds the estimates from the variances within knees.
func (f *Estimates) addWithin(values [][]float64, level float64) {
	var squares, relative, means float64
	var ss, ms []float64
	for _, knee := range values {
		n, m, s := moments(knee)
		if n < 2 {
			continue
		}
		f.N, f.Measured, f.DF = f.N+1, f.Measured+n, f.DF+n-1
		squares, relative, means = squares+s, relative+s/(m*m), means+m
		ss, ms = append(ss, math.Sqrt(s/float64(n-1))), append(ms, m)
	}
	if f.N == 0 {
		return
	}
	df := float64(f.DF)
	f.Mean = means / float64(f.N)
	if squares <= 0 {
		f.addReason("the repeats do not differ at all: copies of one measurement have no repeatability")
		return
	}
	f.WSD = spread(math.Sqrt(squares/df), df, level)
	f.WCV = spread(100*math.Sqrt(relative/df), df, level)
	f.WSDOverMean = 100 * f.WSD.Estimate / f.Mean
	f.RC, f.RCPercent = times(f.WSD, z95*math.Sqrt2), times(f.WCV, z95*math.Sqrt2)
	// Round, so that values that differ only by the rounding of decimals are ties.
	for _, x := range [][]float64{ss, ms} {
		for i := range x {
			x[i] = math.Round(x[i] / f.Mean * 1e12)
		}
	}
	var err error
	if f.Proportional, err = compare.Spearman(ss, ms, level); err != nil {
		f.addReason(fmt.Sprintf("error against mean: %v", err))
	}
}

func (f *Estimates) addReason(reason string) { f.Reasons = append(f.Reasons, reason) }

// spread returns a standard deviation with its interval, SD·√(df/χ²).
func spread(sd, df, level float64) Interval {
	chi := distuv.ChiSquared{K: df}
	return Interval{
		Estimate: sd,
		Low:      sd * math.Sqrt(df/chi.Quantile((1+level)/2)),
		High:     sd * math.Sqrt(df/chi.Quantile((1-level)/2)),
	}
}

func times(i Interval, factor float64) Interval {
	return Interval{Estimate: i.Estimate * factor, Low: i.Low * factor, High: i.High * factor}
}

// addAgreement adds the agreement of the first two repeats.
func (f *Estimates) addAgreement(values [][]float64, level float64) {
	a := &f.Agreement
	for _, knee := range values {
		if len(knee) < 2 || math.IsNaN(knee[0]) || math.IsNaN(knee[1]) {
			continue
		}
		a.Means = append(a.Means, (knee[0]+knee[1])/2)
		a.Differences = append(a.Differences, knee[1]-knee[0])
	}
	a.N = len(a.Differences)
	d, err := compare.Describe(a.Differences, level)
	if err != nil {
		f.addReason(err.Error())
		return
	}
	a.Bias = Interval{Estimate: d.Mean, Low: d.Low, High: d.High}
	a.SD = d.SD
	switch {
	case a.N == 0:
		f.addReason("no knee has the first two repeats: no agreement")
		return
	case a.N == 1:
		f.addReason("one pair has no spread: no limits of agreement")
		return
	case d.SD <= 1e-13*f.Mean: // the rounding of a constant difference
		f.addReason("the differences do not vary: no test of the bias")
		a.Bias.Low, a.Bias.High = nan, nan
		return
	}
	n := float64(a.N)
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}
	a.P = 2 * t.Survival(math.Abs(d.Mean)*math.Sqrt(n)/d.SD)
	half := t.Quantile((1+level)/2) * d.SD * math.Sqrt(1/n+z95*z95/(2*(n-1)))
	limit := func(x float64) Interval {
		return Interval{Estimate: x, Low: x - half, High: x + half}
	}
	a.Lower, a.Upper = limit(d.Mean-z95*d.SD), limit(d.Mean+z95*d.SD)
}
