package register

import (
	"math"

	"github.com/t2map/t2map/volume"
)

// Resampled returns the moving image on another grid: at each voxel centre p of that grid, the
// value at t.Apply(p), by linear interpolation between voxel centres. Outside the outer centres,
// the value at the edge extends for half a voxel. Farther out, and next to a NaN, the result is
// NaN. It is for pictures that show how well a registration fits.
func Resampled(moving volume.Map, grid volume.Geometry, t volume.Rigid) volume.Map {
	out := volume.Map{Geometry: grid, Data: make([]float32, grid.Voxels())}
	inverse, ok := moving.Inverse()
	v := 0
	for k := range grid.Size[2] {
		for j := range grid.Size[1] {
			for i := range grid.Size[0] {
				out.Data[v] = float32(math.NaN())
				place := position(grid, [3]float64{float64(i), float64(j), float64(k)})
				if inner, in := nearEdge(index(inverse, t.Apply(place)), moving.Size); ok && in {
					out.Data[v] = float32(linear(moving.Data, moving.Size, inner))
				}
				v++
			}
		}
	}
	return out
}

// nearEdge moves an index that lies up to half a voxel outside the outer centres to the nearest of
// them. With rounding, a grid equal to that of the moving image keeps its outer voxels.
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
