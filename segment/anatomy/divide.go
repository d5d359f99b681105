package anatomy

import (
	"math"

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
	At, Along, Back [3]float64
	// Found says that there is a ridge; otherwise At is the centroid of the cartilage.
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
	// Crumbs: pieces under 2 % of their plate, Count voxels, follow the planes.
	Crumbs
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
	// would not be noticed.
	SideOfAnatomyUnknown
)

// Note is a fact about a division that a reader of its numbers should know.
type Note struct {
	Kind   NoteKind
	Tissue Tissue
	Count  int
}

// Divide divides the mask of one knee of the side given; UnknownSide takes that which the
// anatomy shows. It is Examine and Knee.Divide.
func Divide(m Mask, side Side) (Division, error) {
	k, err := Examine(m)
	if err != nil {
		return Division{}, err
	}
	return k.Divide(side)
}

// Divide gives each voxel of cartilage and menisci its region.
//
//   - Femoral cartilage in front of the notch is the trochlea. The condyles behind it are
//     central up to 60 % of the distance from the notch to the posterior end of the longer
//     condyle and posterior beyond (Eckstein et al. 2006, Osteoarthritis and Cartilage
//     14:974–983); both have the same border, as one plane shows in a picture. What lies high on
//     the back of a condyle is posterior. Parts that the mask names are kept; a condyle that it
//     names is divided at the same border.
//   - Each tibial plateau is divided into thirds of its extent from front to back.
//   - The patella is divided at its ridge, or through its centroid.
//   - Menisci in one label are divided at the middle between the plateaus.
//
// A side that the anatomy contradicts is a *SideError. Other errors are *Error: no side where
// medial and lateral follow from it, borders beyond the field of view, and a notch that does
// not lie between the plateaus.
func (k *Knee) Divide(side Side) (Division, error) {
	evidence := k.Side()
	side, err := evidence.Agree(Claim{Source: "given", Side: side})
	if err != nil {
		return Division{}, err
	}
	if side == UnknownSide && k.needsSide() {
		return Division{}, &Error{Problem: NoSide, Tissue: k.firstOf(FemoralCartilage, TibialCartilage, PatellarCartilage, Menisci)}
	}
	d := Division{Geometry: k.mask.Geometry, Data: make([]Region, len(k.mask.Data)), Side: side}
	for _, part := range []func(*Division) error{k.divideFemur, k.divideTibia, k.dividePatella, k.divideMenisci} {
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
	add := func(kind NoteKind, t Tissue, n int) { d.Notes = append(d.Notes, Note{kind, t, n}) }
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
	for g := noGroup + 1; g < groups; g++ {
		if k.crumbs[g] > 0 {
			add(Crumbs, k.representative(g), k.crumbs[g])
		}
		if k.cut[g] != [6]bool{} {
			add(CutTissue, k.representative(g), 0)
		}
	}
	if d.Patella != nil && !d.Patella.Found {
		add(NoRidge, PatellarCartilage, 0)
	}
	if d.Femur != nil || d.Tibia != nil {
		if kind, ok := map[AxesSource]NoteKind{ByFemur: AxesByFemur, ByMenisci: AxesByMenisci, ByPatient: AxesByPatient}[k.axes.By]; ok {
			add(kind, NoTissue, 0)
		}
	}
	if !evidence.Decided() {
		add(SideOfAnatomyUnknown, NoTissue, 0)
	}
}

// weightBearing is the part of the distance from the notch to the posterior end of the
// cartilage that the central part of a condyle takes (Eckstein et al. 2006).
const weightBearing = 0.6

// hair is a length in mm that arithmetic may make and no voxel shows: a border lies
// this much in front of where it is measured, so that voxels on it fall on one side in any
// order of the grid's axes.
const hair = 1e-6

// named is the region of tissues that need no dividing.
var named = [tissues]Region{
	TrochlearCartilage:               Trochlear,
	MedialCentralFemoralCartilage:    MedialFemoralCentral,
	LateralCentralFemoralCartilage:   LateralFemoralCentral,
	MedialPosteriorFemoralCartilage:  MedialFemoralPosterior,
	LateralPosteriorFemoralCartilage: LateralFemoralPosterior,
	MedialMeniscus:                   RegionMedialMeniscus,
	LateralMeniscus:                  RegionLateralMeniscus,
}

// divideFemur gives femoral cartilage its regions.
func (k *Knee) divideFemur(d *Division) error {
	all := k.spots[femoral]
	if len(all) == 0 {
		return nil
	}
	if !k.needsNotch() {
		for n := range all {
			d.Data[all[n].v] = named[all[n].tissue]
		}
		return nil
	}
	if !k.hasNotch {
		return k.divideCondyles(d)
	}
	if err := k.notchInView(); err != nil {
		return err
	}
	f := &k.femur
	b := &FemoralBorders{Axes: f.axes, End: f.posterior() - f.anterior}
	b.Central = weightBearing * b.End
	level := k.levelOfNotch()
	b.Notch = f.axes.place(f.gap(f.anterior), f.anterior, level)
	b.Gap = f.axes.posterior().plus(f.axes.left().times(f.lean)).unit()
	high := k.high(f.anterior)
	toMedial := medialIs(d.Side)
	for n := range all {
		s := &all[n]
		if r := named[s.tissue]; r != NoRegion {
			d.Data[s.v] = r
			continue
		}
		x, p := s.at.dot(f.axes.Left), s.at.dot(f.axes.Posterior)
		behind := p - f.anterior + hair
		lateral := (x-f.gap(p))*toMedial < 0
		if side := sideNamed(s.tissue); side != 0 {
			lateral = side < 0
		} else if behind < 0 {
			d.Data[s.v] = Trochlear
			continue
		}
		at := 0 // patient's left
		if x < f.gap(p) {
			at = 1
		}
		back := behind >= b.Central || behind > weightBearing/2*b.Central && s.at.dot(f.axes.Superior) > high[at]
		d.Data[s.v] = condyle(lateral, back)
	}
	b.High = [2]float64{high[0] - level, high[1] - level}
	if toMedial < 0 {
		b.High[0], b.High[1] = b.High[1], b.High[0]
	}
	d.Femur = b
	return k.notchBetweenPlateaus(d)
}

// condyle returns the region of a part of a condyle.
func condyle(lateral, back bool) Region {
	r := MedialFemoralCentral
	if lateral {
		r = LateralFemoralCentral
	}
	if back {
		r++
	}
	return r
}

// place returns the position with the coordinates given.
func (a Axes) place(x, p, h float64) vector {
	return a.left().times(x).plus(a.posterior().times(p)).plus(a.superior().times(h))
}

// levelOfNotch returns the mean height of the cartilage at the anterior end of the notch.
func (k *Knee) levelOfNotch() float64 {
	f := &k.femur
	sum, n := 0.0, 0
	for v := range k.spots[femoral] {
		if s := &k.spots[femoral][v]; !s.crumb && k.nearNotch(s) {
			sum += s.at.dot(f.axes.Superior)
			n++
		}
	}
	return sum / float64(n)
}

// nearNotch reports whether the spot lies at the anterior end of the notch, within a slice.
func (k *Knee) nearNotch(s *spot) bool {
	const near = 4
	f := &k.femur
	return math.Abs(s.at.dot(f.axes.Left)-f.x) < near && math.Abs(s.at.dot(f.axes.Posterior)-f.anterior) < near
}

// notchInView returns an error where the field of view ends at the notch or at the back of a
// condyle that the border is measured from.
func (k *Knee) notchInView() error {
	f := &k.femur
	reach := 2 * halfStep(&k.mask.Geometry, f.axes.Posterior)
	for n := range k.spots[femoral] {
		s := &k.spots[femoral][n]
		if s.crumb || !k.cutAt(femoral, s.v) {
			continue
		}
		p := s.at.dot(f.axes.Posterior)
		switch {
		case p > min(f.ends[0], f.ends[1])-reach-0.5:
			return &Error{Problem: CutOff, Tissue: s.tissue, Direction: "posterior"}
		case k.nearNotch(s):
			return &Error{Problem: CutOff, Tissue: s.tissue, Direction: "notch"}
		}
	}
	return nil
}

// high returns the heights above which the back of the condyle of the patient's left and
// right counts as posterior: a third of the way from the mean height of its cartilage to the
// top, as published tools have it (pymskt).
func (k *Knee) high(from float64) (high [2]float64) {
	f := &k.femur
	var sum, n [2]float64
	top := [2]float64{math.Inf(-1), math.Inf(-1)}
	for v := range k.spots[femoral] {
		s := &k.spots[femoral][v]
		p := s.at.dot(f.axes.Posterior)
		if s.crumb || p < from {
			continue
		}
		side := 0
		if s.at.dot(f.axes.Left) < f.gap(p) {
			side = 1
		}
		h := s.at.dot(f.axes.Superior)
		sum[side] += h
		n[side]++
		top[side] = max(top[side], h)
	}
	for side := range high {
		mean := sum[side] / n[side]
		high[side] = mean + (top[side]-mean)/3
	}
	return high
}

// divideCondyles divides condyles that the mask names where it has no trochlea and so no
// notch: central are the first 60 % of each condyle's own extent from front to back.
func (k *Knee) divideCondyles(d *Division) error {
	if k.axes.By == ByFemur {
		return &Error{Problem: NoDirection, Tissue: k.representative(femoral)}
	}
	all := k.spots[femoral]
	for _, t := range []Tissue{MedialFemoralCartilage, LateralFemoralCartilage} {
		if k.tally[t].n == 0 {
			continue
		}
		f := k.axes.seen(only(all, func(s *spot) bool { return s.tissue == t }))
		if len(f.x) == 0 {
			return &Error{Problem: TooFew, Tissue: t, Voxels: k.tally[t].n}
		}
		from, to := extent(f.x, f.p, halfStep(&k.mask.Geometry, k.axes.Left))
		if k.endCut(femoral, k.axes, from, to, func(s *spot) bool { return s.tissue == t }) {
			return &Error{Problem: CutOff, Tissue: t, Direction: "posterior"}
		}
		border := from + weightBearing*(to-from) - hair
		for n := range all {
			if s := &all[n]; s.tissue == t {
				d.Data[s.v] = condyle(t == LateralFemoralCartilage, s.at.dot(k.axes.Posterior) >= border)
			}
		}
	}
	for n := range all {
		if r := named[all[n].tissue]; r != NoRegion {
			d.Data[all[n].v] = r
		}
	}
	return nil
}

// only returns the spots for which keep is true.
func only(all []spot, keep func(*spot) bool) []spot {
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
func (k *Knee) endCut(which group, a Axes, from, to float64, of func(*spot) bool) bool {
	reach := 2*halfStep(&k.mask.Geometry, a.Posterior) + 0.5
	for n := range k.spots[which] {
		s := &k.spots[which][n]
		if p := s.at.dot(a.Posterior); !s.crumb && (p < from+reach || p > to-reach) && of(s) && k.cutAt(which, s.v) {
			return true
		}
	}
	return false
}

// divideTibia gives tibial cartilage its regions.
func (k *Knee) divideTibia(d *Division) error {
	all := k.spots[tibial]
	if len(all) == 0 {
		return nil
	}
	a := k.onTibia
	var middle scatter
	for n := range all {
		if !all[n].crumb {
			middle.add(all[n].at)
		}
	}
	b := &TibialBorders{Axes: a, Middle: middle.mean()}
	origin := middle.mean().dot(a.Posterior)
	half := shortfall(&k.mask.Geometry, a.Posterior)
	for plate := range b.Thirds {
		of := func(s *spot) bool { return k.plateau(s, d.Side) == plate }
		f := a.seen(only(all, of))
		b.Thirds[plate] = [4]float64{math.NaN(), math.NaN(), math.NaN(), math.NaN()}
		if len(f.x) == 0 {
			continue
		}
		from, to := extent(f.x, f.p, halfStep(&k.mask.Geometry, a.Left))
		if k.endCut(tibial, a, from, to, of) {
			return &Error{Problem: CutOff, Tissue: k.representative(tibial), Direction: "anterior or posterior"}
		}
		from, to = from-half-origin, to+half-origin
		third := (to - from) / 3
		b.Thirds[plate] = [4]float64{from, from + third, to - third, to}
	}
	for n := range all {
		s := &all[n]
		plate := k.plateau(s, d.Side)
		p := s.at.dot(a.Posterior) - origin + hair
		r := MedialTibialAnterior + 3*Region(plate)
		if p >= b.Thirds[plate][1] {
			r++
		}
		if p >= b.Thirds[plate][2] {
			r++
		}
		d.Data[s.v] = r
	}
	d.Tibia = b
	return nil
}

// plateau returns 0 for a spot of the medial plateau or meniscus, 1 for one of the lateral.
func (k *Knee) plateau(s *spot, side Side) int {
	switch n := sideNamed(s.tissue); {
	case n != 0:
		return (1 - n) / 2
	case k.aside(s)*medialIs(side) > 0:
		return 0
	}
	return 1
}

// aside is positive for a spot on the patient's left of the middle between the plateaus.
func (k *Knee) aside(s *spot) float64 {
	switch {
	case k.tibia.n == 2 && !k.tibia.named:
		return s.at.dot(k.tibia.along) - k.tibia.middle
	case k.hasNotch:
		return s.at.dot(k.femur.axes.Left) - k.femur.gap(s.at.dot(k.femur.axes.Posterior))
	}
	return s.at.dot(k.axes.Left) - k.middle()
}

// divideMenisci gives menisci their regions.
func (k *Knee) divideMenisci(d *Division) error {
	for n := range k.spots[meniscal] {
		s := &k.spots[meniscal][n]
		if math.IsNaN(k.aside(s)) && sideNamed(s.tissue) == 0 {
			return &Error{Problem: NoDirection, Tissue: s.tissue}
		}
		d.Data[s.v] = RegionMedialMeniscus + Region(k.plateau(s, d.Side))
	}
	return nil
}
