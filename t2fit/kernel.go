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
//
// In it and its methods a product that enters a sum is written float64(x*y):
// without the conversion the compiler may fuse the two into one instruction that
// rounds once, as it does on arm64, and the bytes of a map would depend on the
// machine.
type kernel struct {
	te0 float64   // TE of the first fitted echo, ms
	t   []float64 // TE after the first fitted echo, ms; t[0] = 0
	sum float64   // Σt
	// scatter is Σ(t − mean t)², ms².
	scatter float64
	// step is the echo spacing in ms where echoes are equally spaced, else 0; then
	// steps is te0 in such steps, or 0 where it is not a whole number of them.
	step  float64
	steps int
	scan  scan
	o     Options
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
		equal = equal && math.Abs(k.t[e]-float64(float64(e)*k.step)) <= equalSpacing*k.step
	}
	k.scatter = scatter(k.t, k.sum/float64(len(te)))
	if !equal {
		k.step = 0
	} else if n := math.Round(k.te0 / k.step); math.Abs(k.te0-float64(n*k.step)) <= equalSpacing*k.step {
		k.steps = int(n)
	}
	if o.Method == NLLS {
		k.scan = newScan(k.t, k.step)
	}
	return k
}

// decay is a curve a·exp(−rate·t) through the echoes, with the curvature of its
// least-squares problem: spread = Σ(t·g)² − (Σt·g²)²/Σg² for g = exp(−rate·t),
// so that var(rate) = σ²/(a²·spread). Where echoes are equally spaced, ratio may
// hold exp(−rate·step); 0 means it is not known yet. Four numbers and no more: a
// larger struct does not stay in registers, which took a fifth longer per voxel.
type decay struct{ a, rate, spread, ratio float64 }

// failed is the estimate of a voxel that has none, with the reason.
func failed(s volume.Status) Estimate {
	nan := math.NaN()
	return Estimate{T2: nan, S0: nan, R2: nan, SE: nan, Status: s}
}

// moments are the sums over the echoes of a voxel that its fit starts from; four
// for the reason that decay has four.
type moments struct {
	sum, slope float64 // Σy, Σt·y
	squares    float64 // Σy²
	lag        float64 // Σy[e−1]·y[e]
}

// moments takes one pass over the magnitudes y and counts those above the floor.
func (k *kernel) moments(y []float64) (m moments, above int) {
	last := 0.0
	for e, v := range y {
		if v > k.o.MinSignal {
			above++
		}
		m.sum += v
		m.slope += float64(v * k.t[e])
		m.squares += float64(v * v)
		m.lag += float64(last * v)
		last = v
	}
	return m, above
}

// estimate fits the magnitudes y, one per echo time of the kernel.
func (k *kernel) estimate(y []float64) Estimate {
	y = y[:len(k.t)]
	m, above := k.moments(y)
	if above < 2 {
		return failed(volume.LowSignal)
	}
	tss := m.squares - m.sum*m.sum/float64(len(y))
	if tss < steady*m.squares {
		tss = scatter(y, m.sum/float64(len(y)))
	}
	var d decay
	var rss float64
	var s volume.Status
	if k.o.Method == LogLinear {
		d, s = k.logLinear(y)
		rss = k.residual(y, d)
	} else {
		d, rss, s = k.nlls(y, m, tss)
	}
	if s != volume.Fitted {
		return failed(s)
	}
	return k.finish(d, rss, tss)
}

// steady is the fraction of Σy² under which Σ(y − mean)² is taken from the
// differences: its short formula loses up to 1e-15 of Σy², which is then no more
// than 1e-9 of the result.
const steady = 1e-6

// scatter returns Σ(y − mean)², from the differences, so that nothing cancels.
func scatter(y []float64, mean float64) float64 {
	sum := 0.0
	for _, v := range y {
		d := v - mean
		sum += float64(d * d)
	}
	return sum
}

// residual returns Σ(y − a·exp(−rate·t))².
func (k *kernel) residual(y []float64, d decay) float64 {
	rss := 0.0
	if k.step > 0 {
		g, q := d.a, d.ratio
		if q == 0 {
			q = math.Exp(-d.rate * k.step)
		}
		for _, v := range y {
			r := v - g
			rss += float64(r * r)
			g *= q
		}
		return rss
	}
	for e, v := range y {
		r := v - float64(d.a*math.Exp(-d.rate*k.t[e]))
		rss += float64(r * r)
	}
	return rss
}

// start returns the curve's magnitude at TE = 0. Where the train begins at a
// multiple of its spacing, as most do, that takes no exponential.
func (k *kernel) start(d decay) float64 {
	if k.steps == 0 || d.ratio == 0 {
		return d.a * math.Exp(d.rate*k.te0)
	}
	s0 := d.a
	for range k.steps {
		s0 /= d.ratio
	}
	return s0
}

// finish turns a curve into the estimate: R², the standard error and the checks
// against the options' limits. rss is the residual of the curve and tss that of the
// constant: a curve that leaves no less is not a decay, however it was found.
func (k *kernel) finish(d decay, rss, tss float64) Estimate {
	est := Estimate{T2: 1 / d.rate, S0: k.start(d), R2: 1 - rss/tss, Status: volume.Fitted}
	est.SE = est.T2 * est.T2 * math.Sqrt(rss/(float64(len(k.t)-2)*d.spread*d.a*d.a))
	switch {
	case !(rss < tss):
		return failed(volume.NotDecaying)
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
