package t2fit

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/volume"
)

// dense is a brute-force fit: normalised decays exp(−t/T2)/|…| of many T2.
type dense struct{ unit [][]float64 }

// newDense uses n rates, evenly on a log scale, from a thousandth of the train's inverse length to
// e⁻²⁰ at the second echo.
func newDense(t []float64, n int) dense {
	var d dense
	lo, hi := math.Log(1e-3/t[len(t)-1]), math.Log(20/t[1])
	for i := range n {
		r := math.Exp(lo + (hi-lo)*float64(i)/float64(n-1))
		w := 0.0
		g := make([]float64, len(t))
		for e := range t {
			g[e] = math.Exp(-r * t[e])
			w += g[e] * g[e]
		}
		for e := range g {
			g[e] /= math.Sqrt(w)
		}
		d.unit = append(d.unit, g)
	}
	return d
}

// explained returns the largest part of Σy² that one of the decays explains.
func (d dense) explained(y []float64) float64 {
	most := 0.0
	for _, g := range d.unit {
		u := 0.0
		for e, v := range g {
			u += v * y[e]
		}
		most = max(most, u)
	}
	return most * most
}

// beaten describes why an estimate of the echoes y at the times t after the first is not the
// least-squares fit over all decays; it is "" if the estimate is. 1e-12 of Σy² is the rounding
// error of the comparison.
func beaten(t, y []float64, te0 float64, est Estimate, d dense) string {
	var squares, sum, rss float64
	for e, v := range y {
		squares += v * v
		sum += v
		r := v - est.S0*math.Exp(-(te0+t[e])/est.T2)
		rss += r * r
	}
	most, slack := d.explained(y), 1e-12*squares
	flat := sum * sum / float64(len(y))
	switch est.Status {
	case volume.Fitted, volume.OutOfRange:
		if !(est.R2 > 0) {
			return fmt.Sprintf("%v: R² %g, worse than a constant", y, est.R2)
		}
		if rss > squares-most+slack {
			return fmt.Sprintf("%v: residual %g at T2 %g, least %g", y, rss, est.T2, squares-most)
		}
	case volume.NotDecaying:
		if most > flat+slack {
			return fmt.Sprintf(
				"%v: not decaying, but a decay leaves %g, the constant %g", y, squares-most, squares-flat,
			)
		}
	case volume.NotConverged:
		if spike := y[0] * y[0]; most > spike+slack || flat > spike+slack {
			return fmt.Sprintf(
				"%v: not converged, but a curve leaves %g, the limit %g", y, squares-max(most, flat), squares-spike,
			)
		}
	}
	return ""
}

// Signals for which a local minimum was once returned, and their best fits.
func TestTwoMinima(t *testing.T) {
	for _, c := range []struct {
		name string
		y    []float64
		want volume.Status
		t2   float64 // in ms, to 1 %; from a scan of 100 000 rates
	}{
		{"a slow decay before a short one", []float64{17, 1, 2, 5, 9, 4, 10}, volume.Fitted, 132.12},
		{"a short decay before noise", []float64{100, 20, 4, 12, 14, 16, 18}, volume.Fitted, 6.631},
		{"a short decay before a rise", []float64{100, 1, 0, 0, 0, 0, 101}, volume.Fitted, 2.171},
		{"the first echo alone", []float64{100, 0, 0, 0, 0, 0, 90}, volume.NotConverged, 0},
		{"rising", []float64{10, 9, 10, 11, 12, 30, 40}, volume.NotDecaying, 0},
	} {
		for _, te := range [][]float64{echoTimes(10, 10, 7), {10, 20, 30, 40, 50, 60, 70.001}} {
			est, err := Curve(te, c.y, Options{SkipEchoes: NoSkip})
			if err != nil {
				t.Fatal(err)
			}
			if est.Status != c.want || c.t2 > 0 && !near(est.T2, c.t2, 0.01) {
				t.Errorf("%s, TE %v: %+v, want %v", c.name, te, est, c.want)
			}
		}
	}
}

