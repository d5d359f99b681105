package t2fit

import (
	"math"

	"github.com/t2map/t2map/t2fit/internal/lanes"
	"github.com/t2map/t2map/volume"
)

// decay is a curve a·exp(−rate·t) through the echoes; a is its magnitude at the
// first fitted echo and rate is 1/T2 in 1/ms.
type decay struct{ a, rate float64 }

// residual returns Σ(y − a·exp(−rate·t))².
func (k *train) residual(y []float64, d decay) float64 {
	rss := 0.0
	if k.step > 0 {
		g, q := d.a, lanes.Exp(-float64(d.rate*k.step))
		for _, v := range y {
			r := v - g
			rss += float64(r * r)
			g *= q
		}
		return rss
	}
	for e, v := range y {
		r := v - float64(d.a*lanes.Exp(-float64(d.rate*k.t[e])))
		rss += float64(r * r)
	}
	return rss
}

// amplitude returns the decay of the given rate with the least-squares amplitude, and its residual
// sum of squares.
func (k *train) amplitude(y []float64, rate float64) (decay, float64) {
	var u, w float64
	for e, v := range y {
		g := lanes.Exp(-float64(rate * k.t[e]))
		u += float64(v * g)
		w += float64(g * g)
	}
	d := decay{a: u / w, rate: rate}
	return d, k.residual(y, d)
}

// spread returns Σ(t·g)² − (Σt·g²)²/Σg² for g = exp(−rate·t). With noise of 1, the least variance
// of a rate is 1/(a²·spread).
func (k *train) spread(rate float64) float64 {
	var w, w1, w2 float64
	for _, t := range k.t {
		g := lanes.Exp(-float64(rate * t))
		gg := float64(g * g)
		w += gg
		w1 += float64(gg * t)
		w2 += float64(gg * t * t)
	}
	return w2 - float64(w1*w1/w)
}

// result converts a decay that was fitted to all echoes. perSigma is the standard error of T2 in ms
// for noise of 1.
func (k *train) result(d decay, rss, perSigma float64) result {
	nan := math.NaN()
	return result{
		t2: 1 / d.rate, s0: d.a * lanes.Exp(float64(d.rate*k.te0)), rss: rss,
		se:     perSigma * math.Sqrt(rss/float64(len(k.t)-2)),
		offset: nan, b1: nan, echoes: len(k.t), status: volume.Fitted,
	}
}
