package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/segment/unroll"
	"github.com/t2map/t2map/volume"
)

// smallStudy has a grid of 48 × 48 × 4 and is fast to write.
func smallStudy() Study { return rings(48, 4) }

// list returns the names in a folder, hidden ones too.
func list(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestWriteStudy(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "S01", "month03")
	s := smallStudy()
	r, err := WriteStudy(dir, s)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"compartments.nii.gz", "compartments.txt", "decay.png", "overlay.png", "preview.jpg", "r2.nii.gz",
		"result.json", "s0.nii.gz", "status.nii.gz", "t2.nii.gz", "t2_se.nii.gz"}
	if diff := cmp.Diff(want, list(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if got := list(t, filepath.Dir(dir)); len(got) != 1 {
		t.Errorf("beside the study lie %v", got)
	}
	if len(r.Outputs) != len(want)-1 {
		t.Errorf("%d outputs are listed, want %d", len(r.Outputs), len(want)-1)
	}
	for _, f := range r.Outputs {
		b, err := os.ReadFile(filepath.Join(dir, f.Path))
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(b); f.SHA256 != hex.EncodeToString(sum[:]) {
			t.Errorf("%s: hash %s is not the file's", f.Path, f.SHA256)
		}
	}
	read, err := ReadResult(filepath.Join(dir, ResultFile))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r, read, sameNumbers); diff != "" {
		t.Errorf("result.json (-returned +read):\n%s", diff)
	}
}

func TestWriteStudyMaps(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "s")
	s := smallStudy()
	n := len(s.Maps.T2)
	s.Maps.Offset, s.Maps.B1, s.Maps.Echoes = make([]float32, n), make([]float32, n), make([]uint8, n)
	echoes := make([]float32, n)
	for v := range n {
		s.Maps.Offset[v], s.Maps.B1[v], s.Maps.Echoes[v] = float32(v)-5, 1/float32(1+v), uint8(v%9)
		echoes[v] = float32(v % 9)
	}
	s.Anatomy = s.Echo
	s.Anatomy.Size[0], s.Anatomy.Size[1] = s.Anatomy.Size[1], s.Anatomy.Size[0] // a grid of its own
	if _, err := WriteStudy(dir, s); err != nil {
		t.Fatal(err)
	}
	status := make([]float32, len(s.Maps.Status))
	for v, st := range s.Maps.Status {
		status[v] = float32(st)
	}
	mask := make([]float32, len(s.Regions.Data))
	for v, r := range s.Regions.Data {
		mask[v] = float32(r)
	}
	for name, want := range map[string][]float32{
		"t2.nii.gz": s.Maps.T2, "s0.nii.gz": s.Maps.S0, "r2.nii.gz": s.Maps.R2, "t2_se.nii.gz": s.Maps.SE,
		"status.nii.gz": status,
		"offset.nii.gz": s.Maps.Offset, "b1.nii.gz": s.Maps.B1, "echoes.nii.gz": echoes,
		"compartments.nii.gz": mask, "anatomy.nii.gz": s.Echo.Data,
	} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		g, frames, err := nifti.ReadFrames(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if g.Size != s.Echo.Size {
			t.Fatalf("%s: size %v, want %v", name, g.Size, s.Echo.Size)
		}
		for v, got := range frames[0] {
			if got != want[v] && !(got != got && want[v] != want[v]) {
				t.Fatalf("%s: voxel %d: got %g, want %g", name, v, got, want[v])
			}
		}
	}
}

