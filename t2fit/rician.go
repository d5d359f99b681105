package t2fit

import (
	"math"

	"github.com/t2map/t2map/t2fit/internal/lanes"
	"github.com/t2map/t2map/volume"
)

// rician is least squares on the expectation of Rician magnitudes: it minimises
//
//	Σ(y − E(A))²,   A = a·exp(−rate·t)
//
// over a and the rate, with E as in magnitude and all values in units of the noise. Weights by the
// variance of the magnitudes would improve little: wherever the Cramér–Rao bound is below a fifth
// of T2, the estimates scatter by at most 3 % more than the bound, because the echoes near the
// floor, whose variance is smaller, also contain the least information.
//
// It descends from the result of nlls, and searches all decays (ricianscan.go) unless the minimum
// that it reaches is clearly the best.
type rician struct {
	train
	plain *nlls
	rates []float64
	units [][]float64 // the decay of amplitude 1 at each of the rates
	table *magnitudes
	// Scratch: the echoes in units of the noise, and a decay of amplitude 1.
	y, g []float64
}

// evident is the R² above which a minimum reached from the plain fit of an even train is assumed to
// be the global one. Hill climbing over the signals of 3 to 31 echoes for the wrong minimum with
// the highest R² found 0.864, for 6 echoes.
const evident = 0.9

func newRician(k train) func() estimator {
	plain, n := newNLLS(k), len(k.t)
	rates := ratesOver(k.t, k.step > 0)
	units := make([][]float64, len(rates))
	for i, r := range rates {
		units[i] = make([]float64, n)
		k.unit(r, units[i])
	}
	table := tabulated()
	return func() estimator {
		return &rician{
			train: k, plain: plain().(*nlls), rates: rates, units: units, table: table,
			y: make([]float64, n), g: make([]float64, n),
		}
	}
}

// unit sets g to the decay of amplitude 1 with the given rate.
func (k *train) unit(rate float64, g []float64) {
	if k.step > 0 {
		q, value := lanes.Exp(-float64(rate*k.step)), 1.0
		for e := range g {
			g[e] = value
			value *= q
		}
		return
	}
	for e, t := range k.t {
		g[e] = lanes.Exp(-float64(rate * t))
	}
}

func (k *rician) estimate(y []float64, sigma float64) result {
	var sum, squares float64
	for _, v := range y {
		sum += v
		squares += float64(v * v)
	}
	return k.refine(k.plain.estimate(y, sigma), y, sigma, total(y, sum, squares))
}

// estimateBlock starts each decay from the result of nlls.
func (k *rician) estimateBlock(b *block, floor float64) {
	k.plain.estimateBlock(b, floor)
	for i := range b.n {
		v := b.result(i)
		if v.status != volume.LowSignal {
			v = k.refine(v, b.decay(i), b.sigma[i], b.total[i])
		}
		b.keep(i, v)
	}
}

// refine fits the echoes y, whose scatter about their mean is tss, starting from the result of
// nlls. It returns NotConverged if sigma is not known, and the plain fit if the noise is below the
// rounding error of the largest echo.
func (k *rician) refine(start result, y []float64, sigma, tss float64) result {
	if !(sigma >= 0) {
		return none(volume.NotConverged)
	}
	top := 0.0
	for e, v := range y {
		k.y[e] = v / sigma
		top = max(top, v)
	}
	if sigma <= rounding*top {
		return start
	}
	tss /= sigma * sigma
	if k.step > 0 && start.status == volume.Fitted {
		d := decay{start.s0 * lanes.Exp(-k.te0/start.t2) / sigma, 1 / start.t2}
		if d, f := k.descend(d); f.rss <= (1-evident)*tss {
			return k.conclude(d, f, sigma)
		}
	}
	d, f := k.search()
	// The residual as the rate grows without bound: all echoes but the first are on the floor, and
	// the first has no residual unless it is below the floor.
	below := min(k.y[0]-floor, 0)
	spike := float64(below*below) + scatter(k.y[1:], floor)
	switch {
	case !(min(f.rss, spike) < tss):
		return none(volume.NotDecaying)
	case !(f.rss < spike):
		return none(volume.NotConverged)
	}
	return k.conclude(d, f, sigma)
}

// conclude converts a minimum to the units of the series. Its standard error propagates the
// variance of each echo through the Jacobian: variance decreases towards the floor, so that
// RSS/(n−2) would underestimate that of the early echoes, which matter most. Scatter of the
// residuals above their variance increases the error, as with other methods.
func (k *rician) conclude(d decay, f descent, sigma float64) result {
	k.unit(d.rate, k.g)
	det := float64(f.ja*f.jr) - float64(f.jm*f.jm)
	spread, chi := 0.0, 0.0
	for e, g := range k.g {
		x := d.a * g
		m, v := k.table.evaluate(x), k.table.variance(x)
		r := k.y[e] - m.mean
		chi += float64(r * r / v)
		// The row of (JᵀJ)⁻¹Jᵀ for the rate.
		c := m.slope * x * (f.jm + float64(f.ja*k.t[e])) / det
		spread += float64(c * c * v)
	}
	free := float64(len(k.y) - 2)
	v := k.result(decay{d.a * sigma, d.rate}, f.rss*sigma*sigma, 0)
	v.se = math.Sqrt(spread*chi/free) / float64(d.rate*d.rate)
	return v
}

// chi returns Σ(y − E)²/variance at an estimate of the echoes that were fitted last. It has a χ²
// distribution of n−2 degrees of freedom if sigma is the noise.
func (k *rician) chi(v result, sigma float64) float64 {
	a := v.s0 * lanes.Exp(-k.te0/v.t2) / sigma
	k.unit(1/v.t2, k.g)
	sum := 0.0
	for e, g := range k.g {
		r := k.y[e] - k.table.evaluate(a*g).mean
		sum += float64(r * r / k.table.variance(a*g))
	}
	return sum
}
