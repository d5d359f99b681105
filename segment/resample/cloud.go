package resample

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
)

// The points of a voxel are a lattice of rank 1 (Korobov): point k is
// frac((k + ½)·(1, a, a²)/n). Along each edge of the voxel, they have n different positions, evenly
// spaced and symmetric about the centre, never on a face. A face of the mask that is parallel to a
// face of the voxel is therefore located to 1/n, and the volume of a box within the voxel to about
// 1 %. A cubic grid of 1024 points would have ten different positions along an edge.
//
// n is a power of two, so that fractions and their sums are exact in float32. The step a has the
// smallest P₂ of all (Sloan and Joe 1994, Lattice Methods for Multiple Integration); a test repeats
// the search.
const (
	latticeSize = 1024
	latticeStep = 323
)

// points returns the n points of the unit cube for an even n and an odd step.
func points(n, step int) [][3]float64 {
	out := make([][3]float64, n)
	for k := range out {
		g := 1
		for a := range 3 {
			// The numerator is odd: (2k + 1)·stepᵃ modulo 2n.
			out[k][a] = float64((2*k+1)*g%(2*n)) / float64(2*n)
			g = g * step % (2 * n)
		}
	}
	return out
}

// pointBits is the number of fractional bits of positions in voxels of the mask.
const pointBits = 12

// set is a set of points, one bit per point.
type set []uint64

// cloud holds the points of a voxel of the series, ordered along each axis of the mask.
//
// The points above a plane perpendicular to axis a are the r farthest along a, for some r. These sets are
// made once for every r. The points in a box of voxels are then intersections of a few sets.
type cloud struct {
	n int
	// least is the smallest offset from the centre of the voxel along each axis, in 2^−pointBits voxels
	// of the mask.
	least [3]int
	// count[a][t] is the number of points with an offset of at least least[a] + t.
	count [3][]uint32
	// farthest[a][r] is the set of the r points that are farthest along axis a.
	farthest [3][]set
}

func newCloud(p placement, cube [][3]float64) *cloud {
	c := &cloud{n: len(cube)}
	offset, order := make([]int, len(cube)), make([]int, len(cube))
	for a, e := range p.edges {
		for n, u := range cube {
			x := float64(e[0]*(u[0]-0.5)) + float64(e[1]*(u[1]-0.5)) + float64(e[2]*(u[2]-0.5))
			offset[n], order[n] = int(math.Round(x*(1<<pointBits))), n
		}
		slices.SortFunc(order, func(x, y int) int { return cmp.Or(offset[y]-offset[x], x-y) })
		last := offset[order[len(order)-1]]
		c.least[a] = last
		c.count[a] = make([]uint32, offset[order[0]]-last+2)
		words := (len(cube) + 63) / 64
		all := make(set, (len(cube)+1)*words)
		c.farthest[a] = make([]set, len(cube)+1)
		for r := range c.farthest[a] {
			s := all[r*words:][:words:words]
			c.farthest[a][r] = s
			if r > 0 {
				copy(s, c.farthest[a][r-1])
				s[order[r-1]/64] |= 1 << (order[r-1] % 64)
				c.count[a][offset[order[r-1]]-last]++
			}
		}
		for t := len(c.count[a]) - 2; t >= 0; t-- {
			c.count[a][t] += c.count[a][t+1]
		}
	}
	return c
}

// farFrom returns the points with an offset of at least t along axis a, in 2^−pointBits voxels of the mask
// from the centre of the voxel.
func (c *cloud) farFrom(a, t int) set {
	t = min(max(t-c.least[a], 0), len(c.count[a])-1)
	return c.farthest[a][c.count[a][t]]
}

// difference sets s to a \ b, and reports whether it is not empty.
func (s set) difference(a, b set) bool {
	a, b = a[:len(s)], b[:len(s)]
	some := uint64(0)
	for n := range s {
		s[n] = a[n] &^ b[n]
		some |= s[n]
	}
	return some != 0
}

// restrict sets s to the points of all that are in a and not in b, and returns their number.
func (s set) restrict(all, a, b set) int {
	all, a, b = all[:len(s)], a[:len(s)], b[:len(s)]
	count := 0
	for n := range s {
		s[n] = all[n] & a[n] &^ b[n]
		count += bits.OnesCount64(s[n])
	}
	return count
}

// common returns the number of points in both sets.
func (s set) common(b set) int {
	b = b[:len(s)]
	count := 0
	for n, word := range s {
		count += bits.OnesCount64(word & b[n])
	}
	return count
}
