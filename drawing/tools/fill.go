package tools

import (
	"errors"
	"image"
)

// area is a part of a slice through which a flood may spread.
type area struct {
	box   image.Rectangle
	state []uint8 // of the voxels of the box, row by row
	spans []image.Point
}

// The states of a voxel of an area.
const (
	closed uint8 = iota
	open
	flooded
)

func newArea(box image.Rectangle) *area {
	return &area{box: box, state: make([]uint8, box.Dx()*box.Dy())}
}

// row returns the states of a row.
func (a *area) row(j int) []uint8 { return a.state[(j-a.box.Min.Y)*a.box.Dx():][:a.box.Dx()] }

// flood floods the open voxels that are connected with voxel (i, j) through edges, and with reach 1 also through corners,
// and calls each, if it is not nil, with the first and the last voxel of each part of a row. It does nothing if the voxel
// is not open.
func (a *area) flood(i, j, reach int, each func(j, first, last int)) {
	a.spans = append(a.spans[:0], image.Pt(i, j))
	for len(a.spans) > 0 {
		v := a.spans[len(a.spans)-1]
		a.spans = a.spans[:len(a.spans)-1]
		row := a.row(v.Y)
		first := v.X - a.box.Min.X
		if row[first] != open {
			continue
		}
		last := first
		for first > 0 && row[first-1] == open {
			first--
		}
		for last+1 < len(row) && row[last+1] == open {
			last++
		}
		for n := first; n <= last; n++ {
			row[n] = flooded
		}
		if each != nil {
			each(v.Y, first+a.box.Min.X, last+a.box.Min.X)
		}
		a.spread(v.Y-1, max(first-reach, 0), min(last+reach, len(row)-1))
		a.spread(v.Y+1, max(first-reach, 0), min(last+reach, len(row)-1))
	}
}

// spread notes one voxel of each open part of a row between two columns of the box.
func (a *area) spread(j, first, last int) {
	if j < a.box.Min.Y || j >= a.box.Max.Y {
		return
	}
	row := a.row(j)
	for n := first; n <= last; n++ {
		if row[n] == open && (n == first || row[n-1] != open) {
			a.spans = append(a.spans, image.Pt(n+a.box.Min.X, j))
		}
	}
}

// fill collects the voxels of Slice that are connected with the one at the first point.
func (p *painter) fill() error {
	click := rounded(p.Points[:1])[0]
	start := click.voxel()
	box := p.slice()
	if !start.In(box) {
		return errors.New("the point at which the fill begins is outside of the slice")
	}
	reach := capsule{}
	if p.RadiusMM > 0 {
		reach = newCapsule(click, click, p.spacing, p.RadiusMM*(1+slack))
		margin := image.Pt(int(reach.radius/p.spacing[0])+1, int(reach.radius/p.spacing[1])+1)
		box = surroundings([]point{click}, margin).Intersect(box)
	}
	a := newArea(box)
	present := p.mask.Data[p.row(start.Y, p.Slice)+start.X]
	for j := box.Min.Y; j < box.Max.Y; j++ {
		first := p.row(j, p.Slice) + box.Min.X
		row := a.row(j)
		for n := range row {
			v := image.Pt(box.Min.X+n, j)
			near := p.RadiusMM == 0 || v == start || reach.contains(reach.right(v.X), reach.down(v.Y))
			if near && p.mask.Data[first+n] == present && (p.Only == nil || p.Only.contains(first+n)) {
				row[n] = open
			}
		}
	}
	a.flood(start.X, start.Y, 0, nil)
	p.paintState(a, p.Slice, flooded)
	return nil
}

// paintState gives Label to the voxels of slice k that have a state in an area.
func (p *painter) paintState(a *area, k int, state uint8) {
	for j := a.box.Min.Y; j < a.box.Max.Y; j++ {
		first := p.row(j, k) + a.box.Min.X
		for n, s := range a.row(j) {
			if s == state {
				p.paint(first+n, p.Label)
			}
		}
	}
}

// fillHoles collects the voxels of slice k that Label encloses.
func (p *painter) fillHoles(k int) {
	box := p.bounds(k)
	if box.Empty() {
		return
	}
	// From a voxel beside the bounds of Label a straight way leads to the border of the slice.
	a := newArea(box.Inset(-1).Intersect(p.slice()))
	box = a.box
	for j := box.Min.Y; j < box.Max.Y; j++ {
		row := a.row(j)
		for n, label := range p.mask.Data[p.row(j, k)+box.Min.X:][:len(row)] {
			if label != p.Label {
				row[n] = open
			}
		}
	}
	for i := box.Min.X; i < box.Max.X; i++ {
		a.flood(i, box.Min.Y, 0, nil)
		a.flood(i, box.Max.Y-1, 0, nil)
	}
	for j := box.Min.Y; j < box.Max.Y; j++ {
		a.flood(box.Min.X, j, 0, nil)
		a.flood(box.Max.X-1, j, 0, nil)
	}
	p.paintState(a, k, open)
}
