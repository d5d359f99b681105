package dicomio

import (
	"math"
	"slices"
)

// An echo that is missing on some slices is an error. If it is missing on all of them, the
// rest is a complete train, and signs of the loss are evidence, not proof. This file
// gathers the evidence; the caller decides.

// LossReason is the kind of evidence for a missing echo.
type LossReason string

const (
	// UnevenTimes: the gaps between echo times are multiples of the smallest, and not all
	// the same. Loss.TE holds the missing times.
	UnevenTimes LossReason = "uneven echo times"
	// SkippedNumbers: EchoNumbers (0018,0086) increase with the echo time but skip some
	// numbers or do not begin at 1. Loss.Numbers holds the missing ones.
	SkippedNumbers LossReason = "skipped echo numbers"
	// LongerTrain: EchoTrainLength (0018,0091), or GE's private Number of Echoes
	// (0019,107E), exceeds the number of echoes. Loss.Promised holds it.
	LongerTrain LossReason = "longer echo train"
	// DisorderedNumbers: EchoNumbers do not increase with the echo time, so that one of the
	// two attributes may be wrong. Loss.Numbers holds them in the order of the echo times.
	DisorderedNumbers LossReason = "disordered echo numbers"
	// LateFirst: the echo times are even, and the first is at two gaps instead of one.
	// Loss.TE holds the time that may be missing.
	LateFirst LossReason = "late first echo"
)

// Loss is evidence that a train had more echoes.
type Loss struct {
	Reason LossReason
	// TE in ms, Numbers and Promised hold the details, see the reasons.
	TE       []float64
	Numbers  []int
	Promised int
	// Private says that Promised comes from GE's private attribute, which counts images.
	// EchoTrainLength counts echoes; in a turbo spin echo, several make one image.
	Private bool
}

// losses returns the evidence for missing echoes in the images of a train.
func losses(images []*header) []Loss {
	all := echoes(images)
	var out []Loss
	numbers := echoNumbers(images, all)
	if numbers != nil && !increasing(numbers) {
		out = append(out, Loss{Reason: DisorderedNumbers, Numbers: numbers})
		numbers = nil
	}
	skipped := skippedNumbers(numbers)
	if len(skipped) > 0 {
		out = append(out, Loss{Reason: SkippedNumbers, Numbers: skipped})
	}
	train, count := 0, 0
	for _, h := range images {
		train, count = max(train, h.echoTrain), max(count, h.echoCount)
	}
	// If the train is complete according to EchoTrainLength, the scanner measured these
	// times. Numbers from 1 on do not prove it, since converters number the remaining
	// images anew.
	if complete := train == len(all) && len(out) == 0; !complete {
		if te := holes(all); len(te) > 0 {
			out = append(out, Loss{Reason: UnevenTimes, TE: te})
		}
		if te := lateFirst(all); te > 0 && len(skipped) == 0 {
			out = append(out, Loss{Reason: LateFirst, TE: []float64{te}})
		}
	}
	switch n := len(all); {
	case count > n && !isForeign(images):
		out = append(out, Loss{Reason: LongerTrain, Promised: count, Private: true})
	case train > n:
		out = append(out, Loss{Reason: LongerTrain, Promised: train})
	}
	return out
}

// isForeign reports whether an image names a manufacturer other than GE.
func isForeign(images []*header) bool {
	return slices.ContainsFunc(images, func(h *header) bool { return h.manufacturer != "" && !h.isGE() })
}

// echoNumbers returns the number of each echo, or nil if the numbers are not informative:
// two echoes with one number, or an echo with several.
func echoNumbers(images []*header, all []echo) []int {
	numbers := make([]int, len(all))
	for n := range numbers {
		numbers[n] = math.MinInt
	}
	for _, h := range images {
		switch e := echoIndex(all, h); {
		case numbers[e] == math.MinInt:
			numbers[e] = h.echoNumber
		case numbers[e] != h.echoNumber:
			return nil
		}
	}
	sorted := slices.Sorted(slices.Values(numbers))
	if len(slices.Compact(sorted)) < len(numbers) {
		return nil
	}
	return numbers
}

func increasing(numbers []int) bool { return slices.IsSorted(numbers) }

// lateFirst returns the time before the first echo of an even train that begins at two gaps
// from 0, or 0. Most sequences measure their first echo at one gap.
func lateFirst(all []echo) float64 {
	te := make([]float64, len(all))
	for n, e := range all {
		te[n] = e.te
	}
	t := Train{TE: te}
	if next := t.Next(); next > 0 && next < te[0] {
		return next
	}
	return 0
}

// mostSkipped limits the numbers and times of a loss. More are not a loss, but numbers with
// another meaning: the longest trains in use have 32 echoes.
const mostSkipped = 32

// skippedNumbers returns the missing numbers from 1 to the last, or from the first number
// if that is 0 or less.
func skippedNumbers(numbers []int) []int {
	var out []int
	next := 1
	for n, number := range numbers {
		if n == 0 && number <= 0 {
			next = number
		}
		if number-next > mostSkipped {
			return nil
		}
		for ; next < number; next++ {
			out = append(out, next)
		}
		next++
	}
	if len(out) > mostSkipped {
		return nil
	}
	return out
}

// evenGap is the largest deviation of a gap from a multiple of the smallest gap, relative
// to that: two echo times rounded to 0.1 ms deviate by 1 % of 10 ms.
const evenGap = 0.02

// holes returns the echo times that are missing from an even train, if the gaps between
// echo times are multiples of the smallest and not all the same.
func holes(all []echo) []float64 {
	if len(all) < minTrain {
		return nil
	}
	smallest := math.Inf(1)
	for n := 1; n < len(all); n++ {
		smallest = min(smallest, all[n].te-all[n-1].te)
	}
	// The mean of all gaps is more precise than the smallest.
	steps := math.Round((all[len(all)-1].te - all[0].te) / smallest)
	gap := (all[len(all)-1].te - all[0].te) / steps
	var out []float64
	for n := 1; n < len(all); n++ {
		d := all[n].te - all[n-1].te
		times := math.Round(d / gap)
		if times < 1 || !within(d, times*gap, max(evenGap*gap, sameTE)) || times > mostSkipped {
			return nil
		}
		for k := 1.0; k < times; k++ {
			out = append(out, all[n-1].te+k*gap)
		}
	}
	if len(out) > mostSkipped {
		return nil
	}
	return out
}

// Uneven reports whether the gaps between the echo times differ by more than rounding.
func (t Train) Uneven() bool {
	for n := 2; n < len(t.TE); n++ {
		first := t.TE[1] - t.TE[0]
		if !within(t.TE[n]-t.TE[n-1], first, max(evenGap*first, sameTE)) {
			return true
		}
	}
	return false
}

// Next returns the echo time in ms that would follow the last one in an even train or, if
// the first is at two gaps from 0, would precede it; 0 if the train is uneven.
func (t Train) Next() float64 {
	if len(t.TE) < minTrain || t.Uneven() {
		return 0
	}
	n := len(t.TE)
	gap := (t.TE[n-1] - t.TE[0]) / float64(n-1)
	if within(t.TE[0], 2*gap, evenGap*gap) {
		return gap
	}
	return t.TE[n-1] + gap
}
