package dicomio

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/t2map/t2map/volume"
)

// Train is a multi-echo series: images of one series and image type that differ
// in echo time and slice position.
type Train struct {
	// Hash names the series: 12 hex digits of the SHA-256 of its UID, or of all
	// its UIDs where each echo is a series of its own, or of UID and ImageType
	// where one series holds several trains.
	Hash string
	// Number and Description are SeriesNumber and SeriesDescription of the first
	// file; the latter is free text of the scanner's operator.
	Number      int
	Description string
	// Scanner and Acquisition are what tells a change of either between two visits.
	Scanner     Scanner
	Acquisition Acquisition
	// Side is the knee, L or R, or "" where the files do not say.
	Side string
	// Syntax is the transfer syntax UID.
	Syntax string
	// Geometry is the grid; zero where Problem says why there is none.
	Geometry volume.Geometry
	// TE holds the echo times in ms, increasing.
	TE []float64
	// Images is the number of images, Files that of the files that hold them.
	Images, Files int
	// Scaling says which values of Philips images are read; empty for other vendors,
	// where there is no choice.
	Scaling PhilipsScaling
	// Lossy says that some of them were compressed with loss, as they say themselves
	// or as they are coded.
	Lossy bool
	// Problem is why the train cannot be read, or nil.
	Problem error

	unread error       // why a series that need not be a train cannot be read, or nil
	images []*header   // all of them, by name
	grid   [][]*header // [echo][slice], where Problem is nil
}

// minTrain is the number of echo times that make a series a train. Dual-echo
// PD/T2 series, the routine of knee protocols, are none.
const minTrain = 3

// sameTE is the difference in ms under which two echo times are one: echo times
// are given to a microsecond, and the shortest echo spacing in use is 6 ms.
const sameTE = 1e-3

