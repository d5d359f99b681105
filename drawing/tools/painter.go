package tools

import (
	"fmt"
	"image"
	"slices"

	"github.com/t2map/t2map/drawing"
	"github.com/t2map/t2map/volume"
)

// painter collects the voxels that a gesture changes.
type painter struct {
	Gesture
	mask    volume.Labels
	spacing [2]float64 // mm, along i and j
	runs    []drawing.Run
}

// Spacings outside these limits in mm are errors of a header. Within them no square of a length overflows or vanishes, and
// no radius has very many voxels.
const (
	leastSpacing = 1e-2
	mostSpacing  = 1e3
)

// newPainter returns a painter for a gesture, or an error if the gesture or the mask cannot be used.
func newPainter(g Gesture, mask volume.Labels) (*painter, error) {
	if voxels, ok := count(mask.Size); !ok || voxels != len(mask.Data) {
		return nil, fmt.Errorf("the mask has %d labels, which is not the size of its grid, %v", len(mask.Data), mask.Size)
	}
	s := mask.Spacing()
	for _, mm := range s[:2] {
		if !(mm >= leastSpacing && mm <= mostSpacing) {
			return nil, fmt.Errorf("the spacing of the mask is %v mm, want %v to %v", mm, leastSpacing, mostSpacing)
		}
	}
	if err := g.check(mask.Geometry); err != nil {
		return nil, err
	}
	if !slices.Contains(freehand, g.Tool) {
		g.Only, g.Erase = nil, 0
	}
	return &painter{Gesture: g, mask: mask, spacing: [2]float64{s[0], s[1]}}, nil
}

// count returns the number of voxels of a grid. It is false if a size is not positive or the number overflows.
func count(size [3]int) (voxels int, ok bool) {
	voxels = 1
	for _, n := range size {
		if n <= 0 || voxels*n/n != voxels {
			return 0, false
		}
		voxels *= n
	}
	return voxels, true
}

// draw collects what the gesture changes.
func (p *painter) draw() error {
	switch p.Tool {
	case Brush:
		p.brush()
	case Polygon:
		p.fillOutline(rounded(p.Points))
	case Spline:
		p.fillOutline(curve(rounded(p.Points), p.spacing))
	case Fill:
		return p.fill()
	case Copy:
		return p.copy()
	case Interpolate:
		return p.interpolate()
	case Smooth:
		p.Keep = true
		p.eachSlice(p.smooth)
	case Holes:
		p.eachSlice(p.fillHoles)
	case Clear:
		p.eachSlice(p.clear)
	default:
		return fmt.Errorf("the tool %.30q is not known", p.Tool)
	}
	return nil
}

// eachSlice calls f with the index of Slice, or of each slice if All is set.
func (p *painter) eachSlice(f func(k int)) {
	if !p.All {
		f(p.Slice)
		return
	}
	for k := range p.mask.Size[2] {
		f(k)
	}
}

// paint gives voxel v a label if it has another one and may change. Calls must be in increasing order of v.
func (p *painter) paint(v int, label uint16) {
	present := p.mask.Data[v]
	if present == label || !p.permits(present, label) || p.Only != nil && !p.Only.contains(v) {
		return
	}
	if n := len(p.runs) - 1; n >= 0 && p.runs[n].First+p.runs[n].Length == v && p.runs[n].Label == label {
		p.runs[n].Length++
		return
	}
	p.runs = append(p.runs, drawing.Run{First: v, Length: 1, Label: label})
}

// permits reports whether a voxel with the present label may get another label.
func (p *painter) permits(present, label uint16) bool {
	if label == 0 {
		return p.Erase == 0 || p.Erase == present
	}
	return !p.Keep || present == 0
}

// slice returns the area of a slice.
func (p *painter) slice() image.Rectangle { return image.Rect(0, 0, p.mask.Size[0], p.mask.Size[1]) }

// row returns the index of voxel (0, j, k).
func (p *painter) row(j, k int) int { return p.mask.Size[0] * (j + p.mask.Size[1]*k) }

// bounds returns the smallest rectangle that contains all voxels of Label in slice k.
func (p *painter) bounds(k int) image.Rectangle {
	var box image.Rectangle
	for j := range p.mask.Size[1] {
		row := p.mask.Data[p.row(j, k):][:p.mask.Size[0]]
		first := slices.Index(row, p.Label)
		if first < 0 {
			continue
		}
		last := len(row) - 1
		for row[last] != p.Label {
			last--
		}
		box = box.Union(image.Rect(first, j, last+1, j+1))
	}
	return box
}

// copy copies labels of slice From to Slice.
func (p *painter) copy() error {
	if p.From == p.Slice {
		return fmt.Errorf("the slice with index %d cannot be copied to itself", p.Slice)
	}
	to := p.row(0, p.Slice)
	for n, label := range volume.Slice(p.mask.Geometry, p.mask.Data, p.From) {
		if label != 0 && (p.Label == 0 || label == p.Label) {
			p.paint(to+n, label)
		}
	}
	return nil
}

// clear erases Label, or all labels if it is 0, in slice k.
func (p *painter) clear(k int) {
	first := p.row(0, k)
	for n, label := range volume.Slice(p.mask.Geometry, p.mask.Data, k) {
		if label != 0 && (p.Label == 0 || label == p.Label) {
			p.paint(first+n, 0)
		}
	}
}
