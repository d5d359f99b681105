package segment

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/volume"
)

// TestNamed holds what the publishers of each scheme say, written out a second
// time: medial and lateral change places between them.
func TestNamed(t *testing.T) {
	want := map[string]struct {
		labels    map[uint16]string
		divided   []string
		undivided []string
	}{
		"compartments": {map[uint16]string{1: "medial", 2: "lateral", 3: "patellofemoral"},
			[]string{"medial", "lateral", "patellofemoral"}, []string{"medial", "lateral", "patellofemoral"}},
		"oai-zib": {
			map[uint16]string{
				1: "femur", 2: "femoral-cartilage", 3: "tibia", 4: "medial-tibial-cartilage",
				5: "lateral-tibial-cartilage",
			},
			[]string{"medial", "lateral", "patellofemoral"},
			[]string{"medial-tibial", "lateral-tibial", "femoral"},
		},
		"skm-tea": {
			map[uint16]string{
				1: "patellar-cartilage", 2: "femoral-cartilage", 3: "medial-tibial-cartilage",
				4: "lateral-tibial-cartilage", 5: "medial-meniscus", 6: "lateral-meniscus",
			},
			[]string{"medial", "lateral", "patellofemoral", "medial-meniscus", "lateral-meniscus"},
			[]string{"medial-tibial", "lateral-tibial", "patellar", "femoral", "medial-meniscus", "lateral-meniscus"},
		},
		"imorphics": {
			map[uint16]string{
				1: "femoral-cartilage", 2: "lateral-tibial-cartilage", 3: "medial-tibial-cartilage",
				4: "patellar-cartilage", 5: "lateral-meniscus", 6: "medial-meniscus",
			},
			[]string{"medial", "lateral", "patellofemoral", "medial-meniscus", "lateral-meniscus"},
			[]string{"medial-tibial", "lateral-tibial", "patellar", "femoral", "medial-meniscus", "lateral-meniscus"},
		},
		"openmsk": {
			map[uint16]string{
				1: "femur", 2: "tibia", 3: "patella", 4: "femoral-cartilage", 5: "medial-tibial-cartilage",
				6: "lateral-tibial-cartilage", 7: "patellar-cartilage", 8: "medial-meniscus",
				9: "lateral-meniscus", 11: "trochlear-cartilage", 12: "medial-central-femoral-cartilage",
				13: "lateral-central-femoral-cartilage", 14: "medial-posterior-femoral-cartilage",
				15: "lateral-posterior-femoral-cartilage",
			},
			[]string{"medial", "lateral", "patellofemoral", "medial-meniscus", "lateral-meniscus"},
			[]string{
				"patellofemoral", "medial-tibial", "lateral-tibial", "patellar", "femoral", "lateral-central-femoral",
				"lateral-posterior-femoral", "medial-central-femoral", "medial-posterior-femoral", "medial-meniscus",
				"lateral-meniscus",
			},
		},
		"dosma": {
			map[uint16]string{
				1: "patellar-cartilage", 2: "femoral-cartilage", 3: "medial-tibial-cartilage",
				4: "lateral-tibial-cartilage", 5: "medial-meniscus", 6: "lateral-meniscus", 7: "femur", 8: "tibia",
				9: "patella",
			},
			[]string{"medial", "lateral", "patellofemoral", "medial-meniscus", "lateral-meniscus"},
			[]string{"medial-tibial", "lateral-tibial", "patellar", "femoral", "medial-meniscus", "lateral-meniscus"},
		},
		"akoa": {
			map[uint16]string{
				1: "femur", 2: "femoral-cartilage", 3: "tibia", 4: "tibial-cartilage", 5: "patella",
				6: "patellar-cartilage", 7: "ignore", 8: "ignore", 9: "ignore",
			},
			[]string{"medial", "lateral", "patellofemoral"},
			[]string{"patellar", "femoral", "tibial"},
		},
		"ski10": {map[uint16]string{1: "femur", 2: "femoral-cartilage", 3: "tibia", 4: "tibial-cartilage"},
			[]string{"medial", "lateral", "patellofemoral"}, []string{"femoral", "tibial"}},
		"codes": {
			map[uint16]string{}, []string{"medial", "lateral", "patellofemoral", "femoral"},
			[]string{"medial", "lateral", "patellofemoral", "femoral"},
		},
	}
	for _, s := range builtin {
		w, known := want[s.Name]
		if !known {
			t.Errorf("the scheme %s is not in this test", s.Name)
			continue
		}
		got := map[uint16]string{}
		for _, l := range s.Labels {
			got[l.Value] = l.Name
		}
		if d := cmp.Diff(w.labels, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", s.Name, d)
		}
		if d := cmp.Diff(w.divided, (Marks{Names: s.meanings()}).dividedRows()); d != "" {
			t.Errorf("%s divided (-want +got):\n%s", s.Name, d)
		}
		if d := cmp.Diff(w.undivided, s.Undivided().meanings()); d != "" {
			t.Errorf("%s undivided (-want +got):\n%s", s.Name, d)
		}
		if named, err := Named(s.Name); err != nil || cmp.Diff(named, s) != "" {
			t.Errorf("Named(%s): %v, %v", s.Name, named, err)
		}
		if err := s.check(); err != nil {
			t.Error(err)
		}
	}
	_, err := Named("OAI-ZIB")
	if want := `no label scheme "OAI-ZIB", want one of compartments, oai-zib, skm-tea, imorphics, ` +
		`openmsk, dosma, akoa, ski10, codes`; err == nil ||
		err.Error() != want {
		t.Errorf("Named: %v, want %s", err, want)
	}
}

