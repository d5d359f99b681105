package batch

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/dicomio/dicomwrite"
	"github.com/t2map/t2map/internal/dicomtest"
	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/volume"
)

// Structures of another frame of reference than the series' are not taken for the
// series' own, and those of two frames are not mixed.
func TestFramesOfStructureSets(t *testing.T) {
	dir := t.TempDir()
	study := filepath.Join(dir, "studies", "a")
	k := kneeAs(t, study, dicomtest.Form{})
	remove(t, filepath.Join(study, "labels.nii.gz"))
	image, set := filepath.Join(study, "IM_0001.dcm"), filepath.Join(study, "rt.dcm")
	writeStructures(t, k, image, set)
	written, err := os.ReadFile(set)
	if err != nil {
		t.Fatal(err)
	}
	frame := uidIn(t, image, 0x20, 0x52)
	other := frame[:len(frame)-1] + string('0'+(frame[len(frame)-1]-'0'+1)%10)
	const own = 2 // the set's FrameOfReferenceUID and the one that it lists; then those of three structures
	if n := bytes.Count(written, []byte(frame)); n != own+3 {
		t.Fatalf("%d frames of reference", n)
	}
	for _, c := range []struct {
		name           string
		changed        []int  // which of them are another
		reason, forced string // why it fails, and why it does where foreign masks are allowed; "" where it does not
	}{
		{"none", nil, "", ""},
		{"all", []int{0, 1, 2, 3, 4}, "its FrameOfReferenceUID (0020,0052) is frame ", ""},
		{"the set's own", []int{0}, "", ""},
		{"the set's", []int{0, 1}, "its FrameOfReferenceUID (0020,0052) is frame ", ""},
		{"a structure's", []int{3}, "it is drawn in frame ", "it is drawn in frame "},
		{"the set's and a structure's", []int{0, 1, 3}, "its FrameOfReferenceUID",
			`segment 1 "Medial" is drawn in frame `},
	} {
		parts := bytes.Split(written, []byte(frame))
		file := slices.Clone(parts[0])
		for n, part := range parts[1:] {
			uid := frame
			if slices.Contains(c.changed, n) {
				uid = other
			}
			file = append(append(file, uid...), part...)
		}
		if err := os.WriteFile(set, file, 0o666); err != nil {
			t.Fatal(err)
		}
		s := settings(t, dir)
		for _, want := range []string{c.reason, c.forced} {
			if want == "" {
				oneResult(t, s)
			} else if f := oneFailure(t, s); !strings.Contains(f.Reason, want) || f.Hint == "" {
				t.Errorf("%s: %s (hint %s), want %s", c.name, f.Reason, f.Hint, want)
			}
			s.Protocol.AllowForeignMask = true
		}
	}
}

