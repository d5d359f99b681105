package dicomio

import (
	"cmp"
	"math"
	"slices"
)

// This file finds images that have the pixels of another image of the train.

// mostEqual is the part of equal pixels, of those with signal, above which two echoes of a
// slice are one image that was edited, such as by burnt-in text. In noise of σ steps the
// part 1/(2σ√π) is equal by chance; without noise, pixels of leastSteps are equal only if
// T2 is more than 128 echo spacings.
const mostEqual = 15.0 / 16

// place identifies an image of a train by echo and slice.
type place struct{ e, k int }

// checkCopies refuses an image that has the pixels of another image of the train.
func (d decoded) checkCopies() error {
	var all []place
	for k := range d.grid[0] {
		for e := range d.grid {
			if !d.seen[e][k].flat {
				all = append(all, place{e, k})
			}
		}
	}
	sample := func(p place) uint64 { return d.seen[p.e][p.k].sample }
	slices.SortStableFunc(all, func(a, b place) int { return cmp.Compare(sample(a), sample(b)) })
	var copies [][2]place // original and copy
	for n := 1; n < len(all); n++ {
		if a, b := all[n-1], all[n]; sample(a) == sample(b) && d.copied(a, b) {
			copies = append(copies, [2]place{a, b})
		}
	}
	if len(copies) == 0 {
		return d.checkNearCopies()
	}
	first := slices.MinFunc(copies, func(x, y [2]place) int {
		return cmp.Or(cmp.Compare(x[1].k, y[1].k), cmp.Compare(x[1].e, y[1].e))
	})
	original, copied := first[0], first[1]
	relation := "another slice"
	if original.k == copied.k {
		relation = "another echo of the slice"
	}
	return d.grid[copied.e][copied.k].withoutData("the same pixels as in %s, %s%s",
		d.grid[original.e][original.k].displayName(), relation, furthermore(len(copies)-1)).
		withHint(isCopy)
}

// isCopy is the hint about a copy.
const isCopy = "one of the two is a copy under a wrong header: export or send the series again"

// checkNearCopies refuses an image most of whose signal is that of another echo of the
// slice.
func (d decoded) checkNearCopies() error {
	for k := range d.grid[0] {
		for e := range d.grid {
			for f := range e {
				if same, all := d.samePixels(place{f, k}, place{e, k}); same > 0 {
					err := d.grid[e][k].withoutData("%d of %d pixels with signal are the same as in %s, another "+
						"echo of the slice", same, all, d.grid[f][k].displayName())
					err.Hint = isCopy
					return err
				}
			}
		}
	}
	return nil
}

// samePixels returns the number of pixels of image b that equal those of a, and the number
// of pixels of a with signal: at least leastSteps, and less than the ceiling if a is
// clipped. It returns 0 if most of them differ, if the scales differ, or if hardly any
// pixel has signal.
func (d decoded) samePixels(a, b place) (same, all int) {
	x, y := d.grid[a.e][a.k], d.grid[b.e][b.k]
	p, q := d.image(a.e, a.k), d.image(b.e, b.k)
	least := x.rescale(0) + float32(leastSteps*math.Abs(x.slope))
	if x.slope != y.slope || x.intercept != y.intercept {
		return 0, 0
	}
	for row := range x.sampled() { // nearly all pairs of echoes differ here
		for v := row[0]; v < row[1]; v++ {
			if p[v] >= least {
				all++
				if p[v] == q[v] {
					same++
				}
			}
		}
	}
	if 2*same < all {
		return 0, 0
	}
	below := float32(math.Inf(1))
	if d.clipped(a) {
		below = d.ceiling(a)
	}
	same, all = 0, 0
	for v := range p {
		if p[v] >= least && p[v] < below {
			all++
			if p[v] == q[v] {
				same++
			}
		}
	}
	if all < fewestPixels || float64(all) < leastPixels*float64(len(p)) || float64(same) < mostEqual*float64(all) {
		return 0, 0
	}
	return same, all
}

// copied reports whether one of two images must be a copy of the other. Within a slice the
// signal decays, so that equal pixels suffice unless they span too few steps. Slices of a
// phantom may be equal at all echoes, or at late ones where their differences have decayed:
// two slices at one echo time must differ at the next echo or, in images with noise, at the
// previous one. Pixels at the ceiling of a clipped image are always equal and do not count.
func (d decoded) copied(a, b place) bool {
	if !d.equal(a, b) {
		return false
	}
	below := float32(math.Inf(1))
	if d.clipped(a) {
		below = d.ceiling(a)
	}
	if d.steps(a, below) < leastSteps {
		return false
	}
	x, y := d.grid[a.e][a.k], d.grid[b.e][b.k]
	switch {
	case a.k == b.k && x.slope == y.slope && x.intercept == y.intercept:
		return true
	case a.e != b.e:
		// A phantom with one T2 has equal stored values if each echo is scaled to its peak.
		return d.noisy(a, float64(below))
	}
	differAt := func(e int) bool {
		return e >= 0 && e < len(d.grid) && d.apart(place{e, a.k}, place{e, b.k}, d.image(a.e, a.k), below)
	}
	return differAt(a.e+1) || differAt(a.e-1) && d.noisy(a, float64(below))
}

// equal reports whether two images hold the same stored values.
func (d decoded) equal(a, b place) bool {
	x, y := d.grid[a.e][a.k], d.grid[b.e][b.k]
	p, q := d.image(a.e, a.k), d.image(b.e, b.k)
	if x.slope == y.slope && x.intercept == y.intercept {
		return slices.Equal(p, q)
	}
	for v := range p {
		if x.storedOf(p[v]) != y.storedOf(q[v]) {
			return false
		}
	}
	return true
}

// apart reports whether two images differ by more than faintSteps at any pixel where a
// third image is below a magnitude.
func (d decoded) apart(a, b place, third []float32, below float32) bool {
	p, q := d.image(a.e, a.k), d.image(b.e, b.k)
	least := faintSteps * math.Abs(d.grid[a.e][a.k].slope)
	for v := range p {
		if third[v] < below && math.Abs(float64(p[v])-float64(q[v])) > least {
			return true
		}
	}
	return false
}

// steps returns the range of an image's stored values below a magnitude.
func (d decoded) steps(a place, below float32) float64 {
	low, high := float32(math.Inf(1)), float32(math.Inf(-1))
	for _, v := range d.image(a.e, a.k) {
		if v < below {
			low, high = min(low, v), max(high, v)
		}
	}
	return max(0, float64(high)-float64(low)) / math.Abs(d.grid[a.e][a.k].slope)
}

// noisy reports whether few neighbours in the rows of an image have equal values, among
// those that are neither empty nor at or above the given magnitude. It is false if there
// are too few of them.
func (d decoded) noisy(a place, below float64) bool {
	pixels, h := d.image(a.e, a.k), d.grid[a.e][a.k]
	zero, pairs, same := h.rescale(0), 0, 0
	for v := 1; v < len(pixels); v++ {
		x, y := pixels[v-1], pixels[v]
		if v%h.columns == 0 || x == zero || y == zero || float64(x) >= below || float64(y) >= below {
			continue
		}
		pairs++
		if x == y {
			same++
		}
	}
	return pairs >= enoughPairs && float64(same) <= noisyPairs*float64(pairs)
}
