package tools

import (
	"image"
	"math"
)

// slack enlarges the radius of a disc by this part of it, so that neither the rounding of float32 in the header of an
// image, 1e-7, nor that of a calculation decides the label of a voxel whose centre is exactly on the edge.
const slack = 1e-6

// brush collects the voxels that a disc covers while it moves along the points.
func (p *painter) brush() {
	points := rounded(p.Points)
	radius := p.RadiusMM * (1 + slack)
	margin := image.Pt(int(radius/p.spacing[0])+1, int(radius/p.spacing[1])+1)
	c := newCanvas(surroundings(points, margin).Intersect(p.slice()))
	// A voxel whose area the path enters is nearer to it than half of the diagonal of a voxel.
	small := radius < math.Hypot(p.spacing[0], p.spacing[1])/2
	for n := range points {
		a, b := points[max(n-1, 0)], points[n]
		if n == 0 && len(points) > 1 {
			continue // the first side begins here
		}
		newCapsule(a, b, p.spacing, radius).cover(c)
		if small {
			coverPath(c, a, b)
		}
	}
	p.paintCanvas(c)
}

// capsule is the area within a radius of a line from a to b. Lengths are in mm, from a.
type capsule struct {
	a        point
	mm       [2]float64 // per unit
	x, y     float64    // b
	length2  float64    // the square of its distance
	radius   float64
	radius2  float64
	top, end float64 // the least and the largest y of the area
}

func newCapsule(a, b point, spacing [2]float64, radius float64) capsule {
	s := capsule{a: a, mm: [2]float64{spacing[0] / unit, spacing[1] / unit}, radius: radius, radius2: radius * radius}
	s.x, s.y = float64(float64(b.x-a.x)*s.mm[0]), float64(float64(b.y-a.y)*s.mm[1])
	s.length2 = squared(s.x, s.y)
	s.top, s.end = min(s.y, 0)-radius, max(s.y, 0)+radius
	return s
}

// squared returns x² + y². Products that are converted are not fused with the addition, so that all machines agree.
func squared(x, y float64) float64 { return float64(x*x) + float64(y*y) }

// contains reports whether a point at (x, y) from a is in the area.
func (s capsule) contains(x, y float64) bool {
	along := float64(s.x*x) + float64(s.y*y)
	switch {
	case along <= 0:
		return squared(x, y) <= s.radius2
	case along >= s.length2:
		return squared(x-s.x, y-s.y) <= s.radius2
	}
	across := float64(s.x*y) - float64(s.y*x)
	return float64(across*across) <= float64(s.radius2*s.length2)
}

// cover adds 1 to each voxel whose centre is in the area. In a row, these are consecutive because the area is convex;
// span estimates the first and the last.
func (s capsule) cover(c canvas) {
	first := max(float64(c.box.Min.Y), math.Floor(float64(s.a.y)/unit+s.top/(s.mm[1]*unit)))
	last := min(float64(c.box.Max.Y-1), math.Ceil(float64(s.a.y)/unit+s.end/(s.mm[1]*unit)))
	for j := int(first); j <= int(last); j++ {
		y := s.down(j)
		low, high := s.span(y)
		if low > high {
			continue
		}
		i := int(max(float64(c.box.Min.X), math.Ceil(float64(s.a.x)/unit+low/(s.mm[0]*unit))))
		end := int(min(float64(c.box.Max.X-1), math.Floor(float64(s.a.x)/unit+high/(s.mm[0]*unit))))
		for i <= end && !s.contains(s.right(i), y) {
			i++
		}
		for i <= end && !s.contains(s.right(end), y) {
			end--
		}
		c.add(j, i, end, 1)
	}
}

// right returns the x of the centres of column i, and down the y of those of row j.
func (s capsule) right(i int) float64 { return float64(float64(int64(i)*unit-s.a.x) * s.mm[0]) }
func (s capsule) down(j int) float64  { return float64(float64(int64(j)*unit-s.a.y) * s.mm[1]) }

// span returns the least and the largest x of the area at y, a little apart so that rounding omits no voxel; the least is
// the larger one if there are none.
func (s capsule) span(y float64) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	radius := s.radius * (1 + slack)
	for _, end := range [2][2]float64{{0, 0}, {s.x, s.y}} {
		if dy := y - end[1]; math.Abs(dy) <= radius {
			half := math.Sqrt(float64((radius - dy) * (radius + dy)))
			low, high = min(low, end[0]-half), max(high, end[0]+half)
		}
	}
	// Between the ends: |s.x·y − s.y·x| ≤ radius·length and 0 ≤ s.x·x + s.y·y ≤ length².
	width := radius * math.Sqrt(s.length2)
	from1, to1 := between(s.y, s.x*y-width, s.x*y+width)
	from2, to2 := between(s.x, -s.y*y, s.length2-s.y*y)
	if from, to := max(from1, from2), min(to1, to2); from <= to {
		low, high = min(low, from), max(high, to)
	}
	margin := slack * s.mm[0] * unit
	return low - margin, high + margin
}

// between returns the range of x for which low ≤ factor·x ≤ high.
func between(factor, low, high float64) (from, to float64) {
	switch {
	case factor > 0:
		return low / factor, high / factor
	case factor < 0:
		return high / factor, low / factor
	case low <= 0 && high >= 0:
		return math.Inf(-1), math.Inf(1)
	}
	return math.Inf(1), math.Inf(-1)
}

// coverPath adds 1 to each voxel whose area the line from a to b enters. The lower borders of an area belong to it.
func coverPath(c canvas, a, b point) {
	if a.y > b.y {
		a, b = b, a
	}
	// From here on, areas begin at multiples of the unit.
	a, b = point{a.x + unit/2, a.y + unit/2}, point{b.x + unit/2, b.y + unit/2}
	first := max(floor(a.y, unit), int64(c.box.Min.Y))
	last := min(floor(b.y, unit), int64(c.box.Max.Y-1))
	dx, dy := b.x-a.x, b.y-a.y
	for j := first; j <= last; j++ {
		// The line enters the row at column i and leaves it at column end.
		i, end := floor(a.x, unit), floor(b.x, unit)
		if y := j * unit; y > a.y {
			i = floor(a.x*dy+dx*(y-a.y), dy*unit)
		}
		if y := (j + 1) * unit; y <= b.y {
			end = floor(a.x*dy+dx*(y-a.y), dy*unit)
			if dx > 0 { // the point where it leaves belongs to the next row
				end = ceil(a.x*dy+dx*(y-a.y), dy*unit) - 1
			}
		}
		c.add(int(j), int(min(i, end)), int(max(i, end)), 1)
	}
}
