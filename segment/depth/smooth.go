package depth

import (
	"iter"
	"math"

	"github.com/t2map/t2map/internal/parallel"
)

// patch is a part of a surface on which values diffuse. Nothing crosses its border, so that the bone side
// does not mix with the joint side, however thin the sheet is.
type patch struct {
	faces   []int32    // of the surface, ascending
	links   [][4]int32 // within the patch; a face itself if there is no link
	surface *surface
	spare   []vector // scratch memory of smooth
}

// patch returns the faces for which take holds.
func (f *surface) patch(take func(face int) bool) *patch {
	p := &patch{surface: f}
	number := make([]int32, len(f.side))
	count := int32(0)
	for face := range number {
		number[face] = -1
		if take(face) {
			number[face] = count
			count++
		}
	}
	p.faces, p.links = make([]int32, count), make([][4]int32, count)
	parallel.Split(len(number), f.workers, worthSharing, func(_, start, end int) {
		for face := start; face < end; face++ {
			n := number[face]
			if n < 0 {
				continue
			}
			p.faces[n] = int32(face)
			for e, other := range f.links[face] {
				if p.links[n][e] = number[other]; number[other] < 0 {
					p.links[n][e] = n
				}
			}
		}
	})
	return p
}

// time returns how long values diffuse, in mm², for a Gaussian of a standard deviation.
func (p *patch) time(sigma float64) float64 {
	sigma = float64(sigma * p.surface.scale)
	return float64(sigma*sigma) / 2
}

// steps returns the steps of that diffusion. They stop when the context of the surface ends.
func (p *patch) steps(sigma float64) iter.Seq[float64] {
	return func(yield func(float64) bool) {
		for _, dt := range timeSteps(p.time(sigma), p.surface.stable) {
			if p.surface.ctx.Err() != nil || !yield(dt) {
				return
			}
		}
	}
}

// smooth replaces values by their means over the surroundings, with a Gaussian weight of
// standard deviation sigma (mm, times scale). The staircase of voxels is noise about the true
// surface: every face lies between two voxel centres, one on either side of it. The values
// diffuse along the surface, with the steps of super time stepping (Alexiades et al. 1996,
// Communications in Numerical Methods in Engineering 12:31–42), of which about the square root
// of the number of plain steps is needed. A face is its own neighbour if there is none, so
// nothing flows there. values is the patch's from then on.
func (p *patch) smooth(values []vector, sigma float64) []vector {
	if p.spare == nil {
		p.spare = make([]vector, len(values))
	}
	current, next := values, p.spare
	for dt := range p.steps(sigma) {
		parallel.Split(len(current), p.surface.workers, worthSharing, func(_, lo, hi int) {
			for n := lo; n < hi; n++ {
				w, links := &p.surface.weights[p.faces[n]], &p.links[n]
				flow(
					&next[n], &current[n], &current[links[0]], &current[links[1]], &current[links[2]],
					&current[links[3]], w, dt,
				)
			}
		})
		current, next = next, current
	}
	p.spare = next
	return current
}

// smoothTrue returns the smoothed faces without the bias of smooth: on a curved surface, a mean lies on
// the concave side. The residual of smoothing is smoothed as well and added (twicing; Tukey 1977,
// Exploratory Data Analysis). Normals are smoothed as by normals.
func (p *patch) smoothTrue(sigma float64) []surfel {
	once, spare := make([]surfel, len(p.faces)), make([]surfel, len(p.faces))
	for n, face := range p.faces {
		once[n] = surfel{p.surface.centre[face], p.surface.normal(face)}
	}
	for dt := range p.steps(sigma) {
		current, next := once, spare
		parallel.Split(len(current), p.surface.workers, worthSharing, func(_, lo, hi int) {
			for n := lo; n < hi; n++ {
				w, links := &p.surface.weights[p.faces[n]], &p.links[n]
				a, b, c, d := &current[links[0]], &current[links[1]], &current[links[2]], &current[links[3]]
				v, u := &current[n], &next[n]
				flow(&u.centre, &v.centre, &a.centre, &b.centre, &c.centre, &d.centre, w, dt)
				flow(&u.normal, &v.normal, &a.normal, &b.normal, &c.normal, &d.normal, w, dt)
			}
		})
		once, spare = spare, once
	}
	loss := make([]vector, len(p.faces))
	for n, face := range p.faces {
		loss[n] = p.surface.centre[face].Minus(once[n].centre)
	}
	loss = p.smooth(loss, sigma)
	parallel.Split(len(once), p.surface.workers, worthSharing, func(_, lo, hi int) {
		for n := lo; n < hi; n++ {
			once[n] = surfel{once[n].centre.Plus(loss[n]), once[n].normal.Unit()}
		}
	})
	return once
}

// flow makes a step of dt from v to u, for the neighbours a to d with their weights.
func flow(u, v, a, b, c, d *vector, w *[4]float64, dt float64) {
	w0, w1, w2, w3 := w[0], w[1], w[2], w[3]
	x, y, z := v[0], v[1], v[2]
	u[0] = x + float64(dt*(float64(w0*(a[0]-x))+float64(w1*(b[0]-x))+float64(w2*(c[0]-x))+float64(w3*(d[0]-x))))
	u[1] = y + float64(dt*(float64(w0*(a[1]-y))+float64(w1*(b[1]-y))+float64(w2*(c[1]-y))+float64(w3*(d[1]-y))))
	u[2] = z + float64(dt*(float64(w0*(a[2]-z))+float64(w1*(b[2]-z))+float64(w2*(c[2]-z))+float64(w3*(d[2]-z))))
}

// smoothNumbers smooths numbers, one for each face of the patch. If leak is true, they are 0 outside the
// patch and diffuse over its border; otherwise they do not leave it.
func (p *patch) smoothNumbers(current []float64, sigma float64, leak bool) []float64 {
	next := make([]float64, len(current))
	for dt := range p.steps(sigma) {
		parallel.Split(len(current), p.surface.workers, worthSharing, func(_, lo, hi int) {
			for n := lo; n < hi; n++ {
				flow, loss := 0.0, 0.0
				w := &p.surface.weights[p.faces[n]]
				for e, other := range p.links[n] {
					if other == int32(n) {
						loss += w[e]
					}
					flow += float64(w[e] * (current[other] - current[n]))
				}
				if leak {
					flow -= float64(loss * current[n])
				}
				next[n] = current[n] + float64(dt*flow)
			}
		})
		current, next = next, current
	}
	return current
}

// normals returns the smoothed outward unit normals of the patch. The mean of the area vectors of a
// staircase of faces is the area vector of the slope.
func (p *patch) normals(sigma float64) []vector {
	out := make([]vector, len(p.faces))
	for n, face := range p.faces {
		out[n] = p.surface.normal(face)
	}
	out = p.smooth(out, sigma)
	parallel.Split(len(out), p.surface.workers, worthSharing, func(_, start, end int) {
		for n := start; n < end; n++ {
			out[n] = out[n].Unit()
		}
	})
	return out
}

// core reports which faces of the patch are not near its border, where the smoothed surface bends.
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

// damping is the parameter ν of super time stepping. At 0, steps are as long as possible, and rounding
// errors grow.
const damping = 0.05

// timeSteps returns the fewest steps whose sum is total, where a plain step must not exceed stable. Two of
// the steps are plain and remove the staircase itself: super steps alone leave up to 70 % of the shortest
// waves, and these two remove 87 % of the rest.
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

// maxSteps limits the work on grids that are much finer than those of any mask.
const maxSteps = 30
