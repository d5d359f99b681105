package segment

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/volume"
)

// blocks is a grid of 5 mm voxels whose axes run along x, y and z, with a block of
// 3 × 3 × 3 voxels (3.4 cm³) around each named centre in voxels.
func blocks(centres map[string][3]int) Regions {
	g := volume.Geometry{
		Size: [3]int{24, 24, 24}, Affine: [3][4]float64{{5, 0, 0, -60}, {0, 5, 0, -60}, {0, 0, 5, -60}},
	}
	r := Regions{Labels: volume.Labels{Geometry: g, Data: make([]uint16, g.Voxels())}}
	for name := range centres {
		r.Names = append(r.Names, name)
	}
	slices.Sort(r.Names)
	for n, name := range r.Names {
		c := centres[name]
		for v := range 27 {
			position := [3]int{c[0] + v%3 - 1, c[1] + v/3%3 - 1, c[2] + v/9 - 1}
			r.Data[position[0]+24*(position[1]+24*position[2])] = uint16(n + 1)
		}
	}
	return r
}

// says writes findings as short texts.
func says(findings []Finding) string {
	var out []string
	for _, f := range findings {
		text := fmt.Sprint([]string{"large", "small", "side", "undivided", "sum"}[f.Kind], " ", f.Compartment)
		if f.Kind == WrongSide {
			text += fmt.Sprintf(" %s of %s %.0f", f.Direction, f.Other, f.DistanceMM)
		}
		out = append(out, text)
	}
	return strings.Join(out, "; ")
}

