package anatomy

import (
	"cmp"
	"context"
	"slices"
)

// Piece is a connected part of a tissue (26 neighbours) beside its largest piece. A second one of
// at least a quarter of the voxels of the largest is usual where a label is of two plates, and is not
// listed. Other pieces of that size, as where the field of view parts the condyles, always belong to
// their tissue. Smaller ones belong to it where they lie near it and beside its sheet, as behind a
// full-thickness defect; those that lie far from it, or over the sheet, are omitted.
type Piece struct {
	// Tissue is the tissue of most of its voxels.
	Tissue Tissue
	Voxels int
	// Distance is how far it lies from the main body at least, mm, between the surfaces of voxels.
	Distance float64
	// Small reports that it has less than 2 % of the voxels of its plates: it decides no border.
	Small bool
	// Omitted reports that it lies apart, so that it gets no region.
	Omitted bool
}

const (
	// leastShare is the part of its group's voxels below which a piece decides no border. The
	// smallest piece that is anatomy is a half of a plate that a lesion has parted; segmentation
	// noise stays far below.
	leastShare = 0.02
	// bodyPart is the part of the largest piece's voxels that every piece of the main body has.
	// The cartilage of a plateau or a condyle has a third of that of both or more, unless it
	// is worn; a posterior condyle behind a full-thickness defect has 10 to 20 %.
	bodyPart = 0.25
	// isletDistance is the distance, in mm, up to which a small piece belongs to its tissue: islets where
	// the cartilage is thinner than a voxel, one to three voxels from the rest. With thicker
	// slices it is one slice that was missed.
	isletDistance = 3
	isletSlices   = 1.5
	// tornDistance is the same for pieces from tornPart of their group on: a full-thickness defect that
	// parts the cartilage of a condyle is up to 20 mm long, about as long as the weight-bearing part of
	// the condyle, and the posterior part behind it is a tenth of the femoral cartilage or more.
	// For smaller pieces it is less, in proportion: the smaller and farther, the less likely is it
	// cartilage, and the less is lost.
	tornDistance = 20
	tornPart     = 0.1
	// meniscusDistance is tear of menisci: without its body, the horns of a meniscus lie up to 30 mm apart.
	meniscusDistance = 30
	// sheetPatch is the radius, in mm, of the part of a plate that shows how the plate lies. On the
	// curve of a condyle, radius 20, it is flat to 1.6 mm; a half of it, at a rim, is still
	// wider than cartilage is thick.
	sheetPatch = 8
	// steep is the part of the way to a piece that leads across the sheet of cartilage from which
	// on the piece lies over the sheet: 45°. A piece that a defect has parted lies beside it.
	steep = 0.7
	// overPart is the part of the voxels of a piece that lie over the sheet where the piece
	// does. Where defects of 5 to 25 mm were cut into a femur, it was 0.1 at most.
	overPart = 0.5
	// mostProbes and mostWays bound the voxels of a piece for which the nearest of the main body, and
	// the direction of its sheet, are looked up; allProbes bounds the former for all pieces.
	mostProbes, mostWays, allProbes = 2000, 64, 20000
)

// fragment is a connected piece of a group.
type fragment struct {
	Piece
	group group
	first int32 // its first run
	runs  []run
	share float64 // of the voxels of its group
	body  bool    // it is of the main body
	usual bool    // and as it should be
}

// classifyPieces finds the pieces of the runs, marks the small ones and omits those that lie apart.
func (s *survey) classifyPieces(ctx context.Context, m *Mask) error {
	pieceOf := part(s.runs, m.Size)
	all := fragments(s.runs, pieceOf)
	omitted := map[int32]bool{}
	small := map[int32]bool{}
	for g := noGroup + 1; g < groupCount; g++ {
		own := all[g]
		if ctx.Err() != nil {
			return ctx.Err()
		}
		findBody(own)
		place(m, g, own)
		for n := range own {
			f := &own[n]
			small[f.first] = f.Small
			omitted[f.first] = f.Omitted
			if !f.usual {
				s.pieces = append(s.pieces, f.Piece)
			}
		}
	}
	for n := range s.runs {
		s.runs[n].small = small[pieceOf[n]]
	}
	if slices.ContainsFunc(s.pieces, func(p Piece) bool { return p.Omitted }) {
		s.omit(m, func(n int) bool { return omitted[pieceOf[n]] })
	}
	return nil
}

// omit takes the runs for which is is true out of the survey and the mask.
func (s *survey) omit(m *Mask, drop func(n int) bool) {
	m.Data = slices.Clone(m.Data)
	var kept []run
	for n, r := range s.runs {
		if !drop(n) {
			kept = append(kept, r)
			continue
		}
		start := m.Size[0]*(int(r.j)+m.Size[1]*int(r.k)) + int(r.i)
		clear(m.Data[start : start+int(r.n)])
		var t tally
		t.add(int(r.i), int(r.j), int(r.k), int(r.n))
		s.tally[r.tissue] = s.tally[r.tissue].minus(t)
	}
	s.runs = kept
}

