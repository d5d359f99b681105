package batch

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/volume"
)

// bonesScheme has the bones, and a tibia of one label, so that the fibula alone shows which knee it is.
const bonesScheme = `name: bones
labels: {1: femoral-cartilage, 2: tibial-cartilage, 3: patellar-cartilage, 11: femur, 12: tibia, 13: patella, 14: fibula}
`

// bonesOfPhantom has the label of each of phantom.Tissues.
var bonesOfPhantom = [len(phantom.Tissues)]uint16{0, 1, 2, 2, 3, 0, 0, 11, 12, 13, 14}

// A registered mask that a reader puts back has the bones that its division needs, and gives the
// compartments that it gave before.
func TestRegisteredMaskHasItsBones(t *testing.T) {
	if testing.Short() {
		t.Skip("registers")
	}
	knee, err := phantom.New(t.Context(), phantom.Options{Matrix: 144, Slices: 24, Echoes: 4, DESSMatrix: 160,
		DESSSlices: 56,
		DESSMoved:  volume.Rigid{Rotation: volume.Identity().Rotation, Shift: [3]float64{2, -3, 4}}})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	study := filepath.Join(dir, "studies", "a")
	if err := knee.WriteAs(t.Context(), study, phantom.Form{Mask: phantom.MaskTissues}); err != nil {
		t.Fatal(err)
	}
	silence(t, study)
	dess, err := knee.DESS(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found, err := knee.Knee().Moved(knee.Options.DESSMoved).Structures(t.Context(), dess.Tissues.Geometry)
	if err != nil {
		t.Fatal(err)
	}
	for v, tissue := range found.Tissue {
		dess.Tissues.Data[v] = bonesOfPhantom[tissue]
	}
	mask := filepath.Join(study, "labels.nii.gz")
	writeLabels(t, mask, dess.Tissues)

	s := settings(t, dir)
	if s.Protocol.Scheme, err = segment.ParseScheme([]byte(bonesScheme)); err != nil {
		t.Fatal(err)
	}
	s.Protocol.Register.Moving, s.Protocol.Maps = "SAG*DESS*", protocol.MapsMask
	first := oneResult(t, s)
	copyFile(t, filepath.Join(first.Dir, "mask.nii.gz"), mask)
	table, err := os.ReadFile(filepath.Join(first.Dir, "mask.txt"))
	if err != nil || !strings.Contains(string(table), `   14 `) || !strings.Contains(string(table), `"fibula"`) {
		t.Errorf("the table of labels does not name the fibula: %v\n%s", err, table)
	}
	s.Out = filepath.Join(dir, "again")
	second := oneResult(t, s)
	if second.Registration != nil || second.Side != "right" || second.Side != first.Side {
		t.Errorf("side %q, then %q", first.Side, second.Side)
	}
	sameCompartments(t, first, second)
}

// silence removes what the images of a study say of its side.
func silence(t *testing.T, study string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(study, "*.dcm"))
	if err != nil || len(files) == 0 {
		t.Fatal("no images: ", err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		b = bytes.Replace(b, []byte("\x20\x00\x60\x00CS\x02\x00R "), []byte("\x20\x00\x60\x00CS\x02\x00  "), 1)
		if err := os.WriteFile(f, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// sameCompartments asks that the voxels of two results are of the same compartments: the medial and the
// lateral femur meet in the notch, and the trochlea ends there, which the grid of the series shows as well.
func sameCompartments(t *testing.T, first, second report.Result) {
	t.Helper()
	a, b := readLabelsOf(t, filepath.Join(first.Dir, "compartments.nii.gz")), readLabelsOf(t, filepath.Join(second.Dir,
		"compartments.nii.gz"))
	marked, differ := 0, 0
	for v := range a.Data {
		if a.Data[v] != 0 || b.Data[v] != 0 {
			marked++
		}
		if a.Data[v] != b.Data[v] {
			differ++
		}
	}
	if marked == 0 || 100*differ > marked {
		t.Errorf("%d of %d voxels are of another compartment", differ, marked)
	}
}
