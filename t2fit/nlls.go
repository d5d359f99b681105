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
// it. Noise, or two decays in one voxel, make more than one such place: scan.go
// finds them all where there may be.

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

// nlls finds the least squares over all decays, rates from 0 to infinity, and
// their residual; tss is the residual of the constant. It is NotDecaying where no
// decay leaves less than the constant, and NotConverged where the residual falls
// as the rate grows without bound: the echoes after the first hold no decay.
func (k *kernel) nlls(y []float64, m moments, tss float64) (decay, float64, volume.Status) {
	falling := k.falling(m)
	if !falling && !k.mayDecay(y, m.sum) {
		return decay{}, 0, volume.NotDecaying
	}
	var found decay
	// Where not even half the scatter lies on a line, the scan will be needed
	// anyway, and starts the solver better.
	line := m.slope - m.sum*k.sum/float64(len(k.t))
	if falling && k.step > 0 && line*line > 0.5*k.scatter*tss {
		d, rss := k.equal(y, startRatio(m, y[len(y)-1]), 0, 1)
		if rss <= (1-certain)*tss {
			return d, rss, volume.Fitted
		}
		found = d
	}
	return k.search(y, found, tss)
}

// equal finds a minimum of equally spaced echoes between the ratios lo and hi,
// from q. Its unknown is q = exp(−step/T2) itself, so that g = 1, q, q², … takes
// multiplications alone; u1, u2, w1, w2 hold derivatives along ln q. It
// returns the residual too, infinite where it comes upon no minimum.
func (k *kernel) equal(y []float64, q, lo, hi float64) (decay, float64) {
	for range maxSteps {
		// Horner's scheme for u as a polynomial in q and w as one in q², with
		// their first and halved second derivatives.
		var u, u1, u2, w, w1, w2 float64
		q2 := float64(q * q)
		for e := len(y) - 1; e >= 0; e-- {
			u2 = float64(u2*q) + u1
			u1 = float64(u1*q) + u
			u = float64(u*q) + y[e]
			w2 = float64(w2*q2) + w1
			w1 = float64(w1*q2) + w
			w = float64(w*q2) + 1
		}
		u1, w1 = float64(u1*q), float64(w1*q2)
		u2, w2 = u1+float64(2*u2*q2), w1+float64(2*w2*q2*q2)
		phi := float64(u1*w) - float64(u*w1)
		curve := float64(u2*w) + float64(u1*w1) - float64(2*u*w2)
		if phi > 0 {
			lo = q
		} else {
			hi = q
		}
		newton := phi / curve
		next := q - float64(q*newton)
		// q·(1−q) is as small as the nearer of the two ends.
		if math.Abs(next-q) <= tolerance*q*(1-q) && curve < 0 {
			if !(u > 0) {
				break
			}
			per := 1 / w
			d := decay{
				a:      project(u, u1, per, w1, -newton),
				ratio:  next,
				rate:   -math.Log(next) / k.step,
				spread: (w2 - float64(w1*w1*per)) * k.step * k.step,
			}
			return d, k.residual(y, d)
		}
		if !(curve < 0) || next <= lo || next >= hi {
			next = (lo + hi) / 2
			if next < shortest || next == lo || next == hi {
				break
			}
		}
		q = next
	}
	return decay{}, math.Inf(1)
}

// project returns the amplitude u/w after the last step d, to first order, since
// the sums belong to the rate before it; per is 1/w.
func project(u, u1, per, w1, d float64) float64 {
	a := float64(u * per)
	return a + float64((u1-float64(2*a*w1))*per*d)
}

// startRatio guesses q from the ratio of each echo to the one before, weighted
// by its square: Σy[e−1]·y[e]/Σy[e−1]². No logarithm, so zeros do no harm.
func startRatio(m moments, last float64) float64 {
	q := m.lag / (m.squares - float64(last*last))
	// The bounds keep the first step inside the bracket; T2 from a twentieth of
	// the echo spacing to a hundred spacings starts where it is.
	if !(q > 1e-9) {
		return 0.5
	}
	return min(q, 0.99)
}

// general finds a minimum of echoes at any spacing between the rates lo and hi,
// from rate; its unknown is the rate 1/T2 in 1/ms, and derivatives are along the
// negative rate, so that g grows. It returns the residual too, infinite where it
// comes upon no minimum.
func (k *kernel) general(y []float64, rate, lo, hi float64) (decay, float64) {
	for range maxSteps {
		var u, u1, u2, w, w1, w2 float64
		for e, v := range y {
			t := k.t[e]
			g := math.Exp(-rate * t)
			yg, gg := float64(v*g), float64(g*g)
			u += yg
			w += gg
			yg = float64(yg * t)
			gg = float64(gg * t)
			u1 += yg
			w1 += gg
			u2 += float64(yg * t)
			w2 += float64(gg * t)
		}
		phi := float64(u1*w) - float64(u*w1)
		curve := float64(u2*w) + float64(u1*w1) - float64(2*u*w2)
		if phi > 0 { // g should grow: the rate is too high
			hi = rate
		} else {
			lo = rate
		}
		next := rate + phi/curve
		// Beyond 1/t[1] the echoes change faster with the rate than it does.
		if math.Abs(next-rate) <= tolerance*min(rate, 1/k.t[1]) && curve < 0 {
			if !(u > 0) {
				break
			}
			per := 1 / w
			d := decay{a: project(u, u1, per, w1, rate-next), rate: next, spread: w2 - float64(w1*w1*per)}
			return d, k.residual(y, d)
		}
		if !(curve < 0) || next <= lo || next >= hi {
			next = (lo + hi) / 2
			if next == lo || next == hi {
				break
			}
		}
		rate = next
	}
	return decay{}, math.Inf(1)
}
