package dicomio

import "math"

// onOutline is the distance in voxels within which a voxel's centre is on a contour.
// Contours through voxel centres come back from patient positions in decimal strings of at
// most 16 characters (PS3.5 6.2) with errors of 1e-10 voxels, and of 1e-3 if a writer kept
// micrometres and voxels are a third of a millimetre or more. By chance it accepts one in a
// thousand of the voxels that an outline passes.
const onOutline = 1e-3

// point is a place in a slice, in voxels: column and row.
type point struct{ x, y float64 }

// raster finds the voxels inside contours on one slice of nx columns and ny rows. It may be
// used again for other slices.
type raster struct {
	nx, ny int
	// turns is true for a voxel if an odd number of edges passes between it and the previous
	// one in its row, and edge if an edge passes through it. Both are cleared after each use.
	turns, edge []bool
	// low and high limit the touched columns and rows.
	low, high [2]int
}

func newRaster(nx, ny int) *raster {
	r := &raster{nx: nx, ny: ny, turns: make([]bool, nx*ny), edge: make([]bool, nx*ny)}
	r.forget()
	return r
}

func (r *raster) forget() { r.low, r.high = [2]int{r.nx, r.ny}, [2]int{-1, -1} }

// add adds a closed contour, whose last point is joined to the first. Points must be finite
// and not far outside the slice: the work grows with the rows that an edge spans, including
// rows outside.
func (r *raster) add(contour []point) {
	for i, p := range contour {
		q := contour[(i+1)%len(contour)]
		r.cross(p, q)
		r.trace(p, q)
	}
}

// cross toggles the voxel right of the edge in every row that the edge crosses. An edge
// includes its upper end and not its lower one, so that a row through a vertex is crossed
// once if the contour goes on and twice or never if it turns back.
func (r *raster) cross(p, q point) {
	if p.y > q.y {
		p, q = q, p // an edge then gives the same numbers in both directions
	}
	first, last := max(int(math.Ceil(p.y)), 0), min(int(math.Ceil(q.y)), r.ny)
	for y := first; y < last; y++ {
		x := int(math.Ceil(p.x + (float64(y)-p.y)/(q.y-p.y)*(q.x-p.x)))
		if x = max(x, 0); x < r.nx {
			r.turns[y*r.nx+x] = !r.turns[y*r.nx+x]
			r.touch(x, y)
		}
	}
}

// trace marks the voxels whose centres lie on the edge.
func (r *raster) trace(p, q point) {
	steep := math.Abs(q.y-p.y) > math.Abs(q.x-p.x)
	count, limit := r.nx, r.ny
	if steep { // along the rows instead of the columns
		p, q = point{p.y, p.x}, point{q.y, q.x}
		count, limit = r.ny, r.nx
	}
	if p.x > q.x {
		p, q = q, p
	}
	length := math.Hypot(q.x-p.x, q.y-p.y)
	first, last := max(int(math.Ceil(p.x-onOutline)), 0), min(int(math.Floor(q.x+onOutline)), count-1)
	for x := first; x <= last; x++ {
		// The point of the edge nearest to column x, and its voxel.
		part := 0.0
		if q.x > p.x {
			part = min(max((float64(x)-p.x)/(q.x-p.x), 0), 1)
		}
		y := int(math.Round(p.y + part*(q.y-p.y)))
		if y < 0 || y >= limit || !onEdge(point{float64(x), float64(y)}, p, q, length) {
			continue
		}
		if steep {
			r.edge[x*r.nx+y] = true
			r.touch(y, x)
		} else {
			r.edge[y*r.nx+x] = true
			r.touch(x, y)
		}
	}
}

// onEdge reports whether c lies on the edge from p to q with the given length.
func onEdge(c, p, q point, length float64) bool {
	part := 0.0
	if length > 0 {
		part = ((c.x-p.x)*(q.x-p.x) + (c.y-p.y)*(q.y-p.y)) / (length * length)
		part = min(max(part, 0), 1)
	}
	return math.Hypot(c.x-p.x-part*(q.x-p.x), c.y-p.y-part*(q.y-p.y)) <= onOutline
}

func (r *raster) touch(x, y int) {
	r.low[0], r.high[0] = min(r.low[0], x), max(r.high[0], x)
	r.low[1], r.high[1] = min(r.low[1], y), max(r.high[1], y)
}

// collect appends the voxels inside or on the contours that were added since the last call, as
// increasing indices from first on, and clears the slice.
func (r *raster) collect(voxels []uint32, first uint32) []uint32 {
	for y := r.low[1]; y <= r.high[1]; y++ {
		row := y * r.nx
		inside := false
		// Voxels right of the last touched column may be inside if a contour leaves the
		// slice on its right.
		for x := r.low[0]; x < r.nx && (x <= r.high[0] || inside); x++ {
			if r.turns[row+x] {
				inside = !inside
			}
			if inside || r.edge[row+x] {
				voxels = append(voxels, first+uint32(row+x))
			}
			r.turns[row+x], r.edge[row+x] = false, false
		}
	}
	r.forget()
	return voxels
}