// TestNamedIsACopy: what a caller does to a scheme stays with the caller.
func TestNamedIsACopy(t *testing.T) {
	a, _ := Named("compartments")
	a.Labels[0].Name = "changed"
	if b, _ := Named("compartments"); b.Labels[0].Name != "medial" {
		t.Errorf("the built-in scheme became %v", b)
	}
}

func TestParseScheme(t *testing.T) {
	s, err := ParseScheme(
		[]byte(
			"# a study of the trochlea\nname: ge-rule\nlabels:\n  9: ignore\n  3: patellofemoral\n" +
				"  2: lateral\n  12: sphere-10\n  65535: sphere-9\n  4: lateral\n",
		),
	)
	if err != nil {
		t.Fatal(err)
	}
	want := Scheme{
		Name: "ge-rule",
		Labels: []Label{
			{2, "lateral"}, {3, "patellofemoral"}, {4, "lateral"}, {9, "ignore"}, {12, "sphere-10"},
			{65535, "sphere-9"},
		},
	}
	if d := cmp.Diff(want, s); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"lateral", "patellofemoral", "sphere-9", "sphere-10"}, s.meanings()); d != "" {
		t.Errorf("rows (-want +got):\n%s", d)
	}
}

func TestParseSchemeRefusals(t *testing.T) {
	cases := []struct{ name, text, want string }{
		{"empty", "", "label scheme: empty"},
		{"comments alone", "# to do\n", "label scheme: empty"},
		{"no name", "labels: {1: medial}", `name: "", want lower-case letters`},
		{"a value of another kind", "name: a\nlabels: 5", `line 2: labels: "5", want keys and values`},
		{"no name", "labels: {1: medial}", `name: "", want`},
		{"name with a path", "name: ../a\nlabels: {1: medial}", `name: "../a", want`},
		{"built-in name", "name: oai-zib\nlabels: {1: medial}", "built-in"},
		{"no labels", "name: a", "label scheme a: labels: none is reported"},
		{"all ignored", "name: a\nlabels: {1: ignore}", "labels: none is reported"},
		{"unknown key", "name: a\nlabel: {1: medial}", `line 2: unknown key "label"`},
		{"key in capitals", "Name: a\nlabels: {1: medial}", `unknown key "Name"`},
		{"key twice", "name: a\nname: b\nlabels: {1: medial}", `mapping key "name" already defined`},
		{"label twice", "name: a\nlabels: {1: medial, 1: lateral}", `mapping key "1" already defined`},
		{"label twice in two spellings", "name: a\nlabels: {2: medial, 0x2: lateral}", `line 2: "0x2", want a number`},
		{"label twice, once as an alias", "name: a\nlabels: {&a 2: medial, *a : lateral}", "label 2 appears twice"},
		{"octal label", "name: a\nlabels: {010: medial}", `line 2: "010", want a number`},
		{"octal code", "name: a\ncodes: [{type: 0123, compartment: medial}]", `line 2: type: "0123", want a number`},
		{
			"segment that looks like a number", "name: a\nsegments: {1.0: medial}",
			`line 2: "1.0", want a number without unnecessary signs and zeros, or a text in quotes`,
		},
		{"background", "name: a\nlabels: {0: medial}", "label 0 is the background in every scheme"},
		{"negative label", "name: a\nlabels: {-1: medial}", "label -1, want a whole number of 1 to 65535"},
		{"label of a fraction", "name: a\nlabels: {1.5: medial}", "label 1.5, want a whole number"},
		{"label too high", "name: a\nlabels: {65536: medial}", "label 65536, want a whole number"},
		{"label as text", "name: a\nlabels: {'1': medial}", "label 1, want a whole number"},
		{"label of a word", "name: a\nlabels: {medial: 1}", "label medial, want a whole number"},
		{"empty compartment", "name: a\nlabels: {1: ''}", "label 1: name , want lower-case"},
		{"no compartment", "name: a\nlabels: {1: }", "label 1: name <nil>, want lower-case"},
		{"capitals", "name: a\nlabels: {1: Medial}", "label 1: name Medial, want lower-case"},
		{"a number for a compartment", "name: a\nlabels: {1: 3}", "label 1: name 3, want lower-case"},
		{"a formula for a compartment", "name: a\nlabels: {1: '=1+1'}", "label 1: name =1+1, want lower-case"},
		{"a list for a compartment", "name: a\nlabels: {1: [medial]}", "label 1: name [medial], want"},
		{"long name", "name: a\nlabels: {1: " + strings.Repeat("m", 65) + "}", "want lower-case letters"},
		{"labels as a list", "name: a\nlabels: [medial]", `labels: "[", want keys and values`},
		{"two documents", "name: a\nlabels: {1: medial}\n---\nname: b\n", "more than one YAML document"},
		{"not YAML", "name: a\nlabels: {1: medial", "could not find flow mapping end"},
	}
	for _, c := range cases {
		_, err := ParseScheme([]byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
			continue
		}
		if !strings.HasPrefix(err.Error(), "label scheme") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %q is not one line that begins with the scheme", c.name, err)
		}
	}
}