// None of 2000 rates has a smaller residual than the estimate, at any signal-to-noise ratio, for
// even and uneven trains.
func TestNLLSIsTheMinimum(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	wide := mustResolve(t, Options{T2Range: [2]float64{0, math.MaxFloat32}})
	for _, te := range [][]float64{echoTimes(20, 10, 3), echoTimes(12.624, 6.312, 7), echoTimes(10, 10, 32),
		{10, 25, 50, 90, 150, 250}, {10, 10.5, 60, 61, 62, 63}} {
		k, f := newTrain(te), newFitter(te, wide)
		d := newDense(k.t, 2000)
		for i := range 800 {
			// Half the decays are short, half long; every tenth signal is noise.
			span := k.t[1] + rng.Float64()*(k.t[len(k.t)-1]-k.t[1])
			y := decayOf(te, span*math.Exp(rng.NormFloat64()), 1)
			noise := y[0] / math.Exp(math.Log(2)+rng.Float64()*math.Log(50))
			for e := range y {
				if i%10 == 0 {
					y[e] = 0
				}
				y[e] = math.Hypot(y[e]+noise*rng.NormFloat64(), noise*rng.NormFloat64())
			}
			if bad := beaten(k.t, y, k.te0, f.estimate(y, 0), d); bad != "" {
				t.Errorf("TE %v: %s", te, bad)
			}
		}
	}
}

// A voxel with signal in few echoes has the most minima; here, each of six echoes takes each of
// three values.
func TestNLLSIsTheMinimumOfSparseSignals(t *testing.T) {
	wide := mustResolve(t, Options{T2Range: [2]float64{0, math.MaxFloat32}})
	for _, te := range [][]float64{echoTimes(10, 10, 6), {10, 20, 30, 40, 50, 90}} {
		k, f := newTrain(te), newFitter(te, wide)
		d := newDense(k.t, 2000)
		y := make([]float64, len(te))
		for code := range 729 {
			for e := range y {
				y[e] = []float64{0, 3, 10}[code%3]
				code /= 3
			}
			if bad := beaten(k.t, y, k.te0, f.estimate(y, 0), d); bad != "" {
				t.Errorf("TE %v: %s", te, bad)
			}
		}
	}
}

// Nor does any rate fit the real scans better, with the first echo skipped: the knee, and the
// phantom whose shortest T2 is a fifth of the first fitted echo time. If R² is above 0.9, only
// every twentieth voxel is tried, to save time.
func TestRealFitsAreTheMinimum(t *testing.T) {
	for _, name := range []string{"knee-ge-mese", "nist-philips-3t"} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join("..", "..", "shared", "data", name, "dicom")
			if _, err := os.Stat(dir); err != nil {
				t.Skip("real data are not here (docs/real-scans.md says where to get them): ", err)
			}
			found, err := dicomio.Find(context.Background(), []string{dir}, dicomio.FindOptions{})
			if err != nil || len(found.Studies) != 1 || len(found.Studies[0].Trains) != 1 {
				t.Fatalf("found %+v, %v", found, err)
			}
			s, _, err := dicomio.Read(context.Background(), found.Studies[0].Trains[0], 0)
			if err != nil {
				t.Fatal(err)
			}
			k, f := newTrain(
				s.TE[1:],
			), newFitter(
				s.TE[1:], mustResolve(t, Options{T2Range: [2]float64{0, math.MaxFloat32}}),
			)
			d := newDense(k.t, 2000)
			y := make([]float64, len(k.t))
			tried, bad := 0, 0
			counts := map[volume.Status]int{}
			for v := range s.Voxels() {
				for e := range y {
					y[e] = float64(s.Echo[e+1][v])
				}
				est := f.estimate(y, 0)
				counts[est.Status]++
				if est.Status == volume.LowSignal || est.R2 > 0.9 && v%20 != 0 {
					continue
				}
				tried++
				if text := beaten(k.t, y, k.te0, est, d); text != "" {
					bad++
					if bad < 5 {
						t.Error(text)
					}
				}
			}
			if tried < 10000 {
				t.Errorf("%d voxels were tried, too few to say anything", tried)
			}
			t.Logf("%d voxels tried, %d are not the minimum; %v", tried, bad, counts)
		})
	}
}
