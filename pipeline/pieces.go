package pipeline

import (
	"fmt"
	"slices"
	"strings"

	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment/anatomy"
)

// listedPieces bounds the pieces of a tissue that a note names one by one.
const listedPieces = 3

// omittedPieces says which pieces of the mask are in no row, "" where there are none. large says
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
