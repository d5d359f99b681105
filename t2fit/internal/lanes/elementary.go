package lanes

import "math"

// Logarithm and exponential of our own, because math's differ in the last bit
// between processors, and because the assembly needs them four at a time. Both are
// within 4 units of 2⁻⁵³ of the truth, which the tests hold them to.

// The logarithm of 2 in two parts: k·ln2Hi is exact for |k| < 2048, because the
// last 21 bits of ln2Hi are zero.
const (
	ln2Hi = 0x1.62e42feep-1
	ln2Lo = 0x1.a39ef35793c76p-33
	log2E = 0x1.71547652b82fep+0
	sqrt2 = 0x1.6a09e667f3bcdp+0
)

// logTerms holds 2/(2i+3), the series of ln((1+f)/(1−f)) − 2f in f³·f²ⁱ, highest
// power first. With |f| ≤ 0.1716 the next term is under 2⁻⁶⁰ of the sum.
var logTerms = [...]float64{2.0 / 21, 2.0 / 19, 2.0 / 17, 2.0 / 15, 2.0 / 13, 2.0 / 11, 2.0 / 9, 2.0 / 7, 2.0 / 5, 2.0 / 3}

// Log returns ln x for a normal x above zero.
func Log(x float64) float64 {
	b := math.Float64bits(x)
	k := float64(int(b>>52) - 1023)
	m := math.Float64frombits(b&(1<<52-1) | 1023<<52)
	if m > sqrt2 {
		m *= 0.5
		k++
	}
	f := (m - 1) / (m + 1)
	z := f * f
	p := logTerms[0]
	for _, c := range logTerms[1:] {
		p = math.FMA(p, z, c)
	}
	p = math.FMA(p, float64(f*z), float64(k*ln2Lo))
	return math.FMA(k, ln2Hi, math.FMA(2, f, p))
}

// expTerms holds 1/i!, highest power first. With |r| ≤ ln(2)/2 the next term is
// under 2⁻⁵⁷ of the sum.
var expTerms = [...]float64{
	1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320,
	1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 1.0 / 2, 1, 1,
}

// The range of Exp: its results stay normal numbers.
const (
	leastExp = -708
	mostExp  = 709
)

// roundToWhole, added and taken away again, rounds a number below 2⁵¹ to a whole
// one, ties to even, and leaves that in its last bits.
const roundToWhole = 0x1.8p52

// Exp returns eˣ; x is taken into [leastExp, mostExp] first.
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
	p := expTerms[0]
	for _, c := range expTerms[1:] {
		p = math.FMA(p, r, c)
	}
	return p * math.Float64frombits(math.Float64bits(shifted)<<52+1023<<52)
}
