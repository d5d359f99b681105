package dicomtest

import (
	"bytes"
	"io"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/suyashkumar/dicom/pkg/uid"

	"github.com/t2map/t2map/internal/dicomtest/tools"
	"github.com/t2map/t2map/volume"

	"github.com/t2map/t2map/dicomio/dicomwrite"
)

// twoSegments has three frames of 15 pixels, so that neither rows nor frames
// begin at a byte; the segments overlap in the last.
func twoSegments(kind string) Segmentation {
	e := obliqueEnhanced()
	tissue, cartilage := volume.Code{Value: "85756007", Scheme: "SCT", Meaning: "Tissue"},
		volume.Code{Value: "309312004", Scheme: "SCT", Meaning: "Cartilage"}
	s := Segmentation{
		Series: e.Series, Grid: e.Grid, InstanceUID: "2.25.77", Type: kind,
		SourceSeriesUID: e.SeriesUID, Sources: []dicomwrite.Instance{e.Instance()},
		Segments: []Segment{
			{
				Number: 1, Label: "medial", Category: tissue, Property: cartilage,
				Region:   volume.Code{Value: "72696002", Scheme: "SCT", Meaning: "Knee"},
				Modifier: volume.Code{Value: "255561001", Scheme: "SCT", Meaning: "Medial"}, Algorithm: "AUTOMATIC",
			},
			{Number: 2, Label: "größe", Category: tissue, Property: cartilage},
		},
	}
	s.SeriesUID = "2.25.78"
	if kind == SegmentationLabelMap {
		s.Segments[1].Number = 7 // numbers may leave gaps in label maps alone
	}
	for n, segment := range []int{1, 2, 2} {
		f := SegmentFrame{
			Segment: segment, Position: e.Frames[n].Position, Sources: s.Sources,
			Pixels: []uint16{0, 1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1},
		}
		if kind == SegmentationLabelMap {
			f.Pixels[4] = 7
		}
		if kind == SegmentationFractional {
			f.Pixels[4] = uint16(80 * (n + 1))
		}
		f.Pixels[n] ^= 1
		s.Frames = append(s.Frames, f)
	}
	return s
}

const pydicomSegmentation = `
import sys, json, pydicom
def code(c):
    return [c.CodeValue, c.CodingSchemeDesignator, c.CodeMeaning]
def read(path):
    d = pydicom.dcmread(path)
    try:
        pixels = d.pixel_array.reshape(int(d.NumberOfFrames), -1).tolist()
    except ImportError:
        pixels = None
    shared, segments, frames = d.SharedFunctionalGroupsSequence[0], [], []
    for s in d.SegmentSequence:
        region = s.get('AnatomicRegionSequence')
        modifier = region and region[0].get('AnatomicRegionModifierSequence')
        segments.append(dict(number=int(s.SegmentNumber), label=s.SegmentLabel, algorithm=s.SegmentAlgorithmType,
            category=code(s.SegmentedPropertyCategoryCodeSequence[0]),
            property=code(s.SegmentedPropertyTypeCodeSequence[0]),
            region=region and code(region[0]), modifier=modifier and code(modifier[0])))
    for n, own in enumerate(d.PerFrameFunctionalGroupsSequence):
        def group(name):
            return getattr(own if name in own else shared, name)[0]
        frames.append(dict(position=[float(v) for v in group('PlanePositionSequence').ImagePositionPatient],
            segment='SegmentIdentificationSequence' in own and int(
                own.SegmentIdentificationSequence[0].ReferencedSegmentNumber) or 0,
            source=group('DerivationImageSequence').SourceImageSequence[0].ReferencedSOPInstanceUID,
            orientation=[float(v) for v in group('PlaneOrientationSequence').ImageOrientationPatient],
            pixels=pixels and pixels[n]))
    r = d.ReferencedSeriesSequence[0]
    return dict(**{'class': str(d.SOPClassUID)}, type=d.SegmentationType, bits=int(d.BitsAllocated), segments=segments,
        frames=frames,
        maximum=int(d.get('MaximumFractionalValue', 0)), series=r.SeriesInstanceUID, frame=d.FrameOfReferenceUID,
        instances=[i.ReferencedSOPInstanceUID for i in r.ReferencedInstanceSequence])
print(json.dumps([read(path) for path in sys.argv[1:]]))
`

