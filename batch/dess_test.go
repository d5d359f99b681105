package batch

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/dicomio/dicomwrite"
	"github.com/t2map/t2map/internal/dicomtest"
	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/volume"
)

// dessStudy writes a study of the phantom with its DESS series, and no mask, into dir/studies
// under the subject's name. It returns the mask of tissues on the grid of the DESS series.
func dessStudy(t testing.TB, dir, subject string) (volume.Labels, string) {
	t.Helper()
	study := filepath.Join(dir, "studies", subject)
	s, err := phantom.New(t.Context(), phantom.Options{Subject: subject, Matrix: 64, Slices: 18, Echoes: 4,
		DESSMatrix: 110, DESSSlices: 40})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.WriteAs(t.Context(), study, phantom.Form{Mask: phantom.MaskTissues}); err != nil {
		t.Fatal(err)
	}
	remove(t, filepath.Join(study, "labels.nii.gz"))
	d, err := s.DESS(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return d.Tissues, study
}

// skmTea returns settings as settings does, for masks in the scheme skm-tea, and a range of T2 that includes fluid.
func skmTea(t testing.TB, dir string) Settings {
	t.Helper()
	s := settings(t, dir)
	var err error
	if s.Protocol.Scheme, err = segment.Named("skm-tea"); err != nil {
		t.Fatal(err)
	}
	s.Protocol.Maps = protocol.MapsMask
	s.Protocol.Fit.T2Range = [2]float64{0, 400} // the masks have fluid at their edges, which is not what is tested
	return s
}

// writeLabels writes labels as NIfTI.
func writeLabels(t testing.TB, path string, l volume.Labels) {
	t.Helper()
	var b bytes.Buffer
	if err := nifti.WriteLabels(&b, l.Geometry, l.Data, ""); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// ofImages returns what a mask says of the images that it was drawn on, the DESS series: its own
// series, its frame of reference, and the images in the order of their slices.
func ofImages(t testing.TB, study string) (own dicomwrite.Series, source string, images []dicomwrite.Instance) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(study, "DESS_*.dcm"))
	if err != nil || len(files) == 0 {
		t.Fatal("no DESS series: ", err)
	}
	own = dicomwrite.Series{StudyUID: uidIn(t, files[0], 0x20, 0x0D), SeriesUID: "2.25.78",
		FrameOfReferenceUID: uidIn(t, files[0], 0x20, 0x52)}
	for _, f := range files {
		images = append(images, dicomwrite.Instance{Class: dicomwrite.MRImageStorage, UID: uidIn(t, f, 0x08, 0x18)})
	}
	return own, uidIn(t, files[0], 0x20, 0x0E), images
}

