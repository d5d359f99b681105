package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Columns at the start of the room: the fields of line, Σw·d·(l − l0), and the ratio
// of neighbouring echoes of the curve. After them come the weights of every echo.
const (
	linePerW, lineT0, lineL0 = 0, 1, 2
	lineTT, lineTL           = 3, 4
	lineA, lineQ             = lineL0, 5
	lineColumns              = 6
)

// logLine goes over the block three times, because one decay's way from end to end
// is a long chain of operations that wait for each other.
func logLine() {
	text("logLineAVX2", "func(y, t *float64, echoes int, te0, step, dof float64, weighted uint64, n int, c, room *float64)",
		"logLineAVX2 is logLineInGo for equally spaced echoes; weighted is all ones or zero, dof echoes−2 or echoes−4.")
	y, t, c, room := pointer("y"), pointer("t"), pointer("c"), pointer("room")
	echoes := pointer("echoes")
	weights := GP64()
	LEAQ(Mem{Base: room, Disp: lineColumns * column}, weights)
	groups("sums", func(at gp) { logSums(y, t, echoes, room, weights, at) })
	groups("ends", func(at gp) { logEnds(c, room, at) })
	weighted := pointer("weighted")
	TESTQ(weighted, weighted)
	JE(LabelRef("oblique"))
	groups("curve", func(at gp) { residualOf("curves", y, t, echoes, weights, c, room, at) })
	VZEROUPPER()
	RET()
	Label("oblique")
	groups("curveOblique", func(at gp) { obliqueResidualOf("curvesOblique", y, t, echoes, weights, c, room, at) })
	VZEROUPPER()
	RET()
}

// echoLoop runs body for every echo: back is the offset of its numbers in a block,
// e counts.
func echoLoop(label string, echoes, at Register, body func(back, e gp)) {
	back, e := GP64(), GP64()
	MOVQ(at, back)
	XORQ(e, e)
	Label(label)
	body(back, e)
	ADDQ(U32(column), back)
	INCQ(e)
	CMPQ(e, echoes)
	JLT(LabelRef(label))
}

// timeOf loads t[e] into all lanes.
func timeOf(t, e Register) vec {
	v := YMM()
	VBROADCASTSD(Mem{Base: t, Index: e, Scale: 8}, v)
	return v
}

// logSums fills weights and takes the weighted means of t and ln y, and their sums
// of products about them.
func logSums(y, t, echoes, room, weights, at Register) {
	w, wt, wl, wtt, wtl := zero(), zero(), zero(), zero(), zero()
	weighted := broadcast("weighted")
	echoLoop("weights", echoes, at, func(back, e gp) {
		v := load(in(y, 0, back))
		there := compare(v, above, zero())
		one := load(all(1))
		v = choose(there, v, one)
		l := and(there, log(v))
		g := and(there, choose(weighted, mul(v, v), one))
		VMOVUPD(g, in(weights, 0, back))
		VADDPD(g, w, w)
		VFMADD231PD(l, g, wl)
		time := timeOf(t, e)
		gt := mul(g, time)
		VADDPD(gt, wt, wt)
		VFMADD231PD(time, gt, wtt)
		VFMADD231PD(l, gt, wtl)
	})
	per := div(load(all(1)), w)
	VMOVUPD(per, in(room, linePerW, at))
	t0, l0 := mul(wt, per), mul(wl, per)
	VMOVUPD(t0, in(room, lineT0, at))
	VMOVUPD(l0, in(room, lineL0, at))
	VFNMADD231PD(t0, wt, wtt)
	VFNMADD231PD(l0, wt, wtl)
	VMOVUPD(wtt, in(room, lineTT, at))
	VMOVUPD(wtl, in(room, lineTL, at))
}

// logEnds turns the line into a curve, and takes what of the standard error is
// known without the residual.
func logEnds(c, room, at Register) {
	tt, tl := load(in(room, lineTT, at)), load(in(room, lineTL, at))
	rate := negated(div(tl, tt))
	per := div(load(all(1)), tl)
	time := negated(mul(tt, per))
	VMOVUPD(time, in(c, t2, at))
	VMOVUPD(negated(mul(time, per)), in(c, se, at))
	a := load(in(room, lineL0, at))
	VFMADD231PD(in(room, lineT0, at), rate, a)
	a = exp(a)
	VMOVUPD(a, in(room, lineA, at))
	VMOVUPD(mul(exp(mul(rate, broadcast("te0"))), a), in(c, s0, at))
	VMOVUPD(exp(negated(mul(rate, broadcast("step")))), in(room, lineQ, at))
}

// lineCurve runs body for every echo with the curve s and 1/s.
func lineCurve(label string, echoes, room, at Register, body func(back, e gp, s, per vec)) {
	s, q := load(in(room, lineA, at)), load(in(room, lineQ, at))
	both := div(load(all(1)), mul(s, q))
	per, perQ := mul(both, q), mul(both, s)
	echoLoop(label, echoes, at, func(back, e gp) {
		body(back, e, s, per)
		VMULPD(q, s, s)
		VMULPD(perQ, per, per)
	})
}

// residualOf takes residual and standard error, as line.residual.
func residualOf(label string, y, t, echoes, weights, c, room, at Register) {
	sum, p2 := zero(), zero()
	lineCurve(label, echoes, room, at, func(back, e gp, s, per vec) {
		left := sub(load(in(y, 0, back)), s)
		VFMADD231PD(left, left, sum)
		h := mul(per, in(weights, 0, back))
		h = mul(h, sub(timeOf(t, e), load(in(room, lineT0, at))))
		VFMADD231PD(h, h, p2)
	})
	storeError(c, at, sum, p2, broadcast("dof"))
}

// obliqueResidualOf is the same as line.obliqueResidual.
func obliqueResidualOf(label string, y, t, echoes, weights, c, room, at Register) {
	sum := zero()
	p0, p1, p2, c0, c1, c2 := zero(), zero(), zero(), zero(), zero(), zero()
	lineCurve(label, echoes, room, at, func(back, e gp, s, per vec) {
		left := sub(load(in(y, 0, back)), s)
		VFMADD231PD(left, left, sum)
		d := sub(timeOf(t, e), load(in(room, lineT0, at)))
		h := mul(per, in(weights, 0, back))
		VMULPD(h, h, h)
		VADDPD(h, p0, p0)
		VMULPD(d, h, h)
		VADDPD(h, p1, p1)
		VFMADD231PD(d, h, p2)
		ss := mul(s, s)
		VADDPD(ss, c0, c0)
		VMULPD(d, ss, ss)
		VADDPD(ss, c1, c1)
		VFMADD231PD(d, ss, c2)
	})
	perTT := div(load(all(1)), load(in(room, lineTT, at)))
	perW := load(in(room, linePerW, at))
	dof := broadcast("dof")
	VFMADD231PD(mul(c0, perW), mul(p0, perW), dof)
	twice := mul(c1, perW)
	VADDPD(twice, twice, twice)
	VFMADD231PD(twice, mul(p1, perTT), dof)
	VFMADD231PD(mul(c2, perTT), mul(p2, perTT), dof)
	storeError(c, at, sum, p2, dof)
}

// storeError stores the residual, and the standard error from what logEnds left.
func storeError(c, at Register, sum, p2, dof vec) {
	VMOVUPD(sum, in(c, curveRSS, at))
	variance := div(mul(p2, sum), dof)
	VSQRTPD(variance, variance)
	VMOVUPD(mul(variance, in(c, se, at)), in(c, se, at))
}
