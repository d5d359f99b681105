package t2fit

import (
	"math"

	"github.com/t2map/t2map/volume"
)

// The non-linear fit by variable projection (Golub & Pereyra 1973,
// 10.1137/0710036). For a given rate the best amplitude is
// a = Σy·g/Σg² with g = exp(−rate·t), and what is left to minimise over the
// rate alone is Σy² − u²/w with u = Σy·g and w = Σg². Its derivative is zero
// where
//
//	φ = u'·w − u·w'/2 = 0,
//
// and a minimum of the residuals is a place where φ, taken along growing g,
// turns from positive to negative. Newton's step on φ converges in three or four
// rounds; a bracket around the sign change catches the steps that would leave
// it.

const (
	// tolerance ends the iteration: once a Newton step moves the rate by less
	// than this fraction, quadratic convergence puts the result within about
	// its square of the minimum, 1e-10, far below the 6e-8 of a float32 map.
	tolerance = 1e-5
	// maxSteps is far above what bisection alone needs to reach the tolerance
	// from a bracket of [0, 1] (24), so only a broken decay reaches it.
	maxSteps = 100
	// shortest bounds exp(−step/T2) from below: under it the second echo holds
	// less than a part in 10¹² of the first and the data say nothing about T2.
	shortest = 1e-12
)

// equal fits equally spaced echoes. Its unknown is q = exp(−step/T2) itself, so
// that g = 1, q, q², … takes multiplications alone; derivatives are along ln q.
// The caller has checked that the echoes fall, which brackets q in (0, 1).
func (k *kernel) equal(y []float64, m moments) (decay, volume.Status) {
	lo, hi := 0.0, 1.0
	q := startRatio(m, y[len(y)-1])
	for range maxSteps {
		var u, u1, u2, w, w1, w2 float64
		g, i := 1.0, 0.0
		for _, v := range y {
			yg, gg := v*g, g*g
			u += yg
			w += gg
			yg *= i
			gg *= i
			u1 += yg
			w1 += gg
			u2 += yg * i
			w2 += gg * i
			g *= q
			i++
		}
		phi := u1*w - u*w1
		curve := u2*w + u1*w1 - 2*u*w2
		if phi > 0 {
			lo = q
		} else {
			hi = q
		}
		next := q - q*phi/curve
		// q·(1−q) is as small as the nearer of the two ends.
		if math.Abs(next-q) <= tolerance*q*(1-q) && curve < 0 {
			if !(u > 0) {
				break
			}
			return decay{
				a:      amplitude(u, u1, w, w1, -phi/curve),
				ratio:  next,
				rate:   -math.Log(next) / k.step,
				spread: (w2 - w1*w1/w) * k.step * k.step,
			}, volume.Fitted
		}
		if !(curve < 0) || next <= lo || next >= hi {
			next = lo + (hi-lo)/2
			if next < shortest || next == lo || next == hi {
				break
			}
		}
		q = next
	}
	return decay{}, volume.NotConverged
}

// amplitude returns u/w after the last step d, to first order: the sums belong
// to the rate before it.
func amplitude(u, u1, w, w1, d float64) float64 {
	return u/w + d*(u1-2*u*w1/w)/w
}

// startRatio guesses q from the ratio of each echo to the one before, weighted
// by its square: Σy[e−1]·y[e]/Σy[e−1]². No logarithm, so zeros do no harm.
func startRatio(m moments, last float64) float64 {
	q := m.lag / (m.squares - last*last)
	// The bounds keep the first step inside the bracket; T2 from a twentieth of
	// the echo spacing to a hundred spacings starts where it is.
	if !(q > 1e-9) {
		return 0.5
	}
	return min(q, 0.99)
}

// general fits echoes at any spacing; its unknown is the rate 1/T2 in 1/ms, and
// derivatives are along the negative rate, so that g grows.
func (k *kernel) general(y []float64) (decay, volume.Status) {
	last := k.t[len(k.t)-1]
	lo, hi := 0.0, -math.Log(shortest)/k.t[1]
	rate := k.startRate(y, 1/last)
	for range maxSteps {
		var u, u1, u2, w, w1, w2 float64
		for e, v := range y {
			t := k.t[e]
			g := math.Exp(-rate * t)
			yg, gg := v*g, g*g
			u += yg
			w += gg
			u1 += t * yg
			w1 += t * gg
			u2 += t * t * yg
			w2 += t * t * gg
		}
		phi := u1*w - u*w1
		curve := u2*w + u1*w1 - 2*u*w2
		if phi > 0 { // g should grow: the rate is too high
			hi = rate
		} else {
			lo = rate
		}
		next := rate + phi/curve
		if math.Abs(next-rate) <= tolerance*rate && curve < 0 {
			if !(u > 0) {
				break
			}
			return decay{a: amplitude(u, u1, w, w1, rate-next), rate: next, spread: w2 - w1*w1/w}, volume.Fitted
		}
		if !(curve < 0) || next <= lo || next >= hi {
			next = lo + (hi-lo)/2
			if next == lo || next == hi {
				break
			}
		}
		rate = next
	}
	return decay{}, volume.NotConverged
}

// startRate guesses the rate from the weighted straight line through ln y, or
// returns the fallback where that line does not fall.
func (k *kernel) startRate(y []float64, fallback float64) float64 {
	d, s := k.logLine(y)
	if s != volume.Fitted || d.rate*k.t[1] > 20 {
		return fallback
	}
	return d.rate
}
