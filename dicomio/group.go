package dicomio

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/suyashkumar/dicom/pkg/tag"
)

// trains groups the magnitude images of a study into trains, suspects and other
// series.
func trains(images []*header, scaling PhilipsScaling) (sound, suspects, others []Train) {
	groups := mergeSingles(bySeries(images), sameFrame, sameAcquisition)
	for _, g := range groups {
		te := echoTimes(g)
		t := newTrain(g, te, scaling)
		many := crowded(g)
		switch claim := claimOf(g); {
		case claim != nil && !g[0].asMap && (len(te) >= minTrain || many):
			t.Claim = claim
			t.Problem, t.unread, t.refused = t.notT2(), t.Problem, true
			suspects = append(suspects, t)
		case len(te) >= minTrain && !g[0].asMap:
			sound = append(sound, t)
		case many && !g[0].asMap:
			if missing := t.checkImages(); missing != nil {
				t.Problem = missing
			} else {
				t.Problem = t.repeats() // the cause of whatever else is wrong
			}
			suspects = append(suspects, t)
		default:
			t.Problem, t.unread = nil, t.Problem // it need not be a train
			others = append(others, t)
		}
	}
	tellApart(sound)
	noteLeftOut(sound, others)
	if len(sound)+len(suspects) == 0 {
		for _, find := range []func([][]*header, []Train, PhilipsScaling) (suspects, rest []Train){frameless, severalTR, divided} {
			if suspects, others = find(groups, others, scaling); len(suspects) > 0 {
				break
			}
		}
	}
	return sound, suspects, others
}

