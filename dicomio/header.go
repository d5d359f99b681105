package dicomio

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"unique"

	"github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/t2map/t2map/dicomio/internal/elements"
	"github.com/t2map/t2map/files"
)

// header is what the reader needs to know of one image: a file, or a frame of a
// multi-frame object. Numbers that the file does not hold are NaN, counts 0, texts
// empty.
type header struct {
	tree *files.Tree
	path string // to open the file in the tree
	name string // to name it: below the searched folder, with slashes
	size int64
	head uint64 // hash of what the header was made from
	// written is when the file, or its archive, was last written: nanoseconds since 1970.
	written int64

	*texts
	instance string

	asMap                                 bool     // ImageType may say that it is a map, see magnitudes
	sequence                              []string // ScanningSequence
	claims                                []claim  // that it is not of T2; those of private texts first
	coilTag                               tag.Tag  // where it stands
	echoNumber, echoTrain, echoCount      int      // EchoNumbers, EchoTrainLength, GE's Number of Echoes
	instanceNumber, acquisitionNumber     int
	seriesNumber                          int
	te, tr, flip, field, bandwidth        float64
	effectiveTE                           float64 // EffectiveEchoTime
	effective                             bool    // whether te is that
	position                              [3]float64
	orientation                           [6]float64
	spacing                               [2]float64 // between rows, between columns
	thickness                             float64
	rows, columns, samples, frames        int
	allocated, stored, highBit, pixelsAre int
	slope, intercept                      float64
	scaleSlope                            float64  // Philips (2005,100E)
	otherScale                            []scale  // what else the image says of its values
	rawDataType                           int      // GE (0043,102F): 0 is magnitude
	anonymous                             bool     // the creator of a Scale Slope was taken out
	lossy                                 bool     // compressed with loss, now or before
	references                            []string // series that the object was made from
	sources                               []string // images that a segmentation which names no series was made from, sorted
	frameUIDs                             []string // frames of reference that a structure set says it is in, sorted
	frameTag                              tag.Tag  // where it says so, if not in FrameOfReferenceUID
	faults                                []fault
	who                                   unique.Handle[personal] // people and places, which never leave the package

	pixels       elements.Element // PixelData
	padded       bool             // what of it is behind the last pixel is all zeros
	encapsulated bool
	parts        []int32             // of encapsulated pixels: the first fragment of each frame
	fragments    []elements.Fragment // of them, without the offset table

	index      int   // of the frame in its object, from 0
	stack      stack // what the object's dimensions say of it
	multiframe bool  // whether it is a frame of such an object
}

// texts are those of a header that most files of a series share.
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
	coil                                string // ReceiveCoilName, or what Siemens has for it
	photometric                         string
	label                               string // ContentLabel or StructureSetLabel
}

// fault is an attribute whose value cannot be read as what it should be.
type fault struct {
	tag     tag.Tag
	problem string
}

// attribute returns a tag as errors name it: EchoTime (0018,0081).
func attribute(t tag.Tag) string {
	name := "private"
	if info, err := tag.Find(t); err == nil {
		name = info.Keyword
	} else if t.Group%2 == 0 {
		name = "unknown"
	}
	return fmt.Sprintf("%s (%04X,%04X)", name, t.Group, t.Element)
}

// imageWish is what a header is read from.
var imageWish = elements.Wish{
	tag.ReferencedSeriesSequence: {tag.SeriesInstanceUID: nil},
	tag.ReferencedFrameOfReferenceSequence: {
		tag.FrameOfReferenceUID:       nil,
		tag.RTReferencedStudySequence: {tag.RTReferencedSeriesSequence: {tag.SeriesInstanceUID: nil}},
	},
	tag.StructureSetROISequence:          {tag.ReferencedFrameOfReferenceUID: nil},
	tag.RealWorldValueMappingSequence:    realWorldValues,
	tag.SharedFunctionalGroupsSequence:   functionalGroups,
	tag.PerFrameFunctionalGroupsSequence: functionalGroups,
}

