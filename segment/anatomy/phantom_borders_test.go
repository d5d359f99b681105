package anatomy_test

import (
	"math"
	"slices"
	"strings"

	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/volume"
)

// clearOf returns got with the voxels corrected whose centre is within half a voxel of the true border of
// their region. The borders of the phantom are planes perpendicular to the axes u and p of the knee.
func clearOf(k *phantom.Knee, g volume.Geometry, got, truth []anatomy.Region) []anatomy.Region {
	place := func(position [3]float64) [2]float64 {
		u, p, _ := k.Place(position)
		return [2]float64{u, p}
	}
	var half [2]float64 // of the largest step along each axis
	zero := place(g.Position(0, 0, 0))
	for _, next := range [][3]float64{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}} {
		for a, x := range place(g.Position(next[0], next[1], next[2])) {
			half[a] = max(half[a], math.Abs(x-zero[a])/2)
		}
	}
	borders := bordersOf(k, g, truth)
	out := slices.Clone(got)
	for v, r := range got {
		if b, ok := borders[[2]anatomy.Region{truth[v], r}]; ok {
			a := acrossBorder(truth[v], r)
			if math.Abs(place(centreOf(g, v))[a]-b[a]) < half[a] {
				out[v] = truth[v]
			}
		}
	}
	return out
}

// acrossBorder returns 0 where the regions part at a plane of u, 1 where at one of p.
func acrossBorder(a, b anatomy.Region) int {
	medial := func(r anatomy.Region) bool { return strings.HasPrefix(r.String(), "medial") }
	switch {
	case a == anatomy.Trochlear || b == anatomy.Trochlear:
		return 1
	case medial(a) != medial(b) || a == anatomy.PatellarMedial || a == anatomy.PatellarLateral:
		return 0
	}
	return 1
}

// centreOf returns the position of the centre of a voxel.
func centreOf(g volume.Geometry, v int) [3]float64 {
	return g.Position(float64(v%g.Size[0]), float64(v/g.Size[0]%g.Size[1]), float64(v/(g.Size[0]*g.Size[1])))
}

// bordersOf returns the u and p of a point on the border of each two adjacent regions.
func bordersOf(k *phantom.Knee, g volume.Geometry, truth []anatomy.Region) map[[2]anatomy.Region][2]float64 {
	out := map[[2]anatomy.Region][2]float64{}
	for v, r := range truth {
		if r == 0 {
			continue
		}
		index := [3]int{v % g.Size[0], v / g.Size[0] % g.Size[1], v / (g.Size[0] * g.Size[1])}
		for a, step := range [3]int{1, g.Size[0], g.Size[0] * g.Size[1]} {
			if index[a] == g.Size[a]-1 || truth[v+step] == 0 || truth[v+step] == r {
				continue
			}
			other := truth[v+step]
			if _, ok := out[[2]anatomy.Region{r, other}]; ok {
				continue
			}
			lo, hi := centreOf(g, v), centreOf(g, v+step)
			middle := func() (m [3]float64) {
				for c := range m {
					m[c] = (lo[c] + hi[c]) / 2
				}
				return m
			}
			for range 10 {
				if regions[k.Voxel(middle()).Region] == other {
					hi = middle()
				} else {
					lo = middle()
				}
			}
			u, p, _ := k.Place(middle())
			out[[2]anatomy.Region{r, other}] = [2]float64{u, p}
			out[[2]anatomy.Region{other, r}] = [2]float64{u, p}
		}
	}
	return out
}