// fragments returns the pieces of each group, the largest first.
func fragments(runs []run, pieceOf []int32) (out [groupCount][]fragment) {
	number := make(map[int32]int)
	for n, r := range runs {
		g := r.tissue.group()
		index, ok := number[pieceOf[n]]
		if !ok {
			index = len(out[g])
			number[pieceOf[n]] = index
			out[g] = append(out[g], fragment{group: g, first: pieceOf[n]})
		}
		f := &out[g][index]
		f.runs = append(f.runs, r)
		f.Voxels += int(r.n)
	}
	for g := range out {
		for n := range out[g] {
			f := &out[g][n]
			var count [tissueCount]int
			for _, r := range f.runs {
				count[r.tissue] += int(r.n)
			}
			f.Tissue = Tissue(slices.Index(count[:], slices.Max(count[:])))
		}
		slices.SortStableFunc(out[g], func(a, b fragment) int { return cmp.Compare(b.Voxels, a.Voxels) })
	}
	return out
}

// findBody marks the pieces of a group that are of its main body, and the small ones.
func findBody(all []fragment) {
	total := 0
	for n := range all {
		total += all[n].Voxels
	}
	var pieces [tissueCount]int // the larger pieces of each label
	for n := range all {
		f := &all[n]
		f.share = float64(f.Voxels) / float64(total)
		f.Small = f.share < leastShare
		f.body = !f.Small && (float64(f.Voxels) >= bodyPart*float64(all[0].Voxels) || pieces[f.Tissue] == 0)
		f.usual = f.body && (pieces[f.Tissue] == 0 || pieces[f.Tissue] == 1 && ofTwo(f.Tissue))
		pieces[f.Tissue]++
	}
}

// ofTwo reports whether the label is of two plates.
func ofTwo(t Tissue) bool { return t == TibialCartilage || t == Menisci }

// place measures how far the pieces lie from the main body of their group, and says which are
// omitted. A piece that belongs to the main body is one of it for those that are placed later.
func place(m *Mask, g group, all []fragment) {
	contains := func(is func(f fragment) bool) bool { return slices.ContainsFunc(all, is) }
	if !contains(func(f fragment) bool { return f.body }) || !contains(func(f fragment) bool { return !f.usual }) {
		return
	}
	body := newNeighbours(&m.Geometry)
	var cut [6]bool
	grow := func(f *fragment) {
		body.add(f.runs)
		cut = cutFaces(body.runs, g, m.Size)
	}
	var pending []*fragment
	probes := min(mostProbes, max(1, allProbes/len(all)))
	for n := range all {
		switch f := &all[n]; {
		case !f.body:
			pending = append(pending, f)
			continue
		case !f.usual:
			f.Distance, _ = body.place(f.runs, probes, 0)
			fallthrough
		default:
			grow(f)
		}
	}
	join := func(f *fragment) bool { // whether f belongs to the main body
		above, ways := false, 0
		if !f.Small {
			ways = mostWays
		}
		f.Distance, above = body.place(f.runs, probes, ways)
		f.Omitted = f.isApart(above, m) && (f.Small || !touches(f.runs, cut, m.Size))
		return !f.Omitted && !f.Small
	}
	small := slices.IndexFunc(pending, func(f *fragment) bool { return f.Small }) // which are the last
	if small < 0 {
		small = len(pending)
	}
	for large := pending[:small]; ; {
		n := slices.IndexFunc(large, join)
		if n < 0 {
			break
		}
		grow(large[n])
		large = slices.Delete(large, n, n+1)
	}
	for _, f := range pending[small:] {
		join(f)
	}
}

// apart reports whether the piece lies apart from the main body, given whether it lies over it.
func (f *fragment) isApart(above bool, m *Mask) bool {
	spacing := m.Spacing()
	limit := max(isletDistance, isletSlices*slices.Max(spacing[:]))
	if f.Small {
		return f.Distance > limit
	}
	farthest := float64(tornDistance)
	if f.group == meniscal {
		farthest, above = meniscusDistance, false // which is not a sheet
	}
	return above || f.Distance > max(limit, farthest*min(1, f.share/tornPart))
}

// touches reports whether runs lie on one of the faces of the grid.
func touches(runs []run, face [6]bool, size [3]int) bool {
	return slices.ContainsFunc(runs, func(r run) bool {
		return face[0] && r.i == 0 || face[1] && int(r.i+r.n) == size[0] ||
			face[2] && r.j == 0 || face[3] && int(r.j) == size[1]-1 ||
			face[4] && r.k == 0 || face[5] && int(r.k) == size[2]-1
	})
}
