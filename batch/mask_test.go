package batch

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/dicomio/dicomwrite"
	"github.com/t2map/t2map/internal/dicomtest"
	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
)

// kneeAs writes a small phantom study into dir in the given form.
func kneeAs(t testing.TB, dir string, form dicomtest.Form) *phantom.Study {
	t.Helper()
	s, err := phantom.New(context.Background(), phantom.Options{Matrix: 64, Slices: 6, Subject: "S01"})
	if err == nil {
		err = dicomtest.Write(context.Background(), s, dir, form)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// oneResult runs the settings on one study and returns its result.
func oneResult(t testing.TB, s Settings) report.Result {
	t.Helper()
	out := run(t, s)
	if len(out.Results) != 1 || len(out.Failures) > 0 {
		t.Fatalf("%d results, failures %+v", len(out.Results), out.Failures)
	}
	return out.Results[0]
}

// oneFailure runs the settings on one study that must fail.
func oneFailure(t testing.TB, s Settings) report.Failure {
	t.Helper()
	out := run(t, s)
	if len(out.Failures) != 1 {
		t.Fatalf("%d results, failures %+v", len(out.Results), out.Failures)
	}
	return out.Failures[0]
}

func copyFile(t testing.TB, source, target string) {
	t.Helper()
	data, err := os.ReadFile(source)
	if err == nil {
		err = os.WriteFile(target, data, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// uidIn returns the UID with that tag in a file in explicit little endian.
func uidIn(t testing.TB, file string, group, element uint16) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head := binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(nil, group), element)
	offset := bytes.Index(data, append(head, "UI"...))
	if offset < 0 {
		t.Fatalf("%s has no (%04X,%04X)", file, group, element)
	}
	n := int(binary.LittleEndian.Uint16(data[offset+6:]))
	return strings.TrimRight(string(data[offset+8:][:n]), "\x00")
}

// writeStructures writes the study's labels as a structure set, each voxel within a
// contour of its own.
func writeStructures(t testing.TB, s *phantom.Study, image, path string) {
	t.Helper()
	set := dicomtest.Structures{InstanceUID: "2.25.77", SourceSeriesUID: uidIn(t, image, 0x20, 0x0E),
		Sources: []dicomwrite.Instance{{Class: dicomwrite.MRImageStorage, UID: uidIn(t, image, 0x08, 0x18)}}}
	set.StudyUID, set.SeriesUID, set.FrameOfReferenceUID = uidIn(t, image, 0x20, 0x0D), "2.25.78", uidIn(t, image, 0x20,
		0x52)
	for n, name := range []string{"Medial", "lateral cartilage", "patellofemoral"} {
		roi := dicomtest.ROI{Number: n + 1, Name: name}
		for v, label := range s.Labels.Data {
			if int(label) != n+1 {
				continue
			}
			i, j, k := v%s.Labels.Size[0], v/s.Labels.Size[0]%s.Labels.Size[1], v/s.Labels.SliceVoxels()
			var c dicomtest.Contour
			for _, d := range [][2]float64{{-0.4, -0.4}, {0.4, -0.4}, {0.4, 0.4}, {-0.4, 0.4}} {
				c.Points = append(c.Points, s.Labels.Position(float64(i)+d[0], float64(j)+d[1], float64(k)))
			}
			roi.Contours = append(roi.Contours, c)
		}
		set.ROIs = append(set.ROIs, roi)
	}
	var b bytes.Buffer
	if err := dicomtest.WriteStructures(&b, set); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}

// numbers are the parts of a result that a mask decides.
func figures(r report.Result) []segment.Summary { return r.Compartments }

var sameNumbers = cmp.Comparer(func(a, b segment.Number) bool {
	return a == b || math.IsNaN(float64(a)) && math.IsNaN(float64(b))
})

// A study has the same numbers whether its mask is NIfTI, a segmentation, whose
// segments are known by label or by code, or a structure set.
func TestEveryKindOfMaskGivesTheSameFigures(t *testing.T) {
	dir := t.TempDir()
	s := settings(t, dir)
	study := filepath.Join(dir, "studies", "a")
	k := kneeAs(t, study, dicomtest.Form{})
	want := oneResult(t, s)
	remove(t, filepath.Join(study, "labels.nii.gz"))
	writeStructures(t, k, filepath.Join(study, "IM_0001.dcm"), filepath.Join(study, "rt.dcm"))
	structures := oneResult(t, s)
	if d := cmp.Diff(figures(want), figures(structures), sameNumbers); d != "" {
		t.Errorf("structure set (-NIfTI +RTSTRUCT):\n%s", d)
	}
	if want.Mask.Path != "a/labels.nii.gz" || want.Mask.Kind != "NIfTI" || want.Mask.Segments != nil {
		t.Errorf("mask %+v", want.Mask)
	}
	read := report.Mask{Path: "a/rt.dcm", Kind: "RTSTRUCT"}
	for n, label := range []string{"Medial", "lateral cartilage", "patellofemoral"} {
		c := want.Compartments[n]
		read.Segments = append(read.Segments, segment.Reading{Number: n + 1, Label: label, Meaning: c.Compartment,
			Source: "label", Voxels: c.Voxels})
	}
	if d := cmp.Diff(read, structures.Mask); d != "" {
		t.Errorf("mask (-want +got):\n%s", d)
	}
	if last := structures.Inputs[len(structures.Inputs)-1]; last.Path != "a/rt.dcm" || len(last.SHA256) != 64 {
		t.Errorf("input %+v", last)
	}
	for _, layout := range dicomtest.Layouts {
		if err := os.RemoveAll(study); err != nil {
			t.Fatal(err)
		}
		kneeAs(t, study, dicomtest.Form{Layout: layout, Segmentation: true})
		s.Protocol.PhilipsScaling = ""
		if strings.HasPrefix(string(layout), "philips") {
			s.Protocol.PhilipsScaling = dicomio.FloatingPoint
		}
		for _, scheme := range []string{"compartments", "codes"} {
			var err error
			if s.Protocol.Scheme, err = segment.Named(scheme); err != nil {
				t.Fatal(err)
			}
			s.Out = filepath.Join(dir, "out", string(layout), scheme)
			got := oneResult(t, s)
			for n, c := range want.Compartments {
				if g := got.Compartments[n]; g.Voxels != c.Voxels || g.Compartment != c.Compartment {
					t.Errorf("%s, %s: %d voxels %s, want %d %s", layout, scheme, g.Voxels, g.Compartment, c.Voxels,
						c.Compartment)
				}
			}
			if (len(got.Protocol.Codes) > 0) != (scheme == "codes") || got.Protocol.MaskThreshold != 0 {
				t.Errorf("%s, %s: recorded %+v", layout, scheme, got.Protocol)
			}
			if got.Mask.Kind != "SEG" || len(got.Mask.Segments) != 3 || got.Mask.Segments[0].Source != "label" {
				t.Errorf("%s, %s: mask %+v", layout, scheme, got.Mask)
			}
		}
	}
}

// Which of several masks is taken, and what is said where none is.
func TestChoiceOfDICOMMasks(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(t *testing.T, study string, k *phantom.Study, s *Settings)
		want  string // the mask's path, or a part of the reason
		hint  string
	}{
		{"a segmentation alone", func(*testing.T, string, *phantom.Study, *Settings) {}, "a/labels.dcm", ""},
		{"a segmentation and NIfTI", func(t *testing.T, study string, k *phantom.Study, _ *Settings) {
			kneeAs(t, study, dicomtest.Form{})
		}, "mask: 2 candidates: a/labels.nii.gz, a/labels.dcm", "--mask"},
		{"NIfTI by name", func(t *testing.T, study string, k *phantom.Study, s *Settings) {
			kneeAs(t, study, dicomtest.Form{})
			s.Mask = "*.nii.gz"
		}, "a/labels.nii.gz", ""},
		{"a segmentation by name", func(t *testing.T, study string, k *phantom.Study, s *Settings) {
			kneeAs(t, study, dicomtest.Form{})
			s.Protocol.Mask = "labels.d*"
		}, "a/labels.dcm", ""},
		{"a pattern that fits images too", func(t *testing.T, study string, k *phantom.Study,
			s *Settings) {
			s.Mask = "*.dcm"
		}, "a/labels.dcm", ""},
		{"a pattern that fits images alone", func(t *testing.T, study string, k *phantom.Study,
			s *Settings) {
			s.Mask = "IM_*"
		},
			"mask: IM_* fits", "put one mask"},
		{"two objects", func(t *testing.T, study string, k *phantom.Study, _ *Settings) {
			writeStructures(t, k, filepath.Join(study, "IM_0001.dcm"), filepath.Join(study, "rt.dcm"))
		}, "mask: 2 candidates: a/labels.dcm, a/rt.dcm", "--mask"},
		{"one of them by name", func(t *testing.T, study string, k *phantom.Study, s *Settings) {
			writeStructures(t, k, filepath.Join(study, "IM_0001.dcm"), filepath.Join(study, "rt.dcm"))
			s.Mask = "rt.dcm"
		}, "a/rt.dcm", ""},
		{"by the manifest", func(t *testing.T, study string, k *phantom.Study, s *Settings) {
			kneeAs(t, study, dicomtest.Form{})
			s.Manifest = manifestOf(t, study, "labels.dcm")
		}, "a/labels.dcm", ""},
		{"an image by the manifest", func(t *testing.T, study string, k *phantom.Study, s *Settings) {
			s.Manifest = manifestOf(t, study, "IM_0001.dcm")
		}, "mask: a/IM_0001.dcm: SOPClassUID (0008,0016): neither a segmentation (SEG) nor a structure set (RTSTRUCT)",
			"in the manifest"},
		{"a damaged segmentation", func(t *testing.T, study string, k *phantom.Study, _ *Settings) {
			path := filepath.Join(study, "labels.dcm")
			data, err := os.ReadFile(path)
			if err == nil {
				err = os.WriteFile(path, data[:len(data)/2], 0o666)
			}
			if err != nil {
				t.Fatal(err)
			}
		}, "mask: a/labels.dcm: ", "copy or export it again"},
		{"an unknown segment", func(t *testing.T, study string, k *phantom.Study, s *Settings) {
			s.Protocol.Scheme = segment.Scheme{Name: "other", Segments: []segment.NamedSegment{{Label: "Fibula",
				Name: "fibula"}}}
		}, `mask: a/labels.dcm: scheme other does not know segment 1 "medial" (`, "`segments` in a scheme file"},
		{"in an archive", func(t *testing.T, study string, k *phantom.Study, s *Settings) {
			zipFolder(t, study, filepath.Join(filepath.Dir(study), "a.zip"))
			if err := os.RemoveAll(study); err != nil {
				t.Fatal(err)
			}
		}, "a.zip/labels.dcm", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			study := filepath.Join(dir, "studies", "a")
			s := settings(t, dir)
			k := kneeAs(t, study, dicomtest.Form{Segmentation: true})
			c.spoil(t, study, k, &s)
			in, err := Inspect(context.Background(), s)
			if err != nil || len(in.Studies) != 1 {
				t.Fatalf("inspect: %+v, %v", in, err)
			}
			if c.hint == "" {
				r := oneResult(t, s)
				if got := r.Inputs[len(r.Inputs)-1].Path; got != c.want || !strings.HasSuffix(in.Studies[0].Action,
					" with "+c.want) {
					t.Errorf("took %s and would have %s, want %s", got, in.Studies[0].Action, c.want)
				}
				return
			}
			f := oneFailure(t, s)
			if !strings.Contains(f.Reason, c.want) || !strings.Contains(f.Hint, c.hint) {
				t.Errorf("%s (hint %s), want %s (%s)", f.Reason, f.Hint, c.want, c.hint)
			}
			if p := in.Studies[0].Problems; in.Studies[0].Action != "fail" || len(p) == 0 ||
				p[len(p)-1].Reason != f.Reason {
				t.Errorf("inspect says %+v, run %s", p, f.Reason)
			}
		})
	}
}

func manifestOf(t *testing.T, study, mask string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "studies.csv")
	text := "folder,subject,mask\n" + filepath.ToSlash(study) + ",S01," + mask + "\n"
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func zipFolder(t *testing.T, folder, path string) {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	if err := z.AddFS(os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}

// A mask that was drawn on another series is refused, and taken where that is
// allowed and its grid is the series'.
func TestForeignMask(t *testing.T) {
	dir := t.TempDir()
	study, other := filepath.Join(dir, "studies", "a"), filepath.Join(dir, "other")
	s := settings(t, dir)
	kneeAs(t, study, dicomtest.Form{})
	want := oneResult(t, s)
	remove(t, filepath.Join(study, "labels.nii.gz"))
	kneeAs(t, other, dicomtest.Form{Layout: dicomtest.LayoutEnhanced, Segmentation: true})
	copyFile(t, filepath.Join(other, "labels.dcm"), filepath.Join(study, "labels.dcm"))

	f := oneFailure(t, s)
	if !strings.Contains(f.Reason, "mask: a/labels.dcm: it refers to another series: ") || !strings.Contains(f.Hint,
		"--allow-foreign-mask") {
		t.Errorf("%s (%s)", f.Reason, f.Hint)
	}
	in, err := Inspect(context.Background(), s)
	if err != nil || len(in.Studies[0].Masks) != 0 || len(in.Studies[0].DICOMMasks) != 1 ||
		!strings.HasPrefix(in.Studies[0].DICOMMasks[0].Foreign, "it refers to another series: ") {
		t.Errorf("inspect: %+v, %v", in.Studies, err)
	}
	s.Mask = "labels.dcm" // to name it is not to allow it
	if f := oneFailure(t, s); !strings.Contains(f.Reason, "another series") {
		t.Error(f.Reason)
	}

	s.Mask, s.Protocol.AllowForeignMask = "", true
	got := oneResult(t, s)
	if d := cmp.Diff(figures(want), figures(got), sameNumbers); d != "" {
		t.Errorf("figures (-own +foreign):\n%s", d)
	}
	if !slices.ContainsFunc(got.Warnings, func(n string) bool {
		return strings.HasPrefix(n, "the mask was not drawn on this series, which was allowed: a/labels.dcm: it "+
			"refers to another series")
	}) {
		t.Errorf("warnings %q", got.Warnings)
	}
	if !got.Protocol.ForeignMask || want.Protocol.ForeignMask {
		t.Error("the result does not say that the mask is another series'")
	}

	// A mask of its own goes first.
	kneeAs(t, study, dicomtest.Form{})
	if r := oneResult(t, s); r.Inputs[len(r.Inputs)-1].Path != "a/labels.nii.gz" {
		t.Errorf("took %s", r.Inputs[len(r.Inputs)-1].Path)
	}

	// Another grid is refused all the same.
	remove(t, filepath.Join(study, "labels.nii.gz"))
	moved, err := phantom.New(context.Background(), phantom.Options{Matrix: 48, Slices: 6, Subject: "S01"})
	if err == nil {
		err = dicomtest.Write(context.Background(), moved, other, dicomtest.Form{Segmentation: true})
	}
	if err != nil {
		t.Fatal(err)
	}
	copyFile(t, filepath.Join(other, "labels.dcm"), filepath.Join(study, "labels.dcm"))
	if f := oneFailure(t, s); !strings.Contains(f.Reason, "mask: none found") { // it is of another study now
		t.Errorf("%s (%s)", f.Reason, f.Hint)
	}
	for _, name := range []func(){func() { s.Mask = "labels.dcm" }, func() {
		s.Mask, s.Manifest, s.Rename = "",
			manifestOf(t, study, "labels.dcm"), true
	}} {
		name()
		if f := oneFailure(t, s); !strings.Contains(f.Reason, "mask: a/labels.dcm: ImagePositionPatient (0020,0032): "+
			"frame 1: its pixels lie up to ") {
			t.Errorf("%s (%s)", f.Reason, f.Hint)
		}
	}
}
