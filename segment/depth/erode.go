package depth

import (
	"context"
	"math"
	"slices"

	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/volume"
)

// Erode returns the mask without the voxels of cartilage and meniscus whose centre lies less than
// mm from the outside of their tissue, on any side; they become NoTissue. The distance is exact, in
// three dimensions with the spacing of the grid. The surface is that of the voxels: it lies midway
// between the centres of a voxel inside and its neighbour outside. On a grid of 0.4 mm, the
// outermost voxels are therefore 0.2 mm deep: an erosion by 0.2 mm or less removes nothing, and one
// by 0.3 mm removes one voxel.
//
// The cartilage of one bone counts as one tissue, however many labels divide it, and so do the
// menisci: borders between labels of one structure do not erode. Cartilage that touches other
// cartilage, bone or meniscus erodes there, because partial volume mixes them. Nothing is known
// outside the grid, and nothing erodes at its edge. m is not changed. If mm is 0 or less, nothing
// is removed. An affine without an inverse is an *AffineError. When ctx ends, Erode returns its error.
func Erode(ctx context.Context, m anatomy.Mask, mm float64) (anatomy.Mask, error) {
	l, ok := newLattice(m.Geometry)
	if !ok {
		return anatomy.Mask{}, &AffineError{m.Affine}
	}
	out := anatomy.Mask{Geometry: m.Geometry, Data: slices.Clone(m.Data)}
	ball := l.ball(mm)
	for v, t := range m.Data {
		if v%voxelsPerCheck == 0 && ctx.Err() != nil {
			return anatomy.Mask{}, ctx.Err()
		}
		own := t.Structure()
		if own == anatomy.NoStructure {
			continue
		}
		if l.nearOutside(m.Data, v, own, ball) {
			out.Data[v] = anatomy.NoTissue
		}
	}
	return out, nil
}

// voxelsPerCheck is the number of voxels between two checks of the context: at most a slice, milliseconds
// of work.
const voxelsPerCheck = 1 << 14

// offset is a step from a voxel to another.
type offset struct {
	step     [3]int
	distance float64 // in mm, from the centre of the voxel to the surface of the other
}

// ball lists the offsets of the voxels whose surface lies less than mm from the centre of the
// voxel at 0, the six neighbours first.
func (l *lattice) ball(mm float64) []offset {
	var reach [3]int
	for c := range 3 {
		// A voxel's planes along axis c are 1/|row c| apart.
		reach[c] = int(math.Ceil(mm*l.rows[c].Length() + 0.5))
	}
	var near, far []offset
	for k := -reach[2]; k <= reach[2]; k++ {
		for j := -reach[1]; j <= reach[1]; j++ {
			for i := -reach[0]; i <= reach[0]; i++ {
				o := offset{step: [3]int{i, j, k}}
				if o.step == [3]int{} {
					continue
				}
				if o.distance = l.toVoxel(o.step); o.distance >= mm {
					continue
				}
				if i*i+j*j+k*k == 1 {
					near = append(near, o)
				} else {
					far = append(far, o)
				}
			}
		}
	}
	return append(near, far...)
}

// toVoxel returns the distance in mm from the centre of voxel 0 to the nearest point of the
// voxel at an offset: the least |A(step + e)| with every |eᵢ| ≤ ½, found coordinate by
// coordinate, which converges as the square is convex. On a grid with right angles the first
// round is exact.
func (l *lattice) toVoxel(step [3]int) float64 {
	var nearest [3]float64
	for c := range 3 {
		nearest[c] = float64(step[c])
	}
	for range 20 {
		for c := range 3 {
			rest := nearest
			rest[c] = 0
			x := l.columns[0].Times(rest[0]).Plus(l.columns[1].Times(rest[1])).Plus(l.columns[2].Times(rest[2]))
			best := -x.Dot(l.columns[c]) / l.columns[c].Dot(l.columns[c])
			nearest[c] = min(max(best, float64(step[c])-0.5), float64(step[c])+0.5)
		}
	}
	return l.columns[0].Times(nearest[0]).
		Plus(l.columns[1].Times(nearest[1])).
		Plus(l.columns[2].Times(nearest[2])).
		Length()
}

// nearOutside reports whether one of the voxels at the offsets belongs to another structure.
func (l *lattice) nearOutside(data []anatomy.Tissue, v int, own anatomy.Structure, ball []offset) bool {
	index := volume.Geometry{Size: l.size}.Index(v)
	for _, o := range ball {
		i, j, k := index[0]+o.step[0], index[1]+o.step[1], index[2]+o.step[2]
		if i < 0 || j < 0 || k < 0 || i >= l.size[0] || j >= l.size[1] || k >= l.size[2] {
			continue
		}
		if data[i+j*l.stride[1]+k*l.stride[2]].Structure() != own {
			return true
		}
	}
	return false
}
