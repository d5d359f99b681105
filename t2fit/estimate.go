package t2fit

import (
	"math"

	"github.com/t2map/t2map/volume"
)

// Estimate is the fit of one decay. Where Status is not Fitted, OutOfRange or
// AtBound, T2, S0, SE, Offset and B1 are NaN.
type Estimate struct {
	// T2 in ms, and S0, the magnitude at TE = 0, in the units of the signal.
	T2, S0 float64
	// R2 is the coefficient of determination 1 − RSS/TSS on the fitted echoes,
	// TSS taken about their mean.
	R2 float64
	// SE is the standard error of T2 in ms: from the Jacobian at the estimate
	// and the residual variance RSS/(n−p) of n echoes and p parameters, to first
	// order. Rician takes each echo's share of that variance from its model.
	SE float64
	// Offset is the constant below the decay, NaN for methods without one.
	Offset float64
	// B1 is the refocusing angle as a fraction of 180°, NaN for methods without.
	B1 float64
	// Echoes is the number of echoes that were fitted.
	Echoes int
	Status volume.Status
}

// failed is the estimate of a voxel that has none, with the reason.
func failed(s volume.Status) Estimate {
	nan := math.NaN()
	return Estimate{T2: nan, S0: nan, R2: nan, SE: nan, Offset: nan, B1: nan, Status: s}
}

// found is what an estimator makes of the echoes of one voxel. Where its status
// is not Fitted or AtBound, the rest means nothing.
type found struct {
	t2, s0 float64
	rss    float64 // residual sum of squares on the fitted echoes
	se     float64 // standard error of T2, ms
	offset float64 // NaN where the model has none
	b1     float64 // NaN where the model has none
	echoes int     // how many of the echoes, from the first, were used
	status volume.Status
}

// none is what an estimator returns where there is no estimate, with the reason.
func none(s volume.Status) found { return found{status: s} }

// estimator fits one decay at a time. Each worker has its own, with its scratch;
// what is costly to make and read-only is shared between them.
//
// In estimators a product that enters a sum is written float64(x*y) or as
// math.FMA: without either the compiler may fuse the two into one instruction that
// rounds once, as it does on arm64, and the bytes of a map would depend on the
// machine.
type estimator interface {
	// estimate fits the magnitudes y, finite, one per echo of the train it was made
	// for, at least two of them above the signal floor, under noise of the standard
	// deviation sigma, NaN where it is not known.
	estimate(y []float64, sigma float64) found
}

// newEstimators prepares the options' method for a train and returns what makes a
// worker's own.
func newEstimators(k train, o Resolved) func() estimator {
	if o.EchoFloor > 0 {
		return newAdaptive(k, o)
	}
	switch o.Method {
	case LogLinear, LogLinearUnweighted:
		return func() estimator { return newLogLinear(k, o) }
	case ARLO:
		return func() estimator { return newARLO(k) }
	case NLLSOffset:
		return newOffset(k)
	case Rician:
		return newRician(k)
	case EPG:
		return newEPG(k, o)
	default:
		return newNLLS(k)
	}
}

// fitter judges what an estimator finds by the options' limits.
type fitter struct {
	o         Resolved
	estimator estimator
}

// estimate fits the magnitudes y, one per fitted echo.
func (f *fitter) estimate(y []float64, sigma float64) Estimate {
	v, tss := f.find(y, sigma)
	est := Estimate{
		T2: v.t2, S0: v.s0, R2: 1 - v.rss/tss, SE: v.se, Offset: v.offset, B1: v.b1,
		Echoes: v.echoes, Status: f.o.verdict(v.status, curve{v.t2, v.s0, v.rss}, tss),
	}
	if !est.Status.HasValue() {
		none := failed(est.Status)
		if est.Status == volume.PoorFit {
			none.R2 = est.R2
		}
		return none
	}
	return est
}

// find is estimate without the verdict; it returns TSS of the fitted echoes too. A
// decay with fewer than two of them above the floor, or with one echo that is no
// number, is LowSignal.
func (f *fitter) find(y []float64, sigma float64) (v found, tss float64) {
	above, tss := f.signal(y)
	if above < 2 {
		return none(volume.LowSignal), tss
	}
	v = f.estimator.estimate(y, sigma)
	if v.echoes > 0 && v.echoes < len(y) { // by EchoFloor
		if above, tss = f.signal(y[:v.echoes]); above < 2 {
			v.status = volume.LowSignal
		}
	}
	return v, tss
}

// signal returns how many echoes are above the floor, none if one is not a number,
// and TSS.
func (f *fitter) signal(y []float64) (above int, tss float64) {
	sum, squares := 0.0, 0.0
	for _, v := range y {
		if v > f.o.MinSignal {
			above++
		}
		sum += v
		squares += float64(v * v)
	}
	// An infinite or missing echo leaves no finite sum of squares.
	if !(squares <= math.MaxFloat64) {
		return 0, math.NaN()
	}
	return above, total(y, sum, squares)
}

// steady is the fraction of Σy² under which Σ(y − mean)² is taken from the
// differences: its short formula loses up to 1e-15 of Σy², which is then no more
// than 1e-9 of the result.
const steady = 1e-6

// total returns TSS = Σ(y − mean)².
func total(y []float64, sum, squares float64) float64 {
	n := float64(len(y))
	tss := squares - sum*sum/n
	if tss < steady*squares {
		tss = scatter(y, sum/n)
	}
	return tss
}

// leastR2 is the R² that a decay needs to be one: under it the constant leaves as
// little but for rounding, which is 1e-16 of Σy² an echo.
const leastR2 = 1e-12

// verdict is the status of a curve that was found, after the checks against the
// options' limits. tss is the residual of the constant: a curve that leaves no less
// is not a decay, however it was found.
func (o *Resolved) verdict(s volume.Status, c curve, tss float64) volume.Status {
	switch {
	case s != volume.Fitted && s != volume.AtBound:
		return s
	case !(1-c.rss/tss >= leastR2):
		return volume.NotDecaying
	case !(c.s0 < math.MaxFloat32) || !(c.t2 < math.MaxFloat32) || !(c.t2 > 0):
		// A decay so short that its start lies beyond all numbers, or so long
		// that it is none.
		return volume.NotConverged
	case o.MinR2 > 0 && !(1-c.rss/tss >= o.MinR2):
		return volume.PoorFit
	case s == volume.Fitted && !(c.t2 > o.T2Range[0] && c.t2 <= o.T2Range[1]):
		return volume.OutOfRange
	}
	return s
}

// curve is what verdict looks at.
type curve struct{ t2, s0, rss float64 }
