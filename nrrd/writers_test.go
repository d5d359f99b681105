package nrrd

import (
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Files of other writers, SimpleITK and pynrrd, of one label map: labels and positions
// are what SimpleITK says (nrrd/testdata/write.py).
func TestOtherWriters(t *testing.T) {
	var want struct {
		Size        [3]int
		Labels      []uint16
		First, Last [3]float64
	}
	b, err := os.ReadFile("testdata/labels.json")
	if err == nil {
		err = json.Unmarshal(b, &want)
	}
	if err != nil {
		t.Fatal(err)
	}
	open := func(name string) (io.ReadCloser, error) { return os.Open(filepath.Join("testdata", name)) }
	for _, name := range []string{"itk.nrrd", "itk-int16.nrrd", "itk.nhdr", "pynrrd-ras.nrrd", "pynrrd-ascii.nrrd", "pynrrd.nhdr"} {
		f, err := os.Open(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		m, err := Read(f, Options{Open: open})
		l := m.Labels
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d := cmp.Diff(want.Labels, l.Data); d != "" || l.Size != want.Size {
			t.Errorf("%s: size %v %s", name, l.Size, d)
		}
		for at, p := range map[[3]float64][3]float64{{0, 0, 0}: want.First, {4, 3, 2}: want.Last} {
			got := l.Position(at[0], at[1], at[2])
			for r := range p { // 17 digits are written
				if math.Abs(got[r]-p[r]) > 1e-12 {
					t.Errorf("%s: voxel %v lies at %v, want %v", name, at, got, p)
				}
			}
		}
	}
}
