package dicomio

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/t2map/t2map/volume"
)

// Train is a multi-echo series: images of one series and kind that differ in echo time and
// slice position.
type Train struct {
	// Hash names the series: 12 hex digits of the SHA-256 of its UID, of all its UIDs if
	// each echo is a series of its own, or of UID and ImageType if one series contains
	// several trains.
	Hash string
	// Number and Description are SeriesNumber and SeriesDescription of the first file; the
	// latter is free text of the operator.
	Number      int
	Description string
	// Scanner and Acquisition show changes of either between two visits.
	Scanner     Scanner
	Acquisition Acquisition
	// Side is the side of the knee, L or R, or "" if the files do not state it; Sides are
	// the attributes that state it.
	Side  string
	Sides []SideClaim
	// Geometry is the grid; zero if Problem says why there is none.
	Geometry volume.Geometry
	// Thickness is SliceThickness (0018,0050) in mm, which may be less than the distance
	// between slices in Geometry; 0 if missing.
	Thickness float64
	// TE holds the echo times in ms, increasing.
	TE []float64
	// Images is the number of images, and Files the number of files that contain them.
	Images, Files int
	// Scaling says which values of Philips images are read; empty for other vendors, who
	// offer no choice.
	Scaling PhilipsScaling
	// Lossy says that images were compressed with loss, according to their headers or their
	// coding.
	Lossy bool
	// Claim is the quantity that the images measure according to their headers if that is
	// not T2, and otherwise nil. A train with a claim is a suspect, see AsT2.
	Claim *Claim
	// Mention is a quantity that the name of the protocol mentions in addition to T2, or
	// nil.
	Mention *Claim
	// Losses are reasons to believe that whole echoes are missing, and LeftOut describes
	// the images of the train's series that were omitted because of their ImageType.
	Losses  []Loss
	LeftOut []LeftOut
	// SliceTR holds the least and the largest repetition time in ms if slices differ in it
	// and the echoes of each slice do not; otherwise zeros.
	SliceTR [2]float64
	// Problem is the reason why the train cannot be read, or nil.
	Problem error

	leftOut bool        // whether it is among the LeftOut of a train
	refused bool        // whether Problem is the Claim; then unread is any other problem
	unread  error       // why a series that need not be a train cannot be read, or nil
	images  []*header   // all images, by name
	grid    [][]*header // [echo][slice], unless there is a Problem
}

// minTrain is the number of echo times that make a series a train. Dual-echo PD/T2 series,
// which are routine in knee protocols, are not trains.
const minTrain = 3

