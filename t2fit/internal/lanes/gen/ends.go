package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// widen converts whole groups of four; its caller converts the rest.
func widen() {
	text("widenAVX2", "func(dst *float64, src *float32, n int)", "widenAVX2 is widenInGo for a multiple of four.")
	dst, src := pointer("dst"), pointer("src")
	groups("group", func(offset gp) {
		v := YMM()
		VCVTPS2PD(Mem{Base: src}, v)
		VMOVUPD(v, in(dst, 0, offset))
		ADDQ(Imm(lanes/2), src)
	})
	VZEROUPPER()
	RET()
}

func narrow() {
	text("narrowAVX2", "func(c, total *float64, low, high, minR2 float64, n int, out *float32, sound *uint8)",
		"narrowAVX2 is narrowInGo.")
	c, total, out, sound := pointer("c"), pointer("total"), pointer("out"), pointer("sound")
	low, high, minR2 := broadcast("low"), broadcast("high"), broadcast("minR2")
	groups("group", func(offset gp) {
		time, magnitude, rss := load(in(c, t2, offset)), load(in(c, s0, offset)), load(in(c, curveRSS, offset))
		all4 := load(in(total, 0, offset))
		r2 := sub(load(all(1)), div(rss, all4))
		good := and(compare(rss, below, all4), compare(r2, atLeast, minR2))
		good = and(good, compare(magnitude, below, all(math.MaxFloat32)))
		good = and(good, and(compare(time, above, low), compare(time, atMost, high)))
		flags := GP32()
		VMOVMSKPD(good, flags)
		MOVB(flags.As8(), Mem{Base: sound})
		INCQ(sound)
		for i, v := range []vec{time, magnitude, r2, load(in(c, se, offset))} {
			short := XMM()
			VCVTPD2PSY(v, short)
			VMOVUPS(short, Mem{Base: out, Disp: i * column / 2})
		}
		ADDQ(Imm(lanes/2), out)
	})
	VZEROUPPER()
	RET()
}
