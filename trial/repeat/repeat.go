// Package repeat estimates the repeatability of a measurement from subjects who were scanned twice or
// more often while nothing changed: within-subject standard deviation
// and coefficient of variation, repeatability coefficient, intraclass correlation,
// and the agreement of scan and rescan.
//
// Values are in one unit, ms for T2, which absolute figures share; relative ones are in
// percent. They must be positive for those. An interval has the level asked for; the
// limits of 95 % that are part of a definition (repeatability coefficient, limits of
// agreement) do not change with it.
//
// Sources: Bland and Altman 1986 (doi:10.1016/S0140-6736(86)90837-8) and 1999
// (doi:10.1177/096228029900800204); Raunig et al. 2015, the metrology of QIBA
// (doi:10.1177/0962280214537344); McGraw and Wong 1996 (doi:10.1037/1082-989X.1.1.30).
package repeat

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/t2map/t2map/trial/compare"
)

// z95 is the standard normal deviate of two-sided 95 % as the repeatability coefficient is defined
// (QIBA, PMC8574057) and as limits of agreement are (Bland and Altman 1999): rounded, the same as
// in package trial.
const z95 = 1.96

// Interval is an estimate with a confidence interval.
type Interval = compare.Interval

// Figures are the repeatability of one measure. A figure that does not exist is NaN, and
// Reasons say why.
type Figures struct {
	// N is the number of knees with two or more values, Measured that of their values, and
	// DF, Σ(kᵢ − 1), the degrees of freedom within them.
	N, Measured, DF int
	// Mean of the knees' means.
	Mean float64
	// WSD is the within-subject standard deviation, √(Σ(kᵢ − 1)sᵢ²/DF), for pairs
	// √(Σd²/2n), with the interval of χ² with DF degrees of freedom. A systematic
	// difference of scan and rescan is part of it.
	WSD Interval
	// WCV is the within-subject coefficient of variation in percent, as QIBA has it: the root
	// mean square of sᵢ/mᵢ, the knees weighted by kᵢ − 1. The interval is that of χ², too, an
	// approximation.
	WCV Interval
	// WSDOverMean is 100·WSD/Mean, percent, which weighs knees of long T2 more.
	WSDOverMean float64
	// RC is the repeatability coefficient, 1.96·√2·WSD: the difference of two measurements
	// that 95 % do not exceed. RCPercent is 1.96·√2·WCV.
	RC, RCPercent Interval
	// SDC is the smallest detectable change, 1.96·√2·√MSE, where MSE is the residual of
	// the knees that have all repeats, after those and the repeats: for pairs 1.96 times
	// the SD of the differences. A systematic difference of scan and rescan is not part
	// of it. Its χ² has (n − 1)(k − 1) degrees of freedom.
	SDC Interval
	// Complete is the number of knees with all repeats, K that of repeats.
	Complete, K int
	// ICC21 is the intraclass correlation of single measurements, absolute agreement,
	// two-way random, ICC31 that of consistency, two-way mixed (McGraw and Wong's ICC(A,1) and
	// ICC(C,1)), of the complete knees.
	ICC21, ICC31 Interval
	// Agreement is that of the first and the second repeat.
	Agreement Agreement
	// Proportional is Spearman's correlation of sᵢ, for pairs |d|, with mᵢ: where it is not
	// 0, an error in percent (WCV, RCPercent) describes all knees better than one in ms.
	Proportional compare.Correlation
	// Reasons say why figures are NaN.
	Reasons []string
}

// Agreement is Bland and Altman's analysis of pairs.
type Agreement struct {
	// N is the number of pairs.
	N int
	// Means and Differences of the pairs, second less first, in the order of the knees that
	// have both.
	Means, Differences []float64
	// Bias is the mean difference with the interval of t; SD that of the differences.
	Bias Interval
	SD   float64
	// P of the t test of Bias against 0.
	P float64
	// Lower and Upper are the limits of agreement, Bias ± 1.96·SD, with the intervals of
	// t and a standard error of SD·√(1/n + 1.96²/(2(n − 1))) (Bland and Altman 1999).
	Lower, Upper Interval
}

var (
	nan        = math.NaN()
	noInterval = Interval{Estimate: nan, Low: nan, High: nan}
)

// Analyse returns the figures of knees with their repeats: values is indexed by knee and
// repeat, NaN where one is missing, and every knee has as many. Knees with fewer than two
// values are passed over.
//
// It is an error if a value is infinite or not positive, if knees differ in length, if no
// knee has two values, or if level is not between 0 and 1.
func Analyse(values [][]float64, level float64) (Figures, error) {
	f := Figures{
		Mean: nan, WSD: noInterval, WCV: noInterval, WSDOverMean: nan, RC: noInterval, RCPercent: noInterval,
		SDC:   noInterval,
		ICC21: noInterval, ICC31: noInterval,
		Agreement:    Agreement{Bias: noInterval, SD: nan, P: nan, Lower: noInterval, Upper: noInterval},
		Proportional: compare.Correlation{Rho: noInterval, P: nan},
	}
	if !(level > 0 && level < 1) {
		return f, fmt.Errorf("level %g is not between 0 and 1", level)
	}
	if err := check(values); err != nil {
		return f, err
	}
	f.within(values, level)
	if f.N == 0 {
		return f, errors.New("no knee was measured twice")
	}
	f.twoWay(values, level)
	f.agree(values, level)
	return f, nil
}

// check returns an error for numbers that cannot be measurements.
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

// moments returns the number of values of a knee, their mean and their sum of squares
// about it.
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

// within fills in the statistics of the variances within knees.
func (f *Figures) within(values [][]float64, level float64) {
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
	// Differences of decimals that are the same but for rounding are ties.
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

func (f *Figures) addReason(why string) { f.Reasons = append(f.Reasons, why) }

// spread is a standard deviation with its interval, SD·√(df/χ²).
func spread(sd, df, level float64) Interval {
	chi := distuv.ChiSquared{K: df}
	return Interval{
		Estimate: sd,
		Low:      sd * math.Sqrt(df/chi.Quantile((1+level)/2)),
		High:     sd * math.Sqrt(df/chi.Quantile((1-level)/2)),
	}
}

func times(i Interval, by float64) Interval {
	return Interval{Estimate: i.Estimate * by, Low: i.Low * by, High: i.High * by}
}

// agree fills in the agreement of the first two repeats.
func (f *Figures) agree(values [][]float64, level float64) {
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
		f.addReason("no knee has the first two repeats: no agreement of these")
		return
	case a.N == 1:
		f.addReason("one pair has no spread: no limits of agreement")
		return
	case d.SD <= 1e-13*f.Mean: // the rounding of a constant
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
