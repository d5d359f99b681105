package dicomio

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/suyashkumar/dicom/pkg/tag"
)

// mostGrids limits the acquisitions that a series is compared with, so that a hostile
// folder costs no more than others; a study has about ten series.
const mostGrids = 1000

// The two ways in which mergeSingles compares frames of reference.
const (
	sameFrame = true  // present and equal
	anyFrame  = false // any
)

// mergeSingles joins series of one echo time each that form a train: some scanners store
// every echo as a series, and some protocols measure the echoes one by one. They must agree
// in everything that is common to one acquisition: texts exactly, and numbers according to
// same, which is sameAcquisition or sameButTR.
func mergeSingles(groups [][]*header, frame bool, same func(a, b *header) bool) [][]*header {
	type acquisition struct {
		frame, kind, sequence string
		rows, columns         int
		manufacturer, model   string
	}
	joined := map[acquisition][][]int{} // by exact values, then by numbers
	var order []acquisition
	for i, g := range groups {
		h := g[0]
		k := acquisition{h.frame, h.kind(), strings.Join(h.sequence, `\`) + ";" + h.pulseSequence, h.rows, h.columns,
			h.manufacturer, h.model}
		if !frame {
			k.frame = ""
		}
		if len(echoes(g)) != 1 || h.asMap || crowded(g) || frame && h.frame == "" || !h.hasGrid() {
			continue // it does not say to which series it belongs
		}
		if joined[k] == nil {
			order = append(order, k)
		}
		n := slices.IndexFunc(joined[k], func(set []int) bool { return same(h, groups[set[0]][0]) })
		if n < 0 {
			if len(joined[k]) == mostGrids {
				continue
			}
			joined[k] = append(joined[k], []int{i})
		} else {
			joined[k][n] = append(joined[k][n], i)
		}
	}
	out := slices.Clone(groups)
	for _, k := range order {
		for _, set := range joined[k] {
			var all []*header
			for _, i := range set {
				all = append(all, groups[i]...)
			}
			if len(echoes(all)) < minTrain {
				continue
			}
			for _, i := range set[1:] {
				out[i] = nil
			}
			out[set[0]] = all
		}
	}
	return slices.DeleteFunc(out, func(g []*header) bool { return g == nil })
}

// hasGrid reports whether the image has the position of its plane and its TR.
func (h *header) hasGrid() bool {
	return !math.IsNaN(h.spacing[0]) && !math.IsNaN(h.orientation[0]) && !math.IsNaN(h.tr)
}

// sameAcquisition reports whether two images agree in the numbers that are common to one
// acquisition.
func sameAcquisition(a, b *header) bool {
	return sameTR(a.tr, b.tr) && sameButTR(a, b)
}

// sameButTR is sameAcquisition without the repetition time.
func sameButTR(a, b *header) bool {
	return agree(a.flip, b.flip, sameFlip) && agree(a.thickness, b.thickness, sameThickness) &&
		agree(a.field, b.field, sameField) && sameSpacing(a, b) && sameOrientation(a, b)
}

// frameless returns, in a study without a train, series of one echo each that differ only
// in their frames of reference.
func frameless(groups [][]*header, _ []Train, scaling PhilipsScaling) (suspects []Train) {
	for _, g := range mergeSingles(groups, anyFrame, sameAcquisition) {
		te := echoTimes(g)
		if len(te) < minTrain || g[0].asMap || !crowded(g) {
			continue
		}
		t := newTrain(g, te, scaling)
		t.Problem = t.noFrame()
		suspects = append(suspects, t)
	}
	return suspects
}

// severalTR returns, in a study without a train, series of one echo each that would be an
// even train but differ in their repetition times; uneven echo times suggest images of
// several weightings instead.
func severalTR(groups [][]*header, _ []Train, scaling PhilipsScaling) (suspects []Train) {
	for _, g := range mergeSingles(groups, sameFrame, sameButTR) {
		te := echoTimes(g)
		if t := (Train{TE: te}); len(te) < minTrain || t.Uneven() || g[0].asMap || !crowded(g) || claimOf(g) != nil {
			continue
		}
		if t := newTrain(g, te, scaling); t.Problem != nil {
			suspects = append(suspects, t)
		}
	}
	return suspects
}

// divided returns, in a study without a train, series that differ only in the types of
// their images.
func divided(_ [][]*header, others []Train, scaling PhilipsScaling) (suspects []Train) {
	var all []*header
	for _, o := range others {
		all = append(all, o.images...)
	}
	for _, g := range groupBy(all, func(h *header) string { return h.series }) {
		te := echoTimes(g)
		if len(te) < minTrain || !crowded(g) || claimOf(g) != nil || typesClash(g) {
			continue
		}
		slices.SortFunc(g, func(a, b *header) int { return strings.Compare(a.name, b.name) })
		t := newTrain(g, te, scaling)
		if t.checkAgreement() != nil {
			continue
		}
		t.Problem = t.types()
		suspects = append(suspects, t)
	}
	slices.SortFunc(suspects, func(a, b Train) int {
		return cmp.Or(cmp.Compare(a.Number, b.Number),
			strings.Compare(a.Hash, b.Hash))
	})
	return suspects
}

// types returns the error of images that differ only in their types.
func (t *Train) types() error {
	types := map[string]bool{}
	for _, h := range t.images {
		types[h.imageType] = true
	}
	var some []string
	for _, v := range slices.Sorted(maps.Keys(types)) {
		if some = append(some, fmt.Sprintf("%q", v)); len(some) == mostTypes {
			break
		}
	}
	return &TrainError{
		Series: t.Hash,
		Problem: fmt.Sprintf("%s: %d different values, such as %s, divide images that would be one train of the echo "+
			"times %s",
			attribute(tag.ImageType), len(types), strings.Join(some, " and "), listMS(t.TE)),
		Topic: TopicAttributes,
		Hint: "images of one train share their ImageType: ask the site for the images as the scanner wrote them, or " +
			"make ImageType the same if the images are plain magnitudes",
	}
}

// mostTypes limits the types in a message: two show how they differ.
const mostTypes = 2
