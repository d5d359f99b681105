package dicomio

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/volume"
)

// unitGrid is a grid of 1 mm voxels along the axes of the patient.
func unitGrid(nx, ny, nz int) volume.Geometry {
	return volume.Geometry{Size: [3]int{nx, ny, nz}, Affine: [3][4]float64{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}}}
}

// partTen puts preamble and meta group before a data set.
func partTen(dataSet []byte, class, syntax string) []byte {
	meta := fields{}.add(tag.MediaStorageSOPClassUID, "UI", class).add(tag.TransferSyntaxUID, "UI", syntax)
	out := append(make([]byte, 128), "DICM"...)
	out = append(out, 2, 0, 0, 0, 'U', 'L', 4, 0)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(meta)))
	return append(append(out, meta...), dataSet...)
}

// fields are data fields in explicit little endian.
type fields []byte

// add adds an element. Values are text, whole numbers (US), bytes, or the items of a
// sequence. They may be in any order, which no reader here checks.
func (e fields) add(t tag.Tag, vr string, value any) fields {
	var raw []byte
	switch v := value.(type) {
	case string:
		if raw = []byte(v); len(raw)%2 != 0 {
			raw = append(raw, ' ')
			if vr == "UI" {
				raw[len(raw)-1] = 0
			}
		}
	case int:
		raw = binary.LittleEndian.AppendUint16(nil, uint16(v))
	case []byte:
		if raw = v; len(raw)%2 != 0 {
			raw = append(raw, 0)
		}
	case []fields:
		for _, item := range v {
			raw = append(raw, 0xFE, 0xFF, 0, 0xE0)
			raw = binary.LittleEndian.AppendUint32(raw, uint32(len(item)))
			raw = append(raw, item...)
		}
	default:
		panic(fmt.Sprintf("%T", value))
	}
	e = binary.LittleEndian.AppendUint16(e, t.Group)
	e = binary.LittleEndian.AppendUint16(e, t.Element)
	e = append(e, vr...)
	switch vr {
	case "OB", "OW", "SQ", "UN", "UT":
		e = binary.LittleEndian.AppendUint32(append(e, 0, 0), uint32(len(raw)))
	default:
		e = binary.LittleEndian.AppendUint16(e, uint16(len(raw)))
	}
	return append(e, raw...)
}

func (e fields) sequence(t tag.Tag, items ...fields) fields { return e.add(t, "SQ", items) }

// coded returns an item of a code sequence.
func coded(scheme, value string) fields {
	return fields{}.add(tag.CodeValue, "SH", value).add(tag.CodingSchemeDesignator, "SH", scheme).add(tag.CodeMeaning,
		"LO", "meaning")
}

