package anatomy

import "math"

// patch is a part of a surface, on which values can diffuse: nothing enters or leaves it, so
// the bone side does not mix with the joint side, however thin the sheet.
type patch struct {
	scale   float64      // of the widths, see lattice.scale
	faces   []int32      // of the surface, ascending
	links   [][4]int32   // within the patch; a face itself where there is no link
	weights [][4]float64 // 1/distance², mm⁻²; 0 where there is no link
	loss    []float64    // the sum of the weights to faces outside
	stable  float64      // the longest plain step in mm²
	workers int
}

// patch returns the faces for which take holds.
//
// The sums of weights are bounded by that of a flat face between the two densest axes; those
// above it, where edges meet in a corner, are scaled down, so that a corner does not shorten
// every step.
func (f *surface) patch(l lattice, workers int, take func(n int) bool) *patch {
	p := &patch{workers: workers, scale: l.scale()}
	number := make([]int32, len(f.side))
	for n := range number {
		number[n] = -1
		if take(n) {
			number[n] = int32(len(p.faces))
			p.faces = append(p.faces, int32(n))
		}
	}
	most := 0.0
	for axis := range 3 {
		b, c := l.columns[(axis+1)%3], l.columns[(axis+2)%3]
		most = max(most, 2/b.dot(b)+2/c.dot(c))
	}
	p.stable = 1 / most
	p.links = make([][4]int32, len(p.faces))
	p.weights = make([][4]float64, len(p.faces))
	p.loss = make([]float64, len(p.faces))
	shareOut(len(p.faces), workers, func(_, from, to int) {
		for n := from; n < to; n++ {
			face := p.faces[n]
			var w [4]float64
			sum := 0.0
			for e, other := range f.links[face] {
				d := f.pieces[other].at.minus(f.pieces[face].at)
				w[e] = 1 / d.dot(d)
				sum += w[e]
			}
			scale := min(1, most/sum)
			for e, other := range f.links[face] {
				weight := float64(w[e] * scale)
				if m := number[other]; m >= 0 {
					p.links[n][e], p.weights[n][e] = m, weight
				} else {
					p.links[n][e] = int32(n)
					p.loss[n] += weight
				}
			}
		}
	})
	return p
}

// time returns how long values diffuse, in mm², for a Gaussian of a standard deviation.
func (p *patch) time(sigma float64) float64 {
	sigma = float64(sigma * p.scale)
	return float64(sigma*sigma) / 2
}

// smooth replaces values by their means over the surroundings, with a Gaussian weight of
// standard deviation sigma (mm, times scale). The staircase of voxels is noise about the true
// surface: every face lies between two voxel centres, one on either side of it. The values
// diffuse along the surface, with the steps of super time stepping (Alexiades et al. 1996), of which about the square root
// of the number of plain steps is needed. values is overwritten.
func (p *patch) smooth(values []vector, sigma float64) []vector {
	from, to := values, make([]vector, len(values))
	for _, dt := range timeSteps(p.time(sigma), p.stable) {
		shareOut(len(from), p.workers, func(_, lo, hi int) {
			for n := lo; n < hi; n++ {
				v, w, links := from[n], &p.weights[n], &p.links[n]
				a, b, c, d := &from[links[0]], &from[links[1]], &from[links[2]], &from[links[3]]
				for r := range v {
					flow := float64(w[0]*(a[r]-v[r])) + float64(w[1]*(b[r]-v[r])) +
						float64(w[2]*(c[r]-v[r])) + float64(w[3]*(d[r]-v[r]))
					to[n][r] = v[r] + float64(dt*flow)
				}
			}
		})
		from, to = to, from
	}
	return from
}

// smoothTrue is smooth without its bias: a mean over a curved surface lies on its hollow side.
// What smoothing has taken away is smoothed and given back (twicing).
// values is kept.
func (p *patch) smoothTrue(values []vector, sigma float64) []vector {
	once := p.smooth(append([]vector(nil), values...), sigma)
	taken := make([]vector, len(values))
	for n := range taken {
		taken[n] = values[n].minus(once[n])
	}
	taken = p.smooth(taken, sigma)
	for n := range once {
		once[n] = once[n].plus(taken[n])
	}
	return once
}

// smoothNumbers smooths numbers, one for each face of the patch, which are 0 outside it where
// they leak, and do not leave it otherwise.
func (p *patch) smoothNumbers(from []float64, sigma float64, leak bool) []float64 {
	to := make([]float64, len(from))
	for _, dt := range timeSteps(p.time(sigma), p.stable) {
		shareOut(len(from), p.workers, func(_, lo, hi int) {
			for n := lo; n < hi; n++ {
				flow := 0.0
				for e, other := range p.links[n] {
					flow += float64(p.weights[n][e] * (from[other] - from[n]))
				}
				if leak {
					flow -= float64(p.loss[n] * from[n])
				}
				to[n] = from[n] + float64(dt*flow)
			}
		})
		from, to = to, from
	}
	return from
}

// normals returns the outward normals of the patch, smoothed, of length 1. The mean of the
// faces' areas as vectors is the area of the slope they make as a staircase.
func (p *patch) normals(f *surface, sigma float64) []vector {
	out := make([]vector, len(p.faces))
	for n, face := range p.faces {
		out[n] = f.pieces[face].normal
	}
	out = p.smooth(out, sigma)
	for n := range out {
		out[n] = out[n].unit()
	}
	return out
}

// core says which faces of the patch are not near its border, where the smoothed surface bends.
func (p *patch) core() []bool {
	inside := make([]float64, len(p.faces))
	for n := range inside {
		inside[n] = 1
	}
	inside = p.smoothNumbers(inside, widthOfCore, true)
	core := make([]bool, len(p.faces))
	for n := range core {
		core[n] = inside[n] > corePart
	}
	return core
}

// damping is the parameter ν of super time stepping: at 0 the steps are as long as possible,
// and rounding errors grow.
const damping = 0.05

// timeSteps returns the fewest steps whose sum is total, where a plain step must not exceed
// stable. Two of them are plain, which remove the staircase itself: super steps alone leave up
// to 70 % of the shortest waves, and these two take 87 % of that.
func timeSteps(total, stable float64) []float64 {
	for n := 0; ; n++ {
		steps := []float64{stable, stable / 2}
		sum := stable * 1.5
		for j := range n {
			// The last bits of a cosine differ between machines; float32 drops them.
			cos := float64(float32(math.Cos(math.Pi * float64(2*j+1) / float64(2*n))))
			step := stable / (1 + damping - float64((1-damping)*cos))
			steps = append(steps, step)
			sum += step
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
