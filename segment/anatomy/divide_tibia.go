package anatomy

import "math"

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
