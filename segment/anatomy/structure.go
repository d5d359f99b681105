package anatomy

// Bone is a bone that carries cartilage. For its depth, the cartilage of one bone is one sheet, however
// many labels divide it: a border between labels is not a surface.
type Bone uint8

// The bones.
const (
	OfFemur Bone = iota
	OfTibia
	OfPatella
	Bones // their number
)

// BoneOf returns the bone that carries the cartilage; ok is false for tissues that are not cartilage.
func BoneOf(t Tissue) (b Bone, ok bool) {
	switch t {
	case TibialCartilage, MedialTibialCartilage, LateralTibialCartilage:
		return OfTibia, true
	case PatellarCartilage:
		return OfPatella, true
	}
	return OfFemur, t.Cartilage()
}

// Tissue returns the tissue of the bone itself.
func (b Bone) Tissue() Tissue { return [Bones]Tissue{Femur, Tibia, Patella}[min(b, Bones-1)] }

// String returns the name of the bone, such as femur.
func (b Bone) String() string { return b.Tissue().String() }

// Structure is a set of tissues that count as one, however many labels divide it: the cartilage of a bone,
// or the menisci.
type Structure uint8

// NoStructure is the structure of bone and of NoTissue.
const NoStructure Structure = 0

// Structure returns the structure of the tissue.
func (t Tissue) Structure() Structure { return structures[t] }

// structures holds the structure of each tissue, for every value of a Tissue.
var structures = func() (out [256]Structure) {
	for _, t := range Tissues() {
		if b, ok := BoneOf(t); ok {
			out[t] = 1 + Structure(b)
		} else if t.group() == meniscal {
			out[t] = 1 + Structure(Bones)
		}
	}
	return out
}()
