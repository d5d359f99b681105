package dicomio

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"
	"github.com/suyashkumar/dicom/pkg/uid"
)

// Image is one classic single-frame MR image (MR Image Storage, PS3.3 A.4) to
// be written by WriteImage. Patient name, birth date, sex, dates and accession
// number are written empty.
type Image struct {
	// Syntax is the transfer syntax UID: implicit little endian, explicit
	// little endian, explicit big endian or deflated explicit little endian;
	// "" is explicit little endian.
	Syntax string

	// StudyUID, SeriesUID and InstanceUID must be set. FrameOfReferenceUID is
	// left out when empty.
	StudyUID, SeriesUID, InstanceUID, FrameOfReferenceUID string

	// PatientID is written even when empty.
	PatientID string
	// TrialSponsor, TrialProtocol, TrialSubject and TrialTimepoint are the
	// clinical-trial attributes (0012,0010/0020/0040/0050), left out when empty.
	TrialSponsor, TrialProtocol, TrialSubject, TrialTimepoint string
	// BodyPart is BodyPartExamined, left out when empty.
	BodyPart string
	// Laterality is R, L or empty; it is written even when empty.
	Laterality string

	// Manufacturer and Model are written even when empty, SeriesDescription
	// and StudyDescription are left out when empty.
	Manufacturer, Model, StudyDescription, SeriesDescription string
	// SeriesNumber, InstanceNumber, EchoNumber and EchoTrainLength are left
	// out when 0.
	SeriesNumber, InstanceNumber, EchoNumber, EchoTrainLength int
	// ImageType is ORIGINAL\PRIMARY\M\SE when nil.
	ImageType []string

	// TE and TR are in ms. TE is always written, TR is left out when 0.
	TE, TR float64
	// FieldStrength is in tesla, left out when 0.
	FieldStrength float64

	// Rows and Columns are the size of the image in pixels.
	Rows, Columns int
	// PixelSpacing holds the distance between rows and that between columns in
	// mm, in DICOM's order.
	PixelSpacing [2]float64
	// Position is the position of the centre of the first pixel, mm LPS.
	Position [3]float64
	// Orientation holds the direction of a row (towards growing column index)
	// and that of a column, LPS.
	Orientation [6]float64
	// SliceThickness and SpacingBetweenSlices are in mm, left out when 0.
	SliceThickness, SpacingBetweenSlices float64

	// BitsAllocated is 8 or 16, BitsStored at most as much; 0 means 16, or as
	// many as BitsAllocated.
	BitsAllocated, BitsStored int
	// Signed says that pixels are two's complement; unused high bits repeat
	// the sign.
	Signed bool
	// RescaleSlope and RescaleIntercept are both left out when the slope is 0.
	RescaleSlope, RescaleIntercept float64
	// WindowCenter and WindowWidth are both left out when the width is 0.
	WindowCenter, WindowWidth float64
	// Pixels holds the stored values (before the rescale), Rows·Columns of
	// them, row by row.
	Pixels []int32

	// Overrides replace, add or leave out attributes at the very end, so that
	// a test can write a file that is wrong in one place.
	Overrides []Override
}

// Override is a change to one attribute of an image.
type Override struct {
	// Keyword names the attribute as PS3.6 does: EchoTime.
	Keyword string
	// Values are written as they stand; nil leaves the attribute out, an empty
	// list writes it without a value. Attributes with sequences or bytes can
	// only be left out.
	Values []string
}

// implementationUID names this writer in file meta groups; a random UUID once
// drawn for it, in the form of PS3.5 B.2.
const implementationUID = "2.25.183948771032570612288934127710556231947"

const implementationName = "T2MAP"

// mrImageStorage is the SOP class of PS3.4 B.5, MR Image Storage.
const mrImageStorage = "1.2.840.10008.5.1.4.1.1.4"

// maxDS is the longest value of a decimal string (PS3.5 table 6.2-1, DS).
const maxDS = 16

// WriteImage writes the image as a DICOM file (PS3.10) with preamble and file
// meta group. The same image gives the same bytes. Decimal strings hold as many
// digits as fit into 16 characters, which keeps a position in the metre to
// 1e-9 mm. Errors: an unknown transfer syntax or keyword, missing UIDs, a size
// that disagrees with the number of pixels, a pixel that does not fit into the
// stored bits, numbers that are not finite, and those of w.
func WriteImage(w io.Writer, im Image) error {
	enc, err := encodingOf(im.Syntax)
	if err != nil {
		return err
	}
	if err := im.fill(); err != nil {
		return err
	}
	pixels, err := im.pixelBytes(enc.order)
	if err != nil {
		return err
	}
	l := attributeList{}
	im.describe(&l)
	im.describeAcquisition(&l)
	im.describePixels(&l, pixels)
	if l.err != nil {
		return l.err
	}
	for _, o := range im.Overrides {
		if err := l.override(o); err != nil {
			return fmt.Errorf("override %s: %w", o.Keyword, err)
		}
	}
	var file bytes.Buffer
	file.Grow(len(pixels) + 4096) // the attributes take about 2 kB
	if err := l.write(&file, enc); err != nil {
		return err
	}
	_, err = w.Write(file.Bytes())
	return err
}

