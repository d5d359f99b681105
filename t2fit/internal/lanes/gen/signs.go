package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// rateLanes is lanes.rateLanes.
const rateLanes = 4

func signs() {
	text("signAVX2", "func(y, weights *float64, echoes, rates, n int, below *uint64)",
		"signAVX2 is signInGo; rates is a multiple of four.")
	y, weights, out := pointer("y"), pointer("weights"), pointer("below")
	echoes, rates := pointer("echoes"), pointer("rates")
	groups("group", func(offset gp) {
		found, bit := zero(), YMM()
		VMOVUPD(bits(1), bit)
		w, r := GP64(), GP64()
		MOVQ(weights, w)
		MOVQ(rates, r)
		Label("rates")
		var phi [rateLanes]vec
		for i := range phi {
			phi[i] = zero()
		}
		p, e := GP64(), GP64()
		LEAQ(Mem{Base: y, Index: offset, Scale: 1}, p)
		MOVQ(echoes, e)
		Label("echo")
		v := load(Mem{Base: p})
		for i := range phi {
			weight := YMM()
			VBROADCASTSD(Mem{Base: w, Disp: 8 * i}, weight)
			VFMADD231PD(weight, v, phi[i])
		}
		ADDQ(Imm(8*rateLanes), w)
		ADDQ(U32(column), p)
		DECQ(e)
		JNE(LabelRef("echo"))
		for i := range phi {
			negative := compare(phi[i], below, zero())
			VANDPD(bit, negative, negative)
			VORPD(negative, found, found)
			VPADDQ(bit, bit, bit)
		}
		SUBQ(Imm(rateLanes), r)
		JNE(LabelRef("rates"))
		VMOVUPD(found, in(out, 0, offset))
	})
	VZEROUPPER()
	RET()
}