// fractionalMask writes seg.dcm into the study: one segment, medial, with these values
// of at most 100.
func fractionalMask(t *testing.T, k *phantom.Study, study string, values ...uint16) {
	t.Helper()
	image := filepath.Join(study, "IM_0001.dcm")
	a, sp := k.Labels.Affine, k.Labels.Spacing()
	g := dicomtest.Segmentation{InstanceUID: "2.25.77", Type: dicomtest.SegmentationFractional, MaximumFractional: 100,
		SourceSeriesUID: uidIn(t, image, 0x20, 0x0E), Sources: []dicomwrite.Instance{{Class: dicomwrite.MRImageStorage,
			UID: uidIn(t, image, 0x08, 0x18)}},
		Segments: []dicomtest.Segment{{Number: 1, Label: "medial", Category: volume.Code{Value: "85756007",
			Scheme: "SCT", Meaning: "Tissue"},
			Property: volume.Code{Value: "309312004", Scheme: "SCT", Meaning: "Cartilage"}}}}
	g.StudyUID, g.SeriesUID, g.FrameOfReferenceUID = uidIn(t, image, 0x20, 0x0D), "2.25.78", uidIn(t, image, 0x20, 0x52)
	g.Rows, g.Columns, g.PixelSpacing, g.SliceThickness = k.Labels.Size[1], k.Labels.Size[0], [2]float64{sp[1],
		sp[0]}, sp[2]
	for i := range 3 {
		g.Orientation[i], g.Orientation[3+i] = a[i][0]/sp[0], a[i][1]/sp[1]
	}
	f := dicomtest.SegmentFrame{Segment: 1, Position: k.Labels.Position(0, 0, 2), Pixels: make([]uint16,
		g.Rows*g.Columns)}
	copy(f.Pixels[g.Columns*30+30:], values)
	g.Frames = []dicomtest.SegmentFrame{f}
	var b bytes.Buffer
	err := dicomtest.WriteSegmentation(&b, g)
	if err == nil {
		err = os.WriteFile(filepath.Join(study, "seg.dcm"), b.Bytes(), 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A fractional mask is cut where the protocol says, and the result says where.
func TestFractionalMask(t *testing.T) {
	dir := t.TempDir()
	study := filepath.Join(dir, "studies", "a")
	k := kneeAs(t, study, dicomtest.Form{})
	remove(t, filepath.Join(study, "labels.nii.gz"))
	fractionalMask(t, k, study, 29, 30, 49, 50, 100)
	s := settings(t, dir)
	for _, c := range []struct {
		set, threshold float64
		voxels         int
	}{{0, 0.5, 2}, {0.3, 0.3, 4}, {1, 1, 1}} {
		s.Protocol.MaskThreshold, s.Replace = c.set, true
		r := oneResult(t, s)
		if len(r.Warnings) > 0 {
			t.Errorf("threshold %g: warnings %q", c.set, r.Warnings)
		}
		if r.Compartments[0].Voxels != c.voxels || r.Protocol.MaskThreshold != c.threshold {
			t.Errorf("threshold %g: %d voxels, recorded %g", c.set, r.Compartments[0].Voxels, r.Protocol.MaskThreshold)
		}
	}
}

// A mask that marks nothing is sound; the result and the run say that there are no
// numbers, and inspect that there will be none.
func TestEmptyMask(t *testing.T) {
	dir := t.TempDir()
	study := filepath.Join(dir, "studies", "a")
	k := kneeAs(t, study, dicomtest.Form{})
	s := settings(t, dir)
	writeMask(t, filepath.Join(study, "labels.nii.gz"), k.Labels.Geometry, func(int) uint8 { return 0 })
	check := func(want string) {
		t.Helper()
		out := run(t, s)
		if len(out.Results) != 1 || !slices.Equal(out.Results[0].Warnings, []string{want}) {
			t.Errorf("%+v, want %q", out, want)
		}
		in, err := Inspect(context.Background(), s)
		if err != nil || !slices.Equal(in.Studies[0].Warnings, []string{want}) {
			t.Errorf("inspect: %+v, %v", in, err)
		}
	}
	check("no voxel of the mask belongs to a compartment")
	remove(t, filepath.Join(study, "labels.nii.gz"))
	fractionalMask(t, k, study, 29, 79)
	s.Protocol.MaskThreshold = 0.8
	s.Out += "-0.8" // a folder belongs to one protocol
	check("no voxel of the mask belongs to a compartment, from 0.8 of the maximum on (mask_threshold)")
}

// A structure that encloses no area is named once, with a way out.
func TestStructureOfPoints(t *testing.T) {
	dir := t.TempDir()
	study := filepath.Join(dir, "studies", "a")
	k := kneeAs(t, study, dicomtest.Form{})
	remove(t, filepath.Join(study, "labels.nii.gz"))
	image := filepath.Join(study, "IM_0001.dcm")
	set := dicomtest.Structures{InstanceUID: "2.25.77", SourceSeriesUID: uidIn(t, image, 0x20, 0x0E),
		Sources: []dicomwrite.Instance{{Class: dicomwrite.MRImageStorage, UID: uidIn(t, image, 0x08, 0x18)}},
		ROIs: []dicomtest.ROI{{Number: 1, Name: "Medial",
			Contours: []dicomtest.Contour{{Points: [][3]float64{k.Labels.Position(3, 3, 0), k.Labels.Position(6, 3, 0),
				k.Labels.Position(6, 6, 0)}}}}}}
	set.StudyUID, set.SeriesUID, set.FrameOfReferenceUID = uidIn(t, image, 0x20, 0x0D), "2.25.78", uidIn(t, image, 0x20,
		0x52)
	var b bytes.Buffer
	if err := dicomtest.WriteStructures(&b, set); err != nil {
		t.Fatal(err)
	}
	open := bytes.Replace(b.Bytes(), []byte("CLOSED_PLANAR "), []byte("OPEN_PLANAR   "), 1)
	if err := os.WriteFile(filepath.Join(study, "rt.dcm"), open, 0o666); err != nil {
		t.Fatal(err)
	}
	f := oneFailure(t, settings(t, dir))
	if f.Reason != `mask: a/rt.dcm: segment 1 "Medial", medial: ContourGeometricType (3006,0042): contour 1: `+
		`"OPEN_PLANAR" encloses no area, want CLOSED_PLANAR` ||
		!strings.HasPrefix(f.Hint, "draw the structure as closed contours, or, if it is not wanted, give it to "+
			"`ignore`") {
		t.Errorf("%s (%s)", f.Reason, f.Hint)
	}
}

// What a protocol says of masks, and what makes no sense.
func TestMaskSettingsOfProtocol(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.yaml")
	for text, want := range map[string]string{
		"mask_threshold: 0.3\nallow_foreign_mask: true": "",
		"mask_threshold: 1":                             "",
		"mask_threshold: 0":                             "mask threshold 0 is not above 0 and at most 1",
		"mask_threshold: 1.5":                           "mask threshold 1.5 is not",
		"mask_threshold: .nan":                          "mask threshold NaN is not",
		"allow_foreign_mask: sometimes":                 `column 21: allow_foreign_mask: "sometimes", want true or false`,
		"philips_scaling: xx":                           `philips_scaling: "xx" is neither dv`,
	} {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		p, err := protocol.ReadProtocol(path)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
		if strings.Contains(text, "0.3") && (p.MaskThreshold != 0.3 || !p.AllowForeignMask) {
			t.Errorf("%s: %+v", text, p)
		}
	}
}
