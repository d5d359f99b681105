package accuracy

import (
	"math"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/mat"
)

// model is the signal model of a method. Its unknowns determine the bound of T2.
type model int

const (
	exponential model = iota // S0, T2
	overOffset               // S0, T2 and a constant
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
// same σ, which is the limit at high SNR. The first skip echoes are not used. Both are NaN where
// the model is not that of the signal: an exponential at a B1 other than 1.
//
// The unknowns are ln S0, ln T2 and the third one of the model, and the Fisher
// information is Σ i(a)·∂a∂aᵀ over the echoes, a being the signal over σ and i one
// for Gaussian and ricianInformation(a) for Rician noise.
func (m model) bounds(c condition, skip int) (rician, gaussian float64) {
	if m != phaseGraph && c.b1 != 1 {
		return math.NaN(), math.NaN()
	}
	signal, slopes := m.slopes(c)
	p := len(slopes)
	r, g := mat.NewSymDense(p, nil), mat.NewSymDense(p, nil)
	for e := skip; e < len(signal); e++ {
		known := ricianInformation(c.snr * signal[e])
		for i := range p {
			for j := i; j < p; j++ {
				product := c.snr * c.snr * slopes[i][e] * slopes[j][e]
				g.SetSym(i, j, g.At(i, j)+product)
				r.SetSym(i, j, r.At(i, j)+known*product)
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

// slopes returns the signal with S0 = 1 at every echo, and its derivatives along
// ln S0, ln T2 and, where the model has one, its third unknown.
//
// B1 enters by even powers of 1 − B1 alone, since pulses of 180° ∓ x give the same
// echoes. Its own derivative is therefore 0 at B1 = 1, which is not knowledge of
// B1; the unknown is rather (1 − B1)², and the bound does not depend on how an
// unknown other than T2 is written.
func (m model) slopes(c condition) (signal []float64, slopes [][]float64) {
	// A step of 1e-4 is good to 1e-8 in a central difference, and to 1e-4 in the
	// one-sided one of (1 − B1)².
	const step = 1e-4
	signal = c.train.Signal(c.t2, c.b1)
	slopes = [][]float64{signal, difference(c.train.Signal(c.t2*(1+step), c.b1), c.train.Signal(c.t2*(1-step), c.b1), 2*step)}
	switch {
	case m == overOffset:
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

func difference(a, b []float64, over float64) []float64 {
	d := make([]float64, len(a))
	for e := range d {
		d[e] = (a[e] - b[e]) / over
	}
	return d
}

// ricianInformation returns the Fisher information about a in one Rician
// magnitude m of noncentrality a and σ = 1: the expectation of the squared score
// m·I1(ma)/I0(ma) − a under the density m·exp(−(m²+a²)/2)·I0(ma). It is a²
// for small a and 1 − 1/(2a²) for large ones, as far as the first order goes
// (Karlsen et al. 1999, 10.1002/(SICI)1522-2594(199903)41:3<614::AID-MRM26>3.0.CO;2-1).
func ricianInformation(a float64) float64 {
	// Beyond nine σ from a the density is under 1e-17; 96 nodes give the integral
	// over these eighteen σ to 1e-13.
	const reach, nodes = 9, 96
	return quad.Fixed(func(m float64) float64 {
		i0, i1 := scaledBessel(0, m*a), scaledBessel(1, m*a)
		score := m*i1/i0 - a
		return score * score * m * i0 * math.Exp(-(m-a)*(m-a)/2)
	}, max(0, a-reach), a+reach, nodes, quad.Legendre{}, 0)
}

// scaledBessel returns exp(−x)·I_n(x) for n = 0 or 1 and x ≥ 0, to 1e-14: by the
// power series (DLMF 10.25.2), and for large x by Hankel's expansion (10.40.1).
func scaledBessel(n int, x float64) float64 {
	// Above, the smallest term of Hankel's expansion is under e^-40.
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
