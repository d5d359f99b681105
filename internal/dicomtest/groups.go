package dicomtest

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"math/big"
	"slices"
	"strconv"

	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/t2map/t2map/dicomio/dicomwrite"
	"github.com/t2map/t2map/volume"
)

// philipsFrame is the private sequence in which Philips keeps the attributes of the classic
// image that the frame would have been, and philipsFrameOwner is the element of its creator
// in the files of its scanners (as in the data of neurolabusc/dcm_qa_philips_enh).
var (
	philipsFrame      = tag.Tag{Group: 0x2005, Element: 0x140F}
	philipsFrameOwner = tag.Tag{Group: 0x2005, Element: 0x0014}
)

const philipsFrameCreator = "Philips MR Imaging DD 005"

// writtenGroup is one functional group macro (PS3.3 C.7.6.16) of a frame.
type writtenGroup struct {
	sequence tag.Tag
	item     dicomwrite.List
	// never says that the group must not be shared.
	never bool
	// creator and block name the owner of a private group.
	creator string
	block   tag.Tag
}

func (g *writtenGroup) describe(l *dicomwrite.List) {
	if g.creator != "" {
		l.PrivateText(g.block, g.creator)
	}
	l.Items(g.sequence, []dicomwrite.List{g.item})
}

// same reports whether two groups have the same attributes.
func (g *writtenGroup) same(h *writtenGroup) bool {
	return g.item.Equal(&h.item)
}

// writtenGroups are the groups of one frame.
type writtenGroups []writtenGroup

