package batch

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/volume"
)

// Inspect judges the places of rows by the side that run uses: that of the images or, where they do not
// name it, that which the mask shows.
func TestInspectJudgesByTheSideOfTheMask(t *testing.T) {
	if testing.Short() {
		t.Skip("maps three studies")
	}
	for _, c := range []struct{ name, laterality, first, second string }{
		{"exchanged, no side in the images", "", "lateral", "medial"},
		{"exchanged", "R", "lateral", "medial"},
		{"sound, no side in the images", "", "medial", "lateral"},
	} {
		dir := t.TempDir()
		labels, study := dessStudy(t, dir, "S01")
		sayInImages(t, study, c.laterality, "T2 MAP")
		writeLabels(t, filepath.Join(study, "labels.nii.gz"), labels)
		s := skmTea(t, dir)
		s.Protocol.Scheme = meaning([6]string{"ignore", "ignore", c.first, c.second, "medial-meniscus",
			"lateral-meniscus"})
		out := run(t, s)
		in, err := Inspect(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		st := in.Studies[0]
		if failed := len(out.Failures) > 0; failed != (st.Action == "fail") {
			t.Errorf("%s: run fails: %v, inspect would %s", c.name, failed, st.Action)
		}
		if len(out.Results) == 0 {
			continue
		}
		r := out.Results[0]
		wrong := func(w string) bool { return strings.Contains(w, "should lie") }
		if !slices.Equal(st.Warnings, r.Warnings) || slices.ContainsFunc(r.Warnings, wrong) != (c.first == "lateral") {
			t.Errorf("%s: inspect warns %q, run %q", c.name, st.Warnings, r.Warnings)
		}
		if side := cmp.Or(st.Plan.Side, "unknown"); side != "right" {
			t.Errorf("%s: side %s", c.name, side)
		}
	}
}

// Numbers of regions.nii.gz have different names though a scheme marks one region with two tissues.
func TestPartsHaveDifferentNames(t *testing.T) {
	names := []string{"femoral-cartilage", "trochlear-cartilage", "medial-tibial-cartilage"}
	m := segment.Marks{Names: names}
	m.Labels = volume.Labels{Geometry: volume.Geometry{Size: [3]int{5, 1, 1}}, Data: []uint16{1, 2, 2, 3, 1}}
	p := m.Divided([]anatomy.Region{
		anatomy.Trochlear, anatomy.Trochlear, anatomy.Trochlear, anatomy.MedialTibialCentral,
		anatomy.MedialFemoralCentral,
	}, []uint8{1, 1, 2, 1, 2}, 2)
	seen := map[segment.Part]bool{}
	for n, part := range p.Part {
		if seen[part] {
			t.Errorf("two parts are %+v", part)
		}
		seen[part] = true
		want := ""
		if part.Region == "trochlear" {
			want = p.Marked[p.Tissue[n]-1]
		}
		if part.Tissue != want {
			t.Errorf("%+v, want the tissue %q", part, want)
		}
	}
	if len(seen) != 5 {
		t.Errorf("%d parts, want 5", len(seen))
	}
}
