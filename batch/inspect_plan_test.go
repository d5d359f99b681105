package batch

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/volume"
)

// inspectOne returns the one study of an inspection.
func inspectOne(t testing.TB, s Settings) InspectedStudy {
	t.Helper()
	in, err := Inspect(t.Context(), s)
	if err != nil || len(in.Studies) != 1 {
		t.Fatalf("%+v, %v", in, err)
	}
	return in.Studies[0]
}

// Of a mask that run would refuse, inspect says the grid, on which its hint relies, and counts the file.
func TestInspectShowsTheGridOfARefusedMask(t *testing.T) {
	dir := t.TempDir()
	labels, study := dessStudy(t, dir, "S01")
	labels.Affine[1][3] += 70 // mm, so that little of it lies in the field of view
	writeLabels(t, filepath.Join(study, "labels.nii.gz"), labels)
	in, err := Inspect(t.Context(), skmTea(t, dir))
	if err != nil || len(in.Studies) != 1 {
		t.Fatal(in, err)
	}
	st := in.Studies[0]
	if st.Action != "fail" || st.Plan == nil || st.Plan.Size != labels.Size || st.Plan.OnSeries ||
		st.Plan.Scheme != "" {
		t.Errorf("%s, plan %+v", st.Action, st.Plan)
	}
	if len(st.Problems) != 1 || !strings.Contains(st.Problems[0].Reason, "too little of the mask lies in the field of "+
		"view of the series (50 % needed): ") {
		t.Errorf("%+v", st.Problems)
	}
	if in.LabelMaps != 1 || in.Passed.NotDICOM != 0 {
		t.Errorf("%d label maps, %d files that are not DICOM", in.LabelMaps, in.Passed.NotDICOM)
	}
}

// inspect says what run would do with a mask: grid, scheme, side, division and registration.
func TestInspectPlans(t *testing.T) {
	dir := t.TempDir()
	labels, study := dessStudy(t, dir, "S01")
	path := filepath.Join(study, "labels.nii.gz")
	writeLabels(t, path, labels)
	s := skmTea(t, dir)
	r := oneResult(t, s)
	st := inspectOne(t, s)
	p := st.Plan
	if p == nil || p.OnSeries || p.Size != labels.Size || p.Spacing != *r.Mask.Spacing || p.MinFraction != 0.5 ||
		p.Scheme != "skm-tea" || p.Side != r.Side ||
		!slices.Equal(p.Sides, r.Division.Sides) || p.Division != pipeline.DividedByShape || p.Layers != 2 ||
		p.Registration != (pipeline.Alignment{}) {
		t.Errorf("plan %+v", p)
	}
	if !slices.Equal(st.Warnings, r.Warnings) {
		t.Errorf("warnings %q, of run %q", st.Warnings, r.Warnings)
	}
	for _, row := range r.Regions {
		if strings.HasSuffix(row.Compartment, "-meniscus") { // layers are of cartilage
			t.Errorf("a row below a meniscus: %+v", row)
		}
	}

	changed := s
	changed.Protocol.Division = protocol.Division{Method: protocol.DivideNone, MinFraction: 0.7}
	if p = inspectOne(t, changed).Plan; p.Division != pipeline.MarkedTissues || p.Layers != 0 || p.MinFraction != 0.7 ||
		p.Side != "right" || len(p.Sides) != 1 {
		t.Errorf("division none: %+v", p)
	}
	changed.Out = t.TempDir()
	if none := oneResult(t, changed); none.Division != nil || len(none.Regions) > 0 || len(none.Compartments) != 6 {
		t.Errorf("division none: %+v, %+v", none.Division, none.Compartments)
	}
	changed = s
	changed.Protocol.Register.Moving = "SAG*DESS*"
	st = inspectOne(t, changed)
	if st.Plan.Registration.Series == "" || st.Plan.Registration.Series == r.Series ||
		st.Plan.Division != pipeline.DividedByShape || len(st.Warnings) > 0 {
		t.Errorf("registered: %+v, warnings %q", st.Plan, st.Warnings)
	}
	changed = s
	changed.Protocol.Scheme = segment.Scheme{}
	if p = inspectOne(t, changed).Plan; p == nil || p.Scheme != "" || p.Size != labels.Size || p.OnSeries {
		t.Errorf("no scheme: %+v", p)
	}

	k := knee(t, filepath.Join(dir, "own", "studies", "S02"), phantom.Options{Subject: "S02"})
	if p = inspectOne(t, settings(t, filepath.Join(dir, "own"))).Plan; !p.OnSeries || p.MinFraction != 0 ||
		p.Division != pipeline.MarkedRows || p.Side != "right" || p.Size != k.Labels.Size {
		t.Errorf("its own grid: %+v", p)
	}
}

