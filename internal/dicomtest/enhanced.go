package dicomtest

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/t2map/t2map/dicomio/dicomwrite"
)

// Enhanced is one multi-frame MR object (Enhanced MR Image Storage, PS3.3
// A.36.2, or its legacy converted sibling, A.71) to be written by
// WriteEnhanced.
type Enhanced struct {
	dicomwrite.Series
	dicomwrite.Grid

	// InstanceUID must be set. InstanceNumber 0 means 1.
	InstanceUID    string
	InstanceNumber int

	// Legacy writes a Legacy Converted Enhanced MR Image, in which attributes of the
	// classic images that belong to no functional group are in two sequences of unassigned
	// attributes: the echo time is EchoTime (0018,0081) there.
	Legacy bool
	// AllPerFrame writes all functional groups for each frame. Otherwise groups that are
	// equal in all frames are shared.
	AllPerFrame bool

	// TR is in ms, omitted if 0, as is EchoTrainLength. FieldStrength is in
	// tesla, 0 means 3.
	TR, FieldStrength float64
	// FlipAngle is in degrees and PixelBandwidth in Hz per pixel; 0 means 90 and 250, which
	// are required, except in a legacy converted object, where it omits them.
	FlipAngle, PixelBandwidth float64
	EchoTrainLength           int

	// BitsAllocated is 8 or 16, BitsStored at most as many; 0 means 16, or as
	// many as BitsAllocated.
	BitsAllocated, BitsStored int
	// Signed says that pixels are in two's complement; unused high bits repeat
	// the sign.
	Signed bool
	// WindowCenter and WindowWidth are both omitted if the width is 0.
	WindowCenter, WindowWidth float64

	// Frames are written in this order. There must be at least one.
	Frames []Frame

	// Overrides replace, add or remove attributes outside of sequences at
	// the very end.
	Overrides []dicomwrite.Override
}

// Frame is one frame of an Enhanced.
type Frame struct {
	// TE is the effective echo time in ms.
	TE float64
	// Position is the position of the centre of the first pixel, mm LPS.
	Position [3]float64
	// Type is FrameType, ORIGINAL\PRIMARY\T2\NONE if nil. ImageType is that of all frames,
	// with MIXED where they differ.
	Type []string
	// Component is ComplexImageComponent, MAGNITUDE if empty; PHASE, REAL,
	// IMAGINARY.
	Component string
	// RescaleSlope and RescaleIntercept convert stored values; slope 0 means 1 and 0, since
	// they are required.
	RescaleSlope, RescaleIntercept float64
	// ScaleSlope is Philips' private (2005,100E): the signal is the rescaled value divided
	// by RescaleSlope·ScaleSlope. It is omitted if 0.
	ScaleSlope float64
	// Pixels holds the stored values (before the rescale), Rows·Columns of
	// them, row by row.
	Pixels []int32

	// Overrides change attributes inside the functional groups of this frame. The keyword
	// of a functional group's sequence without values removes the group.
	Overrides []dicomwrite.Override
}

// WriteEnhanced writes the object as a DICOM file (PS3.10) with native pixel data. The same
// object gives the same bytes. Required dates are 1900-01-01. Errors: an unknown transfer
// syntax or keyword, missing UIDs, no frames, a size that disagrees with the number of
// pixels of a frame, a pixel that does not fit into the stored bits, numbers that are not
// finite, and those of w.
func WriteEnhanced(w io.Writer, o Enhanced) error {
	enc, err := dicomwrite.EncodingOf(o.Syntax)
	if err != nil {
		return err
	}
	format := dicomwrite.NewPixelFormat(o.BitsAllocated, o.BitsStored, o.Signed)
	if err := o.fill(format); err != nil {
		return err
	}
	var pixels []byte
	for n, f := range o.Frames {
		if pixels, err = format.Pack(pixels, f.Pixels, enc); err != nil {
			return fmt.Errorf("frame %d: %w", n+1, err)
		}
	}
	l := dicomwrite.List{}
	o.describe(&l)
	if !o.Legacy {
		o.describeSequence(&l)
	}
	if err := o.describeFrames(&l); err != nil {
		return err
	}
	o.Grid.Describe(&l)
	format.Describe(&l)
	format.DescribeData(&l, pixels)
	return l.WriteFile(w, enc, o.Overrides)
}

// Instance returns the class and UID of the object, to refer to it.
func (o *Enhanced) Instance() dicomwrite.Instance {
	if o.Legacy {
		return dicomwrite.Instance{Class: legacyConvertedMRStorage, UID: o.InstanceUID}
	}
	return dicomwrite.Instance{Class: enhancedMRImageStorage, UID: o.InstanceUID}
}

