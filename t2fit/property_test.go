package t2fit

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/t2map/t2map/volume"
)

// Properties of every method, for any echoes.

// timesOf are trains that methods must fit or refuse.
var timesOf = map[string][]float64{
	"7 × 10":  echoTimes(10, 10, 7),
	"8 × 6.3": echoTimes(6.3, 6.3, 8),
	"uneven":  {8, 21, 30, 47, 60, 62, 95},
	"late":    echoTimes(26, 13, 7),
}

// everyMethod runs check for every method on every train that it accepts. The noise
// is given, for methods that need it.
func everyMethod(t *testing.T, check func(t *testing.T, te []float64, o Options)) {
	t.Helper()
	for _, m := range Methods {
		for name, te := range timesOf {
			for _, floor := range []float64{0, 3} {
				o := Options{Method: m, Sigma: 10, T2Range: wide, EchoFloor: floor}
				if !accepts(o, te) {
					continue
				}
				t.Run(fmt.Sprintf("%s/%s/floor %g", m, name, floor), func(t *testing.T) { check(t, te, o) })
			}
		}
	}
}

// fitsOf returns Curve for many decays with noise sigma.
func fitsOf(t *testing.T, te []float64, o Options) func(y []float64, sigma float64) Estimate {
	t.Helper()
	r := mustResolve(t, o)
	f := newFitter(te[r.SkipEchoes:], r)
	return func(y []float64, sigma float64) Estimate { return f.estimate(y[r.SkipEchoes:], sigma) }
}

// oddSignals are signals of about 1000 that a series can hold: decays, and signals without decay.
func oddSignals(te []float64) [][]float64 {
	rng := rand.New(rand.NewPCG(41, 42))
	constant := decayOf(te, math.Inf(1), 1000)
	negative := decayOf(te, 40, -1000)
	out := [][]float64{
		constant, negative, decayOf(te, -30, 50), make([]float64, len(te)),
		decayOf(te, 1e7, 1000), decayOf(te, 1e4, 1000), decayOf(te, 1, 1000), decayOf(te, te[0]/40, 1000),
	}
	spike, two := make([]float64, len(te)), make([]float64, len(te))
	spike[2], two[1], two[2] = 1000, 900, 300
	mixed := decayOf(te, 35, 1000)
	mixed[3] = -mixed[3]
	out = append(out, spike, two, mixed)
	for range 300 {
		y := withNoise(rng, decayOf(te, 5+200*rng.Float64(), 1000), 10*math.Pow(30, rng.Float64()))
		out = append(out, y)
	}
	for range 100 { // nothing but noise, of both signs
		y := make([]float64, len(te))
		for e := range y {
			y[e] = 1000 * rng.NormFloat64()
		}
		out = append(out, y)
	}
	for _, y := range out {
		for e, v := range y {
			y[e] = float64(float32(v))
		}
	}
	return out
}

// unsound returns what is wrong with an estimate, or "". Values must exist if the status has them,
// and otherwise be NaN.
func unsound(est Estimate, o Resolved) string {
	positive := func(v float64) bool { return v > 0 && !math.IsInf(v, 0) }
	switch {
	case est.Status == volume.NotFitted:
		return "it was asked for"
	case !est.Status.HasValue():
		for _, v := range []float64{est.T2, est.S0, est.SE, est.Offset, est.B1} {
			if !math.IsNaN(v) {
				return "a value without an estimate"
			}
		}
	case !positive(est.T2) || !positive(est.S0):
		return "T2 or S0 is not a positive number"
	case !(est.SE >= 0):
		return "no standard error"
	case !(est.R2 <= 1) || !(est.R2 > 0):
		return "R² is not above 0 and at most 1"
	case (o.Method == EPG) == math.IsNaN(est.B1) || (o.Method == NLLSOffset) == math.IsNaN(est.Offset):
		return "a parameter that the model has not, or none that it has"
	case est.Status == volume.Fitted && !(est.T2 > o.T2Range[0] && est.T2 <= o.T2Range[1]):
		return "fitted outside the accepted range"
	}
	return ""
}

func TestEveryEchoTrainHasAnEstimateOrAReason(t *testing.T) {
	everyMethod(t, func(t *testing.T, te []float64, o Options) {
		for _, accepted := range [][2]float64{wide, {0, 100}} {
			o.T2Range = accepted
			fit := fitsOf(t, te, o)
			for _, y := range oddSignals(te) {
				for _, scale := range []float64{1, 1e-9, 1e6} { // signals of 1e-6 and 1e9
					est := fit(scaled(y, scale), 10*scale)
					if wrong := unsound(est, mustResolve(t, o)); wrong != "" {
						t.Errorf("%v × %g: %s: %+v", y, scale, wrong, est)
					}
				}
			}
		}
	})
}

