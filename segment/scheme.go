package segment

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/t2map/t2map/segment/anatomy"
)

// The three compartments of the knee, in the order of their rows.
const (
	Medial         = "medial"
	Lateral        = "lateral"
	Patellofemoral = "patellofemoral"
)

// Ignore is the name for labels that are known but not reported, such as bone.
const Ignore = "ignore"

// Rows of tissues that are not divided into compartments. A compartment is the cartilage of both
// bones: the tibia alone is not the medial compartment, and the patella alone is not the
// patellofemoral one.
const (
	medialTibial  = string(anatomy.PlateMedialTibial)
	lateralTibial = string(anatomy.PlateLateralTibial)
	tibialRow     = "tibial"
	patellarRow   = string(anatomy.PlatePatellar)
	femoralRow    = "femoral"
)

// Label is a label of a scheme with its meaning.
type Label struct {
	Value uint16 `json:"label"` // 1 to 65535; 0 is the background in every scheme
	// Name is a row of the results, such as medial, the name of an anatomy.Tissue, such as
	// femoral-cartilage, or Ignore.
	Name string `json:"meaning"`
}

// NamedSegment is the label of a named segment with its meaning. Labels are compared without case;
// blanks, '_' and '-' between words are equal.
type NamedSegment struct {
	Label string `json:"segment"`
	Name  string `json:"meaning"` // as in Label
}

// Scheme defines the meaning of a mask's labels and of named segments. Segments are matched by their
// label, by their codes or by their number (see Labels).
//
// A meaning is a row of the results or a tissue. Tissues are divided into compartments and
// regions by the shape of the mask (package anatomy), unless Undivided turns each into a
// row of its own.
type Scheme struct {
	Name     string
	Labels   []Label        // in increasing order of Value, each once
	Segments []NamedSegment // each label once
	Codes    []CodeRule
}

