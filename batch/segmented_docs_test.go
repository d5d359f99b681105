package batch

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/internal/dicomtest/tools"
	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/volume"
)

// The example of the documentation works as it stands there: the script is run, and marks the
// sides of the patient right.
func TestSegmenterOfTheDocumentation(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join("..", "docs", "segmenter.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"thresholds.py", "segment.yaml"} {
		text, err := os.ReadFile(filepath.Join("..", "testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		if _, body, _ := strings.Cut(string(text), "\n"); !strings.Contains(string(doc), body) {
			t.Errorf("docs/segmenter.md shows another %s than testdata", name)
		}
	}
	python := ""
	for _, name := range []string{"/usr/bin/python3", "python3"} {
		if exec.Command(name, "-c", "import nibabel").Run() == nil {
			python = name
			break
		}
	}
	if python == "" {
		t.Skip("python with nibabel (Debian: python3-nibabel) is not installed")
	}
	dir := t.TempDir()
	s := segmented(t, dir, protocol.Segmenter{})
	p, err := protocol.ReadProtocol(filepath.Join("..", "testdata", "segment.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	s.Protocol, p.Segment.Command[0] = p, python
	r := oneResult(t, s)
	if m := r.Protocol.Segmenter; len(m.Files) != 2 || m.Files[1].Path != "thresholds.py" || m.TimeoutS != 300 ||
		r.Protocol.Scheme != "compartments" {
		t.Errorf("%+v", m)
	}
	echo, labels := tools.ReadMap(t, filepath.Join(r.Dir, "anatomy.nii.gz")), readLabels(t, filepath.Join(r.Dir,
		"compartments.nii.gz"))
	middle := 0.0
	for k := range echo.Size[2] {
		for j := range echo.Size[1] {
			for i := range echo.Size[0] {
				middle += echo.Position(float64(i), float64(j), float64(k))[0] / float64(echo.Voxels())
			}
		}
	}
	count := [3]int{}
	for v, x := range echo.Data {
		i, j, k := v%echo.Size[0], v/echo.Size[0]%echo.Size[1], v/echo.Size[0]/echo.Size[1]
		want := uint16(0)
		if x > 150 && x < 400 {
			want = 2
			if echo.Position(float64(i), float64(j), float64(k))[0] > middle { // in LPS, on the left: medial
				want = 1
			}
		}
		count[want]++
		if labels[v] != want {
			t.Fatalf("voxel %d is marked %d, want %d", v, labels[v], want)
		}
	}
	if slices.Min(count[:]) == 0 {
		t.Errorf("voxels by label: %v", count)
	}
}

func readLabels(t testing.TB, path string) []uint16 { return labelsOf(t, path).Data }

// labelsOf reads a label map.
func labelsOf(t testing.TB, path string) volume.Labels {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	l, err := nifti.ReadLabels(f)
	if err != nil {
		t.Fatal(err)
	}
	return l
}
