package accuracy

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat"

	"github.com/t2map/t2map/phantom"
)

// I_n(x) = 1/π·∫ exp(x·cos θ)·cos nθ dθ from 0 to π (DLMF 10.32.3), by the
// trapezoidal rule, which is exact to rounding for a periodic integrand.
func besselByIntegral(n int, x float64) float64 {
	const points = 400
	sum := 0.0
	for k := range points {
		theta := 2 * math.Pi * float64(k) / points
		sum += math.Exp(x*(math.Cos(theta)-1)) * math.Cos(float64(n)*theta)
	}
	return sum / points
}

func TestScaledBessel(t *testing.T) {
	for _, x := range []float64{0, 1e-3, 1, 10, 19.999, 20, 35, 300, 2000} {
		for n := range 2 {
			got, want := scaledBessel(n, x), besselByIntegral(n, x)
			if math.Abs(got-want) > 1e-13 {
				t.Errorf("I%d(%g)·exp(−%g) = %.16g, want %.16g", n, x, x, got, want)
			}
		}
	}
	// As in any table: I0(1) and I1(1).
	for n, want := range []float64{1.2660658778, 0.5651591040} {
		if got := scaledBessel(n, 1) * math.E; math.Abs(got-want) > 1e-10 {
			t.Errorf("I%d(1): %.11f, want %.10f", n, got, want)
		}
	}
}

// The information is the mean of the squared slope of the log-likelihood: here of
// its numerical derivative, over draws.
func TestRicianInformationByDraws(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	logLikelihood := func(m, a float64) float64 {
		return math.Log(m) - (m-a)*(m-a)/2 + math.Log(besselByIntegral(0, m*a))
	}
	const draws, step = 5000, 1e-5
	for _, a := range []float64{0.2, 1, 2, 5} {
		var squares []float64
		for range draws {
			m := math.Hypot(a+rng.NormFloat64(), rng.NormFloat64())
			slope := (logLikelihood(m, a+step) - logLikelihood(m, a-step)) / (2 * step)
			squares = append(squares, slope*slope)
		}
		mean, sd := stat.MeanStdDev(squares, nil)
		if got := ricianInformation(a); math.Abs(got-mean) > 4*sd/math.Sqrt(draws) {
			t.Errorf("a %g: %g, want %g ± %g", a, got, mean, sd/math.Sqrt(draws))
		}
	}
}

func TestRicianInformationAtTheEnds(t *testing.T) {
	for _, a := range []float64{1e-3, 1e-2} {
		if got := ricianInformation(a) / (a * a); math.Abs(got-1) > 2*a*a {
			t.Errorf("a %g: %g of a²", a, got)
		}
	}
	for _, a := range []float64{20, 100, 1000} {
		if got, want := ricianInformation(a), 1-1/(2*a*a); math.Abs(got-want) > 3/math.Pow(a, 4)+1e-12 {
			t.Errorf("a %g: %.12f, want %.12f", a, got, want)
		}
	}
}

// For Gaussian noise the bound has a closed form: that of a line through ln S with
// the weights S², var(1/T2) = σ²/Σ S²·(TE − mean)², the mean weighted too.
func TestGaussianBound(t *testing.T) {
	for _, c := range []condition{
		{train: oai, t2: 40, snr: 50, b1: 1},
		{train: phantom.Train{Echoes: 5, Spacing: 13.8}, t2: 20, snr: 100, b1: 1},
	} {
		for skip := range 2 {
			var w, wt, wtt float64
			for _, te := range c.train.TE()[skip:] {
				s := c.snr * c.snr * math.Exp(-2*te/c.t2)
				w, wt, wtt = w+s, wt+s*te, wtt+s*te*te
			}
			want := c.t2 * c.t2 / math.Sqrt(wtt-wt*wt/w)
			rician, got := exponential.bounds(c, skip)
			if math.Abs(got/want-1) > 1e-6 {
				t.Errorf("%+v without %d: %g ms, want %g", c, skip, got, want)
			}
			if rician < got {
				t.Errorf("%+v: magnitudes know more than both channels: %g < %g", c, rician, got)
			}
		}
	}
}

func TestRicianBoundNearsTheGaussian(t *testing.T) {
	rician, gaussian := exponential.bounds(condition{train: oai, t2: 50, snr: 100, b1: 1}, 1)
	if rician/gaussian > 1.005 {
		t.Errorf("SNR 100: %g and %g ms", rician, gaussian)
	}
	rician, gaussian = exponential.bounds(condition{train: oai, t2: 20, snr: 10, b1: 1}, 1)
	if rician/gaussian < 1.05 {
		t.Errorf("SNR 10 at T2 20 ms: %g and %g ms", rician, gaussian)
	}
}

func TestBoundOfThePhaseGraph(t *testing.T) {
	c := condition{train: oai, t2: 40, snr: 100, b1: 1}
	near := c
	near.b1 = 0.995
	a, _ := phaseGraph.bounds(c, 0)
	b, _ := phaseGraph.bounds(near, 0)
	if math.Abs(a/b-1) > 0.01 {
		t.Errorf("the bound jumps at B1 1: %g and, at 0.995, %g ms", a, b)
	}
	two, _ := exponential.bounds(c, 0)
	if !(a > two) {
		t.Errorf("a third unknown costs nothing: %g and %g ms", a, two)
	}
	if wrong, _ := exponential.bounds(near, 1); !math.IsNaN(wrong) {
		t.Errorf("a bound of %g ms for a wrong model", wrong)
	}
}