func decimals(v ...float64) string {
	parts := make([]string, len(v))
	for i, x := range v {
		parts[i] = fmt.Sprintf("%.12g", x)
	}
	return strings.Join(parts, `\`)
}

// testFrame is a frame of a testSEG.
type testFrame struct {
	segment  int
	position [3]float64
	pixels   []byte // one value per pixel, in a label map of 16 bits two bytes
}

// testSEG is a segmentation for tests. Its zero values are those of a binary one
// that lies on unitGrid(columns, rows, …).
type testSEG struct {
	kind          string
	class         string
	rows, columns int
	bits          int
	orientation   [6]float64
	spacing       [2]float64
	segments      []fields
	frames        []testFrame
	others        fields     // further fields of the data set
	series, frame string     // on which it was drawn
	ownGroups     bool       // orientation and spacing are in each frame's groups
	sharedSource  string     // image from which all frames were made
	sources       [][]string // images from which each frame was made
}

// segment returns an item of SegmentSequence.
func segment(number int, label string) fields {
	return fields{}.add(tag.SegmentNumber, "US", number).add(tag.SegmentLabel, "LO", label)
}

// madeFrom returns a functional group that names images.
func madeFrom(images ...string) fields {
	var items []fields
	for _, uid := range images {
		items = append(items, fields{}.add(tag.ReferencedSOPInstanceUID, "UI", uid))
	}
	return fields{}.sequence(tag.DerivationImageSequence, fields{}.sequence(tag.SourceImageSequence, items...))
}

// bytes returns the file.
func (s testSEG) bytes() []byte {
	if s.kind == "" {
		s.kind = binaryType
	}
	if s.class == "" {
		s.class = segmentationClass
	}
	if s.bits == 0 {
		s.bits = map[string]int{binaryType: 1}[s.kind]
		if s.bits == 0 {
			s.bits = 8
		}
	}
	if s.orientation == ([6]float64{}) {
		s.orientation = [6]float64{1, 0, 0, 0, 1, 0}
	}
	if s.spacing == ([2]float64{}) {
		s.spacing = [2]float64{1, 1}
	}
	plane := fields{}.sequence(tag.PlaneOrientationSequence,
		fields{}.add(tag.ImageOrientationPatient, "DS", decimals(s.orientation[:]...))).
		sequence(tag.PixelMeasuresSequence, fields{}.add(tag.PixelSpacing, "DS", decimals(s.spacing[:]...)))
	shared, own := plane, fields{}
	if s.ownGroups {
		shared, own = own, shared
	}
	if s.sharedSource != "" {
		shared = append(shared, madeFrom(s.sharedSource)...)
	}
	var groups []fields
	var pixels []byte
	bit := 0
	for n, f := range s.frames {
		g := append(fields{}, own...)
		g = g.sequence(tag.PlanePositionSequence, fields{}.add(tag.ImagePositionPatient, "DS",
			decimals(f.position[:]...)))
		if s.kind != labelMapType {
			g = g.sequence(tag.SegmentIdentificationSequence,
				fields{}.add(tag.ReferencedSegmentNumber, "US", f.segment))
		}
		if n < len(s.sources) {
			g = append(g, madeFrom(s.sources[n]...)...)
		}
		groups = append(groups, g)
		if s.bits != 1 {
			pixels = append(pixels, f.pixels...)
			continue
		}
		for _, p := range f.pixels { // rows and frames follow each other bit by bit
			if bit%8 == 0 {
				pixels = append(pixels, 0)
			}
			pixels[len(pixels)-1] |= p << (bit % 8)
			bit++
		}
	}
	d := fields{}.add(tag.SOPClassUID, "UI", s.class).add(tag.StudyInstanceUID, "UI",
		"1.2.3").add(tag.SeriesInstanceUID, "UI", "1.2.3.9").
		add(tag.Modality, "CS", "SEG").add(tag.SegmentationType, "CS", s.kind).
		add(tag.SamplesPerPixel, "US", 1).add(tag.PhotometricInterpretation, "CS", "MONOCHROME2").
		add(tag.NumberOfFrames, "IS", fmt.Sprint(len(s.frames))).add(tag.Rows, "US", s.rows).add(tag.Columns, "US",
		s.columns).
		add(tag.BitsAllocated, "US", s.bits).add(tag.BitsStored, "US", s.bits).add(tag.HighBit, "US",
		s.bits-1).add(tag.PixelRepresentation, "US", 0).
		sequence(tag.SegmentSequence, s.segments...).sequence(tag.SharedFunctionalGroupsSequence, shared).
		sequence(tag.PerFrameFunctionalGroupsSequence, groups...)
	if s.frame != "" {
		d = d.add(tag.FrameOfReferenceUID, "UI", s.frame)
	}
	if s.series != "" {
		d = d.sequence(tag.ReferencedSeriesSequence, fields{}.add(tag.SeriesInstanceUID, "UI", s.series))
	}
	d = append(d, s.others...).add(tag.PixelData, "OB", pixels)
	return partTen(d, s.class, "1.2.840.10008.1.2.1")
}

// testContour is a contour of a testStructure.
type testContour struct {
	kind   string // CLOSED_PLANAR if empty
	data   string
	points int // NumberOfContourPoints, omitted if 0
}

// contourOf makes a contour from points of one plane.
func contourOf(z float64, xy ...float64) testContour {
	var v []float64
	for i := 0; i < len(xy); i += 2 {
		v = append(v, xy[i], xy[i+1], z)
	}
	return testContour{data: decimals(v...), points: len(xy) / 2}
}

type testStructure struct {
	number   int
	name     string
	frame    string
	contours []testContour
	observed fields // further fields of its observation
}

// structureSet returns a file with the structures, drawn on that series and frame
// of reference.
func structureSet(series, frame string, structures ...testStructure) []byte {
	return structureSetIn(series, frame, nil, structures...)
}

// structureSetIn is structureSet with further frames of reference, items of
// ReferencedFrameOfReferenceSequence.
func structureSetIn(series, frame string, others []fields, structures ...testStructure) []byte {
	var rois, drawn, observed []fields
	for _, s := range structures {
		roi := fields{}.add(tag.ROINumber, "IS", fmt.Sprint(s.number)).add(tag.ROIName, "LO", s.name)
		if s.frame != "" {
			roi = roi.add(tag.ReferencedFrameOfReferenceUID, "UI", s.frame)
		}
		rois = append(rois, roi)
		var contours []fields
		for _, c := range s.contours {
			if c.kind == "" {
				c.kind = "CLOSED_PLANAR"
			}
			e := fields{}.add(tag.ContourGeometricType, "CS", c.kind)
			if c.points != 0 {
				e = e.add(tag.NumberOfContourPoints, "IS", fmt.Sprint(c.points))
			}
			vr := "DS"
			if len(c.data) > 65534 {
				vr = "UN" // PS3.5 6.2.2: for values too long for their VR
			}
			contours = append(contours, e.add(tag.ContourData, vr, c.data))
		}
		number := fields{}.add(tag.ReferencedROINumber, "IS", fmt.Sprint(s.number))
		drawn = append(drawn, append(fields{}, number...).sequence(tag.ContourSequence, contours...))
		observed = append(observed, append(append(fields{}, number...), s.observed...))
	}
	d := fields{}.add(tag.SOPClassUID, "UI", structureSetClass).add(tag.StudyInstanceUID, "UI",
		"1.2.3").add(tag.SeriesInstanceUID, "UI", "1.2.3.9").
		add(tag.Modality, "CS", "RTSTRUCT")
	groups := fields{}
	if frame != "" {
		groups = groups.add(tag.FrameOfReferenceUID, "UI", frame)
	}
	if series != "" {
		groups = groups.sequence(tag.RTReferencedStudySequence,
			fields{}.sequence(tag.RTReferencedSeriesSequence, fields{}.add(tag.SeriesInstanceUID, "UI", series)))
	}
	d = d.sequence(tag.ReferencedFrameOfReferenceSequence, append([]fields{groups},
		others...)...).sequence(tag.StructureSetROISequence, rois...).
		sequence(tag.ROIContourSequence, drawn...).sequence(tag.RTROIObservationsSequence, observed...)
	return partTen(d, structureSetClass, "1.2.840.10008.1.2.1")
}

// openBytes opens a mask from the bytes of a file.
func openBytes(t testing.TB, file []byte) MaskObject {
	t.Helper()
	m, err := OpenMaskObject(new(files.Tree), writeTemp(t, file), "mask.dcm")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func writeTemp(t testing.TB, file []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "mask.dcm")
	if err := os.WriteFile(path, file, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}
