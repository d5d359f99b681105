package segment

import (
	"math"

	"github.com/t2map/t2map/volume"
)

// Decay is the mean signal of a compartment's used voxels.
type Decay struct {
	Compartment string
	Voxels      int       // with status Fitted
	Signal      []float64 // at each TE of the series; NaN if Voxels is 0
	// Sigma is the root mean square over the voxels of the noise of their slices; NaN if a slice has no
	// estimate of noise.
	Sigma float64
}

// Decays returns one Decay per name in r, in the same order, over all echoes of s, including skipped ones.
// It panics if s, m and r are not on one grid.
func Decays(s volume.MultiEcho, m volume.Maps, r Regions) []Decay {
	if len(m.Status) != len(r.Data) {
		panic("segment: maps and mask differ in size")
	}
	for _, echo := range s.Echo {
		if len(echo) != len(r.Data) {
			panic("segment: series and mask differ in size")
		}
	}
	out := make([]Decay, len(r.Names))
	for n := range out {
		out[n] = Decay{Compartment: r.Names[n], Signal: make([]float64, len(s.Echo))}
	}
	for v, region := range r.Data {
		if region == 0 || m.Status[v] != volume.Fitted {
			continue
		}
		d := &out[region-1]
		d.Voxels++
		sigma := math.NaN()
		if k := v / r.SliceVoxels(); k < len(m.Noise.Sigma) {
			sigma = m.Noise.Sigma[k]
		}
		d.Sigma += float64(sigma * sigma)
		for e, echo := range s.Echo {
			d.Signal[e] += float64(echo[v])
		}
	}
	for n := range out {
		d := &out[n]
		for e := range d.Signal {
			d.Signal[e] /= float64(d.Voxels) // 0/0 is NaN: absent
		}
		d.Sigma = math.Sqrt(d.Sigma / float64(d.Voxels))
	}
	return out
}
