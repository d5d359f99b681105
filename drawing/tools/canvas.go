package tools

import (
	"image"
	"math"
	"slices"
)

// unit is the number of steps per voxel to which points are rounded, so that whole numbers decide exactly and in the same
// way everywhere which voxels an outline encloses. A thousandth of a voxel is less than a mouse can show.
const unit = 1 << 10

// point is a point of a slice in units. Its coordinates are below 2^29; those of a gesture are below 2^27. Products of two
// differences are below 2^61.
type point struct{ x, y int64 }

// rounded returns points in units, without those that equal the one before. Ties go to even numbers, because that is the
// same for a mirrored slice.
func rounded(points [][2]float64) []point {
	out := make([]point, len(points))
	for n, c := range points {
		out[n] = point{int64(math.RoundToEven(c[0] * unit)), int64(math.RoundToEven(c[1] * unit))}
	}
	return slices.Compact(out)
}

// voxel returns the indices of the voxel in whose area a point lies; the border between two voxels belongs to the higher
// index.
func (p point) voxel() image.Point {
	return image.Pt(int(floor(p.x+unit/2, unit)), int(floor(p.y+unit/2, unit)))
}

// floor returns the largest whole number that is at most a/b, and ceil the smallest that is at least a/b, for b > 0.
func floor(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func ceil(a, b int64) int64 { return -floor(-a, b) }

// surroundings returns a box of voxels that contains all points and a margin around them.
func surroundings(points []point, margin image.Point) image.Rectangle {
	var box image.Rectangle
	for n, p := range points {
		v := p.voxel()
		if n == 0 {
			box = image.Rectangle{v, v}
		}
		box.Min = image.Pt(min(box.Min.X, v.X), min(box.Min.Y, v.Y))
		box.Max = image.Pt(max(box.Max.X, v.X), max(box.Max.Y, v.Y))
	}
	return image.Rectangle{box.Min.Sub(margin), box.Max.Add(margin).Add(image.Pt(1, 1))}
}

// canvas is a count for each voxel of a box of a slice. It holds the differences between neighbours of a row, so that
// adding to any number of consecutive voxels takes the same short time.
type canvas struct {
	box   image.Rectangle
	steps []int32 // one more than voxels in each row
}

func newCanvas(box image.Rectangle) canvas {
	return canvas{box, make([]int32, (box.Dx()+1)*box.Dy())}
}

// add adds n to the voxels from first to last, both included, of a row. Voxels outside of the box are omitted.
func (c canvas) add(j, first, last int, n int32) {
	first, last = max(first, c.box.Min.X), min(last, c.box.Max.X-1)
	if first > last || j < c.box.Min.Y || j >= c.box.Max.Y {
		return
	}
	row := c.steps[(j-c.box.Min.Y)*(c.box.Dx()+1):]
	row[first-c.box.Min.X] += n
	row[last+1-c.box.Min.X] -= n
}

// row replaces counts by those of a row. It has room for Dx of them.
func (c canvas) row(j int, counts []int32) {
	var sum int32
	for n, step := range c.steps[(j-c.box.Min.Y)*(c.box.Dx()+1):][:len(counts)] {
		sum += step
		counts[n] = sum
	}
}

// paintCanvas gives Label to the voxels of Slice for which a canvas has another count than 0.
func (p *painter) paintCanvas(c canvas) {
	counts := make([]int32, c.box.Dx())
	for j := c.box.Min.Y; j < c.box.Max.Y; j++ {
		c.row(j, counts)
		first := p.row(j, p.Slice) + c.box.Min.X
		for n, count := range counts {
			if count != 0 {
				p.paint(first+n, p.Label)
			}
		}
	}
}
