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
	"github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"
	"github.com/suyashkumar/dicom/pkg/uid"

	"github.com/t2map/t2map/dicomio/dicomwrite"
	"github.com/t2map/t2map/internal/dicomtest/tools"
)

// obliqueEnhanced has three slices of two echoes of an odd number of pixels,
// out of order.
func obliqueEnhanced() Enhanced {
	im := obliqueImage()
	o := Enhanced{
		Series: im.Series, Grid: im.Grid, InstanceUID: im.InstanceUID, TR: im.TR, EchoTrainLength: 2,
		FieldStrength: im.FieldStrength, WindowCenter: 100, WindowWidth: 200,
	}
	s, c := math.Sincos(0.1234567)
	o.Orientation = [6]float64{-s, c, 0, c * s, s * s, -c}
	normal := normal(o.Grid)
	for n, at := range enhancedOrder {
		f := Frame{TE: 10.1 * float64(at.echo), Pixels: make([]int32, o.Rows*o.Columns)}
		for r := range f.Position {
			f.Position[r] = im.Position[r] + float64(at.slice)*im.SpacingBetweenSlices*normal[r]
		}
		for v := range f.Pixels {
			f.Pixels[v] = int32(100*n + v)
		}
		o.Frames = append(o.Frames, f)
	}
	return o
}

// enhancedOrder holds slice and echo of each frame of obliqueEnhanced, from 1.
var enhancedOrder = []struct{ slice, echo int }{{3, 2}, {1, 1}, {2, 2}, {3, 1}, {1, 2}, {2, 1}}

// philipsEnhanced differs in everything in which frames can differ: phase and magnitude,
// slopes, scale slopes.
func philipsEnhanced() Enhanced {
	o := obliqueEnhanced()
	o.Signed = true
	for n := range o.Frames {
		f := &o.Frames[n]
		f.RescaleSlope, f.ScaleSlope = 1/float64(n+3), 0.0078125*float64(n+1)
		if n%2 == 1 {
			f.Type, f.Component = []string{"ORIGINAL", "PRIMARY", "T2", "P"}, "PHASE"
			f.RescaleIntercept, f.Pixels[3] = -3142.5, -12
		}
	}
	return o
}

var enhancedKinds = []struct {
	name string
	make func() Enhanced
}{
	{"enhanced", obliqueEnhanced},
	{"philips", philipsEnhanced},
	{"all per frame", func() Enhanced { o := philipsEnhanced(); o.AllPerFrame = true; return o }},
	{"legacy", func() Enhanced { o := obliqueEnhanced(); o.Legacy = true; return o }},
	{"8 bits", func() Enhanced {
		o := obliqueEnhanced()
		o.BitsAllocated, o.Frames = 8, o.Frames[:1]
		return o
	}},
}

