package dicomwrite

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/t2map/t2map/dicomio/internal/elements"
)

// Enhanced is one multi-frame MR object (Enhanced MR Image Storage, PS3.3
// A.36.2, or its legacy converted sibling, A.71) to be written by
// WriteEnhanced.
type Enhanced struct {
	Series
	Grid

	// InstanceUID must be set. InstanceNumber 0 means 1.
	InstanceUID    string
	InstanceNumber int

	// Legacy writes a Legacy Converted Enhanced MR Image, where what the classic
	// images said and no functional group holds stands in two sequences of
	// unassigned attributes: the echo time is EchoTime (0018,0081) there.
	Legacy bool
	// AllPerFrame writes each functional group with each frame; else those that
	// are equal over all frames are written once, as shared.
	AllPerFrame bool

	// TR is in ms, left out when 0, as is EchoTrainLength. FieldStrength is in
	// tesla, 0 means 3.
	TR, FieldStrength float64
	// FlipAngle is in degrees and PixelBandwidth in Hz per pixel; 0 means 90 and 250,
	// because an object must say so, but leaves them out of a legacy converted one.
	FlipAngle, PixelBandwidth float64
	EchoTrainLength           int

	// BitsAllocated is 8 or 16, BitsStored at most as much; 0 means 16, or as
	// many as BitsAllocated.
	BitsAllocated, BitsStored int
	// Signed says that pixels are two's complement; unused high bits repeat
	// the sign.
	Signed bool
	// WindowCenter and WindowWidth are both left out when the width is 0.
	WindowCenter, WindowWidth float64

	// Frames are written in this order. There must be one at least.
	Frames []Frame

	// Overrides replace, add or leave out attributes outside of sequences at
	// the very end.
	Overrides []Override
}

// Frame is one frame of an Enhanced.
type Frame struct {
	// TE is the effective echo time in ms.
	TE float64
	// Position is the position of the centre of the first pixel, mm LPS.
	Position [3]float64
	// Type is FrameType, ORIGINAL\PRIMARY\T2\NONE when nil. ImageType is that of
	// all frames, with MIXED where they differ.
	Type []string
	// Component is ComplexImageComponent, MAGNITUDE when empty; PHASE, REAL,
	// IMAGINARY.
	Component string
	// RescaleSlope and RescaleIntercept turn stored values into others; slope 0
	// means 1 and 0, because a frame must say so.
	RescaleSlope, RescaleIntercept float64
	// ScaleSlope is Philips' private (2005,100E), by which a rescaled value over
	// RescaleSlope·ScaleSlope is the signal; left out when 0.
	ScaleSlope float64
	// Pixels holds the stored values (before the rescale), Rows·Columns of
	// them, row by row.
	Pixels []int32

	// Overrides change attributes inside the functional groups of this frame.
	// The keyword of a functional group's sequence without values leaves the
	// group out.
	Overrides []Override
}

// WriteEnhanced writes the object as a DICOM file (PS3.10) with native pixel
// data. The same object gives the same bytes. Dates that must be there are
// 1900-01-01. Errors: an unknown transfer syntax or keyword, missing UIDs, no
// frames, a size that disagrees with the number of pixels of a frame, a pixel
// that does not fit into the stored bits, numbers that are not finite, and
// those of w.
func WriteEnhanced(w io.Writer, o Enhanced) error {
	enc, err := encodingOf(o.Syntax)
	if err != nil {
		return err
	}
	format := newPixelFormat(o.BitsAllocated, o.BitsStored, o.Signed)
	if err := o.fill(format); err != nil {
		return err
	}
	var pixels []byte
	for n, f := range o.Frames {
		if pixels, err = format.pack(pixels, f.Pixels, enc.order); err != nil {
			return fmt.Errorf("frame %d: %w", n+1, err)
		}
	}
	l := attributeList{}
	o.describe(&l)
	if !o.Legacy {
		o.describeSequence(&l)
	}
	if err := o.describeFrames(&l); err != nil {
		return err
	}
	o.Grid.describe(&l)
	format.describe(&l)
	format.describeData(&l, pixels)
	return l.writeFile(w, enc, o.Overrides)
}