func TestWriteStudyWithoutMaps(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "s")
	s := smallStudy()
	s.WriteMaps = false
	if _, err := WriteStudy(dir, s); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"decay.png", "overlay.png", "preview.jpg", "result.json"}, list(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// The same study gives the same bytes wherever it is written, and no file
// holds the place.
func TestWriteStudyIsReproducible(t *testing.T) {
	one, two := filepath.Join(t.TempDir(), "here"), filepath.Join(t.TempDir(), "elsewhere", "there")
	for _, dir := range []string{one, two} {
		if _, err := WriteStudy(dir, full()); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range list(t, one) {
		a, errA := os.ReadFile(filepath.Join(one, name))
		b, errB := os.ReadFile(filepath.Join(two, name))
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		if !bytes.Equal(a, b) {
			t.Errorf("%s differs between two runs", name)
		}
		if bytes.Contains(a, []byte(filepath.Dir(one))) {
			t.Errorf("%s holds the path it was written to", name)
		}
	}
}

func TestWriteStudyReplaces(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "s")
	s := smallStudy()
	if _, err := WriteStudy(dir, s); err != nil {
		t.Fatal(err)
	}
	s.WriteMaps = false
	s.Result.Version = "2.0.0"
	if _, err := WriteStudy(dir, s); err != nil {
		t.Fatal(err)
	}
	if r, err := ReadResult(filepath.Join(dir, ResultFile)); err != nil || r.Version != "2.0.0" {
		t.Errorf("version %q (%v), want the second result", r.Version, err)
	}
	if slices.Contains(list(t, dir), "t2.nii.gz") {
		t.Error("a map of the earlier run stayed")
	}
	if diff := cmp.Diff([]string{"s"}, list(t, root)); diff != "" {
		t.Errorf("left behind (-want +got):\n%s", diff)
	}
}

func TestWriteStudyKeepsForeignFolders(t *testing.T) {
	dir := t.TempDir()
	precious := filepath.Join(dir, "thesis.docx")
	if err := os.WriteFile(precious, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := WriteStudy(dir, smallStudy())
	if err == nil || !strings.Contains(err.Error(), "exists without a result.json") {
		t.Errorf("error %v, want one that says it is not a result", err)
	}
	if diff := cmp.Diff([]string{"thesis.docx"}, list(t, dir)); diff != "" {
		t.Errorf("the folder changed (-want +got):\n%s", diff)
	}
	if _, err := WriteStudy(precious, smallStudy()); err == nil {
		t.Error("a file was taken for a folder")
	}
	if _, err := WriteStudy(filepath.Join(precious, "s"), smallStudy()); err == nil {
		t.Error("a file was taken for the folder above")
	}
}

// Two processes that write the same study leave one complete folder.
func TestWriteStudyTwice(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "s")
	s := smallStudy()
	s.WriteMaps = false
	var g errgroup.Group
	for range 4 {
		g.Go(func() error {
			_, err := WriteStudy(dir, s)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"s"}, list(t, root)); diff != "" {
		t.Errorf("left behind (-want +got):\n%s", diff)
	}
	if _, err := ReadResult(filepath.Join(dir, ResultFile)); err != nil {
		t.Error(err)
	}
}

func TestWriteStudyRefuses(t *testing.T) {
	for _, c := range []struct {
		name, want string
		spoil      func(*Study)
	}{
		{"short map", "T2: got 9215 voxels, want 9216 as the grid [48 48 4]", func(s *Study) { s.Maps.T2 = s.Maps.T2[1:] }},
		{"no status", "status: got 0 voxels", func(s *Study) { s.Maps.Status = nil }},
		{"other mask", "grids differ", func(s *Study) { s.Regions.Size = [3]int{48, 4, 48} }},
		{"short anatomy", "anatomy: got 1 voxels, want 9216",
			func(s *Study) { s.Anatomy = volume.Map{Geometry: s.Echo.Geometry, Data: make([]float32, 1)} }},
		{"short regions", "regions: got 1 voxels", func(s *Study) { s.Regions.Part = make([]uint16, 1) }},
		{"short fraction", "fraction: got 1 voxels", func(s *Study) { s.Regions.Fraction = make([]float32, 1) }},
		{"aligned on another grid", "aligned image: got 0 voxels of [0 0 0], want the grid [48 48 4]",
			func(s *Study) { s.Registration = &Aligned{Before: s.Echo} }},
		{"unrolled in part", "unrolled map: got 3 values, want 2 rows of 2", func(s *Study) {
			s.Unrolled = &Unrolled{Map: unroll.Map{Angle: 2, Width: 3, Rows: [2]int{0, 2}, Columns: [2]int{0, 2},
				T2: make([]float64, 3)}}
		}},
		{"unrolled without cells", "cells of 0° and 3 mm", func(s *Study) {
			s.Unrolled = &Unrolled{Map: unroll.Map{Width: 3, Rows: [2]int{0, 1}, Columns: [2]int{0, 1}, T2: make([]float64, 1)}}
		}},
		{"no version", "version is missing", func(s *Study) { s.Result.Version = "" }},
		{"flat grid", "spacing: got", func(s *Study) { s.Echo.Affine[2][1] = 0 }},
		{"decay without echoes", "want one per echo time", func(s *Study) { s.Result.TE = s.Result.TE[1:] }},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := t.TempDir()
			s := smallStudy()
			c.spoil(&s)
			_, err := WriteStudy(filepath.Join(root, "a", "s"), s)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if got := list(t, root); len(got) > 0 {
				t.Errorf("left behind: %v", got)
			}
		})
	}
}

// A disk that fills up in the middle of a file leaves nothing, and an earlier
// folder as it was.
func TestReplaceFolderAfterError(t *testing.T) {
	root := t.TempDir()
	full := errors.New("no space left on device")
	fail := func(tmp string) error {
		d := draft{dir: tmp}
		_, err := d.writeAll([]output{
			{"good", func(w io.Writer) error { _, err := w.Write(make([]byte, 1<<20)); return err }},
			{"bad", func(io.Writer) error { return full }},
		})
		return errors.Join(err, d.close())
	}
	_, err := replaceFolder(filepath.Join(root, "a", "b", "s"), "", fail)
	if !errors.Is(err, full) || !strings.HasPrefix(err.Error(), "bad: ") {
		t.Errorf("error %v, want that of the file, with its name", err)
	}
	if got := list(t, root); len(got) > 0 {
		t.Errorf("left behind: %v", got)
	}
	earlier := filepath.Join(root, "s")
	if _, err := WriteStudy(earlier, smallStudy()); err != nil {
		t.Fatal(err)
	}
	before := list(t, earlier)
	if _, err := replaceFolder(earlier, "", fail); !errors.Is(err, full) {
		t.Errorf("error %v, want %v", err, full)
	}
	if diff := cmp.Diff(before, list(t, earlier)); diff != "" {
		t.Errorf("the earlier folder changed (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"s"}, list(t, root)); diff != "" {
		t.Errorf("left behind (-want +got):\n%s", diff)
	}
}

// Codes from headers never become part of a path.
func TestWriteStudyOfPathLikeSubject(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "a", "b")
	s := smallStudy()
	s.WriteMaps = false
	s.Result.Subject, s.Result.Visit, s.Result.Study = "../../evil", `..\..\evil`, "/etc/evil\x00"
	s.Result.Compartments[0].Compartment, s.Result.Decays[0].Compartment = "../evil", "../evil"
	if _, err := WriteStudy(dir, s); err != nil {
		t.Fatal(err)
	}
	var found []string
	err := filepath.WalkDir(filepath.Dir(root), func(path string, d os.DirEntry, err error) error {
		if err == nil && strings.Contains(path, "evil") {
			found = append(found, path)
		}
		return err
	})
	if err != nil || len(found) > 0 {
		t.Errorf("%v, %v", found, err)
	}
	if diff := cmp.Diff([]string{"a"}, list(t, root)); diff != "" {
		t.Errorf("beside the study (-want +got):\n%s", diff)
	}
}
