// Command gen writes the AVX2 and FMA assembly of package lanes:
//
//	go generate ./t2fit/internal/lanes
//
// It is a module of its own, so that its dependencies are not part of t2map. Every function
// performs the operations of its namesake in ../scalar.go in the same order; the tests of lanes
// check that both return the same bits.
package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Sizes in bytes; scalar.go counts decays.
const (
	lanes  = 32        // four float64
	column = 8 * width // from one echo, or one column of a struct, to the next
	width  = 248       // lanes.Width
)

func main() {
	ConstraintExpr("amd64")
	sums()
	solve()
	signs()
	finish()
	logLine(true)
	logLine(false)
	widen()
	narrow()
	Generate()
}

// all returns a constant, in memory, with the same value in all four lanes.
var all = func() func(v float64) Mem {
	seen := map[uint64]Mem{}
	return func(v float64) Mem {
		bits := math.Float64bits(v)
		if m, ok := seen[bits]; ok {
			return m
		}
		m := GLOBL("all"+hex(bits), RODATA|NOPTR)
		for i := range 4 {
			DATA(8*i, U64(bits))
		}
		seen[bits] = m
		return m
	}
}()

func hex(v uint64) string {
	const digits = "0123456789abcdef"
	out := make([]byte, 16)
	for i := range out {
		out[15-i] = digits[v>>(4*i)&15]
	}
	return string(out)
}

// text begins a function of package lanes.
func text(name, signature, doc string) {
	TEXT(name, NOSPLIT, signature)
	Pragma("noescape")
	Doc(doc)
}

// groups runs body for every four decays; offset is their offset in a column.
func groups(label string, body func(offset gp)) {
	n := Load(Param("n"), GP64()).(gp)
	offset := GP64()
	XORQ(offset, offset)
	SHLQ(Imm(3), n)
	JE(LabelRef(label + "Done"))
	Label(label)
	body(offset)
	ADDQ(Imm(lanes), offset)
	CMPQ(offset, n)
	JLT(LabelRef(label))
	Label(label + "Done")
}

type (
	gp  = GPVirtual
	vec = VecVirtual
)

// pointer loads a parameter.
func pointer(name string) gp { return Load(Param(name), GP64()).(gp) }

// broadcast loads a float64 parameter into all lanes.
func broadcast(name string) vec {
	p, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	v := YMM()
	VBROADCASTSD(p.Addr, v)
	return v
}

// in returns the four numbers at an offset of column i of the struct at p.
func in(p Register, i int, offset Register) Mem {
	return Mem{Base: p, Disp: i * column, Index: offset, Scale: 1}
}

// load, zero and copyOf fill a new register.
func load(m Op) vec {
	v := YMM()
	VMOVUPD(m, v)
	return v
}

func zero() vec {
	v := YMM()
	VXORPD(v, v, v)
	return v
}

func copyOf(x vec) vec {
	v := YMM()
	VMOVAPD(x, v)
	return v
}

// The operations, each with a new register for the result. The second operand may be in memory.

func add(x vec, y Op) vec { v := YMM(); VADDPD(y, x, v); return v }
func sub(x vec, y Op) vec { v := YMM(); VSUBPD(y, x, v); return v }
func mul(x vec, y Op) vec { v := YMM(); VMULPD(y, x, v); return v }
func div(x vec, y Op) vec { v := YMM(); VDIVPD(y, x, v); return v }
func and(x vec, y Op) vec { v := YMM(); VANDPD(y, x, v); return v }
func or(x vec, y Op) vec  { v := YMM(); VORPD(y, x, v); return v }

// without returns y with the bits of x cleared.
func without(y Op, x vec) vec { v := YMM(); VANDNPD(y, x, v); return v }

// choose returns yes in the lanes in which the mask is set, and no in the others.
func choose(mask vec, yes Op, no vec) vec {
	v := YMM()
	VBLENDVPD(mask, yes, no, v)
	return v
}

// predicate is a comparison; all but notBelow are false for NaN.
type predicate uint8

const (
	equal    predicate = 0x00
	below    predicate = 0x11
	atMost   predicate = 0x12
	notBelow predicate = 0x15
	atLeast  predicate = 0x1d
	above    predicate = 0x1e
)

// compare returns a mask of the lanes in which x p y is true.
func compare(x vec, p predicate, y Op) vec {
	v := YMM()
	VCMPPD(Imm(uint64(p)), y, x, v)
	return v
}
