package dicomio

import (
	"fmt"
	"math"
	"strings"

	"github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/t2map/t2map/dicomio/internal/elements"
)

// imageAttribute is an attribute that a header is read from: its place in an object, and its
// meaning.
type imageAttribute struct {
	tag   tag.Tag
	level level
	macro tag.Tag // the functional group that holds it in multi-frame objects, or none
	reading
}

// level is the place of an attribute in an object, apart from functional groups.
type level int

const (
	dataSet    level = 1 << iota // outside of sequences
	unassigned                   // among the unassigned attributes of a legacy converted object
)

// none marks an attribute that no functional group holds.
var none tag.Tag

// reading copies the value of an attribute into a header.
type reading struct {
	take  func(h *header, e *dicom.Element)
	clear func(h *header) // makes the value missing; nil if the zero value means that
}

// attributes lists all attributes that a header is read from, except for sequences.
var attributes = []imageAttribute{
	{tag.SOPClassUID, dataSet, none, text(func(h *header) *string { return &h.sopClass })},
	{tag.SOPInstanceUID, dataSet, none, text(func(h *header) *string { return &h.instance })},
	{tag.StudyInstanceUID, dataSet, none, text(func(h *header) *string { return &h.study })},
	{tag.SeriesInstanceUID, dataSet, none, text(func(h *header) *string { return &h.series })},
	{tag.FrameOfReferenceUID, dataSet, none, text(func(h *header) *string { return &h.frame })},
	{tag.PatientID, dataSet, none, text(func(h *header) *string { return &h.patientID })},
	{tag.ClinicalTrialSubjectID, dataSet, none, text(func(h *header) *string { return &h.trialSubject })},
	{tag.ClinicalTrialTimePointID, dataSet, none, text(func(h *header) *string { return &h.trialVisit })},
	{tag.Laterality, dataSet, none, side},
	{tag.ImageLaterality, dataSet, none, side},
	{tag.FrameLaterality, 0, tag.FrameAnatomySequence, side},
	{tag.ContentLabel, dataSet, none, text(func(h *header) *string { return &h.label })},
	{tag.StructureSetLabel, dataSet, none, text(func(h *header) *string { return &h.label })},

	{tag.Manufacturer, dataSet, none, text(func(h *header) *string { return &h.manufacturer })},
	{tag.ManufacturerModelName, dataSet, none, text(func(h *header) *string { return &h.model })},
	{tag.DeviceSerialNumber, dataSet, none, text(func(h *header) *string { return &h.serial })},
	{tag.SoftwareVersions, dataSet, none, reading{take: func(h *header, e *dicom.Element) {
		h.software = strings.Join(elements.TextsOf(e), " ")
	}}},

	{tag.SequenceName, dataSet | unassigned, none, name(func(h *header) *string { return &h.sequenceName })},
	{tag.PulseSequenceName, dataSet, none, name(func(h *header) *string { return &h.sequenceName })},
	{tag.SeriesDescription, dataSet, none, name(func(h *header) *string { return &h.description })},
	{tag.ProtocolName, dataSet | unassigned, none, quantityText(true)},
	{tag.AcquisitionProtocolName, dataSet, none, quantityText(true)},
	{tag.AcquisitionContrast, dataSet, tag.MRImageFrameTypeSequence, quantityText(true)},
	{tag.ScanOptions, dataSet, none, quantityText(false)},
	{tag.DerivationDescription, dataSet, none, quantityText(false)},
	{tag.ImageType, dataSet, none, imageType},
	{tag.FrameType, 0, tag.MRImageFrameTypeSequence, imageType},
	{tag.ComplexImageComponent, dataSet, tag.MRImageFrameTypeSequence, reading{take: func(h *header, e *dicom.Element) {
		h.component = strings.ToUpper(elements.TextOf(e))
	}}},
	{tag.ScanningSequence, dataSet | unassigned, none, reading{take: func(h *header, e *dicom.Element) {
		h.sequence = elements.TextsOf(e)
	}}},
	{tag.EchoPulseSequence, dataSet, none, text(func(h *header) *string { return &h.pulseSequence })},
	{tag.ReceiveCoilName, dataSet | unassigned, tag.MRReceiveCoilSequence,
		reading{take: func(h *header, e *dicom.Element) {
			h.coil, h.coilTag = elements.TextOf(e), e.Tag
		}}},
	{elements.SiemensCoil, dataSet, none, reading{take: func(h *header, e *dicom.Element) {
		if h.coil == "" {
			h.coil, h.coilTag = elements.TextOf(e), e.Tag
		}
	}}},

	{tag.EchoTime, dataSet | unassigned, none, number(func(h *header) *float64 { return &h.te })},
	{tag.EffectiveEchoTime, dataSet, tag.MREchoSequence, number(func(h *header) *float64 { return &h.effectiveTE })},
	{tag.RepetitionTime, dataSet | unassigned, tag.MRTimingAndRelatedParametersSequence,
		number(func(h *header) *float64 { return &h.tr })},
	{tag.FlipAngle, dataSet | unassigned, tag.MRTimingAndRelatedParametersSequence,
		number(func(h *header) *float64 { return &h.flip })},
	{tag.MagneticFieldStrength, dataSet | unassigned, none, number(func(h *header) *float64 { return &h.field })},
	{tag.PixelBandwidth, dataSet | unassigned, tag.MRImagingModifierSequence,
		lenientNumber(func(h *header) *float64 { return &h.bandwidth })},
	{tag.ImagePositionPatient, dataSet, tag.PlanePositionSequence,
		numbers(func(h *header) []float64 { return h.position[:] })},
	{tag.ImageOrientationPatient, dataSet, tag.PlaneOrientationSequence,
		numbers(func(h *header) []float64 { return h.orientation[:] })},
	{tag.PixelSpacing, dataSet, tag.PixelMeasuresSequence, numbers(func(h *header) []float64 { return h.spacing[:] })},
	{tag.SliceThickness, dataSet, tag.PixelMeasuresSequence, number(func(h *header) *float64 { return &h.thickness })},

	{tag.RescaleSlope, dataSet, tag.PixelValueTransformationSequence,
		numberOr(1, func(h *header) *float64 { return &h.slope })},
	{tag.RescaleIntercept, dataSet, tag.PixelValueTransformationSequence,
		numberOr(0, func(h *header) *float64 { return &h.intercept })},
	{tag.RealWorldValueSlope, 0, tag.RealWorldValueMappingSequence, reading{take: (*header).takeScale}},
	{tag.RealWorldValueIntercept, 0, tag.RealWorldValueMappingSequence, reading{take: (*header).takeScale}},
	{elements.PhilipsRescaleSlope, dataSet | unassigned, none, reading{take: (*header).takeScale}},
	{elements.PhilipsScaleSlope, dataSet | unassigned, elements.PhilipsFrame,
		number(func(h *header) *float64 { return &h.scaleSlope })},
	// the tag may be another vendor's
	{elements.GERawDataType, dataSet, none, lenientWhole(func(h *header) *int { return &h.rawDataType })},

	{tag.SeriesNumber, dataSet, none, whole(func(h *header) *int { return &h.seriesNumber })},
	{tag.InstanceNumber, dataSet | unassigned, none, lenientWhole(func(h *header) *int { return &h.instanceNumber })},
	{tag.AcquisitionNumber, dataSet | unassigned, none,
		lenientWhole(func(h *header) *int { return &h.acquisitionNumber })},
	{tag.EchoNumbers, dataSet | unassigned, none, lenientWhole(func(h *header) *int { return &h.echoNumber })},
	{tag.EchoTrainLength, dataSet | unassigned, none, lenientWhole(func(h *header) *int { return &h.echoTrain })},
	{tag.RFEchoTrainLength, 0, tag.MRTimingAndRelatedParametersSequence,
		lenientWhole(func(h *header) *int { return &h.echoTrain })},
	{elements.GEEchoes, dataSet, none, lenientWhole(func(h *header) *int { return &h.echoCount })},
	{tag.StackID, 0, tag.FrameContentSequence, text(func(h *header) *string { return &h.stack.id })},
	{tag.InStackPositionNumber, 0, tag.FrameContentSequence, whole(func(h *header) *int { return &h.stack.position })},
	{tag.DimensionIndexValues, 0, tag.FrameContentSequence, reading{take: func(h *header, e *dicom.Element) {
		h.stack.indices, _ = elements.NumbersOf(e)
	}}},

	{tag.NumberOfFrames, dataSet, none, wholeOr(1, func(h *header) *int { return &h.frames })},
	{tag.Rows, dataSet, none, whole(func(h *header) *int { return &h.rows })},
	{tag.Columns, dataSet, none, whole(func(h *header) *int { return &h.columns })},
	{tag.SamplesPerPixel, dataSet, none, whole(func(h *header) *int { return &h.samples })},
	{tag.PhotometricInterpretation, dataSet, none, text(func(h *header) *string { return &h.photometric })},
	{tag.BitsAllocated, dataSet, none, whole(func(h *header) *int { return &h.allocated })},
	{tag.BitsStored, dataSet, none, whole(func(h *header) *int { return &h.stored })},
	{tag.HighBit, dataSet, none, whole(func(h *header) *int { return &h.highBit })},
	{tag.PixelRepresentation, dataSet, none, whole(func(h *header) *int { return &h.representation })},
	{tag.LossyImageCompression, dataSet, none, reading{take: func(h *header, e *dicom.Element) {
		h.lossy = elements.TextOf(e) == "01"
	}}},
}

