package segment

import (
	"github.com/t2map/t2map/segment/internal/words"
	"github.com/t2map/t2map/volume"
)

// Box is a part of a grid: the voxels with indices from Start to End, exclusive.
type Box struct{ Start, End [3]int }

// BoxOf returns the bounding box of the labels of a mask, extended by margin voxels on each side within
// the grid. Without labels, it contains one voxel.
func BoxOf(l volume.Labels, margin int) Box {
	low, high := bounds(l)
	for a, n := range l.Size {
		low[a], high[a] = max(0, low[a]-margin), min(n, high[a]+margin)
	}
	return Box{low, high}
}

// whole returns the box of a whole grid.
func whole(g volume.Geometry) Box { return Box{End: g.Size} }

// in returns the geometry of the box in a grid. Each voxel keeps its position.
func (b Box) in(g volume.Geometry) volume.Geometry {
	for r, x := range g.Position(float64(b.Start[0]), float64(b.Start[1]), float64(b.Start[2])) {
		g.Affine[r][3] = x
	}
	for a := range g.Size {
		g.Size[a] = b.End[a] - b.Start[a]
	}
	return g
}

// bounds returns the bounding box of the labels, high exclusive, or the first voxel without labels.
func bounds(l volume.Labels) (low, high [3]int) {
	boxes := make([]Box, shares(len(l.Data)))
	shareOut(len(l.Data), func(share, first, last int) {
		boxes[share] = boundsOf(l, first/max(l.Size[0], 1), last/max(l.Size[0], 1))
	})
	low, high = boxes[0].Start, boxes[0].End
	for _, b := range boxes[1:] {
		for a := range low {
			low[a], high[a] = min(low[a], b.Start[a]), max(high[a], b.End[a])
		}
	}
	if high[0] == 0 {
		low = [3]int{}
		for a, n := range l.Size {
			high[a] = min(1, n)
		}
	}
	return low, high
}

// boundsOf returns the bounding box of the labels in the rows first to last, exclusive. Its End is 0 if
// there are none.
func boundsOf(l volume.Labels, first, last int) Box {
	nx, ny := l.Size[0], l.Size[1]
	box := Box{Start: l.Size}
	for row := first; row < last; row++ {
		labels := l.Data[row*nx:][:nx]
		before := leading(labels)
		if before == nx {
			continue
		}
		start := [3]int{before, row % ny, row / ny}
		end := [3]int{nx - trailing(labels), row%ny + 1, row/ny + 1}
		for a := range start {
			box.Start[a], box.End[a] = min(box.Start[a], start[a]), max(box.End[a], end[a])
		}
	}
	return box
}

// leading returns the number of background voxels before the first label.
func leading(x []uint16) int {
	if len(x) == 0 || x[0] != 0 {
		return 0
	}
	return run(x)
}

// trailing returns the number of background voxels after the last label. There must be a label.
func trailing(x []uint16) int {
	last := len(x)
	for last >= 4 && words.Four(x[last-4:]) == 0 {
		last -= 4
	}
	for x[last-1] == 0 {
		last--
	}
	return len(x) - last
}

// many is the number of voxels that are compared at once: two cache lines.
const many = 64

// run returns the number of leading voxels that have the same label as the first. x must not be empty.
// Masks are mostly long runs of background and bone, which are compared many voxels at a time: all are
// equal if each equals the one before it.
func run(x []uint16) int {
	n := 1
	four := uint64(x[0]) * 0x0001000100010001
	if len(x) > 4 && words.Four(x[1:]) == four {
		for n = 5; n+many <= len(x) && *(*[many]uint16)(x[n:]) == *(*[many]uint16)(x[n-1:]); {
			n += many
		}
	}
	for n+4 <= len(x) && words.Four(x[n:]) == four {
		n += 4
	}
	for n < len(x) && x[n] == x[0] {
		n++
	}
	return n
}
