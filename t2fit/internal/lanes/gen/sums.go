package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

func sums() {
	text("sumAVX2", "func(y, t *float64, echoes, n int, floor, mean, per float64, s *float64)",
		"sumAVX2 is sumInGo; mean is Σt/echoes and per 1/echoes.")
	y, t, s := pointer("y"), pointer("t"), pointer("s")
	floor, mean, per := broadcast("floor"), broadcast("mean"), broadcast("per")
	echoes := pointer("echoes")
	groups("group", func(offset gp) {
		sum, slope, squares, lag, count, last := zero(), zero(), zero(), zero(), zero(), zero()
		p, e := GP64(), GP64()
		LEAQ(Mem{Base: y, Index: offset, Scale: 1}, p)
		XORQ(e, e)
		Label("echo")
		v := load(Mem{Base: p})
		VADDPD(v, sum, sum)
		time := YMM()
		VBROADCASTSD(Mem{Base: t, Index: e, Scale: 8}, time)
		VFMADD231PD(time, v, slope)
		VFMADD231PD(v, v, squares)
		VFMADD231PD(v, last, lag)
		seen := compare(v, above, floor)
		VANDPD(all(1), seen, seen)
		VADDPD(seen, count, count)
		VMOVAPD(v, last)
		ADDQ(U32(column), p)
		INCQ(e)
		CMPQ(e, echoes)
		JLT(LabelRef("echo"))

		VMOVUPD(sum, in(s, 0, offset))
		VMOVUPD(squares, in(s, 1, offset))
		total := copyOf(squares)
		VFNMADD231PD(sum, mul(sum, per), total)
		VMOVUPD(total, in(s, 2, offset))
		VFNMADD231PD(mean, sum, slope)
		VMOVUPD(slope, in(s, 3, offset))
		VFNMADD231PD(last, last, squares)
		start := div(lag, squares)
		blind := load(all(0.5))
		start = choose(compare(start, above, all(1e-9)), start, blind)
		start = choose(compare(start, above, all(0.99)), all(0.99), start)
		VMOVUPD(start, in(s, 4, offset))
		VMOVUPD(count, in(s, 5, offset))
	})
	VZEROUPPER()
	RET()
}
