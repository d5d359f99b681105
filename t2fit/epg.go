package t2fit

import (
	"math"

	"github.com/t2map/t2map/t2fit/internal/epg"
	"github.com/t2map/t2map/t2fit/internal/lanes"
	"github.com/t2map/t2map/volume"
)

// The fit of the extended phase graph, by variable projection as in nlls.go. Let g be the graph's
// echoes for a rate 1/T2 and a refocusing angle. The best amplitude is a = y·g/g·g, and the
// function of rate and angle that remains to be maximised is (y·g)²/g·g. A dictionary of echoes,
// made once per train, shows where its maxima are, and Newton's method converges to each.

const (
	// slowest is the lowest rate of the search, times the length of the train. fastest is
	// exp(−rate·spacing) of the highest rate. At the lowest rate, T2 is a million times the length
	// of the train; at the highest, echo 2 holds a millionth of echo 1. There the echoes are within
	// about a millionth of those without decay, or of stimulated echoes alone, and do not determine
	// T2.
	slowest, fastest = 1e-6, 1e-6
	// graphTolerance ends the iteration once a step changes the rate by less than this fraction,
	// and the cosine or B1 by less than this. The next step would be at most a tenth as large,
	// below the 6e-8 of a float32 map.
	graphTolerance = 1e-7
	// graphSteps is far above the number of steps that the iteration needs: of 160 000 starts at
	// signal-to-noise ratios of 3 and 30, eight needed more.
	graphSteps = 100
)

// phaseGraph is shared by the fits of a train and is not modified after newEPG.
type phaseGraph struct {
	model epg.Train
	refocusing
	dictionary
	lowest, highest float64 // rates of the search, 1/ms
}

// newEPG assumes that the echoes are at multiples of one spacing, which Resolved.CheckTE requires.
// The spacing is derived from the last echo time, whose relative rounding error is the smallest.
func newEPG(k train, o Resolved) func() estimator {
	n := len(k.t)
	last := k.te0 + k.t[n-1]
	p := &phaseGraph{
		model:      epg.Train{Echoes: n, Spacing: last / float64(n), T1: o.T1},
		refocusing: newRefocusing(o),
		lowest:     slowest / last,
	}
	p.highest = -lanes.Log(fastest) / p.model.Spacing
	p.dictionary = newDictionary(p)
	return func() estimator {
		return &graphFit{
			phaseGraph: p,
			current:    epg.NewDecay(p.model),
			shifted:    epg.NewDecay(p.model),
			residual:   make([]float64, n),
			match:      make([]float64, len(p.rate)),
		}
	}
}

// graphFit is the fit of one worker.
type graphFit struct {
	*phaseGraph
	current, shifted *epg.Decay
	residual         []float64 // y/a − g
	match            []float64
}

// estimate starts from every angle whose match is at least that of both neighbours, solves for the
// nearest maximum, and returns the best.
func (g *graphFit) estimate(y []float64, _ float64) result {
	best := result{rss: math.Inf(1), status: volume.NotDecaying}
	previous, top := summit{}, g.summit(0, y, g.match)
	for i, x := range g.angle {
		following := summit{}
		if i+1 < len(g.angle) {
			following = g.summit(i+1, y, g.match)
		}
		if top.match > 0 && top.match >= previous.match && top.match >= following.match {
			v := g.solve(y, place{g.rate[0] * lanes.Exp(g.stride*top.place), x})
			if v.rss < best.rss {
				best = v
			}
		}
		previous, top = top, following
	}
	return best
}

// place holds the unknowns of Newton's method.
type place struct{ rate, x float64 }

// local describes the problem near a place. The residual is y/a − g, so that only a and match
// depend on the scale of the signal.
type local struct {
	place
	a     float64 // y·g/g·g
	w     float64 // g·g
	match float64 // y·g/|g|
	// Derivatives with respect to the rate and x: the negative gradient of half the squares, and
	// g·∂g. gauss is the Gauss–Newton matrix with the amplitude projected out.
	descent, overlap [2]float64
	gauss            matrix
}

