package quality

import (
	"math"
	"testing"

	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/volume"
)

// A mask of 4 × 3 voxels of compartment 1 and one voxel of 2 touching it, in a slice of 7 × 6, by hand.
func TestMeasure(t *testing.T) {
	g := volume.Geometry{Size: [3]int{7, 6, 1}}
	n := g.Voxels()
	r := segment.Regions{Labels: volume.Labels{Geometry: g, Data: make([]uint16, n)}, Names: []string{"medial", "lateral",
		"none"}}
	m := volume.Maps{Geometry: g, T2: make([]float32, n), R2: make([]float32, n), Status: make([]volume.Status, n),
		Noise: volume.Noise{Sigma: []float64{2}}}
	s := volume.MultiEcho{Geometry: g, TE: []float64{10, 20, 30, 40, 50}}
	for e := range s.TE {
		s.Echo = append(s.Echo, make([]float32, n))
		for v := range n {
			s.Echo[e][v] = float32(100 - 10*e)
		}
	}
	index := func(i, j int) int { return i + 7*j }
	for j := 1; j <= 3; j++ {
		for i := 1; i <= 4; i++ {
			v := index(i, j)
			r.Data[v], m.Status[v], m.T2[v], m.R2[v] = 1, volume.Fitted, 40, 0.9
		}
	}
	m.T2[index(2, 2)], m.T2[index(3, 2)] = 30, 34 // inside
	v := index(5, 2)
	r.Data[v], m.Status[v], m.T2[v], m.R2[v] = 2, volume.Fitted, 50, 1
	m.T2[index(4, 2)] = 38 // inside, because its neighbour is in another compartment
	s.Echo[0][index(1, 1)] = 0
	s.Echo[4][index(4, 3)] = 0
	m.Status[index(4, 3)] = volume.LowSignal
	got := Measure(s, m, r, 1)
	// The fitted echoes are 90, 80, 70, 60 about 75: TSS = 500, RSS = 50, χ² = 50/2² for two degrees of freedom.
	if c := got[0]; c.Name != "medial" || c.Zero != 1 || c.Eroded != 3 || math.Abs(c.ErodedT2-34) > 1e-6 ||
		math.Abs(c.Chi2-6.25) > 1e-5 {
		t.Errorf("medial: %+v", c)
	}
	if c := got[1]; c.Zero != 0 || c.Eroded != 0 || !math.IsNaN(c.ErodedT2) || c.Chi2 != 0 {
		t.Errorf("lateral: %+v", c)
	}
	if c := got[2]; c.Name != "none" || c.Zero != 0 || !math.IsNaN(c.ErodedT2) || !math.IsNaN(c.Chi2) {
		t.Errorf("none: %+v", c)
	}
	if got = Measure(s, m, r, 0); got[0].Zero != 2 {
		t.Errorf("all echoes: %+v", got[0])
	}
	// A fit of three echoes has one degree of freedom for two parameters and none for three.
	m.Echoes = make([]uint8, n)
	for v := range m.Echoes {
		m.Echoes[v] = 3
	}
	// 90, 80, 70 about 80: TSS = 200, RSS = 20.
	if got = Measure(s, m, r, 1); math.Abs(got[0].Chi2-5) > 1e-5 || got[0].Zero != 0 {
		t.Errorf("three echoes: %+v", got[0])
	}
	m.Offset = make([]float32, n)
	if got = Measure(s, m, r, 1); !math.IsNaN(got[0].Chi2) {
		t.Errorf("no degree of freedom: %+v", got[0])
	}
	m.Offset, m.Noise.Sigma[0] = nil, math.NaN()
	if got = Measure(s, m, r, 1); !math.IsNaN(got[0].Chi2) {
		t.Errorf("unknown noise: %+v", got[0])
	}
}
