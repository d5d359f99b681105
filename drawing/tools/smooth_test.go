package tools

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/t2map/t2map/volume"
)

// drawn returns a mask of one slice with label 1 where f says so, of a position in mm.
func drawn(size int, spacing float64, f func(x, y float64) bool) volume.Labels {
	m := empty([3]int{size, size, 1}, [2]float64{spacing, spacing})
	for v := range m.Data {
		if f(float64(v%size)*spacing, float64(v/size)*spacing) {
			m.Data[v] = 1
		}
	}
	return m
}

// counts returns the number of voxels with a label, of sides of voxels between it and no label, and of pieces.
func counts(m volume.Labels) (voxels, sides, pieces int) {
	a := newArea(newPainterFor(m).slice())
	for v, label := range m.Data {
		if label != 1 {
			continue
		}
		a.state[v] = open
		voxels++
		for _, w := range []int{v - 1, v + 1, v - m.Size[0], v + m.Size[0]} {
			if m.Data[w] != 1 {
				sides++
			}
		}
	}
	for v := range a.state {
		if a.state[v] == open {
			pieces++
			a.flood(v%m.Size[0], v/m.Size[0], 1, nil)
		}
	}
	return voxels, sides, pieces
}

func newPainterFor(m volume.Labels) *painter { return &painter{mask: m} }

// A curved layer of two or three voxels, as of a condyle, keeps its thickness, whatever the radius, and after many strokes.
func TestSmoothThinLayer(t *testing.T) {
	const spacing = 0.4
	for _, thickness := range []float64{2, 3} {
		layer := func(x, y float64) bool { // the upper two thirds of a ring of radius 20 mm
			d := math.Hypot(x-28.03, y-28.07) - 20
			return d >= 0 && d < thickness*spacing && y < 35
		}
		m := drawn(140, spacing, layer)
		before, _, _ := counts(m)
		for _, radius := range []float64{0.4, 1, 1.5, MostSmoothingMM} {
			g := Gesture{Tool: Smooth, Label: 1, RadiusMM: radius}
			once := stroked(t, m, g)
			after, _, pieces := counts(once)
			t.Logf("%v voxels thick, smoothed over %v mm: %d voxels, %d before", thickness, radius, after, before)
			if math.Abs(float64(after-before)) > 0.03*float64(before) || pieces != 1 {
				t.Errorf("%v mm: %d voxels in %d pieces, want about %d in one", radius, after, pieces, before)
			}
			// In the middle of the layer, no voxel is more than one voxel from where it was.
			for v, label := range once.Data {
				x, y := float64(v%140)*spacing, float64(v/140)*spacing
				d := math.Hypot(x-28.03, y-28.07) - 20
				changed := label != m.Data[v]
				if y < 30 && changed && min(math.Abs(d), math.Abs(d-thickness*spacing)) > spacing {
					t.Errorf("%v mm: voxel at (%.1f, %.1f) has label %d", radius, x, y, label)
				}
			}
			for range 9 {
				once = stroked(t, once, g)
			}
			if many, _, pieces := counts(once); float64(many) < 0.7*float64(before) || pieces != 1 {
				t.Errorf("10 times %v mm: %d voxels in %d pieces, %d before", radius, many, pieces, before)
			}
		}
	}
}

// A disc keeps its size while the noise on its edge becomes less, and its voxels come nearer to the disc.
func TestSmoothNoise(t *testing.T) {
	const spacing = 0.5
	r := rand.New(rand.NewPCG(1, 2))
	disc := func(x, y float64) bool { return math.Hypot(x-25, y-25) < 15 }
	ideal := drawn(100, spacing, disc)
	noisy := drawn(100, spacing, func(x, y float64) bool {
		return math.Hypot(x-25, y-25) < 15+1.2*(r.Float64()-0.5)
	})
	wrong := func(m volume.Labels) (n int) {
		for v := range m.Data {
			if m.Data[v] != ideal.Data[v] {
				n++
			}
		}
		return n
	}
	size, ragged, _ := counts(noisy)
	smoother := stroked(t, noisy, Gesture{Tool: Smooth, Label: 1, RadiusMM: 2})
	after, sides, _ := counts(smoother)
	t.Logf("%d voxels, %d before; %d sides, %d before; %d wrong voxels, %d before", after, size, sides, ragged,
		wrong(smoother), wrong(noisy))
	if math.Abs(float64(after-size)) > 0.02*float64(size) || sides > ragged*4/5 || 2*wrong(smoother) > wrong(noisy) {
		t.Error("the disc is not smoother")
	}
	if n := wrong(stroked(t, ideal, Gesture{Tool: Smooth, Label: 1, RadiusMM: 2})); n > 20 {
		t.Errorf("%d voxels of a smooth disc change", n)
	}
}

// Where a label meets the end of the image, it is not rounded.
func TestSmoothAtBorder(t *testing.T) {
	m := drawn(40, 0.5, func(x, y float64) bool { return x < 8 && y < 12 })
	got := stroked(t, m, Gesture{Tool: Smooth, Label: 1, RadiusMM: 3})
	for v := range m.Data {
		i, j := v%40, v/40
		if corner := i > 10 && j > 18; !corner && got.Data[v] != m.Data[v] {
			t.Errorf("voxel (%d, %d) has label %d", i, j, got.Data[v])
		}
	}
}
