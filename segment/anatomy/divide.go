package anatomy

import (
	"context"

	"github.com/t2map/t2map/volume"
)

// Division is a knee divided into regions, on the mask's grid, and where the borders lie.
type Division struct {
	volume.Geometry
	Data []Region
	Side Side
	// Femur is nil where the mask's own labels divide the femoral cartilage, or where there is
	// none to divide. Tibia and Patella likewise.
	Femur   *FemoralBorders
	Tibia   *TibialBorders
	Patella *PatellarRidge
	// Notes are what a reader of the numbers should know.
	Notes []Note
}

// FemoralBorders are the planes that divide femoral cartilage. Each is across
// Axes.Posterior, but for that between the condyles.
type FemoralBorders struct {
	Axes Axes
	// Notch is the anterior end of the intercondylar notch, mm LPS, at the height of the
	// cartilage there. What lies before it is trochlea.
	Notch [3]float64
	// Gap is the unit vector along the middle of the notch, from Notch to the back: medial and
	// lateral condyle part at the plane of Gap and Axes.Superior.
	Gap [3]float64
	// Central and End are the distances, in mm behind Notch, of the border between the central
	// and the posterior part, and of the posterior end of the cartilage.
	Central, End float64
	// High is how far above Notch, in mm along Axes.Superior, cartilage on the back of the
	// medial and the lateral condyle counts as posterior wherever it lies.
	High [2]float64
}

// TibialBorders are the planes between the thirds of the plateaus.
type TibialBorders struct {
	Axes Axes
	// Middle is the middle between the plateaus, mm LPS.
	Middle [3]float64
	// Thirds are distances behind Middle in mm: the ends of the medial and the lateral
	// plateau and the two borders between, from front to back; NaN where there is no plateau.
	Thirds [2][4]float64
}

// PatellarRidge is where the facets of the patella meet: on the plane through At that holds
// Along and Back.
type PatellarRidge struct {
	Point, Direction, Posterior [3]float64
	// Found reports that there is a ridge; otherwise At is the centroid of the cartilage.
	Found bool
}

// NoteKind is a kind of Note.
type NoteKind uint8

// The kinds of notes.
const (
	_ NoteKind = iota
	// TrochleaAlone: the mask has no patella, so that patellofemoral is the trochlea alone.
	TrochleaAlone
	// PatellaAlone: it has no trochlea.
	PatellaAlone
	// NoTibia and NoFemur: medial and lateral lack the plate.
	NoTibia
	NoFemur
	// Crumbs: small pieces of a plate, Count voxels, follow the planes and decided none.
	Crumbs
	// Torn: a larger piece that belongs to its tissue lies apart from the main body.
	Torn
	// Omitted: a piece lies so far from its tissue, or so beside it, that it has no region.
	Omitted
	// CutTissue: the field of view ends within the tissue, beside the borders.
	CutTissue
	// NoRidge: the patella is divided at its centroid.
	NoRidge
	// AxesByFemur, AxesByMenisci, AxesByPatient: what the axes were found from, where it is
	// not the tibial plateau.
	AxesByFemur
	AxesByMenisci
	AxesByPatient
	// SideOfAnatomyUnknown: nothing in the mask shows the side, so that a mask that was mirrored
	// would not be detected.
	SideOfAnatomyUnknown
)

// Note is a fact about a division that a reader of its numbers should know.
type Note struct {
	Kind   NoteKind
	Tissue Tissue
	Count  int
	// Plate is that of Crumbs.
	Plate Plate
	// Piece is that of Torn and Omitted.
	Piece Piece
}

// Divide divides the mask of one knee of the side given; UnknownSide takes that which the
// anatomy shows. It is Examine and Knee.Divide.
func Divide(ctx context.Context, m Mask, side Side) (Division, error) {
	k, err := Examine(ctx, m)
	if err != nil {
		return Division{}, err
	}
	return k.Divide(ctx, side)
}

// Divide gives each voxel of cartilage and menisci its region.
//
//   - Femoral cartilage in front of the notch is the trochlea. The condyles behind it are
//     central up to 60 % of the distance from the notch to the posterior end of the longer
//     condyle and posterior beyond; both have the same border, as one plane shows in a picture.
//     What lies high on the back of a condyle is posterior. Parts that the mask names are kept; a
//     condyle that it names is divided at the same border.
//   - Each tibial plateau is divided into thirds of its extent from front to back.
//   - The patella is divided at its ridge, or through its centroid.
//   - Menisci in one label are divided at the middle between the plateaus.
//
// A side that the anatomy contradicts is a *SideError. Other errors are *Error: no side where
// medial and lateral follow from it, borders beyond the field of view, and a notch that does
// not lie between the plateaus. When ctx ends, so does Divide, with its error.
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
	for _, part := range []func(*Division) error{k.divideFemur, k.divideTibia, k.dividePatella, k.divideMenisci} {
		if err := ctx.Err(); err != nil {
			return Division{}, err
		}
		if err := part(&d); err != nil {
			return Division{}, err
		}
	}
	k.note(&d, evidence)
	return d, nil
}

// needsSide reports whether a tissue is divided into medial and lateral.
func (k *Knee) needsSide() bool {
	return k.firstOf(FemoralCartilage, TibialCartilage, PatellarCartilage, Menisci) != NoTissue
}

// medialIs returns 1 where medial is to the patient's left, as in a right knee, else −1.
func medialIs(side Side) float64 {
	if side == Left {
		return -1
	}
	return 1
}

// note collects the notes.
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

// notePieces collects the notes of the pieces that are not of the main body of their tissue.
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

// hair is a length in mm that arithmetic may make and no voxel shows: a border lies
// this much in front of where it is measured, so that voxels on it fall on one side in any
// order of the grid's axes.
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

// endCut reports whether one of the spots for which of is true lies at an end along Posterior
// and on a face where the field of view cuts its group.
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
