package anatomy

import (
	"math"

	"github.com/t2map/t2map/volume"
)

// face is where a body ends between two neighbouring voxel centres: at their middle, ± half a step. Faces
// are unbiased. The outermost voxel centres are not: they lie up to a step inside the body.
type face struct {
	centre vector // midway between the voxel centres
	out    vector // the unit vector from the voxel inside to the one outside
	step   float64
}

// occupied holds the voxels of a body within its bounding box.
type occupied struct {
	g        *volume.Geometry
	inverse  [3][4]float64
	low      [3]int
	size     [3]int
	inside   []bool
	outwards [3]vector // the steps along the axes of the grid
}

// newOccupied returns the voxels of the spots, without small pieces.
func newOccupied(g *volume.Geometry, all []spot) *occupied {
	o := &occupied{g: g}
	lo, hi := [3]int{math.MaxInt, math.MaxInt, math.MaxInt}, [3]int{-1, -1, -1}
	for n := range all {
		if !all[n].small {
			for a, x := range index(all[n].v, g.Size) {
				lo[a], hi[a] = min(lo[a], x), max(hi[a], x)
			}
		}
	}
	if hi[0] < 0 {
		return o
	}
	for a := range o.size {
		o.size[a] = hi[a] - lo[a] + 1
		o.outwards[a] = vector{g.Affine[0][a], g.Affine[1][a], g.Affine[2][a]}
	}
	o.low = lo
	o.inverse, _ = g.Inverse()
	o.inside = make([]bool, o.size[0]*o.size[1]*o.size[2])
	for n := range all {
		if !all[n].small {
			i := index(all[n].v, g.Size)
			o.inside[o.offset(i[0]-lo[0], i[1]-lo[1], i[2]-lo[2])] = true
		}
	}
	return o
}

func (o *occupied) offset(i, j, k int) int { return i + o.size[0]*(j+o.size[1]*k) }

// hasIndex reports whether a voxel belongs to the body. Indices count from the corner of the box.
func (o *occupied) hasIndex(i, j, k int) bool {
	return i >= 0 && j >= 0 && k >= 0 && i < o.size[0] && j < o.size[1] && k < o.size[2] && o.inside[o.offset(i, j, k)]
}

// hasPosition reports whether the voxel nearest to p belongs to the body.
func (o *occupied) hasPosition(p vector) bool {
	var i [3]int
	for r := range i {
		m := &o.inverse[r]
		i[r] = int(math.Floor(float64(m[0]*p[0])+float64(m[1]*p[1])+float64(m[2]*p[2])+m[3]+0.5)) - o.low[r]
	}
	return o.hasIndex(i[0], i[1], i[2])
}

// faces calls visit for each face of the body whose outward normal has a component along d.
func (o *occupied) faces(d vector, visit func(face)) {
	for a, step := range o.outwards {
		length := step.Length()
		out := step.Times(1 / length)
		sign := 1
		if out.Dot(d) < 0 {
			sign, out = -1, out.Times(-1)
		}
		if out.Dot(d) < leastPart {
			continue
		}
		var next [3]int
		next[a] = sign
		for k := range o.size[2] {
			for j := range o.size[1] {
				row := o.inside[o.offset(0, j, k):][:o.size[0]]
				for i, in := range row {
					if in && !o.hasIndex(i+next[0], j+next[1], k+next[2]) {
						centre := position(o.g, i+o.low[0], j+o.low[1], k+o.low[2])
						visit(face{centre.Plus(out.Times(length / 2)), out, length})
					}
				}
			}
		}
	}
}

// leastPart is the least cosine between an axis of the grid and a direction for its faces to count as
// facing that direction: 1°, the size of errors in headers and arithmetic.
const leastPart = 0.017