func TestWrongSides(t *testing.T) {
	position := func(x, y, z int) [3]int { return [3]int{x, y, z} }
	right := map[string][3]int{"medial": position(16, 12, 12), "lateral": position(8, 12, 12),
		"patellofemoral": position(12, 4, 14)}
	parts := map[string][3]int{
		"medial-tibial": position(16, 12, 8), "lateral-tibial": position(8, 12, 8), "femoral": position(12, 12, 12),
		"patellar": position(12, 3, 14),
	}
	for _, c := range []struct {
		name, side string
		centres    map[string][3]int
		want       string
	}{
		{"a right knee", "right", right, ""},
		{"taken for a left one", "left", right, "side medial medial of lateral 40"},
		{"of no side", "", right, ""},
		{"in parts", "right", parts, ""},
		{"in parts, taken for a left one", "left", parts, "side medial-tibial medial of lateral-tibial 40"},
		{"patella and femur exchanged", "right", map[string][3]int{"patellar": position(12, 12, 12),
			"femoral": position(12, 3, 14)}, "side patellar anterior of femoral 45"},
		{"tibia and femur exchanged", "", map[string][3]int{"femoral": position(12, 12, 8),
			"lateral-tibial": position(12, 12, 12)}, "side femoral superior of lateral-tibial 20"},
		{"back to front", "", map[string][3]int{"patellofemoral": position(12, 20, 12),
			"medial": position(8, 12, 12)}, "side patellofemoral anterior of medial 40"},
		{"menisci", "left", map[string][3]int{"medial-meniscus": position(16, 12, 12),
			"lateral-meniscus": position(8, 12, 12)}, "side medial-meniscus medial of lateral-meniscus 40"},
		{"neighbours", "right", map[string][3]int{"medial": position(11, 12, 4), "lateral": position(11, 12, 12)}, ""},
		{"other names", "right", map[string][3]int{"sphere-1": position(8, 12, 12), "sphere-2": position(16, 12, 12),
			"medial-femur": position(4, 12, 12)}, ""},
		{"medial of a femur in one piece", "right", map[string][3]int{"femoral": position(12, 12, 14),
			"medial": position(16, 12, 8), "patellofemoral": position(12, 4, 14)},
			"undivided medial; undivided patellofemoral"},
	} {
		if got := says(blocks(c.centres).Check(c.side)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// The grid may have any orientation: positions are in the axes of the patient.
func TestWrongSidesObliquely(t *testing.T) {
	r := blocks(map[string][3]int{"medial": {8, 12, 12}, "lateral": {16, 12, 12}})
	r.Affine = [3][4]float64{
		{0, 0, -5, 60}, {5, 0, 0, 0}, {0, -5, 0, 0},
	} // sagittal: medial and lateral now differ along y
	if got := says(r.Check("right")); got != "" {
		t.Errorf("apart along y: %q", got)
	}
	r.Affine = [3][4]float64{
		{-5, 0, 0, 60}, {0, 5, 0, 0}, {0, 0, 5, 0},
	} // medial is to the left now, as in a right knee
	if r.Check("right") != nil || says(r.Check("left")) != "side medial medial of lateral 40" {
		t.Errorf("mirrored: %q, %q", says(r.Check("right")), says(r.Check("left")))
	}
}

func TestVolumes(t *testing.T) {
	r := blocks(map[string][3]int{"medial": {4, 4, 4}, "femoral": {12, 12, 12}, "sphere-1": {20, 20, 20}})
	for _, c := range []struct {
		spacing float64 // along x
		want    string
	}{
		{5, "undivided medial"}, {22, "undivided medial"}, {23, "large medial; undivided medial"},
		{89, "large femoral; large medial; undivided medial"},
		{0.05, "small femoral; small medial; undivided medial"},
	} {
		r.Affine[0][0] = c.spacing
		if got := says(r.Check("")); got != c.want {
			t.Errorf("spacing %g: %q, want %q", c.spacing, got, c.want)
		}
	}
	// Three of 13.2 cm³ are 39.5 cm³, three of 13.5 are 40.5.
	three := blocks(
		map[string][3]int{
			"medial": {4, 12, 12}, "lateral": {20, 12, 12}, "patellofemoral": {12, 4, 12}, "sphere-1": {12, 20, 20},
		},
	)
	for spacing, want := range map[float64]string{19.5: "", 20: "sum ",
		23: "large lateral; large medial; large patellofemoral"} {
		three.Affine[0][0] = spacing
		if got := says(three.Check("")); got != want {
			t.Errorf("three, spacing %g: %q, want %q", spacing, got, want)
		}
	}
	// A region of interest on two slices is small, and no unfinished plate.
	r.Affine[0][0] = 0.05
	clear(r.Data[24*24*13:])
	if got := says(r.Check("")); got != "small medial; undivided medial" {
		t.Errorf("two slices: %q", got)
	}
	r.Data = make([]uint16, len(r.Data))
	if got := r.Check("right"); got != nil {
		t.Errorf("an empty mask: %v", got)
	}
}

// A real knee has no findings with the right scheme, and the expected ones with wrong schemes.
func TestRealKneeIsPlausible(t *testing.T) {
	l := dess(t)
	read := func(names map[uint16]string) Regions {
		r := Regions{Labels: volume.Labels{Geometry: l.Geometry, Data: make([]uint16, len(l.Data))}}
		lut := map[uint16]uint16{}
		for v := uint16(1); v <= 10; v++ {
			if names[v] != "" {
				r.Names = append(r.Names, names[v])
				lut[v] = uint16(len(r.Names))
			}
		}
		for v, label := range l.Data {
			r.Data[v] = lut[label]
		}
		return r
	}
	for _, c := range []struct {
		name, side, want string
		names            map[uint16]string
	}{
		{"right", "right", "", map[uint16]string{1: femoralRow, 2: medialTibial, 3: lateralTibial, 4: patellarRow,
			9: string(anatomy.PlateLateralMeniscus), 10: string(anatomy.PlateMedialMeniscus)}},
		{"bone", "right", "large femoral; large patellar", map[uint16]string{5: femoralRow, 7: patellarRow}},
		{"bone as compartments", "right", "large patellofemoral; large medial",
			map[uint16]string{5: Patellofemoral, 6: Medial}},
		{"sides exchanged", "right", "side medial-tibial medial of lateral-tibial 34",
			map[uint16]string{2: lateralTibial, 3: medialTibial}},
		{"femur and patella exchanged", "", "large patellar; side patellar anterior of femoral 37",
			map[uint16]string{1: patellarRow, 4: femoralRow}},
		{"femur and tibia exchanged", "", "side femoral superior of medial-tibial 14",
			map[uint16]string{1: medialTibial, 2: femoralRow}},
	} {
		if got := says(read(c.names).Check(c.side)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// dess reads the label map of a real right knee: a gzipped NRRD in LPS.
func dess(t *testing.T) volume.Labels {
	t.Helper()
	data, err := os.ReadFile("../../shared/data/knee-dess-seg/labels.nrrd")
	if err != nil {
		t.Skip("../shared/data/knee-dess-seg is not here: ", err)
	}
	head, packed, _ := bytes.Cut(data, []byte("\n\n"))
	var l volume.Labels
	for line := range strings.Lines(string(head)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		clean := strings.NewReplacer("(", "", ")", "", ",", " ").Replace(value)
		switch a := &l.Affine; key {
		case "sizes":
			_, err = fmt.Sscan(clean, &l.Size[0], &l.Size[1], &l.Size[2])
		case "space directions":
			_, err = fmt.Sscan(
				clean, &a[0][0], &a[1][0], &a[2][0], &a[0][1], &a[1][1], &a[2][1], &a[0][2], &a[1][2], &a[2][2],
			)
		case "space origin":
			_, err = fmt.Sscan(clean, &a[0][3], &a[1][3], &a[2][3])
		}
		if err != nil {
			t.Fatal(key, err)
		}
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	voxels, err := io.ReadAll(z)
	if err != nil || len(voxels) != l.Voxels() {
		t.Fatal(len(voxels), err)
	}
	l.Data = make([]uint16, len(voxels))
	for v, label := range voxels {
		l.Data[v] = uint16(label)
	}
	return l
}

// BenchmarkCheck is a study of the OAI's size with 1 % of it labelled.
func BenchmarkCheck(b *testing.B) {
	g := volume.Geometry{
		Size: [3]int{384, 384, 30}, Affine: [3][4]float64{{0.3, 0, 0, 0}, {0, 0.3, 0, 0}, {0, 0, 3, 0}},
	}
	r := Regions{
		Labels: volume.Labels{Geometry: g, Data: make([]uint16, g.Voxels())},
		Names:  []string{Medial, Lateral, Patellofemoral},
	}
	for v := range r.Data {
		if v%384 < 4 {
			r.Data[v] = uint16(1 + v%3)
		}
	}
	for b.Loop() {
		r.Check("right")
	}
}
