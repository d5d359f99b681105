package anatomy

import (
	"context"
	"math"
)

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
	at     [][3]float32        // their centres, from that of the first
}

// stretch is a row of voxels of one sheet: n voxels from voxel v on, which is in column i.
type stretch struct{ v, i, n int32 }

// findSheets lists the cartilage of each bone.
func findSheets(ctx context.Context, data []Tissue, l *lattice, workers int) (out [bones]sheet, err error) {
	const most = 64 // parts, see DepthOptions.Workers
	var found [most][bones][]stretch
	shareOut(l.size[1]*l.size[2], workers, func(part, from, to int) {
		for row := from; row < to && (row%rowsPerCheck != 0 || ctx.Err() == nil); row++ {
			stretches(&found[part], data[row*l.size[0]:][:l.size[0]], row*l.size[0])
		}
	})
	for b := range out {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		s := &out[b]
		s.bone = Bone(b)
		n := 0
		for part := range found {
			for _, r := range found[part][b] {
				n += int(r.n)
			}
		}
		s.voxels, s.index = make([]int32, 0, n), make([][3]int32, 0, n)
		for part := range found {
			for _, r := range found[part][b] {
				row := int(r.v) / l.size[0]
				at := [3]int32{r.i, int32(row % l.size[1]), int32(row / l.size[1])}
				for d := range r.n {
					s.voxels = append(s.voxels, r.v+d)
					s.index = append(s.index, at)
					at[0]++
				}
			}
		}
		s.connect(l)
	}
	return out, nil
}

// rowsPerCheck is the number of rows of a mask after which it is asked whether the context has
// ended: a millisecond's work at most.
const rowsPerCheck = 256

// stretches appends those of a row whose first voxel is first.
func stretches(found *[bones][]stretch, row []Tissue, first int) {
	for i := 0; i < len(row); {
		t := row[i]
		start := i
		for i++; i < len(row) && row[i] == t; i++ {
			for eight := eightOf(t); len(row)-i >= 8 && eightAt(row[i:]) == eight; {
				i += 8 // nearly everywhere is background or bone
			}
			if i == len(row) || row[i] != t {
				break
			}
		}
		b := sheetOf[t]
		if b == 0 {
			continue
		}
		list := &found[b-1]
		if n := len(*list); n > 0 && (*list)[n-1].v+(*list)[n-1].n == int32(first+start) && start > 0 {
			(*list)[n-1].n += int32(i - start) // another label of the sheet
			continue
		}
		*list = append(*list, stretch{int32(first + start), int32(start), int32(i - start)})
	}
}

// eightAt returns the first eight voxels of a row in one word.
func eightAt[T ~uint8](x []T) uint64 {
	_ = x[7]
	return uint64(x[0]) | uint64(x[1])<<8 | uint64(x[2])<<16 | uint64(x[3])<<24 |
		uint64(x[4])<<32 | uint64(x[5])<<40 | uint64(x[6])<<48 | uint64(x[7])<<56
}

// eightOf returns that word where all are t.
func eightOf(t Tissue) uint64 { return uint64(t) * 0x0101010101010101 }

// locate finds the centres of the voxels.
func (s *sheet) locate(l *lattice, workers int) {
	s.at = make([][3]float32, len(s.voxels))
	origin := l.centre(s.index[0])
	shareOut(len(s.at), workers, func(_, from, to int) {
		for n := from; n < to; n++ {
			s.at[n] = l.centre(s.index[n]).minus(origin).short()
		}
	})
}

// connect finds the neighbours of every voxel. As the list ascends, the neighbours along one
// direction ascend too, and one walk along the list finds them all.
func (s *sheet) connect(l *lattice) {
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
func (s *sheet) single(n int, l *lattice, normal vector) bool {
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