// encoding is how a transfer syntax lays out the data set.
type encoding struct {
	syntax   string
	order    binary.ByteOrder
	implicit bool
	deflated bool
}

func encodingOf(syntax string) (encoding, error) {
	switch syntax {
	case "", uid.ExplicitVRLittleEndian:
		return encoding{syntax: uid.ExplicitVRLittleEndian, order: binary.LittleEndian}, nil
	case uid.ImplicitVRLittleEndian:
		return encoding{syntax: syntax, order: binary.LittleEndian, implicit: true}, nil
	case uid.ExplicitVRBigEndian:
		return encoding{syntax: syntax, order: binary.BigEndian}, nil
	case uid.DeflatedExplicitVRLittleEndian:
		return encoding{syntax: syntax, order: binary.LittleEndian, deflated: true}, nil
	}
	return encoding{}, fmt.Errorf("TransferSyntaxUID %v: writing %q is not supported", tag.TransferSyntaxUID, syntax)
}

// fill sets the defaults that stand on the fields and checks what the rest of
// the writer relies on.
func (im *Image) fill() error {
	for _, u := range []struct {
		tag   tag.Tag
		value string
	}{
		{tag.StudyInstanceUID, im.StudyUID}, {tag.SeriesInstanceUID, im.SeriesUID}, {tag.SOPInstanceUID, im.InstanceUID},
	} {
		if u.value == "" {
			return fmt.Errorf("%s %v: missing", tag.MustFind(u.tag).Keyword, u.tag)
		}
	}
	if im.ImageType == nil {
		im.ImageType = []string{"ORIGINAL", "PRIMARY", "M", "SE"}
	}
	if im.BitsAllocated == 0 {
		im.BitsAllocated = 16
	}
	if im.BitsStored == 0 {
		im.BitsStored = im.BitsAllocated
	}
	if im.BitsAllocated != 8 && im.BitsAllocated != 16 {
		return fmt.Errorf("BitsAllocated: got %d, want 8 or 16", im.BitsAllocated)
	}
	if im.BitsStored < 1 || im.BitsStored > im.BitsAllocated {
		return fmt.Errorf("BitsStored: got %d, want 1 to %d", im.BitsStored, im.BitsAllocated)
	}
	if im.Rows < 1 || im.Columns < 1 || im.Rows > math.MaxUint16 || im.Columns > math.MaxUint16 {
		return fmt.Errorf("size: got %d rows of %d, want 1 to %d of each", im.Rows, im.Columns, math.MaxUint16)
	}
	if len(im.Pixels) != im.Rows*im.Columns {
		return fmt.Errorf("pixels: got %d, want %d rows of %d", len(im.Pixels), im.Rows, im.Columns)
	}
	return nil
}

// pixelBytes lays the pixels out in the byte order of the file, with a zero
// byte at the end where their number would be odd (PS3.5 8.1.1).
func (im *Image) pixelBytes(order binary.ByteOrder) ([]byte, error) {
	lo, hi := int32(0), int32(1)<<im.BitsStored-1
	if im.Signed {
		lo, hi = -(int32(1) << (im.BitsStored - 1)), int32(1)<<(im.BitsStored-1)-1
	}
	for v, p := range im.Pixels {
		if p < lo || p > hi {
			return nil, fmt.Errorf("pixel %d: got %d, want %d to %d", v, p, lo, hi)
		}
	}
	if im.BitsAllocated == 8 {
		raw := make([]byte, (len(im.Pixels)+1)&^1)
		for v, p := range im.Pixels {
			raw[v] = byte(p)
		}
		return raw, nil
	}
	raw := make([]byte, 2*len(im.Pixels))
	if order == binary.BigEndian {
		for v, p := range im.Pixels {
			binary.BigEndian.PutUint16(raw[2*v:], uint16(p))
		}
		return raw, nil
	}
	for v, p := range im.Pixels {
		binary.LittleEndian.PutUint16(raw[2*v:], uint16(p))
	}
	return raw, nil
}

