package segment

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// The three compartments of the knee, in the order of their rows.
const (
	Medial         = "medial"
	Lateral        = "lateral"
	Patellofemoral = "patellofemoral"
)

// Ignore is the name for labels that are known but not reported, such as bone.
const Ignore = "ignore"

// Rows for tissue that belongs to no single compartment.
const (
	femoral         = "femoral"
	medialMeniscus  = "medial-meniscus"
	lateralMeniscus = "lateral-meniscus"
)

// Label is one label of a scheme and the compartment that it belongs to.
type Label struct {
	Value uint16 `json:"label"`       // 1 to 65535; 0 is background in every scheme
	Name  string `json:"compartment"` // or Ignore
}

// Scheme says what the labels of a mask mean.
type Scheme struct {
	Name   string
	Labels []Label // in increasing order of Value, each once
}

// builtin holds the schemes that Named knows, in the order of its error.
// Medial and lateral change places between them. Femoral cartilage in one piece
// spans all three compartments and is a row of its own.
var builtin = []Scheme{
	{"compartments", []Label{{1, Medial}, {2, Lateral}, {3, Patellofemoral}}},
	// OAI-ZIB, https://pubdata.zib.de: no patella; 1 and 3 are bone.
	{"oai-zib", []Label{{1, Ignore}, {2, femoral}, {3, Ignore}, {4, Medial}, {5, Lateral}}},
	// SKM-TEA: patellar, femoral, medial tibial, lateral tibial, menisci.
	{"skm-tea", []Label{{1, Patellofemoral}, {2, femoral}, {3, Medial}, {4, Lateral},
		{5, medialMeniscus}, {6, lateralMeniscus}}},
	// iMorphics (OAI): femoral, lateral tibial, medial tibial, patellar, menisci.
	{"imorphics", []Label{{1, femoral}, {2, Lateral}, {3, Medial}, {4, Patellofemoral},
		{5, lateralMeniscus}, {6, medialMeniscus}}},
	// OpenMSK with the femur divided: 11 anterior (trochlea), 12 and 13 medial
	// and lateral weight-bearing, 14 and 15 medial and lateral posterior; 4 is
	// femoral cartilage that was not divided.
	{"openmsk", []Label{{4, femoral}, {5, Medial}, {6, Lateral}, {7, Patellofemoral},
		{11, Patellofemoral}, {12, Medial}, {13, Lateral}, {14, Medial}, {15, Lateral}}},
}

// Named returns a built-in scheme: compartments, oai-zib, skm-tea, imorphics or
// openmsk. Another name is an error that lists these.
func Named(name string) (Scheme, error) {
	names := make([]string, len(builtin))
	for n, s := range builtin {
		if s.Name == name {
			return Scheme{Name: s.Name, Labels: slices.Clone(s.Labels)}, nil
		}
		names[n] = s.Name
	}
	return Scheme{}, fmt.Errorf("no label scheme %q, want one of %s", name, strings.Join(names, ", "))
}

// validName is what a scheme or a compartment may be called. Names become table
// cells and legends: a letter comes first, so that no spreadsheet takes one for
// a number or a date, and there are no capitals, so that "Medial" is not a row
// beside "medial". 64 is more than any label in use has.
var validName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,63}$`)

// ParseScheme reads a scheme from YAML:
//
//	name: trochlea-study
//	labels: {2: lateral, 3: patellofemoral, 9: ignore}
//
// Several labels may share a name. Names are lower-case letters, digits, '-'
// and '_', a letter first; beyond the three compartments they become rows of
// their own, and `ignore` is for labels that are known but not reported.
//
// Errors: other keys, a missing or invalid name, the name of a built-in scheme,
// no labels or none that is reported, a label twice, a label that is not a whole
// number of 1 to 65535, a second document.
func ParseScheme(text []byte) (Scheme, error) {
	var doc struct {
		Name   string        `yaml:"name"`
		Labels yaml.MapSlice `yaml:"labels"`
	}
	dec := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict())
	if err := dec.Decode(&doc); err != nil && !errors.Is(err, io.EOF) {
		// Not %w: the error's own text repeats the file over several lines.
		return Scheme{}, fmt.Errorf("label scheme: %s", yaml.FormatError(err, false, false))
	} else if err == nil && !errors.Is(dec.Decode(new(any)), io.EOF) {
		return Scheme{}, errors.New("label scheme: more than one YAML document")
	}
	if !validName.MatchString(doc.Name) {
		return Scheme{}, fmt.Errorf("label scheme: name: %q, want %s", doc.Name, nameRule)
	}
	if _, err := Named(doc.Name); err == nil {
		return Scheme{}, fmt.Errorf("label scheme: name: %q is a built-in scheme's", doc.Name)
	}
	s := Scheme{Name: doc.Name}
	for _, item := range doc.Labels {
		l, err := parseLabel(item)
		if err != nil {
			return Scheme{}, fmt.Errorf("label scheme %s: labels: %w", s.Name, err)
		}
		s.Labels = append(s.Labels, l)
	}
	return s, s.check()
}

const nameRule = "lower-case letters, digits, '-' and '_', a letter first, 64 at most"

// parseLabel takes one line of `labels`.
func parseLabel(item yaml.MapItem) (Label, error) {
	value, ok := item.Key.(uint64)
	if !ok || value > math.MaxUint16 {
		return Label{}, fmt.Errorf("label %v, want a whole number of 1 to %d", item.Key, math.MaxUint16)
	}
	if value == 0 {
		return Label{}, errors.New("label 0 is the background in every scheme")
	}
	name, ok := item.Value.(string)
	if !ok || !validName.MatchString(name) {
		return Label{}, fmt.Errorf("label %d: name %v, want %s", value, item.Value, nameRule)
	}
	return Label{Value: uint16(value), Name: name}, nil
}

// check sorts the labels and looks at them together. Two labels can have one
// value although YAML's keys differ, as 2 and 0x2 do.
func (s *Scheme) check() error {
	slices.SortStableFunc(s.Labels, func(a, b Label) int { return cmp.Compare(a.Value, b.Value) })
	for n := 1; n < len(s.Labels); n++ {
		if s.Labels[n].Value == s.Labels[n-1].Value {
			return fmt.Errorf("label scheme %s: labels: label %d stands there twice", s.Name, s.Labels[n].Value)
		}
	}
	if len(s.Compartments()) == 0 {
		return fmt.Errorf("label scheme %s: labels: none is reported", s.Name)
	}
	return nil
}

// Compartments returns the names that the scheme reports, each once: medial,
// lateral, patellofemoral, as far as it has them, then the others in natural
// order (sphere-9 before sphere-10).
func (s Scheme) Compartments() []string {
	var names []string
	for _, l := range s.Labels {
		if l.Name != Ignore && !slices.Contains(names, l.Name) {
			names = append(names, l.Name)
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), natural(a, b))
	})
	return names
}

func rank(name string) int {
	if n := slices.Index([]string{Medial, Lateral, Patellofemoral}, name); n >= 0 {
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
