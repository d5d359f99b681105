package register

import (
	"math"

	"github.com/t2map/t2map/volume"
)

// Resampled returns the moving image on another grid: at each voxel centre p of that grid,
// the value at t.Apply(p), by linear interpolation between voxel centres. Beyond the outer
// centres the edge counts for half a voxel; farther out, and beside a NaN, the result is
// NaN. It is for pictures that show how well a registration fits.
func Resampled(moving volume.Map, onto volume.Geometry, t volume.Rigid) volume.Map {
	out := volume.Map{Geometry: onto, Data: make([]float32, onto.Voxels())}
	inverse, ok := moving.Inverse()
	v := 0
	for k := range onto.Size[2] {
		for j := range onto.Size[1] {
			for i := range onto.Size[0] {
				out.Data[v] = float32(math.NaN())
				place := position(onto, [3]float64{float64(i), float64(j), float64(k)})
				if inner, in := nearEdge(index(inverse, t.Apply(place)), moving.Size); ok && in {
					out.Data[v] = float32(linear(moving.Data, moving.Size, inner))
				}
				v++
			}
		}
	}
	return out
}

// nearEdge moves an index that lies up to half a voxel outside of the outer centres onto
// them. rounding lets a grid that is the moving one's keep its outer voxels.
func nearEdge(i [3]float64, size [3]int) ([3]float64, bool) {
	const rounding = 1e-9
	for c, x := range i {
		last := float64(size[c] - 1)
		if !(x >= -0.5-rounding && x <= last+0.5+rounding) {
			return i, false
		}
		i[c] = min(max(x, 0), last)
	}
	return i, true
}
