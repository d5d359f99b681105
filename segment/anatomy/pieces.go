package anatomy

import (
	"cmp"
	"context"
	"slices"
)

// Piece is a connected part of a tissue (26 neighbours) other than its main body. The main body is the
// largest piece, with the second plate if the label covers two plates. A piece of at least a quarter of
// the size of the largest always belongs to its tissue, for example a condyle that the field of view
// separates. A smaller piece belongs to it if it lies near the main body and beside its sheet of
// cartilage, for example behind a full-thickness defect. A piece that lies far from the main body, or
// above the sheet, is omitted.
type Piece struct {
	// Tissue is the tissue of most of its voxels.
	Tissue Tissue
	Voxels int
	// Distance is the distance from the main body in mm, between the surfaces of voxels.
	Distance float64
	// Small reports that it has less than 2 % of the voxels of its plates. Small pieces are not used
	// to find borders.
	Small bool
	// Omitted reports that it is too far from the main body, or above it, and has no region.
	Omitted bool
}

const (
	// leastShare is the share of its group's voxels below which a piece is not used to find borders. The
	// smallest anatomical piece is half of a plate that a lesion separates. Segmentation noise is much
	// smaller.
	leastShare = 0.02
	// bodyPart is the least size of a piece of the main body, as a share of the largest piece. The
	// cartilage of one plateau or condyle has at least a third of both, unless it is worn; a posterior
	// condyle behind a full-thickness defect has 10 to 20 %.
	bodyPart = 0.25
	// isletDistance is the largest distance in mm of a small piece that belongs to its tissue. Where the
	// cartilage is thinner than a voxel, islets lie one to three voxels from the rest. On thick slices,
	// isletSlices slices may be missed.
	isletDistance = 3
	isletSlices   = 1.5
	// tornDistance is the same for pieces of at least tornPart of their group. A full-thickness defect
	// across a condyle is up to 20 mm long, about as long as the weight-bearing part, and the posterior
	// part behind it has a tenth of the femoral cartilage or more. For smaller pieces the distance is
	// proportionally less: the smaller and the more distant a piece is, the less likely it is cartilage,
	// and the less is lost.
	tornDistance = 20
	tornPart     = 0.1
	// meniscusDistance is tornDistance for menisci: if the body of a meniscus is missing, its horns lie up
	// to 30 mm apart.
	meniscusDistance = 30
	// sheetPatch is the radius in mm of the part of a plate that determines its normal. On a condyle with
	// a radius of 20 mm this part is flat to 1.6 mm. Half of it, at a rim, is still wider than cartilage
	// is thick.
	sheetPatch = 8
	// steep is the sine of the angle to the sheet of cartilage above which a piece lies above the sheet:
	// 45°. A piece behind a defect lies beside the sheet.
	steep = 0.7
	// overPart is the share of its voxels that must lie above the sheet for the piece to count as above
	// it. When defects of 5 to 25 mm were cut into a femur, the share was at most 0.1.
	overPart = 0.5
	// mostProbes is the largest number of voxels of a piece for which the nearest voxel of the main body
	// is searched, and allProbes that for all pieces. mostWays is the largest number for which the normal
	// of its sheet is computed.
	mostProbes, mostWays, allProbes = 2000, 64, 20000
)

// fragment is a connected piece of a group.
type fragment struct {
	Piece
	group group
	first int32 // its first run
	runs  []run
	share float64 // its share of the voxels of its group
	body  bool    // whether it is part of the main body
	usual bool    // whether it is one of the expected plates, which are not listed
}

// classifyPieces finds the pieces of the runs, marks the small ones, and omits those that are too far
// away.
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

// omit removes the runs for which drop is true from the survey and the mask.
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

// findBody marks the pieces of a group that are part of its main body, and the small ones.
func findBody(all []fragment) {
	total := 0
	for n := range all {
		total += all[n].Voxels
	}
	var pieces [tissueCount]int // the number of larger pieces by label
	for n := range all {
		f := &all[n]
		f.share = float64(f.Voxels) / float64(total)
		f.Small = f.share < leastShare
		f.body = !f.Small && (float64(f.Voxels) >= bodyPart*float64(all[0].Voxels) || pieces[f.Tissue] == 0)
		f.usual = f.body && (pieces[f.Tissue] == 0 || pieces[f.Tissue] == 1 && hasTwoPlates(f.Tissue))
		pieces[f.Tissue]++
	}
}

// hasTwoPlates reports whether the label covers two plates.
func hasTwoPlates(t Tissue) bool { return t == TibialCartilage || t == Menisci }

// place measures the distances of the pieces from the main body of their group, and decides which are
// omitted. A piece that belongs to the main body is added to it before the next one is measured.
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
	join := func(f *fragment) bool { // reports whether f belongs to the main body
		above, ways := false, 0
		if !f.Small {
			ways = mostWays
		}
		f.Distance, above = body.place(f.runs, probes, ways)
		f.Omitted = f.isApart(above, m) && (f.Small || !touches(f.runs, cut, m.Size))
		return !f.Omitted && !f.Small
	}
	small := slices.IndexFunc(pending, func(f *fragment) bool { return f.Small }) // small pieces come last
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

// isApart reports whether the piece is too far from the main body. above reports whether it lies above the
// sheet.
func (f *fragment) isApart(above bool, m *Mask) bool {
	spacing := m.Spacing()
	limit := max(isletDistance, isletSlices*slices.Max(spacing[:]))
	if f.Small {
		return f.Distance > limit
	}
	farthest := float64(tornDistance)
	if f.group == meniscal {
		farthest, above = meniscusDistance, false // a meniscus is not a sheet
	}
	return above || f.Distance > max(limit, farthest*min(1, f.share/tornPart))
}

// touches reports whether runs touch one of the selected faces of the grid.
func touches(runs []run, face [6]bool, size [3]int) bool {
	return slices.ContainsFunc(runs, func(r run) bool {
		return face[0] && r.i == 0 || face[1] && int(r.i+r.n) == size[0] ||
			face[2] && r.j == 0 || face[3] && int(r.j) == size[1]-1 ||
			face[4] && r.k == 0 || face[5] && int(r.k) == size[2]-1
	})
}
