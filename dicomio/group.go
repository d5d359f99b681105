package dicomio

import (
	"cmp"
	"math"
	"regexp"
	"slices"
	"strings"
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
	distinguish(sound)
	noteLeftOut(sound, others)
	if len(sound)+len(suspects) == 0 {
		for _, find := range []func([][]*header, []Train, PhilipsScaling) []Train{frameless, severalTR, divided} {
			if suspects = find(groups, others, scaling); len(suspects) > 0 {
				break
			}
		}
		others = slices.DeleteFunc(others, func(o Train) bool {
			return slices.ContainsFunc(suspects, func(s Train) bool { return slices.Contains(s.images, o.images[0]) })
		})
	}
	return sound, suspects, others
}

// distinguish gives different hashes and descriptions to trains that share a series UID and
// differ in image type.
func distinguish(trains []Train) {
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
	// A missing type is not informative: if all other images are originals of one kind,
	// images without a type are of that kind.
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

// kind returns the image type without the words that number or describe the echo. Some
// images have another word in their place, for magnitude or spin echo, which is omitted too.
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
	return a.series == b.series && a.rows == b.rows && a.columns == b.columns && a.frame == b.frame &&
		sameSpacing(a, b) && sameOrientation(a, b)
}

// sharesEcho reports whether both have an echo time in common.
func (t *Train) sharesEcho(o *Train) bool {
	return slices.ContainsFunc(t.TE, func(te float64) bool {
		return slices.ContainsFunc(o.TE, func(other float64) bool { return within(te, other, sameTE) })
	})
}
