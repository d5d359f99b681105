package anatomy

import "math"

// weightBearing is the central part of a condyle, as a share of the distance from the notch to the
// posterior end of the cartilage: 60 %, as in pymskt (github.com/gattia/pymskt,
// wb_region_percent_dist=0.6).
const weightBearing = 0.6

// regionOf holds the region of each tissue that needs no division.
var regionOf = [tissueCount]Region{
	TrochlearCartilage:               Trochlear,
	MedialCentralFemoralCartilage:    MedialFemoralCentral,
	LateralCentralFemoralCartilage:   LateralFemoralCentral,
	MedialPosteriorFemoralCartilage:  MedialFemoralPosterior,
	LateralPosteriorFemoralCartilage: LateralFemoralPosterior,
	MedialMeniscus:                   RegionMedialMeniscus,
	LateralMeniscus:                  RegionLateralMeniscus,
}

// divideFemur assigns the regions of femoral cartilage.
func (k *Knee) divideFemur(d *Division) error {
	all := k.spots[femoral]
	if len(all) == 0 {
		return nil
	}
	if !k.needsNotch() {
		for n := range all {
			d.Data[all[n].v] = regionOf[all[n].tissue]
		}
		return nil
	}
	if !k.hasNotch {
		return k.divideCondyles(d)
	}
	if err := k.checkNotchInView(); err != nil {
		return err
	}
	f := &k.femur
	b := &FemoralBorders{Axes: f.axes, End: f.posterior() - f.anterior}
	b.Central = weightBearing * b.End
	level := k.levelOfNotch()
	b.Notch = f.axes.place(f.gap(f.anterior), f.anterior, level)
	b.Gap = f.axes.posterior().Plus(f.axes.left().Times(f.lean)).Unit()
	high := k.high(f.anterior)
	toMedial := medialIs(d.Side)
	for n := range all {
		s := &all[n]
		if r := regionOf[s.tissue]; r != NoRegion {
			d.Data[s.v] = r
			continue
		}
		x, p := s.centre.Dot(f.axes.Left), s.centre.Dot(f.axes.Posterior)
		distance := p - f.anterior + hair // from the notch
		lateral := (x-f.gap(p))*toMedial < 0
		if side := sideNamed(s.tissue); side != 0 {
			lateral = side < 0
		} else if distance < 0 {
			d.Data[s.v] = Trochlear
			continue
		}
		side := 0 // the patient's left
		if x < f.gap(p) {
			side = 1
		}
		posterior := distance >= b.Central ||
			distance > weightBearing/2*b.Central && s.centre.Dot(f.axes.Superior) > high[side]
		d.Data[s.v] = condyle(lateral, posterior)
	}
	b.High = [2]float64{high[0] - level, high[1] - level}
	if toMedial < 0 {
		b.High[0], b.High[1] = b.High[1], b.High[0]
	}
	d.Femur = b
	return k.checkNotchBetweenPlateaus(d)
}

// condyle returns the region of a part of a condyle.
func condyle(lateral, posterior bool) Region {
	r := MedialFemoralCentral
	if lateral {
		r = LateralFemoralCentral
	}
	if posterior {
		r++
	}
	return r
}

// place returns the position with the given coordinates.
func (a Axes) place(x, p, h float64) vector {
	return a.left().Times(x).Plus(a.posterior().Times(p)).Plus(a.superior().Times(h))
}

// levelOfNotch returns the mean height of the cartilage at the anterior end of the notch.
func (k *Knee) levelOfNotch() float64 {
	f := &k.femur
	sum, n := 0.0, 0
	for v := range k.spots[femoral] {
		if s := &k.spots[femoral][v]; !s.small && k.nearNotch(s) {
			sum += s.centre.Dot(f.axes.Superior)
			n++
		}
	}
	return sum / float64(n)
}

// nearNotch reports whether the spot lies within 4 mm of the anterior end of the notch.
func (k *Knee) nearNotch(s *spot) bool {
	const near = 4
	f := &k.femur
	return math.Abs(s.centre.Dot(f.axes.Left)-f.x) < near && math.Abs(s.centre.Dot(f.axes.Posterior)-f.anterior) < near
}

