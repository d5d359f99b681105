package batch

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/reads"
)

// Verify compares reads with the record. A run and its tables ignore them, and no subject gets their folder.
func TestVerifyReads(t *testing.T) {
	dir, s := resumable(t)
	results := run(t, s).Results
	f, err := os.Open(filepath.Join(results[0].Dir, "compartments.nii.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	mask, err := nifti.ReadLabels(f)
	if err != nil {
		t.Fatal(err)
	}
	store, err := reads.Open(s.Out)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	key := reads.Key{Study: results[0].Study, Series: results[0].Series}
	drawn, err := store.Begin("R1", key, mask, []uint16{1, 2, 3}, reads.Scheme{Name: "compartments"}, "the mask of the run")
	if err != nil {
		t.Fatal(err)
	}
	signed, err := store.Sign(drawn, reads.Read{State: reads.Signed, Name: "R. Ader",
		Meaning: "I have checked this mask"})
	if err != nil {
		t.Fatal(err)
	}
	// The mask of a read is on the grid of the series, voxel for voxel.
	if again, err := store.Mask(*signed); err != nil || !cmp.Equal(again.Data, mask.Data) ||
		mask.Distance(again.Geometry) > mask.Tolerance() {
		t.Errorf("%v: the mask has changed on its way", err)
	}
	verify := func() Verification {
		t.Helper()
		v, err := Verify(t.Context(), s.Out, []string{filepath.Join(dir, "studies")}, 0)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if v := verify(); v.Reads != 1 || v.Results != 2 || len(v.Findings) > 0 {
		t.Errorf("%+v", v)
	}
	if out := run(t, s); out.Mapped != 1 || out.Earlier != 1 { // now with the mask of the reader
		t.Errorf("%+v", out.Outcome)
	}
	place := "reads/R1/" + key.String() + "/1"
	remove(t, filepath.Join(s.Out, filepath.FromSlash(place), "mask.nii.gz"))
	want := []Finding{
		{"S01/study/result.json", "its input " + place + "/mask.nii.gz is not in the searched folders"},
		{place + "/mask.nii.gz", "is missing"},
	}
	if diff := cmp.Diff(want, verify().Findings); diff != "" {
		t.Error(diff)
	}
	if out := run(t, s); len(out.Failures) != 1 || !strings.Contains(out.Failures[0].Reason, place+"/mask.nii.gz") {
		t.Errorf("%+v", out.Failures)
	}
	if name := folderName("Reads"); name != "_Reads" {
		t.Errorf("a subject gets the folder %s", name)
	}
}
