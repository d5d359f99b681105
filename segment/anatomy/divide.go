package anatomy

import (
	"context"

	"github.com/t2map/t2map/volume"
)

// Division is a knee divided into regions on the grid of its mask, with the borders.
type Division struct {
	volume.Geometry
	Data []Region
	Side Side
	// Femur is nil if there is no femoral cartilage, or if the labels of the mask already divide it.
	// The same applies to Tibia and Patella.
	Femur   *FemoralBorders
	Tibia   *TibialBorders
	Patella *PatellarRidge
	// Notes are facts that a reader of the results should know.
	Notes []Note
}

// FemoralBorders are the planes that divide femoral cartilage. They are perpendicular to
// Axes.Posterior, except the plane between the condyles.
type FemoralBorders struct {
	Axes Axes
	// Notch is the anterior end of the intercondylar notch, mm LPS, at the height of the
	// cartilage there. The cartilage in front of it is the trochlea.
	Notch [3]float64
	// Gap is the unit vector along the midline of the notch, from Notch posteriorly. The plane of Gap
	// and Axes.Superior separates the condyles.
	Gap [3]float64
	// Central is the distance from Notch, in mm along Axes.Posterior, to the border between the
	// central and the posterior part, and End the distance to the posterior end of the cartilage.
	Central, End float64
	// High is the height above Notch, in mm along Axes.Superior, above which the cartilage on the
	// back of the medial and of the lateral condyle is posterior in any case.
	High [2]float64
}

// TibialBorders are the planes between the thirds of the plateaus.
type TibialBorders struct {
	Axes Axes
	// Middle is the centroid of both plateaus, mm LPS.
	Middle [3]float64
	// Thirds holds, for the medial and the lateral plateau, the anterior end, the two borders and the
	// posterior end as distances from Middle in mm along Axes.Posterior. It is NaN for a plateau that
	// does not exist.
	Thirds [2][4]float64
}

// PatellarRidge is the border between the facets of the patella: the plane through Point, mm LPS, that
// is spanned by the unit vectors Direction, along the ridge, and Posterior.
type PatellarRidge struct {
	Point, Direction, Posterior [3]float64
	// Found reports that there is a ridge; otherwise Point is the centroid of the cartilage.
	Found bool
}

// NoteKind is a kind of Note.
type NoteKind uint8

// The kinds of notes.
const (
	_ NoteKind = iota
	// TrochleaAlone: the mask has no patella; the patellofemoral compartment is the trochlea.
	TrochleaAlone
	// PatellaAlone: the mask has no trochlea.
	PatellaAlone
	// NoTibia, NoFemur: the medial and lateral compartments lack this cartilage.
	NoTibia
	NoFemur
	// Crumbs: a plate has small pieces, Count voxels in total. They were divided, but not used to find
	// the borders.
	Crumbs
	// Torn: a larger piece that belongs to its tissue is separate from the main body.
	Torn
	// Omitted: a piece is too far from its tissue, or above it, and has no region.
	Omitted
	// CutTissue: the field of view ends within the tissue, but not where a border is measured.
	CutTissue
	// NoRidge: the patella is divided at the centroid of its cartilage.
	NoRidge
	// AxesByFemur, AxesByMenisci, AxesByPatient: the axes were found from these, not from the tibial
	// plateau.
	AxesByFemur
	AxesByMenisci
	AxesByPatient
	// SideOfAnatomyUnknown: the mask does not show the side of the knee. A mirrored mask would not be
	// detected.
	SideOfAnatomyUnknown
)

// Note is a fact about a division that a reader of the results should know.
type Note struct {
	Kind   NoteKind
	Tissue Tissue
	Count  int
	// Plate is set for Crumbs.
	Plate Plate
	// Piece is set for Torn and Omitted.
	Piece Piece
}

// Divide divides the mask of one knee in one call: Examine, then Knee.Divide. If side is UnknownSide, the
// side is found from the anatomy. Use Examine itself to see the evidence before the division.
func Divide(ctx context.Context, m Mask, side Side) (Division, error) {
	k, err := Examine(ctx, m)
	if err != nil {
		return Division{}, err
	}
	return k.Divide(ctx, side)
}

