package tools

import (
	"image"
	"math"
	"slices"
)

// fillOutline collects the voxels of Slice whose centre is inside a closed outline or on it. The inside is where the
// outline has another winding number than 0: a hand often crosses its own line where it closes an outline, and by the
// even-odd rule the loop would remain empty.
func (p *painter) fillOutline(points []point) {
	box := surroundings(points, image.Point{}).Intersect(p.slice())
	winding, on := newCanvas(box), newCanvas(box)
	coverOutline(winding, on, points)
	counts, edges := make([]int32, box.Dx()), make([]int32, box.Dx())
	for j := box.Min.Y; j < box.Max.Y; j++ {
		winding.row(j, counts)
		on.row(j, edges)
		first := p.row(j, p.Slice) + box.Min.X
		for n := range counts {
			if counts[n] != 0 || edges[n] != 0 {
				p.paint(first+n, p.Label)
			}
		}
	}
}

// coverOutline adds the winding number of a closed outline to winding, and to on the number of its sides on which the
// centre of a voxel is. The winding number is positive if the inside is to the right of the outline where j points down.
// What winding has for voxels on a side depends on the direction of the side.
func coverOutline(winding, on canvas, points []point) {
	a := points[len(points)-1]
	for _, b := range points {
		if a.y != b.y {
			coverSide(winding, on, a, b)
		} else if a.y%unit == 0 {
			on.add(int(a.y/unit), int(ceil(min(a.x, b.x), unit)), int(floor(max(a.x, b.x), unit)), 1)
		}
		a = b
	}
}

// coverSide does the work of coverOutline for a side that is not horizontal.
func coverSide(winding, on canvas, a, b point) {
	turn := int32(-1)
	low, high := a, b
	if a.y > b.y {
		turn, low, high = 1, b, a
	}
	dx, dy := high.x-low.x, high.y-low.y
	first := max(ceil(low.y, unit), int64(winding.box.Min.Y))
	last := min(floor(high.y, unit), int64(winding.box.Max.Y-1))
	for j := first; j <= last; j++ {
		// The side crosses the row at x/(dy·unit).
		x := low.x*dy + dx*(j*unit-low.y)
		i := ceil(x, dy*unit)
		if j*unit < high.y { // so that a corner that two sides share counts once
			winding.add(int(j), int(i), math.MaxInt32, turn)
		}
		if i*dy*unit == x {
			on.add(int(j), int(i), int(i), 1)
		}
	}
}

// curve returns the closed curve of Spline through points, as a polygon with several points per voxel. It is a centripetal
// Catmull-Rom spline: between two points, its parameter grows by the square root of their distance in mm, so that it has
// neither cusps nor loops between points (Yuksel, Schaefer and Keyser 2011, Computer-Aided Design 43:747–755). Spacing is
// in mm along i and j. Points that follow each other must differ; with fewer than three points, the points themselves are
// returned.
func curve(points []point, spacing [2]float64) []point {
	if len(points) > 1 && points[0] == points[len(points)-1] {
		points = points[:len(points)-1]
	}
	n := len(points)
	if n < 3 {
		return points
	}
	// knot[k] is the distance of the parameters of point k and the next one.
	knot, total := make([]float64, n), 0
	for k, a := range points {
		b := points[(k+1)%n]
		x, y := float64(b.x-a.x)*spacing[0], float64(b.y-a.y)*spacing[1]
		knot[k] = math.Sqrt(math.Sqrt(squared(x, y)))
		total += piecesBetween(a, b)
	}
	out := make([]point, 0, total)
	for k := range n {
		before, a, b, after := points[(k+n-1)%n], points[k], points[(k+1)%n], points[(k+2)%n]
		knots := [3]float64{knot[(k+n-1)%n], knot[k], knot[(k+1)%n]}
		x := newCubic([4]int64{before.x, a.x, b.x, after.x}, knots)
		y := newCubic([4]int64{before.y, a.y, b.y, after.y}, knots)
		pieces := piecesBetween(a, b)
		for piece := range pieces {
			t := float64(piece) / float64(pieces)
			out = append(out, point{x.round(t), y.round(t)})
		}
	}
	return slices.Compact(out)
}

// piecesBetween returns the number of straight pieces of the curve between two points: two per voxel, and at most 64, with
// which the curve leaves an arc as wide as a slice of 512 voxels by 0.03 voxels.
func piecesBetween(a, b point) int {
	return int(min(64, 4+2*max(b.x-a.x, a.x-b.x, b.y-a.y, a.y-b.y)/unit))
}

// cubic is a coordinate of a curve between two points, as the difference from the first: c[0]·t + c[1]·t² + c[2]·t³ with t
// from 0 to 1.
type cubic struct {
	start int64
	c     [3]float64
}

// newCubic returns a coordinate between the second and the third of four points, with the distances of their parameters.
func newCubic(at [4]int64, knots [3]float64) cubic {
	d0, d1, d2 := float64(at[1]-at[0]), float64(at[2]-at[1]), float64(at[3]-at[2])
	// The derivatives at both ends with respect to t.
	first := d1 + float64(knots[1]*(d0/knots[0]-(d0+d1)/(knots[0]+knots[1])))
	last := d1 + float64(knots[1]*(d2/knots[2]-(d1+d2)/(knots[1]+knots[2])))
	return cubic{at[1], [3]float64{first, 3*d1 - 2*first - last, first + last - 2*d1}}
}

// round returns the coordinate at t in whole units. Only a grid whose spacings differ a thousandfold has a curve that leaves
// the range of points.
func (c cubic) round(t float64) int64 {
	d := c.c[1] + float64(c.c[2]*t)
	d = c.c[0] + float64(d*t)
	return c.start + int64(min(max(math.RoundToEven(d*t), -mostStep), mostStep))
}

// mostStep keeps the coordinates of a curve below 2^29.
const mostStep = 1 << 28