func init() {
	for _, t := range []tag.Tag{
		tag.SOPClassUID, tag.StudyInstanceUID, tag.SeriesInstanceUID, tag.SOPInstanceUID,
		tag.FrameOfReferenceUID, tag.PatientID, tag.ClinicalTrialSubjectID, tag.ClinicalTrialTimePointID, tag.Laterality,
		tag.ImageLaterality, tag.Manufacturer, tag.ManufacturerModelName, tag.DeviceSerialNumber, tag.SoftwareVersions, tag.SequenceName, tag.PulseSequenceName, tag.PixelBandwidth, tag.SeriesDescription, tag.ScanningSequence, tag.EchoPulseSequence,
		tag.ImageType, tag.ComplexImageComponent, tag.PhotometricInterpretation, tag.EchoTime, tag.EffectiveEchoTime, tag.RepetitionTime,
		tag.FlipAngle, tag.MagneticFieldStrength, tag.ImagePositionPatient, tag.ImageOrientationPatient, tag.PixelSpacing, tag.SliceThickness,
		tag.RescaleSlope, tag.RescaleIntercept, elements.PhilipsScaleSlope, elements.PhilipsRescaleSlope, elements.GERawDataType, tag.SeriesNumber, tag.NumberOfFrames, tag.Rows, tag.Columns,
		tag.SamplesPerPixel, tag.BitsAllocated, tag.BitsStored, tag.HighBit, tag.PixelRepresentation, tag.LossyImageCompression,
		tag.ContentLabel, tag.StructureSetLabel,
		tag.ProtocolName, tag.AcquisitionProtocolName, tag.AcquisitionContrast, tag.EchoNumbers, tag.EchoTrainLength, elements.GEEchoes,
		tag.ScanOptions, tag.DerivationDescription,
		tag.ReceiveCoilName, elements.SiemensCoil, tag.InstanceNumber, tag.AcquisitionNumber,
	} {
		imageWish[t] = nil
	}
}

// parse reads the header of a file of h.size bytes into h, and the images that it
// holds: h itself, or one for every frame. What stands before an error is in h.
// Pixels are not read: h.pixels says where they are.
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
		// How its elements are written is not known.
		return nil, h.unsupportedSyntax()
	}
	d, err := out.Parse()
	h.fill(d, &out)
	h.padded = h.hasPixels() && !h.encapsulated && h.zerosBehind(out.Body)
	switch {
	case !out.Magic && h.sopClass == "":
		return nil, elements.ErrNotDICOM // it only began like one
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

// fill takes what the elements say of the file as a whole.
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
	h.who = personalOf(d)
	h.gatherFrames(structures)
	h.anonymous = slices.Contains(out.Unowned, elements.PhilipsScaleSlope)
	if !h.mayBePhilips() {
		h.scaleSlope = math.NaN() // another vendor's private element of that number
	}
	if h.te != h.te && h.effectiveTE == h.effectiveTE {
		h.te, h.effective = h.effectiveTE, true // where enhanced attributes stand in a classic image
	}
	h.noteTooLong(out)
}

// noteTooLong makes faults of the elements that were not gathered for their length.
func (h *header) noteTooLong(out *elements.Outline) {
	for _, t := range out.TooLong {
		if isPersonal(t) {
			continue
		}
		h.faults = append(h.faults, fault{t, fmt.Sprintf("longer than %d bytes", elements.LongestValue)})
	}
}

// isPhilips goes by the manufacturer or, where it was taken out, lets the private
// attribute tell.
func (h *header) isPhilips() bool {
	return h.saysPhilips() || h.mayBePhilips() && h.scaleSlope == h.scaleSlope
}

func (h *header) saysPhilips() bool {
	return strings.Contains(strings.ToUpper(h.manufacturer), "PHILIPS")
}

// mayBePhilips reports whether a Scale Slope of the image is Philips'. One must say so:
// the manufacturer, or the creator of the private attribute.
func (h *header) mayBePhilips() bool {
	return h.saysPhilips() || h.manufacturer == "" && !h.anonymous
}

// refer notes a series that the object says it was made from.
func (h *header) refer(item elements.Dataset) {
	if uid := item.Text(tag.SeriesInstanceUID); uid != "" {
		h.references = append(h.references, uid)
	}
}

