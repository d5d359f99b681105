package segment

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/yamlfile"
)

// ParseScheme reads a scheme from YAML:
//
//	name: trochlea-study
//	labels: {2: lateral, 3: patellofemoral, 9: ignore}
//	segments: {Trochlea: patellofemoral, Bone marrow: ignore}
//	codes:
//	  - {type: 309312004, region: 71341001, modifiers: [49370004], compartment: lateral}
//
// `labels` are numbers of a label map, `segments` are labels of DICOM segments, and
// `codes` are rules for their codes. Each rule names the type, the region or both, and all
// modifiers except left and right. A code is a SNOMED CT number, or SCHEME:VALUE. At least one
// of the three keys is required.
//
// Several labels may share a name. Names consist of lower-case letters, digits, '-' and '_', and
// begin with a letter. Names other than the three compartments become rows of their own, and
// `ignore` is for labels that are known but not reported.
//
// Errors: an empty file, unknown keys, a missing or invalid name, the name of a built-in scheme,
// no labels or none that is reported, a duplicate label or rule, a label that is not a whole
// number from 1 to 65535, an invalid code, a second document.
func ParseScheme(text []byte) (Scheme, error) {
	var doc struct {
		Name     string        `yaml:"name"`
		Labels   yaml.MapSlice `yaml:"labels"`
		Segments yaml.MapSlice `yaml:"segments"`
		Codes    []codeFile    `yaml:"codes"`
	}
	if err := yamlfile.Decode(text, &doc); err != nil {
		return Scheme{}, fmt.Errorf("label scheme: %w", err)
	}
	if !validName.MatchString(doc.Name) {
		return Scheme{}, fmt.Errorf("label scheme: name: %q, want %s", doc.Name, nameRule)
	}
	if _, err := Named(doc.Name); err == nil {
		return Scheme{}, fmt.Errorf("label scheme: name: %q is the name of a built-in scheme", doc.Name)
	}
	s := Scheme{Name: doc.Name}
	for _, item := range doc.Labels {
		l, err := parseLabel(item)
		if err != nil {
			return Scheme{}, fmt.Errorf("label scheme %s: labels: %w", s.Name, err)
		}
		s.Labels = append(s.Labels, l)
	}
	for _, item := range doc.Segments {
		l, err := parseSegment(item)
		if err != nil {
			return Scheme{}, fmt.Errorf("label scheme %s: segments: %w", s.Name, err)
		}
		s.Segments = append(s.Segments, l)
	}
	for n, item := range doc.Codes {
		r, err := item.rule()
		if err != nil {
			return Scheme{}, fmt.Errorf("label scheme %s: codes: rule %d: %w", s.Name, n+1, err)
		}
		s.Codes = append(s.Codes, r)
	}
	return s, s.check()
}

const nameRule = "lower-case letters, digits, '-' and '_', a letter first, 64 at most"

// parseLabel parses one entry of `labels`.
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

// parseSegment parses one entry of `segments`.
func parseSegment(item yaml.MapItem) (NamedSegment, error) {
	label := fmt.Sprint(item.Key) // a label may look like a number
	if Fold(label) == "" {
		return NamedSegment{}, errors.New("a label is empty")
	}
	name, ok := item.Value.(string)
	if !ok || !validName.MatchString(name) {
		return NamedSegment{}, fmt.Errorf("label %q: name %v, want %s", label, item.Value, nameRule)
	}
	return NamedSegment{Label: label, Name: name}, nil
}

// codeFile is a rule of `codes` in YAML.
type codeFile struct {
	Type        any    `yaml:"type"`
	Region      any    `yaml:"region"`
	Modifiers   []any  `yaml:"modifiers"`
	Compartment string `yaml:"compartment"`
}

// rule checks the codes.
func (c codeFile) rule() (CodeRule, error) {
	r := CodeRule{Name: c.Compartment}
	var err error
	if r.Type, err = parseCode(c.Type); err != nil {
		return r, fmt.Errorf("type: %w", err)
	}
	if r.Region, err = parseCode(c.Region); err != nil {
		return r, fmt.Errorf("region: %w", err)
	}
	for _, m := range c.Modifiers {
		code, err := parseCode(m)
		switch {
		case err != nil:
			return r, fmt.Errorf("modifiers: %w", err)
		case code == "" || code == left || code == right:
			return r, errors.New("modifiers: left, right and an empty modifier are not used")
		}
		r.Modifiers = append(r.Modifiers, code)
	}
	slices.Sort(r.Modifiers)
	r.Modifiers = slices.Compact(r.Modifiers)
	switch {
	case r.Type == "" && r.Region == "":
		return r, errors.New("type and region are missing")
	case !validName.MatchString(r.Name):
		return r, fmt.Errorf("compartment %q, want %s", r.Name, nameRule)
	}
	return r, nil
}

// parseCode parses a code: a SNOMED CT number, or SCHEME:VALUE. The code of nil is "".
func parseCode(value any) (string, error) {
	switch v := value.(type) {
	case nil:
		return "", nil
	case uint64:
		return canonical("SCT", fmt.Sprint(v)), nil
	case string:
		scheme, code, ok := strings.Cut(v, ":")
		if scheme, code = strings.TrimSpace(scheme), strings.TrimSpace(code); ok && scheme != "" && code != "" {
			return canonical(scheme, code), nil
		}
	}
	return "", fmt.Errorf("%v, want a SNOMED CT number or SCHEME:VALUE", value)
}

// check sorts the labels and checks them together. Two labels can have one value although their YAML keys
// differ, such as 2 and an alias of it.
func (s *Scheme) check() error {
	slices.SortStableFunc(s.Labels, func(a, b Label) int { return cmp.Compare(a.Value, b.Value) })
	for n := 1; n < len(s.Labels); n++ {
		if s.Labels[n].Value == s.Labels[n-1].Value {
			return fmt.Errorf("label scheme %s: labels: label %d appears twice", s.Name, s.Labels[n].Value)
		}
	}
	labels := map[string]bool{}
	for _, l := range s.Segments {
		if labels[Fold(l.Label)] {
			return fmt.Errorf("label scheme %s: segments: label %q appears twice", s.Name, l.Label)
		}
		labels[Fold(l.Label)] = true
	}
	for n, r := range s.Codes {
		if slices.ContainsFunc(s.Codes[:n], r.sameCodes) {
			return fmt.Errorf("label scheme %s: codes: rule %d appears twice", s.Name, n+1)
		}
	}
	if name := s.reservedRow(); name != "" {
		return fmt.Errorf(
			"label scheme %s: %s is the name of rows of the results: give the compartment another name", s.Name, name,
		)
	}
	if len(s.meanings()) == 0 {
		return fmt.Errorf("label scheme %s: labels: none is reported", s.Name)
	}
	return nil
}

// reservedRow returns a row of the scheme whose name has another meaning in results: All and, if tissues
// are divided, the plates and regions. It returns "" if there is none.
func (s *Scheme) reservedRow() string {
	tissues := s.Tissues()
	for _, name := range s.meanings() {
		isPart := anatomy.RegionNamed(name) != anatomy.NoRegion ||
			slices.Contains(anatomy.Plates(), anatomy.Plate(name))
		if name == All || tissues && isPart && anatomy.TissueNamed(name) == anatomy.NoTissue {
			return name
		}
	}
	return ""
}
