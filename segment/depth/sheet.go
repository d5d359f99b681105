package depth

import (
	"context"
	"math"

	"github.com/t2map/t2map/internal/parallel"
	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/segment/internal/words"
)

// sheetOf holds the sheet of every value of a Tissue, as Bone + 1; 0 for none.
var sheetOf = func() (out [256]uint8) {
	for _, t := range anatomy.Tissues() {
		if b, ok := anatomy.BoneOf(t); ok {
			out[t] = uint8(b) + 1
		}
	}
	return out
}()

// sheet is the cartilage of one bone as a sparse list.
type sheet struct {
	bone   anatomy.Bone
	voxels []int32             // indices in the mask, ascending
	index  [][3]int32          // their columns, rows and slices
	next   [][directions]int32 // the neighbours' numbers in voxels; −1 outside the sheet
	centre [][3]float32        // their centres, from that of the first
}

// stretch is a row of voxels of one sheet: n voxels from voxel v on, which is in column i.
type stretch struct{ v, i, n int32 }

// findSheets lists the cartilage of each bone.
func findSheets(
	ctx context.Context, data []anatomy.Tissue, l *lattice, workers int,
) (out [anatomy.Bones]sheet, err error) {
	rows := l.size[1] * l.size[2]
	lists := make([][anatomy.Bones][]stretch, parallel.Parts(rows, workers, worthSharing))
	parallel.Split(rows, workers, worthSharing, func(part, start, end int) {
		for row := start; row < end && (row%rowsPerCheck != 0 || ctx.Err() == nil); row++ {
			stretches(&lists[part], data[row*l.size[0]:][:l.size[0]], row*l.size[0])
		}
	})
	for b := range out {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		s := &out[b]
		s.bone = anatomy.Bone(b)
		n := 0
		for part := range lists {
			for _, r := range lists[part][b] {
				n += int(r.n)
			}
		}
		s.voxels, s.index = make([]int32, 0, n), make([][3]int32, 0, n)
		for part := range lists {
			for _, r := range lists[part][b] {
				row := int(r.v) / l.size[0]
				index := [3]int32{r.i, int32(row % l.size[1]), int32(row / l.size[1])}
				for d := range r.n {
					s.voxels = append(s.voxels, r.v+d)
					s.index = append(s.index, index)
					index[0]++
				}
			}
		}
		s.connect(l)
	}
	return out, nil
}

// rowsPerCheck is the number of rows of a mask between two checks of the context: at most a millisecond of
// work.
const rowsPerCheck = 256

// stretches appends the stretches of a row whose first voxel is first.
func stretches(lists *[anatomy.Bones][]stretch, row []anatomy.Tissue, first int) {
	for i := 0; i < len(row); {
		t := row[i]
		start := i
		for i++; i < len(row) && row[i] == t; i++ {
			for eight := words.EightOf(t); len(row)-i >= 8 && words.Eight(row[i:]) == eight; {
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
		list := &lists[b-1]
		if n := len(*list); n > 0 && (*list)[n-1].v+(*list)[n-1].n == int32(first+start) && start > 0 {
			(*list)[n-1].n += int32(i - start) // another label of the sheet
			continue
		}
		*list = append(*list, stretch{int32(first + start), int32(start), int32(i - start)})
	}
}

// locate finds the centres of the voxels.
func (s *sheet) locate(l *lattice, workers int) {
	s.centre = make([][3]float32, len(s.voxels))
	origin := l.centre(s.index[0])
	parallel.Split(len(s.centre), workers, worthSharing, func(_, start, end int) {
		for n := start; n < end; n++ {
			s.centre[n] = l.centre(s.index[n]).Minus(origin).Short()
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

// single reports whether the sheet is one voxel thick at voxel n: the voxel has no neighbour along the
// axis of the grid that is nearest to the normal.
func (s *sheet) single(n int, l *lattice, normal vector) bool {
	next := &s.next[n]
	if !(next[0] < 0 && next[1] < 0 || next[2] < 0 && next[3] < 0 || next[4] < 0 && next[5] < 0) {
		return false
	}
	axis, most := 0, 0.0
	for c := range 3 {
		if cosine := math.Abs(l.columns[c].Dot(normal)) / l.columns[c].Length(); cosine > most {
			axis, most = c, cosine
		}
	}
	return next[2*axis] < 0 && next[2*axis+1] < 0
}