// Functional groups are looked up as in PS3.3 C.7.6.16.1: first those of the frame, then
// the shared ones.
const pydicomEnhanced = `
import sys, json, pydicom
from pydicom.tag import Tag
def read(path):
    d = pydicom.dcmread(path)
    try:
        pixels = d.pixel_array.reshape(int(d.NumberOfFrames), -1).tolist()
    except ImportError:
        pixels = None
    shared, frames = d.SharedFunctionalGroupsSequence[0], []
    for n, own in enumerate(d.PerFrameFunctionalGroupsSequence):
        def group(name):
            has = [g for g in (own, shared) if name in g]
            assert len(has) == 1, (name, len(has))
            return getattr(has[0], name)[0]
        if 'MREchoSequence' in own or 'MREchoSequence' in shared:
            te = float(group('MREchoSequence').EffectiveEchoTime)
        else:
            te = float(group('UnassignedPerFrameConvertedAttributesSequence').EchoTime)
        kind, content = group('MRImageFrameTypeSequence'), group('FrameContentSequence')
        value = group('PixelValueTransformationSequence')
        scale = 0
        if Tag(0x2005, 0x140f) in own:
            assert own[0x2005, 0x0014].value == 'Philips MR Imaging DD 005'
            item = own[0x2005, 0x140f].value[0]
            assert item[0x2005, 0x0010].value == 'Philips MR Imaging DD 001' and item[0x2005, 0x100e].VR in ('FL', 'UN')
            scale = float(item.private_block(0x2005, 'Philips MR Imaging DD 001')[0x0e].value)
        frames.append(dict(te=te, position=[float(v) for v in group('PlanePositionSequence').ImagePositionPatient],
            orientation=[float(v) for v in group('PlaneOrientationSequence').ImageOrientationPatient],
            spacing=[float(v) for v in group('PixelMeasuresSequence').PixelSpacing],
            slope=float(value.RescaleSlope), intercept=float(value.RescaleIntercept), scale=scale,
            type=list(kind.FrameType), component=kind.ComplexImageComponent,
            side=group('FrameAnatomySequence').FrameLaterality, slice=int(content.InStackPositionNumber),
            dimensions=[int(v) for v in content.DimensionIndexValues][:3], pixels=pixels and pixels[n]))
    return dict(syntax=str(d.file_meta.TransferSyntaxUID), **{'class': str(d.SOPClassUID)}, name=str(d.PatientName),
        birth=str(d.PatientBirthDate), subject=str(d.ClinicalTrialSubjectID), type=list(d.ImageType),
        component=str(d.ComplexImageComponent), frames=frames)
print(json.dumps([read(path) for path in sys.argv[1:]]))
`

type pydicomFrame struct {
	TE                      float64
	Position                [3]float64
	Orientation             [6]float64
	Spacing                 [2]float64
	Slope, Intercept, Scale float64
	Type                    []string
	Component, Side         string
	Slice                   int
	Dimensions, Pixels      []int32
}

type pydicomEnhancedObject struct {
	Syntax, Class, Name, Birth, Subject, Component string
	Type                                           []string
	Frames                                         []pydicomFrame
}

// wantEnhanced is the result expected from pydicom.
func wantEnhanced(o Enhanced, syntax string) pydicomEnhancedObject {
	w := pydicomEnhancedObject{
		Syntax: syntax, Class: o.Instance().Class, Subject: o.TrialSubject, Component: "MAGNITUDE",
		Type: []string{"ORIGINAL", "PRIMARY", "T2", "NONE"},
	}
	for n, f := range o.Frames {
		p := pydicomFrame{
			TE: f.TE, Position: f.Position, Orientation: o.Orientation, Spacing: o.PixelSpacing, Slope: f.RescaleSlope,
			Intercept: f.RescaleIntercept, Scale: f.ScaleSlope, Type: f.Type, Component: f.Component,
			Side:  o.Laterality,
			Slice: enhancedOrder[n].slice, Pixels: f.Pixels,
			Dimensions: []int32{1, int32(enhancedOrder[n].slice), int32(enhancedOrder[n].echo)},
		}
		if len(o.Frames) == 1 {
			p.Slice, p.Dimensions = 1, []int32{1, 1, 1}
		}
		if p.Slope == 0 {
			p.Slope = 1
		}
		if p.Component == "" {
			p.Component = "MAGNITUDE"
		}
		if p.Type == nil {
			p.Type = []string{"ORIGINAL", "PRIMARY", "T2", "NONE"}
		}
		if p.Component == "PHASE" {
			w.Component, w.Type = "MIXED", []string{"ORIGINAL", "PRIMARY", "T2", "MIXED"}
		}
		w.Frames = append(w.Frames, p)
	}
	return w
}

