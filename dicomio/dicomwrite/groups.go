package dicomwrite

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"math/big"
	"slices"
	"strconv"

	"github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/t2map/t2map/dicomio/internal/elements"
	"github.com/t2map/t2map/volume"
)

// Who owns Philips' private attributes, at the blocks where its scanners put them
// (as in the data of neurolabusc/dcm_qa_philips_enh): elements.PhilipsScaleSlope
// belongs to the creator of block 10, elements.PhilipsFrame to that of block 14.
var (
	scaleSlopeOwner   = tag.Tag{Group: 0x2005, Element: 0x0010}
	classicFrameOwner = tag.Tag{Group: 0x2005, Element: 0x0014}
)

const (
	philipsCreator1 = "Philips MR Imaging DD 001"
	philipsCreator5 = "Philips MR Imaging DD 005"
)

// writtenGroup is one functional group macro (PS3.3 C.7.6.16) of a frame.
type writtenGroup struct {
	sequence tag.Tag
	item     attributeList
	// never says that the group must not be shared.
	never bool
	// creator and block name the owner of a private group.
	creator string
	block   tag.Tag
}

func (g *writtenGroup) describe(l *attributeList) {
	if g.creator != "" {
		l.privateText(g.block, g.creator)
	}
	l.items(g.sequence, []attributeList{g.item})
}

// same says whether two groups hold the same attributes.
func (g *writtenGroup) same(h *writtenGroup) bool {
	return g.item.err == nil && h.item.err == nil &&
		slices.EqualFunc(g.item.elements, h.item.elements, (*dicom.Element).Equals)
}

// writtenGroups are those of one frame.
type writtenGroups []writtenGroup

func (gs *writtenGroups) add(sequence tag.Tag, fill func(*attributeList)) *writtenGroup {
	g := writtenGroup{sequence: sequence}
	fill(&g.item)
	*gs = append(*gs, g)
	return &(*gs)[len(*gs)-1]
}

func (gs writtenGroups) find(sequence tag.Tag) *writtenGroup {
	for i := range gs {
		if gs[i].sequence == sequence {
			return &gs[i]
		}
	}
	return nil
}

// override changes an attribute in whichever group holds it, or leaves out a
// group.
func (gs *writtenGroups) override(o Override) error {
	info, err := tag.FindByKeyword(o.Keyword)
	if err != nil {
		return errors.New("not a keyword of the data dictionary")
	}
	if o.Values == nil && gs.find(info.Tag) != nil {
		*gs = slices.DeleteFunc(*gs, func(g writtenGroup) bool { return g.sequence == info.Tag })
		return nil
	}
	for i := range *gs {
		if item := &(*gs)[i].item; item.find(info.Tag) != nil {
			return item.override(o)
		}
	}
	return errors.New("in none of the frame's functional groups")
}

// describeGroups lists the functional groups of all frames: once what is equal
// over them, unless all are to be with each frame.
func describeGroups(l *attributeList, frames []writtenGroups, allPerFrame bool) {
	shared := map[tag.Tag]bool{}
	var once attributeList
	for i := range frames[0] {
		g := &frames[0][i]
		if allPerFrame || g.never || !sharedBy(frames, g) {
			continue
		}
		shared[g.sequence] = true
		g.describe(&once)
	}
	perFrame := make([]attributeList, len(frames))
	for n, groups := range frames {
		for i := range groups {
			if !shared[groups[i].sequence] {
				groups[i].describe(&perFrame[n])
			}
		}
	}
	l.items(tag.SharedFunctionalGroupsSequence, []attributeList{once})
	l.items(tag.PerFrameFunctionalGroupsSequence, perFrame)
}

func sharedBy(frames []writtenGroups, g *writtenGroup) bool {
	for _, groups := range frames[1:] {
		if h := groups.find(g.sequence); h == nil || !g.same(h) {
			return false
		}
	}
	return true
}

// dimension is one way in which frames differ (PS3.3 C.7.6.17).
type dimension struct {
	attribute, group tag.Tag
	label            string
}

// The dimensions of every image here.
var (
	stackDimension = dimension{tag.StackID, tag.FrameContentSequence, "Stack ID"}
	sliceDimension = dimension{tag.InStackPositionNumber, tag.FrameContentSequence, "In-Stack Position Number"}
)

// dimensions hold for each frame the place it has along each of them, from 1.
type dimensions struct {
	list   []dimension
	values [][]int
}