// readings has the reading of each attribute.
var readings = func() map[tag.Tag]reading {
	out := map[tag.Tag]reading{}
	for _, a := range attributes {
		out[a.tag] = a.reading
	}
	return out
}()

// take copies the element's value into h if h has a field for it.
func (h *header) take(e *dicom.Element) {
	if r, ok := readings[e.Tag]; ok {
		r.take(h, e)
	}
}

// clear makes every value missing, except for the place of the file.
func (h *header) clear() {
	*h = header{tree: h.tree, path: h.path, name: h.name, size: h.size, texts: &texts{}}
	for _, a := range attributes {
		if a.clear != nil {
			a.clear(h)
		}
	}
}

// wishOf returns the attributes of a level, together with sequences.
func wishOf(l level, sequences elements.Wish) elements.Wish {
	wish := elements.Wish{}
	for _, a := range attributes {
		if a.level&l != 0 {
			wish[a.tag] = nil
		}
	}
	for t, items := range sequences {
		wish[t] = items
	}
	return wish
}

// imageWish selects all attributes that a header is read from.
var imageWish = wishOf(dataSet, elements.Wish{
	tag.ReferencedSeriesSequence: {tag.SeriesInstanceUID: nil},
	tag.ReferencedFrameOfReferenceSequence: {
		tag.FrameOfReferenceUID:       nil,
		tag.RTReferencedStudySequence: {tag.RTReferencedSeriesSequence: {tag.SeriesInstanceUID: nil}},
	},
	tag.StructureSetROISequence:          {tag.ReferencedFrameOfReferenceUID: nil},
	tag.RealWorldValueMappingSequence:    realWorldValues,
	tag.SharedFunctionalGroupsSequence:   functionalGroups,
	tag.PerFrameFunctionalGroupsSequence: functionalGroups,
})

