package t2fit

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/t2map/t2map/volume"
)

// sliceOf returns a slice with per voxels of each of biasT2, at one SNR, with noise of 1.
func sliceOf(rng *rand.Rand, te []float64, snr float64, per int) volume.MultiEcho {
	s := volume.MultiEcho{Geometry: volume.Geometry{Size: [3]int{len(biasT2), per, 1}}, TE: te}
	for _, t := range te {
		data := make([]float32, s.Voxels())
		for v := range data {
			a := snr * math.Exp(-t/biasT2[v%len(biasT2)])
			data[v] = float32(math.Hypot(a+rng.NormFloat64(), rng.NormFloat64()))
		}
		s.Echo = append(s.Echo, data)
	}
	return s
}

func mustNoise(t *testing.T, s volume.MultiEcho, o Options) volume.Noise {
	t.Helper()
	n, err := estimateNoise(context.Background(), s, mustResolve(t, o))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// The mean of 12 estimates is within 2 % of the noise from an SNR of 20, and within 5 % below. Each
// estimate has a standard error of 2 to 2.5 % with six fitted echoes, 5 % with three.
func TestNoiseFromResiduals(t *testing.T) {
	for _, c := range []struct {
		echoes    int
		snr       float64
		tolerance float64
	}{{7, 5, 0.05}, {7, 10, 0.05}, {7, 20, 0.02}, {7, 50, 0.02}, {7, 1000, 0.02}, {4, 10, 0.08}, {4, 50, 0.05}} {
		rng := rand.New(rand.NewPCG(92, 93))
		sum := 0.0
		for range 12 {
			sum += mustNoise(t, sliceOf(rng, echoTimes(10, 10, c.echoes), c.snr, 400), Options{}).Sigma[0]
		}
		t.Logf("%d echoes, SNR %g: %.3f", c.echoes, c.snr, sum/12)
		if !near(sum/12, 1, c.tolerance) {
			t.Errorf("%d echoes, SNR %g: sigma %.3f, want 1", c.echoes, c.snr, sum/12)
		}
	}
}

// If a quarter of the voxels have a residual of a hundred times the noise, the median of the others
// moves from the half to two thirds, and sigma by a fifth.
func TestNoiseIsRobust(t *testing.T) {
	rng := rand.New(rand.NewPCG(94, 95))
	s := sliceOf(rng, echoTimes(10, 10, 7), 200, 400)
	for v := range s.Voxels() {
		if rng.IntN(4) == 0 {
			s.Echo[3][v] *= 2
		}
	}
	if got := mustNoise(t, s, Options{}).Sigma[0]; !(got > 0.95 && got < 1.35) {
		t.Errorf("sigma %.3f", got)
	}
}

// stack returns the series of the slices.
func stack(slices ...volume.MultiEcho) volume.MultiEcho {
	out := slices[0]
	out.Size[2] = len(slices)
	out.Echo = make([][]float32, len(out.TE))
	for _, s := range slices {
		for e := range out.Echo {
			out.Echo[e] = append(out.Echo[e], s.Echo[e]...)
		}
	}
	return out
}

func amplified(s volume.MultiEcho, scale float32) volume.MultiEcho {
	for _, data := range s.Echo {
		for v := range data {
			data[v] *= scale
		}
	}
	return s
}

// Each slice has its own noise, and one without tissue takes the median of the others. The estimate
// states its source and scales with the series.
func TestNoiseBySlice(t *testing.T) {
	rng := rand.New(rand.NewPCG(96, 97))
	amplifiedSlice := func(scale float32) volume.MultiEcho {
		return amplified(sliceOf(rng, echoTimes(10, 10, 7), 100/float64(scale), 200), scale)
	}
	empty := amplified(sliceOf(rng, echoTimes(10, 10, 7), 0, 200), 0.1)
	n := mustNoise(t, stack(amplifiedSlice(1), amplifiedSlice(2), empty, amplifiedSlice(4)), Options{})
	if n.Source != string(FromResiduals) {
		t.Errorf("source %q", n.Source)
	}
	for k, want := range []float64{1, 2, 2, 4} {
		if !near(n.Sigma[k], want, 0.1) {
			t.Errorf("slice %d: sigma %.3f, want %g", k, n.Sigma[k], want)
		}
	}
}

// If there is nothing to estimate from, sigma is NaN, or it is an error if the options need it.
func TestNoiseOfNothing(t *testing.T) {
	s := amplified(sliceOf(rand.New(rand.NewPCG(98, 99)), echoTimes(10, 10, 7), 10, 10), 0)
	if n := mustNoise(t, s, Options{}); !math.IsNaN(n.Sigma[0]) {
		t.Errorf("sigma %g of an empty slice", n.Sigma[0])
	}
	o := mustResolve(t, Options{EchoFloor: 2})
	if _, err := estimateNoise(context.Background(), s, o); !errors.Is(err, errNoNoise) {
		t.Errorf("error %v", err)
	}
}

// The estimate for decays without noise is 0, up to the rounding of float32.
func TestNoiseOfExactDecays(t *testing.T) {
	s := sliceOf(rand.New(rand.NewPCG(1, 1)), echoTimes(10, 10, 7), 100, 100)
	for e, time := range s.TE {
		for v := range s.Echo[e] {
			s.Echo[e][v] = float32(100 * math.Exp(-time/biasT2[v%len(biasT2)]))
		}
	}
	if n := mustNoise(t, s, Options{}); !(n.Sigma[0] < 1e-5) {
		t.Errorf("sigma %g", n.Sigma[0])
	}
}

func TestNoiseCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s := sliceOf(rand.New(rand.NewPCG(1, 2)), echoTimes(10, 10, 7), 100, 10)
	if _, err := estimateNoise(ctx, s, mustResolve(t, Options{})); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// The threshold divides two grey levels with a little spread.
func TestOtsu(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	echo := make([]float32, 50000)
	for v := range echo {
		echo[v] = float32(100 + 10*rng.NormFloat64())
		if v%5 == 0 {
			echo[v] += 400
		}
	}
	if got := otsu(echo); !(got > 130 && got < 470) {
		t.Errorf("threshold %g", got)
	}
	if got := otsu(make([]float32, 10)); got != 0 {
		t.Errorf("threshold %g of a constant", got)
	}
}

// head returns a slice with a disc of tissue in air, with noise of sigma, times the scale of each
// corner.
func head(rng *rand.Rand, sigma float64, corners [4]float64) volume.MultiEcho {
	const n = 200
	s := volume.MultiEcho{Geometry: volume.Geometry{Size: [3]int{n, n, 1}}, TE: echoTimes(10, 10, 7)}
	for _, t := range s.TE {
		data := make([]float32, n*n)
		for v := range data {
			x, y, a := v%n-n/2, v/n-n/2, 0.0
			if x*x+y*y < 80*80 {
				a = 1000 * math.Exp(-t/40)
			}
			corner := 0
			if x >= 0 {
				corner++
			}
			if y >= 0 {
				corner += 2
			}
			m := math.Hypot(a+sigma*rng.NormFloat64(), sigma*rng.NormFloat64())
			data[v] = float32(m * corners[corner])
		}
		s.Echo = append(s.Echo, data)
	}
	return s
}

var background = Options{SigmaFrom: FromBackground}

// 1600 pixels of air determine sigma to 2 %.
func TestNoiseFromBackground(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	n := mustNoise(
		t,
		stack(
			head(rng, 10, [4]float64{1, 1, 1, 1}), head(rng, 20, [4]float64{1, 1, 1, 1}),
			head(rng, 10, [4]float64{1, 5, 1, 1}),
		),
		background,
	)
	for k, want := range []float64{10, 20, 10} {
		if !near(n.Sigma[k], want, 0.06) {
			t.Errorf("slice %d: sigma %.2f, want %g", k, n.Sigma[k], want)
		}
	}
	if n.Source != string(FromBackground) {
		t.Errorf("source %q", n.Source)
	}
}

func TestNoiseFromBackgroundRefuses(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	masked := head(rng, 10, [4]float64{1, 1, 1, 1})
	coils := head(rng, 10, [4]float64{1, 1, 1, 1})
	tissue := head(rng, 10, [4]float64{1, 1, 1, 1})
	for v := range masked.Voxels() {
		if rng.IntN(3) > 0 && masked.Echo[6][v] < 40 {
			masked.Echo[6][v] = 0
		}
		excess := 0.0
		for range 6 {
			x := 10 * rng.NormFloat64()
			excess += x * x
		}
		coils.Echo[6][v] = float32(math.Sqrt(float64(coils.Echo[6][v])*float64(coils.Echo[6][v]) + excess))
		tissue.Echo[6][v] += 60
	}
	for _, c := range []struct {
		name string
		s    volume.MultiEcho
		want string
	}{
		{"masked", masked, "4 are masked to 0"},
		{"four coils' squares summed", coils, "no slice has two corners of air"},
		{"tissue all over", tissue, "no slice has two corners of air"},
		{"corners that disagree", head(rng, 10, [4]float64{1, 2, 4, 8}), "no slice has two corners of air"},
		{"small", sliceOf(rng, echoTimes(10, 10, 7), 10, 50), "hold fewer than 100"},
	} {
		_, err := estimateNoise(context.Background(), c.s, mustResolve(t, background))
		if err == nil || !strings.Contains(err.Error(), c.want) || !errors.Is(err, ErrNoise) {
			t.Errorf("%s: error %v, want …%s…", c.name, err, c.want)
		}
	}
}

// The noise of a knee of 30 slices.
func BenchmarkNoise(b *testing.B) {
	one := volume.Geometry{Size: [3]int{384, 384, 30}}
	s := volume.MultiEcho{Geometry: one, TE: echoTimes(10, 10, 7)}
	rng := rand.New(rand.NewPCG(6, 6))
	for _, t := range s.TE {
		data := make([]float32, s.Voxels())
		for v := range data {
			a := 0.0
			if x := v % 384; x > 100 && x < 250 {
				a = 100 * math.Exp(-t/float64(20+v%61))
			}
			data[v] = float32(math.Hypot(a+rng.NormFloat64(), rng.NormFloat64()))
		}
		s.Echo = append(s.Echo, data)
	}
	o, err := Options{}.Resolve()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := estimateNoise(context.Background(), s, o); err != nil {
			b.Fatal(err)
		}
	}
}
