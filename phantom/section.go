package phantom

import "math"

// knee is one person's knee.
type knee struct {
	seed          uint64
	size          float64 // factor of all lengths
	cartilage     float64 // thickness over the condyles, mm
	subcutaneous  float64 // thickness of the fat under the skin, mm
	effusion      float64 // thickness of the fluid above the patella, mm
	patellaHeight float64 // of its centre above the joint line, mm
	t2            float64 // added to the T2 of all cartilage, ms
	division      division
}

// section is a sagittal section of a knee. It holds the values that are the same in the whole
// section.
type section struct {
	knee    *knee
	u       float64 // mm to medial, in the units of the knee of size 1
	femur   femur
	tibia   tibia
	patella patella
}

func newSection(k *knee, u float64) section {
	if math.Abs(u) < samePlace {
		u = 0 // medial and lateral do not change places by arithmetic
	}
	u /= k.size
	return section{
		knee: k, u: u, femur: newFemur(u, k.cartilage), tibia: newTibia(u, k.cartilage),
		patella: newPatella(u, k.patellaHeight, k.cartilage),
	}
}

// row is a row of a section. It holds the values that are the same along the row.
type row struct {
	section
	h       float64 // in the units of the knee of size 1
	leg     strip
	muscles []strip
	cords   []cord
	vessels []tube
}

// tube is a vessel in a row.
type tube struct {
	strip
	tissue tissue
}

// row returns the row at h, in mm of the picture.
func (s section) row(h float64) row {
	h /= s.knee.size
	r := row{section: s, h: h, leg: leg(s.u, h)}
	for _, m := range muscles {
		if strip := m.strip(s.u, h); strip.half > 0 {
			r.muscles = append(r.muscles, strip)
		}
	}
	for _, c := range cords {
		if math.Abs(s.u-c.centre) < c.half && c.reaches(h) {
			r.cords = append(r.cords, c)
		}
	}
	for _, v := range vessels {
		if square(s.u-v.u) < square(v.radius) {
			half := math.Sqrt(square(v.radius) - square(s.u-v.u))
			r.vessels = append(r.vessels, tube{strip{v.path.value(h), half}, v.tissue})
		}
	}
	return r
}

// voxel is the anatomy at one place.
type voxel struct {
	tissue tissue
	part   uint8   // of Tissues
	region uint8   // of Regions
	label  uint8   // of the scheme `compartments`, 0 outside cartilage
	depth  float64 // in cartilage, from 0 at the bone to 1 at the joint; NaN elsewhere
	s0, t2 float64 // t2 is NaN in air
}

// distances are those of a place from the surfaces that determine its tissue, in mm.
type distances struct {
	femur, tibia, fibula, patella float64
	inNotch                       bool
	onFemur, femurAngle           float64 // thickness of the cartilage there, angle in degrees
	aboveTibia, onTibia           float64 // height above the plateau, thickness of its cartilage
	onPatella                     float64
}

// voxel returns the anatomy at p, in mm of the picture.
func (r *row) voxel(p float64) voxel {
	q := point{p / r.knee.size, r.h}
	depth := r.leg.inside(q.p)
	if depth < 0 {
		return voxel{tissue: air, depth: math.NaN(), t2: math.NaN()}
	}
	if depth < 1.6 {
		return r.plain(skin, q)
	}
	d := r.distances(q)
	if part, ok := r.boneAt(&d); ok {
		v := r.plain(r.bone(q, &d), q)
		v.part = part
		return v
	}
	if v, ok := r.cartilage(q, &d); ok {
		return v
	}
	v := r.plain(r.soft(q, &d, depth), q)
	if v.tissue == meniscus {
		v.part, v.region = r.meniscusAt()
	}
	return v
}

// structure is like row.voxel, without T2, S0 and structures that no mask marks.
func (s *section) structure(q point) voxel {
	v := voxel{depth: math.NaN()}
	d := s.distances(q)
	if part, ok := s.boneAt(&d); ok {
		v.part = part
		return v
	}
	if tissue, depth := s.plate(&d); tissue != 0 {
		s.mark(&v, tissue, q, depth)
		return v
	}
	if t, ok := s.joint(q, &d); ok && t == meniscus && !s.inCord(q) {
		v.part, v.region = s.meniscusAt()
	}
	return v
}

