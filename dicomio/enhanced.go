package dicomio

import (
	"fmt"
	"math"
	"slices"

	"github.com/suyashkumar/dicom/pkg/tag"
	"github.com/suyashkumar/dicom/pkg/uid"

	"github.com/t2map/t2map/dicomio/internal/elements"
)

// functionalGroups are the macros of a multi-frame object that say where a frame
// lies and what it holds (PS3.3 C.7.6.16.2 and C.8.13.5), shared by all frames or
// given for each.
var functionalGroups = elements.Wish{
	tag.FrameContentSequence:                 {tag.StackID: nil, tag.InStackPositionNumber: nil, tag.DimensionIndexValues: nil},
	tag.PlanePositionSequence:                {tag.ImagePositionPatient: nil},
	tag.PlaneOrientationSequence:             {tag.ImageOrientationPatient: nil},
	tag.PixelMeasuresSequence:                {tag.PixelSpacing: nil, tag.SliceThickness: nil},
	tag.PixelValueTransformationSequence:     {tag.RescaleSlope: nil, tag.RescaleIntercept: nil},
	tag.FrameAnatomySequence:                 {tag.FrameLaterality: nil},
	tag.MRImageFrameTypeSequence:             {tag.FrameType: nil, tag.ComplexImageComponent: nil, tag.AcquisitionContrast: nil},
	tag.MREchoSequence:                       {tag.EffectiveEchoTime: nil},
	tag.MRTimingAndRelatedParametersSequence: {tag.RepetitionTime: nil, tag.FlipAngle: nil, tag.RFEchoTrainLength: nil},
	tag.MRImagingModifierSequence:            {tag.PixelBandwidth: nil},
	tag.MRReceiveCoilSequence:                {tag.ReceiveCoilName: nil},
	// Legacy converted objects keep what no macro takes as it stood in the classic
	// image (C.7.6.16.2.25).
	tag.UnassignedSharedConvertedAttributesSequence:   unassigned,
	tag.UnassignedPerFrameConvertedAttributesSequence: unassigned,
	tag.RealWorldValueMappingSequence:                 realWorldValues,
	elements.PhilipsFrame:                             {elements.PhilipsScaleSlope: nil},
}

var unassigned = elements.Wish{tag.EchoTime: nil, tag.RepetitionTime: nil, tag.FlipAngle: nil, tag.PixelBandwidth: nil, tag.MagneticFieldStrength: nil, tag.ScanningSequence: nil, tag.SequenceName: nil, tag.ProtocolName: nil, tag.EchoNumbers: nil, tag.EchoTrainLength: nil, tag.ReceiveCoilName: nil, tag.InstanceNumber: nil, tag.AcquisitionNumber: nil, elements.PhilipsScaleSlope: nil, elements.PhilipsRescaleSlope: nil,
	tag.RealWorldValueMappingSequence: realWorldValues}

// stack is what the dimensions of an object say of a frame's place. It is compared
// with the plane's position and nothing else: positions tell more.
type stack struct {
	id      string
	at      int // InStackPositionNumber, 0 where there is none
	indices []float64
}

// mostFrames bounds the frames of an object, of each of which some kB are kept: ten
// times as many as large series have.
const mostFrames = 1 << 17

// leastPerFrame is less than what a frame takes up in its file: with PlanePosition alone,
// one pixel and the heads of the items between, it takes 76 bytes (PS3.5 7.5.1).
const leastPerFrame = 64

// expand returns a header for every frame of the object: the object's own, what
// all frames share, what is given for the frame.
func (h *header) expand(d elements.Dataset) ([]*header, error) {
	perFrame := d.Items(tag.PerFrameFunctionalGroupsSequence)
	switch {
	case len(h.faults) > 0:
		return nil, h.wrong(h.faults[0].tag, "%s", h.faults[0].problem)
	case h.frames < 1 || h.frames > mostFrames:
		return nil, h.wrong(tag.NumberOfFrames, "%d, want 1 to %d", h.frames, mostFrames)
	case int64(h.frames) > h.size/leastPerFrame && h.syntax != uid.DeflatedExplicitVRLittleEndian:
		return nil, h.wrong(tag.NumberOfFrames, "%d in a file of %d bytes", h.frames, h.size)
	case len(perFrame) != h.frames:
		e := h.wrong(tag.PerFrameFunctionalGroupsSequence, "%d items for %d frames", len(perFrame), h.frames)
		e.Hint = "the file is damaged: copy or export it again"
		return nil, e
	}
	shared := h.copied()
	for _, groups := range d.Items(tag.SharedFunctionalGroupsSequence) {
		shared.takeGroups(groups)
	}
	shared.multiframe = true
	frames := make([]*header, len(perFrame))
	for n, groups := range perFrame {
		frame := shared.copied()
		frame.faults = slices.Clip(shared.faults)
		frame.index = n
		frame.takeGroups(groups)
		if frame.effectiveTE == frame.effectiveTE {
			frame.te, frame.effective = frame.effectiveTE, true
		}
		frames[n] = &frame
	}
	checkStacks(frames)
	return frames, nil
}

// copied returns a header that says the same, and may be changed.
func (h *header) copied() header {
	c, own := *h, *h.texts
	c.texts = &own
	return c
}

// takeGroups takes what functional groups hold. What is wanted of them has one
// meaning wherever it stands in them.
func (h *header) takeGroups(groups elements.Dataset) {
	for _, macro := range groups {
		for _, item := range elements.ItemsOf(macro) {
			for _, e := range item {
				switch e.Tag {
				case tag.RealWorldValueMappingSequence:
					h.takeScales(e)
				case tag.EffectiveEchoTime:
					h.decimals(e, []*float64{&h.effectiveTE})
				case tag.StackID:
					h.stack.id = elements.TextOf(e)
				case tag.InStackPositionNumber:
					h.integer(e, &h.stack.at)
				case tag.DimensionIndexValues:
					h.stack.indices, _ = elements.NumbersOf(e)
				case elements.PhilipsScaleSlope:
					if h.mayBePhilips() {
						h.takeNumber(e)
					}
				default:
					h.take(e)
				}
			}
		}
	}
}

// checkStacks notes where the object's dimensions contradict what its frames say:
// two of one kind with the same indices would be one, and frames at one place of a
// stack lie in one plane.
func checkStacks(frames []*header) {
	type place struct {
		id string
		at int
	}
	type echoAt struct {
		indices string
		te      float64 // in steps of sameTE, so that one echo is in one step or in neighbours
	}
	indices, places := map[echoAt]*header{}, map[place]*header{}
	for _, h := range frames {
		if len(h.stack.indices) > 0 {
			key := echoAt{fmt.Sprint(h.stack.indices, h.imageType, h.component), math.Floor(h.te / sameTE)}
			for _, step := range []float64{-1, 0, 1} {
				other := indices[echoAt{key.indices, key.te + step}]
				if other != nil && within(h.te, other.te, sameTE) {
					h.faults = append(h.faults, fault{tag.DimensionIndexValues, fmt.Sprintf("%v, as frame %d has: the object contradicts itself", h.stack.indices, other.index+1)})
					break
				}
			}
			indices[key] = h
		}
		if h.stack.at == 0 {
			continue
		}
		p := place{h.stack.id, h.stack.at}
		switch other := places[p]; {
		case other == nil:
			places[p] = h
		case !samePlace(h, other):
			h.faults = append(h.faults, fault{tag.InStackPositionNumber, fmt.Sprintf("%d, as frame %d has, which lies %.2f mm away: the object contradicts itself", p.at, other.index+1, distance(h, other))})
		}
	}
}
