package anatomy

import (
	"math"
	"slices"

	"github.com/t2map/t2map/volume"
)

// neighbours holds the voxels of runs in cubic cells with edges of edge mm, so that the nearest voxel is
// found quickly.
type neighbours struct {
	g       *volume.Geometry
	spacing [3]float64
	runs    []run
	// corner is the corner of the cells. Cell n has the voxels start[n] to start[n+1], exclusive.
	// sort sets these fields.
	corner vector
	edge   float64
	size   [3]int
	start  []int32
	voxels []neighbour
}

type neighbour struct {
	centre vector
	index  [3]int32
}

// neighbourCell is the edge of the cells in mm, and mostCells their largest number. A knee has 50,000
// cells. If there would be more than mostCells, the edge is doubled.
const (
	neighbourCell = 4
	mostCells     = 1 << 20
)

func newNeighbours(g *volume.Geometry) *neighbours { return &neighbours{g: g, spacing: g.Spacing()} }

func (b *neighbours) add(runs []run) {
	b.runs = append(b.runs, runs...)
	b.start = nil
}

// each calls do for the voxels of the runs.
func (b *neighbours) each(runs []run, do func(n neighbour)) {
	for _, r := range runs {
		for d := range r.n {
			do(neighbour{position(b.g, int(r.i+d), int(r.j), int(r.k)), [3]int32{r.i + d, r.j, r.k}})
		}
	}
}

// sort sorts the voxels into their cells.
func (b *neighbours) sort() {
	if b.start != nil {
		return
	}
	lo, hi := vector{math.Inf(1), math.Inf(1), math.Inf(1)}, vector{math.Inf(-1), math.Inf(-1), math.Inf(-1)}
	for _, r := range b.runs {
		for _, i := range [2]int32{r.i, r.i + r.n - 1} {
			for a, x := range position(b.g, int(i), int(r.j), int(r.k)) {
				lo[a], hi[a] = min(lo[a], x), max(hi[a], x)
			}
		}
	}
	b.corner = lo
	for b.edge = neighbourCell; ; b.edge *= 2 {
		cells := 1.0
		for a := range b.size {
			b.size[a] = int((hi[a]-lo[a])/b.edge) + 1
			cells *= float64(b.size[a])
		}
		if cells <= mostCells {
			break
		}
	}
	b.start = make([]int32, b.size[0]*b.size[1]*b.size[2]+1)
	cellOf := func(p vector) int {
		c := b.cell(p)
		for a := range c { // a voxel within a run may be outside by rounding
			c[a] = max(0, min(b.size[a]-1, c[a]))
		}
		return b.offset(c)
	}
	b.each(b.runs, func(n neighbour) { b.start[cellOf(n.centre)+1]++ })
	for n := range b.start[1:] {
		b.start[n+1] += b.start[n]
	}
	b.voxels = make([]neighbour, b.start[len(b.start)-1])
	next := slices.Clone(b.start)
	b.each(b.runs, func(n neighbour) {
		c := cellOf(n.centre)
		b.voxels[next[c]] = n
		next[c]++
	})
}

// cell returns the cell of a position, which may lie outside the grid of cells.
func (b *neighbours) cell(p vector) (c [3]int) {
	for a := range c {
		c[a] = int(math.Floor((p[a] - b.corner[a]) / b.edge))
	}
	return c
}

func (b *neighbours) offset(c [3]int) int { return c[0] + b.size[0]*(c[1]+b.size[1]*c[2]) }

// place returns the distance of the runs from the voxels, between surfaces, and whether the runs lie above
// the sheet of the voxels and not beside it. It searches the nearest voxels of at most probes voxels, and
// the normals of the sheet at about ways of them.
func (b *neighbours) place(runs []run, probes, ways int) (distance float64, above bool) {
	b.sort()
	n := 0
	for _, r := range runs {
		n += int(r.n)
	}
	step := (n + probes - 1) / probes
	distance = math.Inf(1)
	visited, probed, directions, steeps := 0, 0, 0, 0
	b.each(runs, func(p neighbour) {
		if visited++; (visited-1)%step != 0 {
			return
		}
		q := b.nearest(p.centre)
		distance = min(distance, b.gap(p, q))
		if probed++; ways > 0 && (probed-1)%max(1, min(n, probes)/ways) == 0 {
			directions++
			if u := p.centre.Minus(q.centre); math.Abs(u.Dot(b.normal(q.centre))) > steep*u.Length() {
				steeps++
			}
		}
	})
	return distance, float64(steeps) > overPart*float64(directions)
}

// gap returns the distance between the surfaces of two voxels, on a grid whose axes are perpendicular.
func (b *neighbours) gap(p, q neighbour) float64 {
	sum := 0.0
	for a := range b.spacing {
		d := float64(max(0, max(p.index[a]-q.index[a], q.index[a]-p.index[a])-1)) * b.spacing[a]
		sum += d * d
	}
	return math.Sqrt(sum)
}

// nearest returns the voxel nearest to p.
func (b *neighbours) nearest(p vector) (best neighbour) {
	least := math.Inf(1)
	c := b.cell(p)
	ring := 0
	for a := range c { // the first ring that reaches the cells
		ring = max(ring, -c[a], c[a]-b.size[a]+1)
	}
	for ; float64(ring-1)*b.edge < least; ring++ {
		b.ring(c, ring, func(cell [3]int, all []neighbour) {
			if b.squareTo(cell, p) >= least*least {
				return
			}
			for n := range all {
				if d := all[n].centre.Minus(p).Length(); d < least {
					best, least = all[n], d
				}
			}
		})
	}
	return best
}

// squareTo returns the square of the distance from p to a cell, reduced by a little for rounding.
func (b *neighbours) squareTo(cell [3]int, p vector) float64 {
	sum := 0.0
	for a := range cell {
		lo := b.corner[a] + b.edge*float64(cell[a]) - hair
		d := max(0, lo-p[a], p[a]-lo-b.edge-2*hair)
		sum += d * d
	}
	return sum
}

// ring calls do for each cell with voxels at Chebyshev distance ring from c.
func (b *neighbours) ring(c [3]int, ring int, do func(cell [3]int, all []neighbour)) {
	var low, high [3]int
	for a := range c {
		low[a], high[a] = max(0, c[a]-ring), min(b.size[a]-1, c[a]+ring)
	}
	visit := func(x, y, z int) {
		cell := [3]int{x, y, z}
		if n := b.offset(cell); x >= 0 && x < b.size[0] && b.start[n] < b.start[n+1] {
			do(cell, b.voxels[b.start[n]:b.start[n+1]])
		}
	}
	for z := low[2]; z <= high[2]; z++ {
		for y := low[1]; y <= high[1]; y++ {
			if max(z-c[2], c[2]-z, y-c[1], c[1]-y) < ring { // only the ends of the row
				visit(c[0]-ring, y, z)
				visit(c[0]+ring, y, z)
				continue
			}
			for x := low[0]; x <= high[0]; x++ {
				visit(x, y, z)
			}
		}
	}
}

// normal returns the normal of the sheet of voxels at p.
func (b *neighbours) normal(p vector) vector {
	radius := max(sheetPatch, 2*slices.Max(b.spacing[:]))
	var s scatter
	c := b.cell(p)
	for ring := 0; float64(ring-1)*b.edge < radius; ring++ {
		b.ring(c, ring, func(_ [3]int, all []neighbour) {
			for n := range all {
				if all[n].centre.Minus(p).Length() < radius {
					s.add(all[n].centre)
				}
			}
		})
	}
	axes, _ := principal(s.covariance())
	return axes[0]
}
