package depth

import (
	"context"

	"github.com/t2map/t2map/internal/parallel"
	"github.com/t2map/t2map/segment/anatomy"
)

// side is what a face of a sheet's boundary faces.
type side uint8

const (
	sideOpen  side = iota // background: joint or rim, decided by the shape
	sideBone              // bone side
	sideJoint             // joint side
	sideTouch             // another cartilage, bone or meniscus: joint side unless it faces the bone of the sheet
	sideRim               // neither: an edge of the plate, of the grid, or of a hole
)

// surface is the boundary of a sheet: faces between a voxel of the sheet and one outside.
type surface struct {
	voxel   []int32      // the voxel of each face, by its number in the sheet
	dir     []uint8      // the direction in which the face looks
	side    []side       //
	centre  []vector     // its centre, midway between the centres of both voxels
	links   [][4]int32   // the faces across the four edges
	weights [][4]float64 // of the links, see weigh
	faceOf  [][directions]int32
	area    [directions]vector // outward, as long as a face in that direction is large
	stable  float64            // the longest plain step of diffusion in mm²
	scale   float64            // of the widths, see lattice.scale
	workers int
	ctx     context.Context // of the call of Measure: smoothing and searches stop when it ends
}

// normal returns the outward normal of a face, as long as the face is large.
func (f *surface) normal(face int32) vector { return f.area[f.dir[face]] }

// The reach of a look across background, in voxels. boneGap: in real masks one or two voxels
// between cartilage and bone often have no label. holeGap: a hole of one voxel in a sheet is
// noise of a segmentation.
const (
	boneGap = 2
	holeGap = 1
)

// Margin is the number of background voxels around the labels of a mask that can affect the results, if
// its grid has them: a face looks for bone across boneGap voxels, and cartilage in the two outermost
// layers of a grid may be cut. A mask may be cropped outside this margin.
const Margin = boneGap + 1

// findSurface lists the faces of the sheet and links those that share an edge.
func findSurface(ctx context.Context, s *sheet, data []anatomy.Tissue, l *lattice, workers int) *surface {
	f := &surface{faceOf: make([][directions]int32, len(s.voxels)), scale: l.scale(), workers: workers, ctx: ctx}
	faces := 0
	for n := range s.next {
		for d, other := range s.next[n] {
			f.faceOf[n][d] = -1
			if other < 0 {
				f.faceOf[n][d] = int32(faces)
				faces++
			}
		}
	}
	f.voxel, f.dir, f.side = make([]int32, faces), make([]uint8, faces), make([]side, faces)
	f.centre, f.links, f.weights = make([]vector, faces), make([][4]int32, faces), make([][4]float64, faces)
	for axis := range 3 {
		a := l.columns[(axis+1)%3].Cross(l.columns[(axis+2)%3])
		if a.Dot(l.columns[axis]) < 0 { // a left-handed grid
			a = a.Times(-1)
		}
		f.area[2*axis], f.area[2*axis+1] = a.Times(-1), a
	}
	parallel.Split(len(s.voxels), workers, worthSharing, func(_, start, end int) {
		for n := start; n < end; n++ {
			for d, face := range f.faceOf[n] {
				if face >= 0 {
					f.addFace(s, data, l, n, d)
				}
			}
		}
	})
	f.weigh(l)
	return f
}

// addFace sets the fields of the face of voxel n in direction d.
func (f *surface) addFace(s *sheet, data []anatomy.Tissue, l *lattice, n, d int) {
	face, i := f.faceOf[n][d], s.index[n]
	f.voxel[face], f.dir[face] = int32(n), uint8(d)
	f.side[face] = look(data, l, s.bone, int(s.voxels[n]), i, d)
	f.links[face] = f.neighbours(s, n, d)
	centre := [3]float64{float64(i[0]), float64(i[1]), float64(i[2])}
	centre[axisOf(d)] += 0.5 * float64(stepOf(d))
	f.centre[face] = l.position(centre)
}

// weigh sets the weights of the links: 1/distance², mm⁻². Their sum is limited to that of a flat face
// between the two densest axes. Larger sums, where edges meet in a corner, are scaled down, so that a
// corner does not shorten every step.
func (f *surface) weigh(l *lattice) {
	most := 0.0
	for axis := range 3 {
		b, c := l.columns[(axis+1)%3], l.columns[(axis+2)%3]
		most = max(most, 2/b.Dot(b)+2/c.Dot(c))
	}
	f.stable = 1 / most
	parallel.Split(len(f.centre), f.workers, worthSharing, func(_, start, end int) {
		for face := start; face < end; face++ {
			w := &f.weights[face]
			sum := 0.0
			for e, other := range f.links[face] {
				d := f.centre[other].Minus(f.centre[face])
				w[e] = 1 / d.Dot(d)
				sum += w[e]
			}
			scale := min(1, most/sum)
			for e := range w {
				w[e] = float64(w[e] * scale)
			}
		}
	})
}

// look returns what the face of voxel v in direction d faces.
func look(data []anatomy.Tissue, l *lattice, bone anatomy.Bone, v int, i [3]int32, d int) side {
	for steps := range boneGap + 1 {
		if l.leaves(i, d) {
			if steps == 0 {
				return sideRim // nothing is known outside the field of view
			}
			return sideOpen
		}
		i[axisOf(d)] += int32(stepOf(d))
		v += stepOf(d) * l.stride[axisOf(d)]
		t := data[v]
		switch {
		case t == bone.Tissue():
			return sideBone
		case t == anatomy.NoTissue:
			continue
		case sheetOf[t] == uint8(bone)+1:
			if steps <= holeGap {
				return sideRim
			}
			return sideOpen
		case steps == 0:
			return sideTouch
		}
		return sideOpen
	}
	return sideOpen
}

// neighbours returns the four faces that share an edge with the face of voxel n in direction d. Across the
// edge, the boundary turns away, continues straight or turns towards the face. Voxels that only share an
// edge are not neighbours.
func (f *surface) neighbours(s *sheet, n, d int) [4]int32 {
	var out [4]int32
	for e, t := range tangential(d) {
		neighbour := s.next[n][t]
		if neighbour < 0 {
			out[e] = f.faceOf[n][t]
			continue
		}
		if above := s.next[neighbour][d]; above >= 0 {
			out[e] = f.faceOf[above][opposite(t)]
		} else {
			out[e] = f.faceOf[neighbour][d]
		}
	}
	return out
}
