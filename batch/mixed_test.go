package batch

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/volume"
)

// A scheme may give some labels tissues and others rows of the results. Warnings and notes are about
// what the rows hold.
func TestSchemesOfTissuesAndRows(t *testing.T) {
	if testing.Short() {
		t.Skip("maps five studies")
	}
	dir := t.TempDir()
	labels, study := dessStudy(t, dir, "S01")
	writeLabels(t, filepath.Join(study, "labels.nii.gz"), labels)
	s := skmTea(t, dir)
	const noTibia = "the mask has no tibial cartilage: "
	for _, c := range []struct {
		name     string
		meanings [6]string // of the labels of skm-tea, from patella to lateral meniscus
		warning  string    // "" for none
		own      []string  // rows that hold voxels of their own beside those of tissues
	}{
		{"tibia as rows", [6]string{"patellar-cartilage", "femoral-cartilage", "medial", "lateral", "ignore", "ignore"},
			"", []string{"medial", "lateral"}},
		{"one tibia as a row", [6]string{"patellar-cartilage", "femoral-cartilage", "medial", "ignore", "ignore",
			"ignore"},
			noTibia + "lateral is the cartilage of the femur alone", []string{"medial"}},
		{"patella as a row", [6]string{"patellofemoral", "femoral-cartilage", "ignore", "ignore", "ignore", "ignore"},
			noTibia + "medial and lateral are the cartilage of the femur alone", []string{"patellofemoral"}},
		{"femur as a row", [6]string{"patellar-cartilage", "lateral", "medial-tibial-cartilage",
			"lateral-tibial-cartilage",
			"medial-meniscus", "lateral-meniscus"},
			"the mask has no femoral cartilage behind the trochlea: medial is the cartilage of the tibia alone",
			[]string{"lateral"}},
	} {
		s.Protocol.Scheme, s.Out = meaning(c.meanings), t.TempDir()
		r := oneResult(t, s)
		var got []string
		for _, w := range r.Warnings {
			if strings.HasPrefix(w, "the mask has no ") {
				got = append(got, w)
			}
		}
		if got := strings.Join(got, "\n"); got != c.warning {
			t.Errorf("%s: warnings %q, want %q", c.name, r.Warnings, c.warning)
		}
		for _, row := range r.Compartments {
			own := strings.Contains(strings.Join(c.own, " ")+" ", row.Compartment+" ")
			if own != strings.Contains(row.Note, "are in no region: the mask marks them as "+row.Compartment) {
				t.Errorf("%s: %s: note %q", c.name, row.Compartment, row.Note)
			}
		}
		checkLayers(t, c.name, r)
	}
	// Tissues of a scheme that a mask does not have leave its rows in their places.
	writeLabels(t, filepath.Join(study, "labels.nii.gz"), withLabels(labels, func(_ int, l uint16) uint16 {
		if l == skmLateralTibia {
			return l
		}
		return 0
	}))
	s.Protocol.Scheme = segment.Scheme{Name: "mixed", Labels: []segment.Label{
		{Value: skmFemur, Name: "femoral-cartilage"}, {Value: skmLateralTibia, Name: "lateral"},
	}}
	s.Out = t.TempDir()
	r := oneResult(t, s)
	medial, lateral := rowOf(t, r, segment.Medial), rowOf(t, r, segment.Lateral)
	if medial.Voxels > 0 || lateral.Voxels == 0 {
		t.Errorf("only the lateral tibia marked: medial %d voxels, lateral %d", medial.Voxels, lateral.Voxels)
	}
}

// meaning returns a scheme in which the labels from 1 on have these meanings.
func meaning(meanings [6]string) segment.Scheme {
	out := segment.Scheme{Name: "mixed"}
	for n, m := range meanings {
		out.Labels = append(out.Labels, segment.Label{Value: uint16(n + 1), Name: m})
	}
	return out
}

// checkLayers checks that the notes about layers say where the rows of layers hold less than a region,
// and that menisci, which are not cartilage, have no layers and no note of them.
func checkLayers(t *testing.T, name string, r report.Result) {
	t.Helper()
	layered := map[string]int{}
	for _, row := range r.Regions {
		if row.Layer != segment.All {
			layered[row.Compartment+row.Region] += row.Voxels
		}
	}
	for _, row := range append(r.Compartments, r.Regions...) {
		says := strings.Contains(row.Note, "are in no layer")
		in := layered[row.Compartment+row.Region]
		switch meniscus := strings.HasSuffix(row.Compartment, "meniscus"); {
		case meniscus && (row.Layer != segment.All || says):
			t.Errorf("%s: %s %s: note %q", name, row.Compartment, row.Layer, row.Note)
		case meniscus || row.Region == segment.All || row.Layer != segment.All:
		case says != (in < row.Voxels):
			t.Errorf("%s: %s: %d of %d voxels in layers, note %q", name, row.Region, in, row.Voxels, row.Note)
		}
	}
}

// Parts that a mask has divided already compete for voxels as the cartilage that they are of: a femur
// in one label and the same femur in the five labels of OpenMSK give the same values.
func TestPartsOfOneCartilageCompeteAsOne(t *testing.T) {
	if testing.Short() {
		t.Skip("divides a mask and maps two studies")
	}
	dir := t.TempDir()
	labels, study := dessStudy(t, dir, "S01")
	path := filepath.Join(study, "labels.nii.gz")
	s := skmTea(t, dir)
	marks, err := s.Protocol.Scheme.Interpret(labels)
	if err != nil {
		t.Fatal(err)
	}
	knee, err := anatomy.Examine(t.Context(), marks.Tissues())
	if err != nil {
		t.Fatal(err)
	}
	division, err := knee.Divide(t.Context(), anatomy.Right)
	if err != nil {
		t.Fatal(err)
	}
	s.Protocol.Scheme, _ = segment.Named("openmsk")
	whole := withLabels(labels, func(_ int, l uint16) uint16 { return [...]uint16{0, 7, 4, 5, 6, 8, 9}[l] })
	parts := map[anatomy.Region]uint16{
		anatomy.Trochlear: 11, anatomy.MedialFemoralCentral: 12, anatomy.LateralFemoralCentral: 13,
		anatomy.MedialFemoralPosterior: 14, anatomy.LateralFemoralPosterior: 15,
	}
	var results [2]report.Result
	for n, mask := range []volume.Labels{whole, withLabels(whole, func(v int, l uint16) uint16 {
		if l == 4 {
			return parts[division.Data[v]]
		}
		return l
	})} {
		writeLabels(t, path, mask)
		s.Out = t.TempDir()
		results[n] = oneResult(t, s)
		checkLayers(t, "openmsk", results[n])
	}
	one := slices.Concat(results[0].Compartments, results[0].Regions)
	five := slices.Concat(results[1].Compartments, results[1].Regions)
	if len(one) != len(five) {
		t.Fatalf("%d rows of one label, %d of five", len(one), len(five))
	}
	for n, a := range one {
		b := five[n]
		if a.Compartment != b.Compartment || a.Region != b.Region || a.Layer != b.Layer {
			t.Fatalf("row %d: %s %s %s and %s %s %s", n, a.Compartment, a.Region, a.Layer, b.Compartment, b.Region,
				b.Layer)
		}
		if a.Voxels != b.Voxels || a.Voxels > 0 && a.MeanT2 != b.MeanT2 {
			t.Errorf("%s %s %s: %d voxels of %g ms in one label, %d of %g ms in five",
				a.Compartment, a.Region, a.Layer, a.Voxels, a.MeanT2, b.Voxels, b.MeanT2)
		}
	}
}
