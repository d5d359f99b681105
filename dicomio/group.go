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
				t.Problem = t.repeats() // which causes all other faults
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

// tellApart gives hashes of their own to trains that share a series UID and differ in image
// type.
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

// typeOf determines the kind of an image.
type typeOf struct {
	imageType string
	asMap     bool
}

// kindsOf returns the kinds of the images. The thousands of frames of an object share a few
// types, each of which is examined once.
func kindsOf(images []*header) map[typeOf]string {
	kinds := map[typeOf]string{}
	for _, h := range images {
		t := typeOf{h.imageType, h.asMap}
		if _, ok := kinds[t]; !ok {
			kinds[t] = h.kind()
		}
	}
	// A missing type says nothing: if all other images are originals of one kind, it gets
	// that kind.
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

// kind returns the image type without the words that number or describe the echo, and
// without the words that stand in their place and only say that the image is a magnitude or
// a spin echo.
func (h *header) kind() string {
	if h.asMap {
		return "map:" + h.imageType // a kind of its own
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

// echoWord matches values of ImageType, from the third on, in which the echoes of one train
// differ: the number or time of the echo; its contrast (the terms of AcquisitionContrast,
// PS3.3 C.8.13.3.3.2, and their abbreviations by scanners); and, in their place, magnitude,
// spin echo or OTHER (PS3.3 C.8.3.1.1.1). Siemens writes MFSPLIT into images that were
// split from a multi-frame object.
var echoWord = regexp.MustCompile(`^(` +
	`(TE|E|EC|ECHO|ECHO[ _-]?(TIME|NUMBER|NUM|NO))?[ _#:=-]?\d+([._]\d+)?[ _]?(MS|US)?([ _-]?(OF|/)[ _-]?\d+)?` +
	`|(FIRST|SECOND|THIRD|FOURTH|LAST|EARLY|LATE|EVEN|ODD|\d+(ST|ND|RD|TH))[ _-]?ECHO` +
	`|ECHO|FIRST|LAST|(SHORT|LONG)[ _-]?TE|MFSPLIT` +
	`|PROTON[ _-]?DENSITY([ _-]?WEIGHTED)?|PD[ _-]?(W|WEIGHTED)?|T[12][ _-]?(W|WEIGHTED)?` +
	`|M|MAG|MAGNITUDE|OTHER|SE|M_SE` +
	`)$`)

// typesClash reports whether images with different types share an echo time and a place, so
// that the types distinguish more than echoes.
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

// LeftOut describes images of a train's series that do not belong to the train because
// their ImageType (0008,0008) differs: magnitudes of spin echoes on the train's grid.
type LeftOut struct {
	// Type is their ImageType and TrainType that of the train; both come from the file.
	Type, TrainType string
	// TE holds their echo times in ms, increasing.
	TE     []float64
	Images int
}

// noteLeftOut records the groups that share a series and a grid with a train: those that
// are not trains, and trains with other echoes.
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

// sharesSeries reports whether both belong to one series and lie on one grid.
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
		k := acquisition{h.frame, h.kind(), strings.Join(h.sequence, `\`) + ";" + h.pulseSequence, h.rows, h.columns, h.manufacturer, h.model}
		if !frame {
			k.frame = ""
		}
		if len(echoes(g)) != 1 || h.asMap || crowded(g) || frame && h.frame == "" || !h.saysGrid() {
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

// saysGrid reports whether the image has the position of its plane and its TR.
func (h *header) saysGrid() bool {
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
// in their frames of reference. They become suspects and are removed from the others.
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

// severalTR returns, in a study without a train, series of one echo each that would be an
// even train but differ in their repetition times; uneven echo times suggest images of
// several weightings instead. They become suspects and are removed from the others.
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

// divided returns, in a study without a train, series that differ only in the types of
// their images. They become suspects and are removed from the others.
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
		Problem: fmt.Sprintf("series %s: %s: %d different ones, as %s, divide images that would be one train of the echo times %s", t.Hash, attribute(tag.ImageType), len(types), strings.Join(some, " and "), listMS(t.TE)),
		Hint:    "images of one train share their ImageType: ask the site for them as the scanner wrote them, or have ImageType made one where the images are plain magnitudes",
	}
}

// mostTypes limits the types in a message: two show how they differ.
const mostTypes = 2
