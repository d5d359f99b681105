package dicomio

import (
	"math"
	"slices"
	"strings"
)

// Numbers in headers are decimals that scanners, converters and anonymisers round in
// different ways, so that two images of one acquisition need not hold the same bits. This
// file defines for each quantity how much two numbers may differ and still count as equal.
// No other file of the package compares such numbers.
const (
	// sameTE in ms covers an echo time that is rounded to one decimal (0.05 ms) in one
	// image and not in another, such as 6.3 and 6.312. It is 1 % of the shortest echo
	// spacing in use, 6 ms, and moves T2 by less.
	sameTE = 0.06
	// sameTEShare is the tolerance relative to the longest echo time, which is smaller if
	// echo times are in another unit: trains of 100 echoes and more are not in use.
	sameTEShare = 0.01
	// samePosition in mm covers positions that are rounded to one decimal (0.05 mm). Slices
	// in use are 0.3 mm apart or more.
	samePosition = 0.05
	// evenness is the largest distance, relative to the slice spacing, between a slice and
	// its place in an evenly spaced, straight stack. Some scanners write positions with
	// three decimals, which is 0.03 % of 3 mm; a missing slice is 100 %. samePosition is
	// allowed in any case.
	evenness = 0.01
	// squareness is the largest deviation of direction cosines from unit length and from a
	// right angle. Scanners write six digits or more; the GE knee of the test data deviates
	// by 1e-5.
	squareness = 1e-3
	// sameGrid is the largest difference between the direction cosines, and the largest
	// relative difference between the spacings, of images on one grid: 1e-4 moves the far
	// corner of a 160 mm image by 0.02 mm.
	sameGrid = 1e-4
	// sameScale is the largest relative difference between two rescale factors that count
	// as equal: 1e-4 of the signal is a tenth of the noise at a signal-to-noise ratio of
	// 1000.
	sameScale = 1e-4
	// sameThickness in mm: scanners set the thickness in steps of 0.1 mm and write two
	// decimals or more.
	sameThickness = 0.01

	// The following are smaller than the steps in which scanners set these quantities.
	sameField     = 0.01 // T
	sameFlip      = 0.5  // degrees
	sameBandwidth = 0.5  // Hz
)

// Scanners round TR, and extend it by the duration of a shot, which changes seconds by some
// ms. A difference of 0.1 % changes the signal that T1 leaves by less than that: TR/T1 is 1
// or more in use, and x/(eˣ−1) is below 1.
const (
	leastSameTR = 0.5 // ms
	sameTRShare = 1e-3
)

// sameTR reports whether two repetition times in ms count as equal.
func sameTR(a, b float64) bool { return within(a, b, max(leastSameTR, sameTRShare*max(a, b))) }

// repetition returns the repetition time in ms, or NaN if it is missing or 0.
func (h *header) repetition() float64 {
	if !(h.tr > 0) {
		return math.NaN()
	}
	return h.tr
}

// within reports whether two numbers differ by no more than the tolerance.
func within(a, b, tolerance float64) bool { return math.Abs(a-b) <= tolerance }

// withinShare reports whether a differs from b by no more than that share of b.
func withinShare(a, b, share float64) bool { return math.Abs(a-b) <= share*math.Abs(b) }

// agree reports whether two numbers are equal within the tolerance or both missing.
func agree(a, b, tolerance float64) bool {
	return within(a, b, tolerance) || math.IsNaN(a) && math.IsNaN(b)
}

// sameOrientation reports whether two images lie in parallel planes with parallel rows.
func sameOrientation(a, b *header) bool {
	for i, v := range a.orientation {
		if !within(v, b.orientation[i], sameGrid) {
			return false
		}
	}
	return true
}

// sameSpacing reports whether the pixels of two images have the same size.
func sameSpacing(a, b *header) bool {
	return withinShare(a.spacing[0], b.spacing[0], sameGrid) && withinShare(a.spacing[1], b.spacing[1], sameGrid)
}

// samePlace reports whether the first pixels of two images have the same position.
func samePlace(a, b *header) bool { return distance(a, b) <= samePosition }

