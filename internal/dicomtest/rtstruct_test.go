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

	"github.com/t2map/t2map/dicomio/dicomwrite"
	"github.com/t2map/t2map/internal/dicomtest/tools"
)

func twoStructures() Structures {
	e := obliqueEnhanced()
	s := Structures{
		Series: e.Series, InstanceUID: "2.25.79", SourceSeriesUID: e.SeriesUID,
		Sources: []dicomwrite.Instance{{Class: dicomwrite.MRImageStorage, UID: "2.25.81"},
			{Class: dicomwrite.MRImageStorage, UID: "2.25.82"}},
		ROIs: []ROI{
			{Number: 4, Name: "medial", Contours: []Contour{
				{Points: [][3]float64{{1, 2, 3}, {2.5, 3, -4}, {100.0 / 3, 5, 1}},
					Image: dicomwrite.Instance{Class: dicomwrite.MRImageStorage, UID: "2.25.81"}},
				{Kind: "CLOSEDPLANAR_XOR", Points: [][3]float64{{1, 2, 3}, {2.5, 3, -4}, {0, 0, 0}, {0, 1, 0}}},
			}},
			{Name: "größe"},
		},
	}
	s.SeriesUID = "2.25.80"
	return s
}

type pydicomROI struct {
	Number   int
	Name     string
	Frame    string
	Contours []struct {
		Kind, Image string
		Points      []float64
	}
}

func TestWrittenStructuresAreReadBackByPydicom(t *testing.T) {
	var paths []string
	want := twoStructures()
	for _, syntax := range writtenSyntaxes {
		s := twoStructures()
		s.Syntax = syntax.uid
		path := filepath.Join(t.TempDir(), "rtstruct.dcm")
		writeTo(t, path, func(w io.Writer) error { return WriteStructures(w, s) })
		paths = append(paths, path)
	}
	var got []struct {
		ROIs                  []pydicomROI
		Study, Series, Images string
	}
	tools.RunPydicom(t, &got, `
import sys, json, pydicom
def read(path):
    d = pydicom.dcmread(path)
    rois = []
    for name, line in zip(d.StructureSetROISequence, d.ROIContourSequence):
        assert name.ROINumber == line.ReferencedROINumber
        rois.append(dict(number=int(name.ROINumber), name=name.ROIName, frame=name.ReferencedFrameOfReferenceUID,
            contours=[dict(kind=c.ContourGeometricType, points=[float(v) for v in c.ContourData],
                image='ContourImageSequence' in c and c.ContourImageSequence[0].ReferencedSOPInstanceUID or '')
                for c in line.get('ContourSequence', [])]))
        for c in line.get('ContourSequence', []):
            assert 3*c.NumberOfContourPoints == len(c.ContourData)
    study = d.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence[0]
    series = study.RTReferencedSeriesSequence[0]
    return dict(rois=rois, study=study.ReferencedSOPInstanceUID, series=series.SeriesInstanceUID,
        images=' '.join(i.ReferencedSOPInstanceUID for i in series.ContourImageSequence))
print(json.dumps([read(path) for path in sys.argv[1:]]))
`, paths...)
	for _, g := range got {
		if g.Study != want.StudyUID || g.Series != want.SourceSeriesUID || g.Images != "2.25.81 2.25.82" {
			t.Errorf("references: got %+v", g)
		}
		for n, r := range want.ROIs {
			p := pydicomROI{Number: []int{4, 2}[n], Name: r.Name, Frame: want.FrameOfReferenceUID}
			for _, c := range r.Contours {
				line := struct {
					Kind, Image string
					Points      []float64
				}{Kind: c.Kind, Image: c.Image.UID}
				if c.Kind == "" {
					line.Kind = "CLOSED_PLANAR"
				}
				for _, point := range c.Points {
					line.Points = append(line.Points, point[:]...)
				}
				p.Contours = append(p.Contours, line)
			}
			if diff := cmp.Diff(p, g.ROIs[n], cmpopts.EquateApprox(0, 1e-9), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("region %d (-written +read):\n%s", n, diff)
			}
		}
	}
}

func TestWrittenStructuresConform(t *testing.T) {
	for _, syntax := range []string{uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian, uid.ExplicitVRBigEndian} {
		t.Run(syntax, func(t *testing.T) {
			s := twoStructures()
			s.Syntax = syntax
			s.ROIs[0].Contours[1].Kind = "" // dciodvfy is older than CLOSEDPLANAR_XOR
			path := filepath.Join(t.TempDir(), "rtstruct.dcm")
			writeTo(t, path, func(w io.Writer) error { return WriteStructures(w, s) })
			checkConforms(t, path)
		})
	}
}

func TestSameStructuresSameBytes(t *testing.T) {
	s := twoStructures()
	var one, two bytes.Buffer
	if err := WriteStructures(&one, s); err != nil {
		t.Fatal(err)
	}
	if err := WriteStructures(&two, s); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(twoStructures(), s); diff != "" || !bytes.Equal(one.Bytes(), two.Bytes()) {
		t.Errorf("the same object gave other bytes, or writing changed it:\n%s", diff)
	}
}

func TestWriteStructuresRefuses(t *testing.T) {
	for _, c := range []struct {
		name, want string
		change     func(*Structures)
	}{
		{"no frame of reference", "FrameOfReferenceUID (0020,0052): missing",
			func(s *Structures) { s.FrameOfReferenceUID = "" }},
		{"no study UID", "StudyInstanceUID (0020,000d): missing", func(s *Structures) { s.StudyUID = "" }},
		{"no regions", "regions: got none", func(s *Structures) { s.ROIs = nil }},
		{"two of one number", "region 2: there are two", func(s *Structures) { s.ROIs[0].Number = 2 }},
		{"no points", "region 4: contour 2: got no points", func(s *Structures) { s.ROIs[0].Contours[1].Points = nil }},
		{"NaN", "ContourData (3006,0050): got NaN",
			func(s *Structures) { s.ROIs[0].Contours[0].Points[2][1] = math.NaN() }},
		{"too many points", "bytes, want at most 65534",
			func(s *Structures) { s.ROIs[0].Contours[0].Points = make([][3]float64, 11000) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := twoStructures()
			c.change(&s)
			var out bytes.Buffer
			err := WriteStructures(&out, s)
			if err == nil || !strings.Contains(err.Error(), c.want) || out.Len() != 0 {
				t.Errorf("got %v and %d bytes, want an error with %q and none", err, out.Len(), c.want)
			}
		})
	}
}
