package t2fit

import (
	"math"

	"github.com/t2map/t2map/t2fit/internal/lanes"
)

// hankelFrom is the argument above which Hankel's expansion replaces the power series. There, the
// smallest term of the expansion, about exp(−2x) of the first, is far below the rounding error, and
// the power series, whose terms are all positive, needs 70 terms.
const hankelFrom = 30

// rounding is the spacing of float64 numbers just above 1. A series ends at a term that is this
// small relative to its sum.
const rounding = 0x1p-52

// scaledBessel returns I0e = exp(−x)·I0(x) and I1e = exp(−x)·I1(x), the modified
// Bessel functions of the first kind scaled so as to stay finite, for x ≥ 0, to
// 4e-15 of their values (DLMF 10.25.2 and 10.40.1).
func scaledBessel(x float64) (i0e, i1e float64) {
	if x > hankelFrom {
		return hankel(x, 0), hankel(x, 1)
	}
	quarter := x * x / 4
	term0, term1 := 1.0, x/2
	sum0, sum1 := term0, term1
	for k := 1.0; term0 > sum0*rounding; k++ {
		term0 = float64(term0 * quarter / (k * k))
		term1 = float64(term1 * quarter / (k * (k + 1)))
		sum0 += term0
		sum1 += term1
	}
	scale := lanes.Exp(-x)
	return scale * sum0, scale * sum1
}

// hankel returns the scaled Bessel function of the order 0 or 1 for large x.
func hankel(x, order float64) float64 {
	term, sum := 1.0, 1.0
	for k := 1.0; math.Abs(term) > rounding; k++ {
		odd := float64(2*k) - 1
		term = float64(term * (float64(odd*odd) - float64(4*order)) / (8 * k * x))
		sum += term
	}
	return sum / math.Sqrt(2*math.Pi*x)
}
