package t2fit

import (
	"math"

	"github.com/t2map/t2map/volume"
)

// Estimate is the fit of one decay. If Status is not Fitted, OutOfRange or AtBound, then T2, S0,
// SE, Offset and B1 are NaN.
type Estimate struct {
	// T2 in ms, and S0, the magnitude at TE = 0, in the units of the signal.
	T2, S0 float64
	// R2 is the coefficient of determination 1 − RSS/TSS of the fitted echoes, where TSS is about
	// their mean.
	R2 float64
	// SE is the standard error of T2 in ms, to first order, from the Jacobian at the estimate and
	// the residual variance RSS/(n−p) of n echoes and p parameters. Rician uses the variance that
	// its model predicts for each echo.
	SE float64
	// Offset is the constant added to the decay, NaN for methods without one.
	Offset float64
	// B1 is the refocusing angle as a fraction of 180°, NaN for methods without one.
	B1 float64
	// Echoes is the number of echoes that were fitted.
	Echoes int
	Status volume.Status
}

// failed returns the Estimate of a decay without an estimate, with the reason.
func failed(s volume.Status) Estimate {
	nan := math.NaN()
	return Estimate{T2: nan, S0: nan, R2: nan, SE: nan, Offset: nan, B1: nan, Status: s}
}

// result is the fit of the echoes of one voxel. The other fields are meaningless unless
// status is Fitted or AtBound.
type result struct {
	t2, s0 float64
	rss    float64 // residual sum of squares on the fitted echoes
	se     float64 // standard error of T2, ms
	offset float64 // NaN if the model has none
	b1     float64 // NaN if the model has none
	echoes int     // number of fitted echoes, from the first
	status volume.Status
}

// none returns the result of a voxel without an estimate, with the reason.
func none(s volume.Status) result { return result{status: s} }

// estimator fits one decay at a time. Each worker has its own, with its scratch memory; read-only
// tables that are costly to make are shared.
//
// In estimators, a product that is added is written float64(x*y) or as math.FMA. Otherwise the
// compiler may fuse product and sum into one instruction that rounds once, as it does on arm64, and
// the bytes of a map would depend on the machine.
type estimator interface {
	// estimate fits the magnitudes y, one per echo of the estimator's train. They are finite, and
	// at least two are above the signal floor. sigma is the standard deviation of the noise, NaN if
	// it is not known.
	estimate(y []float64, sigma float64) result
}

// newEstimators prepares the options' method for a train and returns a function that makes one
// estimator per worker.
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

// fitter applies the limits of the options to the results of an estimator.
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

// find is estimate without the verdict. It also returns TSS of the fitted echoes. A decay with
// fewer than two echoes above the floor, or with an echo that is not a number, is LowSignal.
func (f *fitter) find(y []float64, sigma float64) (v result, tss float64) {
	above, tss := f.signal(y)
	if above < 2 {
		return none(volume.LowSignal), tss
	}
	v = f.estimator.estimate(y, sigma)
	if v.echoes > 0 && v.echoes < len(y) { // because of EchoFloor
		if above, tss = f.signal(y[:v.echoes]); above < 2 {
			v.status = volume.LowSignal
		}
	}
	return v, tss
}

// signal returns the number of echoes above the floor, 0 if one is not a number, and TSS.
func (f *fitter) signal(y []float64) (above int, tss float64) {
	sum, squares := 0.0, 0.0
	for _, v := range y {
		if v > f.o.MinSignal {
			above++
		}
		sum += v
		squares += float64(v * v)
	}
	// If an echo is infinite or NaN, the sum of squares is not finite.
	if !(squares <= math.MaxFloat64) {
		return 0, math.NaN()
	}
	return above, total(y, sum, squares)
}

// steady is the fraction of Σy² below which Σ(y − mean)² is computed from the differences. The
// short formula has an error of up to 1e-15 of Σy², which above this fraction is at most 1e-9 of
// the result.
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

// leastR2 is the least R² of a decay. Below it, the residual of a constant is as small, up to
// rounding, which is 1e-16 of Σy² for each echo.
const leastR2 = 1e-12

// verdict returns the status of a curve after the checks against the options' limits. tss is the
// residual of the constant: if the curve's residual is not smaller, there is no decay.
func (o *Resolved) verdict(s volume.Status, c curve, tss float64) volume.Status {
	switch {
	case s != volume.Fitted && s != volume.AtBound:
		return s
	case !(1-c.rss/tss >= leastR2):
		return volume.NotDecaying
	case !(c.s0 < math.MaxFloat32) || !(c.t2 < math.MaxFloat32) || !(c.t2 > 0):
		// The decay is so short that its start exceeds all float32 numbers, or so long that it is
		// constant.
		return volume.NotConverged
	case o.MinR2 > 0 && !(1-c.rss/tss >= o.MinR2):
		return volume.PoorFit
	case s == volume.Fitted && !(c.t2 > o.T2Range[0] && c.t2 <= o.T2Range[1]):
		return volume.OutOfRange
	}
	return s
}

// curve holds the values that verdict judges.
type curve struct{ t2, s0, rss float64 }