// trains groups the magnitude images of a study into trains, suspects and other
// series.
func trains(images []*header, scaling PhilipsScaling) (sound, suspects, others []Train) {
	for _, g := range mergeSingles(bySeries(images)) {
		te := echoTimes(g)
		switch {
		case gradientEcho(g[0]) && len(te) >= minTrain:
			t := newTrain(g, te, scaling)
			t.Problem = t.notT2()
			suspects = append(suspects, t)
		case len(te) >= minTrain:
			sound = append(sound, newTrain(g, te, scaling))
		case crowded(g):
			t := newTrain(g, te, scaling)
			if missing := t.checkImages(); missing != nil {
				t.Problem = missing
			} else {
				t.Problem = t.repeats() // the cause of whatever else is wrong
			}
			suspects = append(suspects, t)
		default:
			t := newTrain(g, te, scaling)
			t.Problem, t.unread = nil, t.Problem // it need not be a train
			others = append(others, t)
		}
	}
	tellApart(sound)
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

// gradientEcho reports whether ScanningSequence (0018,0020) says gradient echo
// and not spin echo.
func gradientEcho(h *header) bool {
	return slices.Contains(h.sequence, "GR") && !slices.Contains(h.sequence, "SE")
}

// bySeries groups images by series and image type, in the order of series
// number, UID and type; within a group by name.
func bySeries(images []*header) [][]*header {
	groups := map[[2]string][]*header{}
	for _, h := range images {
		k := [2]string{h.series, h.imageType}
		groups[k] = append(groups[k], h)
	}
	out := make([][]*header, 0, len(groups))
	for _, g := range groups {
		slices.SortFunc(g, func(a, b *header) int { return strings.Compare(a.name, b.name) })
		out = append(out, g)
	}
	slices.SortFunc(out, func(a, b []*header) int {
		return cmp.Or(cmp.Compare(a[0].seriesNumber, b[0].seriesNumber),
			strings.Compare(a[0].series, b[0].series), strings.Compare(a[0].imageType, b[0].imageType))
	})
	return out
}

// mergeSingles joins series of one echo time each that are one train: some
// scanners give every echo a series of its own, and some protocols measure the
// echoes one by one. They must agree in all that one acquisition has in common.
func mergeSingles(groups [][]*header) [][]*header {
	type acquisition struct {
		frame, imageType, sequence string
		rows, columns              int
		spacing                    [2]float64
		orientation                [6]float64
		tr, flip, thickness, field float64
		manufacturer, model        string
	}
	joined := map[acquisition][]int{}
	var order []acquisition
	for i, g := range groups {
		h := g[0]
		k := acquisition{h.frame, h.imageType, strings.Join(h.sequence, `\`), h.rows, h.columns, h.spacing, h.orientation, h.tr,
			said(h.flip), said(h.thickness), said(h.field), h.manufacturer, h.model}
		if len(echoTimes(g)) != 1 || crowded(g) || h.frame == "" || k != k {
			continue // what does not say what it belongs to stays alone
		}
		if joined[k] == nil {
			order = append(order, k)
		}
		joined[k] = append(joined[k], i)
	}
	for _, k := range order {
		var all []*header
		for _, i := range joined[k] {
			all = append(all, groups[i]...)
		}
		if len(echoTimes(all)) < minTrain {
			continue
		}
		for _, i := range joined[k][1:] {
			groups[i] = nil
		}
		groups[joined[k][0]] = all
	}
	return slices.DeleteFunc(groups, func(g []*header) bool { return g == nil })
}

// said turns what a file does not say into a number that equals itself: two that leave
// it out agree.
func said(v float64) float64 {
	if v != v {
		return -1
	}
	return v
}

// echoTimes returns the distinct echo times of the images in ms, increasing;
// images without one do not count.
func echoTimes(images []*header) []float64 {
	var te []float64
	for _, h := range images {
		if !math.IsNaN(h.te) {
			te = append(te, h.te)
		}
	}
	slices.Sort(te)
	return slices.CompactFunc(te, func(a, b float64) bool { return math.Abs(b-a) < sameTE })
}

// crowded reports whether at least minTrain images share one position.
func crowded(images []*header) bool {
	at := map[[3]float64]int{}
	for _, h := range images {
		at[h.position]++
		if at[h.position] >= minTrain {
			return true
		}
	}
	return false
}

// newTrain describes the images as a train with the echo times te and checks
// whether they are one.
func newTrain(images []*header, te []float64, scaling PhilipsScaling) Train {
	h := images[0]
	t := Train{
		Number: h.seriesNumber, Description: h.description,
		Scanner: scannerOf(images), Acquisition: acquisitionOf(images), Syntax: h.syntax, TE: te, images: images,
	}
	paths := map[string]bool{}
	for _, h := range images {
		paths[h.path] = true
		t.Lossy = t.Lossy || h.lossy
	}
	t.Images, t.Files = len(images), len(paths)
	var uids []string
	for _, h := range images {
		if !slices.Contains(uids, h.series) {
			uids = append(uids, h.series)
		}
	}
	t.Hash = hash(strings.Join(uids, `\`))
	scale := func() error { return t.scale(scaling) }
	for _, check := range []func() error{t.checkKind, t.checkImages, t.checkAgreement, t.checkSide, t.arrange, scale, t.checkPixels} {
		if t.Problem = check(); t.Problem != nil {
			break
		}
	}
	return t
}

// notT2 says that a gradient-echo train is none of ours.
func (t *Train) notT2() error {
	return &TrainError{
		Problem: fmt.Sprintf("series %s: ScanningSequence (0018,0020) says gradient echo, whose decay is T2*, not T2", t.Hash),
		Hint:    "map a multi-echo spin-echo series",
	}
}

// repeats says that more images lie at one position than there are echo times.
func (t *Train) repeats() error {
	return &TrainError{
		Problem: fmt.Sprintf("series %s: several images per slice position, but no echo time other than %s", t.Hash, listMS(t.TE)),
		Hint:    "some research sequences write the first echo time into every image: ask the site for the true EchoTime (0018,0081)",
	}
}

func listMS(te []float64) string {
	s := make([]string, len(te))
	for i, v := range te {
		s[i] = fmt.Sprintf("%g", v)
	}
	return strings.Join(s, ", ") + " ms"
}

// checkKind refuses images that are not one plane each.
func (t *Train) checkKind() error {
	for _, h := range t.images {
		if slices.Contains(strings.Split(h.imageType, `\`), "MOSAIC") {
			e := &FileError{Path: h.where(), Attribute: attribute(tag.ImageType), Kind: ErrUnsupported, Problem: "mosaic, several slices in one image",
				Hint: "export the series without mosaic, one image for every slice"}
			return e
		}
	}
	return nil
}

// checkImages asks every image for the attributes without which it has no place.
func (t *Train) checkImages() error {
	for _, h := range t.images {
		for _, f := range h.faults {
			return h.wrong(f.tag, "%s", f.problem)
		}
		for _, a := range []struct {
			tag     tag.Tag
			missing bool
		}{
			{h.teTag(), math.IsNaN(h.te)},
			{tag.ImagePositionPatient, math.IsNaN(h.position[0])},
			{tag.ImageOrientationPatient, math.IsNaN(h.orientation[0])},
			{tag.PixelSpacing, math.IsNaN(h.spacing[0])},
			{tag.Rows, h.rows == 0},
			{tag.Columns, h.columns == 0},
		} {
			if a.missing {
				e := h.wrong(a.tag, "missing")
				e.Hint = "export the study again with its attributes, or ask the site for the original files"
				return e
			}
		}
		switch {
		case h.te <= 0:
			return h.wrong(h.teTag(), "%g ms is not an echo time", h.te)
		case !(h.spacing[0] > 0) || !(h.spacing[1] > 0):
			return h.wrong(tag.PixelSpacing, `%g\%g mm is not a spacing`, h.spacing[0], h.spacing[1])
		case h.rows < 0 || h.columns < 0:
			return h.wrong(tag.Rows, "%d rows, %d columns", h.rows, h.columns)
		}
		if err := h.checkOrientation(); err != nil {
			return err
		}
	}
	return nil
}

// teTag names the attribute that should hold the echo time.
func (h *header) teTag() tag.Tag {
	if h.multiframe {
		return tag.EffectiveEchoTime
	}
	return tag.EchoTime
}

// squareness is how far the direction cosines may be from unit length and from a
// right angle. Scanners write them with six digits or more; GE's knee of this
// project's test data is off by 1e-5.
const squareness = 1e-3

func (h *header) checkOrientation() error {
	o := h.orientation
	row, column := [3]float64(o[:3]), [3]float64(o[3:])
	if math.Abs(dot(row, row)-1) > squareness || math.Abs(dot(column, column)-1) > squareness || math.Abs(dot(row, column)) > squareness {
		return h.wrong(tag.ImageOrientationPatient, "%g is not a pair of perpendicular unit vectors", o)
	}
	return nil
}

// sameGrid is the largest difference between the direction cosines, and the
// relative one between spacings, of images on one grid: 1e-4 moves the far
// corner of a 160 mm image by 0.02 mm.
const sameGrid = 1e-4

// checkAgreement asks that all images lie in parallel planes of one matrix.
func (t *Train) checkAgreement() error {
	a := t.images[0]
	differ := func(h *header, g tag.Tag, got, want any) error {
		e := h.wrong(g, "%v, but %v in %s of the same series: mixed geometry", got, want, a.where())
		e.Hint = "a train must be one acquisition on one grid; split the series or ask the site for it again"
		return e
	}
	for _, h := range t.images[1:] {
		switch {
		case h.rows != a.rows:
			return differ(h, tag.Rows, h.rows, a.rows)
		case h.columns != a.columns:
			return differ(h, tag.Columns, h.columns, a.columns)
		case h.frame != a.frame:
			// UIDs stay out of messages.
			return differ(h, tag.FrameOfReferenceUID, "frame "+hash(h.frame), "frame "+hash(a.frame))
		case math.Abs(h.spacing[0]/a.spacing[0]-1) > sameGrid || math.Abs(h.spacing[1]/a.spacing[1]-1) > sameGrid:
			return differ(h, tag.PixelSpacing, h.spacing, a.spacing)
		}
		for i, v := range h.orientation {
			if math.Abs(v-a.orientation[i]) > sameGrid {
				return differ(h, tag.ImageOrientationPatient, h.orientation, a.orientation)
			}
		}
	}
	return nil
}

// checkSide takes the side from the images, which must not contradict each other.
func (t *Train) checkSide() error {
	for _, h := range t.images {
		switch side := strings.ToUpper(h.laterality); {
		case side != "L" && side != "R":
			// B, U and empty say nothing about this knee.
		case t.Side != "" && t.Side != side:
			return h.wrong(tag.Laterality, "%s, but %s elsewhere in the series", side, t.Side)
		default:
			t.Side = side
		}
	}
	return nil
}
