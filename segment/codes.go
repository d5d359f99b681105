package segment

import (
	"slices"
	"strings"

	"github.com/t2map/t2map/volume"
)

// CodeRule says which compartment a DICOM segment of certain codes belongs to.
// Codes are written SCT:309312004.
type CodeRule struct {
	// Type and Region are what the segment must be and where; one of them may be
	// empty for any.
	Type   string `json:"type,omitempty"`
	Region string `json:"region,omitempty"`
	// Modifiers are all of the segment's but left and right, increasing: a
	// segment that is said to be deep is none of a rule that does not say so.
	Modifiers []string `json:"modifiers,omitempty"`
	Name      string   `json:"compartment"` // or Ignore
}

// sameCodes reports whether two rules ask for the same.
func (r CodeRule) sameCodes(o CodeRule) bool {
	return r.Type == o.Type && r.Region == o.Region && slices.Equal(r.Modifiers, o.Modifiers)
}

// SNOMED CT codes of DICOM (PS3.16 CID 7166, 4, 2 and 244).
const (
	cartilage     = "SCT:309312004"
	femur         = "SCT:71341001"
	tibialPlateau = "SCT:306783000"
	patella       = "SCT:64234005"
	knee          = "SCT:72696002"
	medial        = "SCT:255561001"
	lateral       = "SCT:49370004"
	anterior      = "SCT:255549009"
	posterior     = "SCT:255551008"
	central       = "SCT:26216008"
	right         = "SCT:24028007"
	left          = "SCT:7771000"
)

// snomedRT holds the older SNOMED RT identifiers of the same concepts (PS3.16
// annex O), which stand under the designators SRT and SNM3.
var snomedRT = map[string]string{
	"T-D021B": cartilage, "T-12710": femur, "T-1273F": tibialPlateau, "T-12730": patella, "T-D9200": knee,
	"R-404D5": medial, "G-A104": lateral, "R-404CC": anterior, "R-404CE": posterior, "G-A110": central,
	"G-A100": right, "G-A101": left,
}

// canonical writes a code as rules have it.
func canonical(scheme, value string) string {
	scheme = strings.ToUpper(scheme)
	if scheme == "SRT" || scheme == "SNM3" {
		if code, known := snomedRT[strings.ToUpper(value)]; known {
			return code
		}
	}
	return scheme + ":" + value
}

// kneeCodes returns the rules of the scheme `codes`: cartilage of a medial or
// lateral part of the knee is that compartment, patella and trochlea (the anterior
// femur) are patellofemoral, and femoral cartilage of no side is a row of its own.
func kneeCodes() []CodeRule {
	var rules []CodeRule
	add := func(name, region string, modifiers ...string) {
		slices.Sort(modifiers)
		rules = append(rules, CodeRule{Type: cartilage, Region: region, Modifiers: modifiers, Name: name})
	}
	for _, side := range []struct{ code, name string }{{medial, Medial}, {lateral, Lateral}} {
		add(side.name, knee, side.code)
		for _, region := range []string{femur, tibialPlateau} {
			add(side.name, region, side.code)
			add(side.name, region, side.code, central)
			add(side.name, region, side.code, posterior)
		}
		add(side.name, tibialPlateau, side.code, anterior)
		add(Patellofemoral, femur, side.code, anterior)
		add(Patellofemoral, patella, side.code)
	}
	add(Patellofemoral, femur, anterior)
	add(Patellofemoral, patella)
	add(femoral, femur)
	add(femoral, femur, central)
	add(femoral, femur, posterior)
	return rules
}

// partCodes returns the rules for schemes that have the tibia as rows of its own and the
// femur in one piece, whatever part of it a segment is coded as.
func partCodes() []CodeRule {
	var rules []CodeRule
	add := func(name, region string, modifiers ...string) {
		slices.Sort(modifiers)
		rules = append(rules, CodeRule{Type: cartilage, Region: region, Modifiers: modifiers, Name: name})
	}
	places := [][]string{{}, {central}, {posterior}, {anterior}}
	for _, side := range []struct{ code, tibia string }{{medial, medialTibial}, {lateral, lateralTibial}} {
		for _, place := range places {
			add(side.tibia, tibialPlateau, append([]string{side.code}, place...)...)
			add(femoral, femur, append([]string{side.code}, place...)...)
		}
		add(patellar, patella, side.code)
	}
	for _, place := range places {
		add(femoral, femur, slices.Clone(place)...)
	}
	add(patellar, patella)
	return rules
}

// borrowed returns the rules that a scheme without its own goes by.
func (s Scheme) borrowed() []CodeRule {
	names := s.Compartments()
	has := func(name string) bool { return slices.Contains(names, name) }
	if (has(medialTibial) || has(lateralTibial)) && !has(Medial) && !has(Lateral) {
		return partCodes()
	}
	return kneeCodes()
}

// coded returns the compartments that rules give the segment, each once.
func coded(rules []CodeRule, g volume.Segment) []string {
	kind := ""
	if g.Type.Value != "" {
		kind = canonical(g.Type.Scheme, g.Type.Value)
	}
	region := ""
	if len(g.Regions) == 1 { // in two regions, it is in none of a rule's
		region = canonical(g.Regions[0].Scheme, g.Regions[0].Value)
	}
	var modifiers []string
	for _, m := range g.Modifiers {
		if code := canonical(m.Scheme, m.Value); code != left && code != right {
			modifiers = append(modifiers, code)
		}
	}
	slices.Sort(modifiers)
	modifiers = slices.Compact(modifiers)
	var names []string
	for _, r := range rules {
		if (r.Type == "" || r.Type == kind) && (r.Region == "" || r.Region == region) &&
			slices.Equal(r.Modifiers, modifiers) && !slices.Contains(names, r.Name) {
			names = append(names, r.Name)
		}
	}
	return names
}
