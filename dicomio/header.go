package dicomio

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"unique"

	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/t2map/t2map/dicomio/internal/elements"
	"github.com/t2map/t2map/files"
)

// header describes one image: a file, or a frame of a multi-frame object. Missing numbers
// are NaN, counts 0 and texts empty.
type header struct {
	tree *files.Tree
	path string // to open the file in the tree
	name string // its name in messages: relative to the searched folder, with slashes
	size int64
	head uint64 // hash of the bytes from which the header was made
	// written is the time when the file, or its archive, was last written, in nanoseconds
	// since 1970.
	written int64

	*texts
	instance string

	asMap                                      bool     // ImageType may name a map, see magnitudes
	sequence                                   []string // ScanningSequence
	claims                                     []claim  // to another quantity than T2, those of private texts first
	coilTag                                    tag.Tag  // the attribute that names it
	echoNumber, echoTrain, echoCount           int      // EchoNumbers, EchoTrainLength, GE's Number of Echoes
	instanceNumber, acquisitionNumber          int
	seriesNumber                               int
	te, tr, flip, field, bandwidth             float64
	effectiveTE                                float64 // EffectiveEchoTime
	effective                                  bool    // whether te is effectiveTE
	position                                   [3]float64
	orientation                                [6]float64
	spacing                                    [2]float64 // between rows, between columns
	thickness                                  float64
	rows, columns, samples, frames             int
	allocated, stored, highBit, representation int
	slope, intercept                           float64
	scaleSlope                                 float64  // Philips (2005,100E)
	otherScale                                 []scale  // other attributes that say what the values mean
	rawDataType                                int      // GE (0043,102F): 0 is magnitude
	anonymous                                  bool     // the creator of a Scale Slope was removed
	lossy                                      bool     // compressed with loss, now or before
	references                                 []string // series that the object refers to
	// images that a segmentation without a referenced series refers to, sorted
	sources   []string
	frameUIDs []string // frames of reference of a structure set, sorted
	frameTag  tag.Tag  // their attribute, if not FrameOfReferenceUID
	faults    []fault
	// people and places, which never leave the package
	identity unique.Handle[personal]

	pixels       elements.Element // PixelData
	padded       bool             // all bytes after the last pixel are zero
	encapsulated bool
	parts        []int32             // of encapsulated pixels: the first fragment of each frame
	fragments    []elements.Fragment // of encapsulated pixels, without the offset table

	index      int   // of the frame in its object, from 0
	stack      stack // the place of the frame according to the object's dimensions
	multiframe bool  // whether it is a frame of a multi-frame object
}

// texts are the texts of a header that most files of a series share.
type texts struct {
	syntax, sopClass                    string
	study, series, frame                string
	patientID, trialSubject, trialVisit string
	manufacturer, model                 string
	sides                               [len(sideTags)]byte // L, R or 0
	description                         string
	serial, software, sequenceName      string
	imageType                           string
	component                           string // ComplexImageComponent
	pulseSequence                       string // EchoPulseSequence
	coil                                string // ReceiveCoilName, or Siemens' private attribute
	photometric                         string
	label                               string // ContentLabel or StructureSetLabel
}

// fault is an attribute whose value is invalid.
type fault struct {
	tag     tag.Tag
	problem string
}

// attribute formats a tag as in messages: EchoTime (0018,0081).
func attribute(t tag.Tag) string {
	name := "private"
	if info, err := tag.Find(t); err == nil {
		name = info.Keyword
	} else if t.Group%2 == 0 {
		name = "unknown"
	}
	return fmt.Sprintf("%s (%04X,%04X)", name, t.Group, t.Element)
}