// checkNotchInView returns an error if the field of view ends at the notch or at the posterior end of a
// condyle.
func (k *Knee) checkNotchInView() error {
	f := &k.femur
	reach := 2 * halfStep(&k.mask.Geometry, f.axes.Posterior)
	for n := range k.spots[femoral] {
		s := &k.spots[femoral][n]
		if s.small || !k.cutAt(femoral, s.v) {
			continue
		}
		p := s.centre.Dot(f.axes.Posterior)
		switch {
		case p > min(f.ends[0], f.ends[1])-reach-0.5:
			return &Error{Problem: CutOff, Tissue: s.tissue, Direction: "posterior"}
		case k.nearNotch(s):
			return &Error{Problem: CutOff, Tissue: s.tissue, Direction: "notch"}
		}
	}
	return nil
}

// high returns the heights above which the back of the left and of the right condyle (of the patient) is
// posterior: a third of the way from the mean height of its cartilage to its top, as in pymskt.
func (k *Knee) high(front float64) (high [2]float64) {
	f := &k.femur
	var sum, n [2]float64
	top := [2]float64{math.Inf(-1), math.Inf(-1)}
	for v := range k.spots[femoral] {
		s := &k.spots[femoral][v]
		p := s.centre.Dot(f.axes.Posterior)
		if s.small || p < front {
			continue
		}
		side := 0
		if s.centre.Dot(f.axes.Left) < f.gap(p) {
			side = 1
		}
		h := s.centre.Dot(f.axes.Superior)
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

// checkNotchBetweenPlateaus returns an error if the centroids of the plateaus do not lie on either side of
// the notch.
func (k *Knee) checkNotchBetweenPlateaus(d *Division) error {
	var t [2]scatter
	for n := range k.spots[tibial] {
		if s := &k.spots[tibial][n]; !s.small && k.tibia.n == 2 {
			t[k.tibia.plateOf(s)].add(s.centre)
		}
	}
	if k.tibia.n != 2 {
		return nil
	}
	f := &k.femur
	toMedial := medialIs(d.Side)
	for n := range t {
		m := t[n].mean()
		distance := (m.Dot(f.axes.Left) - f.gap(m.Dot(f.axes.Posterior)))
		if k.tibia.named {
			distance *= toMedial
		}
		if n == 0 {
			distance = -distance
		}
		if distance <= 0 {
			return &Error{Problem: Apart, Tissue: k.representative(tibial), Amount: -distance}
		}
	}
	return nil
}

// divideCondyles divides condyles that the mask names if there is no trochlea and therefore no notch. The
// first 60 % of each condyle from front to back are central.
func (k *Knee) divideCondyles(d *Division) error {
	if k.axes.Source == ByFemur {
		return &Error{Problem: NoDirection, Tissue: k.representative(femoral)}
	}
	all := k.spots[femoral]
	for _, t := range []Tissue{MedialFemoralCartilage, LateralFemoralCartilage} {
		if k.tally[t].n == 0 {
			continue
		}
		f := k.axes.coordinates(filter(all, func(s *spot) bool { return s.tissue == t }))
		if len(f.x) == 0 {
			return &Error{Problem: TooFew, Tissue: t, Voxels: k.tally[t].n}
		}
		front, back := extent(f.x, f.p, halfStep(&k.mask.Geometry, k.axes.Left))
		if k.endCut(femoral, k.axes, front, back, func(s *spot) bool { return s.tissue == t }) {
			return &Error{Problem: CutOff, Tissue: t, Direction: "posterior"}
		}
		border := front + weightBearing*(back-front) - hair
		for n := range all {
			if s := &all[n]; s.tissue == t {
				d.Data[s.v] = condyle(t == LateralFemoralCartilage, s.centre.Dot(k.axes.Posterior) >= border)
			}
		}
	}
	for n := range all {
		if r := regionOf[all[n].tissue]; r != NoRegion {
			d.Data[all[n].v] = r
		}
	}
	return nil
}
