package t2fit

import (
	"math"

	"github.com/t2map/t2map/volume"
)

// Estimate is the fit of one decay. Where Status is not Fitted or OutOfRange,
// T2, S0 and SE are NaN.
type Estimate struct {
	// T2 in ms, and S0 in the units of the signal.
	T2, S0 float64
	// R2 is the coefficient of determination 1 − RSS/TSS on the fitted echoes,
	// TSS taken about their mean.
	R2 float64
	// SE is the standard error of T2 in ms: from the Jacobian at the estimate
	// and the residual variance RSS/(n−2), to first order.
	SE     float64
	Status volume.Status
}

// kernel fits one decay. Its echoes begin after the skipped ones; it is
// read-only once made, so that workers share it.
type kernel struct {
	te0 float64   // TE of the first fitted echo, ms
	t   []float64 // TE after the first fitted echo, ms; t[0] = 0
	sum float64   // Σt
	// step is the echo spacing in ms where echoes are equally spaced, else 0.
	step float64
	o    Options
}

// equalSpacing is how far, relative to the spacing, an echo may lie from the
// equally spaced train: echo times carry at most seven digits in DICOM, and an
// error of this size in TE moves T2 by less than the same fraction.
const equalSpacing = 1e-9

// newKernel makes the kernel for the echo times te in ms, strictly increasing,
// skipped ones already left out, under options with their defaults filled in.
func newKernel(te []float64, o Options) *kernel {
	k := &kernel{te0: te[0], t: make([]float64, len(te)), o: o}
	k.step = (te[len(te)-1] - te[0]) / float64(len(te)-1)
	equal := true
	for e := range te {
		k.t[e] = te[e] - te[0]
		k.sum += k.t[e]
		equal = equal && math.Abs(k.t[e]-float64(e)*k.step) <= equalSpacing*k.step
	}
	if !equal {
		k.step = 0
	}
	return k
}

// decay is a curve a·exp(−rate·t) through the echoes, with the curvature of its
// least-squares problem: spread = Σ(t·g)² − (Σt·g²)²/Σg² for g = exp(−rate·t),
// so that var(rate) = σ²/(a²·spread). Where echoes are equally spaced, ratio may
// hold exp(−rate·step); 0 means it is not known yet.
type decay struct{ a, rate, spread, ratio float64 }

// failed is the estimate of a voxel that has none, with the reason.
func failed(s volume.Status) Estimate {
	nan := math.NaN()
	return Estimate{T2: nan, S0: nan, R2: nan, SE: nan, Status: s}
}

// moments are the sums over the echoes of a voxel that its fit starts from.
type moments struct {
	above      int     // echoes above the floor
	sum, slope float64 // Σy, Σt·y
	squares    float64 // Σy²
	lag        float64 // Σy[e−1]·y[e]
}

// moments takes one pass over the magnitudes y.
func (k *kernel) moments(y []float64) moments {
	var m moments
	last := 0.0
	for e, v := range y {
		if v > k.o.MinSignal {
			m.above++
		}
		m.sum += v
		m.slope += v * k.t[e]
		m.squares += v * v
		m.lag += last * v
		last = v
	}
	return m
}

// estimate fits the magnitudes y, one per echo time of the kernel.
func (k *kernel) estimate(y []float64) Estimate {
	y = y[:len(k.t)]
	m := k.moments(y)
	var d decay
	var s volume.Status
	switch {
	case m.above < 2:
		s = volume.LowSignal
	case k.o.Method == LogLinear:
		d, s = k.logLinear(y)
	case !k.falling(m):
		s = volume.NotDecaying
	case k.step > 0:
		d, s = k.equal(y, m)
	default:
		d, s = k.general(y)
	}
	if s != volume.Fitted {
		return failed(s)
	}
	return k.finish(y, d, m)
}

// falling reports whether the straight line through the echoes falls. At rate 0
// the projected residual sum falls with the rate exactly if this line does, so
// that a decay describes the echoes better than a constant; a rising line means
// growth.
func (k *kernel) falling(m moments) bool {
	return m.slope*float64(len(k.t)) < m.sum*k.sum
}

// finish turns a curve into the estimate: residuals, R², the standard error and
// the checks against the options' limits.
func (k *kernel) finish(y []float64, d decay, m moments) Estimate {
	n := float64(len(y))
	tss := m.squares - m.sum*m.sum/n
	rss := 0.0
	if k.step > 0 {
		g, q := d.a, d.ratio
		if q == 0 {
			q = math.Exp(-d.rate * k.step)
		}
		for _, v := range y {
			rss += (v - g) * (v - g)
			g *= q
		}
	} else {
		for e, v := range y {
			r := v - d.a*math.Exp(-d.rate*k.t[e])
			rss += r * r
		}
	}
	est := Estimate{T2: 1 / d.rate, S0: d.a * math.Exp(d.rate*k.te0), R2: 1 - rss/tss, Status: volume.Fitted}
	est.SE = est.T2 * est.T2 * math.Sqrt(rss/(n-2)/d.spread) / d.a
	switch {
	case !(est.S0 < math.MaxFloat32) || !(est.T2 < math.MaxFloat32):
		// A decay so short that its start lies beyond all numbers, or so long
		// that it is none.
		return failed(volume.NotConverged)
	case k.o.MinR2 > 0 && !(est.R2 >= k.o.MinR2):
		poor := failed(volume.PoorFit)
		poor.R2 = est.R2
		return poor
	case !(est.T2 > k.o.T2Range[0] && est.T2 <= k.o.T2Range[1]):
		est.Status = volume.OutOfRange
	}
	return est
}
