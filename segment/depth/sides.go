package depth

import "math"

// facing is the least cosine between the normal of a face and the direction of the side to which it
// belongs: 53°. After smoothing, the faces at a rectangular edge are at 45°, and the two sides of a
// plate that becomes thinner are up to 30° from parallel.
const facing = 0.6

// labelled is the share of a sheet's faces that must touch bone for its label to determine the bone
// side. It is about 0.45 in a complete knee; a few contacts may be accidental.
const labelled = 0.1

// corePart is the value above which a face belongs to the core of a side, after a value of 1 on the
// side has leaked over its border with widthOfCore. At distance x from a straight border the value
// is erf(x/(√2·width)): 0.7 at 1.04 mm.
const corePart = 0.7

// Widths of smoothing, as standard deviations in mm, for voxels of 0.36 × 0.36 × 0.7 mm or
// less; see scale. They were chosen with TestDepthOfShells and TestDepthOfRealKnee.
const (
	widthOfNormals = 0.8 // turns the faces of a staircase with steps of 0.7 mm into a slope
	widthOfSurface = 1.0 // more than a step of the staircase, less than the radii of a knee's surfaces
	widthOfSheet   = 3.0 // more than a plate is thick, so that its rim does not count
	widthOfVote    = 5.0 // a face of the trochlea or beside the notch that looks aside follows its surroundings
	widthOfCore    = 1.0 // as widthOfSurface: how far the bend at a border reaches
)

// scale returns the factor by which the widths grow on a coarse grid. It is proportional to the cube root
// of a voxel's volume.
func (l *lattice) scale() float64 {
	volume := math.Abs(l.columns[0].Cross(l.columns[1]).Dot(l.columns[2]))
	return max(1, float64(float32(math.Cbrt(volume)))/0.45) // 0.36 × 0.36 × 0.7 mm
}

// boneByLabel reports whether the bone of the sheet is labelled.
func (f *surface) boneByLabel() bool {
	n := 0
	for _, s := range f.side {
		if s == sideBone {
			n++
		}
	}
	return float64(n) > labelled*float64(len(f.side))
}

// boneByShape marks the bone side of a sheet whose bone has no label. toBone returns the direction towards
// the bone at a position. Each face votes for a side by its normal, the votes diffuse over the surface,
// and the majority around a face decides. Faces at the rim, whose normals differ from that of the sheet,
// are marked as open. If partly, part of the bone has a label, and its votes count twice.
func (f *surface) boneByShape(toBone func(vector) vector, partly bool) {
	whole := f.patch(func(int) bool { return true })
	normals := whole.normals(widthOfNormals)
	votes := make([]float64, len(normals))
	for n, normal := range normals {
		votes[n] = normal.Dot(toBone(f.centre[n]))
	}
	for n := range votes {
		if partly && f.side[n] == sideBone {
			votes[n] = 2
		}
	}
	votes = whole.smoothNumbers(votes, widthOfVote, false)
	half := f.patch(func(n int) bool { return votes[n] > 0 }) // so that the two sides do not mix
	sheet := make([]vector, len(half.faces))
	for n, face := range half.faces {
		sheet[n] = normals[face]
	}
	sheet = half.smooth(sheet, widthOfSheet)
	for n := range f.side {
		if f.side[n] == sideBone {
			f.side[n] = sideOpen
		}
	}
	for n, face := range half.faces {
		if f.side[face] == sideOpen && normals[face].Dot(sheet[n].Unit()) > facing {
			f.side[face] = sideBone
		}
	}
}

// surfel is a surface element of a smoothed side.
type surfel struct {
	centre, normal vector // the normal is outward and of length 1
}

// boundary is one side of a sheet, smoothed.
type boundary struct {
	pieces    []surfel
	area      float64 // mm²
	maxOffset float64 // mm
	near      []int32 // for each voxel of the sheet the nearest piece, −1 if there is none
}

// boundary smooths one side of the sheet and finds its nearest piece for each voxel.
func (f *surface) boundary(s *sheet, which side, l *lattice) *boundary {
	p := f.patch(func(n int) bool { return f.side[n] == which })
	out := &boundary{pieces: p.smoothTrue(widthOfSurface), maxOffset: maxOffset * f.scale}
	for n, face := range p.faces {
		// A face counts with the area of its projection on the smoothed surface.
		out.area += max(0, f.normal(face).Dot(out.pieces[n].normal))
	}
	out.near = f.nearest(s, l, p, out.pieces)
	return out
}

// findOpposite marks the faces of the side opposite to a known one: those that face away from its nearest
// piece. The other faces stay open.
func (f *surface) findOpposite(known *boundary, this, opposite side) {
	p := f.patch(func(n int) bool { return f.side[n] != this })
	for n, normal := range p.normals(widthOfNormals) {
		face := p.faces[n]
		s := f.side[face]
		if s == sideRim {
			continue
		}
		if s == opposite {
			f.side[face] = sideOpen
		}
		near := known.near[f.voxel[face]]
		if near < 0 {
			continue
		}
		cos := -normal.Dot(known.pieces[near].normal)
		if cos > facing || s == sideTouch && this == sideBone && cos > 0 {
			f.side[face] = opposite
		}
	}
}
