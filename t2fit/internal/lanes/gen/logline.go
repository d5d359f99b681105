package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Columns of Sums. Those of the line and the start, which LogLine does not set, hold intermediate
// values of the line.
const (
	sumColumn, squaresColumn = 0, 1
	totalColumn, aboveColumn = 2, 5
	lineTT, linePerW         = 3, 4
)

// Other intermediate values are held in columns of Curves that are set last.
const (
	lineT0, lineTL = s0, se
	lineL0         = t2
)

// logLine writes the function for one kind of weights. It passes over the block twice, because the
// operations for one decay form a long chain in which each waits for the last.
func logLine(weighted bool) {
	name, detail := "lineAVX2", "dof is echoes−4."
	if weighted {
		name, detail = "weightedLineAVX2", "with weights; dof is echoes−2."
	}
	text(name, "func(y, t *float64, echoes int, floor, per, te0, step, dof float64, n int, s, c *float64)",
		name+" is logLineInGo for equally spaced echoes, "+detail)
	l := logLineCode{
		weighted: weighted,
		y:        pointer("y"), t: pointer("t"), s: pointer("s"), c: pointer("c"), echoes: pointer("echoes"),
	}
	groups("sums", l.sums)
	groups("curve", l.curve)
	VZEROUPPER()
	RET()
}

type logLineCode struct {
	weighted           bool
	y, t, s, c, echoes gp
}

