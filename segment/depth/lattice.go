package depth

import (
	"github.com/t2map/t2map/segment/internal/space"
	"github.com/t2map/t2map/volume"
)

// lattice is a grid with derived values.
type lattice struct {
	size    [3]int
	origin  vector
	columns [3]vector // the step in mm from a voxel to the next along i, j and k
	rows    [3]vector // of the inverse: mm to steps
	stride  [3]int
}

func newLattice(g volume.Geometry) (l *lattice, ok bool) {
	inverse, ok := g.Inverse()
	l = &lattice{size: g.Size}
	l.stride = [3]int{1, g.Size[0], g.Size[0] * g.Size[1]}
	for r := range 3 {
		l.origin[r] = g.Affine[r][3]
		for c := range 3 {
			l.columns[c][r] = g.Affine[r][c]
			l.rows[r][c] = inverse[r][c]
		}
	}
	return l, ok
}

// position returns the position of an index that need not be whole.
func (l *lattice) position(i [3]float64) vector {
	var p vector
	a, b, c := &l.columns[0], &l.columns[1], &l.columns[2]
	for r := range p {
		p[r] = l.origin[r] + float64(a[r]*i[0]) + float64(b[r]*i[1]) + float64(c[r]*i[2])
	}
	return p
}

func (l *lattice) centre(i [3]int32) vector {
	return l.position([3]float64{float64(i[0]), float64(i[1]), float64(i[2])})
}

// extent returns the size in mm of a voxel along a unit vector: that of the ellipsoid whose axes are the
// edges of the voxel. Along an edge it is the spacing; on a grid of cubes it is the same in every
// direction.
func (l *lattice) extent(direction vector) float64 {
	return 1 / vector{l.rows[0].Dot(direction), l.rows[1].Dot(direction), l.rows[2].Dot(direction)}.Length()
}

// The six neighbours of a voxel: direction d goes along axis d/2, backwards where d is even.
const directions = 6

func axisOf(d int) int        { return d >> 1 }
func opposite(d int) int      { return d ^ 1 }
func stepOf(d int) int        { return 2*(d&1) - 1 }
func tangential(d int) [4]int { return tangents[d>>1] }

var tangents = [3][4]int{{2, 3, 4, 5}, {0, 1, 4, 5}, {0, 1, 2, 3}}

// leaves reports whether the grid ends behind the voxel in direction d.
func (l *lattice) leaves(i [3]int32, d int) bool {
	next := int(i[axisOf(d)]) + stepOf(d)
	return next < 0 || next >= l.size[axisOf(d)]
}

type vector = space.Vector

// worthSharing is the least number of items per worker: with fewer, starting a goroutine (about a
// microsecond) costs more than it saves.
const worthSharing = 1000