func (d *dimensions) describe(l *attributeList, instance string) {
	uid := derivedUID("dimensions", instance)
	l.sequence(tag.DimensionOrganizationSequence, func(i *attributeList) { i.text(tag.DimensionOrganizationUID, uid) })
	items := make([]attributeList, len(d.list))
	for n, dim := range d.list {
		i := &items[n]
		i.text(tag.DimensionOrganizationUID, uid)
		i.pointer(tag.DimensionIndexPointer, dim.attribute)
		i.pointer(tag.FunctionalGroupPointer, dim.group)
		i.text(tag.DimensionDescriptionLabel, dim.label)
	}
	l.items(tag.DimensionIndexSequence, items)
}

// derivedUID returns a UID that is a function of the words: 2.25 and a UUID of
// version 8 (PS3.5 B.2, RFC 9562 5.8).
func derivedUID(what, of string) string {
	h := sha256.Sum256([]byte(what + " of " + of))
	uuid := h[:16]
	uuid[6] = uuid[6]&0x0f | 0x80
	uuid[8] = uuid[8]&0x3f | 0x80
	return "2.25." + new(big.Int).SetBytes(uuid).String()
}

// frameContent is the Frame Content macro of a frame that is slice number
// values[1] of its only stack.
func frameContent(values []int) func(*attributeList) {
	return func(i *attributeList) {
		i.text(tag.StackID, "1")
		i.longs(tag.InStackPositionNumber, values[1])
		i.longs(tag.DimensionIndexValues, values...)
	}
}

// groups are the functional groups of a frame.
func (o *Enhanced) groups(f Frame, dimensionValues []int) writtenGroups {
	var gs writtenGroups
	content := gs.add(tag.FrameContentSequence, frameContent(dimensionValues))
	content.never = true
	content.item.text(tag.FrameAcquisitionDateTime, noDateTime)
	content.item.text(tag.FrameReferenceDateTime, noDateTime)
	content.item.doubles(tag.FrameAcquisitionDuration, o.duration())
	gs.add(tag.PixelMeasuresSequence, o.measures)
	gs.add(tag.PlanePositionSequence, func(i *attributeList) { i.numbers(tag.ImagePositionPatient, f.Position[:]...) })
	gs.add(tag.PlaneOrientationSequence, func(i *attributeList) { i.numbers(tag.ImageOrientationPatient, o.Orientation[:]...) })
	gs.add(tag.FrameAnatomySequence, o.anatomy)
	gs.add(tag.PixelValueTransformationSequence, f.rescale)
	gs.add(tag.MRImageFrameTypeSequence, func(i *attributeList) { describeContrast(i, tag.FrameType, f.Type, f.Component) })
	if o.WindowWidth != 0 {
		gs.add(tag.FrameVOILUTSequence, func(i *attributeList) {
			i.numbers(tag.WindowCenter, o.WindowCenter)
			i.numbers(tag.WindowWidth, o.WindowWidth)
		})
	}
	if f.ScaleSlope != 0 {
		g := gs.add(elements.PhilipsFrame, f.philips)
		g.block, g.creator, g.never = classicFrameOwner, philipsCreator5, true
	}
	if o.Legacy {
		o.legacyGroups(&gs, f)
	} else {
		o.acquisitionGroups(&gs, f)
	}
	return gs
}

// anatomy is the Frame Anatomy macro: the knee, or the side alone where the
// body part is another.
func (o *Enhanced) anatomy(i *attributeList) {
	region := volume.Code{Value: "38266002", Scheme: "SCT", Meaning: "Entire body"}
	if o.BodyPart == "KNEE" {
		region = volume.Code{Value: "72696002", Scheme: "SCT", Meaning: "Knee"}
	}
	i.sequence(tag.AnatomicRegionSequence, concept(region))
	side := o.Laterality
	if side == "" {
		side = "U" // unpaired: the only value that says no side
	}
	i.text(tag.FrameLaterality, side)
}

func (f *Frame) rescale(i *attributeList) {
	i.numbers(tag.RescaleSlope, f.RescaleSlope)
	i.numbers(tag.RescaleIntercept, f.RescaleIntercept)
	i.text(tag.RescaleType, "US") // unspecified units, PS3.3 C.11.1.1.2
}

// philips holds what Philips repeats of the classic image in each frame, as
// far as it says how to read its values.
func (f *Frame) philips(i *attributeList) {
	i.numbers(tag.EchoTime, f.TE)
	f.rescale(i)
	i.privateText(scaleSlopeOwner, philipsCreator1)
	i.single(elements.PhilipsScaleSlope, f.ScaleSlope)
}

