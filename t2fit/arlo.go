package t2fit

import (
	"math"

	"github.com/t2map/t2map/volume"
)

// arlo fits equally spaced echoes by auto-regression. A decay obeys
//
//	∫S = T2·(S(t) − S(t+2·step))   over two steps from t,
//
// With Simpson's rule for the integral I, this is a straight line through the origin: I against D =
// S(t) − S(t+2·step), with the slope T2. Pei et al. 2015 (10.1002/mrm.25137) estimate T2 = (Σ I² +
// step/3·Σ I·D)/(step/3·Σ D² + Σ I·D).
type arlo struct {
	train
	slope []float64 // ∂T2/∂y, scratch
}

// leastARLO is the least meaningful T2, in echo spacings. By Simpson's rule, a decay within one
// spacing has a T2 of a third of the spacing, however short it is.
const leastARLO = 0.4

func newARLO(k train) *arlo { return &arlo{train: k, slope: make([]float64, len(k.t))} }

func (k *arlo) estimate(y []float64, _ float64) result {
	third := k.step / 3
	var ii, id, dd float64
	for e := range len(y) - 2 {
		i, d := k.integral(y, e), y[e]-y[e+2]
		ii += float64(i * i)
		id += float64(i * d)
		dd += float64(d * d)
	}
	above, below := ii+float64(third*id), float64(third*dd)+id
	t2 := above / below
	if !(below > 0) || !(t2 > 0) || math.IsInf(t2, 0) {
		return none(volume.NotDecaying)
	}
	if t2 < leastARLO*k.step {
		return none(volume.NotConverged)
	}
	d, rss := k.amplitude(y, 1/t2)
	if !(d.a > 0) {
		return none(volume.NotDecaying)
	}
	// T2 is a ratio of quadratic forms of the echoes. Its gradient propagates the residual variance
	// to the standard error.
	for e := range k.slope {
		k.slope[e] = 0
	}
	for e := range len(y) - 2 {
		i, d := k.integral(y, e), y[e]-y[e+2]
		// ∂above − T2·∂below with respect to I and D.
		byI := float64(2*i) + (float64(third*d) - float64(t2*d))
		byD := float64(third*i) - float64(t2*(float64(2*third*d)+i))
		k.slope[e] += float64(third*byI) + byD
		k.slope[e+1] += float64(4 * third * byI)
		k.slope[e+2] += float64(third*byI) - byD
	}
	variance := scatter(k.slope, 0) / (below * below)
	// The curve is not that of least squares, so that its residual sum of squares exceeds n − 2
	// variances: by the ratio of its own variance to the least possible one, minus 1.
	least := 1 / float64(d.a*d.a*k.spread(d.rate)*d.rate*d.rate*d.rate*d.rate)
	dof := float64(len(y)-3) + variance/least
	return k.result(d, rss, math.Sqrt(variance*float64(len(y)-2)/dof))
}

// integral returns the integral over the two steps from echo e by Simpson's rule.
func (k *arlo) integral(y []float64, e int) float64 {
	return float64(k.step / 3 * (y[e] + float64(4*y[e+1]) + y[e+2]))
}