// echoLoop runs body for every echo: back is the offset of its values in a block, e its index.
func echoLoop(label string, echoes, offset gp, body func(back, e gp)) {
	back, e := GP64(), GP64()
	MOVQ(offset, back)
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

// plainSums are Σy, Σy² and the number of echoes above the floor.
type plainSums struct{ sum, squares, count vec }

func (p plainSums) add(v vec) {
	VADDPD(v, p.sum, p.sum)
	VFMADD231PD(v, v, p.squares)
	seen := compare(v, above, broadcast("floor"))
	VANDPD(all(1), seen, seen)
	VADDPD(seen, p.count, p.count)
}

func (l logLineCode) store(p plainSums, offset gp) {
	VMOVUPD(p.sum, in(l.s, sumColumn, offset))
	VMOVUPD(p.squares, in(l.s, squaresColumn, offset))
	VMOVUPD(p.count, in(l.s, aboveColumn, offset))
	VFNMADD231PD(p.sum, mul(p.sum, broadcast("per")), p.squares)
	VMOVUPD(p.squares, in(l.s, totalColumn, offset))
}

// products are Σw, Σw·t, Σw·ln y, Σw·t² and Σw·t·ln y.
type products struct{ w, wt, wl, wtt, wtl vec }

// sums computes the sums of the echoes, the weighted means of t and ln y, and their sums of
// products about these means.
func (l logLineCode) sums(offset gp) {
	plain := plainSums{zero(), zero(), zero()}
	var p products
	if l.weighted {
		p = l.weightedProducts(plain, offset)
	} else {
		p = l.evenProducts(plain, offset)
	}
	l.store(plain, offset)
	per := div(load(all(1)), p.w)
	VMOVUPD(per, in(l.s, linePerW, offset))
	t0, l0 := mul(p.wt, per), mul(p.wl, per)
	VMOVUPD(t0, in(l.c, lineT0, offset))
	VMOVUPD(l0, in(l.c, lineL0, offset))
	VFNMADD231PD(t0, p.wt, p.wtt)
	VFNMADD231PD(l0, p.wt, p.wtl)
	VMOVUPD(p.wtt, in(l.s, lineTT, offset))
	VMOVUPD(p.wtl, in(l.c, lineTL, offset))
}

func (l logLineCode) weightedProducts(plain plainSums, offset gp) products {
	p := products{zero(), zero(), zero(), zero(), zero()}
	echoLoop("echo", l.echoes, offset, func(back, e gp) {
		v := load(in(l.y, 0, back))
		plain.add(v)
		VMAXPD(all(nothing), v, v)
		ln := log(v)
		VMULPD(v, v, v)
		VADDPD(v, p.w, p.w)
		VFMADD231PD(ln, v, p.wl)
		time := timeOf(l.t, e)
		VMULPD(time, v, v)
		VADDPD(v, p.wt, p.wt)
		VFMADD231PD(time, v, p.wtt)
		VFMADD231PD(ln, v, p.wtl)
	})
	return p
}

// evenProducts takes only two logarithms, as lanes.evenProducts does.
func (l logLineCode) evenProducts(plain plainSums, offset gp) products {
	p := products{w: zero(), wt: zero(), wtt: zero()}
	one, every := load(all(1)), load(all(1))
	oneExp, everyExp := zero(), zero()
	back, e := GP64(), GP64()
	IMUL3Q(U32(column), l.echoes, back)
	ADDQ(offset, back)
	MOVQ(l.echoes, e)
	Label("echo")
	SUBQ(U32(column), back)
	DECQ(e)
	VMULPD(one, every, every)
	VADDPD(oneExp, everyExp, everyExp)
	v := load(in(l.y, 0, back))
	plain.add(v)
	there := compare(v, above, zero())
	v = choose(there, v, load(all(1)))
	m, x := split(v)
	VMULPD(m, one, one)
	VADDPD(x, oneExp, oneExp)
	g := and(there, all(1))
	VADDPD(g, p.w, p.w)
	time := and(there, timeOf(l.t, e))
	VADDPD(time, p.wt, p.wt)
	VFMADD231PD(time, time, p.wtt)
	TESTQ(e, e)
	JNE(LabelRef("echo"))
	p.wl = logOf(one, oneExp)
	p.wtl = mul(logOf(every, everyExp), broadcast("step"))
	return p
}

// nothing is lanes.nothing.
const nothing = 1e-150

// curve converts the line to a curve, with its residual and standard error.
func (l logLineCode) curve(offset gp) {
	tt, tl, t0 := load(in(l.s, lineTT, offset)), load(in(l.c, lineTL, offset)), load(in(l.c, lineT0, offset))
	rate := negated(div(tl, tt))
	a := load(in(l.c, lineL0, offset))
	VFMADD231PD(t0, rate, a)
	a = exp(a)
	q := exp(negated(mul(rate, broadcast("step"))))
	VMOVUPD(mul(exp(mul(rate, broadcast("te0"))), a), in(l.c, s0, offset))
	perTL := div(load(all(1)), tl)
	time := negated(mul(tt, perTL))
	VMOVUPD(time, in(l.c, t2, offset))
	VMOVUPD(negated(mul(time, perTL)), in(l.c, se, offset))
	if l.weighted {
		l.residual(offset, a, q, t0)
	} else {
		l.obliqueResidual(offset, a, q, t0)
	}
}

// residual stores residual and standard error, as line.residual does.
func (l logLineCode) residual(offset gp, s, q, t0 vec) {
	sum, p2 := zero(), zero()
	inverse := div(load(all(1)), mul(s, q))
	per, perQ := mul(inverse, q), mul(inverse, s)
	echoLoop("residual", l.echoes, offset, func(back, e gp) {
		v := load(in(l.y, 0, back))
		deviation := sub(v, s)
		VFMADD231PD(deviation, deviation, sum)
		VMAXPD(all(nothing), v, v)
		h := mul(mul(mul(v, v), per), sub(timeOf(l.t, e), t0))
		VFMADD231PD(h, h, p2)
		VMULPD(q, s, s)
		VMULPD(perQ, per, per)
	})
	l.standardError(offset, sum, p2, broadcast("dof"))
}

// obliqueResidual stores residual and standard error, as line.obliqueResidual does.
func (l logLineCode) obliqueResidual(offset gp, s, q, t0 vec) {
	sum := zero()
	p0, p1, p2, c0, c1, c2 := zero(), zero(), zero(), zero(), zero(), zero()
	inverse := div(load(all(1)), mul(s, q))
	per, perQ := mul(inverse, q), mul(inverse, s)
	echoLoop("residual", l.echoes, offset, func(back, e gp) {
		v := load(in(l.y, 0, back))
		h := and(compare(v, above, zero()), per)
		VSUBPD(s, v, v)
		VFMADD231PD(v, v, sum)
		d := sub(timeOf(l.t, e), t0)
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
	perTT := div(load(all(1)), load(in(l.s, lineTT, offset)))
	perW := load(in(l.s, linePerW, offset))
	dof := broadcast("dof")
	VFMADD231PD(mul(c0, perW), mul(p0, perW), dof)
	twice := mul(c1, perW)
	VADDPD(twice, twice, twice)
	VFMADD231PD(twice, mul(p1, perTT), dof)
	VFMADD231PD(mul(c2, perTT), mul(p2, perTT), dof)
	l.standardError(offset, sum, p2, dof)
}

// standardError stores the residual, and the standard error, of which curve has stored a factor.
func (l logLineCode) standardError(offset gp, sum, p2, dof vec) {
	VMOVUPD(sum, in(l.c, curveRSS, offset))
	variance := div(mul(p2, sum), dof)
	VSQRTPD(variance, variance)
	VMOVUPD(mul(variance, in(l.c, se, offset)), in(l.c, se, offset))
}
