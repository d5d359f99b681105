package phantom

import "math"

// division holds the borders between the regions of the plates of cartilage, in mm of the knee of
// size 1. The definitions are those of Eckstein et al. 2006 (Osteoarthritis and Cartilage
// 14:974–983) as published tools apply them:
//
//   - the trochlea is the femoral cartilage in front of the coronal plane through the
//     anterior end of the intercondylar notch. That end is the posterior end of the
//     cartilage, projected along the long axis, at the place near the middle where it lies
//     furthest forward;
//   - behind it lie the condyles, medial and lateral of that place: central up to 60 % of the
//     distance from the notch to the most posterior cartilage of either condyle, and posterior
//     after that. Cartilage high on the back of a condyle counts as posterior; in this knee all of
//     it lies behind the border at 60 %;
//   - each tibial plateau has thirds of its own extent from front to back;
//   - the facets of the patella meet at its ridge.
//
// Coronal planes are those of the knee's own axes: p is constant.
type division struct {
	notch     float64       // p of its anterior end
	notchU    float64       // u of the same place
	condyles  float64       // p of the border between central and posterior
	posterior float64       // p of the most posterior femoral cartilage
	thirds    [2][2]float64 // p of the two borders of each plateau: medial, lateral
}

const (
	// weightBearing is the part of the distance from the notch to the posterior end that belongs to
	// the central part of a condyle (Eckstein 2006).
	weightBearing = 0.6
	// ridge is the u of the ridge of the patella; see newPatella.
	ridge = -1
	// fine and coarse are the steps of the search for the ends of plates, mm. Only the rim of a
	// plate may be thinner than the coarse step.
	fine, coarse = 0.1, 1.0
	// nearby is the difference in height, mm, between the end of a plate and its part that the coarse
	// steps find: at most √(2·22·1) on the back of a condyle with a radius of 22 mm, where that is 1 mm
	// inside, and less than that on a plateau.
	nearby = 7.0
)

// divide finds the borders in the surfaces themselves, to within 0.1 mm.
func divide(k *knee) division {
	var d division
	femoral := boxOfPlate{k: k, tissue: FemoralCartilage, lo: -6, hi: 42, rim: 1}
	// The notch: no further than 6 mm from the middle, where nothing lies behind p = 10. Its
	// end is round, so that several places share a p; the middle one counts.
	d.notch = math.Inf(1)
	var ends [13]float64
	for n := range ends {
		ends[n] = femoral.end(float64(n-6), 10, -1)
		d.notch = min(d.notch, ends[n])
	}
	first, last := math.Inf(1), math.Inf(-1)
	for n, p := range ends {
		if p < d.notch+fine/2 {
			first, last = min(first, float64(n-6)), float64(n-6)
		}
	}
	d.notchU = (first + last) / 2
	d.posterior = math.Inf(-1)
	for _, u := range []float64{-24, -20, -16, -12, 12, 16, 20, 24} { // within the rounded sides
		d.posterior = max(d.posterior, femoral.end(u, 36, -1))
	}
	d.condyles = d.notch + weightBearing*(d.posterior-d.notch)
	for side, tissue := range []uint8{MedialTibialCartilage, LateralTibialCartilage} {
		plateau := boxOfPlate{k: k, tissue: tissue, lo: -8, hi: 8, rim: 4}
		front, back := math.Inf(1), math.Inf(-1)
		for n := 18; n <= 24; n += 2 { // the widest sections
			u := float64(n)
			if tissue == LateralTibialCartilage {
				u = -u
			}
			front, back = min(front, plateau.end(u, -26, 1)), max(back, plateau.end(u, 28, -1))
		}
		third := (back - front) / 3
		d.thirds[side] = [2]float64{front + third, back - third}
	}
	return d
}

// boxOfPlate is the range of h in which a plate is searched for.
type boxOfPlate struct {
	k      *knee
	tissue uint8
	lo, hi float64
	// rim is the width, mm, of the strip along its end that the coarse steps may miss.
	rim float64
}

// end returns the p at which the plate begins in the section at u, projected along h, if
// one comes from the given p to posterior (towards = 1) or to anterior (−1); infinite where
// it does not begin within 60 mm.
func (b *boxOfPlate) end(u, from, towards float64) float64 {
	s := newSection(b.k, u*b.k.size)
	for n := range 60 {
		p := from + towards*float64(n)
		h, ok := b.meets(&s, p, b.lo, b.hi, coarse)
		if !ok {
			continue
		}
		there := p
		for lo, hi := 0.0, b.rim/fine; hi-lo > 1; { // in fine steps
			middle := math.Floor((lo + hi) / 2)
			before := p - towards*fine*middle
			if _, ok := b.meets(&s, before, h-nearby, h+nearby, fine); ok {
				there, lo = before, middle
			} else {
				hi = middle
			}
		}
		return there
	}
	return math.Inf(int(-towards))
}

// meets returns a height between lo and hi at which the plate lies at p, in steps of h.
func (b *boxOfPlate) meets(s *section, p, lo, hi, step float64) (h float64, ok bool) {
	for n := range int((hi-lo)/step) + 1 {
		q := point{p, lo + float64(n)*step}
		d := s.distances(q)
		if _, ok := s.boneAt(&d); ok {
			continue
		}
		if tissue, _ := s.plate(&d); tissue == b.tissue {
			return q.h, true
		}
	}
	return 0, false
}

// region returns the region of a place in a tissue, 0 for bone.
func (d *division) region(tissue uint8, u, p float64) uint8 {
	switch tissue {
	case FemoralCartilage:
		switch {
		case p < d.notch:
			return Trochlear
		case u >= d.notchU:
			return MedialFemoralCentral + indexOf(p >= d.condyles)
		}
		return LateralFemoralCentral + indexOf(p >= d.condyles)
	case MedialTibialCartilage:
		return MedialTibialAnterior + indexOf(p >= d.thirds[0][0]) + indexOf(p >= d.thirds[0][1])
	case LateralTibialCartilage:
		return LateralTibialAnterior + indexOf(p >= d.thirds[1][0]) + indexOf(p >= d.thirds[1][1])
	case PatellarCartilage:
		return PatellarMedial + indexOf(u < ridge)
	case MedialMeniscus:
		return RegionMedialMeniscus
	case LateralMeniscus:
		return RegionLateralMeniscus
	}
	return 0
}

// indexOf is 1 for true.
func indexOf(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}
