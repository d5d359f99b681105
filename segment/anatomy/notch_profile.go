package anatomy

import (
	"math"
	"slices"

	"github.com/t2map/t2map/segment/internal/space"
)

// binOffset keeps the borders of bins off the round numbers on which voxels of a grid in
// the axes of the knee would fall.
const binOffset = 1 / math.Pi

// bins are intervals of a width that lie evenly about the middle of values, so that a
// mirrored knee is seen as the mirror image.
type bins struct {
	start, width float64
	n            int
}

func newBins(x []float64, width float64) bins {
	lo, hi := slices.Min(x), slices.Max(x)
	half := int((hi-lo)/(2*width)) + 1
	return bins{(lo+hi)/2 - (float64(half)+0.5)*width, width, 2*half + 1}
}

// place returns the bin of x, as a number whose whole part is the bin.
func (b bins) place(x float64) float64 { return (x - b.start) / b.width }

// middle returns x in the middle of bin n, which need not be whole.
func (b bins) middle(n float64) float64 { return b.start + float64(b.width*(n+0.5)) }

// strip is the width in mm of the strips of a profile: so narrow that the round end of a
// notch does not differ within one by as much as a voxel.
// It is not round, for the same reason as binOffset.
const strip = 0.51

// profile is how far a plate reaches in each strip across it.
type profile struct {
	bins
	end []float64 // the furthest point in the strip, NaN where the strip has none
}

// newProfile returns the profile of points (x, p) that reach from x − half to x + half: the
// largest p by strips of x. Without their width, thick slices would leave strips empty, or
// part a slice that leans between strips.
func newProfile(x, p []float64, half float64) profile {
	b := newBins(x, strip)
	out := profile{bins: b, end: make([]float64, b.n)}
	for n := range out.end {
		out.end[n] = math.NaN()
	}
	for n := range x {
		place := b.place(x[n])
		// The strip that holds x, and those whose middle the point covers.
		first := min(int(place), max(0, int(math.Ceil(place-half/strip-0.5))))
		last := max(int(place), min(len(out.end)-1, int(math.Floor(place+half/strip-0.5))))
		for s := first; s <= last; s++ {
			if !(p[n] <= out.end[s]) {
				out.end[s] = p[n]
			}
		}
	}
	return out
}

// window is the number of strips on either side that smooth takes in. Together they are
// 2.5 mm wide: several voxels on fine grids, and much narrower than an intercondylar notch.
const window = 2

// smooth returns the profile with the median of each strip and its neighbours, empty ones
// omitted, in its place: a single voxel that sticks out decides nothing.
func (f profile) smooth() profile {
	out := profile{bins: f.bins, end: make([]float64, len(f.end))}
	var near [2*window + 1]float64
	for n := range f.end {
		ends := near[:0]
		for _, e := range f.end[max(0, n-window):min(len(f.end), n+window+1)] {
			if !math.IsNaN(e) {
				ends = append(ends, e)
			}
		}
		slices.Sort(ends)
		switch k := len(ends); {
		case k == 0:
			out.end[n] = math.NaN()
		default:
			out.end[n] = (ends[(k-1)/2] + ends[k/2]) / 2
		}
	}
	return out
}

// furthest returns the largest end of the strips, −Inf if there is none.
func (f profile) furthest() float64 {
	most := math.Inf(-1)
	for _, e := range f.end {
		if e > most {
			most = e
		}
	}
	return most
}

// extent returns how far the points (x, p), which reach by half to both sides, reach along p,
// smoothed over strips of x.
func extent(x, p []float64, half float64) (first, last float64) {
	last = newProfile(x, p, half).smooth().furthest()
	back := make([]float64, len(p))
	for n := range p {
		back[n] = -p[n]
	}
	return -newProfile(x, back, half).smooth().furthest(), last
}

// bay is where a profile lies furthest behind its ends on both sides.
type bay struct {
	strip       int
	depth       float64 // mm
	bottom      float64 // the end there
	left, right float64 // the furthest ends on both sides: of larger x and of smaller x
	strips      [2]int  // where they are
}

// deepest returns the deepest bay; its depth is 0 if there is none.
func (f profile) deepest() bay {
	n := len(f.end)
	rise := make([]int, n) // strip of the furthest end among this one and those of smaller x
	for s := range f.end {
		rise[s] = s
		if s > 0 && !(f.end[s] > f.end[rise[s-1]]) && !math.IsNaN(f.end[rise[s-1]]) {
			rise[s] = rise[s-1]
		}
	}
	best := bay{strip: -1}
	left := n - 1
	for s := n - 1; s >= 0; s-- {
		if math.IsNaN(f.end[s]) {
			continue
		}
		if f.end[s] > f.end[left] || math.IsNaN(f.end[left]) {
			left = s
		}
		right := rise[s]
		if d := min(f.end[left], f.end[right]) - f.end[s]; d > best.depth {
			best = bay{s, d, f.end[s], f.end[left], f.end[right], [2]int{left, right}}
		}
	}
	return best
}

const (
	// archWidth is how far from its top, in mm, the end of the notch is seen as a parabola: half of
	// the width of a narrow notch.
	archWidth = 3.5
	// archDepth is how far behind the top, in mm, that part of the end lies at most.
	archDepth = 4
)

// vertex returns the bottom of a bay as that of the parabola that fits the ends about it best,
// the curvature of that, and x of its top. The points of the profile, of which the bay was found
// in the smooth one, reach by half to both sides.
func (f profile) vertex(smooth profile, b bay, half float64) (bottom, curve, top float64) {
	// Of several strips that are as deep, the middle, so that a mirrored knee has the same.
	last := b.strip
	for last > 0 && smooth.end[last-1] == b.bottom {
		last--
	}
	first := b.strip
	for first+1 < len(f.end) && smooth.end[first+1] == b.bottom {
		first++
	}
	centre := float64(first+last) / 2
	fit := space.LeastSquares{Terms: 3}
	for s := range f.end {
		e := f.end[s] - b.bottom
		if math.IsNaN(e) || e > archDepth || math.Abs(float64(s)-centre) > archWidth/f.width {
			continue
		}
		x := float64(f.width * (float64(s) - centre))
		fit.Add([6]float64{1, x, float64(x * x)}, e, 1)
	}
	top = f.middle(centre)
	c, _, ok := fit.Solve()
	if !ok || !(c[2] > 0) {
		return b.bottom, 0, top
	}
	const maxShift = 1.5 // mm; a vertex that lies further from the deepest strip is not seen
	top += max(-maxShift, min(maxShift, -c[1]/(2*c[2])))
	// A parabola that is drawn in steps of 2·half lies higher than itself by their variance.
	if e := c[0] - float64(c[1]*c[1])/(4*c[2]) - float64(c[2]*float64(half*half))/3; math.Abs(e) < archDepth {
		return b.bottom + e, c[2], top
	}
	return b.bottom, c[2], top
}