// A mask that is carried from another visit is named as such, and where it cannot be carried the
// study would fail, in inspect as in run.
func TestInspectCarried(t *testing.T) {
	dir := t.TempDir()
	for _, visit := range []string{"V1", "V2"} {
		knee(t, filepath.Join(dir, "studies", "S01", visit), phantom.Options{Subject: "S01", Visit: visit})
	}
	remove(t, filepath.Join(dir, "studies", "S01", "V2", "labels.nii.gz"))
	s := settings(t, dir)
	s.Protocol.Masks.Visit = "V1"
	in, err := Inspect(t.Context(), s)
	if err != nil || len(in.Studies) != 2 {
		t.Fatalf("%+v, %v", in, err)
	}
	own, carried := in.Studies[0], in.Studies[1]
	if own.Visit != "V1" {
		own, carried = carried, own
	}
	if own.Plan.Registration.Visit != "" || carried.Plan == nil || carried.Plan.Registration.Visit != "V1" ||
		carried.Mask.SourceVisit != "V1" || !strings.HasSuffix(carried.Action, "with the mask of the visit V1") {
		t.Errorf("own %+v, carried %+v: %s", own.Plan, carried.Plan, carried.Action)
	}
	s.Protocol.Masks.Visit = "V0"
	if in, err = Inspect(t.Context(), s); err != nil || in.Failed() != 1 {
		t.Errorf("from a visit that is not there: %d fail, %v", in.Failed(), err)
	}
}

// The grid that inspect writes is that of the series, with its first echo; a mask that is drawn on
// it needs no resampling. It lies where results would, under the same names, and nothing else is
// written. Studies without a mask, which would fail, are those that need it.
func TestWriteGrid(t *testing.T) {
	dir := t.TempDir()
	truth := map[string]*phantom.Study{}
	for _, subject := range []string{"S01", "S02"} {
		folder := filepath.Join(dir, "studies", subject)
		truth[subject] = knee(t, folder, phantom.Options{Subject: subject})
		remove(t, filepath.Join(folder, "labels.nii.gz"))
	}
	s := settings(t, dir)
	s.Grids = filepath.Join(dir, "grids")
	in, err := Inspect(t.Context(), s)
	if err != nil || in.Failed() != 2 {
		t.Fatalf("%+v, %v", in, err)
	}
	want := []string{"S01/baseline/grid.nii.gz", "S02/baseline/grid.nii.gz"}
	if got := slices.Sorted(maps.Keys(tree(t, s.Grids))); !slices.Equal(got, want) || in.Studies[0].Grid != want[0] ||
		in.Studies[1].Grid != want[1] {
		t.Errorf("wrote %q, says %q and %q", got, in.Studies[0].Grid, in.Studies[1].Grid)
	}
	k := truth["S01"]
	f, err := os.Open(filepath.Join(s.Grids, want[0]))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	image, err := nifti.ReadLabels(f) // magnitudes are whole numbers
	if err != nil {
		t.Fatal(err)
	}
	image, err = segment.OnGrid(image, k.Labels.Geometry)
	if err != nil {
		t.Fatal(err)
	}
	for v, m := range k.Echoes.Echo[0] {
		if float32(image.Data[v]) != m {
			t.Fatalf("voxel %d: %d, want %g", v, image.Data[v], m)
		}
	}
	drawn := volume.Labels{Geometry: image.Geometry, Data: k.Labels.Data}
	writeLabels(t, filepath.Join(dir, "studies", "S01", "labels.nii.gz"), drawn)
	s.Grids = ""
	out := run(t, s)
	if len(out.Results) != 1 || out.Results[0].Mask.Size != nil || len(out.Results[0].Warnings) > 0 ||
		out.Results[0].Compartments[0].Voxels != count(k.Labels.Data, 1) {
		t.Errorf("%+v, %+v", out.Results, out.Failures)
	}
}

func count(data []uint16, label uint16) (n int) {
	for _, l := range data {
		if l == label {
			n++
		}
	}
	return n
}