func distance(a, b *header) float64 {
	d := [3]float64{a.position[0] - b.position[0], a.position[1] - b.position[1], a.position[2] - b.position[2]}
	return math.Sqrt(dot(d, d))
}

// echo is an echo time of a series, and the range of its images' echo times that count as
// equal.
type echo struct {
	least, most float64 // of the images, in ms
	te          float64 // the representative of them
}

// echoes returns the echo times of the images, increasing; images without one do not count.
// All echo times within sameTE of the smallest of them are one echo, so that a chain of
// small differences does not join distant ones. The order of the images does not matter.
func echoes(images []*header) []echo {
	var all []float64
	for _, h := range images {
		if !math.IsNaN(h.te) {
			all = append(all, h.te)
		}
	}
	if len(all) == 0 {
		return nil
	}
	slices.Sort(all)
	width := min(sameTE, sameTEShare*math.Abs(all[len(all)-1]))
	var out []echo
	var precise []float64
	for first := 0; first < len(all); {
		last := first
		for last < len(all) && all[last]-all[first] <= width {
			last++
		}
		same := all[first:last]
		out = append(out, echo{same[0], same[len(same)-1], same[(len(same)-1)/2]})
		precise = append(precise, mostPrecise(same))
		first = last
	}
	if !isEven(out, func(n int) float64 { return out[n].te }) &&
		isEven(out, func(n int) float64 { return precise[n] }) {
		for n := range out {
			out[n].te = precise[n]
		}
	}
	return out
}

// mostPrecise returns the first of the numbers with the most decimals.
func mostPrecise(sorted []float64) float64 {
	best, most := sorted[0], -1
	for n, v := range sorted {
		if n > 0 && v == sorted[n-1] {
			continue
		}
		_, decimals, _ := strings.Cut(milliseconds(v), ".")
		if len(decimals) > most {
			best, most = v, len(decimals)
		}
	}
	return best
}

// isEven reports whether the times are equally spaced, apart from binary rounding.
func isEven(all []echo, te func(n int) float64) bool {
	last := len(all) - 1
	if last < 2 {
		return true
	}
	gap := (te(last) - te(0)) / float64(last)
	for n := range all {
		if !within(te(n), te(0)+float64(n)*gap, 1e-9*gap) {
			return false
		}
	}
	return true
}

// echoTimes returns the echo times of the images in ms, increasing.
func echoTimes(images []*header) []float64 {
	var te []float64
	for _, e := range echoes(images) {
		te = append(te, e.te)
	}
	return te
}

// echoIndex returns the index of the image's echo. The image must have an echo time and be
// among those from which echoes made the list.
func echoIndex(all []echo, h *header) int {
	n, _ := slices.BinarySearchFunc(all, h.te, func(e echo, te float64) int {
		switch {
		case e.most < te:
			return -1
		case e.least > te:
			return 1
		}
		return 0
	})
	return n
}

// places finds images by position, in cells as wide as samePosition: two images in one
// place are in the same cell or in neighbouring ones.
type places map[[3]float64][]*header

// mostInPlace limits the images that are kept for a cell, so that a hostile series with
// many images in one place costs no more than others. No user of places needs more.
const mostInPlace = 16

// near returns the kept images in the same place as h.
func (p places) near(h *header) []*header {
	var out []*header
	center := cell(h)
	for n := range 27 {
		c := [3]float64{center[0] + float64(n%3-1), center[1] + float64(n/3%3-1), center[2] + float64(n/9-1)}
		for _, other := range p[c] {
			if samePlace(h, other) {
				out = append(out, other)
			}
		}
	}
	return out
}

func (p places) add(h *header) {
	if c := cell(h); len(p[c]) < mostInPlace {
		p[c] = append(p[c], h)
	}
}

func cell(h *header) [3]float64 {
	var c [3]float64
	for i, x := range h.position {
		c[i] = math.Floor(x / samePosition)
	}
	return c
}

// crowded reports whether at least minTrain images share one position.
func crowded(images []*header) bool {
	p := places{}
	for _, h := range images {
		if math.IsNaN(h.position[0]) {
			continue
		}
		if len(p.near(h))+1 >= minTrain {
			return true
		}
		p.add(h)
	}
	return false
}