// newTrain describes the images as a train with the echo times te and checks it.
func newTrain(images []*header, te []float64, scaling PhilipsScaling) Train {
	h := images[0]
	t := Train{
		Number: h.seriesNumber, Description: h.description,
		Scanner: scannerOf(images), Acquisition: acquisitionOf(images), TE: te, images: images,
	}
	t.Images = len(images)
	t.Files = len(variants(images, func(h *header) string { return h.path }))
	var uids []string
	seen := map[string]bool{}
	for _, h := range images {
		t.Lossy = t.Lossy || h.lossy
		if !seen[h.series] {
			seen[h.series] = true
			uids = append(uids, h.series)
		}
	}
	t.Hash = hash(strings.Join(uids, `\`))
	scale := func() error { return t.scale(scaling) }
	for _, check := range []func() error{t.checkKind, t.checkImages, t.checkScale, t.checkAgreement, t.checkTR,
		t.checkSide, t.arrange, scale, t.checkPixels} {
		if t.Problem = check(); t.Problem != nil {
			break
		}
	}
	if t.Problem == nil && len(te) >= minTrain {
		t.Losses, t.Mention = losses(images), mentionOf(images)
	}
	return t
}

// repeats returns the error of a series that has more images at one position than echo
// times.
func (t *Train) repeats() error {
	return &TrainError{
		Series:  t.Hash,
		Problem: "several images per slice position, but no echo time other than " + listMS(t.TE),
		Topic:   TopicEchoes,
		Hint: "some research sequences write the first echo time into every image: ask the site for the true " +
			"EchoTime (0018,0081)",
	}
}

// checkKind refuses images that contain several planes.
func (t *Train) checkKind() error {
	for _, h := range t.images {
		if slices.Contains(strings.Split(h.imageType, `\`), "MOSAIC") {
			e := &FileError{Path: h.displayName(), Attribute: attribute(tag.ImageType), Kind: ErrUnsupported,
				Problem: "mosaic, several slices in one image",
				Hint:    "export the series without mosaic, one image for every slice"}
			return e
		}
	}
	return nil
}

// checkImages checks that every image has the attributes that determine its place.
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
				return h.wrong(a.tag, "missing").
					withHint("export the study again with its attributes, or ask the site for the original files")
			}
		}
		switch {
		case h.te <= 0:
			return h.wrong(h.teTag(), "%s ms is not an echo time", milliseconds(h.te))
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

func (h *header) checkOrientation() error {
	o := h.orientation
	row, column := [3]float64(o[:3]), [3]float64(o[3:])
	if math.Abs(dot(row, row)-1) > squareness || math.Abs(dot(column, column)-1) > squareness ||
		math.Abs(dot(row, column)) > squareness {
		return h.wrong(tag.ImageOrientationPatient, "%g is not a pair of perpendicular unit vectors", o)
	}
	return nil
}

// checkAgreement checks that all images lie in parallel planes with one matrix.
func (t *Train) checkAgreement() error {
	a := t.images[0]
	differ := func(h *header, g tag.Tag, got, want any) error {
		return h.wrong(g, "%v, but %v in %s of the same series: mixed geometry", got, want, a.displayName()).
			withHint("a train must be one acquisition on one grid; split the series or ask the site for it again")
	}
	for _, h := range t.images[1:] {
		switch {
		case h.rows != a.rows:
			return differ(h, tag.Rows, h.rows, a.rows)
		case h.columns != a.columns:
			return differ(h, tag.Columns, h.columns, a.columns)
		case h.frame != a.frame:
			if e := t.framePerImage(h); e != nil {
				return e
			}
			// No message shows a UID.
			return differ(h, tag.FrameOfReferenceUID, "frame "+hash(h.frame), "frame "+hash(a.frame))
		case !sameSpacing(h, a):
			return differ(h, tag.PixelSpacing, h.spacing, a.spacing)
		case !sameOrientation(h, a):
			return differ(h, tag.ImageOrientationPatient, h.orientation, a.orientation)
		}
	}
	return nil
}

// framePerImage returns an error if each image has its own frame of reference, as anonymisers
// write that replace UIDs image by image. It returns nil if there are two, since these may
// be two scans.
func (t *Train) framePerImage(h *header) error {
	frames := map[string]bool{}
	for _, h := range t.images {
		frames[h.frame] = true
	}
	if len(frames) <= 2 {
		return nil
	}
	e := h.wrong(tag.FrameOfReferenceUID, "%d different UIDs among %d images of one series: mixed geometry",
		len(frames), len(t.images)).withHint(oneUID)
	e.Topic = TopicAttributes // the grid may be right
	return e
}

// oneUID is the hint about such anonymisers.
const oneUID = "images of one acquisition share it; an anonymiser must replace a UID by the same new UID wherever " +
	"it occurs: ask the site for the study again"

// noFrame returns the error of series of one echo each that differ only in their frames of
// reference.
func (t *Train) noFrame() error {
	if i := slices.IndexFunc(t.images, func(h *header) bool { return h.frame == "" }); i >= 0 {
		return t.images[i].missingFrame(t.TE)
	}
	frames := variants(t.images, func(h *header) string { return h.frame })
	return &TrainError{
		Series: t.Hash,
		Problem: fmt.Sprintf("%s: %d different UIDs among series that would be one train of the echo times %s",
			attribute(tag.FrameOfReferenceUID), len(frames), listMS(t.TE)),
		Topic: TopicAttributes,
		Hint:  oneUID,
	}
}

func (h *header) missingFrame(te []float64) error {
	return h.wrong(tag.FrameOfReferenceUID, "missing: it is unknown whether series of one echo each, %s, are one train",
		listMS(te)).
		withHint("ask the site for images with their frame of reference")
}

// The longest echo time of a train in ms. T2 in the body is 10 ms or more, and 2 s in
// water; no train in use is as short as 2 ms or nearly as long as 2 s.
const (
	leastLongestTE = 2
	mostLongestTE  = 2000
)

// No spin echo as short as shortestTE occurs together with one longer than longTE, both in
// ms: its two pulses alone take longer.
const (
	shortestTE = 1
	longTE     = 5
)

// mixedScale returns the error of a first echo time in another unit than the last.
func (t *Train) mixedScale() error {
	first := t.TE[0]
	h := t.images[slices.IndexFunc(t.images, func(h *header) bool { return within(h.te, first, sameTEShare*first) })]
	return h.wrong(h.teTag(), "%s ms beside %s ms in one train of spin echoes, which suggests another unit: the "+
		"attribute is in ms", milliseconds(first), milliseconds(t.TE[len(t.TE)-1])).
		withHint("ask the site for the images as the scanner wrote them, or have the converter write ms")
}

// checkScale refuses echo times that are probably not in ms: converters copy seconds from
// BIDS or microseconds from a vendor's protocol.
func (t *Train) checkScale() error {
	n := len(t.TE)
	if n >= minTrain && t.TE[0] < shortestTE && t.TE[n-1] > longTE && t.TE[n-1] <= mostLongestTE &&
		gradientEcho(t.images) == nil {
		return t.mixedScale()
	}
	if n < minTrain || t.TE[n-1] >= leastLongestTE && t.TE[n-1] <= mostLongestTE {
		return nil
	}
	longest := t.TE[n-1]
	var looks string
	for _, unit := range []struct {
		name string
		inMS float64
	}{{"seconds", 1e3}, {"microseconds", 1e-3}, {"nanoseconds", 1e-6}} {
		if ms := longest * unit.inMS; looks == "" && ms >= leastLongestTE && ms <= mostLongestTE {
			looks = ", which look like " + unit.name
		}
	}
	h := t.images[slices.IndexFunc(t.images, func(h *header) bool {
		return within(h.te, longest,
			sameTEShare*longest)
	})]
	return h.wrong(h.teTag(), "the echo times are %s … %s%s: the attribute is in ms", milliseconds(t.TE[0]),
		milliseconds(longest), looks).
		withHint("ask the site for the images as the scanner wrote them, or have the converter write ms")
}

// checkTR checks that the echoes of each slice have one repetition time, since another one
// changes the T1 weighting of an echo. It records whether slices differ in it, which does
// not change T2. Images without a repetition time are not checked.
func (t *Train) checkTR() error {
	if len(t.TE) < minTrain {
		return nil
	}
	known := places{}
	least, most := math.Inf(1), 0.0
	for _, h := range t.images {
		if math.IsNaN(h.repetition()) {
			continue
		}
		for _, other := range known.near(h) {
			if !sameTR(h.tr, other.tr) {
				return h.wrong(tag.RepetitionTime, "%s ms, but %s ms in %s of the same slice: the echoes are weighted "+
					"by T1 in different ways", milliseconds(h.tr), milliseconds(other.tr), other.displayName()).
					withHint("the echoes of a slice have one repetition time: separate the acquisitions, or ask the " +
						"site which images belong together")
			}
		}
		known.add(h)
		least, most = min(least, h.tr), max(most, h.tr)
	}
	if most > 0 && !sameTR(least, most) {
		t.SliceTR = [2]float64{least, most}
	}
	return nil
}
