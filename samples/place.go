package samples

import (
	"math"

	"github.com/t2map/t2map/volume"
)

// flatTolerance is the sine below which three axes count as lying in a plane, from which float32
// cosines cannot distinguish them.
const flatTolerance = 1e-6

// SpansSpace reports whether an affine is finite and its axes do not lie in one plane.
func SpansSpace(a [3][4]float64) bool {
	for _, row := range a {
		if math.IsNaN(row[3]) || math.IsInf(row[3], 0) {
			return false
		}
	}
	g := volume.Geometry{Affine: a}
	s := g.Spacing()
	// NaN and infinities fail this comparison.
	return g.VoxelVolume() > flatTolerance*s[0]*s[1]*s[2] && !math.IsInf(g.VoxelVolume(), 0)
}