// writeSegments writes labels that lie on the grid of the DESS series as a DICOM segmentation.
func writeSegments(t testing.TB, study string, l volume.Labels, names []string, path string) {
	t.Helper()
	own, source, images := ofImages(t, study)
	spacing := l.Spacing()
	s := dicomtest.Segmentation{Series: own, InstanceUID: "2.25.77", SourceSeriesUID: source, Sources: images,
		Grid: dicomwrite.Grid{
			Rows: l.Size[1], Columns: l.Size[0], PixelSpacing: [2]float64{spacing[1],
				spacing[0]}, SliceThickness: spacing[2], SpacingBetweenSlices: spacing[2],
		}}
	for r := range 3 {
		s.Orientation[r], s.Orientation[3+r] = l.Affine[r][0]/spacing[0], l.Affine[r][1]/spacing[1]
	}
	for n, name := range names {
		number := n + 1
		s.Segments = append(s.Segments, dicomtest.Segment{Number: number, Label: name,
			Category: volume.Code{Value: "85756007", Scheme: "SCT",
				Meaning: "Tissue"}, Property: volume.Code{Value: "61496007", Scheme: "SCT", Meaning: "Cartilage"}})
		for k := range l.Size[2] {
			f := dicomtest.SegmentFrame{Segment: number, Position: l.Position(0, 0, float64(k)), Pixels: make([]uint16,
				l.SliceVoxels())}
			for v, label := range l.Data[k*l.SliceVoxels():][:l.SliceVoxels()] {
				if int(label) == number {
					f.Pixels[v] = 1
				}
			}
			if slices.Contains(f.Pixels, 1) {
				s.Frames = append(s.Frames, f)
			}
		}
	}
	var b bytes.Buffer
	if err := dicomtest.WriteSegmentation(&b, s); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// writeContours writes them as a structure set, each run of voxels in a row within a contour
// of its own.
func writeContours(t testing.TB, study string, l volume.Labels, names []string, path string) {
	t.Helper()
	own, source, images := ofImages(t, study)
	s := dicomtest.Structures{Series: own, InstanceUID: "2.25.77", SourceSeriesUID: source, Sources: images}
	for n, name := range names {
		roi := dicomtest.ROI{Number: n + 1, Name: name}
		for v := 0; v < len(l.Data); v++ {
			i, j, k := v%l.Size[0], v/l.Size[0]%l.Size[1], v/l.SliceVoxels()
			end := v
			for end < len(l.Data) && int(l.Data[end]) == n+1 && end/l.Size[0] == v/l.Size[0] {
				end++
			}
			if end == v {
				continue
			}
			first, last := float64(i)-0.4, float64(i+end-v-1)+0.4
			var c dicomtest.Contour
			for _, p := range [][2]float64{{first, -0.4}, {last, -0.4}, {last, 0.4}, {first, 0.4}} {
				c.Points = append(c.Points, l.Position(p[0], float64(j)+p[1], float64(k)))
			}
			roi.Contours = append(roi.Contours, c)
			v = end - 1
		}
		s.ROIs = append(s.ROIs, roi)
	}
	var b bytes.Buffer
	if err := dicomtest.WriteStructures(&b, s); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A segmentation or a structure set that was drawn on another series of the study, in the same
// frame of reference, is used as it is, and gives what the same mask gives in NIfTI. Of another
// frame of reference it is refused.
func TestMasksOfTheDESSSeries(t *testing.T) {
	if testing.Short() {
		t.Skip("divides large masks several times")
	}
	names := []string{"Patellar Cartilage", "Femoral Cartilage", "Tibial Cartilage, Medial", "Lateral tibial cartilage",
		"Medial Meniscus", "Lateral_Meniscus"}
	names[2] = "Tibial cartilage medial"
	dir := t.TempDir()
	labels, study := dessStudy(t, dir, "S01")
	s := skmTea(t, dir)
	path := filepath.Join(study, "labels.nii.gz")
	writeLabels(t, path, labels)
	want := oneResult(t, s)
	if want.Mask.Size == nil || *want.Mask.Size != labels.Size || len(want.Warnings) > 0 ||
		want.Compartments[0].Voxels < 100 {
		t.Errorf("mask %+v, warnings %q, %+v", want.Mask, want.Warnings, want.Compartments)
	}
	// Layers of 1.2 mm share pixels of 2 mm, and say so.
	for _, row := range want.Regions {
		if layered := row.Layer != segment.All && row.Voxels > 0; layered != strings.Contains(row.Note,
			"voxels of the series: its layers share voxels") {
			t.Errorf("%s %s %s: note %q", row.Compartment, row.Region, row.Layer, row.Note)
		}
	}
	remove(t, path)
	for kind, write := range map[string]func(testing.TB, string, volume.Labels, []string, string){"SEG": writeSegments,
		"RTSTRUCT": writeContours} {
		path := filepath.Join(study, "drawn.dcm")
		write(t, study, labels, names, path)
		r := oneResult(t, s)
		if d := cmp.Diff(want.Compartments, r.Compartments, sameNumbers); d != "" {
			t.Errorf("%s (-NIfTI +%s):\n%s", kind, kind, d)
		}
		if r.Mask.Kind != kind || r.Mask.Size == nil || *r.Mask.Size != labels.Size || r.Protocol.ForeignMask ||
			len(r.Warnings) > 0 {
			t.Errorf("%s: %+v, foreign %v, warnings %q", kind, r.Mask, r.Protocol.ForeignMask, r.Warnings)
		}
		in, err := Inspect(t.Context(), s)
		if err != nil || in.Studies[0].Action != fmt.Sprintf("map series %s (number 1) with S01/drawn.dcm", r.Series) {
			t.Errorf("%s: inspect would %s, %v", kind, in.Studies[0].Action, err)
		}
		moveFrame(t, study, true)
		f := oneFailure(t, s)
		if !strings.Contains(f.Reason, "not in the frame of reference (0020,0052) of the mapped series") ||
			!strings.Contains(f.Hint, "--register") {
			t.Errorf("%s of another frame of reference: %s, hint %s", kind, f.Reason, f.Hint)
		}
		allowed := s
		allowed.Protocol.AllowForeignMask, allowed.Out = true, t.TempDir()
		if r := oneResult(t, allowed); !r.Protocol.ForeignMask || len(r.Warnings) != 1 || !cmp.Equal(want.Compartments,
			r.Compartments, sameNumbers) {
			t.Errorf("%s of another frame of reference, allowed: %q", kind, r.Warnings)
		}
		moveFrame(t, study, false)
		remove(t, path)
	}
}

// otherFrame takes the place of the last characters of a UID.
const otherFrame = "9999"

// moveFrame changes the frame of reference of the DESS series and of what was drawn on it, or
// changes it back.
func moveFrame(t testing.TB, study string, away bool) {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(study, "D*.dcm"))
	drawn, _ := filepath.Glob(filepath.Join(study, "drawn.dcm"))
	frame := uidIn(t, filepath.Join(study, "IM_0001.dcm"), 0x20, 0x52)
	original, replacement := frame, frame[:len(frame)-len(otherFrame)]+otherFrame
	if !away {
		original, replacement = replacement, original
	}
	for _, f := range append(files, drawn...) {
		b, err := os.ReadFile(f)
		if err == nil && !bytes.Contains(b, []byte(original)) {
			t.Fatalf("%s is in another frame of reference", f)
		}
		if err == nil {
			err = os.WriteFile(f, bytes.ReplaceAll(b, []byte(original), []byte(replacement)), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
