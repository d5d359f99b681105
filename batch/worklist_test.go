package batch

import (
	"errors"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/t2map/t2map/drawing"
	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/reads"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/t2fit"
	"github.com/t2map/t2map/volume"
)

// A reader sees the echoes, maps and mask of a run, and the values of its tables. A study without a mask can be opened.
func TestWorklist(t *testing.T) {
	dir, s := resumable(t)
	out := run(t, s)
	remove(t, filepath.Join(dir, "studies", "S02", "labels.nii.gz"))
	w, err := OpenWorklist(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if len(w.Studies) != 2 || w.Studies[0].Subject != "S01" || w.Studies[0].Problem != nil || w.Studies[0].NoMask != nil ||
		w.Studies[1].Problem != nil || w.Studies[1].NoMask == nil {
		t.Fatalf("%+v", w.Studies)
	}
	first := out.Results[0]
	k := reads.Key{Study: first.Study, Series: first.Series}
	if w.Studies[0].Key != k || w.Studies[0].Result != first.Dir {
		t.Errorf("%+v", w.Studies[0])
	}
	view, err := w.Open(t.Context(), k)
	if err != nil || view.NoMask != nil {
		t.Fatal(err, view.NoMask)
	}
	if diff := cmp.Diff(readMask(t, filepath.Join(first.Dir, "compartments.nii.gz")).Data, view.Mask.Data); diff != "" {
		t.Error(diff)
	}
	values, err := view.Measure(t.Context(), view.Mask, true)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first.Compartments, values.Labels,
		cmp.Comparer(func(a, b segment.Number) bool { return a == b || a != a && b != b }),
		cmpopts.IgnoreFields(segment.Summary{}, "Texture")); diff != "" {
		t.Error(diff)
	}
	checkDecay(t, view)
	second, err := w.Open(t.Context(), w.Studies[1].Key)
	if err != nil || second.NoMask == nil || second.Mask.Data != nil {
		t.Errorf("%v, %v", err, second.NoMask)
	}
}

// The other methods skip the echoes that the run skips, except EPG, which fits all. Another visit can be read beside the study.
func TestWorklistReadings(t *testing.T) {
	dir, s := resumable(t)
	knee(t, filepath.Join(dir, "studies", "S01b"), phantom.Options{Subject: "S01", Visit: "month12", Seed: 3})
	s.Layout = "" // subject and visit are attributes
	s.Protocol.Fit.SkipEchoes = 3
	w, err := OpenWorklist(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	view, err := w.Open(t.Context(), w.Studies[0].Key)
	if err != nil {
		t.Fatal(err)
	}
	v := slices.IndexFunc(view.Mask.Data, func(l uint16) bool { return l > 0 })
	skipped := map[t2fit.Method]int{}
	for _, r := range view.VoxelDecay(v) {
		for _, x := range r.Residuals {
			if math.IsNaN(x) {
				skipped[r.Method]++
			}
		}
	}
	if diff := cmp.Diff(map[t2fit.Method]int{t2fit.NLLS: 3, t2fit.Rician: 3}, skipped); diff != "" {
		t.Error(diff)
	}
	if len(view.Others) != 1 {
		t.Fatalf("%+v", view.Others)
	}
	other, err := w.ReadOther(t.Context(), view.Others[0].Key)
	if err != nil || len(other.Data) != other.Voxels() || len(other.Data) == 0 {
		t.Errorf("%v: %d voxels of %d", err, len(other.Data), other.Voxels())
	}
}

// checkDecay compares the readings of a voxel with the maps.
func checkDecay(t *testing.T, view *Opened) {
	t.Helper()
	residual := view.Residual()
	for v, status := range view.Maps.Status {
		if status != volume.NotFitted && view.Mask.Data[v] > 0 {
			all := view.VoxelDecay(v)
			alone := view.Decay(view.Signal([]int{v}), view.Maps.Index(v)[2])
			if len(all) != 3 || all[0].T2 != float64(view.Maps.T2[v]) || float32(alone[0].T2) != view.Maps.T2[v] {
				t.Fatalf("voxel %d: %+v, map %g", v, all[0], view.Maps.T2[v])
			}
			sum, n := 0.0, 0
			for _, r := range all[0].Residuals {
				if !math.IsNaN(r) {
					sum, n = sum+r*r, n+1
				}
			}
			if got := math.Sqrt(sum / float64(n)); math.Abs(got-float64(residual[v])) > 1e-3*got+1e-3 {
				t.Errorf("voxel %d: residual %g, in the map %g", v, got, residual[v])
			}
		}
	}
}

// All readers begin with the mask that a program has made, also when the result has become that of a reader.
func TestWorklistKeepsTheAutomaticMask(t *testing.T) {
	dir := t.TempDir()
	s := segmented(t, dir, segmenterFor(t, "thresholds"))
	first := run(t, s).Results[0]
	open := func() *Opened {
		t.Helper()
		w, err := OpenWorklist(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		view, err := w.Open(t.Context(), reads.Key{Study: first.Study, Series: first.Series})
		if err != nil || view.NoMask != nil {
			t.Fatal(err, view.NoMask)
		}
		return view
	}
	view := open()
	store, err := reads.Open(s.Out)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	empty := volume.Labels{Geometry: view.Series.Geometry, Data: make([]uint16, view.Series.Voxels())}
	var values []uint16
	for _, l := range view.Scheme().Labels {
		values = append(values, l.Value)
	}
	d, err := store.Begin("R1", reads.Key{Study: first.Study, Series: first.Series}, empty, values,
		reads.Scheme{Name: view.Scheme().Name, SHA256: view.Scheme().Sum()}, "nothing")
	if err == nil {
		box := []drawing.Run{{First: 100, Length: 20, Label: values[0]}}
		_, err = d.Apply(drawing.Stroke{Tool: "box", Runs: box})
	}
	if err == nil {
		_, err = store.Sign(d, reads.Read{State: reads.Signed, Name: "R", Meaning: "m"})
	}
	if err != nil {
		t.Fatal(err)
	}
	s.Force = false
	s.Protocol.Division.Method = protocol.DivideNone
	s.Replace = true
	if out := run(t, s); out.Mapped != 1 || out.Results[0].Mask.Read == nil {
		t.Fatalf("%+v", out.Outcome)
	}
	if diff := cmp.Diff(view.Mask.Data, open().Mask.Data); diff != "" {
		t.Error("another reader begins with another mask")
	}
}

// Settings with which a run would refuse the folder are refused at once.
func TestWorklistOfOtherSettings(t *testing.T) {
	_, s := resumable(t)
	run(t, s)
	s.Protocol.Fit.Method = t2fit.LogLinear
	_, want := Run(t.Context(), s)
	_, err := OpenWorklist(t.Context(), s)
	if !errors.As(err, new(*SettingsError)) || err.Error() != want.Error() {
		t.Errorf("%v, want %v", err, want)
	}
}
