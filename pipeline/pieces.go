package pipeline

import (
	"fmt"
	"slices"
	"strings"

	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/segment/anatomy"
)

// listedPieces is the largest number of pieces of a tissue that a note lists one by one.
const listedPieces = 3

// omittedPieces lists the pieces of the mask that are in no row, "" if there are none. large says that one of them is
// not small.
func omittedPieces(notes []anatomy.Note) (text string, large bool) {
	var parts []string
	for _, t := range anatomy.Tissues() {
		var all []anatomy.Piece
		for _, n := range notes {
			if n.Kind == anatomy.Omitted && n.Tissue == t {
				all = append(all, n.Piece)
			}
		}
		slices.SortStableFunc(all, func(a, b anatomy.Piece) int { return b.Voxels - a.Voxels })
		for n, p := range all {
			large = large || !p.Small
			if n < listedPieces {
				parts = append(parts, fmt.Sprintf("%s %d voxels, %.1f mm away", t, p.Voxels, p.Distance))
			}
		}
		if len(all) > listedPieces {
			voxels := 0
			for _, p := range all[listedPieces:] {
				voxels += p.Voxels
			}
			parts = append(parts, fmt.Sprintf("%s %d voxels in %s", t, voxels, printable.Counted(len(all)-listedPieces,
				"more piece", "more pieces")))
		}
	}
	if parts == nil {
		return "", false
	}
	return fmt.Sprintf("pieces of the mask that lie apart from their tissue are omitted from all rows (%s): "+
		"see the overlay", strings.Join(parts, "; ")), large
}

// recordPieces records the pieces that are in no row. The small pieces of a tissue are one record.
func recordPieces(notes []anatomy.Note) (out []report.OmittedPiece) {
	for _, n := range notes {
		if n.Kind != anatomy.Omitted {
			continue
		}
		p := report.OmittedPiece{Tissue: n.Tissue.String(), Pieces: 1, Voxels: n.Count, DistanceMM: n.Piece.Distance}
		if n.Piece.Small { // which may be thousands
			index := slices.IndexFunc(out, func(o report.OmittedPiece) bool { return o.Small && o.Tissue == p.Tissue })
			if index >= 0 {
				o := &out[index]
				o.Pieces, o.Voxels, o.DistanceMM = o.Pieces+1, o.Voxels+p.Voxels, min(o.DistanceMM, p.DistanceMM)
				continue
			}
			p.Small = true
		}
		out = append(out, p)
	}
	return out
}

// hasNote reports whether the division has a note of that kind.
func (k dividedKnee) hasNote(kind anatomy.NoteKind) bool {
	return slices.ContainsFunc(k.notes, func(n anatomy.Note) bool { return n.Kind == kind })
}

// divisionWarnings warns of rows that lack one of their plates, and of large pieces that are in no row.
func (p placedMask) divisionWarnings() []string {
	var out []string
	rows := p.rowsOfTissue(segment.Medial, segment.Lateral)
	switch noTibia, noFemur := p.hasNote(anatomy.NoTibia), p.hasNote(anatomy.NoFemur); {
	case rows == "" || noTibia && noFemur: // a note in the second case
	case noTibia:
		out = append(out, "the mask has no tibial cartilage: "+rows+" the cartilage of the femur alone")
	case noFemur:
		out = append(out, "the mask has no femoral cartilage behind the trochlea: "+rows+
			" the cartilage of the tibia alone")
	}
	if text, large := omittedPieces(p.notes); large {
		out = append(out, text)
	}
	return out
}

// divisionNotes describes how the mask was divided, where that is unusual.
func (p placedMask) divisionNotes() []string {
	var notes, crumbs, cut []string
	rows := p.rowsOfTissue(segment.Medial, segment.Lateral)
	if rows != "" && p.hasNote(anatomy.NoTibia) && p.hasNote(anatomy.NoFemur) {
		notes = append(notes,
			"the mask has neither tibial cartilage nor femoral cartilage behind the trochlea: "+rows+" empty")
	}
	for _, n := range p.notes {
		switch n.Kind {
		case anatomy.Crumbs:
			crumbs = append(crumbs, fmt.Sprintf("%s (%d of its voxels)", n.Plate, n.Count))
		case anatomy.Torn:
			notes = append(notes, fmt.Sprintf("a separate piece of the %s (%d voxels of the mask, %.1f mm away) "+
				"counts as a part of it", n.Tissue, n.Count, n.Piece.Distance))
		case anatomy.CutTissue:
			cut = append(cut, n.Tissue.String())
		case anatomy.NoRidge:
			notes = append(notes, "the patellar cartilage has no ridge: it is divided at its centroid")
		case anatomy.AxesByFemur, anatomy.AxesByMenisci:
			notes = append(notes, "the axes of the knee were found without the tibial cartilage")
		case anatomy.AxesByPatient:
			notes = append(notes, "the axes of the knee are those of the patient: the mask has too little shape")
		case anatomy.SideOfAnatomyUnknown:
			notes = append(notes, "the labels of the mask do not show which knee it is: a mask that was mirrored from "+
				"left to right would not be detected")
		}
	}
	if len(crumbs) > 0 {
		notes = append(notes, "small separate pieces of the mask are in the rows, but were ignored when borders were "+
			"placed: "+strings.Join(crumbs, ", "))
	}
	if text, large := omittedPieces(p.notes); text != "" && !large {
		notes = append(notes, text)
	}
	if len(cut) > 0 {
		notes = append(notes, "the mask reaches the edge of its grid: "+strings.Join(cut, ", "))
	}
	return notes
}
