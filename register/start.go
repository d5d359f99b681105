package register

import (
	"cmp"
	"math"
	"slices"

	"github.com/t2map/t2map/volume"
)

// elastix finds the best transform near its start. On the phantom it recovered shifts of up to
// about 15 mm from the identity with two resolutions, and up to 20 mm with three or four; above
// that, it returned a wrong transform with a slightly better metric than the identity. Therefore a
// start is searched first, on coarse images, without gradients.
const (
	// coarse is the spacing in mm to which the images are averaged: fine enough for bones,
	// coarse enough for a wide optimum.
	coarse = 3.0
	// searchSamples is the number of points of a score.
	searchSamples = 4000
	// searchStep is the distance between the shifts that are tried, less than the width of the
	// optimum.
	searchStep = 9.0
	// searchBeyond is the ratio of the range of the search to the largest accepted shift, so that a
	// larger shift is found and refused instead of a wrong one accepted. searchLeast and
	// searchMost, in mm, bound the range.
	searchBeyond = 1.25
	searchLeast  = 15.0
	searchMost   = 60.0
	// starts is the number of best shifts that are refined.
	starts = 4
)

// reach returns the range of shifts in mm in which a start is searched.
func (o Options) reach() float64 {
	return min(max(searchBeyond*o.MaxShift, searchLeast), searchMost)
}

// coarsened returns the pair with coarse voxels.
func (p pair) coarsened() pair {
	return pair{fixed: p.fixed.coarsened(), moving: p.moving.coarsened(), centre: p.centre}
}

func (s scan) coarsened() scan {
	out := s
	m := volume.Map{Geometry: s.geometry(), Data: s.voxels}
	var factor [3]int
	var first [3]float64
	for axis := range 3 {
		factor[axis] = max(1, min(int(math.Round(coarse/s.spacing[axis])), s.size[axis]/fewest))
		first[axis] = float64(factor[axis]-1) / 2
		out.size[axis] = s.size[axis] / factor[axis]
		out.spacing[axis] = s.spacing[axis] * float64(factor[axis])
	}
	out.origin = position(m.Geometry, first)
	out.voxels, _ = average(m, [3]int{}, factor, out.size)
	return out
}

// pose holds the parameters of a transform for the search: a rotation about the centre of the field
// by Euler angles in rad, and a shift in mm.
type pose [6]float64

func (p pair) transform(q pose) volume.Rigid {
	return euler{angles: [3]float64(q[:3]), shift: [3]float64(q[3:]), centre: p.centre}.rigid()
}

// score returns the mutual information after a pose times the fraction of the field that the moving
// image then covers. Without that factor a small overlap would win by chance.
func (p pair) score(q pose) float64 {
	_, after, overlap := p.information(p.transform(q), searchSamples, false)
	return after * overlap
}

// tried is a pose with its score.
type tried struct {
	pose
	score float64
}

// start returns the transform from which elastix starts: the best of the refined poses. The
// identity is one of the shifts.
func (p pair) start(o Options) volume.Rigid {
	c := p.coarsened()
	return c.transform(c.best(o.reach(), starts).pose)
}

// best tries shifts of up to reach mm, refines the best few, and returns the best pose.
func (p pair) best(reach float64, few int) tried {
	var all []tried
	n := int(reach / searchStep)
	for z := -n; z <= n; z++ {
		for y := -n; y <= n; y++ {
			for x := -n; x <= n; x++ {
				q := pose{3: searchStep * float64(x), 4: searchStep * float64(y), 5: searchStep * float64(z)}
				if q[3]*q[3]+q[4]*q[4]+q[5]*q[5] <= reach*reach {
					all = append(all, tried{q, p.score(q)})
				}
			}
		}
	}
	slices.SortStableFunc(all, func(a, b tried) int { return cmp.Compare(b.score, a.score) })
	best := tried{score: math.Inf(-1)}
	for _, t := range all[:min(few, len(all))] {
		if t.pose, t.score = p.refine(t.pose, t.score); t.score > best.score {
			best = t
		}
	}
	return best
}

// refine climbs to a higher score. It changes each angle and each shift by a step, up or down, as
// long as that increases the score, and then halves the step: from 6° and 4.5 mm to 1.5° and 1.1
// mm.
func (p pair) refine(q pose, score float64) (pose, float64) {
	const rounds = 20 // with one step; more never helped
	angle, shift := 6*math.Pi/180, searchStep/2
	for range 3 {
		for better, round := true, 0; better && round < rounds; round++ {
			better = false
			for n := range q {
				step := angle
				if n >= 3 {
					step = shift
				}
				for _, change := range [2]float64{step, -step} {
					next := q
					next[n] += change
					if s := p.score(next); s > score {
						q, score, better = next, s, true
						break
					}
				}
			}
		}
		angle, shift = angle/2, shift/2
	}
	return q, score
}

// moved returns the picture after a transform.
func (p picture) moved(t volume.Rigid) picture {
	out, d := p, p.direction
	out.origin = t.Apply(p.origin)
	for r, row := range t.Rotation {
		for c := range 3 {
			out.direction[r][c] = float64(row[0]*d[0][c]) + float64(row[1]*d[1][c]) + float64(row[2]*d[2][c])
		}
	}
	return out
}