// fill sets the defaults in a copy of the frames, and checks the assumptions of the writer.
func (o *Enhanced) fill(format dicomwrite.PixelFormat) error {
	if err := o.CheckUIDs(o.InstanceUID); err != nil {
		return err
	}
	if err := format.Check(8, 16); err != nil {
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
		if err := o.Grid.Check(len(f.Pixels)); err != nil {
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

// describe lists the attributes that belong neither to frames nor to the pulse sequence.
func (o *Enhanced) describe(l *dicomwrite.List) {
	o.Series.Describe(l, "MR", o.Instance())
	o.DescribeTrialModule(l)
	o.DescribeEnhancedEquipment(l)
	l.Text(tag.PositionReferenceIndicator) // type 2, unknown
	l.Text(tag.PatientPosition, "FFS")
	l.Text(tag.InstanceNumber, strconv.Itoa(o.InstanceNumber))
	l.Text(tag.ContentDate, noDate)
	l.Text(tag.ContentTime, noTime)
	l.Text(tag.AcquisitionDateTime, noDateTime)
	l.Text(tag.NumberOfFrames, strconv.Itoa(len(o.Frames)))
	l.Text(tag.BurnedInAnnotation, "NO")
	l.Text(tag.LossyImageCompression, "00")
	l.Text(tag.PresentationLUTShape, "IDENTITY")
	l.Sequence(tag.AcquisitionContextSequence)
	describeContrast(l, tag.ImageType, o.imageType(), o.component())
}

// describeContrast lists the Common CT/MR Image Description macro (PS3.3
// C.8.16.2) and the MR one (C.8.13.3.1), of the object or of a frame.
func describeContrast(l *dicomwrite.List, kind tag.Tag, values []string, component string) {
	l.Text(kind, values...)
	l.Text(tag.PixelPresentation, "MONOCHROME")
	l.Text(tag.VolumetricProperties, "VOLUME")
	l.Text(tag.VolumeBasedCalculationTechnique, "NONE")
	l.Text(tag.ComplexImageComponent, component)
	l.Text(tag.AcquisitionContrast, "T2")
}

// imageType returns the type of all frames, with MIXED for each value in which they differ
// (PS3.3 C.8.16.1).
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
func (o *Enhanced) describeSequence(l *dicomwrite.List) {
	l.Numbers(tag.MagneticFieldStrength, o.FieldStrength)
	l.Doubles(tag.AcquisitionDuration, o.duration()/1000)
	l.Text(tag.ResonantNucleus, "1H")
	l.Text(tag.KSpaceFiltering, "NONE")
	l.Text(tag.ContentQualification, "RESEARCH")
	l.Text(tag.ApplicableSafetyStandardAgency, "IEC")
	l.Text(tag.PulseSequenceName, "SE")
	l.Text(tag.MRAcquisitionType, "2D")
	l.Text(tag.EchoPulseSequence, "SPIN")
	l.Text(tag.MultipleSpinEcho, "YES")
	l.Text(tag.GeometryOfKSpaceTraversal, "RECTILINEAR")
	l.Text(tag.SegmentedKSpaceTraversal, "SINGLE")
	l.Text(tag.RectilinearPhaseEncodeReordering, "LINEAR")
	l.Short(tag.NumberOfKSpaceTrajectories, 1)
	for _, t := range []tag.Tag{
		tag.MultiPlanarExcitation, tag.PhaseContrast, tag.TimeOfFlightContrast,
		tag.EchoPlanarPulseSequence, tag.SaturationRecovery,
	} {
		l.Text(t, "NO")
	}
	for _, t := range []tag.Tag{
		tag.SteadyStatePulseSequence, tag.SpectrallySelectedSuppression, tag.OversamplingPhase,
	} {
		l.Text(t, "NONE")
	}
}

// duration returns the duration of the scan in ms: one excitation for each row of k-space.
func (o *Enhanced) duration() float64 { return o.TR * float64(o.Columns) }

// describeFrames lists the dimensions and the functional groups.
func (o *Enhanced) describeFrames(l *dicomwrite.List) error {
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

// dimensions are the stack, the slice, the echo and, if there are several, the component.
func (o *Enhanced) dimensions() dimensions {
	echo := dimension{tag.EffectiveEchoTime, tag.MREchoSequence, "Effective Echo Time"}
	if o.Legacy {
		echo = dimension{tag.EchoTime, tag.UnassignedPerFrameConvertedAttributesSequence, "Echo Time"}
	}
	d := dimensions{list: []dimension{stackDimension, sliceDimension, echo}}
	var slice, te []float64
	var component []string
	for _, f := range o.Frames {
		slice = append(slice, normalCoordinate(o.Grid, f.Position))
		te = append(te, f.TE)
		component = append(component, f.Component)
	}
	slices, echoes, components := ranks(slice), ranks(te), ranks(component)
	several := o.component() == "MIXED"
	if several {
		d.list = append(d.list, dimension{tag.ComplexImageComponent, tag.MRImageFrameTypeSequence,
			"Complex Image Component"})
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

// ranks returns for each value its rank among the distinct values, from 1.
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