// builtin holds the built-in schemes. Their orders of medial and lateral differ. Segments are the names
// of structures in the documentation of a scheme. The name of a row or a tissue, with or without
// "cartilage" or "knee", needs no entry.
var builtin = []Scheme{
	{Name: "compartments", Labels: []Label{{1, Medial}, {2, Lateral}, {3, Patellofemoral}}},
	// OAI-ZIB (Ambellan et al. 2019, 10.1016/j.media.2018.11.009) with the tibia divided, as
	// OAIZIB-CM has it (Yao et al. 2024, 10.1016/j.media.2023.103035; generate_dataset_json.py of
	// YongchengYAO/CartiMorph). The first release has one label, 4, for the tibia: ski10.
	// There is no patella.
	{
		Name: "oai-zib",
		Labels: labels(
			1, anatomy.Femur, anatomy.FemoralCartilage, anatomy.Tibia, anatomy.MedialTibialCartilage,
			anatomy.LateralTibialCartilage,
		),
		Segments: append(tibial(), marking("femoral bone", anatomy.Femur), marking("tibial bone", anatomy.Tibia)),
	},
	// SKM-TEA: Desai et al. 2021 (arXiv:2203.06823), DATASET.md of StanfordMIMI/skm-tea.
	{Name: "skm-tea", Labels: qdess(), Segments: append(tibial(), menisci()...)},
	// iMorphics: the OAI released contours by name; the numbers are those of
	// MIPT-Oulu/RobustCartilageSegmentation (rocaseg/datasets/constants.py), which others share.
	{
		Name: "imorphics",
		Labels: labels(
			1, anatomy.FemoralCartilage, anatomy.LateralTibialCartilage, anatomy.MedialTibialCartilage,
			anatomy.PatellarCartilage, anatomy.LateralMeniscus, anatomy.MedialMeniscus,
		),
		Segments: append(tibial(), menisci()...),
	},
	// OpenMSK (gattia/OpenMSK, "Canonical Label Set") with the femur divided or not: 11
	// anterior, 12 and 13 medial and lateral weight-bearing, 14 and 15 medial and lateral
	// posterior (steps/subregions.py), as gattia/pymskt numbers them.
	{
		Name: "openmsk",
		Labels: slices.Concat(
			labels(
				1, anatomy.Femur, anatomy.Tibia, anatomy.Patella, anatomy.FemoralCartilage,
				anatomy.MedialTibialCartilage, anatomy.LateralTibialCartilage, anatomy.PatellarCartilage,
				anatomy.MedialMeniscus, anatomy.LateralMeniscus,
			),
			labels(
				11, anatomy.TrochlearCartilage, anatomy.MedialCentralFemoralCartilage,
				anatomy.LateralCentralFemoralCartilage, anatomy.MedialPosteriorFemoralCartilage,
				anatomy.LateralPosteriorFemoralCartilage,
			),
		),
		Segments: append(
			tibial(),
			marking("anterior femoral cartilage", anatomy.TrochlearCartilage),
			marking("medial weight-bearing femoral cartilage", anatomy.MedialCentralFemoralCartilage),
			marking("lateral weight-bearing femoral cartilage", anatomy.LateralCentralFemoralCartilage),
		),
	},
	// DOSMA's volume of all tissues (ad12/DOSMA, dosma/models/stanford_qdess_bone.py): the
	// cartilage and menisci of SKM-TEA, then the bones. Its other models write one mask per tissue.
	{
		Name: "dosma", Labels: append(qdess(), labels(7, anatomy.Femur, anatomy.Tibia, anatomy.Patella)...),
		Segments: append(tibial(), menisci()...),
	},
	// OAI-AKOA (Woo et al. 2024, 10.1016/j.media.2024.103089; README of
	// wooboyeong/Anomaly-Aware-3D-Segmentation): 7 to 9 are lesions of the bones.
	{
		Name: "akoa",
		Labels: slices.Concat(
			ski10(), labels(5, anatomy.Patella, anatomy.PatellarCartilage),
			[]Label{{7, Ignore}, {8, Ignore}, {9, Ignore}},
		),
	},
	// SKI10 (Heimann et al. 2010), and the first release of OAI-ZIB.
	{Name: "ski10", Labels: ski10()},
	{Name: "codes", Codes: kneeCodes()},
}

// qdess returns the labels that SKM-TEA and DOSMA share.
func qdess() []Label {
	return labels(
		1, anatomy.PatellarCartilage, anatomy.FemoralCartilage, anatomy.MedialTibialCartilage,
		anatomy.LateralTibialCartilage, anatomy.MedialMeniscus, anatomy.LateralMeniscus,
	)
}

// ski10 returns the labels of schemes that do not divide the tibia.
func ski10() []Label {
	return labels(1, anatomy.Femur, anatomy.FemoralCartilage, anatomy.Tibia, anatomy.TibialCartilage)
}

// labels assigns consecutive labels, starting with first, to tissues.
func labels(first uint16, tissues ...anatomy.Tissue) []Label {
	var out []Label
	for n, t := range tissues {
		out = append(out, Label{first + uint16(n), t.String()})
	}
	return out
}

func marking(label string, t anatomy.Tissue) NamedSegment { return NamedSegment{label, t.String()} }

// tibial returns the names of tibial cartilage with the words in the other order.
func tibial() []NamedSegment {
	return []NamedSegment{
		marking("tibial cartilage medial", anatomy.MedialTibialCartilage),
		marking("tibial cartilage lateral", anatomy.LateralTibialCartilage),
	}
}

// menisci returns the names of the menisci with the words in the other order.
func menisci() []NamedSegment {
	return []NamedSegment{
		marking("meniscus medial", anatomy.MedialMeniscus), marking("meniscus lateral", anatomy.LateralMeniscus),
	}
}

// Names lists the built-in schemes.
func Names() []string {
	var names []string
	for _, s := range builtin {
		names = append(names, s.Name)
	}
	return names
}