// Instance returns the class and UID of the object, to refer to it.
func (o *Enhanced) Instance() Instance {
	if o.Legacy {
		return Instance{Class: elements.LegacyConvertedMRStorage, UID: o.InstanceUID}
	}
	return Instance{Class: elements.EnhancedMRImageStorage, UID: o.InstanceUID}
}

// fill sets the defaults that stand on the fields, in frames of its own, and
// checks what the rest of the writer relies on.
func (o *Enhanced) fill(format pixelFormat) error {
	if err := o.checkUIDs(o.InstanceUID); err != nil {
		return err
	}
	if err := format.check(8, 16); err != nil {
		return err
	}
	if len(o.Frames) == 0 {
		return errors.New("frames: got none")
	}
	o.InstanceNumber = cmp.Or(o.InstanceNumber, 1)
	o.FieldStrength = cmp.Or(o.FieldStrength, 3)
	o.Frames = slices.Clone(o.Frames)
	for n := range o.Frames {
		f := &o.Frames[n]
		if err := o.Grid.check(len(f.Pixels)); err != nil {
			return fmt.Errorf("frame %d: %w", n+1, err)
		}
		if f.Type == nil {
			f.Type = []string{"ORIGINAL", "PRIMARY", "T2", "NONE"}
		}
		f.Component = cmp.Or(f.Component, "MAGNITUDE")
		if f.RescaleSlope == 0 {
			f.RescaleSlope, f.RescaleIntercept = 1, 0
		}
	}
	return nil
}

// describe lists all that is neither a frame's nor the pulse sequence's.
func (o *Enhanced) describe(l *attributeList) {
	o.Series.describe(l, "MR", o.Instance())
	o.describeTrialRest(l)
	o.describeEnhancedEquipment(l)
	l.text(tag.PositionReferenceIndicator) // type 2, unknown
	l.text(tag.PatientPosition, "FFS")
	l.text(tag.InstanceNumber, strconv.Itoa(o.InstanceNumber))
	l.text(tag.ContentDate, noDate)
	l.text(tag.ContentTime, noTime)
	l.text(tag.AcquisitionDateTime, noDateTime)
	l.text(tag.NumberOfFrames, strconv.Itoa(len(o.Frames)))
	l.text(tag.BurnedInAnnotation, "NO")
	l.text(tag.LossyImageCompression, "00")
	l.text(tag.PresentationLUTShape, "IDENTITY")
	l.sequence(tag.AcquisitionContextSequence)
	describeContrast(l, tag.ImageType, o.imageType(), o.component())
}

// describeContrast lists the Common CT/MR Image Description macro (PS3.3
// C.8.16.2) and the MR one (C.8.13.3.1), of the object or of a frame.
func describeContrast(l *attributeList, kind tag.Tag, values []string, component string) {
	l.text(kind, values...)
	l.text(tag.PixelPresentation, "MONOCHROME")
	l.text(tag.VolumetricProperties, "VOLUME")
	l.text(tag.VolumeBasedCalculationTechnique, "NONE")
	l.text(tag.ComplexImageComponent, component)
	l.text(tag.AcquisitionContrast, "T2")
}

// imageType is the frames' type, MIXED at each value where they differ (PS3.3
// C.8.16.1).
func (o *Enhanced) imageType() []string {
	kind := slices.Clone(o.Frames[0].Type)
	for _, f := range o.Frames {
		for i := range kind {
			if i < len(f.Type) && kind[i] != f.Type[i] {
				kind[i] = "MIXED"
			}
		}
	}
	return kind
}

func (o *Enhanced) component() string {
	component := o.Frames[0].Component
	for _, f := range o.Frames {
		if f.Component != component {
			return "MIXED"
		}
	}
	return component
}

