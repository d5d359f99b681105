package anatomy

import "math"

// reach is how far from a voxel, in mm, a surface is looked for. Cartilage is nowhere thicker
// than about 8 mm (the patella's; Ateshian et al. 1991, Journal of Biomechanics 24:761–776).
const reach = 10.0

// search finds what is nearest to each voxel of a sheet. Voxels take over their neighbours' pieces, in
// rounds: paths stay inside the sheet, so nothing is found across a gap or on the other side of a fold.
type search struct {
	sheet         *sheet
	centres       []lps
	pieces        []surfel
	near, then    []int32
	distance      []float64 // its square
	changed, next []bool
}

// nearest finds for every voxel of the sheet the nearest piece in the core of a patch, −1
// where none is within reach. A part of the sheet without a core, which is small, does with what there is.
func (f *surface) nearest(s *sheet, centres []lps, p *patch, pieces []surfel) []int32 {
	n := len(s.voxels)
	q := search{s, centres, pieces, make([]int32, n), make([]int32, n), make([]float64, n), make([]bool, n), make([]bool, n)}
	for v := range q.near {
		q.near[v], q.distance[v] = -1, reach*reach
	}
	core := p.core()
	for piece, face := range p.faces {
		if core[piece] {
			q.offer(f.voxel[face], int32(piece))
		}
	}
	q.spread(p.workers)
	left := false
	for piece, face := range p.faces {
		if v := f.voxel[face]; q.near[v] < 0 || q.changed[v] {
			q.offer(v, int32(piece))
			left = true
		}
	}
	if left {
		q.spread(p.workers)
	}
	return q.near
}

func (q *search) offer(v, piece int32) {
	q.near[v], q.distance[v] = better(q.near[v], q.distance[v], piece, q.centres[v], q.pieces)
	q.changed[v] = true
}

// spread goes on until no voxel changes. Each round sees the result of the one before.
func (q *search) spread(workers int) {
	for {
		var more [64]bool
		shareOut(len(q.near), workers, func(part, from, to int) {
			for v := from; v < to; v++ {
				best, d := q.near[v], q.distance[v]
				for _, other := range q.sheet.next[v] {
					if other >= 0 && q.changed[other] && q.near[other] != best {
						best, d = better(best, d, q.near[other], q.centres[v], q.pieces)
					}
				}
				q.next[v] = best != q.near[v]
				q.then[v], q.distance[v] = best, d
				more[part] = more[part] || q.next[v]
			}
		})
		q.near, q.then, q.changed, q.next = q.then, q.near, q.next, q.changed
		if more == [64]bool{} {
			return
		}
	}
}

// better returns the nearer to x of two pieces and the square of its distance.
func better(best int32, distance float64, other int32, x lps, pieces []surfel) (int32, float64) {
	to := pieces[other].at.minus(x)
	if d := to.dot(to); d < distance {
		return other, d
	}
	return best, distance
}

// height returns how far inside the boundary a voxel at x lies, measured to the plane of the nearest
// piece, and the direction inwards. It is NaN where there is none, or where the piece lies so far
// aside that its plane says nothing of x.
func (b boundary) height(voxel int, x lps) (h float64, inward lps) {
	if b.near[voxel] < 0 {
		return math.NaN(), lps{}
	}
	p := b.pieces[b.near[voxel]]
	to := p.at.minus(x)
	h = to.dot(p.normal)
	if to.dot(to)-float64(h*h) > aside*aside {
		return math.NaN(), lps{}
	}
	return max(h, 0), p.normal.times(-1)
}

// aside is the distance in mm along a surface over which its plane is used: at a radius of 20 mm,
// that of a condyle, it departs by 0.2 mm.
const aside = 3.0