func (gs *writtenGroups) add(sequence tag.Tag, fill func(*dicomwrite.List)) *writtenGroup {
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

// override changes an attribute in the group that holds it, or removes a group.
func (gs *writtenGroups) override(o dicomwrite.Override) error {
	info, err := tag.FindByKeyword(o.Keyword)
	if err != nil {
		return errors.New("not a keyword of the data dictionary")
	}
	if o.Values == nil && gs.find(info.Tag) != nil {
		*gs = slices.DeleteFunc(*gs, func(g writtenGroup) bool { return g.sequence == info.Tag })
		return nil
	}
	for i := range *gs {
		if item := &(*gs)[i].item; item.Has(info.Tag) {
			return item.Override(o)
		}
	}
	return errors.New("in none of the frame's functional groups")
}

// describeGroups lists the functional groups of all frames. Groups that are equal in all
// frames are shared, unless allPerFrame is set.
func describeGroups(l *dicomwrite.List, frames []writtenGroups, allPerFrame bool) {
	shared := map[tag.Tag]bool{}
	var once dicomwrite.List
	for i := range frames[0] {
		g := &frames[0][i]
		if allPerFrame || g.never || !sharedBy(frames, g) {
			continue
		}
		shared[g.sequence] = true
		g.describe(&once)
	}
	perFrame := make([]dicomwrite.List, len(frames))
	for n, groups := range frames {
		for i := range groups {
			if !shared[groups[i].sequence] {
				groups[i].describe(&perFrame[n])
			}
		}
	}
	l.Items(tag.SharedFunctionalGroupsSequence, []dicomwrite.List{once})
	l.Items(tag.PerFrameFunctionalGroupsSequence, perFrame)
}

func sharedBy(frames []writtenGroups, g *writtenGroup) bool {
	for _, groups := range frames[1:] {
		if h := groups.find(g.sequence); h == nil || !g.same(h) {
			return false
		}
	}
	return true
}

// dimension is an attribute in which frames differ (PS3.3 C.7.6.17).
type dimension struct {
	attribute, group tag.Tag
	label            string
}

// The dimensions of every object here.
var (
	stackDimension = dimension{tag.StackID, tag.FrameContentSequence, "Stack ID"}
	sliceDimension = dimension{tag.InStackPositionNumber, tag.FrameContentSequence, "In-Stack Position Number"}
)

// dimensions have for each frame its index along each of them, from 1.
type dimensions struct {
	list   []dimension
	values [][]int
}

func (d *dimensions) describe(l *dicomwrite.List, instance string) {
	uid := derivedUID("dimensions", instance)
	l.Sequence(tag.DimensionOrganizationSequence, func(i *dicomwrite.List) {
		i.Text(tag.DimensionOrganizationUID,
			uid)
	})
	items := make([]dicomwrite.List, len(d.list))
	for n, dim := range d.list {
		i := &items[n]
		i.Text(tag.DimensionOrganizationUID, uid)
		i.Pointer(tag.DimensionIndexPointer, dim.attribute)
		i.Pointer(tag.FunctionalGroupPointer, dim.group)
		i.Text(tag.DimensionDescriptionLabel, dim.label)
	}
	l.Items(tag.DimensionIndexSequence, items)
}

// derivedUID derives a UID from two words: 2.25 and a UUID of version 8 (PS3.5 B.2, RFC
// 9562 5.8).
func derivedUID(kind, source string) string {
	h := sha256.Sum256([]byte(kind + " of " + source))
	uuid := h[:16]
	uuid[6] = uuid[6]&0x0f | 0x80
	uuid[8] = uuid[8]&0x3f | 0x80
	return "2.25." + new(big.Int).SetBytes(uuid).String()
}

// frameContent returns the Frame Content macro of a frame with slice number values[1] in
// the only stack.
func frameContent(values []int) func(*dicomwrite.List) {
	return func(i *dicomwrite.List) {
		i.Text(tag.StackID, "1")
		i.Longs(tag.InStackPositionNumber, values[1])
		i.Longs(tag.DimensionIndexValues, values...)
	}
}

// groups are the functional groups of a frame.
func (o *Enhanced) groups(f Frame, dimensionValues []int) writtenGroups {
	var gs writtenGroups
	content := gs.add(tag.FrameContentSequence, frameContent(dimensionValues))
	content.never = true
	content.item.Text(tag.FrameAcquisitionDateTime, noDateTime)
	content.item.Text(tag.FrameReferenceDateTime, noDateTime)
	content.item.Doubles(tag.FrameAcquisitionDuration, o.duration())
	gs.add(tag.PixelMeasuresSequence, o.Measures)
	gs.add(tag.PlanePositionSequence, func(i *dicomwrite.List) {
		i.Numbers(tag.ImagePositionPatient,
			f.Position[:]...)
	})
	gs.add(tag.PlaneOrientationSequence, func(i *dicomwrite.List) {
		i.Numbers(tag.ImageOrientationPatient,
			o.Orientation[:]...)
	})
	gs.add(tag.FrameAnatomySequence, o.anatomy)
	gs.add(tag.PixelValueTransformationSequence, f.rescale)
	gs.add(tag.MRImageFrameTypeSequence, func(i *dicomwrite.List) {
		describeContrast(i, tag.FrameType, f.Type,
			f.Component)
	})
	if o.WindowWidth != 0 {
		gs.add(tag.FrameVOILUTSequence, func(i *dicomwrite.List) {
			i.Numbers(tag.WindowCenter, o.WindowCenter)
			i.Numbers(tag.WindowWidth, o.WindowWidth)
		})
	}
	if f.ScaleSlope != 0 {
		g := gs.add(philipsFrame, f.philips)
		g.block, g.creator, g.never = philipsFrameOwner, philipsFrameCreator, true
	}
	if o.Legacy {
		o.legacyGroups(&gs, f)
	} else {
		o.acquisitionGroups(&gs, f)
	}
	return gs
}

// anatomy lists the Frame Anatomy macro: the knee, or only the side if the body part is
// another.
func (o *Enhanced) anatomy(i *dicomwrite.List) {
	region := volume.Code{Value: "38266002", Scheme: "SCT", Meaning: "Entire body"}
	if o.BodyPart == "KNEE" {
		region = volume.Code{Value: "72696002", Scheme: "SCT", Meaning: "Knee"}
	}
	i.Sequence(tag.AnatomicRegionSequence, concept(region))
	side := o.Laterality
	if side == "" {
		side = "U" // unpaired: the only value for an unknown side
	}
	i.Text(tag.FrameLaterality, side)
}

func (f *Frame) rescale(i *dicomwrite.List) {
	i.Numbers(tag.RescaleSlope, f.RescaleSlope)
	i.Numbers(tag.RescaleIntercept, f.RescaleIntercept)
	i.Text(tag.RescaleType, "US") // unspecified units, PS3.3 C.11.1.1.2
}

// philips lists the attributes of the classic image that Philips repeats in each frame and
// that determine the meaning of its values.
func (f *Frame) philips(i *dicomwrite.List) {
	i.Numbers(tag.EchoTime, f.TE)
	f.rescale(i)
	i.PhilipsScaleSlope(f.ScaleSlope)
}

// legacyGroups adds the attributes of a legacy converted object that belong to no group.
func (o *Enhanced) legacyGroups(gs *writtenGroups, f Frame) {
	gs.add(tag.UnassignedPerFrameConvertedAttributesSequence, func(i *dicomwrite.List) {
		i.Numbers(tag.EchoTime, f.TE)
	}).never = true
	gs.add(tag.UnassignedSharedConvertedAttributesSequence, func(i *dicomwrite.List) {
		i.Text(tag.ScanningSequence, "SE")
		i.NumberIfSet(tag.RepetitionTime, o.TR)
		i.WholeIfSet(tag.EchoTrainLength, o.EchoTrainLength)
		i.Numbers(tag.MagneticFieldStrength, o.FieldStrength)
		i.NumberIfSet(tag.FlipAngle, o.FlipAngle)
		i.NumberIfSet(tag.PixelBandwidth, o.PixelBandwidth)
	})
}

// acquisitionGroups adds the acquisition of the frame: PS3.3 C.8.13.5. Features that
// phantoms do not have (coils, gradients) have plain values.
func (o *Enhanced) acquisitionGroups(gs *writtenGroups, f Frame) {
	gs.add(tag.MREchoSequence, func(i *dicomwrite.List) { i.Doubles(tag.EffectiveEchoTime, f.TE) })
	gs.add(tag.MRTimingAndRelatedParametersSequence, o.timing)
	gs.add(tag.MRFOVGeometrySequence, func(i *dicomwrite.List) {
		i.Text(tag.InPlanePhaseEncodingDirection, "ROW")
		i.Short(tag.MRAcquisitionFrequencyEncodingSteps, o.Rows)
		i.Short(tag.MRAcquisitionPhaseEncodingStepsInPlane, o.Columns)
		i.Numbers(tag.PercentSampling, 100)
		i.Numbers(tag.PercentPhaseFieldOfView, 100)
	})
	gs.add(tag.MRModifierSequence, func(i *dicomwrite.List) {
		for _, t := range []tag.Tag{
			tag.InversionRecovery, tag.T2Preparation, tag.ParallelAcquisition, tag.PartialFourier,
		} {
			i.Text(t, "NO")
		}
		for _, t := range []tag.Tag{
			tag.FlowCompensation, tag.Spoiling, tag.SpectrallySelectedExcitation, tag.SpatialPresaturation,
		} {
			i.Text(t, "NONE")
		}
	})
	gs.add(tag.MRImagingModifierSequence, func(i *dicomwrite.List) {
		i.Text(tag.MagnetizationTransfer, "NONE")
		i.Text(tag.BloodSignalNulling, "NO")
		i.Text(tag.Tagging, "NONE")
		i.Doubles(tag.TransmitterFrequency, larmor*o.FieldStrength)
		i.Numbers(tag.PixelBandwidth, cmp.Or(o.PixelBandwidth, pixelBandwidth))
	})
	gs.add(tag.MRReceiveCoilSequence, func(i *dicomwrite.List) {
		i.Text(tag.ReceiveCoilName, "BODY")
		i.Text(tag.ReceiveCoilManufacturerName)
		i.Text(tag.ReceiveCoilType, "BODY")
		i.Text(tag.QuadratureReceiveCoil, "YES")
	})
	gs.add(tag.MRTransmitCoilSequence, func(i *dicomwrite.List) {
		i.Text(tag.TransmitCoilName, "BODY")
		i.Text(tag.TransmitCoilManufacturerName)
		i.Text(tag.TransmitCoilType, "BODY")
	})
	gs.add(tag.MRAveragesSequence, func(i *dicomwrite.List) { i.Text(tag.NumberOfAverages, "1") })
}

const (
	larmor         = 42.577 // MHz/T of 1H (CODATA: 42.577478)
	pixelBandwidth = 250    // Hz; a value is required, and this is that of the OAI's T2 map
	flipAngle      = 90     // degrees; of the excitation of a spin echo
)

// timing is the MR Timing and Related Parameters macro.
func (o *Enhanced) timing(i *dicomwrite.List) {
	i.NumberIfSet(tag.RepetitionTime, o.TR)
	i.Numbers(tag.FlipAngle, cmp.Or(o.FlipAngle, flipAngle))
	i.Text(tag.EchoTrainLength, strconv.Itoa(o.EchoTrainLength))
	i.Short(tag.RFEchoTrainLength, o.EchoTrainLength)
	i.Short(tag.GradientEchoTrainLength, 0)
	i.Text(tag.GradientOutputType, "DB_DT")
	i.Doubles(tag.GradientOutput, 0)
	mode := func(kind string) func(*dicomwrite.List) {
		return func(m *dicomwrite.List) {
			m.Text(tag.OperatingModeType, kind)
			m.Text(tag.OperatingMode, "IEC_NORMAL")
		}
	}
	i.Sequence(tag.OperatingModeSequence, mode("STATIC FIELD"), mode("RF"), mode("GRADIENT"))
	i.Sequence(tag.SpecificAbsorptionRateSequence, func(s *dicomwrite.List) {
		s.Text(tag.SpecificAbsorptionRateDefinition, "IEC_WHOLE_BODY")
		s.Doubles(tag.SpecificAbsorptionRateValue, 0)
	})
}
