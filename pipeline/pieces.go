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

// listedPieces bounds the pieces of a tissue that a note names one by one.
const listedPieces = 3

// omittedPieces says which pieces of the mask are in no row, "" if there are none. large says
// that one of them is not small.
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
	return "pieces of the mask that lie apart from their tissue are omitted from all rows (" + strings.Join(parts,
		"; ") + "): see the overlay", large
}

// recordPieces is what results say of the pieces that are in no row.
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

// notesOf writes the facts about a division that a reader of its values should know.
func (k placedMask) notesOf() (notes, warnings []string) {
	var crumbs, cut []string
	rows := k.rowsOfTissue(segment.Medial, segment.Lateral)
	has := func(kind anatomy.NoteKind) bool {
		return slices.ContainsFunc(k.notes, func(n anatomy.Note) bool { return n.Kind == kind })
	}
	switch noTibia, noFemur := has(anatomy.NoTibia), has(anatomy.NoFemur); {
	case rows == "": // the mask marks medial and lateral themselves
	case noTibia && noFemur:
		notes = append(notes,
			"the mask has neither tibial cartilage nor femoral cartilage behind the trochlea: "+rows+" empty")
	case noTibia:
		warnings = append(warnings, "the mask has no tibial cartilage: "+rows+" the cartilage of the femur alone")
	case noFemur:
		warnings = append(warnings,
			"the mask has no femoral cartilage behind the trochlea: "+rows+" the cartilage of the tibia alone")
	}
	for _, n := range k.notes {
		switch n.Kind {
		case anatomy.Crumbs:
			crumbs = append(crumbs, fmt.Sprintf("%s (%d of its voxels)", n.Plate, n.Count))
		case anatomy.Torn:
			notes = append(notes, fmt.Sprintf("a separate piece of the %s (%d voxels of the mask, %.1f mm away) was "+
				"taken as a part of it", n.Tissue, n.Count, n.Piece.Distance))
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
	if text, large := omittedPieces(k.notes); large {
		warnings = append(warnings, text)
	} else if text != "" {
		notes = append(notes, text)
	}
	if len(cut) > 0 {
		notes = append(notes, "the mask reaches the edge of its grid: "+strings.Join(cut, ", "))
	}
	return notes, warnings
}
