package t2fit

import "sync"

// magnitude is the effect of noise with standard deviation 1 in both channels on a true magnitude
// x: the expectation of the Rician magnitude
//
//	E(x) = √(π/2)·[(1+2α)·I0e(α) + 2α·I1e(α)],   α = x²/4,
//
// and its first and second derivatives √(π/2)·x/2·[I0e(α) + I1e(α)] and √(π/2)/2·[I0e(α) − I1e(α)].
type magnitude struct{ mean, slope, bend float64 }

// floor is the expected magnitude of noise alone, √(π/2).
const floor = 1.2533141373155002512

// magnitudeOf computes the magnitude from its definition, for x ≥ 0.
func magnitudeOf(x float64) magnitude {
	alpha := float64(x * x / 4)
	i0e, i1e := scaledBessel(alpha)
	return magnitude{
		mean:  floor * (i0e + float64(2*alpha*(i0e+i1e))),
		slope: floor * x / 2 * (i0e + i1e),
		bend:  floor / 2 * (i0e - i1e),
	}
}

const (
	// cells is the number of cells of the table per unit of x. In a cell, a polynomial of the fifth
	// degree has the values of E and of two derivatives at both ends. Its error is at most the
	// sixth derivative over 6!·64·cells⁶ (Hermite's remainder). That derivative is largest at 0,
	// 720·√(π/2)/768, so that the error is at most 2.4e-14, a hundred times the rounding error of
	// E.
	cells = 32
	// farFrom is the x at which the table ends and the expansion for large x begins. There, the
	// terms after the eighth are less than 1e-17.
	farFrom  = 16
	farTerms = 8
)

// magnitudes holds the coefficients of each cell's polynomial in the fraction of the cell, and
// those of E(x)/x in powers of 1/x² above the table.
type magnitudes struct {
	cell [farFrom * cells][6]float64
	far  [farTerms + 1]float64
}

// tabulated returns the table, which is made once.
var tabulated = sync.OnceValue(func() *magnitudes {
	m := new(magnitudes)
	left := magnitudeOf(0)
	for i := range m.cell {
		right := magnitudeOf(float64(i+1) / cells)
		m.cell[i] = hermite(left, right)
		left = right
	}
	// E(x) = x·Σ ((−½)ₖ)²/k!·(2/x²)ᵏ (DLMF 13.7.2 for 1F1(−½; 1; −x²/2)).
	m.far[0] = 1
	for k := range farTerms {
		p := float64(k) - 0.5
		m.far[k+1] = m.far[k] * (2 * p * p / float64(k+1))
	}
	return m
})

// hermite returns the polynomial, in the fraction of a cell, that has the values and two
// derivatives of both ends.
func hermite(left, right magnitude) [6]float64 {
	const h = 1.0 / cells
	c := [6]float64{left.mean, float64(h * left.slope), float64(h * h / 2 * left.bend)}
	d0 := right.mean - c[0] - c[1] - c[2]
	d1 := float64(h*right.slope) - c[1] - float64(2*c[2])
	d2 := float64(h*h/2*right.bend) - c[2]
	c[3] = float64(10*d0) - float64(4*d1) + d2
	c[4] = float64(-15*d0) + float64(7*d1) - float64(2*d2)
	c[5] = float64(6*d0) - float64(3*d1) + d2
	return c
}

// evaluate returns the magnitude of x ≥ 0: the mean, which is fitted, to 1e-13 of its value, and
// the derivatives, which only guide the iteration, to 1e-10 and 1e-7.
func (m *magnitudes) evaluate(x float64) magnitude {
	if !(x < farFrom) {
		return m.expand(x)
	}
	position := float64(x * cells)
	i := int(position)
	s := position - float64(i)
	// Horner's scheme for the polynomial, its derivative and half its second derivative.
	c := &m.cell[i]
	p, p1, p2 := c[5], c[5], c[5]
	p = float64(p*s) + c[4]
	p1 = float64(p1*s) + p
	p2 = float64(p2*s) + p1
	p = float64(p*s) + c[3]
	p1 = float64(p1*s) + p
	p2 = float64(p2*s) + p1
	p = float64(p*s) + c[2]
	p1 = float64(p1*s) + p
	p2 = float64(p2*s) + p1
	p = float64(p*s) + c[1]
	p1 = float64(p1*s) + p
	p = float64(p*s) + c[0]
	return magnitude{p, cells * p1, 2 * cells * cells * p2}
}

// expand returns the magnitude of a large x.
func (m *magnitudes) expand(x float64) magnitude {
	z := 1 / (x * x)
	sum, slope := 0.0, 0.0
	for k := farTerms; k >= 1; k-- {
		sum = float64((sum + m.far[k]) * z)
		slope = float64((slope + float64(m.far[k]*float64(1-2*k))) * z)
	}
	// The second derivative is 1/x³ to 2 %.
	return magnitude{x + float64(x*sum), 1 + slope, z / x}
}

// variance returns the variance of the magnitude, 2 + x² − E², which falls from 1 to 2 − π/2 as x
// falls to 0.
func (m *magnitudes) variance(x float64) float64 {
	if x < farFrom {
		e := m.evaluate(x).mean
		return 2 + float64(x*x) - float64(e*e)
	}
	// The difference of the squares would lose all digits. The omitted terms of the expansion are
	// below 1e-7.
	z := 1 / (x * x)
	return 1 - float64(z/2) - float64(z*z/2)
}
