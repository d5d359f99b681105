package anatomy

import "math"

// smooth diffuses pieces over the surface, within each class of faces, so that a value becomes
// a mean over its surroundings with a Gaussian of standard deviation sigma (mm). The staircase
// of voxels is noise about the true surface: every face lies between two voxel centres, one on
// either side of it. Nothing crosses from a class to another, so the bone side does not mix with
// the joint side, however thin the sheet.
//
// The weights are those of the heat equation, 1/distance². Its steps are those of super time
// stepping (Alexiades et al. 1996, Communications in Numerical Methods in Engineering
// 12:31–42), which needs about the square root of the number of plain steps.
func (f *surface) smooth(pieces []surfel, class []side, sigma float64, l lattice, workers int) []surfel {
	weights, most := f.weights(class, l, workers)
	steps := timeSteps(sigma*sigma/2, 1/most)
	from := append([]surfel(nil), pieces...)
	to := make([]surfel, len(pieces))
	for _, dt := range steps {
		shareOut(len(from), workers, func(_, lo, hi int) {
			for n := lo; n < hi; n++ {
				at, normal := from[n].at, from[n].normal
				sumAt, sumNormal := lps{}, lps{}
				for e, other := range f.links[n] {
					w := weights[n][e]
					if w == 0 {
						continue
					}
					sumAt = sumAt.plus(from[other].at.minus(at).times(w))
					sumNormal = sumNormal.plus(from[other].normal.minus(normal).times(w))
				}
				to[n] = surfel{at.plus(sumAt.times(dt)), normal.plus(sumNormal.times(dt))}
			}
		})
		from, to = to, from
	}
	return from
}

// smoothTrue is smooth without its bias: a mean over a curved surface lies on its hollow side.
// What smoothing has taken from the surface is smoothed and given back (twicing, Tukey 1977).
func (f *surface) smoothTrue(class []side, sigma float64, l lattice, workers int) []surfel {
	once := f.smooth(f.pieces, class, sigma, l, workers)
	taken := make([]surfel, len(once))
	for n, p := range f.pieces {
		taken[n] = surfel{p.at.minus(once[n].at), p.normal.minus(once[n].normal)}
	}
	back := f.smooth(taken, class, sigma, l, workers)
	for n := range once {
		once[n].at = once[n].at.plus(back[n].at)
		once[n].normal = once[n].normal.plus(back[n].normal).unit()
	}
	return once
}

// weights returns the weight of each link, zero between classes, and a bound of their sums.
// Sums above that of a flat face of the two densest axes (found where edges meet in a corner) are
// scaled down to it, so that one corner does not shorten every step.
func (f *surface) weights(class []side, l lattice, workers int) (w [][4]float64, most float64) {
	for axis := range 3 {
		sum := 0.0
		for other := range 3 {
			if c := l.columns[other]; other != axis {
				sum += 2 / c.dot(c)
			}
		}
		most = max(most, sum)
	}
	w = make([][4]float64, len(f.links))
	shareOut(len(w), workers, func(_, from, to int) {
		for n := from; n < to; n++ {
			sum := 0.0
			for e, other := range f.links[n] {
				if class[other] != class[n] {
					continue
				}
				d := f.pieces[other].at.minus(f.pieces[n].at)
				w[n][e] = 1 / d.dot(d)
				sum += w[n][e]
			}
			if sum > most {
				for e := range w[n] {
					w[n][e] = float64(w[n][e] * (most / sum))
				}
			}
		}
	})
	return w, most
}

// damping is the parameter ν of super time stepping: at 0 the steps are as long as possible, and
// rounding errors grow.
const damping = 0.05

// timeSteps returns the fewest steps whose sum is total, where a plain step must not exceed
// stable.
func timeSteps(total, stable float64) []float64 {
	for n := 1; ; n++ {
		steps := make([]float64, n)
		sum := 0.0
		for j := range steps {
			// The last bits of a cosine differ between machines; float32 drops them.
			cos := float64(float32(math.Cos(math.Pi * float64(2*j+1) / float64(2*n))))
			steps[j] = stable / (1 + damping - float64((1-damping)*cos))
			sum += steps[j]
		}
		if sum < total && n < maxSteps {
			continue
		}
		for j := range steps {
			steps[j] = float64(steps[j] * min(1, total/sum))
		}
		return steps
	}
}

// maxSteps bounds the work on grids that are much finer than any mask's.
const maxSteps = 30