type pydicomSegment struct {
	Number                               int
	Label, Algorithm                     string
	Category, Property, Region, Modifier []string
}

type pydicomSegmentFrame struct {
	Position    [3]float64
	Orientation [6]float64
	Segment     int
	Source      string
	Pixels      []uint16
}

type pydicomSegmentationObject struct {
	Class, Type, Series, Frame string
	Bits, Maximum              int
	Segments                   []pydicomSegment
	Frames                     []pydicomSegmentFrame
	Instances                  []string
}

func wantSegmentation(s Segmentation) pydicomSegmentationObject {
	w := pydicomSegmentationObject{
		Class: s.Instance().Class, Type: s.Type, Series: s.SourceSeriesUID, Frame: s.FrameOfReferenceUID,
		Bits: map[string]int{SegmentationBinary: 1, SegmentationFractional: 8, SegmentationLabelMap: 8}[s.Type],
	}
	if s.Type == SegmentationFractional {
		w.Maximum = 255
	}
	texts := func(c volume.Code) []string {
		if c.Value == "" {
			return nil
		}
		return []string{c.Value, c.Scheme, c.Meaning}
	}
	for _, g := range s.Segments {
		p := pydicomSegment{
			Number: g.Number, Label: g.Label, Algorithm: g.Algorithm, Category: texts(g.Category),
			Property: texts(g.Property), Region: texts(g.Region), Modifier: texts(g.Modifier),
		}
		if p.Algorithm == "" {
			p.Algorithm = "MANUAL"
		}
		w.Segments = append(w.Segments, p)
	}
	for _, f := range s.Frames {
		p := pydicomSegmentFrame{
			Position: f.Position, Orientation: s.Orientation, Segment: f.Segment, Source: f.Sources[0].UID,
			Pixels: f.Pixels,
		}
		if s.Type == SegmentationLabelMap {
			p.Segment = 0
		}
		w.Frames = append(w.Frames, p)
	}
	for _, i := range s.Sources {
		w.Instances = append(w.Instances, i.UID)
	}
	return w
}

func TestWrittenSegmentationIsReadBackByPydicom(t *testing.T) {
	tools.Python(t, "pydicom", "numpy")
	for _, kind := range []string{SegmentationBinary, SegmentationFractional, SegmentationLabelMap} {
		t.Run(kind, func(t *testing.T) {
			var paths []string
			for _, syntax := range writtenSyntaxes {
				s := twoSegments(kind)
				s.Syntax = syntax.uid
				path := filepath.Join(t.TempDir(), "seg.dcm")
				writeTo(t, path, func(w io.Writer) error { return WriteSegmentation(w, s) })
				paths = append(paths, path)
			}
			var got []pydicomSegmentationObject
			tools.RunPydicom(t, &got, pydicomSegmentation, paths...)
			for i, syntax := range writtenSyntaxes {
				want := wantSegmentation(twoSegments(kind))
				if got[i].Frames[0].Pixels == nil {
					t.Log("python has no numpy: pixels are not compared")
					for n := range want.Frames {
						want.Frames[n].Pixels = nil
					}
				}
				if diff := cmp.Diff(want, got[i], cmpopts.EquateApprox(0, 1e-9)); diff != "" {
					t.Errorf("%s (-written +read):\n%s", syntax.name, diff)
				}
			}
		})
	}
}