// Scaling signal and noise scales S0 and the offset and changes nothing else. A power of two
// changes no rounding except that of ln S.
func TestScaleOfTheSignal(t *testing.T) {
	everyMethod(t, func(t *testing.T, te []float64, o Options) {
		fit := fitsOf(t, te, o)
		for _, y := range oddSignals(te) {
			a := fit(y, 10)
			for _, scale := range []float64{0x1p-40, 4, 0x1p20} {
				b := fit(scaled(y, scale), 10*scale)
				if !sameEstimate(b, a, scale, 1) {
					t.Errorf("%v × %g: %+v becomes %+v", y, scale, a, b)
				}
			}
		}
	})
}

// Doubling all times, including T1, doubles T2 and its error and changes nothing else.
func TestScaleOfTime(t *testing.T) {
	everyMethod(t, func(t *testing.T, te []float64, o Options) {
		p := o
		p.T2Range = [2]float64{2 * o.T2Range[0], 2 * o.T2Range[1]}
		if o.Method == EPG {
			p.T1 = 2 * mustResolve(t, o).T1
		}
		fit, slow := fitsOf(t, te, o), fitsOf(t, scaled(te, 2), p)
		for _, y := range oddSignals(te) {
			a, b := fit(y, 10), slow(y, 10)
			if !sameEstimate(b, a, 1, 2) {
				t.Errorf("%v: %+v becomes %+v", y, a, b)
			}
		}
	})
}

// sameEstimate reports whether b is a with signals scaled and times stretched, up to 1e-12, a
// hundred times the rounding error of ln S. For T2, the tolerance grows with T2 relative to the
// train, over which the line then hardly falls; that of the standard error is relative to the
// residual.
func sameEstimate(b, a Estimate, scale, stretch float64) bool {
	rounding := 1e-12 * max(1, a.T2/50)
	same := func(x, y, rel float64) bool { return near(x, y, rel) || math.IsNaN(x) && math.IsNaN(y) }
	exact := a.R2 > 1-1e-12 && b.R2 > 1-1e-12 // the residual is nothing but rounding
	left := math.Sqrt(1 - a.R2)
	return a.Status == b.Status && a.Echoes == b.Echoes &&
		same(b.T2, a.T2*stretch, rounding) && same(b.S0, a.S0*scale, rounding) && same(b.B1, a.B1, rounding) &&
		(same(b.R2, a.R2, rounding) || math.Abs(b.R2-a.R2) < 1e-12) &&
		(exact || same(b.SE, a.SE*stretch, rounding/left)) &&
		(exact || same(b.Offset, a.Offset*scale, rounding/left))
}

// A voxel with a value that is not a number has a reason, and its neighbours are not affected.
func TestNotANumberStaysInItsVoxel(t *testing.T) {
	for i, m := range append(Methods, Methods...) {
		s, _ := noisySeries(5000)
		o := Options{Method: m, Sigma: 20}
		if i >= len(Methods) {
			o = Options{Method: m, Sigma: 20, EchoFloor: 3}
		}
		want, err := Fit(context.Background(), s, volume.Labels{}, o)
		if err != nil {
			t.Fatal(err)
		}
		bad := map[int]bool{}
		for i, v := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
			for e := range s.Echo {
				voxel := 700 + 97*i + 13*e
				s.Echo[e][voxel], bad[voxel] = v, true
			}
		}
		got, err := Fit(context.Background(), s, volume.Labels{}, o)
		if err != nil {
			t.Fatal(err)
		}
		for v := range got.Status {
			// A skipped echo may hold any value.
			if bad[v] && got.Status[v] == volume.LowSignal && math.IsNaN(float64(got.T2[v])) {
				continue
			}
			if !sameBits(voxelOf(got, v), voxelOf(want, v)) || got.Status[v] != want.Status[v] {
				t.Errorf(
					"%s: voxel %d (bad: %t): %v %v, want %v %v", m, v, bad[v], got.Status[v], voxelOf(got, v),
					want.Status[v], voxelOf(want, v),
				)
			}
		}
	}
}

