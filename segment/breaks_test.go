package segment

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/t2map/t2map/volume"
)

// Signals that no decay explains are found, in all slices of a compartment or in one; decays are not.
func TestBreaks(t *testing.T) {
	const nx, nz, sigma = 64, 3, 10
	te := []float64{10, 20, 30, 40, 50, 60, 70}
	for _, c := range []struct {
		name   string
		signal func(e, k int, s float64) float64
		te     []float64
		t2     float64
		first  int
		want   string
	}{
		{"decay", func(_, _ int, s float64) float64 { return s }, te, 40, 0, "[]"},
		{"to the noise", func(_, _ int, s float64) float64 { return s }, te, 8, 0, "[]"},
		{"two exchanged", func(e, _ int, s float64) float64 {
			return s * math.Exp([]float64{0, 0, -30, 0, 0, 30, 0}[e]/40)
		}, te, 40, 0, "[{a -1 true 2 3 1.65}]"},
		{"two exchanged of a long T2", func(e, _ int, s float64) float64 {
			return s * math.Exp([]float64{0, 0, -30, 0, 0, 30, 0}[e]/60)
		}, te, 60, 0, "[{a -1 true 2 5 1.65}]"},
		{"last × 3", func(e, _ int, s float64) float64 { return s * []float64{1, 1, 1, 1, 1, 1, 3}[e] }, te, 40, 0,
			"[{a -1 true 4 6 1.82}]"},
		{"a slope lost on a slice", func(e, k int, s float64) float64 {
			if e == 3 && k == 1 {
				return 0.3 * s
			}
			return s
		}, te, 40, 0, "[{a 1 false 1 3 0.3}]"},
		{"a low first echo", func(e, _ int, s float64) float64 { return s * []float64{0.4, 1, 1, 1, 1, 1, 1}[e] }, te,
			80, 0, "[]"},
		{"a short T2 with stimulated echoes", func(e, _ int, s float64) float64 {
			return []float64{1273, 1055, 398, 320, 91, 110, 33}[e]
		}, te, 10, 0, "[]"},
		{"uneven", func(e, _ int, s float64) float64 { return s }, []float64{10, 20, 60, 90, 95, 120, 200}, 40, 0, "[]"},
		{"echoes that refocus badly", func(e, _ int, s float64) float64 { return s * (1 - 0.15*float64(e%2)) }, te,
			40, 0, "[]"},
	} {
		rng := rand.New(rand.NewPCG(1, 2))
		g := volume.Geometry{Size: [3]int{nx, 1, nz}}
		s := volume.MultiEcho{Geometry: g, TE: c.te}
		r := Regions{Labels: volume.Labels{Geometry: g, Data: make([]uint16, nx*nz)}, Names: []string{"a"}}
		m := volume.Maps{
			Status: make([]volume.Status, nx*nz), Noise: volume.Noise{Sigma: []float64{sigma, sigma, sigma}},
		}
		for e := range c.te {
			s.Echo = append(s.Echo, make([]float32, nx*nz))
			for v := range s.Echo[e] {
				r.Data[v], m.Status[v] = 1, volume.Fitted
				x := c.signal(e, v/nx, 2000*math.Exp(-c.te[e]/c.t2))
				s.Echo[e][v] = float32(math.Hypot(x+sigma*rng.NormFloat64(), sigma*rng.NormFloat64()))
			}
		}
		got := Breaks(s, m, r, c.first)
		for n := range got {
			got[n].Factor = math.Round(100*got[n].Factor) / 100
		}
		if text := fmt.Sprint(got); text != c.want {
			t.Errorf("%s: %s, want %s", c.name, text, c.want)
		}
	}
}
