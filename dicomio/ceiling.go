package dicomio

import (
	"math"
	"slices"
)

const (
	// leastPlateau is the number of connected pixels at the peak of an image that prove
	// clipping. In the noise of a scanner the peak is one pixel: no image in ../shared/data
	// has more than two.
	leastPlateau = 4
	// crestPart and crestDrop describe the crest of an image that is not clipped: it has as
	// many pixels at each value below the peak as at the peak, since the area between the
	// contours of a smooth maximum is the same for each step. A clipped image has crestDrop
	// times fewer pixels at each value within the part crestPart below the peak, because
	// all higher values are at the peak.
	crestPart = 1.0 / 32
	crestDrop = 10
	// slowSteps is the height from which two echoes can have the same peak only by
	// clipping: T2 would be more than 256 echo spacings, which is seconds.
	slowSteps = 256
)

// depths are the numbers of bits of converters and of stored formats. Data with such a
// number of bits are often declared to have 16, so that BitsStored is not informative.
var depths = []int{8, 10, 12, 14, 15, 16}

// ceilings returns the magnitude at which each image was clipped, as in
// volume.MultiEcho.Ceiling.
func (d decoded) ceilings() [][]float32 {
	var out [][]float32
	for e := range d.grid {
		for k := range d.grid[e] {
			if !d.clipped(place{e, k}) {
				continue
			}
			if out == nil {
				out = noCeilings(len(d.grid), len(d.grid[e]))
			}
			out[e][k] = d.ceiling(place{e, k})
		}
	}
	return out
}

func noCeilings(echoes, slices int) [][]float32 {
	out := make([][]float32, echoes)
	for e := range out {
		out[e] = make([]float32, slices)
		for k := range out[e] {
			out[e][k] = float32(math.Inf(1))
		}
	}
	return out
}

// ceiling returns the magnitude of the peak.
func (d decoded) ceiling(a place) float32 { return d.grid[a.e][a.k].rescale(d.seen[a.e][a.k].value) }

// clipped reports whether an image is clipped at its peak. It is if the peak is the largest
// value of BitsStored, unless the image was scaled to that. Otherwise the peak must be a
// plateau that no piecewise constant phantom has: in an image with noise, at the end of
// another depth, or at the same height in another echo of the slice.
func (d decoded) clipped(a place) bool {
	h, top := d.grid[a.e][a.k], d.seen[a.e][a.k].peak
	largest := h.bits().largest()
	if top.value == largest && !d.scaled && h.slope == 1 && h.intercept == 0 {
		return true
	}
	if d.seen[a.e][a.k].flat && a.e == 0 && d.aboveAll(a) {
		return true
	}
	if top.count < leastPlateau || top.value <= 0 || h.slope < 0 || !d.plateau(a) {
		return false
	}
	if !d.scaled && (top.value == largest || endsDepth(top.value)) || d.noisy(a, float64(d.ceiling(a))) &&
		d.dropsBelow(a) {
		return true
	}
	if a.e > 0 && top.value >= slowSteps && d.variesAbove(a) {
		return true
	}
	for e := range d.grid {
		b := place{e, a.k}
		if e != a.e && top.value >= slowSteps && d.seen[e][a.k].count >= leastPlateau && d.ceiling(b) == d.ceiling(a) &&
			d.plateau(b) {
			return true
		}
	}
	return false
}

// aboveAll reports whether the single value of a flat first echo is above that of stored
// zeros and not exceeded at any later echo of the slice, none of which is flat: the first
// echo has the most signal, and was clipped at every pixel.
func (d decoded) aboveAll(a place) bool {
	if d.ceiling(a) <= d.grid[a.e][a.k].rescale(0) {
		return false
	}
	for e := a.e + 1; e < len(d.grid); e++ {
		if b := (place{e, a.k}); d.seen[e][a.k].flat || d.ceiling(b) > d.ceiling(a) {
			return false
		}
	}
	return len(d.grid) > 1
}

// variesAbove reports whether the pixels at an image's peak were above it at the echo
// before, with values that span leastSteps. Such values do not become one within an echo.
func (d decoded) variesAbove(a place) bool {
	if d.seen[a.e][a.k].flat {
		return false // it may also be an image without data
	}
	peak, earlier := d.ceiling(a), d.image(a.e-1, a.k)
	low, high := float32(math.Inf(1)), float32(math.Inf(-1))
	for v, x := range d.image(a.e, a.k) {
		if x == peak {
			low, high = min(low, earlier[v]), max(high, earlier[v])
		}
	}
	return low >= peak && float64(high-low) >= leastSteps*math.Abs(d.grid[a.e-1][a.k].slope)
}

// endsDepth reports whether a value is the largest, signed or not, of a usual number of
// bits.
func endsDepth(value int32) bool {
	return slices.ContainsFunc(depths, func(bits int) bool { return value == 1<<bits-1 })
}

// plateau reports whether leastPlateau pixels at an image's peak are connected by their
// sides.
func (d decoded) plateau(a place) bool {
	pixels, columns, peak := d.image(a.e, a.k), d.grid[a.e][a.k].columns, d.ceiling(a)
	var connected [leastPlateau]int
	for v, x := range pixels {
		if x != peak {
			continue
		}
		n := 1
		connected[0] = v
		for i := 0; i < n; i++ {
			index := connected[i]
			for _, neighbour := range [4]int{index - 1, index + 1, index - columns, index + columns} {
				wraps := neighbour/columns != index/columns && (neighbour == index-1 || neighbour == index+1)
				if neighbour < 0 || neighbour >= len(pixels) || wraps || pixels[neighbour] != peak ||
					slices.Contains(connected[:n], neighbour) {
					continue
				}
				connected[n] = neighbour
				if n++; n == leastPlateau {
					return true
				}
			}
		}
	}
	return false
}

// dropsBelow reports whether values just below an image's peak are much rarer than the
// peak.
func (d decoded) dropsBelow(a place) bool {
	h, top, n := d.grid[a.e][a.k], d.seen[a.e][a.k].peak, 0
	depth := max(1, int32(crestPart*float64(top.value)))
	low, peak := h.rescale(top.value-depth), d.ceiling(a)
	for _, v := range d.image(a.e, a.k) {
		if v >= low && v < peak {
			n++
		}
	}
	return crestDrop*n <= top.count*int(depth)
}
