package t2fit

import (
	"math"

	"github.com/t2map/t2map/t2fit/internal/epg"
	"github.com/t2map/t2map/t2fit/internal/lanes"
	"github.com/t2map/t2map/volume"
)

// The fit of the extended phase graph, by variable projection as in nlls.go. For a
// rate 1/T2 and an angle of the refocusing pulses the graph's echoes are g, the best
// amplitude is a = y·g/g·g, and what is left to maximise over the two is
// (y·g)²/g·g. A dictionary of echoes, made once per train, shows where the maxima
// are, and Newton's method goes to each.

const (
	// slowest is the lowest rate that is searched, times the length of the train,
	// and fastest the exponential of the highest, times the spacing: where T2 is a
	// million times the train, or so short that echo 2 would hold a millionth of
	// echo 1, the echoes are within about a millionth of those of no decay or of
	// nothing but stimulated echoes, and say nothing about T2.
	slowest, fastest = 1e-6, 1e-6
	// graphTolerance ends the iteration: once a step moves the rate by less than
	// this fraction, and the cosine or B1 by less than this, the next would be a
	// tenth of it or less, below the 6e-8 of a float32 map.
	graphTolerance = 1e-7
	// graphSteps is far above what the iteration needs: of 160 000 starts at
	// signal-to-noise ratios of 3 and 30, eight did not end within it.
	graphSteps = 100
)

// phaseGraph is what the fits of a train share, read-only once made.
type phaseGraph struct {
	model epg.Train
	refocusing
	dictionary
	lowest, highest float64 // rates that are searched, 1/ms
}

// newEPG takes the echoes to be at multiples of one spacing, as Resolved.CheckTE
// asks: that of the last echo time, which rounding moves least.
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
			here:       epg.NewDecay(p.model),
			beside:     epg.NewDecay(p.model),
			residual:   make([]float64, n),
			match:      make([]float64, len(p.rate)),
		}
	}
}

// graphFit is one worker's fit.
type graphFit struct {
	*phaseGraph
	here, beside *epg.Decay
	residual     []float64 // y/a − g
	match        []float64
}

// estimate goes to the nearest maximum from every angle that matches as well as its
// neighbours, and takes the best.
func (g *graphFit) estimate(y []float64, _ float64) found {
	best := found{rss: math.Inf(1), status: volume.NotDecaying}
	before, top := summit{}, g.summit(0, y, g.match)
	for i, x := range g.angle {
		after := summit{}
		if i+1 < len(g.angle) {
			after = g.summit(i+1, y, g.match)
		}
		if top.match > 0 && top.match >= before.match && top.match >= after.match {
			v := g.solve(y, place{g.rate[0] * lanes.Exp(g.stride*top.at), x})
			if v.rss < best.rss {
				best = v
			}
		}
		before, top = top, after
	}
	return best
}

// place is what Newton's method moves.
type place struct{ rate, x float64 }

// local is the problem about a place. Its residual is y/a − g, so that the scale of
// the signal is in a and match alone.
type local struct {
	place
	a     float64 // y·g/g·g
	w     float64 // g·g
	match float64 // y·g/|g|
	// The descent of half the squares, Gauss and Newton's matrix with the amplitude
	// projected out, and g·∂g, by the rate and by x.
	descent, along [2]float64
	gauss          matrix
}

// matrix is symmetric, by the rate and by x.
type matrix struct{ rr, rx, xx float64 }

func (m matrix) determinant() float64 { return float64(m.rr*m.xx) - float64(m.rx*m.rx) }

// local leaves the echoes of the place in here.
func (g *graphFit) local(y []float64, p place) local {
	g.echoes(g.here, p.rate, p.x)
	var u, w, gr, gx, yr, yx, rr, rx, xx float64
	byRate, byAngle := g.here.ByRate[:len(y)], g.here.ByAngle[:len(y)]
	for e, v := range g.here.Echo[:len(y)] {
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
		along:   [2]float64{gr, gx},
		gauss:   matrix{rr - float64(gr*gr*per), rx - float64(gr*gx*per), xx - float64(gx*gx*per)},
	}
}

