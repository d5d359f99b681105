// Package quality measures whether the T2 of a study can be trusted: the fit against the noise, voxels at the edge of
// the mask, voxels without signal, and movement between echoes. It applies no limits; the protocol
// sets them.
package quality

import (
	"math"

	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/volume"
)

// Compartment holds the measures of one compartment.
type Compartment struct {
	Name string
	// Zero is the number of voxels whose magnitude is 0 at a fitted echo, as where a scanner masks the background.
	Zero int
	// Eroded is the number of used voxels that do not lie at the edge of the mask: their four neighbours in the slice
	// are in the mask. ErodedT2 is their mean T2 in ms, NaN if there are none.
	Eroded   int
	ErodedT2 float64
	// Chi2 is the residual χ² per degree of freedom over the used voxels, Σ RSS/σ² / Σ(n−p), with the noise σ of the
	// slice, n fitted echoes and p parameters; NaN if the noise is not known or no degree of freedom is left. It is 1
	// if noise alone explains the residuals.
	Chi2 float64
}

// Measure returns one Compartment per name in r, in the same order. The first skipped echoes were not fitted. It
// panics if s, m and r are not on one grid.
func Measure(s volume.MultiEcho, m volume.Maps, r segment.Regions, skipped int) []Compartment {
	if len(m.Status) != len(r.Data) || len(s.Echo[0]) != len(r.Data) {
		panic("quality: series, maps and mask differ in size")
	}
	sums := make([]sum, len(r.Names))
	for v, region := range r.Data {
		if region == 0 {
			continue
		}
		c := &sums[region-1]
		echoes := len(s.Echo)
		if m.Echoes != nil && m.Status[v] != volume.NotFitted {
			echoes = min(echoes, skipped+int(m.Echoes[v]))
		}
		zero, tss := variation(s.Echo[skipped:max(skipped, echoes)], v)
		if zero {
			c.zero++
		}
		if m.Status[v] != volume.Fitted {
			continue
		}
		if interior(r, v) {
			c.eroded++
			c.t2 += float64(m.T2[v])
		}
		c.residual(m, v, tss, r.SliceVoxels(), echoes-skipped)
	}
	out := make([]Compartment, len(r.Names))
	for n, c := range sums {
		out[n] = Compartment{Name: r.Names[n], Zero: c.zero, Eroded: c.eroded, ErodedT2: c.t2 / float64(c.eroded),
			Chi2: c.chi2 / float64(c.freedom)} // 0/0 is NaN: absent
	}
	return out
}

// sum accumulates the voxels of a compartment.
type sum struct {
	zero, eroded, freedom int
	t2, chi2              float64
}

// residual adds the residual of a used voxel, which follows from R² = 1 − RSS/TSS.
func (c *sum) residual(m volume.Maps, v int, tss float64, plane, echoes int) {
	parameters := 2
	if m.Offset != nil || m.B1 != nil {
		parameters = 3
	}
	sigma := math.NaN()
	if k := v / plane; k < len(m.Noise.Sigma) {
		sigma = m.Noise.Sigma[k]
	}
	if freedom := echoes - parameters; freedom > 0 && sigma > 0 {
		c.chi2 += (1 - float64(m.R2[v])) * tss / float64(sigma*sigma)
		c.freedom += freedom
	}
}

// variation returns whether a voxel has no signal at one of the echoes, and the sum of squares of its signals about
// their mean.
func variation(echoes [][]float32, v int) (zero bool, tss float64) {
	mean := 0.0
	for _, echo := range echoes {
		y := float64(echo[v])
		zero = zero || y == 0
		mean += y
	}
	mean /= float64(len(echoes))
	for _, echo := range echoes {
		d := float64(echo[v]) - mean
		tss += float64(d * d) // the conversion forbids fusing with the sum
	}
	return zero, tss
}

// interior reports whether the four neighbours of a voxel in its slice are in the mask. Neighbouring slices do not
// count: they are several times as far away, and cartilage is often only a few slices wide.
func interior(r segment.Regions, v int) bool {
	nx, ny := r.Size[0], r.Size[1]
	i, j := v%nx, v/nx%ny
	return i > 0 && r.Data[v-1] != 0 && i < nx-1 && r.Data[v+1] != 0 && j > 0 && r.Data[v-nx] != 0 && j < ny-1 &&
		r.Data[v+nx] != 0
}
