package anatomy

// Bone is a bone whose surface carries cartilage. The cartilage of one bone is one sheet for
// its depth, however many labels divide it: a border between labels is not a surface.
type Bone uint8

// The bones.
const (
	OfFemur Bone = iota
	OfTibia
	OfPatella
	bones // their number
)

// BoneOf returns the bone that the cartilage lies on; ok is false for what is not cartilage.
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
func (b Bone) Tissue() Tissue { return [bones]Tissue{Femur, Tibia, Patella}[min(b, bones-1)] }

// String returns the name of the bone: femur.
func (b Bone) String() string { return b.Tissue().String() }

// sheetOf says for every value of a Tissue which sheet it belongs to, as Bone + 1; 0 for none.
var sheetOf = func() (out [256]uint8) {
	for _, t := range Tissues() {
		if b, ok := BoneOf(t); ok {
			out[t] = uint8(b) + 1
		}
	}
	return out
}()

// sheet is the cartilage of one bone as a sparse list.
type sheet struct {
	bone   Bone
	voxels []int32             // indices in the mask, ascending
	next   [][directions]int32 // the neighbours' numbers in voxels; −1 outside the sheet
}

// findSheets lists the cartilage of each bone.
func findSheets(data []Tissue, l lattice, workers int) [bones]sheet {
	const most = 64 // parts, so that lists can be kept in order
	var lists [most][bones][]int32
	workers = min(workers, most)
	shareOut(len(data), workers, func(part, from, to int) {
		found := &lists[part]
		for v, t := range data[from:to] {
			if b := sheetOf[t]; b != 0 {
				found[b-1] = append(found[b-1], int32(from+v))
			}
		}
	})
	var out [bones]sheet
	for b := range out {
		out[b].bone = Bone(b)
		for part := range lists {
			out[b].voxels = append(out[b].voxels, lists[part][b]...)
		}
		out[b].connect(l)
	}
	return out
}

// connect finds the neighbours of every voxel. As the list ascends, the neighbours along one
// direction ascend too, and one walk along the list finds them all.
func (s *sheet) connect(l lattice) {
	s.next = make([][directions]int32, len(s.voxels))
	for n := range s.next {
		s.next[n] = [directions]int32{-1, -1, -1, -1, -1, -1}
	}
	for axis := range 3 {
		other := 0
		for n, v := range s.voxels {
			if l.leaves(l.index(int(v)), 2*axis+1) {
				continue
			}
			want := v + int32(l.stride[axis])
			for other < len(s.voxels) && s.voxels[other] < want {
				other++
			}
			if other < len(s.voxels) && s.voxels[other] == want {
				s.next[n][2*axis+1] = int32(other)
				s.next[other][2*axis] = int32(n)
			}
		}
	}
}