// clear makes every number missing.
func (h *header) clear() {
	nan := math.NaN()
	*h = header{tree: h.tree, path: h.path, name: h.name, size: h.size, texts: &texts{}, te: nan, effectiveTE: nan, tr: nan, flip: nan, field: nan, bandwidth: nan, thickness: nan, scaleSlope: nan,
		position: [3]float64{nan, nan, nan}, orientation: [6]float64{nan, nan, nan, nan, nan, nan},
		spacing: [2]float64{nan, nan}, slope: 1, frames: 1}
}

// take copies the element's value into h where h has a place for it.
func (h *header) take(e *dicom.Element) {
	switch e.Tag {
	case tag.SOPClassUID:
		h.sopClass = elements.TextOf(e)
	case tag.StudyInstanceUID:
		h.study = elements.TextOf(e)
	case tag.SeriesInstanceUID:
		h.series = elements.TextOf(e)
	case tag.SOPInstanceUID:
		h.instance = elements.TextOf(e)
	case tag.FrameOfReferenceUID:
		h.frame = elements.TextOf(e)
	case tag.PatientID:
		h.patientID = elements.TextOf(e)
	case tag.ClinicalTrialSubjectID:
		h.trialSubject = elements.TextOf(e)
	case tag.ClinicalTrialTimePointID:
		h.trialVisit = elements.TextOf(e)
	case tag.Laterality, tag.ImageLaterality, tag.FrameLaterality:
		h.noteSide(e.Tag, elements.TextOf(e))
	case tag.Manufacturer:
		h.manufacturer = elements.TextOf(e)
	case tag.ManufacturerModelName:
		h.model = elements.TextOf(e)
	case tag.DeviceSerialNumber:
		h.serial = elements.TextOf(e)
	case tag.SoftwareVersions:
		h.software = strings.Join(elements.TextsOf(e), " ")
	case tag.ContentLabel, tag.StructureSetLabel:
		h.label = elements.TextOf(e)
	case tag.LossyImageCompression:
		h.lossy = elements.TextOf(e) == "01"
	case tag.PhotometricInterpretation:
		h.photometric = elements.TextOf(e)
	default:
		h.takeContrast(e)
	}
}

