package anatomy

import (
	"math"
	"slices"

	"github.com/t2map/t2map/segment/internal/space"
)

// binOffset shifts the borders of bins off round numbers, where the voxels of a grid that is aligned with
// the knee would lie.
const binOffset = 1 / math.Pi

// bins are n intervals of equal width that lie symmetrically about the middle of the values, so that a
// mirrored knee gives the mirrored result.
type bins struct {
	start, width float64
	n            int
}

func newBins(x []float64, width float64) bins {
	lo, hi := slices.Min(x), slices.Max(x)
	half := int((hi-lo)/(2*width)) + 1
	return bins{(lo+hi)/2 - (float64(half)+0.5)*width, width, 2*half + 1}
}

// place returns the position of x in bins: its integer part is the number of the bin.
func (b bins) place(x float64) float64 { return (x - b.start) / b.width }

// middle returns the x of the middle of bin n. n may be fractional.
func (b bins) middle(n float64) float64 { return b.start + float64(b.width*(n+0.5)) }

// strip is the width in mm of the strips of a profile. It is so narrow that the round end of a notch
// changes by less than a voxel within one strip. It is not a round number, for the same reason as
// binOffset.
const strip = 0.51

// profile is how far a plate extends in each strip across it.
type profile struct {
	bins
	end []float64 // the largest p in each strip; NaN if the strip is empty
}

// newProfile returns the profile of points that extend from x − half to x + half: the largest p in each
// strip of x. Without this width, thick slices would leave strips empty, and a slice that is oblique to
// the strips would be split among them.
func newProfile(x, p []float64, half float64) profile {
	b := newBins(x, strip)
	out := profile{bins: b, end: make([]float64, b.n)}
	for n := range out.end {
		out.end[n] = math.NaN()
	}
	for n := range x {
		place := b.place(x[n])
		// The strip that contains x, and the strips whose middle the point covers.
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

// window is the number of strips on either side that smooth includes. Together they are 2.5 mm wide:
// several voxels on fine grids, and much narrower than an intercondylar notch.
const window = 2

// smooth returns the profile in which the median of each strip and its neighbours replaces the strip, so
// that a single protruding voxel has no effect. Empty strips are ignored.
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

// furthest returns the largest end of all strips, or −Inf if all are empty.
func (f profile) furthest() float64 {
	most := math.Inf(-1)
	for _, e := range f.end {
		if e > most {
			most = e
		}
	}
	return most
}

// extent returns the range of p of points that extend by half to both sides of x, smoothed over strips of
// x.
func extent(x, p []float64, half float64) (first, last float64) {
	last = newProfile(x, p, half).smooth().furthest()
	negative := make([]float64, len(p))
	for n := range p {
		negative[n] = -p[n]
	}
	return -newProfile(x, negative, half).smooth().furthest(), last
}

// bay is the place where a profile is farthest behind its ends on both sides.
type bay struct {
	strip       int
	depth       float64 // mm
	bottom      float64 // the end of the strip
	left, right float64 // the furthest ends at larger x and at smaller x
	strips      [2]int  // the strips of these two ends
}

// deepest returns the deepest bay. Its depth is 0 if there is none.
func (f profile) deepest() bay {
	n := len(f.end)
	rise := make([]int, n) // the strip with the furthest end at this or a smaller x
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
	// archWidth is the distance in mm from its top within which the end of the notch is fitted as a
	// parabola: half the width of a narrow notch.
	archWidth = 3.5
	// archDepth is the largest depth in mm of that part of the end behind its top.
	archDepth = 4
)

// vertex fits a parabola to the ends around a bay and returns the p of its vertex, its curvature and the x
// of its vertex. The bay was found in the smoothed profile, smooth. The points of the profile extend by
// half to both sides.
func (f profile) vertex(smooth profile, b bay, half float64) (bottom, curve, top float64) {
	// If several strips are equally deep, take their middle, so that a mirrored knee gives the same result.
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
	const maxShift = 1.5 // mm: a vertex farther from the deepest strip is not reliable
	top += max(-maxShift, min(maxShift, -c[1]/(2*c[2])))
	// Sampling a parabola in steps of 2·half raises it by curvature × variance.
	if e := c[0] - float64(c[1]*c[1])/(4*c[2]) - float64(c[2]*float64(half*half))/3; math.Abs(e) < archDepth {
		return b.bottom + e, c[2], top
	}
	return b.bottom, c[2], top
}
