// Package epg computes the extended phase graph of a multi-echo spin-echo train: the echoes after
// equal, imperfect refocusing pulses, and their derivatives. It does not fit data.
//
// The train is CPMG. An excitation creates magnetisation 1 along the axis of the refocusing pulses,
// which follow at spacing/2, 3·spacing/2, … and rotate by an angle α about it. The echoes are
// halfway between them, at whole multiples of the spacing. An imperfect excitation scales all
// echoes alike, and is part of the amplitude of a fit. Diffusion, motion, and recovery towards
// equilibrium during the train, which such pulses never convert to echoes, are omitted.
//
// Times are in ms, rates in 1/ms. Sources: Hennig 1988
// (10.1016/0022-2364(88)90128-X), Weigel 2015 (10.1002/jmri.24619).
package epg

import (
	"math"

	"github.com/t2map/t2map/t2fit/internal/lanes"
)

// Train is a train of equal refocusing pulses with the echoes between them.
type Train struct {
	Echoes  int
	Spacing float64 // between echoes, ms
	T1      float64 // ms
}

// Decay holds the echoes of a train after an excitation of 1, and their derivatives. Their errors
// are the rounding errors of 1, not of the echo.
type Decay struct {
	Echo []float64
	// ByRate is ∂Echo/∂R2, R2 = 1/T2, in ms.
	ByRate []float64
	// ByAngle is the derivative of Echo with respect to the parameter of the angle: its cosine in
	// Refocus, B1 in Profile.
	ByAngle []float64

	spacing float64
	e1      float64 // exp(−spacing/T1)
	part    *Decay  // the echoes of one angle of a profile
}

// NewDecay allocates the echoes of a train.
func NewDecay(t Train) *Decay {
	d := newDecay(t)
	d.part = newDecay(t)
	return d
}

func newDecay(t Train) *Decay {
	return &Decay{
		Echo: make([]float64, t.Echoes), ByRate: make([]float64, t.Echoes), ByAngle: make([]float64, t.Echoes),
		spacing: t.Spacing, e1: lanes.Exp(-t.Spacing / t.T1),
	}
}

// Refocus sets d to the echoes for pulses of an angle with the cosine c and the rate R2 in 1/ms.
// Echo e, counted from 1, is a polynomial of degree e in c.
//
// The echoes are half the coefficients of z, z², … in the generating function of the graph (Lukzen
// & Savelov, J. Magn. Reson. 185 (2007) 71). With the relaxation factors e1 and e2 over a spacing,
// it is
//
//	G = √((U+W)/(U−W)), U = 1 − e1·c·z − e2²·z²·(c − e1·z),
//	                    W = e2·(1−c)·z·(1 + e1·z).
//
// Each of its derivatives is (∂W·U − ∂U·W)·L with L = G/(U²−W²): with respect to c, to the rate,
// and to z, which gives G's own coefficients times their numbers. So all of them follow from six
// coefficients of L at a time, whereas the states of the graph would be as many as the pulses so
// far.
func (d *Decay) Refocus(rate, c float64) {
	e1, e2 := d.e1, lanes.Exp(-float64(rate*d.spacing))
	x, y := float64(e1*e1), float64(e2*e2)
	h := float64(e2 * (1 - c))
	u1, u2, u3 := float64(-e1*c), float64(-y*c), float64(e1*y)
	// The coefficients of U² − W², from z on.
	p1 := 2 * u1
	p2 := float64(u1*u1) + float64(2*u2) - float64(h*h)
	p3 := 2 * (u3 + float64(u1*u2) - float64(h*h*e1))
	p4 := float64(u2*u2) + float64(2*u1*u3) - float64(h*h*x)
	p5, p6 := 2*u2*u3, u3*u3
	// The coefficients of ∂W·U − ∂U·W, from z on, with respect to z, to c, and to the rate, in half
	// spacings, since ∂e2 is −spacing·e2.
	z1, z2, z3, z4, z5 := h, 2*h*e1, h*(float64(e1*u1)-u2), -2*h*u3, -h*e1*u3
	c1, c3, c5 := -0.5*e2, 0.5*e2*(x+y), -0.5*e2*x*y
	half := float64(0.5 * d.spacing * h)
	r1, r2, r3 := -half, -half*(u1+e1), half*(u2-float64(e1*u1))
	r4, r5 := half*(u3+float64(e1*u2)), half*e1*u3
	// The last five coefficients of L and the one before them.
	l1, l2, l3, l4, l5, l6 := 1.0, 0.0, 0.0, 0.0, 0.0, 0.0
	byRate, byAngle := d.ByRate[:len(d.Echo)], d.ByAngle[:len(d.Echo)]
	for e := range d.Echo {
		g := (float64(z1*l1) + float64(z2*l2) + float64(z3*l3) + float64(z4*l4) + float64(z5*l5)) / float64(e+1)
		d.Echo[e] = 0.5 * g
		byAngle[e] = float64(c1*l1) + float64(c3*l3) + float64(c5*l5)
		byRate[e] = float64(r1*l1) + float64(r2*l2) + float64(r3*l3) + float64(r4*l4) + float64(r5*l5)
		l := g - float64(p2*l2) - float64(p3*l3) - float64(p4*l4) - float64(p5*l5) - float64(p6*l6) - float64(p1*l1)
		l1, l2, l3, l4, l5, l6 = l, l1, l2, l3, l4, l5
	}
}

// Profile sets d to the mean of the echoes at evenly spaced positions across a slice, where pulses
// rotate by 180°·b1·fraction and the excitation is the same.
func (d *Decay) Profile(rate, b1 float64, fractions []float64) {
	clear(d.Echo)
	clear(d.ByRate)
	clear(d.ByAngle)
	per := 1 / float64(len(fractions))
	for _, fraction := range fractions {
		sin, cos := math.Sincos(math.Pi * b1 * fraction)
		d.part.Refocus(rate, cos)
		slope := -math.Pi * fraction * sin // ∂cos/∂b1
		for e, v := range d.part.Echo {
			d.Echo[e] += float64(per * v)
			d.ByRate[e] += float64(per * d.part.ByRate[e])
			d.ByAngle[e] += float64(per * slope * d.part.ByAngle[e])
		}
	}
}
