package t2fit

import (
	"math"

	"github.com/t2map/t2map/volume"
)

// logLinear fits the straight line ln S = ln S0 − TE/T2 with weights S² and
// gives the curvature at its result.
func (k *kernel) logLinear(y []float64) (decay, volume.Status) {
	d, s := k.logLine(y)
	if s != volume.Fitted {
		return d, s
	}
	var w, w1, w2 float64
	for _, t := range k.t {
		g := math.Exp(-d.rate * t)
		w += float64(g * g)
		w1 += float64(t * g * g)
		w2 += float64(t * t * g * g)
	}
	d.spread = w2 - w1*w1/w
	return d, volume.Fitted
}

// logLine solves the weighted line by its normal equations, about the weighted
// mean of t, so that nothing cancels. An echo that is not above zero has no
// logarithm and, by its weight, no say.
func (k *kernel) logLine(y []float64) (decay, volume.Status) {
	var w, wt, wl float64
	for e, v := range y {
		if v > 0 {
			v2 := float64(v * v)
			w += v2
			wt += float64(v2 * k.t[e])
			wl += float64(v2 * math.Log(v))
		}
	}
	t0, l0 := wt/w, wl/w
	var tt, tl float64
	for e, v := range y {
		if v > 0 {
			dt := k.t[e] - t0
			tt += float64(v * v * dt * dt)
			tl += float64(v * v * dt * (math.Log(v) - l0))
		}
	}
	rate := -tl / tt
	if !(rate > 0) || math.IsInf(rate, 0) {
		return decay{}, volume.NotDecaying
	}
	return decay{a: math.Exp(l0 + float64(rate*t0)), rate: rate}, volume.Fitted
}
