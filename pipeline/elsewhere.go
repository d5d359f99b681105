package pipeline

import (
	"fmt"
	"math"

	"github.com/t2map/t2map/segment/resample"
	"github.com/t2map/t2map/volume"
)

// elsewhere returns an error of the mask's position if the position is wrong, else err, the error of its division: a
// mask in a wrong position often cannot be divided either.
func (j Job) elsewhere(m maskRead, err error) error {
	if place := j.checkPlace(m); place != nil {
		return HintMask(fmt.Errorf("%s: %w", m.file.Path, place))
	}
	return err
}

// checkPlace returns an error if the whole mask lies outside the field of view of the series. A mask that needs an
// alignment of images may lie anywhere.
func (j Job) checkPlace(m maskRead) error {
	series := j.Train.Geometry
	toIndex, ok := series.Inverse()
	g := m.geometry()
	if j.MaskSource != nil || j.Moving != nil || !ok || !apart(g, series, toIndex) {
		return nil
	}
	nearest := math.Inf(1)
	measure := func(v int) {
		p := indexIn(toIndex, g.Position(float64(v%g.Size[0]), float64(v/g.Size[0]%g.Size[1]),
			float64(v/(g.Size[0]*g.Size[1]))))
		for a, n := range series.Size { // distance from the field of view, in voxels
			p[a] = max(0, p[a]-float64(n)+0.5) - max(0, -0.5-p[a])
		}
		d := 0.0
		for _, row := range series.Affine {
			d = math.Hypot(d, row[0]*p[0]+row[1]*p[1]+row[2]*p[2])
		}
		nearest = min(nearest, d)
	}
	for v, label := range m.labels.Data {
		if label != 0 {
			measure(v)
		}
	}
	for _, s := range m.segments.Segments {
		for _, v := range s.Voxels {
			measure(int(v))
		}
	}
	if math.IsInf(nearest, 1) { // the mask marks nothing, or the distance exceeds the range of numbers
		return nil
	}
	return &resample.OutsideError{DistanceMM: nearest}
}

// apart reports whether a plane along two axes of the series separates the grids, more than a voxel from the
// series. It may be false for separate grids that are oblique to each other.
func apart(g, series volume.Geometry, toIndex [3][4]float64) bool {
	lo, hi := [3]float64{math.Inf(1), math.Inf(1), math.Inf(1)}, [3]float64{math.Inf(-1), math.Inf(-1), math.Inf(-1)}
	for corner := range 8 {
		var index [3]float64
		for a := range index {
			if index[a] = -0.5; corner>>a&1 == 1 {
				index[a] = float64(g.Size[a]) - 0.5
			}
		}
		for a, x := range indexIn(toIndex, g.Position(index[0], index[1], index[2])) {
			lo[a], hi[a] = min(lo[a], x), max(hi[a], x)
		}
	}
	const margin = 1.5 // voxels; slices may be thicker than their spacing
	for a, n := range series.Size {
		if hi[a] < -margin || lo[a] > float64(n-1)+margin {
			return true
		}
	}
	return false
}

// indexIn converts a position to indices of voxels.
func indexIn(toIndex [3][4]float64, p [3]float64) (out [3]float64) {
	for r, row := range toIndex {
		out[r] = row[0]*p[0] + row[1]*p[1] + row[2]*p[2] + row[3]
	}
	return out
}
