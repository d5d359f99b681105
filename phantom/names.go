package phantom

// The tissues of a knee that a mask may mark. Their names are those of scheme files.
const (
	FemoralCartilage uint8 = 1 + iota
	MedialTibialCartilage
	LateralTibialCartilage
	PatellarCartilage
	MedialMeniscus
	LateralMeniscus
	FemurBone
	TibiaBone
	PatellaBone
	FibulaBone
)

// Tissues holds the name of each tissue; index 0 is not a tissue.
var Tissues = [...]string{
	"", "femoral-cartilage", "medial-tibial-cartilage", "lateral-tibial-cartilage", "patellar-cartilage",
	"medial-meniscus", "lateral-meniscus", "femur", "tibia", "patella", "fibula",
}

// The regions of cartilage, and the menisci; the type division has their borders.
const (
	MedialTibialAnterior uint8 = 1 + iota
	MedialTibialCentral
	MedialTibialPosterior
	LateralTibialAnterior
	LateralTibialCentral
	LateralTibialPosterior
	MedialFemoralCentral
	MedialFemoralPosterior
	LateralFemoralCentral
	LateralFemoralPosterior
	Trochlear
	PatellarMedial
	PatellarLateral
	RegionMedialMeniscus
	RegionLateralMeniscus
)

// Regions holds the name of each region; index 0 is not a region.
var Regions = [...]string{
	"",
	"medial-tibial-anterior", "medial-tibial-central", "medial-tibial-posterior",
	"lateral-tibial-anterior", "lateral-tibial-central", "lateral-tibial-posterior",
	"medial-femoral-central", "medial-femoral-posterior", "lateral-femoral-central", "lateral-femoral-posterior",
	"trochlear", "patellar-medial", "patellar-lateral", "medial-meniscus", "lateral-meniscus",
}

// compartmentOf returns the label of a region in the scheme `compartments`: Medial, Lateral or
// Patellofemoral; 0 for a meniscus, or if there is no region.
func compartmentOf(region uint8) uint8 {
	switch region {
	case MedialTibialAnterior, MedialTibialCentral, MedialTibialPosterior, MedialFemoralCentral, MedialFemoralPosterior:
		return Medial
	case LateralTibialAnterior, LateralTibialCentral, LateralTibialPosterior, LateralFemoralCentral,
		LateralFemoralPosterior:
		return Lateral
	case Trochlear, PatellarMedial, PatellarLateral:
		return Patellofemoral
	}
	return 0
}
