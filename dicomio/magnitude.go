package dicomio

import (
	"math"
	"slices"
	"strings"
)

// notMagnitude reports whether the image is a part of the complex signal or a map computed
// by the scanner, according to ComplexImageComponent (0008,9208), the third and later
// values of ImageType (0008,0008), which differ between vendors, or a private attribute of
// GE.
func (h *header) notMagnitude() bool {
	switch h.component {
	case "PHASE", "REAL", "IMAGINARY", "MIXED":
		return true
	}
	if h.rawDataType != 0 && h.isGE() {
		return true
	}
	for n, v := range strings.Split(h.imageType, `\`) {
		if n >= 2 && computed[v] {
			return true
		}
	}
	return h.namesMap() && !(h.namesMagnitude() && h.te > 0)
}

// namesMap reports whether ImageType contains the name of a map.
func (h *header) namesMap() bool {
	for n, v := range strings.Split(h.imageType, `\`) {
		if n >= 3 && quantities[v] || strings.HasSuffix(v, "MAP") {
			return true
		}
	}
	return false
}

// namesMagnitude reports whether ImageType contains a word for magnitude or spin echo.
func (h *header) namesMagnitude() bool {
	values := strings.Split(h.imageType, `\`)
	return len(values) > 2 && slices.ContainsFunc(values[2:], func(v string) bool { return plainWords[v] })
}

// plainWords mark an image that is not a map.
var plainWords = map[string]bool{"M": true, "MAG": true, "MAGNITUDE": true, "M_SE": true, "SE": true}

// computed are words of ImageType for parts of the complex signal and for maps, except
// those that end with MAP: T2 MAP of Philips, Siemens and Canon, T2_MAP of UIH and Siemens
// XA, PHASE MAP, FIELD_MAP. QUANTITY is defined by the standard (PS3.3 C.8.13.3.1.1).
var computed = map[string]bool{
	"P": true, "PHASE": true, "R": true, "REAL": true, "I": true, "IMAGINARY": true, "B0": true, "B1": true,
	"ADC": true, "QUANTITY": true,
}

// quantities mark maps if they are the fourth value or a later one, as Philips writes them;
// as the third value, T2 is the contrast of a plain image (PS3.3 C.8.13.3.1.1).
var quantities = map[string]bool{
	"T0": true, "T1": true, "T2": true, "T2*": true, "T2_STAR": true, "R1": true, "R2": true, "R2*": true,
	"R2_STAR": true, "RHO": true, "EADC": true, "FA": true,
}

// magnitudes returns the magnitude images of a study and counts the rest.
//
// The type of an image may contain both magnitude and the name of a map, such as M\T2,
// which may be the contrast of an echo. If the image fills a gap of its series, that is,
// lies on the series' grid in a place that has other echoes but not this one, it is not a
// map of them. It is an echo if its times agree, see isEcho. Otherwise it is returned with
// asMap set, to be named with the train that it does not belong to. An image that shares an
// echo time with its series, or has a series of its own, counts as a map.
func magnitudes(all []*header) (images []*header, derived int) {
	pending := map[string][]*header{}
	sound := map[string][]*header{}
	for _, h := range all {
		h.asMap = false
		switch {
		case h.notMagnitude():
			derived++
		case h.namesMap():
			pending[h.series] = append(pending[h.series], h)
		default:
			images = append(images, h)
			sound[h.series] = append(sound[h.series], h)
		}
	}
	for series, named := range pending {
		gaps := gapsIn(named, sound[series])
		derived += len(named) - len(gaps)
		if len(gaps) == 0 {
			continue
		}
		echo := isEcho(gaps, sound[series])
		for _, h := range gaps {
			h.asMap = !echo || !h.namesContrast()
		}
		images = append(images, gaps...)
	}
	return images, derived
}

// namesContrast reports whether the words of ImageType that may name a map may also be a
// contrast.
func (h *header) namesContrast() bool {
	for n, v := range strings.Split(h.imageType, `\`) {
		if (n >= 3 && quantities[v] || strings.HasSuffix(v, "MAP")) && !echoWord.MatchString(v) {
			return false
		}
	}
	return true
}

// gapsIn returns the named images that fill a gap in the others of their series: on their
// grid, in a place with other echoes but none of this time. Several named images of one
// time in one place are maps of several quantities.
func gapsIn(named, others []*header) []*header {
	all := slices.Concat(named, others)
	grid := all[len(all)-1] // one of the others, if there are any
	times := echoes(all)
	placed := make([]places, len(times))
	anywhere := places{}
	for _, h := range all {
		if math.IsNaN(h.te) || math.IsNaN(h.position[0]) {
			continue
		}
		if e := echoIndex(times, h); placed[e] == nil {
			placed[e] = places{}
		}
		placed[echoIndex(times, h)].add(h)
		anywhere.add(h)
	}
	var out []*header
	for _, h := range named {
		if math.IsNaN(h.position[0]) || h.rows != grid.rows || h.columns != grid.columns || h.frame != grid.frame ||
			!sameSpacing(h, grid) || !sameOrientation(h, grid) {
			continue
		}
		if len(placed[echoIndex(times, h)].near(h)) == 1 && len(anywhere.near(h)) > 1 {
			out = append(out, h)
		}
	}
	return out
}

// isEcho reports whether images that fill gaps of their series are echoes of it. A map has
// one echo time or none, so that several images of one type are echoes, and so is an image
// whose echo time the series has elsewhere. Other new times belong to echoes if the echoes
// are numbered one by one, or if they make an even train of the echo times and nothing says
// that the train is complete without them or that their values are of another kind.
func isEcho(gaps, others []*header) bool {
	oneType := !slices.ContainsFunc(gaps, func(h *header) bool { return h.imageType != gaps[0].imageType })
	if oneType && len(echoes(gaps)) > 1 || len(echoes(others)) == len(echoes(slices.Concat(gaps, others))) {
		return true
	}
	all := slices.Concat(others, gaps)
	times := echoes(all)
	if len(times) < minTrain {
		return false
	}
	if numbers := echoNumbers(all, times); numbers != nil && len(skippedNumbers(numbers)) == 0 {
		return true
	}
	return !isComplete(others) && sameValues(gaps, others) && !Train{TE: echoTimes(all)}.Uneven()
}

// isComplete reports whether the images are a complete train according to their headers:
// EchoNumbers are 1 to the number of echoes, or EchoTrainLength or GE's Number of Echoes is
// that number.
func isComplete(images []*header) bool {
	all := echoes(images)
	if len(all) < minTrain {
		return false
	}
	if numbers := echoNumbers(images, all); increasing(numbers) && len(numbers) > 0 &&
		len(skippedNumbers(numbers)) == 0 {
		return true
	}
	return slices.ContainsFunc(images, func(h *header) bool {
		return h.echoTrain == len(all) ||
			h.echoCount == len(all) && h.isGE()
	})
}

// sameValues reports whether the values of both may be of one kind: they share the
// SeriesDescription, and the scale if the others share one. Philips scales each image.
func sameValues(gaps, others []*header) bool {
	if len(others) == 0 {
		return true
	}
	differs := func(reference *header) func(*header) bool {
		return func(h *header) bool { return h.slope != reference.slope || h.intercept != reference.intercept }
	}
	if slices.ContainsFunc(gaps, func(h *header) bool { return h.description != others[0].description }) {
		return false
	}
	return others[0].isPhilips() || slices.ContainsFunc(others, differs(others[0])) ||
		!slices.ContainsFunc(gaps, differs(others[0]))
}
