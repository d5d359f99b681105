package t2fit

import (
	"math"

	"github.com/t2map/t2map/t2fit/internal/lanes"
	"github.com/t2map/t2map/volume"
)

const (
	// tolerance ends the iteration once a Newton step moves the rate by less than
	// this fraction, as in package lanes.
	tolerance = 1e-5
	// maxSteps is far above what bisection alone needs to reach the tolerance, so
	// only a broken decay reaches it.
	maxSteps = 100
)

// minimum is a decay with the curvature of its least-squares problem, spread =
// Σ(t·g)² − (Σt·g²)²/Σg² for g = exp(−rate·t), so that var(rate) =
// σ²/(a²·spread), and its residual, infinite if there is none.
type minimum struct {
	decay
	spread, rss float64
}

// uneven is the fit of one decay on echoes at any spacing: it solves every
// minimum that the scan shows and takes the best.
func (k *nlls) uneven(y []float64, tss float64) result {
	best := minimum{rss: math.Inf(1)}
	before := 0.0
	for r := range k.unknowns {
		phi := k.phiAt(r, y)
		if before < 0 && phi >= 0 {
			if m := k.between(r-1).solve(&k.train, y); m.rss < best.rss {
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

// solve finds a minimum in a bracket of rates; derivatives are along the negative
// rate, so that g grows.
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
			// The sums belong to the rate before the last step; u/w follows it to first
			// order.
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
