package anatomy

import "math"

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
	index  [][3]int32          // their columns, rows and slices
	next   [][directions]int32 // the neighbours' numbers in voxels; −1 outside the sheet
}

// findSheets lists the cartilage of each bone.
func findSheets(data []Tissue, l lattice, workers int) [bones]sheet {
	const most = 64 // parts, see DepthOptions.Workers
	var lists [most][bones]sheet
	shareOut(l.size[1]*l.size[2], workers, func(part, from, to int) {
		found := &lists[part]
		for row := from; row < to; row++ {
			start := row * l.size[0]
			for i, t := range data[start : start+l.size[0]] {
				b := sheetOf[t]
				if b == 0 {
					continue
				}
				s := &found[b-1]
				s.voxels = append(s.voxels, int32(start+i))
				s.index = append(s.index, [3]int32{int32(i), int32(row % l.size[1]), int32(row / l.size[1])})
			}
		}
	})
	var out [bones]sheet
	for b := range out {
		s := &out[b]
		s.bone = Bone(b)
		for part := range lists {
			s.voxels = append(s.voxels, lists[part][b].voxels...)
			s.index = append(s.index, lists[part][b].index...)
		}
		s.connect(l)
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
			if l.leaves(s.index[n], 2*axis+1) {
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

// single reports whether the sheet is one voxel thick at voxel n: it has no neighbour along the
// axis of the grid that is nearest to the sheet's normal.
func (s *sheet) single(n int, l lattice, normal vector) bool {
	next := &s.next[n]
	if !(next[0] < 0 && next[1] < 0 || next[2] < 0 && next[3] < 0 || next[4] < 0 && next[5] < 0) {
		return false
	}
	axis, most := 0, 0.0
	for c := range 3 {
		if along := math.Abs(l.columns[c].dot(normal)) / l.columns[c].length(); along > most {
			axis, most = c, along
		}
	}
	return next[2*axis] < 0 && next[2*axis+1] < 0
}