// legacyGroups adds what a legacy converted object has no group for.
func (o *Enhanced) legacyGroups(gs *writtenGroups, f Frame) {
	gs.add(tag.UnassignedPerFrameConvertedAttributesSequence, func(i *attributeList) {
		i.numbers(tag.EchoTime, f.TE)
	}).never = true
	gs.add(tag.UnassignedSharedConvertedAttributesSequence, func(i *attributeList) {
		i.text(tag.ScanningSequence, "SE")
		i.numberIfSet(tag.RepetitionTime, o.TR)
		i.wholeIfSet(tag.EchoTrainLength, o.EchoTrainLength)
		i.numbers(tag.MagneticFieldStrength, o.FieldStrength)
		i.numberIfSet(tag.FlipAngle, o.FlipAngle)
		i.numberIfSet(tag.PixelBandwidth, o.PixelBandwidth)
	})
}

// acquisitionGroups adds how the frame was acquired: PS3.3 C.8.13.5. What the
// phantoms do not have (coils, gradients) is named as the macros' plain case.
func (o *Enhanced) acquisitionGroups(gs *writtenGroups, f Frame) {
	gs.add(tag.MREchoSequence, func(i *attributeList) { i.doubles(tag.EffectiveEchoTime, f.TE) })
	gs.add(tag.MRTimingAndRelatedParametersSequence, o.timing)
	gs.add(tag.MRFOVGeometrySequence, func(i *attributeList) {
		i.text(tag.InPlanePhaseEncodingDirection, "ROW")
		i.short(tag.MRAcquisitionFrequencyEncodingSteps, o.Rows)
		i.short(tag.MRAcquisitionPhaseEncodingStepsInPlane, o.Columns)
		i.numbers(tag.PercentSampling, 100)
		i.numbers(tag.PercentPhaseFieldOfView, 100)
	})
	gs.add(tag.MRModifierSequence, func(i *attributeList) {
		for _, t := range []tag.Tag{
			tag.InversionRecovery, tag.T2Preparation, tag.ParallelAcquisition, tag.PartialFourier,
		} {
			i.text(t, "NO")
		}
		for _, t := range []tag.Tag{
			tag.FlowCompensation, tag.Spoiling, tag.SpectrallySelectedExcitation, tag.SpatialPresaturation,
		} {
			i.text(t, "NONE")
		}
	})
	gs.add(tag.MRImagingModifierSequence, func(i *attributeList) {
		i.text(tag.MagnetizationTransfer, "NONE")
		i.text(tag.BloodSignalNulling, "NO")
		i.text(tag.Tagging, "NONE")
		i.doubles(tag.TransmitterFrequency, larmor*o.FieldStrength)
		i.numbers(tag.PixelBandwidth, cmp.Or(o.PixelBandwidth, pixelBandwidth))
	})
	gs.add(tag.MRReceiveCoilSequence, func(i *attributeList) {
		i.text(tag.ReceiveCoilName, "BODY")
		i.text(tag.ReceiveCoilManufacturerName)
		i.text(tag.ReceiveCoilType, "BODY")
		i.text(tag.QuadratureReceiveCoil, "YES")
	})
	gs.add(tag.MRTransmitCoilSequence, func(i *attributeList) {
		i.text(tag.TransmitCoilName, "BODY")
		i.text(tag.TransmitCoilManufacturerName)
		i.text(tag.TransmitCoilType, "BODY")
	})
	gs.add(tag.MRAveragesSequence, func(i *attributeList) { i.text(tag.NumberOfAverages, "1") })
}

const (
	larmor         = 42.577 // MHz/T of 1H (CODATA: 42.577478)
	pixelBandwidth = 250    // Hz; a value must stand there, and this is the OAI's T2 map's
	flipAngle      = 90     // degrees; of the excitation of a spin echo
)

// timing is the MR Timing and Related Parameters macro.
func (o *Enhanced) timing(i *attributeList) {
	i.numberIfSet(tag.RepetitionTime, o.TR)
	i.numbers(tag.FlipAngle, cmp.Or(o.FlipAngle, flipAngle))
	i.text(tag.EchoTrainLength, strconv.Itoa(o.EchoTrainLength))
	i.short(tag.RFEchoTrainLength, o.EchoTrainLength)
	i.short(tag.GradientEchoTrainLength, 0)
	i.text(tag.GradientOutputType, "DB_DT")
	i.doubles(tag.GradientOutput, 0)
	mode := func(kind string) func(*attributeList) {
		return func(m *attributeList) {
			m.text(tag.OperatingModeType, kind)
			m.text(tag.OperatingMode, "IEC_NORMAL")
		}
	}
	i.sequence(tag.OperatingModeSequence, mode("STATIC FIELD"), mode("RF"), mode("GRADIENT"))
	i.sequence(tag.SpecificAbsorptionRateSequence, func(s *attributeList) {
		s.text(tag.SpecificAbsorptionRateDefinition, "IEC_WHOLE_BODY")
		s.doubles(tag.SpecificAbsorptionRateValue, 0)
	})
}