// takeContrast is take for what says how the image was acquired and what it shows.
func (h *header) takeContrast(e *dicom.Element) {
	switch e.Tag {
	case tag.SequenceName, tag.PulseSequenceName:
		h.sequenceName = elements.TextOf(e)
		h.claim(e.Tag, true, h.sequenceName)
	case tag.SeriesDescription:
		h.description = elements.TextOf(e)
		h.claim(e.Tag, true, h.description)
	case tag.ProtocolName, tag.AcquisitionProtocolName, tag.AcquisitionContrast:
		h.claim(e.Tag, true, elements.TextsOf(e)...)
	case tag.ScanOptions, tag.DerivationDescription:
		h.claim(e.Tag, false, elements.TextsOf(e)...)
	case tag.ReceiveCoilName:
		h.coil, h.coilTag = elements.TextOf(e), e.Tag
	case elements.SiemensCoil:
		if h.coil == "" {
			h.coil, h.coilTag = elements.TextOf(e), e.Tag
		}
	case tag.ScanningSequence:
		h.sequence = elements.TextsOf(e)
	case tag.EchoPulseSequence:
		h.pulseSequence = elements.TextOf(e)
	case tag.ImageType, tag.FrameType:
		h.imageType = strings.ToUpper(strings.Join(elements.TextsOf(e), `\`))
		h.claim(e.Tag, true, elements.TextsOf(e)...)
	case tag.ComplexImageComponent:
		h.component = strings.ToUpper(elements.TextOf(e))
	default:
		h.takeNumber(e)
	}
}

// takeNumber is take for the numbers.
func (h *header) takeNumber(e *dicom.Element) {
	switch e.Tag {
	case tag.EchoTime:
		h.decimals(e, []*float64{&h.te})
	case tag.EffectiveEchoTime:
		h.decimals(e, []*float64{&h.effectiveTE})
	case tag.FlipAngle:
		h.decimals(e, []*float64{&h.flip})
	case tag.RepetitionTime:
		h.decimals(e, []*float64{&h.tr})
	case tag.PixelBandwidth:
		// No map depends on it: one that cannot be read is as good as none.
		if v, err := elements.NumbersOf(e); err == nil && len(v) == 1 {
			h.bandwidth = v[0]
		}
	case tag.MagneticFieldStrength:
		h.decimals(e, []*float64{&h.field})
	case tag.ImagePositionPatient:
		h.decimals(e, pointers(h.position[:]))
	case tag.ImageOrientationPatient:
		h.decimals(e, pointers(h.orientation[:]))
	case tag.PixelSpacing:
		h.decimals(e, pointers(h.spacing[:]))
	case tag.SliceThickness:
		h.decimals(e, []*float64{&h.thickness})
	case tag.RescaleSlope:
		h.decimals(e, []*float64{&h.slope})
	case tag.RescaleIntercept:
		h.decimals(e, []*float64{&h.intercept})
	case elements.PhilipsRescaleSlope, tag.RealWorldValueSlope, tag.RealWorldValueIntercept:
		h.takeScale(e)
	case elements.PhilipsScaleSlope:
		h.decimals(e, []*float64{&h.scaleSlope})
	case elements.GERawDataType:
		if v, ok, err := elements.WholeOf(e); ok && err == nil {
			h.rawDataType = v // which may be another vendor's
		}
	case tag.SeriesNumber:
		h.integer(e, &h.seriesNumber)
	case tag.NumberOfFrames:
		h.integer(e, &h.frames)
	case tag.Rows:
		h.integer(e, &h.rows)
	case tag.Columns:
		h.integer(e, &h.columns)
	case tag.SamplesPerPixel:
		h.integer(e, &h.samples)
	case tag.BitsAllocated:
		h.integer(e, &h.allocated)
	case tag.BitsStored:
		h.integer(e, &h.stored)
	case tag.HighBit:
		h.integer(e, &h.highBit)
	case tag.PixelRepresentation:
		h.integer(e, &h.pixelsAre)
	default:
		h.takeCount(e)
	}
}

// takeCount is take for whole numbers that decide nothing.
func (h *header) takeCount(e *dicom.Element) {
	switch e.Tag {
	case tag.EchoNumbers:
		h.whole(e, &h.echoNumber)
	case tag.EchoTrainLength, tag.RFEchoTrainLength:
		h.whole(e, &h.echoTrain)
	case elements.GEEchoes:
		h.whole(e, &h.echoCount)
	case tag.InstanceNumber:
		h.whole(e, &h.instanceNumber)
	case tag.AcquisitionNumber:
		h.whole(e, &h.acquisitionNumber)
	}
}

func pointers(v []float64) []*float64 {
	p := make([]*float64, len(v))
	for i := range v {
		p[i] = &v[i]
	}
	return p
}

// decimals reads as many numbers as there are places; an empty element leaves
// them as they are, a wrong one is a fault.
func (h *header) decimals(e *dicom.Element, into []*float64) {
	got, err := elements.NumbersOf(e)
	switch {
	case err != nil:
		h.faults = append(h.faults, fault{e.Tag, err.Error()})
	case len(got) == 0:
	case len(got) != len(into):
		h.faults = append(h.faults, fault{e.Tag, fmt.Sprintf("%d values, want %d", len(got), len(into))})
	default:
		for i, v := range got {
			*into[i] = v
		}
	}
}

// integer reads one whole number, likewise.
func (h *header) integer(e *dicom.Element, into *int) {
	switch v, ok, err := elements.WholeOf(e); {
	case err != nil:
		h.faults = append(h.faults, fault{e.Tag, err.Error()})
	case ok:
		*into = v
	}
}

// whole reads one whole number that no map depends on: one that cannot be read is as good
// as none.
func (h *header) whole(e *dicom.Element, into *int) {
	if v, ok, err := elements.WholeOf(e); ok && err == nil {
		*into = v
	}
}

// isGE goes by the manufacturer.
func (h *header) isGE() bool {
	return strings.HasPrefix(strings.ToUpper(h.manufacturer), "GE ")
}
