package dicomio

import (
	"iter"
	"math"
)

// This file finds images of noise, and images whose signal is on another scale than that of
// the other echoes of their slice.

// faintPart is the part of the expected signal below which an echo has lost its own. In
// real scans (../shared/data) no echo has less than 1/1.17 of a later one, and the
// oscillation of echoes that refocus badly keeps more than half. An echo of noise has
// σ·√(π/2), a quarter of a signal of five times σ. The value is otherwise unsourced.
const faintPart = 1.0 / 4

// brightPart is the part of an image's mean above which a pixel is bright: slightly less
// than 1, because the pixels of a uniform phantom are at the mean.
const brightPart = 0.9

// checkFaint refuses images whose signal is far below that of a later echo, or far below
// the decay expected from the two echoes before.
func (d decoded) checkFaint() error {
	for k := range d.grid[0] {
		for e := range d.grid {
			for f := e + 1; f < len(d.grid); f++ {
				if part, ok := d.partOfLater(e, f, k); ok && part < faintPart {
					return d.grid[e][k].withoutData("the signal is %.2g times that of %s, a later echo of the "+
						"slice: the signal of a decay does not rise", part, d.grid[f][k].displayName())
				}
			}
			if part, ok := d.partOfDecay(e, k); ok && part < faintPart {
				return d.grid[e][k].withoutData("the signal is %.2g times that expected after the decay from %s "+
					"to %s, the two echoes before", part, d.grid[e-2][k].displayName(), d.grid[e-1][k].displayName())
			}
		}
	}
	return nil
}

// partOfLater returns the signal of echo e relative to that of the later echo f, in the
// pixels where f is bright. It is not ok if there are hardly any such pixels, or if the
// mean of the whole image does not rise.
func (d decoded) partOfLater(e, f, k int) (part float64, ok bool) {
	if d.seen[f][k].mean <= d.seen[e][k].mean {
		return 0, false
	}
	pixels, later := d.image(e, k), d.image(f, k)
	least, zero, zeroLater := d.level(f, k, brightPart), d.grid[e][k].rescale(0), d.grid[f][k].rescale(0)
	var sum, sumLater float64
	bright, probed := 0, 0
	for v := range d.grid[e][k].probed() {
		probed++
		if later[v] > least {
			bright++
			sum += float64(pixels[v] - zero)
			sumLater += float64(later[v] - zeroLater)
		}
	}
	return sum / sumLater, sufficient(bright, probed)
}

// partOfDecay returns the signal of echo e relative to S(e−1)²/S(e−2), where S is the
// signal in the pixels in which both echoes before are bright. A sum of decays is
// log-convex, so that S(e) is not less at even echo times, and noise only adds to it.
// Pixels with 0 at echo e do not count, since scanners set values below a threshold to 0,
// and neither do clipped pixels. It is not ok if the three echo times are uneven, if hardly
// any pixel counts, or if the decay leaves less than faintSteps.
func (d decoded) partOfDecay(e, k int) (part float64, ok bool) {
	if e < 2 || d.seen[e][k].mean*d.seen[e-2][k].mean >= d.seen[e-1][k].mean*d.seen[e-1][k].mean {
		return 0, false // the means of whole images are log-convex too
	}
	gap := d.TE[e-1] - d.TE[e-2]
	if !within(d.TE[e]-d.TE[e-1], gap, max(evenGap*gap, sameTE)) {
		return 0, false
	}
	var images [3][]float32 // of echoes e, e−1 and e−2
	var zeros, least, below [3]float32
	for n := range images {
		images[n], zeros[n], below[n] = d.image(e-n, k), d.grid[e-n][k].rescale(0), float32(math.Inf(1))
		least[n] = d.level(e-n, k, brightPart)
		if image := (place{e - n, k}); d.clipped(image) {
			below[n] = d.ceiling(image)
		}
	}
	var sums [3]float64
	bright, probed := 0, 0
	for v := range d.grid[e][k].probed() {
		probed++
		a, b, c := images[0][v], images[1][v], images[2][v]
		if b > least[1] && c > least[2] && b < below[1] && c < below[2] && a != zeros[0] {
			bright++
			sums[0] += float64(a - zeros[0])
			sums[1] += float64(b - zeros[1])
			sums[2] += float64(c - zeros[2])
		}
	}
	due := sums[1] * sums[1] / sums[2]
	return sums[0] / due, sufficient(bright, probed) && due > faintSteps*math.Abs(d.grid[e][k].slope)*float64(bright)
}

// probed yields the pixels of every rowsApart-th row.
func (h *header) probed() iter.Seq[int] {
	return func(yield func(int) bool) {
		for j := 0; j < h.rows; j += rowsApart {
			for v := j * h.columns; v < (j+1)*h.columns; v++ {
				if !yield(v) {
					return
				}
			}
		}
	}
}

// sufficient reports whether the number of bright pixels is sufficient to characterise an image.
func sufficient(bright, probed int) bool {
	return bright >= fewestPixels && float64(bright) >= leastPixels*float64(probed)
}