// mark sets the cartilage of the voxel.
func (s *section) mark(v *voxel, tissue uint8, q point, depth float64) {
	v.part, v.depth = tissue, depth
	v.region = s.knee.division.region(tissue, s.u, q.p)
	v.label = compartmentOf(v.region)
}

// meniscusAt returns tissue and region of the meniscus of the section's side.
func (s *section) meniscusAt() (part, region uint8) {
	if s.u < 0 {
		return LateralMeniscus, RegionLateralMeniscus
	}
	return MedialMeniscus, RegionMedialMeniscus
}

// inCord reports whether a ligament or tendon runs through q.
func (s *section) inCord(q point) bool {
	for i := range cords {
		if cords[i].inside(s.u, q) {
			return true
		}
	}
	return false
}

// distances measures only near surfaces: cartilage and joint end well within 12 mm of the bone.
func (s *section) distances(q point) distances {
	d := distances{patella: math.Inf(1), fibula: math.Inf(1)}
	d.femur, d.inNotch = s.femur.bone(q)
	if d.femur > 0 && d.femur < 12 && !d.inNotch {
		d.onFemur, d.femurAngle = s.femur.cover(q)
	}
	plateau := s.tibia.plateau(q.p)
	d.tibia, d.aboveTibia = s.tibia.bone(q, plateau), q.h-plateau
	if d.aboveTibia > 0 && d.aboveTibia < 12 {
		d.onTibia = s.tibia.cover(q.p)
	}
	if q.p < -25 {
		d.patella, d.onPatella = s.patella.bone(q), s.patella.cover(q)
	}
	if math.Abs(s.u+33) < 12 && q.h < 0 {
		d.fibula = fibula(s.u, q)
	}
	return d
}

// boneAt returns the bone at a place, if there is one.
func (s *section) boneAt(d *distances) (part uint8, ok bool) {
	nearest := min(d.femur, d.tibia, d.patella, d.fibula)
	switch {
	case nearest > 0:
		return 0, false
	case nearest == d.femur:
		return FemurBone, true
	case nearest == d.tibia:
		return TibiaBone, true
	case nearest == d.patella:
		return PatellaBone, true
	}
	return FibulaBone, true
}

// bone returns the part of a bone at q, which lies in a bone.
func (s *section) bone(q point, d *distances) tissue {
	// Compact bone is thin at the joint and thick in the shafts.
	shell := 0.9 + 1.6*step(math.Abs(q.h-2), 38, 70)*step(math.Abs(s.u), 18, 8)
	if min(d.femur, d.tibia, d.patella, d.fibula) > -shell {
		return cortex
	}
	wave := 2 * texture(s.knee.seed+9, s.u/12, q.p/9, 0)
	if d.femur < 0 && math.Abs(q.h-30-wave-0.004*square(q.p)) < 0.5 || d.tibia < 0 && math.Abs(q.h+17-wave/2) < 0.45 {
		return scar
	}
	return marrow
}

// plate returns the cartilage at a place outside bone, 0 if there is none, and its relative depth:
// the distance from the bone over the local thickness.
func (s *section) plate(d *distances) (tissue uint8, depth float64) {
	femoral, tibial, patellar := d.femur/d.onFemur, d.aboveTibia/d.onTibia, d.patella/d.onPatella
	if d.onTibia == 0 || d.aboveTibia < 0 || d.tibia > d.onTibia+1 {
		tibial = math.Inf(1)
	}
	// Where two cartilages touch, the voxel belongs to the deeper one.
	switch {
	case d.onPatella > 0 && patellar < 1 && !(d.onFemur > 0 && femoral < 1):
		return PatellarCartilage, patellar
	case d.onFemur > 0 && femoral < 1 && femoral < tibial:
		return FemoralCartilage, femoral
	case tibial < 1 && s.u < 0:
		return LateralTibialCartilage, tibial
	case tibial < 1:
		return MedialTibialCartilage, tibial
	}
	return 0, math.NaN()
}

// layered holds the T2 of cartilage at the bone and how far it rises to the surface, by
// 11 to 13 ms (patella 31.9 → 42.2 ms, PMC2675164), ms. It is highest at the femur, lowest
// at the tibia.
var layered = [...]struct{ deep, rise float64 }{
	FemoralCartilage: {31, 13}, MedialTibialCartilage: {26, 11}, LateralTibialCartilage: {26, 11},
	PatellarCartilage: {29, 13},
}

