package lanes

import "math"

// Log and Exp replace those of package math, whose last bit differs between processors, and which
// the assembly cannot call for four numbers at a time. Tests check that both are within 4·2⁻⁵³ of
// the exact values.

// The logarithm of 2 in two parts: k·ln2Hi is exact for |k| < 2²¹, because the
// last 21 bits of ln2Hi are zero.
const (
	ln2Hi = 0x1.62e42feep-1
	ln2Lo = 0x1.a39ef35793c76p-33
	log2E = 0x1.71547652b82fep+0
)

// Polynomials are summed in pairs, then pairs of pairs (Estrin's scheme): a chain of four dependent
// operations instead of ten.

// logTerms holds 2/(2i+3), the series of ln((1+f)/(1−f)) − 2f in f³·f²ⁱ. With |f| ≤ 0.1716, the
// next term is below 2⁻⁵⁵ of the sum.
var logTerms = [9]float64{2.0 / 3, 2.0 / 5, 2.0 / 7, 2.0 / 9, 2.0 / 11, 2.0 / 13, 2.0 / 15, 2.0 / 17, 2.0 / 19}

// toHalfRoot, added to the bits of a number, maps the bits of √½·2ᵏ to those of an exponent k +
// 1023 with a mantissa of zero.
const toHalfRoot = 1023<<52 - 0x3fe6a09e667f3bcd

// split returns m from √½ to √2 and k with x = m·2ᵏ, for a normal x above zero.
func split(x float64) (m, k float64) {
	b := math.Float64bits(x)
	shifted := b + toHalfRoot
	return math.Float64frombits(b - shifted&^(1<<52-1) + 1023<<52), float64(int(shifted>>52) - 1023)
}

// Log returns ln x for a normal x above zero.
func Log(x float64) float64 { return logOf(x, 0) }

// logOf returns ln(x·2ᵉ) for a whole number e. The sum of e and the exponent of x is below 2²¹.
func logOf(x, e float64) float64 {
	m, k := split(x)
	k += e
	f := (m - 1) / (m + 1)
	z := float64(f * f)
	c := &logTerms
	z2 := float64(z * z)
	z4 := float64(z2 * z2)
	low := math.FMA(math.FMA(c[3], z, c[2]), z2, math.FMA(c[1], z, c[0]))
	high := math.FMA(math.FMA(c[7], z, c[6]), z2, math.FMA(c[5], z, c[4]))
	p := math.FMA(c[8], float64(z4*z4), math.FMA(high, z4, low))
	p = math.FMA(p, float64(f*z), float64(k*ln2Lo))
	return math.FMA(k, ln2Hi, math.FMA(2, f, p))
}

// expTerms holds 1/i!. With |r| ≤ ln(2)/2, the next term is below 2⁻⁵⁷ of the sum.
var expTerms = [14]float64{
	1, 1, 1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040, 1.0 / 40320, 1.0 / 362880,
	1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800,
}

// The range of Exp: its results stay normal numbers.
const (
	leastExp = -708
	mostExp  = 709
)

// roundToWhole, added and subtracted again, rounds a number below 2⁵¹ to a whole one, ties to even.
// After the addition, the last bits hold the whole number.
const roundToWhole = 0x1.8p52

// Exp returns eˣ, with x limited to [leastExp, mostExp].
func Exp(x float64) float64 {
	if x < leastExp {
		x = leastExp
	}
	if x > mostExp {
		x = mostExp
	}
	shifted := math.FMA(x, log2E, roundToWhole)
	k := shifted - roundToWhole
	r := math.FMA(-k, ln2Hi, x)
	r = math.FMA(-k, ln2Lo, r)
	c := &expTerms
	r2 := float64(r * r)
	r4 := float64(r2 * r2)
	low := math.FMA(math.FMA(c[3], r, c[2]), r2, math.FMA(c[1], r, c[0]))
	middle := math.FMA(math.FMA(c[7], r, c[6]), r2, math.FMA(c[5], r, c[4]))
	high := math.FMA(math.FMA(c[11], r, c[10]), r2, math.FMA(c[9], r, c[8]))
	high = math.FMA(math.FMA(c[13], r, c[12]), r4, high)
	p := math.FMA(high, float64(r4*r4), math.FMA(middle, r4, low))
	return p * math.Float64frombits(math.Float64bits(shifted)<<52+1023<<52)
}
