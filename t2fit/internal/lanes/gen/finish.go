package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
)

// Columns of Curves.
const (
	t2, s0, se = 0, 1, 2
	curveRSS   = 3
)

func finish() {
	text("finishAVX2", "func(perStep, te0, perDOF float64, n int, m, c *float64)",
		"finishAVX2 is finishInGo; perStep is −1/step and perDOF 1/(dof·step²).")
	m, c := pointer("m"), pointer("c")
	perStep, te0, perDOF := broadcast("perStep"), broadcast("te0"), broadcast("perDOF")
	groups("group", func(offset gp) {
		rate := mul(log(load(in(m, ratio, offset))), perStep)
		time := div(load(all(1)), rate)
		VMOVUPD(time, in(c, t2, offset))
		a := load(in(m, amplitude, offset))
		VMOVUPD(mul(exp(mul(rate, te0)), a), in(c, s0, offset))
		residual := load(in(m, rss, offset))
		VMOVUPD(residual, in(c, curveRSS, offset))
		variance := div(mul(residual, perDOF), mul(mul(a, a), in(m, spread, offset)))
		VSQRTPD(variance, variance)
		VMOVUPD(mul(mul(time, time), variance), in(c, se, offset))
	})
	VZEROUPPER()
	RET()
}

// negated returns −x.
func negated(x vec) vec {
	v := YMM()
	VXORPD(all(math.Copysign(0, -1)), x, v)
	return v
}
