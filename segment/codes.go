package segment

import (
	"slices"
	"strings"

	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/volume"
)

// CodeRule gives a meaning to segments with certain codes, such as SCT:309312004.
type CodeRule struct {
	// Type and Region are the codes of the type and the anatomic region of the segment. One of them may
	// be empty, which matches any.
	Type   string `json:"type,omitempty"`
	Region string `json:"region,omitempty"`
	// Modifiers are all modifiers of the segment except left and right, increasing. A rule without the
	// modifier deep does not match a segment that has it.
	Modifiers []string `json:"modifiers,omitempty"`
	Name      string   `json:"meaning"` // as in Label
}

// sameCodes reports whether two rules match the same segments.
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
// annex O), which have the designators SRT and SNM3.
var snomedRT = map[string]string{
	"T-D021B": cartilage, "T-12710": femur, "T-1273F": tibialPlateau, "T-12730": patella, "T-D9200": knee,
	"R-404D5": medial, "G-A104": lateral, "R-404CC": anterior, "R-404CE": posterior, "G-A110": central,
	"G-A100": right, "G-A101": left,
}

// canonical returns a code in the form that rules use.
func canonical(scheme, value string) string {
	scheme = strings.ToUpper(scheme)
	if scheme == "SRT" || scheme == "SNM3" {
		if code, known := snomedRT[strings.ToUpper(value)]; known {
			return code
		}
	}
	return scheme + ":" + value
}

// ruleList collects rules for cartilage.
type ruleList []CodeRule

// add appends a rule for cartilage in the given region with the given modifiers.
func (l *ruleList) add(name, region string, modifiers ...string) {
	slices.Sort(modifiers)
	*l = append(*l, CodeRule{Type: cartilage, Region: region, Modifiers: modifiers, Name: name})
}

// places are the modifiers that divide a plate from front to back; the first entry has none.
var places = [][]string{{}, {central}, {posterior}, {anterior}}

// kneeCodes returns the rules of the scheme `codes`. Cartilage of a medial or lateral part of the knee
// belongs to that compartment; patella and trochlea (the anterior femur) are patellofemoral. Femoral
// cartilage without a side is divided by its shape if it is complete; otherwise it is its own row.
func kneeCodes() []CodeRule {
	var rules ruleList
	for _, side := range []struct{ code, name string }{{medial, Medial}, {lateral, Lateral}} {
		rules.add(side.name, knee, side.code)
		for _, region := range []string{femur, tibialPlateau} {
			rules.add(side.name, region, side.code)
			rules.add(side.name, region, side.code, central)
			rules.add(side.name, region, side.code, posterior)
		}
		rules.add(side.name, tibialPlateau, side.code, anterior)
		rules.add(Patellofemoral, femur, side.code, anterior)
		rules.add(Patellofemoral, patella, side.code)
	}
	rules.add(Patellofemoral, femur, anterior)
	rules.add(Patellofemoral, patella)
	rules.add(anatomy.FemoralCartilage.String(), femur)
	rules.add(femoralRow, femur, central)
	rules.add(femoralRow, femur, posterior)
	return rules
}

// tissueCodes returns the rules for schemes with tissues. Femoral cartilage is one tissue, whichever part
// of it the code of a segment names.
func tissueCodes() []CodeRule {
	var rules ruleList
	femoral, patellar := anatomy.FemoralCartilage.String(), anatomy.PatellarCartilage.String()
	for _, side := range []struct {
		code  string
		tibia anatomy.Tissue
	}{{medial, anatomy.MedialTibialCartilage}, {lateral, anatomy.LateralTibialCartilage}} {
		for _, place := range places {
			rules.add(side.tibia.String(), tibialPlateau, append([]string{side.code}, place...)...)
			rules.add(femoral, femur, append([]string{side.code}, place...)...)
		}
		rules.add(patellar, patella, side.code)
	}
	for _, place := range places {
		rules.add(femoral, femur, slices.Clone(place)...)
		rules.add(anatomy.TibialCartilage.String(), tibialPlateau, slices.Clone(place)...)
	}
	rules.add(patellar, patella)
	return rules
}

// undividedCodes returns tissueCodes with a row in place of every tissue.
func undividedCodes() []CodeRule { return Scheme{Codes: tissueCodes()}.Undivided().Codes }

// borrowed returns the rules that are used for a scheme without rules.
func (s Scheme) borrowed() []CodeRule {
	names := s.meanings()
	has := func(name string) bool { return slices.Contains(names, name) }
	switch {
	case s.Tissues():
		return tissueCodes()
	case (has(medialTibial) || has(lateralTibial)) && !has(Medial) && !has(Lateral):
		return undividedCodes()
	}
	return kneeCodes()
}

// coded returns the distinct meanings that the rules give to the segment.
func coded(rules []CodeRule, g volume.Segment) []string {
	kind := ""
	if g.Type.Value != "" {
		kind = canonical(g.Type.Scheme, g.Type.Value)
	}
	region := ""
	if len(g.Regions) == 1 { // a segment with two regions matches no rule with a region
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
