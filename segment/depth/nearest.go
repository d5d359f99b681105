package depth

import (
	"context"
	"math"

	"github.com/t2map/t2map/internal/parallel"
	"github.com/t2map/t2map/segment/internal/words"
)

// reach is the distance in mm from a voxel within which a surface is searched. Cartilage is at most about
// 8 mm thick (the patella's; Ateshian et al. 1991, Journal of Biomechanics 24:761–776).
const reach = 10.0

// search finds the nearest piece of a surface for each voxel of a sheet. In rounds, voxels adopt the
// pieces of their neighbours: paths stay inside the sheet, so that nothing is found across a gap or on the
// other side of a fold. From an adopted piece, a voxel descends along the surface to the nearest one.
// Positions are relative to the first voxel of the sheet, so that float32 resolves 1e-5 mm.
type search struct {
	next     [][directions]int32
	centre   [][3]float32
	pieces   [][3]float32
	links    [][4]int32 // of the pieces
	near     []int32
	distance []float32 // its square
	pending  []uint8   // 1 where the voxel looks at its neighbours in the next round
	found    [][]find  // of each worker
	workers  int
	ctx      context.Context
}

// find is what a voxel finds in a round, with the square of its distance.
type find struct {
	voxel, piece int32
	distance     float32
}

// nearest finds, for every voxel of the sheet, the nearest piece in the core of a patch; −1 if none is
// within reach. A part of the sheet without a core, which is small, uses all its pieces.
func (f *surface) nearest(s *sheet, l *lattice, p *patch, pieces []surfel) []int32 {
	n := len(s.voxels)
	q := search{
		next: s.next, centre: s.centre, links: p.links, pieces: make([][3]float32, len(pieces)),
		near: make([]int32, n), distance: make([]float32, n), pending: make([]uint8, n),
		found: make([][]find, f.workers), workers: f.workers, ctx: f.ctx,
	}
	for v := range q.near {
		q.near[v], q.distance[v] = -1, reach*reach
	}
	origin := l.centre(s.index[0])
	away := float32(math.Inf(1))
	for piece, core := range p.core() {
		q.pieces[piece] = [3]float32{away, away, away}
		if core {
			q.pieces[piece] = pieces[piece].centre.Minus(origin).Short()
			q.offer(f.voxel[p.faces[piece]], int32(piece))
		}
	}
	q.spread()
	offered := int32(-1) // the faces of a voxel come one after the other
	for piece, face := range p.faces {
		if v := f.voxel[face]; q.near[v] < 0 || v == offered {
			q.pieces[piece] = pieces[piece].centre.Minus(origin).Short()
			q.offer(v, int32(piece))
			offered = v
		}
	}
	q.spread()
	return q.near
}

// offer gives voxel v a first piece if it is nearer than its current one.
func (q *search) offer(v, piece int32) {
	if d := squaredDistance(&q.pieces[piece], &q.centre[v]); d < q.distance[v] {
		q.near[v], q.distance[v] = piece, d
	}
	q.pending[v] = 1
}

// spread repeats rounds until no voxel changes, or ctx ends. Each round uses only the result of the
// previous one, so that neither the order of voxels nor the number of workers matters.
func (q *search) spread() {
	for first, changes := true, true; changes && q.ctx.Err() == nil; first = false {
		parallel.Split(len(q.near), q.workers, worthSharing, func(part, start, end int) {
			finds := q.found[part][:0]
			for n := start; n < end; n++ {
				if n+8 <= end && words.Eight(q.pending[n:]) == 0 {
					n += 7
					continue
				}
				if q.pending[n] != 0 {
					v := int32(n)
					q.pending[v] = 0
					if piece, distance := q.look(v, first); first || piece != q.near[v] {
						finds = append(finds, find{v, piece, distance})
					}
				}
			}
			q.found[part] = finds
		})
		changes = false
		for part, finds := range q.found {
			for _, f := range finds {
				q.near[f.voxel], q.distance[f.voxel] = f.piece, f.distance
				for _, other := range &q.next[f.voxel] {
					if other >= 0 {
						q.pending[other] = 1
					}
				}
				changes = true
			}
			q.found[part] = finds[:0]
		}
	}
}

// look returns the nearest piece that a voxel finds among the pieces of its neighbours and, in the first
// round, from its own, with the square of its distance.
func (q *search) look(v int32, first bool) (best int32, distance float32) {
	x := &q.centre[v]
	best, distance = q.near[v], q.distance[v]
	own, last := best, best
	for _, other := range &q.next[v] {
		if other < 0 {
			continue
		}
		if piece := q.near[other]; piece >= 0 && piece != best && piece != last { // neighbours often have the same
			last = piece
			if d := squaredDistance(&q.pieces[piece], x); d < distance {
				best, distance = piece, d
			}
		}
	}
	if best == own && !first {
		return best, distance
	}
	return q.descend(x, best, distance)
}

// descend moves from a piece along the surface while a linked piece, or a piece linked to one of those, is
// nearer to x.
func (q *search) descend(x *[3]float32, piece int32, distance float32) (int32, float32) {
	for {
		best := piece
		links := &q.links[piece]
		for _, link := range links {
			if link == piece {
				continue
			}
			if d := squaredDistance(&q.pieces[link], x); d < distance {
				best, distance = link, d
			}
		}
		if best == piece {
			for _, link := range links {
				for _, next := range &q.links[link] {
					if next == piece {
						continue
					}
					if d := squaredDistance(&q.pieces[next], x); d < distance {
						best, distance = next, d
					}
				}
			}
		}
		if best == piece {
			break
		}
		piece = best
	}
	return piece, distance
}

// squaredDistance returns the square of the distance between two points.
func squaredDistance(p, x *[3]float32) float32 {
	a, b, c := p[0]-x[0], p[1]-x[1], p[2]-x[2]
	return float32(a*a) + float32(b*b) + float32(c*c)
}

// height returns the distance of a voxel at x from the plane of the nearest piece, and the inward
// direction. It is NaN if there is no piece, or if x is too far from the piece along its plane for the
// plane to approximate the surface.
func (b *boundary) height(voxel int, x vector) (h float64, inward vector) {
	if b.near[voxel] < 0 {
		return math.NaN(), vector{}
	}
	p := b.pieces[b.near[voxel]]
	way := p.centre.Minus(x)
	h = way.Dot(p.normal)
	if way.Dot(way)-float64(h*h) > b.maxOffset*b.maxOffset {
		return math.NaN(), vector{}
	}
	return max(h, 0), p.normal.Times(-1)
}

// maxOffset is the distance in mm (times the scale of the widths) along a surface within which its plane
// is used: at a radius of 20 mm, that of a condyle, the plane deviates by 0.2 mm.
const maxOffset = 3.0