func FuzzParseScheme(f *testing.F) {
	f.Add([]byte("name: a\nlabels: {1: medial, 2: sphere-09}"))
	f.Add([]byte("name: &n a\nlabels: {<<: {1: *n}}\n---\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := ParseScheme(text)
		if err != nil {
			return
		}
		for n, l := range s.Labels {
			if l.Value == 0 || !validName.MatchString(l.Name) || (n > 0 && s.Labels[n-1].Value >= l.Value) {
				t.Errorf("label %v in %v", l, s)
			}
		}
	})
}

// TestNatural: the order is by the value of numbers and does not depend on the
// order in which names are met.
func TestNatural(t *testing.T) {
	want := []string{
		"a", "a-1", "a1", "a01b", "a1b", "a02", "a2", "a2-9", "a2-10", "a10", "a99999999999999999999998",
		"a99999999999999999999999", "b", "sphere-09", "sphere-9", "sphere-10",
	}
	got := slices.Clone(want)
	r := rand.New(rand.NewPCG(1, 1))
	for range 20 {
		r.Shuffle(len(got), func(i, j int) { got[i], got[j] = got[j], got[i] })
		slices.SortFunc(got, Natural)
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("(-want +got):\n%s", d)
		}
	}
}

func labelsOf(data ...uint16) volume.Labels {
	return volume.Labels{Geometry: volume.Geometry{Size: [3]int{len(data), 1, 1}}, Data: data}
}

