package pipeline

import (
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/segment/anatomy"
)

// wholeInView is the share of a row in the field of view above which the row counts as complete: the outer slices
// of a series that shows the whole joint often miss the rims of the condyles.
const wholeInView = 0.9

// leastCovered is the part of a tissue, and of a plate, that must lie in the field of view of the series: the mean of
// a smaller part does not describe the whole.
const leastCovered = 0.5

// extent is the size of a row or a plate in the mask, in voxels of the mask.
type extent struct {
	marked int     // before erosion
	left   int     // after erosion
	inView float64 // the share of marked in the field of view; NaN without voxels
}

// extent returns the extent of the parts, by their numbers, that are members. It is not known, and 0, if the mask
// lies on the grid of the series and was not eroded; then the rows count the same voxels.
func (p placedMask) extent(member func(part uint16) bool) extent {
	var e extent
	inside := 0
	for _, c := range p.coverage {
		if member(c.Label) {
			e.marked, inside = e.marked+c.Voxels, inside+c.Inside
		}
	}
	e.inView = float64(inside) / float64(e.marked)
	e.left = e.marked
	if p.marked == nil {
		return e
	}
	e.marked, e.left = 0, 0
	for n := 1; n < len(p.marked); n++ {
		if member(uint16(n)) {
			e.marked, e.left = e.marked+p.marked[n], e.left+p.left[n]
		}
	}
	if p.coverage == nil {
		e.inView = 1
	}
	return e
}

// rowExtent returns the extent of a row.
func (p placedMask) rowExtent(s segment.Summary) extent {
	return p.extent(func(part uint16) bool { return p.parts.InRow(part, s) })
}

// plateExtent returns the extent of a plate.
func (p placedMask) plateExtent(plate anatomy.Plate) extent {
	return p.extent(func(part uint16) bool { return p.parts.Part[part-1].Plate == string(plate) })
}

// unseenParts says for each part, by its number, whether its plate is omitted because most of it lies outside the
// field of view of the series. Rows that the mask marks are tissues, see checkCover.
func (p placedMask) unseenParts() []bool {
	out := make([]bool, len(p.parts.Part)+1)
	for _, plate := range anatomy.Plates() {
		if p.plateExtent(plate).inView < leastCovered {
			for n, part := range p.parts.Part {
				out[n+1] = out[n+1] || part.Plate == string(plate)
			}
		}
	}
	return out
}

// recordView records how much of each region lies in the field of view of the series.
func (p placedMask) recordView() {
	if p.record == nil {
		return
	}
	for n := range p.record.Regions {
		r := &p.record.Regions[n]
		r.InView = 1
		e := p.extent(func(part uint16) bool { return p.parts.Part[part-1].Region == r.Region })
		if p.coverage != nil && e.marked > 0 {
			r.InView = e.inView
		}
	}
}