// Divide assigns a region to each voxel of cartilage and menisci.
//
//   - Femoral cartilage anterior to the notch is the trochlea. Posterior to it, the condyles are
//     central up to 60 % of the distance from the notch to the posterior end of the longer condyle,
//     and posterior after that. Both condyles have the same border, one plane. Cartilage high on the
//     back of a condyle is also posterior. Parts that the mask names are kept; condyles that it names
//     are divided at the same border.
//   - Each tibial plateau is divided into thirds of its length from front to back.
//   - The patella is divided at its ridge, or through the centroid of its cartilage.
//   - Menisci with one label are divided at the middle between the plateaus.
//
// A side that the anatomy contradicts is a *SideError. Other errors are *Error: an unknown side if the
// mask does not name medial and lateral, borders outside the field of view, and a notch that does not lie
// between the plateaus. If ctx ends, its error is returned.
func (k *Knee) Divide(ctx context.Context, side Side) (Division, error) {
	evidence := k.Side()
	side, err := evidence.Agree(Claim{Source: "given", Side: side})
	if err != nil {
		return Division{}, err
	}
	if side == UnknownSide && k.needsSide() {
		return Division{}, &Error{
			Problem: NoSide, Tissue: k.firstOf(FemoralCartilage, TibialCartilage, PatellarCartilage, Menisci),
		}
	}
	d := Division{Geometry: k.mask.Geometry, Data: make([]Region, len(k.mask.Data)), Side: side}
	for _, divide := range []func(*Division) error{k.divideFemur, k.divideTibia, k.dividePatella, k.divideMenisci} {
		if err := ctx.Err(); err != nil {
			return Division{}, err
		}
		if err := divide(&d); err != nil {
			return Division{}, err
		}
	}
	k.note(&d, evidence)
	return d, nil
}

// needsSide reports whether the mask has a tissue that must be divided into medial and lateral.
func (k *Knee) needsSide() bool {
	return k.firstOf(FemoralCartilage, TibialCartilage, PatellarCartilage, Menisci) != NoTissue
}

// medialIs returns 1 if medial is to the patient's left, as in a right knee, and −1 otherwise.
func medialIs(side Side) float64 {
	if side == Left {
		return -1
	}
	return 1
}

// note adds the notes to d.
func (k *Knee) note(d *Division, evidence Evidence) {
	add := func(kind NoteKind, t Tissue, n int) { d.Notes = append(d.Notes, Note{Kind: kind, Tissue: t, Count: n}) }
	trochlea := k.firstOf(FemoralCartilage, TrochlearCartilage) != NoTissue
	switch patella := len(k.spots[patellar]) > 0; {
	case trochlea && !patella:
		add(TrochleaAlone, NoTissue, 0)
	case patella && !trochlea:
		add(PatellaAlone, NoTissue, 0)
	}
	if len(k.spots[tibial]) == 0 {
		add(NoTibia, NoTissue, 0)
	}
	if len(k.spots[femoral]) == 0 {
		add(NoFemur, NoTissue, 0)
	}
	for g := noGroup + 1; g < groupCount; g++ {
		if k.cut[g] != [6]bool{} {
			add(CutTissue, k.representative(g), 0)
		}
	}
	if d.Patella != nil && !d.Patella.Found {
		add(NoRidge, PatellarCartilage, 0)
	}
	if d.Femur != nil || d.Tibia != nil {
		notes := map[AxesSource]NoteKind{ByFemur: AxesByFemur, ByMenisci: AxesByMenisci, ByPatient: AxesByPatient}
		if kind, ok := notes[k.axes.Source]; ok {
			add(kind, NoTissue, 0)
		}
	}
	k.notePieces(d)
	if !evidence.Decided() {
		add(SideOfAnatomyUnknown, NoTissue, 0)
	}
}

// notePieces adds the notes about pieces that are not part of the main body of their tissue.
func (k *Knee) notePieces(d *Division) {
	crumbs := map[Plate]int{}
	for g := range k.spots {
		for n := range k.spots[g] {
			if s := &k.spots[g][n]; s.small {
				crumbs[d.Data[s.v].Plate()]++
			}
		}
	}
	for _, p := range Plates() {
		if n := crumbs[p]; n > 0 {
			d.Notes = append(d.Notes, Note{Kind: Crumbs, Plate: p, Count: n})
		}
	}
	for _, p := range k.pieces {
		switch {
		case p.Omitted:
			d.Notes = append(d.Notes, Note{Kind: Omitted, Tissue: p.Tissue, Count: p.Voxels, Piece: p})
		case !p.Small:
			d.Notes = append(d.Notes, Note{Kind: Torn, Tissue: p.Tissue, Count: p.Voxels, Piece: p})
		}
	}
}

// hair is a length in mm that is larger than rounding errors and smaller than any voxel. Borders are moved
// forward by it, so that voxels on a border fall on the same side in any order of the grid's axes.
const hair = 1e-6

// filter returns the spots for which keep is true.
func filter(all []spot, keep func(*spot) bool) []spot {
	var out []spot
	for n := range all {
		if keep(&all[n]) {
			out = append(out, all[n])
		}
	}
	return out
}

// endCut reports whether the field of view cuts the group at its anterior or posterior end: one of its
// spots for which keep is true lies near front or back and on a face that cuts the group.
func (k *Knee) endCut(g group, a Axes, front, back float64, keep func(*spot) bool) bool {
	reach := 2*halfStep(&k.mask.Geometry, a.Posterior) + 0.5
	for n := range k.spots[g] {
		s := &k.spots[g][n]
		if p := s.centre.Dot(a.Posterior); !s.small && (p < front+reach || p > back-reach) && keep(s) &&
			k.cutAt(g, s.v) {
			return true
		}
	}
	return false
}
