package segment

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/volume"
)

var smallGrid = volume.Geometry{Size: [3]int{4, 3, 2}, Affine: [3][4]float64{{1}, {0, 1}, {0, 0, 1}}}

func segmentation(segments ...volume.Segment) volume.Segmentation {
	return volume.Segmentation{Geometry: smallGrid, Segments: segments}
}

func named(t *testing.T, name string) Scheme {
	t.Helper()
	s, err := Named(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// sct returns a segment of cartilage in a region, coded in SNOMED CT.
func sct(region string, modifiers ...string) volume.Segment {
	g := volume.Segment{Number: 1, Type: volume.Code{Scheme: "SCT", Value: "309312004"}}
	if region != "" {
		g.Regions = []volume.Code{{Scheme: "SCT", Value: region}}
	}
	for _, m := range modifiers {
		g.Modifiers = append(g.Modifiers, volume.Code{Scheme: "SCT", Value: m})
	}
	return g
}

// labelled returns a copy of the segment with that number and label.
func labelled(g volume.Segment, number int, label string) volume.Segment {
	g.Number, g.Label = number, label
	return g
}

// TestMeaningOfSegment: the meaning of one segment by its label, its codes and its number, and the error if
// these contradict each other.
func TestMeaningOfSegment(t *testing.T) {
	ours, err := ParseScheme([]byte(`
name: ours
labels: {1: medial, 2: lateral, 7: medial-femur, 9: ignore}
segments: {MTC: medial, "LTC (final)": lateral, 12: patellofemoral, Bone_Marrow: ignore}
codes:
  - {type: 309312004, region: 71341001, modifiers: [255561001], compartment: medial-femur}
  - {region: "99SITE:TIB", compartment: ignore}
`))
	if err != nil {
		t.Fatal(err)
	}
	plain := func(number int, label string) volume.Segment { return volume.Segment{Number: number, Label: label} }
	rt := sct("", "")
	rt.Type = volume.Code{Scheme: "SRT", Value: "T-D021B"}
	rt.Regions = []volume.Code{{Scheme: "SNM3", Value: "T-1273F"}}
	rt.Modifiers = []volume.Code{{Scheme: "SRT", Value: "G-A104"}, {Scheme: "SRT", Value: "G-A100"}}
	site := volume.Segment{Number: 3, Regions: []volume.Code{{Scheme: "99SITE", Value: "TIB"}}}
	for _, c := range []struct {
		name   string
		scheme Scheme
		in     volume.Segment
		want   string // compartment, or a part of the error
	}{
		{"name of a compartment", named(t, "compartments"), plain(1, "Medial"), "medial"},
		{"with words of the knee", named(t, "compartments"), plain(3, " Knee_patellofemoral-Cartilage "), "patellofemoral"},
		{"numbers come second", named(t, "compartments"), plain(9, "lateral cartilage"), "lateral"},
		{"label against number", named(t, "compartments"), plain(1, "lateral"), "its label says lateral, its number medial"},
		{"number of an empty label", named(t, "compartments"), plain(2, ""), "lateral"},
		{"number of a label that repeats it", named(t, "compartments"), plain(2, "Segment_2"), "lateral"},
		{"with zeros", named(t, "compartments"), plain(2, "ROI #02"), "lateral"},
		{"label with another number", named(t, "compartments"), plain(2, "Segment 1"),
			`does not know segment 2 "Segment 1" (0 voxels; its number would be lateral, but its label says something else)`},
		{"number under an unknown label", named(t, "compartments"), plain(1, "LTC"),
			`segment 1 "LTC" (0 voxels; its number would be medial`},
		{"name within a name", named(t, "compartments"), plain(9, "medial tibia"), "does not know"},
		{"code alone", named(t, "compartments"), labelled(sct("306783000", "49370004"), 9, "LTC"), "lateral"},
		{"code and number agree", named(t, "compartments"), labelled(sct("306783000", "49370004"), 2, "LTC"), "lateral"},
		{"code against number", named(t, "compartments"), labelled(sct("306783000", "49370004"), 1, "LTC"),
			"its number says medial, its code lateral"},
		{"code against label", named(t, "compartments"), labelled(sct("306783000", "49370004"), 2, "medial"),
			"its label says medial, its"},
		{"coded compartment that the scheme has not", named(t, "compartments"), labelled(sct("71341001"), 9, "F"),
			"does not know"},
		{"document's label", named(t, "oai-zib"), plain(3, "Medial tibial cartilage"),
			"its label says medial-tibial-cartilage, its number tibia"},
		{"document's label, number of its own", named(t, "oai-zib"), plain(4, "Medial tibial cartilage"),
			"medial-tibial-cartilage"},
		{"document's label in another order", named(t, "skm-tea"), plain(4, "Tibial Cartilage (Lateral)"), "does not know"},
		{"document's label without brackets", named(t, "skm-tea"), plain(4, "Tibial Cartilage - Lateral"),
			"lateral-tibial-cartilage"},
		{"a compartment that the scheme does not have", named(t, "oai-zib"), plain(4, "medial"),
			"its number would be medial-tibial-cartilage"},
		{"patella alone", named(t, "imorphics"), plain(4, "Patellar cartilage"), "patellar-cartilage"},
		{"tibia where the femur is divided", named(t, "openmsk"), plain(5, "Medial tibial cartilage"),
			"medial-tibial-cartilage"},
		{"coded tibia, femur in one piece", named(t, "skm-tea"),
			labelled(sct("306783000", "255561001", "255551008"), 9, "pMT"), "medial-tibial-cartilage"},
		{"coded patella, femur in one piece", named(t, "skm-tea"), labelled(sct("64234005", "7771000"), 9, "P"),
			"patellar-cartilage"},
		{"coded part of the femur in one piece", named(t, "imorphics"),
			labelled(sct("71341001", "49370004", "26216008"), 9, "cLF"), "femoral-cartilage"},
		{"coded tibia against its number", named(t, "skm-tea"), labelled(sct("306783000", "255561001"), 4, ""),
			"its number says lateral-tibial-cartilage, its code medial-tibial-cartilage"},
		{"femoral cartilage", named(t, "skm-tea"), plain(2, "Femoral Cartilage"), "femoral-cartilage"},
		{"meniscus", named(t, "skm-tea"), plain(5, "Meniscus - Medial"), "medial-meniscus"},
		{"bone", named(t, "oai-zib"), plain(1, "Femoral Bone"), "femur"},
		{"trochlea", named(t, "openmsk"), plain(11, "anterior femoral cartilage"), "trochlear-cartilage"},

		{"codes: tibial plateau", named(t, "codes"), sct("306783000", "255561001", "24028007"), "medial"},
		{"codes: knee", named(t, "codes"), sct("72696002", "49370004"), "lateral"},
		{"codes: knee of no side", named(t, "codes"), sct("72696002"), "does not know"},
		{"codes: femur", named(t, "codes"), sct("71341001", "7771000"), "femoral-cartilage"},
		{"codes: medial femur", named(t, "codes"), sct("71341001", "255561001"), "medial"},
		{"codes: lateral posterior femur", named(t, "codes"), sct("71341001", "255551008", "49370004"), "lateral"},
		{"codes: trochlea", named(t, "codes"), sct("71341001", "255549009"), "patellofemoral"},
		{"codes: lateral trochlea", named(t, "codes"), sct("71341001", "49370004", "255549009"), "patellofemoral"},
		{"codes: patella", named(t, "codes"), sct("64234005"), "patellofemoral"},
		{"codes: both sides", named(t, "codes"), sct("71341001", "49370004", "255561001"), "does not know"},
		{"codes: deep layer", named(t, "codes"), sct("71341001", "49370004", "795002"), "does not know"},
		{"codes: SNOMED RT", named(t, "codes"), rt, "lateral"},
		{"codes: against the label", named(t, "codes"), labelled(sct("72696002", "49370004"), 1, "Medial cartilage"),
			"its label says medial, its code lateral"},
		{"codes: no number", named(t, "codes"), plain(1, ""), "does not know segment 1 (0 voxels)"},

		{"file: label", ours, plain(40, "mtc"), "medial"},
		{"file: label with blanks", ours, plain(40, " ltc  (FINAL)"), "lateral"},
		{"file: label that is a number", ours, plain(40, "12"), "patellofemoral"},
		{"file: ignored label", ours, plain(40, "bone marrow"), "ignore"},
		{"file: ignored label against number", ours, plain(1, "bone marrow"), "its label says ignore, its number medial"},
		{"file: own name by number, coded medial", ours, labelled(sct("71341001", "255561001"), 7, ""), "medial-femur"},
		{"file: code against number", ours, labelled(sct("71341001", "255561001"), 1, ""),
			"its code says medial-femur, its number medial"},
		{"file: region alone", ours, site, "ignore"},
		{"file: built-in rules are not borrowed", ours, labelled(sct("306783000", "49370004"), 40, "x"), "does not know"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.scheme.read([]volume.Segment{c.in})
			switch {
			case err != nil && !strings.Contains(err.Error(), c.want):
				t.Errorf("error %q, want %s", err, c.want)
			case err == nil && got[0].Meaning != c.want:
				t.Errorf("%s, want %s", got[0].Meaning, c.want)
			}
		})
	}
}

// A scheme does not borrow a code that contradicts its own names.
func TestBorrowedCodesAreModest(t *testing.T) {
	s, err := ParseScheme([]byte("name: fine\nlabels: {1: medial, 7: medial-femur}"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.read([]volume.Segment{labelled(sct("71341001", "255561001"), 7, "")})
	if err != nil || got[0].Meaning != "medial-femur" {
		t.Errorf("%v, %v", got, err)
	}
}

// A segment without a number does not get a meaning from its position.
func TestUnnumbered(t *testing.T) {
	s, err := Named("compartments")
	if err != nil {
		t.Fatal(err)
	}
	for label, want := range map[string]string{"Lateral": "lateral", "Segment_1": "", "": ""} {
		got, _, err := s.meaning(volume.Segment{Number: 1, Unnumbered: true, Label: label})
		if err != nil || got.name != want {
			t.Errorf("%q: %q, %v, want %q", label, got.name, err, want)
		}
	}
	if got, _, err := s.meaning(volume.Segment{Number: 1, Label: "Segment_1"}); err != nil || got.name != "medial" {
		t.Errorf("with its number: %q, %v", got.name, err)
	}
}

func TestInterpretSegments(t *testing.T) {
	s := named(t, "compartments")
	got, err := s.InterpretSegments(segmentation(
		volume.Segment{Number: 1, Label: "medial", Voxels: []uint32{0, 1, 5}},
		volume.Segment{Number: 4, Label: "medial cartilage", Voxels: []uint32{5, 6}}, // overlaps its like
		volume.Segment{Number: 3, Label: "patellofemoral", Voxels: []uint32{23}},
		volume.Segment{Number: 2, Label: "lateral"},
	))
	if err != nil {
		t.Fatal(err)
	}
	want := make([]uint16, 24)
	for _, v := range []int{0, 1, 5, 6} {
		want[v] = 1
	}
	want[23] = 3
	read := []Reading{
		{1, "medial", "medial", "label", 3}, {4, "medial cartilage", "medial", "label", 2},
		{3, "patellofemoral", "patellofemoral", "label", 1}, {2, "lateral", "lateral", "label", 0},
	}
	if d := cmp.Diff(read, got.Readings); d != "" {
		t.Errorf("readings (-want +got):\n%s", d)
	}
	if d := cmp.Diff(want, got.Data); d != "" ||
		!slices.Equal(got.Names, []string{"medial", "lateral", "patellofemoral"}) ||
		got.Geometry != smallGrid {
		t.Errorf("%v %v (-want +got):\n%s", got.Names, got.Geometry, d)
	}
}

// Each reading has its source, including those of ignored segments.
func TestReadings(t *testing.T) {
	got, err := named(t, "oai-zib").InterpretSegments(segmentation(
		volume.Segment{
			Number: 4, Label: "Segment 4", Voxels: []uint32{1},
		},
		labelled(sct("306783000", "49370004"), 9, "LTC"),
		volume.Segment{Number: 1, Label: "femoral bone"},
	))
	want := []Reading{
		{4, "Segment 4", "medial-tibial-cartilage", "number", 1}, {9, "LTC", "lateral-tibial-cartilage", "code", 0},
		{1, "femoral bone", "femur", "label", 0},
	}
	if d := cmp.Diff(want, got.Readings); d != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
}

func TestInterpretSegmentsRefuses(t *testing.T) {
	drawn := errors.New("contours enclose no area")
	for _, c := range []struct {
		name     string
		segments []volume.Segment
		want     string
	}{
		{"overlap", []volume.Segment{
			{Number: 1, Label: "medial", Voxels: []uint32{0, 1, 5}}, {Number: 2, Label: "lateral", Voxels: []uint32{1, 5, 7}},
			{Number: 3, Label: "patellofemoral", Voxels: []uint32{7}}},
			"2 voxels are both medial and lateral, 1 voxel is both lateral and patellofemoral"},
		{"unknown", []volume.Segment{{Number: 1, Label: "medial"},
			{Number: 8, Label: "Fibula", Voxels: []uint32{1, 2}}, {Number: 9, Label: "x\n"}},
			`scheme compartments does not know segment 8 "Fibula" (2 voxels), segment 9 "x\n" (0 voxels)`},
		{"a problem", []volume.Segment{{Number: 1, Label: "medial", Problem: drawn}},
			`segment 1 "medial", medial: contours enclose no area`},
		{"two frames of reference", []volume.Segment{{Number: 1, Label: "medial", Frame: "aa", Voxels: []uint32{0}},
			{Number: 2, Label: "lateral", Frame: "bb"},
			{Number: 3, Label: "patellofemoral", Voxels: []uint32{2}}, {Number: 4, Label: "Lateral", Frame: "bb",
				Voxels: []uint32{1}}},
			`segment 1 "medial" is drawn in frame aa, segment 4 "Lateral" in frame bb`},
		{"off the grid", []volume.Segment{{Number: 1, Label: "medial", Voxels: []uint32{24}}},
			"voxel 24 is not on the grid of 24"},
	} {
		_, err := named(t, "compartments").InterpretSegments(segmentation(c.segments...))
		if err == nil || err.Error() != c.want && !strings.HasSuffix(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	// Bone need not be sound.
	got, err := named(
		t, "oai-zib",
	).InterpretSegments(segmentation(volume.Segment{Number: 1, Label: "femoral bone", Problem: drawn}))
	if err != nil || slices.Max(got.Data) != 0 {
		t.Errorf("bone with a problem: %v", err)
	}
	got, err = named(
		t, "oai-zib",
	).InterpretSegments(segmentation(volume.Segment{Number: 1, Label: "femoral bone", Frame: "aa", Voxels: []uint32{0}},
		volume.Segment{Number: 2, Label: "femoral cartilage", Frame: "bb", Voxels: []uint32{1}}))
	if err != nil || slices.Max(got.Data) == 0 {
		t.Errorf("bone in another frame: %v", err)
	}
	// Cartilage within bone is cartilage, in either order.
	zib := named(t, "oai-zib")
	bone, cartilage := volume.Segment{
		Number: 1, Label: "femoral bone", Voxels: []uint32{0, 1, 2},
	}, volume.Segment{
		Number: 2, Label: "femoral cartilage", Voxels: []uint32{1},
	}
	for _, segments := range [][]volume.Segment{{bone, cartilage}, {cartilage, bone}} {
		got, err = zib.InterpretSegments(segmentation(segments...))
		if err != nil || got.Names[got.Data[0]-1] != "femur" || got.Names[got.Data[1]-1] != "femoral-cartilage" ||
			got.Names[got.Data[2]-1] != "femur" {
			t.Errorf("cartilage within bone: %v, %v", got.Data, err)
		}
	}
	var unknown *UnknownSegmentsError
	many := make([]volume.Segment, 100)
	for n := range many {
		many[n] = volume.Segment{Number: 100 + n, Label: "x"}
	}
	_, err = named(t, "codes").InterpretSegments(segmentation(many...))
	if !errors.As(err, &unknown) || len(unknown.Segments) != 100 ||
		!strings.HasSuffix(err.Error(), ", 92 segments more") {
		t.Errorf("many: %v", err)
	}
}

// Schemes for segments that are wrong in one place.
func TestParseSchemeOfSegments(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"labels alone in segments", "name: s\nsegments: {A: medial}", ""},
		{"codes alone", "name: s\ncodes: [{type: 1, compartment: medial}]", ""},
		{"a label twice", "name: s\nsegments: {A b: medial, a_B: lateral}", `segments: label "a_B" appears twice`},
		{"an empty label", "name: s\nsegments: {' ': medial}", "segments: a label is empty"},
		{"a bad compartment", "name: s\nsegments: {A: Medial}", "segments: label \"A\": name Medial, want"},
		{"another key of a rule", "name: s\ncodes: [{kind: 1, compartment: medial}]", "unknown key"},
		{"no code", "name: s\ncodes: [{compartment: medial}]", "codes: rule 1: type and region are missing"},
		{"no compartment", "name: s\ncodes: [{type: 1}]", "codes: rule 1: compartment \"\""},
		{"text without a scheme", "name: s\ncodes: [{type: cartilage, compartment: medial}]",
			"rule 1: type: cartilage, want a SNOMED CT number or SCHEME:VALUE"},
		{"a side", "name: s\ncodes: [{type: 1, modifiers: [24028007], compartment: medial}]", "left, right"},
		{"a rule twice",
			"name: s\ncodes: [{type: 1, modifiers: [3, 2], compartment: medial}, " +
				"{type: 1, modifiers: [2, 3], compartment: lateral}]", "rule 2 appears twice"},
		{"nothing reported", "name: s\nsegments: {A: ignore}", "none is reported"},
	} {
		_, err := ParseScheme([]byte(c.text))
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// The scheme in docs/masks.md can be parsed.
func TestSchemeOfTheDocument(t *testing.T) {
	text, err := os.ReadFile("../testdata/segments-scheme.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s, err := ParseScheme(text)
	if err != nil ||
		!slices.Equal(s.meanings(), []string{"medial", "lateral", "patellofemoral", "medial-posterior-femur"}) {
		t.Errorf("%v, %v", s.meanings(), err)
	}
	page, err := os.ReadFile("../docs/masks.md")
	if err != nil {
		t.Fatal(err)
	}
	if _, body, _ := strings.Cut(string(text), "\n"); !strings.Contains(string(page), body) {
		t.Error("docs/masks.md shows another scheme than testdata/segments-scheme.yaml")
	}
}
