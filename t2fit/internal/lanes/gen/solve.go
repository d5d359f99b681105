package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// The constants of ../lanes.go.
const (
	tolerance = 1e-5
	maxSteps  = 100
	shortest  = 1e-12
)

// Columns of Asks and Minima.
const (
	start, lowest, highest = 0, 1, 2
	amplitude, ratio       = 0, 1
	spread, rss            = 2, 3
)

func solve() {
	text("solveAVX2", "func(y *float64, echoes, n int, a, m *float64)", "solveAVX2 is solveInGo.")
	y, echoes, a, m := pointer("y"), pointer("echoes"), pointer("a"), pointer("m")
	// The last echo, where Horner's scheme begins, and the bytes to the first.
	back := GP64()
	MOVQ(echoes, back)
	DECQ(back)
	IMUL3Q(U32(column), back, back)
	groups("group", func(at gp) {
		q, lo, hi := load(in(a, start, at)), load(in(a, lowest, at)), load(in(a, highest, at))
		active := YMM()
		VPCMPEQQ(active, active, active)
		VMOVUPD(load(all(math.Inf(1))), in(m, rss, at))
		steps := GP64()
		MOVQ(U32(maxSteps), steps)
		Label("step")
		h := horner(y, at, back, q)
		curve, phi := h.slopes()
		rising := compare(phi, above, zero())
		lo = into(lo, choose(rising, q, lo))
		hi = into(hi, choose(rising, hi, q))
		newton := div(phi, curve)
		next := copyOf(q)
		VFNMADD231PD(newton, q, next)
		gap := and(sub(next, q), bits(1<<63-1))
		near := mul(mul(q, all(tolerance)), sub(load(all(1)), q))
		falls := compare(curve, below, zero())
		arrived := and(and(compare(gap, atMost, near), falls), active)
		flags := GP32()
		VMOVMSKPD(arrived, flags)
		TESTL(flags, flags)
		JE(LabelRef("onward"))
		h.store(m, at, arrived, newton, next)
		VANDNPD(active, arrived, active)
		Label("onward")

		lost := or(compare(curve, notBelow, zero()), or(compare(next, atMost, lo), compare(next, atLeast, hi)))
		middle := mul(add(lo, hi), all(0.5))
		stuck := or(compare(middle, below, all(shortest)), or(compare(middle, equal, lo), compare(middle, equal, hi)))
		VANDPD(lost, stuck, stuck)
		VANDNPD(active, stuck, active)
		next = choose(lost, middle, next)
		q = into(q, choose(active, next, q))
		VMOVMSKPD(active, flags)
		TESTL(flags, flags)
		JE(LabelRef("end"))
		DECQ(steps)
		JNE(LabelRef("step"))
		Label("end")
		residuals(y, echoes, m, at)
	})
	VZEROUPPER()
	RET()
}

// into moves a result into the register that holds it from one step to the next.
func into(home, v vec) vec {
	VMOVAPD(v, home)
	return home
}

// sumsOf are u = Σy·g and w = Σg² with their first and second derivatives along
// ln q.
type sumsOf struct{ u, u1, u2, w, w1, w2 vec }

func horner(y, at, back Register, q vec) sumsOf {
	h := sumsOf{zero(), zero(), zero(), zero(), zero(), zero()}
	q2 := mul(q, q)
	p, left := GP64(), GP64()
	LEAQ(Mem{Base: y, Index: at, Scale: 1}, p)
	MOVQ(back, left)
	Label("echo")
	VFMADD213PD(h.u1, q, h.u2)
	VFMADD213PD(h.u, q, h.u1)
	VFMADD213PD(Mem{Base: p, Index: left, Scale: 1}, q, h.u)
	VFMADD213PD(h.w1, q2, h.w2)
	VFMADD213PD(h.w, q2, h.w1)
	VFMADD213PD(all(1), q2, h.w)
	SUBQ(U32(column), left)
	JGE(LabelRef("echo"))

	VMULPD(q, h.u1, h.u1)
	VMULPD(q2, h.w1, h.w1)
	twice := add(q2, q2)
	VFMADD213PD(h.u1, twice, h.u2)
	VFMADD213PD(h.w1, mul(twice, q2), h.w2)
	return h
}

// slopes returns φ and its derivative; u2 is gone afterwards.
func (h sumsOf) slopes() (curve, phi vec) {
	phi = copyOf(h.u1)
	VFMSUB213PD(mul(h.u, h.w1), h.w, phi)
	curve = h.u2
	VFMADD213PD(mul(h.u1, h.w1), h.w, curve)
	VFNMADD231PD(h.w2, add(h.u, h.u), curve)
	return curve, phi
}

// store writes the minima of the lanes that arrived, where the amplitude is above
// zero. Their residual is to come; a zero holds its place.
func (h sumsOf) store(m, at Register, arrived, newton, next vec) {
	good := and(arrived, compare(h.u, above, zero()))
	VMASKMOVPD(next, good, in(m, ratio, at))
	VMASKMOVPD(zero(), good, in(m, rss, at))
	per := div(load(all(1)), h.w)
	amp := mul(h.u, per)
	move := copyOf(h.u1)
	VFNMADD231PD(h.w1, add(amp, amp), move)
	move = mul(move, per)
	VFNMADD231PD(newton, move, amp)
	VMASKMOVPD(amp, good, in(m, amplitude, at))
	bend := copyOf(h.w2)
	VFNMADD231PD(h.w1, mul(h.w1, per), bend)
	VMASKMOVPD(bend, good, in(m, spread, at))
}

// residuals puts Σ(y − a·qᵉ)² in the place of the zeros.
func residuals(y, echoes, m, at Register) {
	g, q, sum := load(in(m, amplitude, at)), load(in(m, ratio, at)), zero()
	p, e := GP64(), GP64()
	LEAQ(Mem{Base: y, Index: at, Scale: 1}, p)
	MOVQ(echoes, e)
	Label("residual")
	r := sub(load(Mem{Base: p}), g)
	VFMADD231PD(r, r, sum)
	VMULPD(q, g, g)
	ADDQ(U32(column), p)
	DECQ(e)
	JNE(LabelRef("residual"))
	before := load(in(m, rss, at))
	VMOVUPD(choose(compare(before, equal, zero()), sum, before), in(m, rss, at))
}
