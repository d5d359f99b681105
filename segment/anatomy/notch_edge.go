package anatomy

import (
	"math"

	"github.com/t2map/t2map/volume"
)

const (
	// capWidth is the radius in mm within which the back of a condyle is fitted as a dome. At this
	// distance it lies 2 to 4 mm in front of its top, because condyles have radii of 12 to 22 mm.
	capWidth = 9
	// capDepth is how far, in mm, a dome extends in front of its top at most.
	capDepth = 6
)

// condyleEnd returns the posterior end of the condyle on the patient's left (side 0) or right (1): the top
// of the dome that fits the faces at its back by least squares. If no dome fits, it is shortfall behind
// the last voxel centres.
func (n *notch) condyleEnd(all []spot, g *volume.Geometry, side int) float64 {
	a, lastCentre, reach := n.axes, n.ends[side], voxelReach(g, n.axes.Posterior)
	fallback := lastCentre + shortfall(g, a.Posterior)
	back := filter(all, func(s *spot) bool {
		p := s.centre.Dot(a.Posterior)
		return !s.small && p > lastCentre-capDepth-reach && (s.centre.Dot(a.Left) > n.gap(p)) == (side == 0)
	})
	var top scatter
	for v := range back {
		if back[v].centre.Dot(a.Posterior) > lastCentre-1-reach {
			top.add(back[v].centre)
		}
	}
	if top.n == 0 {
		return fallback
	}
	centre := top.mean()
	var faces []face
	newOccupied(g, back).faces(a.Posterior, func(f face) {
		d := f.centre.Minus(centre)
		x, p, h := d.Dot(a.Left), d.Dot(a.Posterior), d.Dot(a.Superior)
		if float64(x*x)+float64(h*h) < capWidth*capWidth && p > -capDepth {
			faces = append(faces, f)
		}
	})
	d := dome{axes: a, centre: centre}
	points := make([]bonePoint, len(faces))
	for range 3 { // the weights of faces follow from the slopes of the previous fit
		for v, f := range faces {
			normal := d.normal(f.centre)
			points[v] = bonePoint{f.centre, weight(float64(f.step*f.out.Dot(normal))/normal.Dot(a.Posterior), rough)}
		}
		var ok bool
		if d, ok = fitDome(points, a, centre); !ok {
			return fallback
		}
	}
	if h, ok := d.top(); ok {
		return max(lastCentre, min(lastCentre+reach, centre.Dot(a.Posterior)+h))
	}
	return fallback
}

// top returns how far a dome extends behind its centre. A condyle may be flat from side to side; ok is
// false if it is flat from top to bottom.
func (d *dome) top() (p float64, ok bool) {
	c := &d.c
	if !(c[5] < 0) {
		return 0, false
	}
	p = math.Inf(-1)
	for n := -6; n <= 6; n++ {
		x := float64(n) / 2
		slope := c[2] + float64(c[4]*x)
		h := max(-capWidth, min(capWidth, -slope/(2*c[5])))
		p = max(p, c[0]+float64(c[1]*x)+float64(c[3]*float64(x*x))+float64(slope*h)+float64(c[5]*float64(h*h)))
	}
	return p, true
}

const (
	// roundness is the curvature of the end of a notch in 1/mm: 1/(2·radius). It is 0.13 in the phantom
	// and 0.26 in ../shared/data/knee-dess-seg.
	roundness = 0.15
	// roundest is the largest curvature that is accepted.
	roundest = 0.3
	// lipEnd is how far behind the middle of its edge the cartilage at the notch ends, in standard
	// deviations of the edge. An even slope ends at √3. The value is less because the edge has tails where
	// the notch is not a parabola. It was measured on phantoms other than those of the tests.
	lipEnd = 1.25
	// sharpLip and bluntLip bound the standard deviation of an edge in mm, because thick slices measure it
	// with errors. It is 0.8 in the phantom and 0.7 in ../shared/data/knee-dess-seg.
	sharpLip, bluntLip = 0.5, 1.0
)

// edge returns where the cartilage ends at the notch. Near the vertex, the mean height of thin sections
// across the end falls from the thickness of the cartilage to 0. The middle of this fall does not depend
// on the positions of voxels, unlike the outermost voxel centres.
func (n *notch) edge(all []spot, g *volume.Geometry) float64 {
	spacing := g.Spacing()
	largest := max(spacing[0], spacing[1], spacing[2])
	lip := n.lip(all, g, largest)
	start := n.anterior - lip.reach - 2
	full, count := 0.0, 0.0
	for x := -1.5; x <= 0.5; x += sectionStep { // before the fall
		full += lip.areaAt(start + x)
		count++
	}
	full /= count
	if !(full > 0) {
		return n.anterior + shortfall(g, n.axes.Posterior)
	}
	// The remaining height is 1 minus the cumulative distribution of the edge's position: integrate
	// it for the mean and the mean square behind start.
	var mean, square float64
	for x := sectionStep / 2; x < lip.reach+5; x += sectionStep {
		remaining := float64(lip.areaAt(start+x)/full) * sectionStep
		mean += remaining
		square += float64(2 * x * remaining)
	}
	deviation := math.Sqrt(max(0, square-float64(mean*mean)-lip.variance))
	end := start + mean + float64(lipEnd*max(sharpLip, min(bluntLip, deviation)))
	return max(n.anterior-largest/2, min(n.anterior+largest, end))
}

// lip returns the sections of the cartilage at the notch, sheared along the parabola so that its end is
// straight. On thick slices the usual curvature is more reliable than the measured one.
func (n *notch) lip(all []spot, g *volume.Geometry, largest float64) sections {
	const before = 12 // mm, more than edge looks at
	trust := 1 / (1 + math.Pow(largest, 4))
	curve := roundness + float64(trust*(max(0, min(roundest, n.curve))-roundness))
	var p, weight []float64
	for v := range all {
		s := &all[v]
		x, y := s.centre.Dot(n.axes.Left)-n.top, s.centre.Dot(n.axes.Posterior)
		if !s.small && math.Abs(x) < archWidth && math.Abs(y-n.anterior) < before {
			p = append(p, y-float64(curve*float64(x*x)))
			weight = append(weight, 1-float64(x*x)/(archWidth*archWidth))
		}
	}
	return newSections(p, weight, g, n.axes.Posterior)
}
