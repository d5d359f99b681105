package resample

import (
	"math"

	"github.com/t2map/t2map/volume"
)

// VoxelMeans returns for each voxel of the series the mean of the values of those voxels of a mask
// whose centres lie in it, where the gap between slices counts to the nearer one; NaN
// if there is none. voxels are indices of the mask's grid, and value holds one for each, of
// which NaN does not count. transform takes a position of the series to the space of the mask;
// nil means that they share it. A series without an inverse affine gets NaN everywhere.
func VoxelMeans(
	mask volume.Geometry, voxels []int32, value []float32, series volume.Geometry, transform *volume.Rigid,
) []float32 {
	out := make([]float32, series.Voxels())
	count := make([]uint32, len(out))
	if transform != nil {
		series = series.Moved(*transform)
	}
	inverse, ok := series.Inverse()
	for n, v := range voxels {
		x := value[n]
		if !ok || x != x {
			continue
		}
		i := mask.Index(int(v))
		position := mask.Position(float64(i[0]), float64(i[1]), float64(i[2]))
		if w := indexOf(inverse, position, series.Size); w >= 0 {
			out[w] += x
			count[w]++
		}
	}
	for w, n := range count {
		if n == 0 {
			out[w] = float32(math.NaN())
			continue
		}
		out[w] /= float32(n)
	}
	return out
}

// indexOf returns the index of the voxel that holds a position, or −1.
func indexOf(inverse [3][4]float64, position [3]float64, size [3]int) int {
	w, stride := 0, 1
	for d, a := range inverse {
		x := math.Round(a[0]*position[0] + a[1]*position[1] + a[2]*position[2] + a[3])
		if !(x >= 0 && x < float64(size[d])) {
			return -1
		}
		w += int(x) * stride
		stride *= size[d]
	}
	return w
}
