package t2fit

import (
	"math"

	"github.com/t2map/t2map/t2fit/internal/lanes"
	"github.com/t2map/t2map/volume"
)

// offset is least squares with three parameters: a decay plus a constant,
//
//	S(TE) = S0·exp(−TE/T2) + C,
//
// where C absorbs a noise floor, a second tissue of long T2 and the effect of imperfect refocusing
// (Milford et al. 2015, 10.1371/journal.pone.0145255). C is unbounded and may be negative, because
// these effects have either sign, and a bound would bias T2 wherever it is reached. S0 is the
// amplitude of the decay alone.
//
// By variable projection, only the rate is searched. In place of exp(−rate·t), the decay is (1 −
// exp(−rate·t))/rate, called h, which with a constant spans the same curves and tends to the
// straight line t as the rate falls to 0. Let h be relative to its mean, u = Σy·h and w = Σh². The
// best coefficient is u/w, negative for a decay, and the residual TSS − u²/w has a minimum where
//
//	φ = u'·w − u·w'/2
//
// changes from negative to positive as the rate grows.
type offset struct {
	train
	rate []float64   // the rates of the scan, ascending from 0
	phi  [][]float64 // for each rate, the weights in φ = Σ phi·y
	// Scratch: h and its derivative with respect to the rate, and y, all relative to their means.
	h, h1, y []float64
}

// sums are sums over the echoes at one rate: u, u', w = Σh², Σh·h' and Σh'²; and the mean of h.
// scale is exp(rate·t[1]), by which φ is multiplied, because otherwise φ vanishes as the rate grows
// and every rate looks like a zero.
type sums struct{ u, u1, w, w1, w2, mean, scale float64 }

func (s sums) phi() float64 { return (float64(s.u1*s.w) - float64(s.u*s.w1)) * s.scale }

func newOffset(k train) func() estimator {
	n, rates := len(k.t), ratesOver(k.t, k.step > 0)
	phi := make([][]float64, len(rates))
	own := func() *offset {
		return &offset{
			train: k, rate: rates, phi: phi, h: make([]float64, n), h1: make([]float64, n), y: make([]float64, n),
		}
	}
	m := own()
	for i, r := range rates {
		s := m.evaluate(r)
		phi[i] = make([]float64, n)
		for e := range phi[i] {
			phi[i][e] = (float64(m.h1[e]*s.w) - float64(m.h[e]*s.w1)) * s.scale
		}
	}
	return func() estimator { return own() }
}

// evaluate sets h and h1 to their values at the rate and returns the sums.
func (k *offset) evaluate(rate float64) (s sums) {
	mean1 := 0.0
	for e, t := range k.t {
		p, p1 := saturation(rate * t)
		k.h[e], k.h1[e] = t*p, t*t*p1
		s.mean += k.h[e]
		mean1 += k.h1[e]
	}
	s.scale = lanes.Exp(rate * k.t[1])
	n := float64(len(k.t))
	s.mean /= n
	mean1 /= n
	for e := range k.h {
		h, h1 := k.h[e]-s.mean, k.h1[e]-mean1
		k.h[e], k.h1[e] = h, h1
		s.u += float64(k.y[e] * h)
		s.u1 += float64(k.y[e] * h1)
		s.w += float64(h * h)
		s.w1 += float64(h * h1)
		s.w2 += float64(h1 * h1)
	}
	return s
}

// saturation returns p = (1 − exp(−z))/z and its derivative, for z ≥ 0.
func saturation(z float64) (p, p1 float64) {
	if z > 0.1 {
		g := lanes.Exp(-z)
		p = (1 - g) / z
		return p, (g - p) / z
	}
	// The difference in the formula loses digits. The series is p = Σ (−z)ᵏ/(k+1)!, whose terms
	// from the tenth power on are below 1e-17.
	term := 1.0
	for k := range 10 {
		p += term
		p1 -= term * float64(k+1) / float64(k+2)
		term *= -z / float64(k+2)
	}
	return p, p1
}

// estimate returns NotDecaying if a constant or a straight line has a residual as small as that of
// any decay, and NotConverged if the residual decreases as the rate grows without bound.
func (k *offset) estimate(y []float64, _ float64) result {
	sum := 0.0
	for _, v := range y {
		sum += v
	}
	n := float64(len(y))
	mean := sum / n
	tss := scatter(y, mean)
	for e, v := range y {
		k.y[e] = v - mean
	}
	rate, least := k.search()
	line := tss
	if s := k.evaluate(0); s.u < 0 {
		line = k.residual(s)
	}
	// As the rate grows without bound, the curve tends to a first echo above a constant.
	rest := (sum - y[0]) / (n - 1)
	spike := tss
	if y[0] > rest {
		spike = scatter(y[1:], rest)
	}
	switch {
	case !(min(least, spike) < line):
		return none(volume.NotDecaying)
	case !(least < spike), rate*k.t[1] > fastestOffset:
		return none(volume.NotConverged)
	}
	s := k.evaluate(rate)
	b := s.u / s.w
	spread := s.w2 - float64(s.w1*s.w1/s.w)
	v := k.result(decay{a: -b / rate, rate: rate}, least, 0)
	v.se = math.Sqrt(least/((n-3)*spread)) / (math.Abs(b) * rate * rate)
	v.offset = mean + float64(b*(1/rate-s.mean))
	return v
}

// residual returns the residual of the best decay plus a constant, from the sums at its rate.
func (k *offset) residual(s sums) float64 {
	b, rss := s.u/s.w, 0.0
	for e, v := range k.y {
		r := v - float64(b*k.h[e])
		rss += float64(r * r)
	}
	return rss
}

// search returns the rate of the best of all minima and its residual, which is infinite if there is
// none.
func (k *offset) search() (rate, least float64) {
	least = math.Inf(1)
	before := 0.0
	for i, weights := range k.phi {
		phi := 0.0
		for e, v := range k.y {
			phi += float64(weights[e] * v)
		}
		if before < 0 && phi >= 0 {
			r := k.solve(k.rate[i-1], k.rate[i], before, phi)
			if s := k.evaluate(r); s.u < 0 {
				if rss := k.residual(s); rss < least {
					rate, least = r, rss
				}
			}
		}
		before = phi
	}
	return rate, least
}

// solve returns the rate between lo and hi at which φ is zero, given φ at both ends. It uses the
// secant, with the value at an end that does not move halved each time (the Illinois rule; Dowell &
// Jarratt 1971, 10.1007/BF01934364), so that both ends converge.
func (k *offset) solve(lo, hi, philo, phihi float64) float64 {
	rate, stayed := lo, 0
	for range maxSteps {
		next := lo + float64((hi-lo)*(philo/(philo-phihi)))
		if !(next > lo && next < hi) || math.Abs(next-rate) <= offsetTolerance*next {
			return next
		}
		rate = next
		phi := k.evaluate(rate).phi()
		if phi < 0 {
			lo, philo = rate, phi
			if stayed > 0 {
				phihi /= 2
			}
			stayed = 1
		} else {
			hi, phihi = rate, phi
			if stayed < 0 {
				philo /= 2
			}
			stayed = -1
		}
	}
	return rate
}

// fastestOffset is the largest meaningful rate, times the time to the second echo. At the second
// echo, the decay is then a millionth of its first echo, where float32 magnitudes resolve 16 steps.
const fastestOffset = 13.8

// offsetTolerance ends the secant steps: the next step would change the rate by less than this
// fraction, far below the 6e-8 of a float32 map.
const offsetTolerance = 1e-10
