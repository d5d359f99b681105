package anatomy

// side is what a face of a sheet's boundary looks at.
type side uint8

const (
	sideOpen  side = iota // background: the joint or the rim, decided from the shape
	sideBone              // bone side
	sideJoint             // joint side
	sideTouch             // another cartilage, bone or meniscus: joint side unless it faces the own bone
	sideRim               // neither: an edge of the plate, of the grid, or of a hole
)

// surfel is a face between a voxel of the sheet and one outside, as a piece of surface.
type surfel struct {
	at     vector // its centre, midway between the centres of both voxels
	normal vector // outward; as long as the face is large until it is made a unit
}

// surface is the boundary of a sheet.
type surface struct {
	voxel  []int32    // the voxel of each face, by its number in the sheet
	dir    []uint8    // the direction in which the face looks
	side   []side     //
	pieces []surfel   // as the voxels have them
	links  [][4]int32 // the faces across the four edges
	of     [][directions]int32
}

// The reach of a look across background, in voxels. boneGap: in real masks one or two voxels
// between cartilage and bone often have no label. holeGap: a hole of one voxel in a sheet is
// noise of a segmentation.
const (
	boneGap = 2
	holeGap = 1
)

// findSurface lists the faces of the sheet and links those that share an edge.
func findSurface(s *sheet, data []Tissue, l lattice, workers int) *surface {
	f := &surface{of: make([][directions]int32, len(s.voxels))}
	for n, next := range s.next {
		for d, other := range next {
			f.of[n][d] = -1
			if other < 0 {
				f.of[n][d] = int32(len(f.voxel))
				f.voxel = append(f.voxel, int32(n))
				f.dir = append(f.dir, uint8(d))
			}
		}
	}
	f.side = make([]side, len(f.voxel))
	f.pieces = make([]surfel, len(f.voxel))
	f.links = make([][4]int32, len(f.voxel))
	var area [3]vector
	for axis := range area {
		a := l.columns[(axis+1)%3].cross(l.columns[(axis+2)%3])
		if a.dot(l.columns[axis]) < 0 { // a left-handed grid
			a = a.times(-1)
		}
		area[axis] = a
	}
	shareOut(len(f.voxel), workers, func(_, from, to int) {
		for n := from; n < to; n++ {
			d, v := int(f.dir[n]), int(s.voxels[f.voxel[n]])
			i := s.index[f.voxel[n]]
			f.side[n] = look(data, l, s.bone, v, i, d)
			f.links[n] = f.neighbours(s, int(f.voxel[n]), d)
			at := [3]float64{float64(i[0]), float64(i[1]), float64(i[2])}
			at[axisOf(d)] += 0.5 * float64(stepOf(d))
			f.pieces[n] = surfel{l.position(at), area[axisOf(d)].times(float64(stepOf(d)))}
		}
	})
	return f
}

// look says what lies beyond the face of voxel v in direction d.
func look(data []Tissue, l lattice, bone Bone, v int, i [3]int32, d int) side {
	for steps := range boneGap + 1 {
		if l.leaves(i, d) {
			if steps == 0 {
				return sideRim // what lies beyond the field of view is not known
			}
			return sideOpen
		}
		i[axisOf(d)] += int32(stepOf(d))
		v += stepOf(d) * l.stride[axisOf(d)]
		t := data[v]
		switch {
		case t == bone.Tissue():
			return sideBone
		case t == NoTissue:
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

// neighbours returns the four faces that share an edge with the face of voxel n in direction d.
// Going across the edge, the boundary turns away, goes straight on or turns towards the face;
// voxels that touch along an edge only are not neighbours.
func (f *surface) neighbours(s *sheet, n, d int) [4]int32 {
	var out [4]int32
	for e, t := range across(d) {
		beside := s.next[n][t]
		if beside < 0 {
			out[e] = f.of[n][t]
			continue
		}
		if above := s.next[beside][d]; above >= 0 {
			out[e] = f.of[above][opposite(t)]
		} else {
			out[e] = f.of[beside][d]
		}
	}
	return out
}
