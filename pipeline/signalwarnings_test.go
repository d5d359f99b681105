package pipeline

import (
	"strings"
	"testing"

	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/volume"
)

// A warning names the compartment, the slice and the echo times.
func TestDecayWarnings(t *testing.T) {
	const n = 40
	g := volume.Geometry{Size: [3]int{n, 1, 2}}
	r := segment.Regions{Labels: volume.Labels{Geometry: g, Data: make([]uint16, 2*n)}, Names: []string{"medial"}}
	m := volume.Maps{Status: make([]volume.Status, 2*n)}
	for v := range r.Data {
		r.Data[v], m.Status[v] = 1, volume.Fitted
	}
	for _, c := range []struct {
		signals [2][5]float32 // of each slice
		want    string
	}{
		{[2][5]float32{{900, 800, 700, 600, 500}, {900, 800, 700, 600, 500}}, ""},
		{[2][5]float32{{900, 300, 800, 700, 600}, {900, 300, 800, 700, 600}}, "the mean signal of medial rises by a " +
			"factor of 2.7 from 20 ms to 30 ms, which"},
		{[2][5]float32{{900, 800, 700, 600, 500}, {900, 800, 700, 200, 180}}, "the mean signal of medial in slice 2 " +
			"of 2 is 0.33 times the signal of a decay at 40 ms after 20, 30 ms, which"},
	} {
		s := volume.MultiEcho{Geometry: g, TE: []float64{10, 20, 30, 40, 50}}
		for e := range s.TE {
			echo := make([]float32, 2*n)
			for v := range echo {
				echo[v] = c.signals[v/n][e]
			}
			s.Echo = append(s.Echo, echo)
		}
		if got := strings.Join(decayWarnings(s, m, r, 1), "; "); !strings.HasPrefix(got, c.want) ||
			(got == "") != (c.want == "") {
			t.Errorf("%q, want %q…", got, c.want)
		}
	}
}

// A warning names the compartments of which more than 1 % lies above the range: not 1 % itself, not voxels below the
// range, and not voxels that count as fluid.
func TestRangeWarnings(t *testing.T) {
	const n = 200 // voxels of each compartment
	r := segment.Regions{Labels: volume.Labels{Geometry: volume.Geometry{Size: [3]int{n, 2, 1}},
		Data: make([]uint16, 2*n)}, Names: []string{"medial", "lateral"}}
	for v := range r.Data {
		r.Data[v] = uint16(1 + v/n)
	}
	for _, c := range []struct {
		above, below int // voxels of medial
		unfitted     int
		limits       segment.FluidLimits
		want         string
	}{
		{2, 0, 0, segment.FluidLimits{}, ""},
		{3, 0, 0, segment.FluidLimits{}, "more than 1 % of the voxels of medial have a T2 above 150 ms"},
		{2, 0, 10, segment.FluidLimits{}, "more than 1 % of the voxels of medial have a T2 above 150 ms"},
		{0, 50, 0, segment.FluidLimits{}, ""},
		{3, 0, 0, segment.FluidLimits{T2: 120}, ""},
		{3, 0, 0, segment.FluidLimits{T2: 180}, "more than 1 % of the voxels of medial have a T2 above 150 ms"},
	} {
		m := volume.Maps{Geometry: r.Geometry, T2: make([]float32, 2*n), R2: make([]float32, 2*n),
			SE: make([]float32, 2*n), Status: make([]volume.Status, 2*n)}
		for v := range m.Status {
			m.T2[v], m.Status[v] = 40, volume.Fitted
			switch {
			case v < c.above:
				m.T2[v], m.Status[v] = 160, volume.OutOfRange
			case v < c.above+c.below:
				m.T2[v], m.Status[v] = 5, volume.OutOfRange
			case v < c.above+c.below+c.unfitted:
				m.Status[v] = volume.LowSignal
			}
		}
		if err := segment.ExcludeFluid(&m, r, c.limits); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(rangeWarnings(m, r, 150), "; "); !strings.HasPrefix(got, c.want) ||
			(got == "") != (c.want == "") {
			t.Errorf("%+v: %q, want %q…", c, got, c.want)
		}
	}
}
