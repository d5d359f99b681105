package t2fit

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/volume"
)

// noisySeries returns a series of random decays, including zeros, growth and noise, and a mask
// without every fifth voxel.
func noisySeries(n int) (volume.MultiEcho, volume.Labels) {
	rng := rand.New(rand.NewPCG(11, 12))
	g := volume.Geometry{Size: [3]int{n, 1, 1}}
	s := volume.MultiEcho{Geometry: g, TE: echoTimes(10, 10, 7)}
	for range s.TE {
		s.Echo = append(s.Echo, make([]float32, n))
	}
	mask := volume.Labels{Geometry: g, Data: make([]uint16, n)}
	for v := range n {
		y := decayOf(s.TE, 5+150*rng.Float64(), 1000*rng.Float64())
		for e := range y {
			s.Echo[e][v] = float32(math.Round(math.Hypot(y[e]+20*rng.NormFloat64(), 20*rng.NormFloat64())))
		}
		if v%11 == 0 {
			for e := range s.Echo {
				s.Echo[e][v] = 0
			}
		}
		if v%5 != 0 {
			mask.Data[v] = uint16(1 + v%3)
		}
	}
	return s, mask
}

func sameBits(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
}

func TestFitWorkers(t *testing.T) {
	s, mask := noisySeries(20011)
	for _, method := range Methods {
		want, err := Fit(context.Background(), s, mask, Options{Method: method, Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, workers := range []int{2, 16} {
			got, err := Fit(context.Background(), s, mask, Options{Method: method, Workers: workers})
			if err != nil {
				t.Fatal(err)
			}
			if !sameBits(got.T2, want.T2) || !sameBits(got.S0, want.S0) || !sameBits(got.R2, want.R2) ||
				!sameBits(got.SE, want.SE) ||
				!slices.Equal(got.Status, want.Status) {
				t.Errorf("%s: %d workers and 1 differ", method, workers)
			}
		}
	}
}

// Fit agrees with Curve on every voxel of the mask and leaves the others NaN, for every method, and
// with a noise that affects the result.
func TestFitAgainstCurve(t *testing.T) {
	s, mask := noisySeries(9000)
	var all []Options
	for _, m := range Methods {
		all = append(all, Options{Method: m, Sigma: 20}, Options{Method: m, Sigma: 20, EchoFloor: 3})
	}
	for _, o := range all {
		m, err := Fit(context.Background(), s, mask, o)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[volume.Status]int{}
		y := make([]float64, len(s.TE))
		stride := 1
		if o.Method == EPG || o.EchoFloor > 0 {
			stride = 7 // Curve makes the dictionaries again each time
		}
		for v := 0; v < len(mask.Data); v++ {
			seen[m.Status[v]]++
			if mask.Data[v] == 0 {
				if m.Status[v] != volume.NotFitted || !math.IsNaN(float64(m.T2[v])) {
					t.Fatalf("voxel %d outside the mask: %v, T2 %g", v, m.Status[v], m.T2[v])
				}
				continue
			}
			if v%stride != 0 {
				continue
			}
			for e := range y {
				y[e] = float64(s.Echo[e][v])
			}
			est, err := Curve(s.TE, y, o)
			if err != nil {
				t.Fatal(err)
			}
			want := []float32{float32(est.T2), float32(est.S0), float32(est.R2), float32(est.SE)}
			if !sameBits(want, []float32{m.T2[v], m.S0[v], m.R2[v], m.SE[v]}) || est.Status != m.Status[v] {
				t.Fatalf(
					"%s, floor %g, voxel %d: Fit %g ± %g %v, Curve %+v", o.Method, o.EchoFloor, v, m.T2[v], m.SE[v],
					m.Status[v], est,
				)
			}
		}
		for _, want := range []volume.Status{volume.NotFitted, volume.Fitted, volume.LowSignal, volume.NotDecaying,
			volume.OutOfRange} {
			if seen[want] == 0 {
				t.Errorf("%s: no voxel came out %v: the series does not try it", o.Method, want)
			}
		}
	}
}

func TestFitRefuses(t *testing.T) {
	good, mask := noisySeries(100)
	for _, c := range []struct {
		name string
		bend func(*volume.MultiEcho, *volume.Labels, *Options)
		want string
	}{
		{"too few echoes", func(s *volume.MultiEcho, _ *volume.Labels, _ *Options) {
			s.TE, s.Echo = s.TE[:3], s.Echo[:3]
		}, "3 echoes less 1 skipped leave 2"},
		{"skipping all", func(_ *volume.MultiEcho, _ *volume.Labels, o *Options) { o.SkipEchoes = 9 }, "leave 0"},
		{"echo times fall", func(s *volume.MultiEcho, _ *volume.Labels, _ *Options) {
			s.TE = []float64{10, 20, 15, 40, 50, 60, 70}
		}, "15 ms follows 20 ms"},
		{"echo time zero", func(s *volume.MultiEcho, _ *volume.Labels, _ *Options) { s.TE = echoTimes(0, 10, 7) },
			"echo time 1 is 0 ms"},
		{"echo missing", func(s *volume.MultiEcho, _ *volume.Labels, _ *Options) { s.Echo = s.Echo[:6] },
			"7 echo times for 6 echoes"},
		{"echo short", func(s *volume.MultiEcho, _ *volume.Labels, _ *Options) { s.Echo[2] = s.Echo[2][:99] },
			"echo 3 has 99 voxels"},
		{"mask short", func(_ *volume.MultiEcho, l *volume.Labels, _ *Options) { l.Data = l.Data[:7] },
			"mask has 7 voxels"},
		{"unknown method", func(_ *volume.MultiEcho, _ *volume.Labels, o *Options) { o.Method = "magic" },
			`method "magic"`},
	} {
		s, l, o := good, mask, Options{}
		s.Echo = slices.Clone(s.Echo)
		c.bend(&s, &l, &o)
		if _, err := Fit(context.Background(), s, l, o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want …%s…", c.name, err, c.want)
		}
	}
}

func TestFitCancelled(t *testing.T) {
	s, mask := noisySeries(100)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Fit(ctx, s, mask, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled fit returns %v", err)
	}
}

func TestKernelAllocatesNothing(t *testing.T) {
	s, mask := noisySeries(1000)
	for _, te := range [][]float64{s.TE, {10, 20, 31, 40, 50, 60, 70}} {
		for _, method := range Methods {
			o := mustResolve(t, Options{Method: method, Sigma: 20})
			if o.CheckTE(te) != nil {
				continue
			}
			m := o.emptyMaps(s.Geometry)
			m.Noise.Sigma = []float64{20}
			j := job{echo: s.Echo[o.SkipEchoes:], mask: mask.Data, maps: m, plane: s.SliceVoxels()}
			w := j.worker(*newFitter(te[o.SkipEchoes:], o))
			if n := testing.AllocsPerRun(5, func() { w.fit(0, 1000) }); n != 0 {
				t.Errorf("%s: %g allocations for 1000 voxels", method, n)
			}
		}
	}
}

func BenchmarkFit(b *testing.B) {
	s, _ := noisySeries(1 << 18)
	for _, m := range Methods {
		b.Run(string(m), func(b *testing.B) {
			for b.Loop() {
				if _, err := Fit(context.Background(), s, volume.Labels{}, Options{Method: m}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(s.Voxels()), "ns/voxel")
		})
	}
}

func TestEchoTimesMustIncrease(t *testing.T) {
	y := []float64{9, 8, 7, 6, 5}
	for _, te := range [][]float64{{10, 20, 20, 30, 40}, {50, 40, 30, 20, 10}, {10, 20, 30, 40, 5}} {
		for _, m := range Methods {
			if _, err := Curve(te, y, Options{Method: m, Sigma: 1}); err == nil ||
				!strings.Contains(err.Error(), "do not increase") {
				t.Errorf("%s takes %v: %v", m, te, err)
			}
		}
	}
}
