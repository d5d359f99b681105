package quality

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/t2map/t2map/volume"
)

// tissue is a disc with a soft edge.
type tissue struct{ x, y, radius, s0, t2 float64 }

// kneeLike are tissues with the contrasts of a knee: muscle, two bones, cartilage around one of them, joint fluid.
var kneeLike = []tissue{
	{48, 48, 44, 500, 35}, {40, 30, 22, 500, 5}, {40, 30, 18, 700, 60}, {52, 70, 16, 600, 55}, {70, 46, 6, 800, 300},
	{30, 62, 7, 400, 28}, {62, 26, 4, 300, 80},
}

const side = 96

// scene returns an echo of the tissues on three slices, moved by (dx, dy).
func scene(te, dx, dy, noise float64, seed uint64) []float32 {
	r := rand.New(rand.NewPCG(seed, 1))
	out := make([]float32, 3*side*side)
	for v := range out {
		x, y := float64(v%side)-dx, float64(v/side%side)-dy
		s := 0.0
		for _, t := range kneeLike {
			// The edge has the width of a pixel, as in an image that is not interpolated.
			inside := 0.5 - 0.5*math.Tanh(1.5*(math.Hypot(x-t.x, y-t.y)-t.radius))
			s += inside * (t.s0*math.Exp(-te/t.t2) - s)
		}
		out[v] = float32(math.Hypot(s+noise*r.NormFloat64(), noise*r.NormFloat64()))
	}
	return out
}

func sceneMask() (volume.Geometry, []uint16) {
	g := volume.Geometry{Size: [3]int{side, side, 3}}
	mask := make([]uint16, 3*side*side)
	for v := range mask {
		d := math.Hypot(float64(v%side)-40, float64(v/side%side)-30)
		if d > 18 && d < 22 && v/side%side > 30 {
			mask[v] = 1
		}
	}
	return g, mask
}

// Known shifts are found to 0.1 pixel, in spite of the contrast of another echo time and of noise: at the last echo,
// the signal of muscle is 10 times the noise.
func TestShift(t *testing.T) {
	g, mask := sceneMask()
	first := scene(20, 0, 0, 8, 1)
	for n, d := range [][2]float64{{0, 0}, {0.1, 0}, {0, -0.2}, {0.25, 0.25}, {-0.4, 0.3}, {0.5, 0.5}, {-0.5, 0},
		{0.75, -0.6}, {1, 1}, {1.3, -0.8}, {-1.6, 1.5}, {2.4, 0}, {-3.3, 4.6}, {6.2, -5.7}} {
		for _, te := range []float64{20, 70} {
			s := Between(g, first, scene(te, d[0], d[1], 8, uint64(n+2)), mask)
			if math.Abs(s.I-d[0]) > 0.1 || math.Abs(s.J-d[1]) > 0.1 || !(s.Correlation > 0.5) {
				t.Errorf("shift %v, TE %g ms: found %.3f, %.3f (correlation %.2f)", d, te, s.I, s.J, s.Correlation)
			}
		}
	}
}

// A shift of 9 or 10 pixels is found as one of 8 with a lower correlation, and a larger one is not measurable.
func TestShiftBeyondReach(t *testing.T) {
	g, mask := sceneMask()
	first := scene(20, 0, 0, 8, 1)
	for _, to := range [][2]float64{{1, 0}, {-1, 0}, {0, 1}, {0, -1}} {
		shifted := func(pixels float64) Shift {
			return Between(g, first, scene(70, pixels*to[0], pixels*to[1], 8, 1), mask)
		}
		within := shifted(7)
		for _, pixels := range []float64{9, 10} {
			s := shifted(pixels)
			if s.I != far*to[0] || s.J != far*to[1] || !(s.Correlation < within.Correlation-0.05) {
				t.Errorf("%g pixels to %v: %+v; 7 pixels: %+v", pixels, to, s, within)
			}
		}
		for _, pixels := range []float64{12, 20} {
			if s := shifted(pixels); !(s.Correlation < LeastCorrelation) {
				t.Errorf("%g pixels to %v: %+v", pixels, to, s)
			}
		}
	}
}

// Without movement, noise makes a shift only together with a correlation that is too low to rely on.
func TestShiftOfNoise(t *testing.T) {
	g, mask := sceneMask()
	accidental := 0
	for n := range uint64(40) {
		s := Between(g, scene(20, 0, 0, 200, 2*n), scene(70, 0, 0, 200, 2*n+1), mask)
		if s.Pixels() <= 0.5 {
			continue
		}
		accidental++
		if !(s.Correlation < LeastCorrelation) {
			t.Errorf("run %d: %+v", n, s)
		}
	}
	t.Logf("%d of 40 runs have a shift above 0.5 pixels", accidental)
	if accidental == 0 {
		t.Error("no run has a shift: the test shows nothing")
	}
}

// Images that show nothing, and masks that have no voxels or touch the edge, give no shift, and no failure.
func TestShiftOfNothing(t *testing.T) {
	g, mask := sceneMask()
	flat := make([]float32, 3*side*side)
	if s := Between(g, flat, flat, mask); !math.IsNaN(s.Pixels()) {
		t.Errorf("flat: %+v", s)
	}
	first := scene(20, 0, 0, 0, 1)
	if s := Between(g, first, flat, mask); !math.IsNaN(s.Pixels()) {
		t.Errorf("flat second: %+v", s)
	}
	if s := Between(g, first, first, make([]uint16, len(mask))); !math.IsNaN(s.Pixels()) {
		t.Errorf("no mask: %+v", s)
	}
	all := make([]uint16, len(mask))
	for v := range all {
		all[v] = 1
	}
	if s := Between(g, first, first, all); math.Abs(s.I) > 0.01 || math.Abs(s.J) > 0.01 {
		t.Errorf("the whole image: %+v", s)
	}
	small := volume.Geometry{Size: [3]int{5, 4, 1}}
	if s := Between(small, make([]float32, 20), make([]float32, 20), []uint16{19: 1}); !math.IsNaN(s.Pixels()) {
		t.Errorf("a small image: %+v", s)
	}
}

func BenchmarkShift(b *testing.B) {
	for _, n := range []int{128, 384} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			g := volume.Geometry{Size: [3]int{n, n, 30}}
			first, mask := make([]float32, g.Voxels()), make([]uint16, g.Voxels())
			r := rand.New(rand.NewPCG(1, 2))
			for v := range first {
				first[v] = r.Float32()
				if i := g.Index(v); i[0] > n/3 && i[0] < 2*n/3 && i[1] > n/3 && i[1] < 2*n/3 {
					mask[v] = 1
				}
			}
			for b.Loop() {
				Between(g, first, first, mask)
			}
		})
	}
}