// matrix is a symmetric matrix for the rate and x.
type matrix struct{ rr, rx, xx float64 }

func (m matrix) determinant() float64 { return float64(m.rr*m.xx) - float64(m.rx*m.rx) }

// local returns the problem near a place and leaves the echoes of that place in g.current.
func (g *graphFit) local(y []float64, p place) local {
	g.echoes(g.current, p.rate, p.x)
	var u, w, gr, gx, yr, yx, rr, rx, xx float64
	byRate, byAngle := g.current.ByRate[:len(y)], g.current.ByAngle[:len(y)]
	for e, v := range g.current.Echo[:len(y)] {
		r, x := byRate[e], byAngle[e]
		w += float64(v * v)
		u += float64(v * y[e])
		gr += float64(v * r)
		gx += float64(v * x)
		yr += float64(y[e] * r)
		yx += float64(y[e] * x)
		rr += float64(r * r)
		rx += float64(r * x)
		xx += float64(x * x)
	}
	a, per := u/w, 1/w
	return local{
		place: p, a: a, w: w, match: u / math.Sqrt(w),
		descent: [2]float64{yr/a - gr, yx/a - gx},
		overlap: [2]float64{gr, gx},
		gauss:   matrix{rr - float64(gr*gr*per), rx - float64(gr*gx*per), xx - float64(gx*gx*per)},
	}
}

// secondOrder returns the difference of the Hessian matrix and the Gauss–Newton matrix: the product
// of the residual and the second derivatives of the echoes, by differences of the first
// derivatives, and the effect of the amplitude's change with the residual.
func (g *graphFit) secondOrder(y []float64, l *local) matrix {
	for e, v := range g.current.Echo {
		g.residual[e] = y[e]/l.a - v
	}
	// With a step of a millionth, rounding and third derivatives leave six digits. This matrix
	// affects the speed of convergence and not the result.
	const step = 1e-6
	stepRate := float64(step * max(l.rate, 1/(g.model.Spacing*float64(len(y)))))
	byRate, byAngle := dot(g.residual, g.current.ByRate), dot(g.residual, g.current.ByAngle)
	g.echoes(g.shifted, l.rate+stepRate, l.x)
	rr := (dot(g.residual, g.shifted.ByRate) - byRate) / stepRate
	rx := (dot(g.residual, g.shifted.ByAngle) - byAngle) / stepRate
	g.echoes(g.shifted, l.rate, l.x+step)
	xx := (dot(g.residual, g.shifted.ByAngle) - byAngle) / step
	// ∂a/a is (descent − overlap)/w, of which the Gauss–Newton matrix includes overlap.
	dr, dx := l.descent[0]-l.overlap[0], l.descent[1]-l.overlap[1]
	gr, gx, per := l.overlap[0], l.overlap[1], 1/l.w
	return matrix{
		rr: float64(gr*gr*per) - float64(dr*dr*per) - rr,
		rx: float64(gr*gx*per) - float64(dr*dx*per) - rx,
		xx: float64(gx*gx*per) - float64(dx*dx*per) - xx,
	}
}

// dot returns Σa·b.
func dot(a, b []float64) float64 {
	sum := 0.0
	for i, v := range a {
		sum += float64(v * b[i])
	}
	return sum
}