// tellApart gives trains that share a series UID, because they differ in image
// type, hashes of their own.
func tellApart(trains []Train) {
	count := map[string]int{}
	for _, t := range trains {
		count[t.Hash]++
	}
	for i := range trains {
		if t := &trains[i]; count[t.Hash] > 1 {
			t.Hash = hash(t.images[0].series + `\` + t.images[0].imageType)
			t.Description = strings.TrimSpace(t.Description + " [" + t.images[0].imageType + "]")
		}
	}
}

// bySeries groups images by series and kind, in the order of series number, UID and
// type; within a group by name.
func bySeries(images []*header) [][]*header {
	series := map[string][]*header{}
	for _, h := range images {
		series[h.series] = append(series[h.series], h)
	}
	var out [][]*header
	for _, all := range series {
		kinds := kindsOf(all)
		for _, kind := range groupBy(all, func(h *header) string { return kinds[typeOf{h.imageType, h.asMap}] }) {
			if typesClash(kind) {
				out = append(out, groupBy(kind, func(h *header) string { return h.imageType })...)
			} else {
				out = append(out, kind)
			}
		}
	}
	for _, g := range out {
		slices.SortFunc(g, func(a, b *header) int { return strings.Compare(a.name, b.name) })
	}
	slices.SortFunc(out, func(a, b []*header) int {
		return cmp.Or(cmp.Compare(a[0].seriesNumber, b[0].seriesNumber),
			strings.Compare(a[0].series, b[0].series), strings.Compare(a[0].imageType, b[0].imageType))
	})
	return out
}

func groupBy(images []*header, key func(*header) string) [][]*header {
	groups := map[string][]*header{}
	for _, h := range images {
		k := key(h)
		groups[k] = append(groups[k], h)
	}
	var out [][]*header
	for _, g := range groups {
		out = append(out, g)
	}
	return out
}

// typeOf is what the kind of an image follows from.
type typeOf struct {
	imageType string
	asMap     bool
}

// kindsOf returns the kinds of the images. Objects have thousands of frames of one type, whose words
// are looked at once.
func kindsOf(images []*header) map[typeOf]string {
	kinds := map[typeOf]string{}
	for _, h := range images {
		t := typeOf{h.imageType, h.asMap}
		if _, ok := kinds[t]; !ok {
			kinds[t] = h.kind()
		}
	}
	// A type that is missing says nothing: where all other images are originals of one kind, it
	// is theirs.
	var common string
	for t, kind := range kinds {
		switch {
		case t == typeOf{} || t.asMap:
		case common != "" && kind != common:
			return kinds
		default:
			common = kind
		}
	}
	if _, ok := kinds[typeOf{}]; ok && strings.HasPrefix(common, "ORIGINAL") {
		kinds[typeOf{}] = common
	}
	return kinds
}

// kind is the image type without the words that number or describe the echo, and without
// those that say only that the image is a magnitude of a spin echo or nothing in
// particular, which such words stand in place of.
func (h *header) kind() string {
	if h.asMap {
		return "map:" + h.imageType // of a kind of its own, whatever its words
	}
	values := strings.Split(h.imageType, `\`)
	if len(values) <= 2 { // ORIGINAL or DERIVED, PRIMARY or SECONDARY
		return h.imageType
	}
	kept := slices.Clone(values[:2])
	for _, v := range values[2:] {
		if !echoWord.MatchString(strings.TrimSpace(v)) {
			kept = append(kept, v)
		}
	}
	return strings.Join(kept, `\`)
}

// echoWord matches values of ImageType, from the third on, by which the echoes of one
// train differ: a number of the echo or its time; the contrast that it shows (the terms of
// AcquisitionContrast, PS3.3 C.8.13.3.3.2, and how scanners abbreviate them); and, in
// their place, magnitude, spin echo or OTHER (PS3.3 C.8.3.1.1.1). MFSPLIT is what Siemens writes
// into images that were split from a multi-frame one.
var echoWord = regexp.MustCompile(`^(` +
	`(TE|E|EC|ECHO|ECHO[ _-]?(TIME|NUMBER|NUM|NO))?[ _#:=-]?\d+([._]\d+)?[ _]?(MS|US)?([ _-]?(OF|/)[ _-]?\d+)?` +
	`|(FIRST|SECOND|THIRD|FOURTH|LAST|EARLY|LATE|EVEN|ODD|\d+(ST|ND|RD|TH))[ _-]?ECHO` +
	`|ECHO|FIRST|LAST|(SHORT|LONG)[ _-]?TE|MFSPLIT` +
	`|PROTON[ _-]?DENSITY([ _-]?WEIGHTED)?|PD[ _-]?(W|WEIGHTED)?|T[12][ _-]?(W|WEIGHTED)?` +
	`|M|MAG|MAGNITUDE|OTHER|SE|M_SE` +
	`)$`)

// typesClash reports whether images of different types are of one echo in one place, so
// that their types tell more apart than echoes.
func typesClash(images []*header) bool {
	if !slices.ContainsFunc(images, func(h *header) bool { return h.imageType != images[0].imageType }) {
		return false
	}
	all := echoes(images)
	placed := make([]places, len(all))
	for _, h := range images {
		if math.IsNaN(h.te) || math.IsNaN(h.position[0]) {
			continue
		}
		e := echoIndex(all, h)
		if placed[e] == nil {
			placed[e] = places{}
		}
		if slices.ContainsFunc(placed[e].near(h), func(other *header) bool { return other.imageType != h.imageType }) {
			return true
		}
		placed[e].add(h)
	}
	return false
}

// LeftOut describes images of a train's own series that do not belong to the train because
// their ImageType (0008,0008) differs: magnitudes of spin echoes on the train's grid.
type LeftOut struct {
	// Type is their ImageType and TrainType that of the train; both are text of the file.
	Type, TrainType string
	// TE holds their echo times in ms, increasing.
	TE     []float64
	Images int
}

// noteLeftOut notes the groups that share a series and a grid with a train: those that are
// no train, and those that are one of other echoes.
func noteLeftOut(trains, others []Train) {
	for i := range trains {
		t := &trains[i]
		for n := range trains {
			if o := &trains[n]; n != i && t.sharesSeries(o) && !t.sharesEcho(o) {
				t.LeftOut = append(t.LeftOut, leftOut(t, o))
			}
		}
		for n := range others {
			if o := &others[n]; len(o.TE) > 0 && t.sharesSeries(o) && gradientEcho(o.images) == nil {
				t.LeftOut = append(t.LeftOut, leftOut(t, o))
				o.leftOut = true
			}
		}
	}
}

func leftOut(t, parent *Train) LeftOut {
	return LeftOut{parent.images[0].imageType, t.images[0].imageType, parent.TE, parent.Images}
}

// sharesSeries reports whether both are of one series and on one grid.
func (t *Train) sharesSeries(o *Train) bool {
	a, b := t.images[0], o.images[0]
	return a.series == b.series && a.rows == b.rows && a.columns == b.columns && a.frame == b.frame && sameSpacing(a, b) && sameOrientation(a, b)
}

// sharesEcho reports whether both have an echo time in common.
func (t *Train) sharesEcho(o *Train) bool {
	return slices.ContainsFunc(t.TE, func(te float64) bool {
		return slices.ContainsFunc(o.TE, func(other float64) bool { return within(te, other, sameTE) })
	})
}

// mostGrids bounds the acquisitions that a series is compared with, so that a hostile folder
// costs no more than others; a study has some ten series.
const mostGrids = 1000

// The two ways in which mergeSingles asks for the frame of reference.
const (
	sameFrame = true  // it must be there and be the same
	anyFrame  = false // it may be any
)

// mergeSingles joins series of one echo time each that are one train: some
// scanners give every echo a series of its own, and some protocols measure the
// echoes one by one. They must agree in all that one acquisition has in common: what is the
// same to the letter, and same, which is sameAcquisition or sameButTR.
func mergeSingles(groups [][]*header, frame bool, same func(a, b *header) bool) [][]*header {
	type acquisition struct {
		frame, kind, sequence string
		rows, columns         int
		manufacturer, model   string
	}
	joined := map[acquisition][][]int{} // by what is the same to the letter, then by numbers
	var order []acquisition
	for i, g := range groups {
		h := g[0]
		k := acquisition{h.frame, h.kind(), strings.Join(h.sequence, `\`) + ";" + h.pulseSequence, h.rows, h.columns, h.manufacturer, h.model}
		if !frame {
			k.frame = ""
		}
		if len(echoes(g)) != 1 || h.asMap || crowded(g) || frame && h.frame == "" || !h.saysGrid() {
			continue // what does not say what it belongs to stays alone
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

// saysGrid reports whether the image says where its plane lies and its TR.
func (h *header) saysGrid() bool {
	return !math.IsNaN(h.spacing[0]) && !math.IsNaN(h.orientation[0]) && !math.IsNaN(h.tr)
}

// sameAcquisition reports whether two images agree in the numbers that one acquisition has
// in common.
func sameAcquisition(a, b *header) bool {
	return sameTR(a.tr, b.tr) && sameButTR(a, b)
}

// sameButTR is sameAcquisition but for the repetition time.
func sameButTR(a, b *header) bool {
	return agree(a.flip, b.flip, sameFlip) && agree(a.thickness, b.thickness, sameThickness) &&
		agree(a.field, b.field, sameField) && sameSpacing(a, b) && sameOrientation(a, b)
}

// frameless finds, in a study without a train, series of one echo each that would be one
// but for their frames of reference. They are suspects then, and no longer others.
func frameless(groups [][]*header, others []Train, scaling PhilipsScaling) (suspects, rest []Train) {
	for _, g := range mergeSingles(groups, anyFrame, sameAcquisition) {
		te := echoTimes(g)
		if len(te) < minTrain || g[0].asMap || !crowded(g) {
			continue
		}
		t := newTrain(g, te, scaling)
		t.Problem = t.noFrame()
		suspects = append(suspects, t)
		others = slices.DeleteFunc(others, func(o Train) bool { return slices.Contains(g, o.images[0]) })
	}
	return suspects, others
}

// severalTR finds, in a study without a train, series of one echo each that would be an even
// train but for their repetition times; at uneven echo times they are rather images of
// several weightings. They are suspects then, and no longer others.
func severalTR(groups [][]*header, others []Train, scaling PhilipsScaling) (suspects, rest []Train) {
	for _, g := range mergeSingles(groups, sameFrame, sameButTR) {
		te := echoTimes(g)
		if t := (Train{TE: te}); len(te) < minTrain || t.Uneven() || g[0].asMap || !crowded(g) || claimOf(g) != nil {
			continue
		}
		if t := newTrain(g, te, scaling); t.Problem != nil {
			suspects = append(suspects, t)
			others = slices.DeleteFunc(others, func(o Train) bool { return slices.Contains(g, o.images[0]) })
		}
	}
	return suspects, others
}

// divided finds, in a study without a train, series that would be one but for the types of
// their images. They are suspects then, and no longer others.
func divided(_ [][]*header, others []Train, scaling PhilipsScaling) (suspects, rest []Train) {
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
		others = slices.DeleteFunc(others, func(o Train) bool { return slices.Contains(g, o.images[0]) })
	}
	slices.SortFunc(suspects, func(a, b Train) int { return cmp.Or(cmp.Compare(a.Number, b.Number), strings.Compare(a.Hash, b.Hash)) })
	return suspects, others
}

// types says that the images would be one train but for their types.
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
		Problem: fmt.Sprintf("series %s: %s: %d different ones, as %s, divide images that would be one train of the echo times %s", t.Hash, attribute(tag.ImageType), len(types), strings.Join(some, " and "), listMS(t.TE)),
		Hint:    "images of one train share their ImageType: ask the site for them as the scanner wrote them, or have ImageType made one where the images are plain magnitudes",
	}
}

// mostTypes bounds the types that a reason shows: two show how they differ.
const mostTypes = 2
