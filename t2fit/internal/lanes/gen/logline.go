package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Columns at the start of the room: the fields of line, and Σw·d·(l − l0), in whose
// place the ratio q of neighbouring echoes of the curve comes. After them come the
// weights of every echo, and then the logarithms.
const (
	linePerW, lineT0 = 0, 1
	lineL0, lineA    = 2, 2
	lineTT           = 3
	lineTL, lineQ    = 4, 4
	lineColumns      = 5
)

// logLine goes over the block four times, because one decay's way from end to end
// is a long chain of operations that wait for each other.
func logLine() {
	text("logLineAVX2", "func(y, t *float64, echoes int, te0, step, dof float64, weighted uint64, n int, c, room *float64)",
		"logLineAVX2 is logLineInGo for equally spaced echoes; dof is echoes−4, weighted is all ones or zero.")
	y, t, c, room := pointer("y"), pointer("t"), pointer("c"), pointer("room")
	echoes := pointer("echoes")
	weights, logs := GP64(), GP64()
	IMUL3Q(U32(column), echoes, logs)
	LEAQ(Mem{Base: room, Disp: lineColumns * column}, weights)
	ADDQ(weights, logs)
	groups("means", func(at gp) { logMeans(y, t, echoes, room, weights, logs, at) })
	groups("slope", func(at gp) { logSlope(t, echoes, room, weights, logs, at) })
	groups("ends", func(at gp) { logEnds(c, room, at) })
	groups("curve", func(at gp) { logResidual(y, t, echoes, weights, c, room, at) })
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

// logMeans fills weights and logarithms and takes the means of t and ln y.
func logMeans(y, t, echoes, room, weights, logs, at Register) {
	w, wt, wl := zero(), zero(), zero()
	weighted := broadcast("weighted")
	echoLoop("weights", echoes, at, func(back, e gp) {
		v := load(in(y, 0, back))
		there := compare(v, above, zero())
		one := load(all(1))
		v = choose(there, v, one)
		l := and(there, log(v))
		g := and(there, choose(weighted, mul(v, v), one))
		VMOVUPD(g, in(weights, 0, back))
		VMOVUPD(l, in(logs, 0, back))
		VADDPD(g, w, w)
		VFMADD231PD(timeOf(t, e), g, wt)
		VFMADD231PD(l, g, wl)
	})
	per := div(load(all(1)), w)
	VMOVUPD(per, in(room, linePerW, at))
	VMOVUPD(mul(wt, per), in(room, lineT0, at))
	VMOVUPD(mul(wl, per), in(room, lineL0, at))
}

// logSlope takes Σw·d² and Σw·d·(l − l0).
func logSlope(t, echoes, room, weights, logs, at Register) {
	tt, tl := zero(), zero()
	t0, l0 := load(in(room, lineT0, at)), load(in(room, lineL0, at))
	echoLoop("slopes", echoes, at, func(back, e gp) {
		d := sub(timeOf(t, e), t0)
		g := mul(d, in(weights, 0, back))
		VFMADD231PD(d, g, tt)
		VFMADD231PD(sub(load(in(logs, 0, back)), l0), g, tl)
	})
	VMOVUPD(tt, in(room, lineTT, at))
	VMOVUPD(tl, in(room, lineTL, at))
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

// logResidual takes the residual and the standard error, as line.residual.
func logResidual(y, t, echoes, weights, c, room, at Register) {
	sum := zero()
	p0, p1, p2, c0, c1, c2 := zero(), zero(), zero(), zero(), zero(), zero()
	s, q := load(in(room, lineA, at)), load(in(room, lineQ, at))
	both := div(load(all(1)), mul(s, q))
	per, perQ := mul(both, q), mul(both, s)
	echoLoop("echoes", echoes, at, func(back, e gp) {
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
		VMULPD(q, s, s)
		VMULPD(perQ, per, per)
	})
	VMOVUPD(sum, in(c, curveRSS, at))
	perTT := div(load(all(1)), load(in(room, lineTT, at)))
	perW := load(in(room, linePerW, at))
	dof := broadcast("dof")
	VFMADD231PD(mul(c0, perW), mul(p0, perW), dof)
	twice := mul(c1, perW)
	VADDPD(twice, twice, twice)
	VFMADD231PD(twice, mul(p1, perTT), dof)
	VFMADD231PD(mul(c2, perTT), mul(p2, perTT), dof)
	variance := div(mul(p2, sum), dof)
	VSQRTPD(variance, variance)
	VMOVUPD(mul(variance, in(c, se, at)), in(c, se, at))
}