func TestInterpret(t *testing.T) {
	zib, _ := Named("oai-zib")
	msk, _ := Named("openmsk")
	cases := []struct {
		name   string
		scheme Scheme
		mask   []uint16
		want   []uint16 // 1 medial, 2 lateral, 3 the third row
	}{
		{"bone is left out", zib, []uint16{0, 1, 2, 3, 4, 5, 4}, []uint16{0, 0, 3, 0, 1, 2, 1}},
		{"divided femur", msk, []uint16{4, 5, 6, 7, 11, 12, 13, 14, 15, 0}, []uint16{5, 2, 3, 4, 1, 8, 6, 9, 7, 0}},
		{"empty mask", zib, []uint16{0, 0}, []uint16{0, 0}},
	}
	for _, c := range cases {
		mask := slices.Clone(c.mask)
		scheme := c.scheme.Undivided()
		r, err := scheme.Interpret(labelsOf(mask...))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if d := cmp.Diff(c.want, r.Data); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
		if d := cmp.Diff(scheme.meanings(), r.Names); d != "" {
			t.Errorf("%s: names: %s", c.name, d)
		}
		if !slices.Equal(mask, c.mask) {
			t.Errorf("%s: the mask was changed", c.name)
		}
	}
}

func TestInterpretUnknown(t *testing.T) {
	zib, _ := Named("oai-zib")
	_, err := zib.Interpret(labelsOf(9, 1, 4, 7, 9, 0, 9))
	var unknown *UnknownLabelsError
	if !errors.As(err, &unknown) {
		t.Fatalf("%v", err)
	}
	if d := cmp.Diff([]LabelCount{{7, 1}, {9, 3}}, unknown.Labels); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if want := "scheme oai-zib does not know label 7 (1 voxel), label 9 (3 voxels)"; err.Error() != want {
		t.Errorf("%q, want %q", err, want)
	}
	picture := make([]uint16, 300)
	for v := range picture {
		picture[v] = uint16(v)
	}
	_, err = zib.Interpret(labelsOf(picture...))
	if want := "label 13 (1 voxel), and 286 more labels"; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("%v, want … %s", err, want)
	}
}

// Parts of one structure share a group, which is the lowest number of theirs: the cartilage of a bone
// and the menisci, however many labels divide them. A row of the results is a group of its own.
func TestGroups(t *testing.T) {
	marked := []string{
		"medial", "femoral-cartilage", "trochlear-cartilage", "patellar-cartilage", "medial-meniscus", "menisci",
		"lateral-tibial-cartilage", "tibial-cartilage", "bml",
	}
	p := Parts{Marked: marked}
	for n := range marked {
		p.Part = append(p.Part, Part{})
		p.Tissue = append(p.Tissue, uint16(n+1))
	}
	p.Part, p.Tissue = append(p.Part, Part{}), append(p.Tissue, 3) // another layer of the trochlea
	if got, want := p.Groups(), []uint16{0, 1, 2, 2, 4, 5, 5, 7, 7, 9, 2}; !slices.Equal(got, want) {
		t.Errorf("groups %v, want %v", got, want)
	}
}

// The sum is another one for another name, value or meaning, and the same for other segments.
func TestSchemeSum(t *testing.T) {
	s := Scheme{Name: "a", Labels: []Label{{1, Medial}, {2, Lateral}}}
	same := s.clone()
	same.Segments = []NamedSegment{{"tibia", Ignore}}
	if s.Sum() != same.Sum() || len(s.Sum()) != 64 {
		t.Errorf("%s, %s", s.Sum(), same.Sum())
	}
	for _, other := range []Scheme{
		{Name: "b", Labels: s.Labels}, {Name: "a", Labels: s.Labels[:1]}, {Name: "a", Labels: []Label{{1, Lateral}, {2, Medial}}},
		{Name: "a", Labels: []Label{{1, Medial}, {3, Lateral}}}, {Name: "a", Labels: []Label{{1, Medial + "\"\n2 \"" + Lateral}}},
	} {
		if s.Sum() == other.Sum() {
			t.Errorf("%+v has the sum of %+v", other, s)
		}
	}
}