// A label map with a segment above 255 takes 16 bits.
func TestLabelMapOf16Bits(t *testing.T) {
	s := twoSegments(SegmentationLabelMap)
	s.Segments[1].Number, s.Frames[1].Pixels[4] = 300, 300
	s.Frames[0].Pixels[4], s.Frames[2].Pixels[4] = 0, 0
	path := filepath.Join(t.TempDir(), "seg.dcm")
	writeTo(t, path, func(w io.Writer) error { return WriteSegmentation(w, s) })
	var got []pydicomSegmentationObject
	tools.RunPydicom(t, &got, pydicomSegmentation, path)
	want := wantSegmentation(s)
	want.Bits = 16
	if diff := cmp.Diff(want, got[0], cmpopts.EquateApprox(0, 1e-9)); diff != "" && got[0].Frames[0].Pixels != nil {
		t.Errorf("segmentation (-written +read):\n%s", diff)
	}
}

func TestWrittenSegmentationConforms(t *testing.T) {
	for _, kind := range []string{SegmentationBinary, SegmentationFractional} { // dciodvfy does not know label maps
		for _, syntax := range []string{uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian,
			uid.ExplicitVRBigEndian} {
			t.Run(kind+" "+syntax, func(t *testing.T) {
				s := twoSegments(kind)
				s.Syntax = syntax
				path := filepath.Join(t.TempDir(), "seg.dcm")
				writeTo(t, path, func(w io.Writer) error { return WriteSegmentation(w, s) })
				checkConforms(t, path)
			})
		}
	}
}

func TestSameSegmentationSameBytes(t *testing.T) {
	s := twoSegments("")
	var one, two bytes.Buffer
	if err := WriteSegmentation(&one, s); err != nil {
		t.Fatal(err)
	}
	if err := WriteSegmentation(&two, s); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(twoSegments(""), s); diff != "" || !bytes.Equal(one.Bytes(), two.Bytes()) {
		t.Errorf("the same object gave other bytes, or writing changed it:\n%s", diff)
	}
}

func TestWriteSegmentationRefuses(t *testing.T) {
	for _, c := range []struct {
		name, kind, want string
		change           func(*Segmentation)
	}{
		{"type", "SURFACE", "segmentation type: got \"SURFACE\"", func(*Segmentation) {}},
		{"no series UID", "", "SeriesInstanceUID (0020,000e): missing", func(s *Segmentation) { s.SeriesUID = "" }},
		{"no segments", "", "segments: got none", func(s *Segmentation) { s.Segments = nil }},
		{"no frames", "", "frames: got none", func(s *Segmentation) { s.Frames = nil }},
		{"missing pixel", "", "frame 2: pixels: got 14",
			func(s *Segmentation) { s.Frames[1].Pixels = s.Frames[1].Pixels[1:] }},
		{"two in binary", "", "frame 2: pixel 3: got 2, want 0 to 1",
			func(s *Segmentation) { s.Frames[1].Pixels[3] = 2 }},
		{"above the maximum", SegmentationFractional, "frame 2: pixel 4: got 160, want 0 to 100",
			func(s *Segmentation) { s.MaximumFractional = 100 }},
		{"maximum", SegmentationFractional, "maximum fractional value: got 256",
			func(s *Segmentation) { s.MaximumFractional = 256 }},
		{"unknown segment", "", "frame 1: segment 3 is not described",
			func(s *Segmentation) { s.Frames[0].Segment = 3 }},
		{"unknown label", SegmentationLabelMap, "frame 1: pixel 4: segment 9 is not described",
			func(s *Segmentation) { s.Frames[0].Pixels[4] = 9 }},
		{"NaN", "", "ImagePositionPatient (0020,0032): got NaN",
			func(s *Segmentation) { s.Frames[0].Position[0] = math.NaN() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := twoSegments(c.kind)
			c.change(&s)
			var out bytes.Buffer
			err := WriteSegmentation(&out, s)
			if err == nil || !strings.Contains(err.Error(), c.want) || out.Len() != 0 {
				t.Errorf("got %v and %d bytes, want an error with %q and none", err, out.Len(), c.want)
			}
		})
	}
}
