package anatomy

import (
	"math"

	"github.com/t2map/t2map/volume"
)

// divideTibia assigns the regions of tibial cartilage.
func (k *Knee) divideTibia(d *Division) error {
	all := k.spots[tibial]
	if len(all) == 0 {
		return nil
	}
	a := k.onTibia
	middle := scatterOf(all)
	b := &TibialBorders{Axes: a, Middle: middle.mean()}
	origin := middle.mean().Dot(a.Posterior)
	for plate := range b.Thirds {
		onPlate := func(s *spot) bool { return k.plateau(s, d.Side) == plate }
		spots := filter(all, onPlate)
		f := a.coordinates(spots)
		b.Thirds[plate] = [4]float64{math.NaN(), math.NaN(), math.NaN(), math.NaN()}
		if len(f.x) == 0 {
			continue
		}
		front, back := extent(f.x, f.p, halfStep(&k.mask.Geometry, a.Left))
		if k.endCut(tibial, a, front, back, onPlate) {
			return &Error{Problem: CutOff, Tissue: k.representative(tibial), Direction: "anterior or posterior"}
		}
		front, back = plateauEnds(spots, f.p, a, &k.mask.Geometry, front, back)
		front, back = front-origin, back-origin
		third := (back - front) / 3
		b.Thirds[plate] = [4]float64{front, front + third, back - third, back}
	}
	for n := range all {
		s := &all[n]
		plate := k.plateau(s, d.Side)
		p := s.centre.Dot(a.Posterior) - origin + hair
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

// plateauEnds returns the ends of a plateau whose last voxel centres lie at first and last. Both the
// sections and the rim show how far the plateau extends beyond these. The shorter distance is used,
// because both methods extrapolate too far if the plateau is blunt.
func plateauEnds(all []spot, p []float64, a Axes, g *volume.Geometry, first, last float64) (front, back float64) {
	o := newOccupied(g, all)
	hidden := func(p []float64, sign, lastCentre float64) float64 {
		s := newSections(p, nil, g, a.Posterior)
		bySections, ok := s.hidden(lastCentre)
		if !ok {
			return shortfall(g, a.Posterior)
		}
		if byRim, ok := hiddenRim(o, a, sign, lastCentre); ok {
			return min(bySections, byRim)
		}
		return bySections
	}
	forward := make([]float64, len(p))
	for n := range p {
		forward[n] = -p[n]
	}
	return first - hidden(forward, -1, -first), last + hidden(p, 1, last)
}

// plateau returns 0 for a spot of the medial plateau or meniscus, and 1 for one of the lateral.
func (k *Knee) plateau(s *spot, side Side) int {
	switch n := sideNamed(s.tissue); {
	case n != 0:
		return (1 - n) / 2
	case k.leftOfMiddle(s)*medialIs(side) > 0:
		return 0
	}
	return 1
}

// leftOfMiddle returns the distance of a spot from the middle between the plateaus, positive on the
// patient's left.
func (k *Knee) leftOfMiddle(s *spot) float64 {
	switch {
	case k.tibia.n == 2 && !k.tibia.named:
		return s.centre.Dot(k.tibia.axis) - k.tibia.middle
	case k.hasNotch:
		return s.centre.Dot(k.femur.axes.Left) - k.femur.gap(s.centre.Dot(k.femur.axes.Posterior))
	}
	return s.centre.Dot(k.axes.Left) - k.middle()
}

// divideMenisci assigns the regions of the menisci.
func (k *Knee) divideMenisci(d *Division) error {
	for n := range k.spots[meniscal] {
		s := &k.spots[meniscal][n]
		if math.IsNaN(k.leftOfMiddle(s)) && sideNamed(s.tissue) == 0 {
			return &Error{Problem: NoDirection, Tissue: s.tissue}
		}
		d.Data[s.v] = RegionMedialMeniscus + Region(k.plateau(s, d.Side))
	}
	return nil
}