// newton returns the place after a damped step with the sum of the Gauss–Newton matrix and second,
// within the range of the search. If that sum has no minimum, it uses the Gauss–Newton matrix
// alone.
func (g *graphFit) newton(l *local, second matrix, damp float64) place {
	d := l.descent
	holdRate := l.rate <= g.lowest && d[0] < 0 || l.rate >= g.highest && d[0] > 0
	holdX := l.x <= g.lo && d[1] < 0 || l.x >= g.hi && d[1] > 0
	m := matrix{l.gauss.rr + second.rr, l.gauss.rx + second.rx, l.gauss.xx + second.xx}
	if !(m.rr > 0 || holdRate) || !(m.xx > 0 || holdX) || !(m.determinant() > 0 || holdRate || holdX) {
		m = l.gauss
	}
	m.rr, m.xx = float64(m.rr*(1+damp)), float64(m.xx*(1+damp))
	switch {
	case holdRate && holdX:
		return l.place
	case holdRate:
		return place{l.rate, g.angleWithin(l.x + d[1]/m.xx)}
	case holdX:
		return place{g.rateWithin(l.rate + d[0]/m.rr), l.x}
	}
	det := m.determinant()
	p := place{
		rate: l.rate + (float64(d[0]*m.xx)-float64(d[1]*m.rx))/det,
		x:    l.x + (float64(d[1]*m.rr)-float64(d[0]*m.rx))/det,
	}
	// If one unknown is on a bound, the other moves to its optimum there.
	if bounded := g.angleWithin(p.x); bounded != p.x {
		p.x = bounded
		p.rate = l.rate + (d[0]-float64(m.rx*(p.x-l.x)))/m.rr
	}
	if bounded := g.rateWithin(p.rate); bounded != p.rate {
		p.rate = bounded
		p.x = g.angleWithin(l.x + (d[1]-float64(m.rx*(p.rate-l.rate)))/m.xx)
	}
	return p
}

// solve converges to the nearest maximum. The Gauss–Newton matrix suffices if the residual is
// small. If the steps do not shrink tenfold each, or do not increase the match, solve adds the
// second derivatives.
func (g *graphFit) solve(y []float64, start place) result {
	l := g.local(y, start)
	var second matrix
	fresh := false // whether second belongs to this place
	damp, last := 0.0, math.Inf(1)
	for range graphSteps {
		p := g.newton(&l, second, damp)
		dr, dx := math.Abs(p.rate-l.rate)/l.rate, math.Abs(p.x-l.x)
		if dr <= graphTolerance && dx <= graphTolerance {
			return g.result(y, &l, p)
		}
		if !fresh && (damp > 0 || dr+dx > last/10) {
			second, fresh = g.secondOrder(y, &l), true
			damp, last = 0, math.Inf(1)
			continue
		}
		last = dr + dx
		next := g.local(y, p)
		// Rounding must not reject the last steps.
		if next.match >= l.match*(1-1e-12) {
			l, fresh = next, false
			damp /= 8
			if damp < 1e-3 {
				damp = 0
			}
		} else {
			damp = max(8*damp, 0.1)
			g.echoes(g.current, l.rate, l.x)
		}
	}
	v := g.result(y, &l, l.place)
	v.status = volume.NotConverged
	return v
}

// result returns the estimate at the last place p; l belongs to the place before it.
//
// At the limit of 180° the angle is not fitted, so that the residuals have one more degree of
// freedom. The standard error is still that of three parameters, because noise alone may have led
// to the limit. This overestimates the scatter of T2, which hardly depends on the angle there, by
// at most 5 % for 7 × 10 ms and T2 from 20 to 80 ms. With Student's t of n−3 degrees of freedom,
// the 95 % interval then covers 95 to 96 % at 180°.
func (g *graphFit) result(y []float64, l *local, p place) result {
	rss := 0.0
	for e, v := range y {
		r := v - float64(l.a*g.current.Echo[e])
		rss += float64(r * r)
	}
	free := len(y) - 3
	if g.limit && p.x <= g.lo {
		free++
	}
	// The effect of the last step on the amplitude, to first order.
	change := float64((l.descent[0]-l.overlap[0])*(p.rate-l.rate)) + float64((l.descent[1]-l.overlap[1])*(p.x-l.x))
	spread := l.gauss.xx / l.gauss.determinant()
	v := result{
		t2: 1 / p.rate, s0: l.a + float64(l.a*change/l.w), rss: rss,
		se:     math.Sqrt(rss/float64(free)*spread) / (l.a * p.rate * p.rate),
		offset: math.NaN(), b1: g.relative(p.x), echoes: len(y), status: volume.Fitted,
	}
	switch {
	case p.rate <= g.lowest:
		v.status = volume.NotDecaying
	case p.rate >= g.highest:
		v.status = volume.NotConverged
	case p.x <= g.lo && !g.limit || p.x >= g.hi:
		v.status = volume.AtBound
	}
	return v
}