// Named returns a built-in scheme, see Names. The scheme codes identifies segments by their codes and has
// no label numbers. An unknown name is an error that lists all names.
func Named(name string) (Scheme, error) {
	for _, s := range builtin {
		if s.Name == name {
			return s.clone(), nil
		}
	}
	return Scheme{}, fmt.Errorf("no label scheme %q, want one of %s", name, strings.Join(Names(), ", "))
}

func (s Scheme) clone() Scheme {
	s.Labels, s.Segments, s.Codes = slices.Clone(s.Labels), slices.Clone(s.Segments), slices.Clone(s.Codes)
	return s
}

// Sum returns the SHA-256 of the name and of all labels with their meanings, in hexadecimal. Segments and codes do not
// count.
func (s Scheme) Sum() string {
	text := fmt.Appendf(nil, "%q\n", s.Name)
	for _, l := range s.Labels {
		text = fmt.Appendf(text, "%d %q\n", l.Value, l.Name)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Known reports whether the scheme has an entry; the zero Scheme has none.
func (s Scheme) Known() bool { return len(s.Labels)+len(s.Segments)+len(s.Codes) > 0 }

// validName matches the names of schemes and compartments. Names become table cells and legends. They
// begin with a letter, so that no spreadsheet reads them as a number or a date, and have no capitals, so
// that "Medial" and "medial" are not two rows. No label in use is longer than 64.
var validName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,63}$`)

// meanings returns the rows and tissues of the scheme, each once. Those of medial, lateral,
// patellofemoral, medial-tibial, lateral-tibial and patellar that it has come first, in this order. The
// others follow in natural order (sphere-9 before sphere-10).
func (s Scheme) meanings() []string {
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
		return cmp.Or(cmp.Compare(rank(a), rank(b)), Natural(a, b))
	})
	return names
}

// Tissues reports whether the scheme has tissues, which can be divided.
func (s Scheme) Tissues() bool {
	return slices.ContainsFunc(
		s.meanings(), func(name string) bool { return anatomy.TissueNamed(name) != anatomy.NoTissue },
	)
}

// Undivided returns the scheme with a row in place of every tissue: femoral for femoral cartilage,
// medial-tibial for that of the medial tibia, and so on. Bone is ignored.
func (s Scheme) Undivided() Scheme {
	u := s.clone()
	for n, l := range u.Labels {
		u.Labels[n].Name = undividedRow(l.Name)
	}
	for n, l := range u.Segments {
		u.Segments[n].Name = undividedRow(l.Name)
	}
	for n, r := range u.Codes {
		u.Codes[n].Name = undividedRow(r.Name)
	}
	return u
}

// undividedRow returns the row of a tissue that is not divided. Other names are returned unchanged.
func undividedRow(name string) string {
	switch t := anatomy.TissueNamed(name); t {
	case anatomy.NoTissue:
		return name
	case anatomy.FemoralCartilage:
		return femoralRow
	case anatomy.TibialCartilage:
		return tibialRow
	case anatomy.PatellarCartilage:
		return patellarRow
	case anatomy.Menisci, anatomy.MedialMeniscus, anatomy.LateralMeniscus:
		return name
	case anatomy.TrochlearCartilage:
		return Patellofemoral
	default:
		if !t.Cartilage() {
			return Ignore // bone
		}
		return strings.TrimSuffix(name, "-cartilage")
	}
}

// ranked are the rows that come first. They exclude each other.
var ranked = [...]string{Medial, Lateral, Patellofemoral, medialTibial, lateralTibial, patellarRow}

// rank returns the position of a row: the ranked rows first, the menisci last, medial before lateral.
func rank(name string) int {
	if n := slices.Index(ranked[:], name); n >= 0 {
		return n
	}
	switch name {
	case string(anatomy.PlateMedialMeniscus):
		return len(ranked) + 1
	case string(anatomy.PlateLateralMeniscus):
		return len(ranked) + 2
	}
	return len(ranked)
}

// Natural compares texts; runs of digits in them are compared by value.
func Natural(a, b string) int {
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
