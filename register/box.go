package register

import (
	"math"

	"github.com/t2map/t2map/volume"
)

// Box is a box in patient space, with its sides along the axes, in mm LPS.
type Box struct {
	Min, Max [3]float64
}

// isZero reports whether the box is the zero Box, which means none.
func (b Box) isZero() bool { return b == Box{} }

// BoundingBox returns the box around all voxels with a label, widened by margin mm on every side.
// It is zero if there is no such voxel.
func BoundingBox(l volume.Labels, margin float64) Box {
	low, high := l.Size, [3]int{-1, -1, -1}
	for v, label := range l.Data {
		if label == 0 {
			continue
		}
		for c, n := range l.Index(v) {
			low[c], high[c] = min(low[c], n), max(high[c], n)
		}
	}
	if high[0] < 0 {
		return Box{}
	}
	return boxOf(span{low, high}.corners(l.Geometry)).widened(margin)
}

// boxOf returns the box around the points.
func boxOf(points [][3]float64) Box {
	b := Box{Min: points[0], Max: points[0]}
	for _, p := range points {
		for r := range 3 {
			b.Min[r], b.Max[r] = min(b.Min[r], p[r]), max(b.Max[r], p[r])
		}
	}
	return b
}

// corners returns the eight corners of the box.
func (b Box) corners() [][3]float64 {
	var out [][3]float64
	for c := range 8 {
		p := b.Min
		for r := range 3 {
			if c>>r&1 == 1 {
				p[r] = b.Max[r]
			}
		}
		out = append(out, p)
	}
	return out
}

// span is a range of voxels of a grid, both ends included.
type span struct{ low, high [3]int }

// corners returns the positions of the eight corners of the span, at the outer faces of its voxels.
func (s span) corners(g volume.Geometry) [][3]float64 {
	var out [][3]float64
	for c := range 8 {
		var index [3]float64
		for axis := range 3 {
			if c>>axis&1 == 1 {
				index[axis] = float64(s.high[axis]) + 0.5
			} else {
				index[axis] = float64(s.low[axis]) - 0.5
			}
		}
		out = append(out, position(g, index))
	}
	return out
}

// spanOf returns the span of g that covers the points, cropped to g; ok is false if it is empty.
func spanOf(g volume.Geometry, points [][3]float64) (s span, ok bool) {
	inverse, ok := g.Inverse()
	if !ok {
		return span{}, false
	}
	for axis := range 3 {
		low, high := math.Inf(1), math.Inf(-1)
		for _, p := range points {
			coordinate := index(inverse, p)[axis]
			low, high = min(low, coordinate), max(high, coordinate)
		}
		n := float64(g.Size[axis])
		s.low[axis] = int(math.Floor(min(max(low, 0), n) + 0.5))
		s.high[axis] = int(math.Ceil(max(min(high, n-1), -1) - 0.5))
		if s.low[axis] > s.high[axis] {
			return span{}, false
		}
	}
	return s, true
}

// index maps a position to an index by the inverse of a grid's affine. Each product is rounded, so
// that the result is the same on every machine.
func index(inverse [3][4]float64, p [3]float64) [3]float64 {
	var image [3]float64
	for r, row := range inverse {
		image[r] = float64(row[0]*p[0]) + float64(row[1]*p[1]) + float64(row[2]*p[2]) + row[3]
	}
	return image
}
