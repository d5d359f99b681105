package phantom

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat"
)

var trains = []Train{{7, 10}, {8, 6.3}, {5, 13.8}, {32, 8}}

func TestSignalIsTheExponentialAt180Degrees(t *testing.T) {
	for _, train := range trains {
		for _, t2 := range []float64{10, 35, 100, 1000} {
			for e, s := range train.Signal(t2, 1) {
				if want := math.Exp(-train.TE()[e] / t2); math.Abs(s-want) > 1e-12 {
					t.Errorf("%v, T2 %g ms, echo %d: %.16g, want %.16g", train, t2, e+1, s, want)
				}
			}
		}
	}
}

func TestSignalIsSymmetricAbout180Degrees(t *testing.T) {
	for _, train := range trains {
		for _, off := range []float64{0.05, 0.2, 0.4} {
			below, above := train.Signal(40, 1-off), train.Signal(40, 1+off)
			for e := range below {
				if math.Abs(below[e]-above[e]) > 1e-12 {
					t.Errorf("%v, B1 1 ∓ %g, echo %d: %.16g and %.16g", train, off, e+1, below[e], above[e])
				}
			}
		}
	}
}

// Without relaxation the first echoes of a CPMG train of pulses α are known:
// sin²(α/2); the second adds the first stimulated echo, which gives
// sin⁴(α/2) + ½·sin²α (Hennig, J Magn Reson 1988;78:397–407).
func TestSignalHasStimulatedEchoes(t *testing.T) {
	for _, b1 := range []float64{0.5, 0.6, 0.8, 0.95} {
		alpha := b1 * math.Pi
		half := math.Pow(math.Sin(alpha/2), 2)
		got := Train{Echoes: 2, Spacing: 1e-9}.Signal(40, b1)
		want := []float64{half, half*half + math.Pow(math.Sin(alpha), 2)/2}
		for e := range want {
			if math.Abs(got[e]-want[e]) > 1e-10 {
				t.Errorf("B1 %g, echo %d: %g, want %g", b1, e+1, got[e], want[e])
			}
		}
	}
}

// More isochromats than 2·Echoes + 1 change nothing: a longer train uses more of
// them and begins with the same echoes.
func TestSignalDoesNotDependOnTheNumberOfIsochromats(t *testing.T) {
	short, long := Train{7, 10}.Signal(35, 0.7), Train{70, 10}.Signal(35, 0.7)
	for e := range short {
		if math.Abs(short[e]-long[e]) > 1e-12 {
			t.Errorf("echo %d: %.16g with 15, %.16g with 141", e+1, short[e], long[e])
		}
	}
}

// The moments of the Rician distribution: E[M²] = S² + 2σ², and where S is 0
// (S/σ = e^-30 here) E[M] = σ·√(π/2), Rayleigh's mean.
func TestReferenceNoiseIsRician(t *testing.T) {
	const draws = 200000
	o := ReferenceOptions{Train: Train{3, 30}, T2: []float64{1, 30, 100}, SNR: 4, B1: 1, Draws: draws, Seed: 5}
	s, err := Reference(o)
	if err != nil {
		t.Fatal(err)
	}
	sigma := o.Sigma()
	for row, t2 := range o.T2 {
		for e, echo := range s.Echo {
			var m, m2 []float64
			for _, x := range echo[row*draws : (row+1)*draws] {
				m, m2 = append(m, float64(x)), append(m2, float64(x)*float64(x))
			}
			truth := ReferenceS0 * math.Exp(-s.TE[e]/t2)
			mean, sd := stat.MeanStdDev(m2, nil)
			want := truth*truth + 2*sigma*sigma
			if chance := sd / math.Sqrt(draws); math.Abs(mean-want) > 4*chance {
				t.Errorf("T2 %g, echo %d: E[M²] = %g, want %g ± %g", t2, e+1, mean, want, chance)
			}
			if t2 == 1 {
				want := sigma * math.Sqrt(math.Pi/2)
				if mean := stat.Mean(m, nil); math.Abs(mean-want) > 4*sigma/math.Sqrt(draws) {
					t.Errorf("echo %d of nothing: mean %g, want %g", e+1, mean, want)
				}
			}
		}
	}
}

func TestReferenceRowsStandAlone(t *testing.T) {
	o := ReferenceOptions{Train: Train{7, 10}, T2: []float64{20, 40}, SNR: 30, B1: 0.8, Draws: 50, Seed: 9}
	both, err := Reference(o)
	if err != nil {
		t.Fatal(err)
	}
	o.T2, o.Draws = []float64{40}, 20
	one, err := Reference(o)
	if err != nil {
		t.Fatal(err)
	}
	if both.Size != [3]int{50, 2, 1} {
		t.Errorf("size %v", both.Size)
	}
	for e := range one.Echo {
		if !slices.Equal(one.Echo[e], both.Echo[e][50:70]) {
			t.Errorf("echo %d of T2 40 depends on the other row or on the number of draws", e+1)
		}
	}
	o.Seed++
	if other, _ := Reference(o); slices.Equal(other.Echo[0], one.Echo[0]) {
		t.Error("another seed gives the same noise")
	}
}

func TestReferenceRefusesNonsense(t *testing.T) {
	good := ReferenceOptions{Train: Train{7, 10}, T2: []float64{40}, SNR: 30, B1: 1, Draws: 2}
	for name, spoil := range map[string]func(*ReferenceOptions){
		"no echoes": func(o *ReferenceOptions) { o.Train.Echoes = 0 },
		"spacing":   func(o *ReferenceOptions) { o.Train.Spacing = math.NaN() },
		"T2":        func(o *ReferenceOptions) { o.T2 = []float64{0} },
		"SNR":       func(o *ReferenceOptions) { o.SNR = -1 },
		"B1":        func(o *ReferenceOptions) { o.B1 = 0 },
		"draws":     func(o *ReferenceOptions) { o.Draws = 0 },
	} {
		o := good
		spoil(&o)
		if _, err := Reference(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := Reference(good); err != nil {
		t.Error(err)
	}
}
