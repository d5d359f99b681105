package resample

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
)

// The points of a voxel are a lattice of rank 1 (Korobov): point k is
// frac((k + ½)·(1, a, a²)/n). Along each edge of the voxel, n different points lie evenly and
// symmetrically about the centre, never on a face, so that a face of the mask parallel to one of
// the voxel's is located to 1/n, and a box in it still to about 1 %. A cubic grid of 1024 points
// would have ten different positions along an edge.
//
// n is a power of two, so that fractions are exact as float32, and their sums too. The step a
// has the least P₂ of all (Sloan and Joe 1994, Lattice Methods for Multiple Integration); a
// test searches it anew.
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

// pointBits is the number of bits behind the point of a position in voxels of the mask.
const pointBits = 12

// set is a set of points, a bit for each.
type set []uint64

// cloud is the points of a voxel of the series by their places along the axes of the mask.
//
// A plane between voxels of the mask, across axis a, has the points behind it that are farthest along a:
// so many as their order along a says, and always the same ones for the same number. So the
// points in a box of voxels are the common ones of a few sets that are made once.
type cloud struct {
	n int
	// least is the least offset from the centre of the voxel along each axis, in 2^−pointBits voxels of the mask.
	least [3]int
	// count holds at index t how many points have an offset of least + t or more.
	count [3][]uint32
	// farthest holds at index r the set of the r points that are farthest along the axis.
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

// farFrom returns the points beyond a plane at t along axis a, in 2^−pointBits voxels of the mask
// from the centre of the voxel: those with an offset of t or more.
func (c *cloud) farFrom(a, t int) set {
	t = min(max(t-c.least[a], 0), len(c.count[a])-1)
	return c.farthest[a][c.count[a][t]]
}

// difference sets s to the points of a that are not in b, and reports whether there are any.
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