// functionalGroups are the macros of a multi-frame object that describe the place and the
// content of a frame (PS3.3 C.7.6.16.2 and C.8.13.5), for all frames or for each. Legacy
// converted objects keep the attributes of the classic image that no macro contains in
// sequences of unassigned attributes (C.7.6.16.2.25).
var functionalGroups = func() elements.Wish {
	converted := wishOf(unassigned, elements.Wish{tag.RealWorldValueMappingSequence: realWorldValues})
	wish := elements.Wish{
		tag.UnassignedSharedConvertedAttributesSequence:   converted,
		tag.UnassignedPerFrameConvertedAttributesSequence: converted,
	}
	for _, a := range attributes {
		if a.macro == none {
			continue
		}
		if wish[a.macro] == nil {
			wish[a.macro] = elements.Wish{}
		}
		wish[a.macro][a.tag] = nil
	}
	return wish
}()

// text reads the first value of a text.
func text(field func(*header) *string) reading {
	return reading{take: func(h *header, e *dicom.Element) { *field(h) = elements.TextOf(e) }}
}

// name reads a text that may also name the quantity that the image measures.
func name(field func(*header) *string) reading {
	return reading{take: func(h *header, e *dicom.Element) {
		*field(h) = elements.TextOf(e)
		h.claim(e.Tag, true, *field(h))
	}}
}