// beyond returns what the matrix of second derivatives has beyond Gauss and
// Newton's: the residual along the second derivatives of the echoes, by differences
// of the first, and the change of the amplitude that the residual makes.
func (g *graphFit) beyond(y []float64, l *local) matrix {
	for e, v := range g.here.Echo {
		g.residual[e] = y[e]/l.a - v
	}
	// A millionth leaves six digits, by rounding and by the third derivatives, to
	// a part of a matrix that sets the pace and not the place.
	const step = 1e-6
	stepRate := float64(step * max(l.rate, 1/(g.model.Spacing*float64(len(y)))))
	byRate, byAngle := dot(g.residual, g.here.ByRate), dot(g.residual, g.here.ByAngle)
	g.echoes(g.beside, l.rate+stepRate, l.x)
	rr := (dot(g.residual, g.beside.ByRate) - byRate) / stepRate
	rx := (dot(g.residual, g.beside.ByAngle) - byAngle) / stepRate
	g.echoes(g.beside, l.rate, l.x+step)
	xx := (dot(g.residual, g.beside.ByAngle) - byAngle) / step
	// ∂a/a is (descent − along)/w, of which Gauss and Newton take along.
	dr, dx := l.descent[0]-l.along[0], l.descent[1]-l.along[1]
	gr, gx, per := l.along[0], l.along[1], 1/l.w
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

// newton returns where the matrix of Gauss and Newton's and what is beyond leads,
// damped, within what is searched. Without a minimum of that it takes Gauss and
// Newton's alone.
func (g *graphFit) newton(l *local, beyond matrix, damp float64) place {
	d := l.descent
	holdRate := l.rate <= g.lowest && d[0] < 0 || l.rate >= g.highest && d[0] > 0
	holdX := l.x <= g.lo && d[1] < 0 || l.x >= g.hi && d[1] > 0
	m := matrix{l.gauss.rr + beyond.rr, l.gauss.rx + beyond.rx, l.gauss.xx + beyond.xx}
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
	// On a bound the other one goes where it is best there.
	if within := g.angleWithin(p.x); within != p.x {
		p.x = within
		p.rate = l.rate + (d[0]-float64(m.rx*(p.x-l.x)))/m.rr
	}
	if within := g.rateWithin(p.rate); within != p.rate {
		p.rate = within
		p.x = g.angleWithin(l.x + (d[1]-float64(m.rx*(p.rate-l.rate)))/m.xx)
	}
	return p
}

// solve goes to the nearest maximum. Gauss and Newton's matrix does where little is
// left over; where its steps do not shrink tenfold each, or do not lead up, it takes
// in the second derivatives.
func (g *graphFit) solve(y []float64, start place) found {
	l := g.local(y, start)
	var beyond matrix
	fresh := false // beyond is of this place
	damp, last := 0.0, math.Inf(1)
	for range graphSteps {
		p := g.newton(&l, beyond, damp)
		dr, dx := math.Abs(p.rate-l.rate)/l.rate, math.Abs(p.x-l.x)
		if dr <= graphTolerance && dx <= graphTolerance {
			return g.found(y, &l, p)
		}
		if !fresh && (damp > 0 || dr+dx > last/10) {
			beyond, fresh = g.beyond(y, &l), true
			damp, last = 0, math.Inf(1)
			continue
		}
		last = dr + dx
		next := g.local(y, p)
		// Rounding must not keep the last steps from being taken.
		if next.match >= l.match*(1-1e-12) {
			l, fresh = next, false
			damp /= 8
			if damp < 1e-3 {
				damp = 0
			}
		} else {
			damp = max(8*damp, 0.1)
			g.echoes(g.here, l.rate, l.x)
		}
	}
	v := g.found(y, &l, l.place)
	v.status = volume.NotConverged
	return v
}

// found turns the last place but one and the last into what an estimator returns.
//
// On the limit of 180° the angle is not fitted, so that the residuals have a degree
// of freedom more. The standard error is that of three parameters all the same: the
// limit may be where noise has led, and what it takes off the scatter of T2, which
// hardly depends on the angle there, is 5 % at most for 7 × 10 ms and T2 from 20 to
// 80 ms. With Student's t of n−3 its 95 % interval then covers 95 to 96 % at 180°.
func (g *graphFit) found(y []float64, l *local, p place) found {
	rss := 0.0
	for e, v := range y {
		r := v - float64(l.a*g.here.Echo[e])
		rss += float64(r * r)
	}
	free := len(y) - 3
	if g.limit && p.x <= g.lo {
		free++
	}
	// What the last step does to the amplitude, to first order.
	change := float64((l.descent[0]-l.along[0])*(p.rate-l.rate)) + float64((l.descent[1]-l.along[1])*(p.x-l.x))
	spread := l.gauss.xx / l.gauss.determinant()
	v := found{
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
