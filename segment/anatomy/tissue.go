// Package anatomy divides a knee from its mask alone: it finds which knee it is, where the
// femoral cartilage divides into trochlea and condyles, and where each plate divides into
// regions. Package depth adds layers. The nouns:
//
//   - a tissue is the meaning of a label, such as femoral cartilage;
//   - a plate is the cartilage of one surface, such as the medial tibia;
//   - a region is a part of a plate, such as the posterior third of the medial tibia;
//   - a layer is a part of a plate by depth: deep at the bone, superficial at the joint.
//
// All functions work on the grid of the mask, and none uses an image or T2: a border that
// depended on T2 would hide the change that a trial measures. Positions are in mm LPS, so that medial
// and lateral follow from the side of the knee and the patient's left and right, never from
// the order of slices or the axes of the grid.
package anatomy

import (
	"slices"

	"github.com/t2map/t2map/volume"
)

// Tissue is the meaning of a label of a mask.
type Tissue uint8

// The tissues. Parts of cartilage that a mask has already divided are tissues of their own.
const (
	NoTissue Tissue = iota
	FemoralCartilage
	TibialCartilage // medial and lateral in one label
	MedialTibialCartilage
	LateralTibialCartilage
	PatellarCartilage
	TrochlearCartilage
	MedialFemoralCartilage // a condyle, behind the trochlea
	LateralFemoralCartilage
	MedialCentralFemoralCartilage
	LateralCentralFemoralCartilage
	MedialPosteriorFemoralCartilage
	LateralPosteriorFemoralCartilage
	Menisci // medial and lateral in one label
	MedialMeniscus
	LateralMeniscus
	Femur // bone
	Tibia
	Patella
	Fibula
	tissueCount // their number
)

// tissueNames are the names in scheme files.
var tissueNames = [tissueCount]string{
	"", "femoral-cartilage", "tibial-cartilage", "medial-tibial-cartilage", "lateral-tibial-cartilage",
	"patellar-cartilage",
	"trochlear-cartilage", "medial-femoral-cartilage", "lateral-femoral-cartilage",
	"medial-central-femoral-cartilage", "lateral-central-femoral-cartilage",
	"medial-posterior-femoral-cartilage", "lateral-posterior-femoral-cartilage",
	"menisci", "medial-meniscus", "lateral-meniscus", "femur", "tibia", "patella", "fibula",
}

// String returns the name of the tissue in scheme files, such as femoral-cartilage.
func (t Tissue) String() string {
	if t >= tissueCount {
		return "unknown"
	}
	return tissueNames[t]
}

// TissueNamed returns the tissue of that name, or NoTissue.
func TissueNamed(name string) Tissue {
	if n := slices.Index(tissueNames[1:], name); n >= 0 {
		return Tissue(n + 1)
	}
	return NoTissue
}

// Tissues lists every tissue, in the order of their numbers.
func Tissues() []Tissue {
	var out []Tissue
	for t := NoTissue + 1; t < tissueCount; t++ {
		out = append(out, t)
	}
	return out
}

// Cartilage reports whether the tissue is articular cartilage; menisci are not.
func (t Tissue) Cartilage() bool {
	return t >= FemoralCartilage && t <= LateralPosteriorFemoralCartilage
}

// Mask is the mask of a knee: one tissue per voxel.
type Mask struct {
	volume.Geometry
	Data []Tissue

	survey *survey // of Data, if Knees has made it; nil otherwise
}