// quantityText reads texts only for the quantity that they may name, see header.claim.
func quantityText(all bool) reading {
	return reading{take: func(h *header, e *dicom.Element) { h.claim(e.Tag, all, elements.TextsOf(e)...) }}
}

// side reads the side of the knee.
var side = reading{take: func(h *header, e *dicom.Element) { h.noteSide(e.Tag, elements.TextOf(e)) }}

// imageType reads ImageType or FrameType.
var imageType = reading{take: func(h *header, e *dicom.Element) {
	h.imageType = strings.ToUpper(strings.Join(elements.TextsOf(e), `\`))
	h.claim(e.Tag, true, elements.TextsOf(e)...)
}}

// number reads one number; a missing one is NaN.
func number(field func(*header) *float64) reading { return numberOr(math.NaN(), field) }

// numberOr is number with another value for a missing one.
func numberOr(missing float64, field func(*header) *float64) reading {
	return reading{
		take: func(h *header, e *dicom.Element) {
			if v := h.decimals(e, 1); v != nil {
				*field(h) = v[0]
			}
		},
		clear: func(h *header) { *field(h) = missing },
	}
}

// lenientNumber reads a number that no map depends on: one that cannot be read is missing.
func lenientNumber(field func(*header) *float64) reading {
	return reading{
		take: func(h *header, e *dicom.Element) {
			if v, err := elements.NumbersOf(e); err == nil && len(v) == 1 {
				*field(h) = v[0]
			}
		},
		clear: func(h *header) { *field(h) = math.NaN() },
	}
}

// numbers reads as many numbers as the field has; missing ones are NaN.
func numbers(field func(*header) []float64) reading {
	return reading{
		take: func(h *header, e *dicom.Element) { copy(field(h), h.decimals(e, len(field(h)))) },
		clear: func(h *header) {
			for i := range field(h) {
				field(h)[i] = math.NaN()
			}
		},
	}
}

// whole reads one whole number; a missing one is 0.
func whole(field func(*header) *int) reading { return wholeOr(0, field) }

// wholeOr is whole with another value for a missing one.
func wholeOr(missing int, field func(*header) *int) reading {
	return reading{
		take: func(h *header, e *dicom.Element) {
			switch v, ok, err := elements.WholeOf(e); {
			case err != nil:
				h.faults = append(h.faults, fault{e.Tag, err.Error()})
			case ok:
				*field(h) = v
			}
		},
		clear: func(h *header) { *field(h) = missing },
	}
}

// lenientWhole reads a whole number that no map depends on: one that cannot be read is
// missing.
func lenientWhole(field func(*header) *int) reading {
	return reading{take: func(h *header, e *dicom.Element) {
		if v, ok, err := elements.WholeOf(e); ok && err == nil {
			*field(h) = v
		}
	}}
}

// decimals returns the element's numbers if there are as many as wanted. An element with
// other values is a fault; an empty one is not.
func (h *header) decimals(e *dicom.Element, want int) []float64 {
	got, err := elements.NumbersOf(e)
	switch {
	case err != nil:
		h.faults = append(h.faults, fault{e.Tag, err.Error()})
	case len(got) == want:
		return got
	case len(got) != 0:
		h.faults = append(h.faults, fault{e.Tag, fmt.Sprintf("%d values, want %d", len(got), want)})
	}
	return nil
}