// Nor does it prevent the estimate of the noise, or change it by more than the loss of these voxels
// from the sample does.
func TestNotANumberAndNoise(t *testing.T) {
	s, _ := noisySeries(20000)
	clean, err := Fit(context.Background(), s, volume.Labels{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), 1e30} {
		for n := range 7 {
			s.Echo[1][100*i+n] = v
		}
	}
	m, err := Fit(context.Background(), s, volume.Labels{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := m.Noise.Sigma[0], clean.Noise.Sigma[0]; !near(got, want, 0.05) {
		t.Errorf("sigma %g, %g without them", got, want)
	}
}

// R² is that of the fitted echoes: echoes below the floor do not count.
func TestEchoFloorAndR2(t *testing.T) {
	te := echoTimes(10, 10, 7)
	o := Options{Method: NLLS, Sigma: 20, EchoFloor: 3, T2Range: wide}
	y := []float64{900, 400, 150, 90, 3, 2, 1}
	est, err := Curve(te, y, o)
	if err != nil || est.Echoes >= 6 {
		t.Fatalf("%+v, %v", est, err)
	}
	short, err := Curve(te[:est.Echoes+1], y[:est.Echoes+1], Options{Method: NLLS, T2Range: wide})
	if err != nil {
		t.Fatal(err)
	}
	if est.R2 != short.R2 || est.T2 != short.T2 || est.SE != short.SE {
		t.Errorf("with a floor %+v, without the echoes %+v", est, short)
	}
}

// voxelOf returns the values of a voxel in all maps.
func voxelOf(m volume.Maps, v int) []float32 {
	out := []float32{m.T2[v], m.S0[v], m.R2[v], m.SE[v]}
	for _, extra := range [][]float32{m.Offset, m.B1} {
		if extra != nil {
			out = append(out, extra[v])
		}
	}
	if m.Echoes != nil {
		out = append(out, float32(m.Echoes[v]))
	}
	return out
}

// The position of a voxel does not change a bit of its estimate.
func TestPermutationOfVoxels(t *testing.T) {
	s, _ := noisySeries(9001)
	order := rand.New(rand.NewPCG(43, 44)).Perm(s.Voxels())
	p := volume.MultiEcho{Geometry: s.Geometry, TE: s.TE}
	for e := range s.Echo {
		p.Echo = append(p.Echo, make([]float32, len(order)))
		for index, source := range order {
			p.Echo[e][index] = s.Echo[e][source]
		}
	}
	for _, m := range Methods {
		for _, floor := range []float64{0, 3} {
			o := Options{Method: m, Sigma: 20, EchoFloor: floor}
			want, err := Fit(context.Background(), s, volume.Labels{}, o)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Fit(context.Background(), p, volume.Labels{}, o)
			if err != nil {
				t.Fatal(err)
			}
			for index, source := range order {
				if !sameBits(voxelOf(got, index), voxelOf(want, source)) || got.Status[index] != want.Status[source] {
					t.Fatalf(
						"%s, floor %g: voxel %d is %v %v, and %v %v at %d", m, floor, source, want.Status[source],
						voxelOf(want, source), got.Status[index], voxelOf(got, index), index,
					)
				}
			}
		}
	}
}

// A decay that lasts much longer than the train, or ends before its first echo, has a value near
// the truth, or a reason.
func TestExtremeT2(t *testing.T) {
	everyMethod(t, func(t *testing.T, te []float64, o Options) {
		o.T2Range = [2]float64{0, 100}
		for _, t2 := range []float64{1e3, 1e4, 1e6, 1e9, math.Inf(1)} {
			est, err := Curve(te, decayOf(te, t2, 1000), o)
			if err != nil {
				t.Fatal(err)
			}
			if est.Status == volume.Fitted {
				t.Errorf("T2 %g: %+v", t2, est)
			}
		}
		for _, t2 := range []float64{te[0] / 20, te[0] / 50, te[0] / 300} {
			o := o
			o.Sigma = 1e-3 * decayOf(te, t2, 1000)[0]
			est, err := Curve(te, decayOf(te, t2, 1000), o)
			if err != nil {
				t.Fatal(err)
			}
			if est.Status == volume.Fitted && !near(est.T2, t2, 0.05) {
				t.Errorf("T2 %g: %+v", t2, est)
			}
		}
	})
}

// Unequal spacing is refused by the methods that cannot fit it, and fitted by the others.
func TestUnequalSpacing(t *testing.T) {
	te := timesOf["uneven"]
	for _, m := range Methods {
		est, err := Curve(te, decayOf(te, 40, 1000), Options{Method: m, Sigma: 1e-3})
		switch {
		case m == ARLO || m == EPG:
			if err == nil {
				t.Errorf("%s takes %v ms: %+v", m, te, est)
			}
		case err != nil || est.Status != volume.Fitted || !near(est.T2, 40, 1e-6):
			t.Errorf("%s: %+v, %v", m, est, err)
		}
	}
}

func FuzzMethods(f *testing.F) {
	f.Add(900.0, 600.0, 0.0, 280.0, 120.0, 60.0, uint8(0), false)
	f.Add(1e30, 1e-30, 1.0, 0.0, 0.0, 1e3, uint8(1), true)
	f.Add(-1.0, 0.0, 1.0, 2.0, 3.0, 4.0, uint8(6), false)
	f.Fuzz(func(t *testing.T, a, b, c, d, e, g float64, method uint8, uneven bool) {
		y := []float64{a, b, c, d, e, g}
		for i := range y {
			y[i] = float64(float32(y[i])) // what a series can hold
			if math.IsNaN(y[i]) || math.IsInf(y[i], 0) {
				t.Skip()
			}
		}
		te := echoTimes(10, 10, 6)
		if uneven {
			te = []float64{10, 25, 26, 50, 90, 150}
		}
		o := Options{Method: Methods[int(method)%len(Methods)], Sigma: 1}
		if !accepts(o, te) {
			t.Skip()
		}
		est, err := Curve(te, y, o)
		if err != nil {
			t.Fatal(err)
		}
		if wrong := unsound(est, mustResolve(t, o)); wrong != "" {
			t.Errorf("%s on %v: %s: %+v", o.Method, y, wrong, est)
		}
	})
}
