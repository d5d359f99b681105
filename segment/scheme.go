package segment

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
)

// The three compartments of the knee, in the order of their rows.
const (
	Medial         = "medial"
	Lateral        = "lateral"
	Patellofemoral = "patellofemoral"
)

// Ignore is the name for labels that are known but not reported, such as bone.
const Ignore = "ignore"

// Rows for parts of compartments, and for tissue that belongs to no single one. A
// compartment is the cartilage of both bones: where a scheme does not divide the femur,
// the tibia alone is not the medial compartment, nor the patella alone the
// patellofemoral one.
const (
	medialTibial    = "medial-tibial"
	lateralTibial   = "lateral-tibial"
	patellar        = "patellar"
	femoral         = "femoral" // in one piece
	medialMeniscus  = "medial-meniscus"
	lateralMeniscus = "lateral-meniscus"
)

// Label is one label of a scheme and the compartment that it belongs to.
type Label struct {
	Value uint16 `json:"label"`       // 1 to 65535; 0 is background in every scheme
	Name  string `json:"compartment"` // or Ignore
}

// NamedSegment is the label of a DICOM segment and the compartment that it belongs
// to. Labels are compared without case; blanks, '_' and '-' between words are one.
type NamedSegment struct {
	Label string `json:"segment"`
	Name  string `json:"compartment"` // or Ignore
}

// Scheme says what a mask's labels mean, and what DICOM segments do: by their
// label, by their codes or by their number, which is matched with Labels.
type Scheme struct {
	Name     string
	Labels   []Label        // in increasing order of Value, each once
	Segments []NamedSegment // each label once
	Codes    []CodeRule
}

// builtin holds the schemes that Named knows, in the order of its error.
// Medial and lateral change places between them. Femoral cartilage in one piece
// spans all three compartments and is a row of its own; then tibia and patella are rows of
// their own, too. Segments are labels as the
// documents of a scheme call its structures; a compartment's own name, with
// "cartilage" or "knee", needs no entry.
var builtin = []Scheme{
	{Name: "compartments", Labels: []Label{{1, Medial}, {2, Lateral}, {3, Patellofemoral}}},
	// OAI-ZIB, https://pubdata.zib.de: no patella; 1 and 3 are bone.
	{Name: "oai-zib", Labels: []Label{{1, Ignore}, {2, femoral}, {3, Ignore}, {4, medialTibial}, {5, lateralTibial}},
		Segments: append(tibial(medialTibial, lateralTibial), NamedSegment{"femoral bone", Ignore}, NamedSegment{"tibial bone", Ignore})},
	// SKM-TEA: patellar, femoral, medial tibial, lateral tibial, menisci.
	{Name: "skm-tea", Labels: []Label{{1, patellar}, {2, femoral}, {3, medialTibial}, {4, lateralTibial},
		{5, medialMeniscus}, {6, lateralMeniscus}},
		Segments: append(tibial(medialTibial, lateralTibial), NamedSegment{"meniscus medial", medialMeniscus}, NamedSegment{"meniscus lateral", lateralMeniscus})},
	// iMorphics (OAI): femoral, lateral tibial, medial tibial, patellar, menisci.
	{Name: "imorphics", Labels: []Label{{1, femoral}, {2, lateralTibial}, {3, medialTibial}, {4, patellar},
		{5, lateralMeniscus}, {6, medialMeniscus}}, Segments: tibial(medialTibial, lateralTibial)},
	// OpenMSK with the femur divided: 11 anterior (trochlea), 12 and 13 medial
	// and lateral weight-bearing, 14 and 15 medial and lateral posterior; 4 is
	// femoral cartilage that was not divided.
	{Name: "openmsk", Labels: []Label{{4, femoral}, {5, Medial}, {6, Lateral}, {7, Patellofemoral},
		{11, Patellofemoral}, {12, Medial}, {13, Lateral}, {14, Medial}, {15, Lateral}},
		Segments: append(tibial(Medial, Lateral), NamedSegment{"patellar cartilage", Patellofemoral}, NamedSegment{"anterior femoral cartilage", Patellofemoral},
			NamedSegment{"medial weight-bearing femoral cartilage", Medial}, NamedSegment{"lateral weight-bearing femoral cartilage", Lateral},
			NamedSegment{"medial posterior femoral cartilage", Medial}, NamedSegment{"lateral posterior femoral cartilage", Lateral})},
	{Name: "codes", Codes: kneeCodes()},
}

// tibial returns the labels under which schemes have tibial cartilage, and the rows that
// it goes to.
func tibial(medial, lateral string) []NamedSegment {
	return []NamedSegment{{"medial tibial cartilage", medial}, {"lateral tibial cartilage", lateral},
		{"tibial cartilage medial", medial}, {"tibial cartilage lateral", lateral}}
}

// Named returns a built-in scheme: compartments, oai-zib, skm-tea, imorphics,
// openmsk, or codes, which knows DICOM segments by their codes and no numbers.
// Another name is an error that lists these.
func Named(name string) (Scheme, error) {
	names := make([]string, len(builtin))
	for n, s := range builtin {
		if s.Name == name {
			return Scheme{Name: s.Name, Labels: slices.Clone(s.Labels), Segments: slices.Clone(s.Segments), Codes: slices.Clone(s.Codes)}, nil
		}
		names[n] = s.Name
	}
	return Scheme{}, fmt.Errorf("no label scheme %q, want one of %s", name, strings.Join(names, ", "))
}

// Known reports whether the scheme says anything; the zero Scheme does not.
func (s Scheme) Known() bool { return len(s.Labels)+len(s.Segments)+len(s.Codes) > 0 }

// validName is what a scheme or a compartment may be called. Names become table
// cells and legends: a letter comes first, so that no spreadsheet takes one for
// a number or a date, and there are no capitals, so that "Medial" is not a row
// beside "medial". 64 is more than any label in use has.
var validName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,63}$`)

// Compartments returns the names that the scheme reports, each once: medial,
// lateral, patellofemoral and their parts medial-tibial, lateral-tibial, patellar, as far
// as it has them, then the others in natural order (sphere-9 before sphere-10).
func (s Scheme) Compartments() []string {
	var names []string
	add := func(name string) {
		if name != Ignore && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, l := range s.Labels {
		add(l.Name)
	}
	for _, l := range s.Segments {
		add(l.Name)
	}
	for _, r := range s.Codes {
		add(r.Name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), natural(a, b))
	})
	return names
}

// ranked are the rows that come first, of which one is never another.
var ranked = [...]string{Medial, Lateral, Patellofemoral, medialTibial, lateralTibial, patellar}

func rank(name string) int {
	if n := slices.Index(ranked[:], name); n >= 0 {
		return n
	}
	return math.MaxInt
}

// natural compares text with runs of digits in it by their value.
func natural(a, b string) int {
	x, y := a, b
	for x != "" && y != "" {
		dx, dy := digits(x), digits(y)
		if dx == "" || dy == "" {
			if x[0] != y[0] {
				return cmp.Compare(x[0], y[0])
			}
			x, y = x[1:], y[1:]
			continue
		}
		// Without leading zeros, the longer number is the larger.
		nx, ny := strings.TrimLeft(dx, "0"), strings.TrimLeft(dy, "0")
		if c := cmp.Or(cmp.Compare(len(nx), len(ny)), cmp.Compare(nx, ny)); c != 0 {
			return c
		}
		x, y = x[len(dx):], y[len(dy):]
	}
	// Equal up to leading zeros, or one is the start of the other.
	return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(a, b))
}

// digits returns the digits that s starts with.
func digits(s string) string {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return s[:n]
}
