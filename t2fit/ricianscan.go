package t2fit

import "math"

// descent is the residual of a decay and half of its derivatives with respect to ln a and the rate.
type descent struct {
	rss        float64
	da, dr     float64 // gradient
	aa, ar, rr float64 // Hessian
	ja, jm, jr float64 // JᵀJ, the Hessian if there are no residuals
}

// evaluate returns the descent at a·g.
func (k *rician) evaluate(a float64, g []float64) (f descent) {
	for e, y := range k.y {
		x, t := a*g[e], k.t[e]
		m := k.table.evaluate(x)
		r, j := y-m.mean, m.slope*x
		f.rss += float64(r * r)
		h := float64(r * j)
		f.da -= h
		f.dr += float64(h * t)
		j = float64(j * j)
		f.ja += j
		f.jm -= float64(j * t)
		f.jr += float64(j * t * t)
		j -= float64(r * m.bend * x * x)
		f.aa += j
		j -= h
		f.ar -= float64(j * t)
		f.rr += float64(j * t * t)
	}
	return f
}

// shrink is the smallest factor by which a step may change an amplitude or a rate.
const shrink = 0.25

// descend iterates from d to a minimum: by Newton's step, or the Gauss–Newton step if the curvature
// is not that of a minimum, cut to a quarter until the residual does not grow. The residual is
// infinite if it finds no minimum, for example because the rate falls to 0.
func (k *rician) descend(d decay) (decay, descent) {
	k.unit(d.rate, k.g)
	f := k.evaluate(d.a, k.g)
	for range maxSteps {
		da, dr, newton := f.step()
		near := newton && math.Abs(dr) <= tolerance*min(d.rate, 1/k.t[1]) && math.Abs(da) <= tolerance
		down := false
		// A quarter, ten times in succession, is a millionth.
		for range 11 {
			next := decay{d.a * max(1+da, shrink), max(d.rate+dr, shrink*d.rate)}
			k.unit(next.rate, k.g)
			g := k.evaluate(next.a, k.g)
			if near {
				return next, g
			}
			if down = g.rss <= f.rss; down {
				d, f = next, g
				break
			}
			da, dr = da/4, dr/4
		}
		if !down {
			break
		}
	}
	return d, descent{rss: math.Inf(1)}
}

// step returns the step to the zero of the derivatives, and whether it is Newton's step. It is NaN
// if the residual does not depend on both parameters.
func (f *descent) step() (da, dr float64, newton bool) {
	aa, ar, rr := f.aa, f.ar, f.rr
	det := float64(aa*rr) - float64(ar*ar)
	newton = aa > 0 && det > 0
	if !newton {
		aa, ar, rr = f.ja, f.jm, f.jr
		det = float64(aa*rr) - float64(ar*ar)
	}
	if !(det > 0) {
		return math.NaN(), math.NaN(), false
	}
	da = (float64(ar*f.dr) - float64(rr*f.da)) / det
	dr = (float64(ar*f.da) - float64(aa*f.dr)) / det
	return da, dr, newton
}

// faint is the amplitude, in units of the noise, below which the residual is a parabola in the
// square of the amplitude rather than in the amplitude.
const faint = 1

// search returns the best of all minima; its residual is infinite if there is none. At each rate,
// the best amplitude is predicted to first order from the previous rate. One evaluation then gives,
// to second order, the derivative of the residual with respect to the rate at the best amplitude. A
// minimum lies where it changes from negative to positive.
func (k *rician) search() (best decay, least descent) {
	least.rss = math.Inf(1)
	sum := 0.0
	for _, v := range k.y {
		sum += v
	}
	// The level of the constant, for the rate 0.
	a := k.level(max(sum/float64(len(k.y)), faint), k.units[0])
	last, before := decay{}, 0.0
	for i, rate := range k.rates {
		if a < faint {
			a = k.level(faint, k.units[i])
		}
		f := k.evaluate(a, k.units[i])
		curve := f.aa
		if !(curve > 0) {
			curve = f.ja
		}
		slope := f.dr - float64(f.ar*f.da/curve)
		if before < 0 && slope >= 0 {
			part := before / (before - slope)
			d, g := k.descend(decay{last.a + float64((a-last.a)*part), last.rate + float64((rate-last.rate)*part)})
			if g.rss < least.rss {
				best, least = d, g
			}
		}
		before, last = slope, decay{a, rate}
		if i+1 < len(k.rates) {
			ahead := k.rates[i+1] - rate
			a *= min(max(1-(f.da+float64(f.ar*ahead))/curve, shrink), 1/shrink)
		}
	}
	return best, least
}

// level returns approximately the least-squares amplitude of the unit decay g, by four of Newton's
// steps for its square.
func (k *rician) level(a float64, g []float64) float64 {
	for range 4 {
		f := k.evaluate(a, g)
		curve := f.aa - f.da
		if !(curve > 0) {
			curve = f.ja
		}
		// A step changes the square by a factor from 0.1 to 10.
		a *= math.Sqrt(min(max(1-float64(2*f.da/curve), 0.1), 10))
	}
	return a
}
