package main

import (
	"math"
	"strconv"

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

// solve goes over the block twice: first it takes every decay to the ratio from
// which one more step would be its last, and leaves that in the place of the ratio,
// with a zero in the place of the residual; then it takes the step.
func solve() {
	text("solveAVX2", "func(y *float64, echoes, n int, a, m *float64)", "solveAVX2 is solveInGo; it works on eight decays at a time.")
	y, echoes, a, m := pointer("y"), pointer("echoes"), pointer("a"), pointer("m")
	// The bytes from the first echo to the last, where Horner's scheme begins.
	back := GP64()
	MOVQ(echoes, back)
	DECQ(back)
	IMUL3Q(U32(column), back, back)
	// Several groups of four in turns: while one waits for its division, the others
	// sum.
	var searches [abreast]search
	for i := range searches {
		searches[i] = newSearch()
	}
	abreastGroups("group", func(at [abreast]gp) {
		for i, s := range searches {
			s.begin(a, m, at[i])
		}
		steps := GP64()
		MOVQ(U32(maxSteps), steps)
		Label("step")
		flags := GP32()
		XORL(flags, flags)
		for i, s := range searches {
			s.step("turn"+strconv.Itoa(i), y, at[i], back, flags)
		}
		TESTL(flags, flags)
		JE(LabelRef("end"))
		DECQ(steps)
		JNE(LabelRef("step"))
		Label("end")
		for i, s := range searches {
			s.end(m, at[i])
		}
	})
	groups("last", func(at gp) { lastStep(y, echoes, back, m, at) })
	VZEROUPPER()
	RET()
}

// abreast is the number of groups that are solved in turns. A step takes about 80
// cycles from end to end and 30 of work.
const abreast = 2

// abreastGroups runs body for so many groups at a time. Where some are missing at
// the end, the last one is taken again.
func abreastGroups(label string, body func(at [abreast]gp)) {
	n := Load(Param("n"), GP64()).(gp)
	var at [abreast]gp
	for i := range at {
		at[i] = GP64()
	}
	XORQ(at[0], at[0])
	SHLQ(Imm(3), n)
	JE(LabelRef(label + "Done"))
	Label(label)
	for i := 1; i < abreast; i++ {
		LEAQ(Mem{Base: at[i-1], Disp: lanes}, at[i])
		CMPQ(at[i], n)
		CMOVQGE(at[i-1], at[i])
	}
	body(at)
	LEAQ(Mem{Base: at[abreast-1], Disp: lanes}, at[0])
	CMPQ(at[0], n)
	JLT(LabelRef(label))
	Label(label + "Done")
}

// search is the state of four lanes between two steps, on the stack: registers
// hold the sums.
type search struct{ q, lo, hi, active, arrived Mem }

func newSearch() search {
	room := AllocLocal(5 * lanes)
	return search{room, room.Offset(lanes), room.Offset(2 * lanes), room.Offset(3 * lanes), room.Offset(4 * lanes)}
}

func (s search) begin(a, m, at Register) {
	VMOVUPD(load(in(a, start, at)), s.q)
	VMOVUPD(load(in(a, lowest, at)), s.lo)
	VMOVUPD(load(in(a, highest, at)), s.hi)
	every := YMM()
	VPCMPEQQ(every, every, every)
	VMOVUPD(every, s.active)
	VMOVUPD(zero(), s.arrived)
}

// step takes one step of solveOne, and sets flags where a lane goes on.
func (s search) step(label string, y, at, back Register, flags GPVirtual) {
	q := load(s.q)
	h := horner(label, y, at, back, q)
	curve, phi := h.slopes()
	active := load(s.active)
	rising := compare(phi, above, zero())
	lo := choose(rising, q, load(s.lo))
	hi := choose(rising, s.hi, q)
	VMOVUPD(lo, s.lo)
	VMOVUPD(hi, s.hi)
	next := copyOf(q)
	VFNMADD231PD(div(phi, curve), q, next)
	falls := compare(curve, below, zero())
	arrived := and(and(compare(gap(next, q), atMost, reach(q)), falls), active)
	VMOVUPD(or(arrived, s.arrived), s.arrived)
	active = without(active, arrived)

	lost := or(compare(curve, notBelow, zero()), or(compare(next, atMost, lo), compare(next, atLeast, hi)))
	middle := mul(add(lo, hi), all(0.5))
	stuck := or(compare(middle, below, all(shortest)), or(compare(middle, equal, lo), compare(middle, equal, hi)))
	active = without(active, and(lost, stuck))
	VMOVUPD(choose(active, choose(lost, middle, next), q), s.q)
	VMOVUPD(active, s.active)
	more := GP32()
	VMOVMSKPD(active, more)
	ORL(more, flags)
}

// gap returns |next − q|, and reach how near that must be to zero.
func gap(next, q vec) vec { return and(sub(next, q), bits(1<<63-1)) }

func reach(q vec) vec { return mul(mul(q, all(tolerance)), sub(load(all(1)), q)) }

func (s search) end(m, at Register) {
	VMOVUPD(load(s.q), in(m, ratio, at))
	VMOVUPD(without(load(all(math.Inf(1))), load(s.arrived)), in(m, rss, at))
}

// lastStep takes the step after which a decay has arrived, and its residual. Where
// it has not, or the amplitude is not above zero, the residual is infinite.
func lastStep(y, echoes, back, m, at Register) {
	q := load(in(m, ratio, at))
	h := horner("last", y, at, back, q)
	w2 := h.w2
	curve, phi := h.slopes()
	newton := div(phi, curve)
	good := and(compare(load(in(m, rss, at)), equal, zero()), compare(h.u, above, zero()))
	VFNMADD231PD(newton, q, q)
	VMOVUPD(q, in(m, ratio, at))
	per := div(load(all(1)), h.w)
	amp := mul(h.u, per)
	move := h.u1
	VFNMADD231PD(h.w1, add(amp, amp), move)
	VFNMADD231PD(newton, mul(move, per), amp)
	VMOVUPD(amp, in(m, amplitude, at))
	VFNMADD231PD(h.w1, mul(h.w1, per), w2)
	VMOVUPD(w2, in(m, spread, at))
	sum := residual(y, echoes, amp, q, at)
	VMOVUPD(choose(good, sum, load(all(math.Inf(1)))), in(m, rss, at))
}

// sumsOf are u = Σy·g and w = Σg² with their first and second derivatives along
// ln q.
type sumsOf struct{ u, u1, u2, w, w1, w2 vec }

func horner(label string, y, at, back Register, q vec) sumsOf {
	h := sumsOf{zero(), zero(), zero(), zero(), zero(), zero()}
	q2 := mul(q, q)
	p, left := GP64(), GP64()
	LEAQ(Mem{Base: y, Index: at, Scale: 1}, p)
	MOVQ(back, left)
	Label(label + "Echo")
	VFMADD213PD(h.u1, q, h.u2)
	VFMADD213PD(h.u, q, h.u1)
	VFMADD213PD(Mem{Base: p, Index: left, Scale: 1}, q, h.u)
	VFMADD213PD(h.w1, q2, h.w2)
	VFMADD213PD(h.w, q2, h.w1)
	VFMADD213PD(all(1), q2, h.w)
	SUBQ(U32(column), left)
	JGE(LabelRef(label + "Echo"))

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

// residual returns Σ(y − a·qᵉ)².
func residual(y, echoes Register, a, q vec, at Register) vec {
	g, sum := copyOf(a), zero()
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
	return sum
}
