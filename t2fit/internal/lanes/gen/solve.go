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

// Columns of Brackets and Minima.
const (
	start, lowest, highest = 0, 1, 2
	amplitude, ratio       = 0, 1
	spread, rss            = 2, 3
)

// solve passes over the block twice. The first pass iterates every decay to the ratio before its
// last step. It stores that ratio in the column of the ratio, and zero in the column of the
// residual. The second pass takes the last step.
func solve() {
	text("solveAVX2", "func(y *float64, echoes, n int, a, m *float64)",
		"solveAVX2 is solveInGo; it works on eight decays at a time.")
	y, echoes, a, m := pointer("y"), pointer("echoes"), pointer("a"), pointer("m")
	// The offset of the last echo, with which Horner's scheme begins.
	back := GP64()
	MOVQ(echoes, back)
	DECQ(back)
	IMUL3Q(U32(column), back, back)
	// Several groups of four are solved in turns: while one waits for its division, the others sum.
	var searches [abreast]search
	for i := range searches {
		searches[i] = newSearch()
	}
	abreastGroups("group", func(offset [abreast]gp) {
		for i, s := range searches {
			s.begin(a, m, offset[i])
		}
		steps := GP64()
		MOVQ(U32(maxSteps), steps)
		Label("step")
		flags := GP32()
		XORL(flags, flags)
		for i, s := range searches {
			s.step("turn"+strconv.Itoa(i), y, offset[i], back, flags)
		}
		TESTL(flags, flags)
		JE(LabelRef("end"))
		DECQ(steps)
		JNE(LabelRef("step"))
		Label("end")
		for i, s := range searches {
			s.end(m, offset[i])
		}
	})
	groups("last", func(offset gp) { lastStep(y, echoes, back, m, offset) })
	VZEROUPPER()
	RET()
}

// abreast is the number of groups that are solved in turns. A step takes about 80 cycles, of which
// 30 are busy.
const abreast = 2

// abreastGroups runs body for abreast groups at a time. If some are missing at the end, the last
// one is repeated.
func abreastGroups(label string, body func(offset [abreast]gp)) {
	n := Load(Param("n"), GP64()).(gp)
	var offset [abreast]gp
	for i := range offset {
		offset[i] = GP64()
	}
	XORQ(offset[0], offset[0])
	SHLQ(Imm(3), n)
	JE(LabelRef(label + "Done"))
	Label(label)
	for i := 1; i < abreast; i++ {
		LEAQ(Mem{Base: offset[i-1], Disp: lanes}, offset[i])
		CMPQ(offset[i], n)
		CMOVQGE(offset[i-1], offset[i])
	}
	body(offset)
	LEAQ(Mem{Base: offset[abreast-1], Disp: lanes}, offset[0])
	CMPQ(offset[0], n)
	JLT(LabelRef(label))
	Label(label + "Done")
}

// search is the state of four lanes between two steps. It is on the stack, because registers hold
// the sums.
type search struct{ q, lo, hi, active, arrived Mem }

func newSearch() search {
	room := AllocLocal(5 * lanes)
	return search{room, room.Offset(lanes), room.Offset(2 * lanes), room.Offset(3 * lanes), room.Offset(4 * lanes)}
}

func (s search) begin(a, m, offset Register) {
	VMOVUPD(load(in(a, start, offset)), s.q)
	VMOVUPD(load(in(a, lowest, offset)), s.lo)
	VMOVUPD(load(in(a, highest, offset)), s.hi)
	every := YMM()
	VPCMPEQQ(every, every, every)
	VMOVUPD(every, s.active)
	VMOVUPD(zero(), s.arrived)
}

// step performs one step of solveOne, and sets flags unless all lanes have ended.
func (s search) step(label string, y, offset, back Register, flags GPVirtual) {
	q := load(s.q)
	h := horner(label, y, offset, back, q)
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
	running := GP32()
	VMOVMSKPD(active, running)
	ORL(running, flags)
}

// gap returns |next − q|, and reach the limit below which it ends the iteration.
func gap(next, q vec) vec { return and(sub(next, q), bits(1<<63-1)) }

func reach(q vec) vec { return mul(mul(q, all(tolerance)), sub(load(all(1)), q)) }

func (s search) end(m, offset Register) {
	VMOVUPD(load(s.q), in(m, ratio, offset))
	VMOVUPD(without(load(all(math.Inf(1))), load(s.arrived)), in(m, rss, offset))
}

// lastStep performs the last step of a decay and computes its residual. The residual is infinite if
// the decay has not converged, or if the amplitude is not above zero.
func lastStep(y, echoes, back, m, offset Register) {
	q := load(in(m, ratio, offset))
	h := horner("last", y, offset, back, q)
	w2 := h.w2
	curve, phi := h.slopes()
	newton := div(phi, curve)
	good := and(compare(load(in(m, rss, offset)), equal, zero()), compare(h.u, above, zero()))
	VFNMADD231PD(newton, q, q)
	VMOVUPD(q, in(m, ratio, offset))
	per := div(load(all(1)), h.w)
	amp := mul(h.u, per)
	move := h.u1
	VFNMADD231PD(h.w1, add(amp, amp), move)
	VFNMADD231PD(newton, mul(move, per), amp)
	VMOVUPD(amp, in(m, amplitude, offset))
	VFNMADD231PD(h.w1, mul(h.w1, per), w2)
	VMOVUPD(w2, in(m, spread, offset))
	sum := residual(y, echoes, amp, q, offset)
	VMOVUPD(choose(good, sum, load(all(math.Inf(1)))), in(m, rss, offset))
}

// sumsOf are u = Σy·g and w = Σg² with their first and second derivatives with respect to ln q.
type sumsOf struct{ u, u1, u2, w, w1, w2 vec }

func horner(label string, y, offset, back Register, q vec) sumsOf {
	h := sumsOf{zero(), zero(), zero(), zero(), zero(), zero()}
	q2 := mul(q, q)
	p, left := GP64(), GP64()
	LEAQ(Mem{Base: y, Index: offset, Scale: 1}, p)
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

// slopes returns φ and its derivative; it overwrites u2.
func (h sumsOf) slopes() (curve, phi vec) {
	phi = copyOf(h.u1)
	VFMSUB213PD(mul(h.u, h.w1), h.w, phi)
	curve = h.u2
	VFMADD213PD(mul(h.u1, h.w1), h.w, curve)
	VFNMADD231PD(h.w2, add(h.u, h.u), curve)
	return curve, phi
}

// residual returns Σ(y − a·qᵉ)².
func residual(y, echoes Register, a, q vec, offset Register) vec {
	g, sum := copyOf(a), zero()
	p, e := GP64(), GP64()
	LEAQ(Mem{Base: y, Index: offset, Scale: 1}, p)
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