// describeSequence lists the MR Pulse Sequence module (PS3.3 C.8.13.4) and the
// acquisition part of the Enhanced MR Image module (C.8.13.1): a spin-echo train.
func (o *Enhanced) describeSequence(l *attributeList) {
	l.numbers(tag.MagneticFieldStrength, o.FieldStrength)
	l.doubles(tag.AcquisitionDuration, o.duration()/1000)
	l.text(tag.ResonantNucleus, "1H")
	l.text(tag.KSpaceFiltering, "NONE")
	l.text(tag.ContentQualification, "RESEARCH")
	l.text(tag.ApplicableSafetyStandardAgency, "IEC")
	l.text(tag.PulseSequenceName, "SE")
	l.text(tag.MRAcquisitionType, "2D")
	l.text(tag.EchoPulseSequence, "SPIN")
	l.text(tag.MultipleSpinEcho, "YES")
	l.text(tag.GeometryOfKSpaceTraversal, "RECTILINEAR")
	l.text(tag.SegmentedKSpaceTraversal, "SINGLE")
	l.text(tag.RectilinearPhaseEncodeReordering, "LINEAR")
	l.short(tag.NumberOfKSpaceTrajectories, 1)
	for _, t := range []tag.Tag{
		tag.MultiPlanarExcitation, tag.PhaseContrast, tag.TimeOfFlightContrast,
		tag.EchoPlanarPulseSequence, tag.SaturationRecovery,
	} {
		l.text(t, "NO")
	}
	for _, t := range []tag.Tag{
		tag.SteadyStatePulseSequence, tag.SpectrallySelectedSuppression, tag.OversamplingPhase,
	} {
		l.text(t, "NONE")
	}
}

// duration is how long the scan took in ms: one excitation for each row of k-space.
func (o *Enhanced) duration() float64 { return o.TR * float64(o.Columns) }

// describeFrames lists the dimensions and the functional groups.
func (o *Enhanced) describeFrames(l *attributeList) error {
	d := o.dimensions()
	d.describe(l, o.InstanceUID)
	groups := make([]writtenGroups, len(o.Frames))
	for n, f := range o.Frames {
		groups[n] = o.groups(f, d.values[n])
		for _, override := range f.Overrides {
			if err := groups[n].override(override); err != nil {
				return fmt.Errorf("frame %d: override %s: %w", n+1, override.Keyword, err)
			}
		}
	}
	describeGroups(l, groups, o.AllPerFrame)
	return nil
}

// dimensions are the stack, the slice, the echo and, where there are several,
// the component.
func (o *Enhanced) dimensions() dimensions {
	echo := dimension{tag.EffectiveEchoTime, tag.MREchoSequence, "Effective Echo Time"}
	if o.Legacy {
		echo = dimension{tag.EchoTime, tag.UnassignedPerFrameConvertedAttributesSequence, "Echo Time"}
	}
	d := dimensions{list: []dimension{stackDimension, sliceDimension, echo}}
	var slice, te []float64
	var component []string
	for _, f := range o.Frames {
		slice = append(slice, o.along(f.Position))
		te = append(te, f.TE)
		component = append(component, f.Component)
	}
	slices, echoes, components := ranks(slice), ranks(te), ranks(component)
	several := o.component() == "MIXED"
	if several {
		d.list = append(d.list, dimension{tag.ComplexImageComponent, tag.MRImageFrameTypeSequence, "Complex Image Component"})
	}
	for n := range o.Frames {
		v := []int{1, slices[n], echoes[n]}
		if several {
			v = append(v, components[n])
		}
		d.values = append(d.values, v)
	}
	return d
}

// ranks returns for each value the place of its like among the distinct ones,
// in ascending order, from 1.
func ranks[T cmp.Ordered](values []T) []int {
	distinct := slices.Clone(values)
	slices.Sort(distinct)
	distinct = slices.Compact(distinct)
	rank := make([]int, len(values))
	for i, v := range values {
		n, _ := slices.BinarySearch(distinct, v)
		rank[i] = n + 1
	}
	return rank
}