func TestWrittenEnhancedIsReadBackByPydicom(t *testing.T) {
	tools.Python(t, "pydicom", "numpy")
	for _, kind := range enhancedKinds {
		t.Run(kind.name, func(t *testing.T) {
			var paths []string
			for _, syntax := range writtenSyntaxes {
				o := kind.make()
				o.Syntax = syntax.uid
				path := filepath.Join(t.TempDir(), "enhanced.dcm")
				writeTo(t, path, func(w io.Writer) error { return WriteEnhanced(w, o) })
				paths = append(paths, path)
			}
			var got []pydicomEnhancedObject
			tools.RunPydicom(t, &got, pydicomEnhanced, paths...)
			for i, syntax := range writtenSyntaxes {
				want := wantEnhanced(kind.make(), syntax.uid)
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

func TestWrittenEnhancedConforms(t *testing.T) {
	for _, kind := range enhancedKinds {
		for _, syntax := range writtenSyntaxes {
			if syntax.uid == uid.DeflatedExplicitVRLittleEndian {
				continue // dciodvfy cannot inflate
			}
			t.Run(kind.name+" "+syntax.name, func(t *testing.T) {
				o := kind.make()
				o.Syntax = syntax.uid
				path := filepath.Join(t.TempDir(), "enhanced.dcm")
				writeTo(t, path, func(w io.Writer) error { return WriteEnhanced(w, o) })
				checkConforms(t, path)
			})
		}
	}
}

func TestSameEnhancedSameBytes(t *testing.T) {
	o := philipsEnhanced()
	var one, two bytes.Buffer
	if err := WriteEnhanced(&one, o); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(philipsEnhanced(), o); diff != "" {
		t.Errorf("writing changed the object (-before +after):\n%s", diff)
	}
	if err := WriteEnhanced(&two, o); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(one.Bytes(), two.Bytes()) {
		t.Error("the same object gave other bytes")
	}
}

// groupsOf returns the tags in the only shared and in the first per-frame item.
func groupsOf(t *testing.T, o Enhanced) (shared, first map[tag.Tag]*dicom.Element) {
	t.Helper()
	var file bytes.Buffer
	if err := WriteEnhanced(&file, o); err != nil {
		t.Fatal(err)
	}
	data, err := dicom.Parse(&file, int64(file.Len()), nil, dicom.SkipProcessingPixelDataValue())
	if err != nil {
		t.Fatal(err)
	}
	item := func(tg tag.Tag) map[tag.Tag]*dicom.Element {
		e, err := data.FindElementByTag(tg)
		if err != nil {
			t.Fatal(err)
		}
		found := map[tag.Tag]*dicom.Element{}
		for _, e := range e.Value.GetValue().([]*dicom.SequenceItemValue)[0].GetValue().([]*dicom.Element) {
			found[e.Tag] = e
		}
		return found
	}
	return item(tag.SharedFunctionalGroupsSequence), item(tag.PerFrameFunctionalGroupsSequence)
}

func TestWhatIsEqualIsShared(t *testing.T) {
	oneEcho := obliqueEnhanced()
	oneEcho.Frames = []Frame{oneEcho.Frames[0], oneEcho.Frames[2], oneEcho.Frames[4]}
	all := obliqueEnhanced()
	all.AllPerFrame = true
	for _, c := range []struct {
		name   string
		o      Enhanced
		group  tag.Tag
		shared bool
	}{
		{"echo", obliqueEnhanced(), tag.MREchoSequence, false},
		{"one echo", oneEcho, tag.MREchoSequence, true},
		{"orientation", obliqueEnhanced(), tag.PlaneOrientationSequence, true},
		{"position", obliqueEnhanced(), tag.PlanePositionSequence, false},
		{"rescale", obliqueEnhanced(), tag.PixelValueTransformationSequence, true},
		{"rescale that differs", philipsEnhanced(), tag.PixelValueTransformationSequence, false},
		{"frame type that differs", philipsEnhanced(), tag.MRImageFrameTypeSequence, false},
		{"orientation with all per frame", all, tag.PlaneOrientationSequence, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			shared, first := groupsOf(t, c.o)
			if (shared[c.group] != nil) != c.shared || (first[c.group] != nil) == c.shared {
				t.Errorf("shared %v, with the frame %v; want shared %v", shared[c.group], first[c.group], c.shared)
			}
		})
	}
}

func TestFrameOverrides(t *testing.T) {
	o := obliqueEnhanced()
	o.Frames[0].Overrides = []dicomwrite.Override{
		{Keyword: "EffectiveEchoTime"},
		{Keyword: "PixelSpacing", Values: []string{"2", "3"}},
		{Keyword: "PlanePositionSequence"},
	}
	_, first := groupsOf(t, o)
	if e := first[tag.PlanePositionSequence]; e != nil {
		t.Errorf("the position is there: %v", e)
	}
	if e := first[tag.MREchoSequence]; e == nil || strings.Contains(e.String(), "EffectiveEchoTime") {
		t.Errorf("echo: got %v, want a group without an echo time", e)
	}
	if e := first[tag.PixelMeasuresSequence]; e == nil || !strings.Contains(e.String(), "[2 3]") {
		t.Errorf("measures: got %v, want the frame's own", e)
	}
}

func TestWriteEnhancedRefuses(t *testing.T) {
	for _, c := range []struct {
		name, want string
		change     func(*Enhanced)
	}{
		{"JPEG", "is not supported", func(o *Enhanced) { o.Syntax = "1.2.840.10008.1.2.4.50" }},
		{"no instance UID", "SOPInstanceUID (0008,0018): missing", func(o *Enhanced) { o.InstanceUID = "" }},
		{"no frames", "frames: got none", func(o *Enhanced) { o.Frames = nil }},
		{"missing pixel", "frame 3: pixels: got 14, want 3 rows of 5",
			func(o *Enhanced) { o.Frames[2].Pixels = o.Frames[2].Pixels[1:] }},
		{"too large", "frame 2: pixel 0: got 300, want 0 to 255",
			func(o *Enhanced) { o.BitsAllocated, o.Frames[1].Pixels[0] = 8, 300; o.Frames = o.Frames[:2] }},
		{"12 bits allocated", "BitsAllocated: got 12", func(o *Enhanced) { o.BitsAllocated = 12 }},
		{"no echo time", "EffectiveEchoTime (0018,9082): got NaN", func(o *Enhanced) { o.Frames[1].TE = math.NaN() }},
		{"shared NaN", "ImageOrientationPatient (0020,0037): got NaN",
			func(o *Enhanced) { o.Orientation[2] = math.NaN() }},
		{"infinite slope", "RescaleSlope (0028,1053): got +Inf",
			func(o *Enhanced) { o.Frames[5].RescaleSlope = math.Inf(1) }},
		{"scale slope beyond float32", "private (2005,100e): got +Inf",
			func(o *Enhanced) { o.Frames[5].ScaleSlope = 1e39 }},
		{"unknown keyword", "frame 1: override EcoTime: not a keyword",
			func(o *Enhanced) { o.Frames[0].Overrides = []dicomwrite.Override{{Keyword: "EcoTime"}} }},
		{"not in a group", "frame 1: override PatientID: in none",
			func(o *Enhanced) { o.Frames[0].Overrides = []dicomwrite.Override{{Keyword: "PatientID"}} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := obliqueEnhanced()
			c.change(&o)
			var out bytes.Buffer
			err := WriteEnhanced(&out, o)
			if err == nil || !strings.Contains(err.Error(), c.want) || out.Len() != 0 {
				t.Errorf("got %v and %d bytes, want an error with %q and none", err, out.Len(), c.want)
			}
		})
	}
}

func BenchmarkWriteEnhanced(b *testing.B) {
	o := obliqueEnhanced()
	o.Rows, o.Columns = 384, 384
	pixels := make([]int32, 384*384)
	o.Frames = make([]Frame, 210) // thirty slices of seven echoes
	for n := range o.Frames {
		o.Frames[n] = Frame{TE: float64(10 * (n%7 + 1)), Position: [3]float64{float64(n / 7)}, Pixels: pixels}
	}
	b.SetBytes(int64(2 * len(pixels) * len(o.Frames)))
	for b.Loop() {
		if err := WriteEnhanced(io.Discard, o); err != nil {
			b.Fatal(err)
		}
	}
}
