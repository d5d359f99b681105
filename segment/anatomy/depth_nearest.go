package anatomy

import "math"

// reach is how far from a voxel, in mm, a surface is looked for. Cartilage is thickest on
// the patella, and nowhere in a knee thicker than about 8 mm.
const reach = 10.0

// search finds what is nearest to each voxel of a sheet. Voxels take over their neighbours'
// pieces, in rounds: paths stay inside the sheet, so nothing is found across a gap or on the
// other side of a fold.
type search struct {
	cells  []searchCell
	pieces [][3]float32
	active []int32 // the voxels that changed in the last round
	round  int32
}

// searchCell is a voxel, in one line of the processor's cache. Its position is relative to the
// sheet's first voxel, so float32 resolves 1e-5 mm.
type searchCell struct {
	next     [directions]int32
	at       [3]float32
	near     int32
	distance float32 // its square
	changed  int32   // the last round in which the voxel changed
	asked    int32   // the last round in which it was asked to look at its neighbours
	_        [12]byte
}

// nearest finds for every voxel of the sheet the nearest piece in the core of a patch, −1 where
// none is within reach. A part of the sheet without a core, which is small, does with what
// there is.
func (f *surface) nearest(s *sheet, centres []vector, p *patch, pieces []surfel) []int32 {
	q := search{cells: make([]searchCell, len(centres)), pieces: make([][3]float32, len(pieces)), round: 1}
	origin := centres[0]
	shareOut(len(centres), p.workers, func(_, from, to int) {
		for v := from; v < to; v++ {
			q.cells[v] = searchCell{next: s.next[v], at: centres[v].minus(origin).short(), near: -1, distance: reach * reach}
		}
	})
	for n, piece := range pieces {
		q.pieces[n] = piece.at.minus(origin).short()
	}
	core := p.core()
	for piece, face := range p.faces {
		if core[piece] {
			q.offer(f.voxel[face], int32(piece))
		}
	}
	q.spread(p.workers)
	for piece, face := range p.faces {
		if c := &q.cells[f.voxel[face]]; c.near < 0 || c.changed == q.round {
			q.offer(f.voxel[face], int32(piece))
		}
	}
	q.spread(p.workers)
	near := make([]int32, len(centres))
	for v := range near {
		near[v] = q.cells[v].near
	}
	return near
}

func (a vector) short() [3]float32 { return [3]float32{float32(a[0]), float32(a[1]), float32(a[2])} }

func (q *search) offer(v, piece int32) {
	c := &q.cells[v]
	c.near, c.distance = c.better(c.near, c.distance, piece, q.pieces)
	if c.changed != q.round {
		c.changed = q.round
		q.active = append(q.active, v)
	}
}

// spread goes on until no voxel changes. Each round sees the result of the one before, so
// neither the order of voxels nor the number of workers matters.
func (q *search) spread(workers int) {
	var candidates, found []int32
	var distance []float32
	for len(q.active) > 0 {
		candidates = q.candidates(candidates[:0])
		if len(found) < len(candidates) {
			found, distance = make([]int32, len(candidates)), make([]float32, len(candidates))
		}
		shareOut(len(candidates), workers, func(_, from, to int) {
			for n := from; n < to; n++ {
				c := &q.cells[candidates[n]]
				best, d := c.near, c.distance
				for _, other := range c.next {
					if other < 0 {
						continue
					}
					if o := &q.cells[other]; o.changed == q.round && o.near != best {
						best, d = c.better(best, d, o.near, q.pieces)
					}
				}
				found[n], distance[n] = best, d
			}
		})
		q.round++
		q.active = q.active[:0]
		for n, v := range candidates {
			if c := &q.cells[v]; found[n] != c.near {
				c.near, c.distance, c.changed = found[n], distance[n], q.round
				q.active = append(q.active, v)
			}
		}
	}
	q.round++
}

// candidates lists the voxels beside those that changed.
func (q *search) candidates(out []int32) []int32 {
	for _, v := range q.active {
		c := &q.cells[v]
		for _, other := range c.next {
			if other < 0 {
				continue
			}
			if o := &q.cells[other]; o.asked != q.round && o.near != c.near {
				o.asked = q.round
				out = append(out, other)
			}
		}
	}
	return out
}

// better returns the nearer of two pieces and the square of its distance.
func (c *searchCell) better(best int32, distance float32, other int32, pieces [][3]float32) (int32, float32) {
	p := &pieces[other]
	x, y, z := p[0]-c.at[0], p[1]-c.at[1], p[2]-c.at[2]
	if d := float32(x*x) + float32(y*y) + float32(z*z); d < distance {
		return other, d
	}
	return best, distance
}

// height returns how far inside the boundary a voxel at x lies, measured to the plane of the
// nearest piece, and the direction inwards. It is NaN where there is none, or where the piece
// lies so far aside that its plane says nothing of x.
func (b boundary) height(voxel int, x vector) (h float64, inward vector) {
	if b.near[voxel] < 0 {
		return math.NaN(), vector{}
	}
	p := b.pieces[b.near[voxel]]
	to := p.at.minus(x)
	h = to.dot(p.normal)
	if to.dot(to)-float64(h*h) > b.aside*b.aside {
		return math.NaN(), vector{}
	}
	return max(h, 0), p.normal.times(-1)
}

// aside is the distance in mm (times the scale of the widths) along a surface over which its
// plane is used: at a radius of 20 mm, that of a condyle, it departs by 0.2 mm.
const aside = 3.0
