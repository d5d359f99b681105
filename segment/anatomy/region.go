package anatomy

import "slices"

// Region is a part of a cartilage plate, or a meniscus. The names of the plates follow Eckstein et al.
// 2006 (Osteoarthritis and Cartilage 14:974–983), as do trochlea, central and posterior femur. The tibial
// parts are thirds of a plateau from front to back. Regions do not overlap.
type Region uint8

// The regions.
const (
	NoRegion Region = iota
	MedialTibialAnterior
	MedialTibialCentral
	MedialTibialPosterior
	LateralTibialAnterior
	LateralTibialCentral
	LateralTibialPosterior
	MedialFemoralCentral // weight-bearing
	MedialFemoralPosterior
	LateralFemoralCentral
	LateralFemoralPosterior
	Trochlear
	PatellarMedial // facet
	PatellarLateral
	RegionMedialMeniscus
	RegionLateralMeniscus
	regionCount // their number
)

// Plate is the cartilage of one surface, or a meniscus.
type Plate string

// The plates.
const (
	PlateMedialTibial    Plate = "medial-tibial"
	PlateLateralTibial   Plate = "lateral-tibial"
	PlateMedialFemoral   Plate = "medial-femoral"
	PlateLateralFemoral  Plate = "lateral-femoral"
	PlateTrochlear       Plate = "trochlear"
	PlatePatellar        Plate = "patellar"
	PlateMedialMeniscus  Plate = "medial-meniscus"
	PlateLateralMeniscus Plate = "lateral-meniscus"
)

// The compartments to which plates belong. A meniscus is its own compartment.
const (
	medial         = "medial"
	lateral        = "lateral"
	patellofemoral = "patellofemoral"
)

// partOf holds the name of each region, its plate and its compartment.
var partOf = [regionCount]struct {
	name        string
	plate       Plate
	compartment string
}{
	{},
	{"medial-tibial-anterior", PlateMedialTibial, medial},
	{"medial-tibial-central", PlateMedialTibial, medial},
	{"medial-tibial-posterior", PlateMedialTibial, medial},
	{"lateral-tibial-anterior", PlateLateralTibial, lateral},
	{"lateral-tibial-central", PlateLateralTibial, lateral},
	{"lateral-tibial-posterior", PlateLateralTibial, lateral},
	{"medial-femoral-central", PlateMedialFemoral, medial},
	{"medial-femoral-posterior", PlateMedialFemoral, medial},
	{"lateral-femoral-central", PlateLateralFemoral, lateral},
	{"lateral-femoral-posterior", PlateLateralFemoral, lateral},
	{"trochlear", PlateTrochlear, patellofemoral},
	{"patellar-medial", PlatePatellar, patellofemoral},
	{"patellar-lateral", PlatePatellar, patellofemoral},
	{"medial-meniscus", PlateMedialMeniscus, string(PlateMedialMeniscus)},
	{"lateral-meniscus", PlateLateralMeniscus, string(PlateLateralMeniscus)},
}

// String returns the name of the region in tables, such as medial-femoral-central.
func (r Region) String() string {
	if r >= regionCount {
		return "unknown"
	}
	return partOf[r].name
}

// RegionNamed returns the region of that name, or NoRegion.
func RegionNamed(name string) Region {
	for r := NoRegion + 1; r < regionCount; r++ {
		if partOf[r].name == name {
			return r
		}
	}
	return NoRegion
}

// Regions lists every region, in the order of their numbers.
func Regions() []Region {
	var out []Region
	for r := NoRegion + 1; r < regionCount; r++ {
		out = append(out, r)
	}
	return out
}

// Plate returns the plate of the region; "" for NoRegion.
func (r Region) Plate() Plate { return partOf[min(r, regionCount-1)].plate }

// Compartment returns medial, lateral, patellofemoral, or the name of a meniscus; "" for NoRegion.
func (r Region) Compartment() string { return partOf[min(r, regionCount-1)].compartment }

// Regions lists the regions of the plate.
func (p Plate) Regions() []Region {
	return slices.DeleteFunc(Regions(), func(r Region) bool { return r.Plate() != p })
}

// Plates lists every plate, in the order of their regions.
func Plates() []Plate {
	var out []Plate
	for _, r := range Regions() {
		if p := r.Plate(); !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

// Compartment returns the compartment of the plate; "" for an unknown plate.
func (p Plate) Compartment() string {
	for _, r := range p.Regions() {
		return r.Compartment()
	}
	return ""
}