// parse reads the header of a file of h.size bytes into h, and returns the images that it
// contains: h itself, or one for every frame. After an error h has the attributes before
// it. Pixels are not read: h.pixels says where they are.
func (h *header) parse(file io.ReaderAt) (images []*header, err error) {
	h.clear()
	out, unsafe := elements.GuardTexts(file, h.size, imageWish, h.claimPrivately)
	if errors.Is(unsafe, elements.ErrNotDICOM) {
		return nil, elements.ErrNotDICOM
	}
	h.sopClass, h.syntax = out.Class, out.Syntax
	if out.Pixels != nil {
		h.pixels, h.encapsulated = *out.Pixels, out.Pixels.Length == elements.Undefined
	}
	if !parsable(h.syntax) && (unsafe == nil || h.syntax != "" || errors.Is(unsafe, elements.ErrNoSyntax)) {
		// The encoding of the elements is not known.
		return nil, h.unsupportedSyntax()
	}
	d, err := out.Parse()
	h.fill(d, &out)
	h.padded = h.hasPixels() && !h.encapsulated && h.zerosBehind(out.Body)
	switch {
	case !out.Magic && h.sopClass == "":
		return nil, elements.ErrNotDICOM // it only began like DICOM
	case unsafe != nil:
		return nil, h.broken(unsafe)
	case err != nil:
		return nil, h.broken(err)
	case !h.hasPixels() && h.isMRImage():
		return nil, h.broken(io.ErrUnexpectedEOF)
	}
	if h.encapsulated && h.isMRImage() {
		if err := h.divide(&out); err != nil {
			return nil, err
		}
	}
	if h.multiFrame() {
		return h.expand(d)
	}
	if h.isSegmentation() && len(h.references) == 0 {
		return []*header{h}, h.findSources(file)
	}
	return []*header{h}, nil
}

// fill takes the attributes of the file as a whole.
func (h *header) fill(d elements.Dataset, out *elements.Outline) {
	var structures []elements.Dataset
	for _, e := range d {
		switch e.Tag {
		case tag.SharedFunctionalGroupsSequence, tag.PerFrameFunctionalGroupsSequence:
			// expand reads them.
		case tag.RealWorldValueMappingSequence:
			h.takeScales(e)
		case tag.ReferencedSeriesSequence:
			for _, item := range elements.ItemsOf(e) {
				h.refer(item)
			}
		case tag.ReferencedFrameOfReferenceSequence:
			for _, frame := range elements.ItemsOf(e) {
				h.frameUIDs = append(h.frameUIDs, frame.Text(tag.FrameOfReferenceUID))
				for _, study := range frame.Items(tag.RTReferencedStudySequence) {
					for _, item := range study.Items(tag.RTReferencedSeriesSequence) {
						h.refer(item)
					}
				}
			}
		case tag.StructureSetROISequence:
			structures = elements.ItemsOf(e)
		default:
			h.take(e)
		}
	}
	h.identity = personalOf(d)
	h.gatherFrames(structures)
	h.anonymous = slices.Contains(out.Unowned, elements.PhilipsScaleSlope)
	if !h.mayBePhilips() {
		h.scaleSlope = math.NaN() // another vendor's private element of that number
	}
	if h.te != h.te && h.effectiveTE == h.effectiveTE {
		h.te, h.effective = h.effectiveTE, true // attributes of an enhanced object in a classic image
	}
	h.noteTooLong(out)
}

// noteTooLong records faults for the elements that are too long.
func (h *header) noteTooLong(out *elements.Outline) {
	for _, t := range out.TooLong {
		if isPersonal(t) {
			continue
		}
		h.faults = append(h.faults, fault{t, fmt.Sprintf("longer than %d bytes", elements.LongestValue)})
	}
}

// isPhilips reports whether the image is from Philips, according to the manufacturer or, if
// that was removed, the private attribute.
func (h *header) isPhilips() bool {
	return h.namesPhilips() || h.mayBePhilips() && h.scaleSlope == h.scaleSlope
}

func (h *header) namesPhilips() bool {
	return strings.Contains(strings.ToUpper(h.manufacturer), "PHILIPS")
}

// mayBePhilips reports whether a Scale Slope of the image belongs to Philips, according to
// the manufacturer or the creator of the private attribute.
func (h *header) mayBePhilips() bool {
	return h.namesPhilips() || h.manufacturer == "" && !h.anonymous
}

// refer records a series that the object refers to.
func (h *header) refer(item elements.Dataset) {
	if uid := item.Text(tag.SeriesInstanceUID); uid != "" {
		h.references = append(h.references, uid)
	}
}

// isGE reports whether the manufacturer is GE.
func (h *header) isGE() bool {
	return strings.HasPrefix(strings.ToUpper(h.manufacturer), "GE ")
}
