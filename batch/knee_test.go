package batch

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/segment/anatomy"
)

// tissueStudy writes a small study with a DESS series and a mask in tissue labels on it.
func tissueStudy(t *testing.T, dir string) {
	t.Helper()
	_, err := phantom.WriteTrial(t.Context(), dir, phantom.Trial{
		Subjects: 1, Matrix: 112, Slices: 18, Echoes: 4, DESSMatrix: 132, DESSSlices: 36,
		Form: phantom.Form{Mask: phantom.MaskTissues},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, later := range []string{"month03", "month12"} {
		if err := os.RemoveAll(filepath.Join(dir, "S01", later)); err != nil {
			t.Fatal(err)
		}
	}
}

// Every row adds up: plates to their compartment, regions to their plate, layers with the
// voxels that are in none to their row, used and excluded to voxels; and the mean of plates is
// that of the plates' rows.
func TestRowsAddUp(t *testing.T) {
	dir := t.TempDir()
	tissueStudy(t, filepath.Join(dir, "studies"))
	s := settings(t, dir)
	s.Protocol.Scheme, _ = segment.Named("skm-tea")
	out := run(t, s)
	if len(out.Results) != 1 {
		t.Fatal(out.Failures)
	}
	r := out.Results[0]
	rows := map[[3]string]segment.Summary{}
	for _, list := range [][]segment.Summary{r.Compartments, r.Regions} {
		for _, row := range list {
			if row.Used+row.Excluded.Total() != row.Voxels {
				t.Errorf("%s %s %s: %d used, %d excluded of %d", row.Compartment, row.Region, row.Layer, row.Used,
					row.Excluded.Total(), row.Voxels)
			}
			rows[[3]string{row.Compartment, row.Region, row.Layer}] = row
		}
	}
	for _, c := range []string{segment.Medial, segment.Lateral, segment.Patellofemoral} {
		whole := rows[[3]string{c, segment.All, segment.All}]
		voxels, mean, plates := 0, 0.0, 0.0
		for _, p := range anatomy.Plates() {
			plate := rows[[3]string{c, string(p), segment.All}]
			if p.Compartment() != c {
				continue
			}
			voxels, mean, plates = voxels+plate.Voxels, mean+float64(plate.MeanT2), plates+1
			inRegions := 0
			for _, reg := range p.Regions() {
				inRegions += rows[[3]string{c, reg.String(), segment.All}].Voxels
			}
			if len(p.Regions()) > 1 && inRegions != plate.Voxels {
				t.Errorf("%s: regions hold %d of %d voxels", p, inRegions, plate.Voxels)
			}
		}
		if voxels != whole.Voxels || whole.Voxels == 0 {
			t.Errorf("%s: plates hold %d of %d voxels", c, voxels, whole.Voxels)
		}
		if math.Abs(mean/plates-float64(whole.PlateMeanT2)) > 1e-9 {
			t.Errorf("%s: mean of plates %g, want %g", c, whole.PlateMeanT2, mean/plates)
		}
	}
	for key, row := range rows {
		deep, has := rows[[3]string{key[0], key[1], "deep"}]
		if key[2] != segment.All || !has {
			continue
		}
		in := deep.Voxels + rows[[3]string{key[0], key[1], "superficial"}].Voxels
		if in > row.Voxels || (in < row.Voxels) != strings.Contains(row.Note, "in no layer") {
			t.Errorf("%v: %d of %d voxels in layers, note %q", key, in, row.Voxels, row.Note)
		}
	}
}

// A registered mask that is put back as the study's own is used where it lies.
func TestCorrectedMaskIsNotMovedAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("registers")
	}
	dir := t.TempDir()
	studies := filepath.Join(dir, "studies")
	movingTrial(t, studies)
	if err := os.RemoveAll(filepath.Join(studies, "S01", "month03")); err != nil {
		t.Fatal(err)
	}
	s := settings(t, dir)
	s.Protocol.Scheme, _ = segment.Named("skm-tea")
	s.Protocol.Register.Moving, s.Protocol.Division.ErodeMM = "SAG*DESS*", 0.2
	first := run(t, s).Results[0]
	mask, err := os.ReadFile(filepath.Join(first.Dir, "mask.nii.gz"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(studies, "S01", "baseline", "labels.nii.gz"), mask, 0o666); err != nil {
		t.Fatal(err)
	}
	// the slices cut this small knee
	s.Out, s.Protocol.Division = filepath.Join(dir, "again"), protocol.Division{Method: protocol.DivideNone}
	out := run(t, s)
	if len(out.Results) != 1 {
		t.Fatal(out.Failures)
	}
	second := out.Results[0]
	if second.Registration != nil || !strings.Contains(strings.Join(second.Notes, "\n"), "nothing was registered") {
		t.Errorf("registered again: %+v, %q", second.Registration, second.Notes)
	}
	a, b := readLabelsOf(t, filepath.Join(first.Dir, "mask.nii.gz")), readLabelsOf(t, filepath.Join(second.Dir,
		"compartments.nii.gz"))
	for v := range a.Data {
		if (a.Data[v] != 0) != (b.Data[v] != 0) {
			t.Fatalf("voxel %d: label %d in the mask that was put back, compartment %d", v, a.Data[v], b.Data[v])
		}
	}
}
