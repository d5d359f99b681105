package accuracy

import (
	"math"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/mat"
)

// model is the signal model of a method. Its unknowns determine the Cramér–Rao bound of T2.
type model int

const (
	exponential model = iota // S0, T2
	withOffset               // S0, T2 and a constant
	phaseGraph               // S0, T2 and B1
)

// parameters is the number of unknowns.
func (m model) parameters() int {
	if m == exponential {
		return 2
	}
	return 3
}

// bounds returns the Cramér–Rao bounds for the standard deviation of an unbiased
// estimate of T2 in ms: for Rician noise of known σ, and for Gaussian noise of the
// same σ, which is the limit at high SNR. The first skip echoes are not used. Both bounds are NaN if
// the signal does not follow the model, as for an exponential at a B1 other than 1.
//
// The unknowns are ln S0, ln T2 and the third unknown of the model. The Fisher information is Σ i(a)·∂a∂aᵀ over the
// echoes, where a is the signal over σ, and i(a) is 1 for Gaussian noise and ricianInformation(a) for Rician noise.
func (m model) bounds(c condition, skip int) (rician, gaussian float64) {
	if m != phaseGraph && c.b1 != 1 {
		return math.NaN(), math.NaN()
	}
	signal, slopes := m.slopes(c)
	p := len(slopes)
	r, g := mat.NewSymDense(p, nil), mat.NewSymDense(p, nil)
	for e := skip; e < len(signal); e++ {
		information := ricianInformation(c.snr * signal[e])
		for i := range p {
			for j := i; j < p; j++ {
				product := c.snr * c.snr * slopes[i][e] * slopes[j][e]
				g.SetSym(i, j, g.At(i, j)+product)
				r.SetSym(i, j, r.At(i, j)+information*product)
			}
		}
	}
	return c.t2 * spread(r), c.t2 * spread(g)
}

// spread returns the standard deviation of the second parameter of an information matrix. It is
// infinite if the matrix is singular.
func spread(information mat.Symmetric) float64 {
	var factors mat.Cholesky
	if !factors.Factorize(information) {
		return math.Inf(1)
	}
	var covariance mat.SymDense
	if err := factors.InverseTo(&covariance); err != nil {
		return math.Inf(1) // numerically singular
	}
	return math.Sqrt(covariance.At(1, 1))
}

// slopes returns the signal with S0 = 1 at every echo, and its derivatives with respect to ln S0, ln T2 and the third
// unknown, if the model has one.
//
// The signal depends only on even powers of 1 − B1, because pulses of 180° ∓ x give the same echoes. The derivative
// with respect to B1 is therefore 0 at B1 = 1, although B1 is not known. There the unknown is (1 − B1)². The bound of
// T2 does not depend on the parametrization of the other unknowns.
func (m model) slopes(c condition) (signal []float64, slopes [][]float64) {
	// With a step of 1e-4, a central difference is accurate to 1e-8, and the one-sided difference of (1 − B1)² to
	// 1e-4.
	const step = 1e-4
	signal = c.train.Signal(c.t2, c.b1)
	slopes = [][]float64{signal,
		difference(c.train.Signal(c.t2*(1+step), c.b1), c.train.Signal(c.t2*(1-step), c.b1), 2*step)}
	switch {
	case m == withOffset:
		one := make([]float64, len(signal))
		for e := range one {
			one[e] = 1
		}
		slopes = append(slopes, one)
	case m == phaseGraph && c.b1 == 1:
		slopes = append(slopes, difference(c.train.Signal(c.t2, 1-math.Sqrt(step)), signal, step))
	case m == phaseGraph:
		slopes = append(slopes, difference(c.train.Signal(c.t2, c.b1+step), c.train.Signal(c.t2, c.b1-step), 2*step))
	}
	return signal, slopes
}

// difference returns (a − b)/step.
func difference(a, b []float64, step float64) []float64 {
	d := make([]float64, len(a))
	for e := range d {
		d[e] = (a[e] - b[e]) / step
	}
	return d
}

// ricianInformation returns the Fisher information about a in one Rician
// magnitude m of noncentrality a and σ = 1: the expectation of the squared score
// m·I1(ma)/I0(ma) − a under the density m·exp(−(m²+a²)/2)·I0(ma). To first order it is a² for small a and
// 1 − 1/(2a²) for large a (Karlsen et al. 1999, 10.1002/(SICI)1522-2594(199903)41:3<614::AID-MRM26>3.0.CO;2-1).
func ricianInformation(a float64) float64 {
	// More than nine σ from a the density is below 1e-17. With 96 nodes, the integral over eighteen σ is accurate to
	// 1e-13.
	const reach, nodes = 9, 96
	return quad.Fixed(func(m float64) float64 {
		i0, i1 := scaledBessel(0, m*a), scaledBessel(1, m*a)
		score := m*i1/i0 - a
		return score * score * m * i0 * math.Exp(-(m-a)*(m-a)/2)
	}, max(0, a-reach), a+reach, nodes, quad.Legendre{}, 0)
}

// scaledBessel returns exp(−x)·I_n(x) for n = 0 or 1 and x ≥ 0, accurate to 1e-14. It uses the power series (DLMF
// 10.25.2), and for large x Hankel's expansion (10.40.1).
func scaledBessel(n int, x float64) float64 {
	// For larger x, the smallest term of Hankel's expansion is below e^-40.
	const large = 20
	if x < large {
		term := 1.0
		if n == 1 {
			term = x / 2
		}
		sum := term
		for k := 1; term > 1e-17*sum; k++ {
			term *= x * x / 4 / float64(k*(k+n))
			sum += term
		}
		return sum * math.Exp(-x)
	}
	term, sum := 1.0, 1.0
	for k := 1; math.Abs(term) > 1e-17; k++ {
		odd := 2*k - 1
		term *= -float64(4*n*n-odd*odd) / (8 * x * float64(k))
		sum += term
	}
	return sum / math.Sqrt(2*math.Pi*x)
}
