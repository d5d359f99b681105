package anatomy

import "math"

// reach is how far from a voxel, in mm, a surface is looked for. Cartilage is nowhere thicker
// than about 8 mm (the patella's; Ateshian et al. 1991, Journal of Biomechanics 24:761–776).
const reach = 10.0

// nearest finds for every voxel of the sheet the nearest piece of the surface in a class, −1
// where none is within reach. Voxels take over their neighbours' pieces, in rounds: paths stay
// inside the sheet, so nothing is found across a gap or on the other side of a fold.
func (f *surface) nearest(s *sheet, centres []lps, pieces []surfel, class []side, want side, workers int) []int32 {
	n := len(s.voxels)
	near, distance := make([]int32, n), make([]float64, n)
	changed := make([]bool, n)
	for v := range near {
		near[v], distance[v] = -1, reach*reach
		for _, face := range f.of[v] {
			if face >= 0 && class[face] == want {
				near[v], distance[v] = better(near[v], distance[v], face, centres[v], pieces)
			}
		}
		changed[v] = near[v] >= 0
	}
	then, thenChanged := make([]int32, n), make([]bool, n)
	for {
		var more [64]bool
		shareOut(n, workers, func(part, from, to int) {
			for v := from; v < to; v++ {
				best, d := near[v], distance[v]
				for _, other := range s.next[v] {
					if other >= 0 && changed[other] && near[other] != best {
						best, d = better(best, d, near[other], centres[v], pieces)
					}
				}
				thenChanged[v] = best != near[v]
				then[v], distance[v] = best, d
				more[part] = more[part] || thenChanged[v]
			}
		})
		near, then, changed, thenChanged = then, near, thenChanged, changed
		if more == [64]bool{} {
			return near
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

// height returns how far inside the surface x lies, measured to the plane of the piece; NaN where
// there is none, or where it lies so far aside that its plane says nothing of x.
func height(x lps, piece int32, pieces []surfel) float64 {
	if piece < 0 {
		return math.NaN()
	}
	p := pieces[piece]
	to := p.at.minus(x)
	h := to.dot(p.normal)
	if to.dot(to)-float64(h*h) > aside*aside {
		return math.NaN()
	}
	return max(h, 0)
}

// aside is the distance in mm along a surface over which its plane is used: at a radius of 20 mm,
// that of a condyle, it departs by 0.2 mm.
const aside = 3.0
