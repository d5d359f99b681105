package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// The constants of ../elementary.go.
const (
	ln2Hi        = 0x1.62e42feep-1
	ln2Lo        = 0x1.a39ef35793c76p-33
	log2E        = 0x1.71547652b82fep+0
	toHalfRoot   = 1023<<52 - 0x3fe6a09e667f3bcd
	leastExp     = -708
	mostExp      = 709
	roundToWhole = 0x1.8p52
)

var logTerms = []float64{2.0 / 3, 2.0 / 5, 2.0 / 7, 2.0 / 9, 2.0 / 11, 2.0 / 13, 2.0 / 15, 2.0 / 17, 2.0 / 19}

var expTerms = []float64{
	1, 1, 1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040, 1.0 / 40320, 1.0 / 362880,
	1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800,
}

// bits returns a constant with the given bits in all four lanes.
func bits(b uint64) Mem { return all(math.Float64frombits(b)) }

// polynomial returns Σ terms·xⁱ by Estrin's scheme.
func polynomial(x vec, terms []float64) vec {
	var sums []vec
	for i := 0; i < len(terms); i += 2 {
		if i+1 == len(terms) {
			sums = append(sums, load(all(terms[i])))
			break
		}
		p := load(all(terms[i+1]))
		VFMADD213PD(all(terms[i]), x, p)
		sums = append(sums, p)
	}
	for len(sums) > 1 {
		x = mul(x, x)
		var pairs []vec
		for i := 0; i < len(sums); i += 2 {
			if i+1 == len(sums) {
				pairs = append(pairs, sums[i])
				break
			}
			VFMADD213PD(sums[i], x, sums[i+1])
			pairs = append(pairs, sums[i+1])
		}
		sums = pairs
	}
	return sums[0]
}

// split returns m and k with x = m·2ᵏ, as lanes.split does.
func split(x vec) (m, k vec) {
	shifted := YMM()
	m, k = YMM(), YMM()
	VPADDQ(bits(toHalfRoot), x, shifted)
	VPSRLQ(Imm(52), shifted, k)
	// An integer below 2⁵² with the exponent of 2⁵² is the sum of both.
	const magic = 0x1p52
	VORPD(all(magic), k, k)
	VSUBPD(all(magic+1023), k, k)
	VANDPD(bits(0xfff<<52), shifted, shifted)
	VPSUBQ(shifted, x, m)
	VPADDQ(bits(1023<<52), m, m)
	return m, k
}

// log returns ln x, as lanes.Log does.
func log(x vec) vec {
	m, k := split(x)
	return logOfParts(m, k)
}

// logOf returns ln(x·2ᵉ), as lanes.logOf does.
func logOf(x, e vec) vec {
	m, k := split(x)
	VADDPD(e, k, k)
	return logOfParts(m, k)
}

// logOfParts returns ln(m·2ᵏ) for m from √½ to √2.
func logOfParts(m, k vec) vec {
	f := div(sub(m, all(1)), add(m, all(1)))
	z := mul(f, f)
	p := polynomial(z, logTerms)
	VFMADD213PD(mul(k, all(ln2Lo)), mul(f, z), p)
	VFMADD231PD(all(2), f, p)
	VFMADD231PD(all(ln2Hi), k, p)
	return p
}

// exp returns eˣ, as lanes.Exp does.
func exp(x vec) vec {
	// If an operand is not a number, VMAXPD and VMINPD return the first operand here.
	r := load(all(leastExp))
	VMAXPD(x, r, r)
	most := load(all(mostExp))
	VMINPD(r, most, r)
	shifted := load(all(roundToWhole))
	VFMADD231PD(all(log2E), r, shifted)
	k := sub(shifted, all(roundToWhole))
	VFNMADD231PD(all(ln2Hi), k, r)
	VFNMADD231PD(all(ln2Lo), k, r)
	p := polynomial(r, expTerms)
	VPSLLQ(Imm(52), shifted, shifted)
	VPADDQ(bits(1023<<52), shifted, shifted)
	return mul(p, shifted)
}
