package resample

import (
	"math"

	"github.com/t2map/t2map/volume"
)

// VoxelMeans returns, for each voxel of the series, the mean value of the voxels of a mask whose centres
// lie in it; NaN if there are none. The gap between slices belongs to the nearer slice. voxels are indices
// of the grid of the mask, with one value each; NaN values are ignored. transform maps a position in the
// series to the space of the mask; nil means the identity. If the affine of the series has no inverse, all
// values are NaN.
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

// indexOf returns the index of the voxel that contains a position, or −1.
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
