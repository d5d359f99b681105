package nifti

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/volume"
)

// nibabel runs a script of testdata with a folder as argument and decodes the JSON that it prints.
// It skips the test if Python has no nibabel. Debian's own python3 is tried first, because
// python3-nibabel is installed there.
func nibabel(t *testing.T, script, folder string, out any) {
	t.Helper()
	for _, python := range []string{"/usr/bin/python3", "python3", "python"} {
		if exec.Command(python, "-c", "import nibabel").Run() != nil {
			continue
		}
		cmd := exec.Command(python, filepath.Join("testdata", script), folder)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		b, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v\n%s", script, err, stderr.String())
		}
		if err := json.Unmarshal(b, out); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Skip("python with nibabel (Debian: python3-nibabel) is not installed")
}

// lps converts an affine of nibabel to LPS.
func lps(ras [3][4]float64) [3][4]float64 {
	for c := range 4 {
		ras[0][c], ras[1][c] = -ras[0][c], -ras[1][c]
	}
	return ras
}

// TestFromNibabel reads files of nibabel: with qform alone or sform alone, in all 48 orientations,
// in every type and byte order, and scaled.
func TestFromNibabel(t *testing.T) {
	dir := t.TempDir()
	var written []struct {
		Name   string
		Shape  [3]int
		Affine [3][4]float64
		Scale  float64
	}
	nibabel(t, "nibabel_write.py", dir, &written)
	if len(written) != 2*48+2*10+1 {
		t.Fatalf("%d files", len(written))
	}
	for _, want := range written {
		f, err := os.Open(filepath.Join(dir, want.Name))
		if err != nil {
			t.Fatal(err)
		}
		g, frames, err := ReadFrames(f)
		if err != nil {
			t.Errorf("%s: %v", want.Name, err)
		}
		if want.Scale == 1 && err == nil {
			_, err := f.Seek(0, 0)
			if err != nil {
				t.Fatal(err)
			}
			l, err := ReadLabels(f)
			if err != nil || l.Geometry != g {
				t.Errorf("%s: as labels: %v, geometry %v", want.Name, err, l.Geometry)
			}
			for v := range l.Data {
				if float32(l.Data[v]) != frames[0][v] {
					t.Fatalf("%s: voxel %d: label %d, value %g", want.Name, v, l.Data[v], frames[0][v])
				}
			}
		}
		f.Close()
		if err != nil {
			continue
		}
		truth := volume.Geometry{Size: want.Shape, Affine: lps(want.Affine)}
		// Both compute in float64 from the same float32 fields.
		if d := farthest(t, g, truth); !(d < 1e-9) {
			t.Errorf("%s: off by %g mm", want.Name, d)
		}
		for v, got := range frames[0] {
			i, j, k := v%5, v/5%4, v/20
			label := float64((i+3*j+7*k)%11) * want.Scale
			// A scaled int16 has steps of 3.7/65535.
			if !(math.Abs(float64(got)-label) <= 6e-5) || (want.Scale == 1 && float64(got) != label) {
				t.Fatalf("%s: voxel (%d, %d, %d): %g, want %g", want.Name, i, j, k, got, label)
			}
		}
	}
}

// nibabel reads files of WriteMap.
func TestToNibabel(t *testing.T) {
	dir := t.TempDir()
	for name, g := range grids() {
		m := noisyMap(g)
		f, err := os.Create(filepath.Join(dir, name+".nii.gz"))
		if err != nil {
			t.Fatal(err)
		}
		if err := WriteMap(f, m, "t2map T2 ms"); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		raw, err := binary.Append(nil, binary.LittleEndian, m.Data)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name+".raw"), raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var written map[string]struct {
		Shape         [3]int
		Affine, Qform [3][4]float64
		Codes         [2]int
		Dtype, Unit   string
		Same          bool
		Description   string
	}
	nibabel(t, "nibabel_read.py", dir, &written)
	for name, g := range grids() {
		got, ok := written[name+".nii.gz"]
		if !ok {
			t.Errorf("%s: not read", name)
			continue
		}
		if d := cmp.Diff([]any{[2]int{1, 1}, "<f4", "mm", true, "t2map T2 ms"},
			[]any{got.Codes, got.Dtype, got.Unit, got.Same, got.Description}); d != "" {
			t.Errorf("%s: codes, dtype, unit, data, description (-want +got):\n%s", name, d)
		}
		// Tolerances as in TestWriteRoundTrip.
		if d := farthest(t, volume.Geometry{Size: got.Shape, Affine: lps(got.Affine)}, g); !(d < 1e-4) {
			t.Errorf("%s: affine off by %g mm", name, d)
		}
		if d := farthest(t, volume.Geometry{Size: got.Shape, Affine: lps(got.Qform)}, g); !(d < 1e-3) {
			t.Errorf("%s: qform off by %g mm", name, d)
		}
	}
}