// describe lists the attributes of patient, trial, study, series and equipment.
func (im *Image) describe(l *attributeList) {
	l.text(tag.SpecificCharacterSet, "ISO_IR 192") // UTF-8
	l.text(tag.ImageType, im.ImageType...)
	l.text(tag.SOPClassUID, mrImageStorage)
	l.text(tag.SOPInstanceUID, im.InstanceUID)
	// Type 2 attributes are present without a value when they are unknown.
	for _, t := range []tag.Tag{
		tag.StudyDate, tag.StudyTime, tag.AccessionNumber, tag.ReferringPhysicianName,
		tag.PatientName, tag.PatientBirthDate, tag.PatientSex, tag.StudyID, tag.PositionReferenceIndicator,
	} {
		l.text(t)
	}
	l.text(tag.Modality, "MR")
	l.text(tag.Manufacturer, im.Manufacturer)
	l.text(tag.ManufacturerModelName, im.Model)
	l.textIfSet(tag.StudyDescription, im.StudyDescription)
	l.textIfSet(tag.SeriesDescription, im.SeriesDescription)
	l.text(tag.PatientID, im.PatientID)
	l.textIfSet(tag.ClinicalTrialSponsorName, im.TrialSponsor)
	l.textIfSet(tag.ClinicalTrialProtocolID, im.TrialProtocol)
	l.textIfSet(tag.ClinicalTrialSubjectID, im.TrialSubject)
	l.textIfSet(tag.ClinicalTrialTimePointID, im.TrialTimepoint)
	l.textIfSet(tag.BodyPartExamined, im.BodyPart)
	l.text(tag.PatientPosition, "FFS")
	l.text(tag.StudyInstanceUID, im.StudyUID)
	l.text(tag.SeriesInstanceUID, im.SeriesUID)
	l.textIfSet(tag.FrameOfReferenceUID, im.FrameOfReferenceUID)
	l.wholeIfSet(tag.SeriesNumber, im.SeriesNumber)
	l.wholeIfSet(tag.InstanceNumber, im.InstanceNumber)
	l.text(tag.Laterality, im.Laterality)
}

// describeAcquisition lists timing and geometry.
func (im *Image) describeAcquisition(l *attributeList) {
	l.text(tag.ScanningSequence, "SE")
	l.text(tag.SequenceVariant, "NONE")
	l.text(tag.ScanOptions)
	l.text(tag.MRAcquisitionType, "2D")
	l.numbers(tag.EchoTime, im.TE)
	l.numberIfSet(tag.RepetitionTime, im.TR)
	l.wholeIfSet(tag.EchoNumbers, im.EchoNumber)
	l.wholeIfSet(tag.EchoTrainLength, im.EchoTrainLength)
	l.numberIfSet(tag.MagneticFieldStrength, im.FieldStrength)
	l.numberIfSet(tag.SliceThickness, im.SliceThickness)
	l.numberIfSet(tag.SpacingBetweenSlices, im.SpacingBetweenSlices)
	l.numbers(tag.ImagePositionPatient, im.Position[:]...)
	l.numbers(tag.ImageOrientationPatient, im.Orientation[:]...)
	l.numbers(tag.PixelSpacing, im.PixelSpacing[:]...)
}

// describePixels lists the image pixel module and the rescale.
func (im *Image) describePixels(l *attributeList, pixels []byte) {
	l.text(tag.PhotometricInterpretation, "MONOCHROME2")
	l.short(tag.SamplesPerPixel, 1)
	l.short(tag.Rows, im.Rows)
	l.short(tag.Columns, im.Columns)
	l.short(tag.BitsAllocated, im.BitsAllocated)
	l.short(tag.BitsStored, im.BitsStored)
	l.short(tag.HighBit, im.BitsStored-1)
	representation := 0
	if im.Signed {
		representation = 1
	}
	l.short(tag.PixelRepresentation, representation)
	if im.RescaleSlope != 0 {
		l.numbers(tag.RescaleSlope, im.RescaleSlope)
		l.numbers(tag.RescaleIntercept, im.RescaleIntercept)
		l.text(tag.RescaleType, "US") // unspecified units, PS3.3 C.11.1.1.2
	}
	if im.WindowWidth != 0 {
		l.numbers(tag.WindowCenter, im.WindowCenter)
		l.numbers(tag.WindowWidth, im.WindowWidth)
	}
	vr := "OW"
	if im.BitsAllocated == 8 {
		vr = "OB" // bytes in both byte orders, never swapped in pairs
	}
	l.add(tag.PixelData, vr, dicom.PixelDataInfo{IntentionallyUnprocessed: true, UnprocessedValueData: pixels})
}