// cartilage returns the cartilage at q, if there is any.
func (s *section) cartilage(q point, d *distances) (voxel, bool) {
	tissue, depth := s.plate(d)
	if tissue == 0 {
		return voxel{}, false
	}
	v := s.plain(cartilage, q)
	s.mark(&v, tissue, q, depth)
	// The person and the place add to it.
	v.t2 = layered[tissue].deep + layered[tissue].rise*depth + s.knee.t2 + 1.2*texture(s.knee.seed+1, s.u/7, q.p/6, q.h/6)
	return v, true
}

// plain is a voxel of a tissue whose T2 is the same everywhere. The signal of
// fat and marrow is coarse, that of muscle drawn out along the leg.
func (s *section) plain(t tissue, q point) voxel {
	p := properties[t]
	grain := 0.0
	switch t {
	case muscle, tendon, ligament:
		grain = texture(s.knee.seed+2, s.u/4, (q.p-0.25*q.h)/1.8, q.h/14)
	default:
		grain = 0.5*texture(s.knee.seed+3, s.u/6, q.p/7, q.h/7) + 0.5*texture(s.knee.seed+4, s.u/2, q.p/1.7, q.h/1.7)
	}
	return voxel{tissue: t, depth: math.NaN(), s0: p.s0 * (1 + p.grain*grain) * s.coil(q), t2: p.t2}
}

// coil is the sensitivity of a knee coil: a little more near its wall, and
// falling off towards both ends.
func (s *section) coil(q point) float64 {
	return (0.94 + 0.12*square(q.p/60)) * (1 - 0.22*square((q.h-4)/70))
}

// soft returns the tissue at q that is neither bone nor cartilage.
func (r *row) soft(q point, d *distances, depth float64) tissue {
	for i := range r.cords {
		if r.cords[i].inside(r.u, q) {
			return r.cords[i].tissue
		}
	}
	if t, ok := r.joint(q, d); ok {
		return t
	}
	layer := r.knee.subcutaneous * (1 + 0.25*texture(r.knee.seed+5, r.u/20, q.p/25, q.h/25))
	if q.p < -30 { // thin over the patella and the shin
		layer *= 0.35 + 0.65*step(math.Abs(q.h-12), 26, 52)
	}
	if depth < layer {
		return subcutaneous
	}
	if depth < layer+1.2 {
		return fascia
	}
	for _, v := range r.vessels {
		if v.inside(q.p) > 0 {
			return v.tissue
		}
	}
	return r.flesh(q)
}

// flesh is muscle, the fat and fascia between muscles, or deep fat.
func (r *row) flesh(q point) tissue {
	for _, m := range r.muscles { // where two overlap, the first has the place
		in := m.inside(q.p)
		switch {
		case in <= 0:
			continue
		case in < 0.6:
			return fascia
		case texture(r.knee.seed+7, r.u/6, (q.p-0.25*q.h)/2.5, q.h/30) > 0.66:
			return fat // a strand between the bundles
		}
		return muscle
	}
	return fat
}

// joint returns the tissue between the bones other than cartilage, if q lies there.
func (s *section) joint(q point, d *distances) (tissue, bool) {
	au := math.Abs(s.u)
	inGap := s.femur.present && d.aboveTibia > d.onTibia && d.aboveTibia < 9 && d.femur > d.onFemur && q.p > -26 &&
		q.p < 27
	if inGap && d.aboveTibia-d.onTibia < meniscusHeight(s.u, q.p) {
		return meniscus, true
	}
	if inGap && au > 7 && d.femur < d.onFemur+1.3 && square((q.p-1)/24)+square((au-19)/18.5) < 1 {
		return fluid, true
	}
	if d.onFemur > 0 && d.femur < d.onFemur+1 && d.onPatella > 0 && d.patella < d.onPatella+2 {
		return fluid, true
	}
	// The recess above the patella, behind the tendon.
	if width := 1 - square((s.u+1)/22); width > 0 && q.p < -28 && q.h > 45 {
		recess := band(q, s.knee.effusion*math.Sqrt(width)/2, point{-37, 50}, point{-38.5, 56}, point{-35, 68},
			point{-33, 74})
		if recess < 0 {
			return fluid, true
		}
	}
	// The back of the condyles, and the notch.
	if d.onFemur > 0 && d.femur < d.onFemur+0.9 && d.femurAngle > 25 {
		return fluid, true
	}
	if au < 9 && d.aboveTibia > 0 && ellipse(q, point{6, 9}, point{18, 15}) < 0 {
		return synovium, true
	}
	return 0, false
}
