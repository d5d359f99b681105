package batch

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/dicomio/dicomwrite"
	"github.com/t2map/t2map/internal/dicomtest"
)

// Masks are found under the names that programs give them, in upper and lower case alike;
// a name that was asked for exactly goes before one that is only alike.
func TestNamesOfMasks(t *testing.T) {
	for _, c := range []struct {
		name    string
		files   []string // all of them sound masks
		pattern string
		want    string // the mask, or a part of the reason
		note    string // a part of a note, or of the hint
	}{
		{"3D Slicer", []string{"Segmentation.nii.gz"}, "", "a/Segmentation.nii.gz", ""},
		{"3D Slicer, label map", []string{"Segmentation-label.nii.gz"}, "", "a/Segmentation-label.nii.gz", ""},
		{"ITK-SNAP", []string{"labels.nii"}, "", "a/labels.nii", ""},
		{"in capitals", []string{"MASK.NII.GZ"}, "", "a/MASK.NII.GZ", ""},
		{"a label map", []string{"S01_LabelMap.nii"}, "", "a/S01_LabelMap.nii", ""},
		{"in a folder below", []string{"masks/Knee_Mask.nii.gz"}, "", "a/masks/Knee_Mask.nii.gz", ""},
		{"a pattern in another case", []string{"Cartilage.nii.gz"}, "CARTILAGE*", "a/Cartilage.nii.gz", ""},
		{"a pattern as it is written", []string{"reader_A.nii.gz", "READER_a.nii.gz"}, "reader_A*", "a/reader_A.nii.gz",
			""},
		{"two alike", []string{"Segmentation.nii.gz", "mask.nii"}, "", "mask: 2 candidates: a/Segmentation.nii.gz, " +
			"a/mask.nii", ""},
		{"one of the first names beside another", []string{"labels.nii.gz", "Segmentation.nii.gz"}, "",
			"a/labels.nii.gz", "not used: a/Segmentation.nii.gz"},
		{"brackets", []string{"cart [1].nii.gz", "cart 1.nii.gz"}, "cart [1].nii.gz", "a/cart [1].nii.gz", ""},
		{"a bracket that is not closed", []string{"cart[1.nii.gz"}, "cart[1.nii.gz", "a/cart[1.nii.gz", ""},
		{"brackets in a folder", []string{"[x]/cart.nii.gz"}, "[x]/cart.nii.gz", "a/[x]/cart.nii.gz", ""},
		{"an apostrophe", []string{"reader's.nii.gz"}, "", "possible masks: a/reader's.nii.gz (NIfTI)",
			`'reader'\''s.nii.gz'`},
		{"another name", []string{"cartilage.nii.gz"}, "", "possible masks: a/cartilage.nii.gz (NIfTI)", ""},
	} {
		dir := t.TempDir()
		study := filepath.Join(dir, "studies", "a")
		kneeAs(t, study, dicomtest.Form{})
		mask := filepath.Join(study, "labels.nii.gz")
		data, err := os.ReadFile(mask)
		if err == nil {
			err = os.Remove(mask)
		}
		for _, name := range c.files {
			path := filepath.Join(study, filepath.FromSlash(name))
			if err == nil {
				err = os.MkdirAll(filepath.Dir(path), 0o755)
			}
			if err == nil {
				err = os.WriteFile(path, data, 0o644)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		s := settings(t, dir)
		s.Mask = c.pattern
		if !strings.HasPrefix(c.want, "a/") {
			if f := oneFailure(t, s); !strings.Contains(f.Reason, c.want) || !strings.Contains(f.Hint, "--mask") ||
				!strings.Contains(f.Hint, c.note) {
				t.Errorf("%s: %q, hint %q, want %q", c.name, f.Reason, f.Hint, c.want)
			}
			continue
		}
		r := oneResult(t, s)
		if r.Mask.Path != c.want {
			t.Errorf("%s: %s, want %s", c.name, r.Mask.Path, c.want)
		}
		noted := slices.ContainsFunc(r.Notes, func(n string) bool {
			return strings.Contains(n, "not used") &&
				strings.Contains(n, c.note)
		})
		if noted != (c.note != "") {
			t.Errorf("%s: notes %q", c.name, r.Notes)
		}
	}
}

// A DICOM mask of the series goes before a file that is only called like a mask, and says
// so.
func TestDICOMMaskBesideAnother(t *testing.T) {
	dir := t.TempDir()
	study := filepath.Join(dir, "studies", "a")
	kneeAs(t, study, dicomtest.Form{Segmentation: true})
	if err := os.WriteFile(filepath.Join(study, "Segmentation.nii.gz"), []byte("not a mask"), 0o644); err != nil {
		t.Fatal(err)
	}
	r := oneResult(t, settings(t, dir))
	if r.Mask.Path != "a/labels.dcm" || !slices.ContainsFunc(r.Notes, func(n string) bool {
		return strings.HasSuffix(n,
			"not used: a/Segmentation.nii.gz")
	}) {
		t.Errorf("%+v, %q", r.Mask, r.Notes)
	}
}

// What lies there in another format is named, by its content.
func TestFormatsThatAreNotRead(t *testing.T) {
	for _, c := range []struct {
		file, content, format string
		hidden                bool // what lies there is not known as a mask
	}{
		{"labels.npy", "\x93NUMPY\x01\x00", "NumPy", false},
		{"roi.mat", "MATLAB 5.0 MAT-file, Platform: GLNXA64", "MATLAB", false},
		{"roi73.mat", "MATLAB 7.3 MAT-file", "MATLAB", false},
		{"seg.h5", "\x89HDF\r\n\x1a\n", "HDF5", false},
		{"aseg.mgz", "\x00\x00\x00\x01", "MGH", false},
		{"mask.gipl", "\x00", "GIPL", false},
		{"mask.vtk", "# vtk DataFile Version 3.0\n", "VTK", false},
		{"notes.txt", "NDims and the rest were changed", "", true},
		{"empty.mgz", "", "", true},
	} {
		dir := t.TempDir()
		study := filepath.Join(dir, "studies", "a")
		kneeAs(t, study, dicomtest.Form{})
		remove(t, filepath.Join(study, "labels.nii.gz"))
		if err := os.WriteFile(filepath.Join(study, c.file), []byte(c.content), 0o644); err != nil {
			t.Fatal(err)
		}
		s := settings(t, dir)
		f := oneFailure(t, s)
		if named := strings.Contains(f.Reason, c.file); named == c.hidden || !c.hidden && !strings.Contains(f.Reason,
			c.file+" ("+c.format+", which is not read)") {
			t.Errorf("%s: %q", c.file, f.Reason)
		}
		if !c.hidden && !strings.Contains(f.Hint, "NIfTI") || f.Hint == "" {
			t.Errorf("%s: hint %q", c.file, f.Hint)
		}
		if c.hidden {
			continue
		}
		s.Mask = c.file // asked for by name
		f = oneFailure(t, s)
		if want := "mask: a/" + c.file + ": a file in the format " + c.format +
			", which is not read"; f.Reason != want || !strings.HasPrefix(f.Hint, "export a label map in NIfTI") {
			t.Errorf("%s by name: %q, hint %q", c.file, f.Reason, f.Hint)
		}
	}
}

// A secondary capture or a report of another study beside the images does not hide the
// mask, in a folder or in an archive; another multi-echo study does.
func TestForeignObjectDoesNotHideTheMask(t *testing.T) {
	for _, archived := range []bool{false, true} {
		for class, modality := range map[string]string{"7": "OT", "88.11": "SR", "2": "CT"} {
			dir := t.TempDir()
			study := filepath.Join(dir, "studies", "a")
			kneeAs(t, study, dicomtest.Form{})
			writeForeign(t, filepath.Join(study, "capture.dcm"), "1.2.840.10008.5.1.4.1.1."+class, modality)
			if archived {
				zipFolder(t, study, study+".zip")
				if err := os.RemoveAll(study); err != nil {
					t.Fatal(err)
				}
			}
			if r := oneResult(t, settings(t, dir)); !strings.HasSuffix(r.Mask.Path, "/labels.nii.gz") {
				t.Errorf("%s: %+v", modality, r.Mask)
			}
		}
	}
}

// writeForeign writes an object of another study.
func writeForeign(t testing.TB, path, class, modality string) {
	t.Helper()
	im := dicomwrite.Image{
		Series: dicomwrite.Series{
			StudyUID: "2.25.900", SeriesUID: "2.25.901", FrameOfReferenceUID: "2.25.903",
		},
		Grid: dicomwrite.Grid{
			Rows: 2, Columns: 2, PixelSpacing: [2]float64{1, 1}, SliceThickness: 1,
			Orientation: [6]float64{1, 0, 0, 0, 1, 0},
		},
		InstanceUID: "2.25.902", TE: 10, Pixels: make([]int32, 4),
		Overrides: []dicomwrite.Override{{Keyword: "SOPClassUID", Values: []string{class}}, {Keyword: "Modality",
			Values: []string{modality}}},
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := dicomwrite.WriteImage(f, im); err != nil {
		t.Fatal(err)
	}
}

// Masks by usual names that differ are a warning; a copy of another packing is none.
func TestMasksThatDiffer(t *testing.T) {
	for _, change := range []bool{false, true} {
		dir := t.TempDir()
		study := filepath.Join(dir, "studies", "a")
		kneeAs(t, study, dicomtest.Form{})
		data := unpacked(t, filepath.Join(study, "labels.nii.gz"))
		if change {
			data[len(data)-1] ^= 1
		}
		if err := os.WriteFile(filepath.Join(study, "Segmentation.nii"), data, 0o644); err != nil {
			t.Fatal(err)
		}
		r := oneResult(t, settings(t, dir))
		warned := slices.ContainsFunc(r.Warnings, func(w string) bool {
			return strings.Contains(w,
				"have different content: a/Segmentation.nii.")
		})
		if warned != change {
			t.Errorf("changed %t: warnings %q", change, r.Warnings)
		}
	}
}

// A mask beside the images' folder is listed and not used, unless its path is asked for.
func TestMaskBesideTheImages(t *testing.T) {
	dir := t.TempDir()
	study := filepath.Join(dir, "studies", "a")
	images := filepath.Join(study, "SCANS", "5", "DICOM")
	kneeAs(t, images, dicomtest.Form{})
	mask := filepath.Join(study, "RESOURCES", "seg", "Segmentation.nii.gz")
	if err := os.MkdirAll(filepath.Dir(mask), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(images, "labels.nii.gz"), mask); err != nil {
		t.Fatal(err)
	}
	s := settings(t, dir)
	if f := oneFailure(t, s); !strings.Contains(f.Reason,
		"possible masks: a/RESOURCES/seg/Segmentation.nii.gz (NIfTI)") ||
		!strings.Contains(f.Hint, "RESOURCES/seg/Segmentation.nii.gz'") {
		t.Errorf("%q, hint %q", f.Reason, f.Hint)
	}
	for _, pattern := range []string{"RESOURCES/seg/Segmentation.nii.gz", "a/RESOURCES/*/*.nii.gz", "resources/*/*"} {
		s := settings(t, dir)
		s.Mask = pattern
		if r := oneResult(t, s); r.Mask.Path != "a/RESOURCES/seg/Segmentation.nii.gz" {
			t.Errorf("%s: %s", pattern, r.Mask.Path)
		}
	}
}

func unpacked(t *testing.T, file string) []byte {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
