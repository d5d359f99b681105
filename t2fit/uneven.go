package t2fit

import (
	"math"

	"github.com/t2map/t2map/t2fit/internal/lanes"
	"github.com/t2map/t2map/volume"
)

const (
	// tolerance ends the iteration once a Newton step changes the rate by less than this fraction,
	// as in package lanes.
	tolerance = 1e-5
	// maxSteps is far above the number of bisections that the tolerance needs, so that only invalid
	// data reach it.
	maxSteps = 100
)

// minimum is a decay with its residual rss, infinite if there is no minimum, and the curvature of
// its least-squares problem, spread = Σ(t·g)² − (Σt·g²)²/Σg² for g = exp(−rate·t), so that
// var(rate) = σ²/(a²·spread).
type minimum struct {
	decay
	spread, rss float64
}

// uneven fits one decay on echoes of any spacing: it solves for every minimum that the scan shows
// and returns the best.
func (k *nlls) uneven(y []float64, tss float64) result {
	best := minimum{rss: math.Inf(1)}
	before := 0.0
	for r := range k.unknowns {
		phi := k.phiAt(r, y)
		if before < 0 && phi >= 0 {
			if m := k.interval(r-1).solve(&k.train, y); m.rss < best.rss {
				best = m
			}
		}
		before = phi
	}
	if s := bestOf(y, best.rss, tss); s != volume.Fitted {
		return none(s)
	}
	return k.train.result(best.decay, best.rss, 1/(best.rate*best.rate*best.a*math.Sqrt(best.spread)))
}

// solve finds a minimum in a bracket of rates. Derivatives are with respect to the negative rate,
// along which g grows.
func (b bracket) solve(k *train, y []float64) minimum {
	rate, lo, hi := b.start, b.lo, b.hi
	for range maxSteps {
		var u, u1, u2, w, w1, w2 float64
		for e, v := range y {
			t := k.t[e]
			g := lanes.Exp(-float64(rate * t))
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
		if phi > 0 { // the rate is too high
			hi = rate
		} else {
			lo = rate
		}
		next := rate + phi/curve
		// Above 1/t[1], the relative change of the echoes is larger than that of the rate.
		if math.Abs(next-rate) <= tolerance*min(rate, 1/k.t[1]) && curve < 0 {
			if !(u > 0) {
				break
			}
			// The sums belong to the rate before the last step; u/w is corrected to first order.
			per := 1 / w
			a := float64(u * per)
			a += float64((u1 - float64(2*a*w1)) * per * (rate - next))
			d := decay{a, next}
			return minimum{d, w2 - float64(w1*w1*per), k.residual(y, d)}
		}
		if !(curve < 0) || next <= lo || next >= hi {
			next = (lo + hi) / 2
			if next == lo || next == hi {
				break
			}
		}
		rate = next
	}
	return minimum{rss: math.Inf(1)}
}
