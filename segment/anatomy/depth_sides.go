package anatomy

// How a face is judged. facing: a face belongs to a side of the plate where the cosine between its
// normal and the side's direction exceeds it, which is within 53°: an edge that is cut off at
// a right angle is half way at 45° where it is smoothed, and the two sides of a plate that becomes
// thinner are up to 30° from parallel.
const facing = 0.6

// labelled is the least part of a sheet's faces that must touch bone for the labels to say where the
// bone is. It is about 0.45 in a whole knee; a few chance contacts say nothing.
const labelled = 0.1

// corePart is ...
const corePart = 0.85

// Smoothing in mm, for a voxel of the size of a DESS series' (0.4 mm) or less; coarser grids need more, see
// widths.
const (
	widthOfNormals = 0.8 // enough to turn the faces of a staircase into a slope
	widthOfSurface = 1.0 // a compromise between the staircase and true bumps
	widthOfSheet   = 3.0 // more than a plate is thick, so that its rim does not count
	widthOfVote    = 5.0
	widthOfCore    = 1.0
)

// scale returns by how much the widths grow on a coarse grid.
func (l lattice) scale() float64 {
	volume := l.columns[0].cross(l.columns[1]).dot(l.columns[2])
	if volume < 0 {
		volume = -volume
	}
	return max(1, volume/(0.37*0.37*0.7))
}

// boneByLabel reports whether bone is labelled beside the sheet.
func (f *surface) boneByLabel() bool {
	n := 0
	for _, s := range f.side {
		if s == sideBone {
			n++
		}
	}
	return float64(n) > labelled*float64(len(f.side))
}

// boneByShape marks the bone side of a sheet whose bone has no label. toBone points towards the
// bone from a position. Each face votes for a side by its normal, the votes spread over the surface, and the
// majority around a face decides. Faces at the rim do not look along the sheet's own direction
// there; they are left open.
func (f *surface) boneByShape(toBone func(lps) lps, l lattice, workers int) {
	whole := make([]side, len(f.side)) // one class
	normals := f.smooth(f.pieces, whole, widthOfNormals, l, workers)
	votes := make([]surfel, len(normals))
	for n, p := range normals {
		normals[n].normal = p.normal.unit()
		votes[n].at[0] = normals[n].normal.dot(toBone(p.at))
	}
	votes = f.smooth(votes, whole, widthOfVote, l, workers)
	sheets := make([]surfel, len(normals))
	for n, p := range normals {
		sheets[n].normal = p.normal
		if votes[n].at[0] > 0 {
			whole[n] = sideBone // so that the two sides do not mix
		}
	}
	sheets = f.smooth(sheets, whole, widthOfSheet, l, workers)
	for n, p := range normals {
		if f.side[n] == sideBone { // a chance contact
			f.side[n] = sideOpen
		}
		if f.side[n] == sideOpen && whole[n] == sideBone && p.normal.dot(sheets[n].normal.unit()) > facing {
			f.side[n] = sideBone
		}
	}
}

// side1 is one side of a sheet: its surface, and for each voxel the piece of it that is nearest.
type boundary struct {
	pieces []surfel
	near   []int32 // away from the border of the side, where the smoothed surface bends
	any    []int32 // anywhere
}

// measure smooths one side of the sheet and finds for each voxel what is nearest.
func (f *surface) measure(s *sheet, centres []lps, which side, l lattice, workers int) boundary {
	class := f.only(which)
	pieces := f.smoothTrue(class, widthOfSurface, l, workers)
	return boundary{pieces,
		f.nearest(s, centres, pieces, f.core(which, l, workers), which, workers),
		f.nearest(s, centres, pieces, class, which, workers)}
}

// only returns the faces of one side as a class, and all others as another.
func (f *surface) only(which side) []side {
	class := make([]side, len(f.side))
	for n, s := range f.side {
		if s == which {
			class[n] = which
		}
	}
	return class
}

// core returns the faces of one side that are not near its border.
func (f *surface) core(which side, l lattice, workers int) []side {
	class := make([]side, len(f.side))
	parts := make([]surfel, len(f.side))
	for n, s := range f.side {
		if s == which {
			parts[n].at[0] = 1
		}
	}
	parts = f.smooth(parts, class, widthOfCore, l, workers)
	for n, p := range parts {
		if p.at[0] > corePart {
			class[n] = which
		}
	}
	return class
}

// judge finds the faces of the side opposite to a known one: those that look away from what is nearest of it.
// The rest stays open.
func (f *surface) judge(known boundary, this, opposite side, l lattice, workers int) {
	normals := f.smooth(f.pieces, f.only(this), widthOfNormals, l, workers)
	for n, s := range f.side {
		if s == this || s == sideRim {
			continue
		}
		if s == opposite {
			f.side[n] = sideOpen
		}
		near := known.near[f.voxel[n]]
		if near < 0 {
			near = known.any[f.voxel[n]]
		}
		if near < 0 {
			continue
		}
		cos := -normals[n].normal.unit().dot(known.pieces[near].normal)
		if cos > facing || s == sideTouch && this == sideBone && cos > 0 {
			f.side[n] = opposite
		}
	}
}
