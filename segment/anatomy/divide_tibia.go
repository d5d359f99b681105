package anatomy

import (
	"math"

	"github.com/t2map/t2map/volume"
)

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
	origin := middle.mean().Dot(a.Posterior)
	for plate := range b.Thirds {
		of := func(s *spot) bool { return k.plateau(s, d.Side) == plate }
		spots := only(all, of)
		f := a.seen(spots)
		b.Thirds[plate] = [4]float64{math.NaN(), math.NaN(), math.NaN(), math.NaN()}
		if len(f.x) == 0 {
			continue
		}
		from, to := extent(f.x, f.p, halfStep(&k.mask.Geometry, a.Left))
		if k.endCut(tibial, a, from, to, of) {
			return &Error{Problem: CutOff, Tissue: k.representative(tibial), Direction: "anterior or posterior"}
		}
		from, to = plateauEnds(spots, f.p, a, &k.mask.Geometry, from, to)
		from, to = from-origin, to-origin
		third := (to - from) / 3
		b.Thirds[plate] = [4]float64{from, from + third, to - third, to}
	}
	for n := range all {
		s := &all[n]
		plate := k.plateau(s, d.Side)
		p := s.at.Dot(a.Posterior) - origin + hair
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

// plateauEnds returns the ends of a plateau of which the last centres lie at from and to. Sections
// and rim both show how much more there is; the lesser counts, as both err by leading on
// where a plateau is blunt.
func plateauEnds(all []spot, p []float64, a Axes, g *volume.Geometry, from, to float64) (front, back float64) {
	o := newOccupied(g, all)
	more := func(p []float64, sign, seen float64) float64 {
		s := newSections(p, nil, g, a.Posterior)
		bySections, ok := s.hidden(seen)
		if !ok {
			return shortfall(g, a.Posterior)
		}
		if byRim, ok := hiddenRim(o, a, sign, seen); ok {
			return min(bySections, byRim)
		}
		return bySections
	}
	forward := make([]float64, len(p))
	for n := range p {
		forward[n] = -p[n]
	}
	return from - more(forward, -1, -from), to + more(p, 1, to)
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
		return s.at.Dot(k.tibia.along) - k.tibia.middle
	case k.hasNotch:
		return s.at.Dot(k.femur.axes.Left) - k.femur.gap(s.at.Dot(k.femur.axes.Posterior))
	}
	return s.at.Dot(k.axes.Left) - k.middle()
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
