package anatomy

import (
	"math"

	"github.com/t2map/t2map/segment/internal/space"
	"github.com/t2map/t2map/volume"
)

// sections holds the areas of a body's cross sections along a direction. Each is a moving average over the
// extent of a voxel, and again over the largest step between voxels. If areas increase linearly, so do the
// averages, also between thick slices.
type sections struct {
	start float64   // position of the first
	area  []float64 // every sectionStep, in voxels per mm
	// reach is half the width of the averages in mm. variance is the variance in mm² by which they
	// spread an edge.
	reach, variance float64
}

// sectionStep is the distance between sections in mm: a quarter of the smallest voxels.
const sectionStep = 0.1

// newSections returns the sections along d of a body. It has a voxel at each position p, with the given
// weight, or 1 if weight is nil.
func newSections(p, weight []float64, g *volume.Geometry, d vector) sections {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, v := range p {
		lo, hi = min(lo, v), max(hi, v)
	}
	s := sections{reach: voxelReach(g, d)}
	s.start = lo - s.reach - 2*sectionStep
	s.area = make([]float64, int((hi-lo+2*s.reach)/sectionStep)+6)
	for n, v := range p {
		w := 1 / sectionStep
		if weight != nil {
			w = weight[n] / sectionStep
		}
		// Shared between two sections, so that rounding moves no voxel from one to the next.
		x := (v - s.start) / sectionStep
		part := x - math.Floor(x)
		s.area[int(x)] += float64(w * (1 - part))
		s.area[int(x)+1] += float64(w * part)
	}
	wide := steps(g, d)
	for _, w := range [4]float64{wide[0], wide[1], wide[2], max(wide[0], wide[1], wide[2])} {
		s.average(w / sectionStep)
		s.variance += float64(w*w) / 12
	}
	return s
}

// average replaces the areas by their moving averages over a width, in sections.
func (s *sections) average(width float64) {
	if width < 1e-3 { // rounding: the other axes of the grid are perpendicular
		return
	}
	n := len(s.area)
	before := make([]float64, n+1)
	for c, a := range s.area {
		before[c+1] = before[c] + a
	}
	upTo := func(x float64) float64 {
		x = max(0, min(float64(n), x))
		c := min(int(x), n-1)
		return before[c] + float64(s.area[c]*(x-float64(c)))
	}
	out := make([]float64, n)
	for c := range out {
		middle := float64(c) + 0.5
		out[c] = (upTo(middle+width/2) - upTo(middle-width/2)) / width
	}
	s.area = out
}

// areaAt returns the area at p, linear between sections.
func (s *sections) areaAt(p float64) float64 {
	x := (p - s.start) / sectionStep
	c := int(math.Floor(x))
	if c < 0 || c+1 >= len(s.area) {
		return 0
	}
	part := x - float64(c)
	return float64(s.area[c]*(1-part)) + float64(s.area[c+1]*part)
}

const (
	// endWindow is the length in mm over which the end of a plate is fitted.
	endWindow = 6
	// tapering is the relative rate, per mm, at which the sections of a plate shrink faster towards its
	// end. With t the distance from the middle over half the length, 22 mm, the sections of an ellipsoid
	// are 1 − t², which gives 1/22. Those of the phantom's plateaus are 1 − t³, which gives 2/22. The
	// value is the mean.
	tapering = 1.5 / 22
)

// hidden returns how far behind the last voxel centres the areas vanish: 0 to reach. ok is false if the
// areas do not decrease.
func (s *sections) hidden(lastCentre float64) (distance float64, ok bool) {
	fit := space.LeastSquares{Terms: 2}
	for n := range int(endWindow / sectionStep) {
		// Only sections in front of those that the averages blur.
		x := -s.reach/2 - float64(n)*sectionStep
		fit.Add([6]float64{1, tapered(x)}, s.areaAt(lastCentre+x), 1)
	}
	c, _, ok := fit.Solve()
	if !ok || !(c[1] < 0) {
		return 0, false
	}
	return max(0, min(s.reach, straight(-c[0]/c[1]))), true
}

// tapered is the coordinate in which the areas of the sections decrease linearly towards the end of a
// plate.
func tapered(x float64) float64 { return x + float64(tapering/2*float64(x*x)) }

// straight is the inverse of tapered.
func straight(y float64) float64 { return 2 * y / (1 + math.Sqrt(max(0, 1+float64(2*tapering*y)))) }

// voxelReach returns half the extent of a voxel along d plus half its largest step. An end lies within
// this distance behind the last voxel centres.
func voxelReach(g *volume.Geometry, d vector) float64 {
	s := steps(g, d)
	return (s[0] + s[1] + s[2] + max(s[0], s[1], s[2])) / 2
}
