package anatomy

import (
	"math"
	"slices"
)

// Side is the side of the body.
type Side uint8

// The sides.
const (
	UnknownSide Side = iota
	Left
	Right
)

// String returns left, right or unknown.
func (s Side) String() string {
	if names := [...]string{"unknown", "left", "right"}; int(s) < len(names) {
		return names[s]
	}
	return "unknown"
}

// Other returns the opposite side; UnknownSide for UnknownSide.
func (s Side) Other() Side {
	switch s {
	case Left:
		return Right
	case Right:
		return Left
	}
	return UnknownSide
}

// Claim is the side of a knee according to one source: an attribute, a manifest, or a part of the anatomy.
type Claim struct {
	Source string
	Side   Side
}

// Evidence is what the anatomy in a mask shows about the side of the knee.
type Evidence struct {
	// Side is the side of all findings; UnknownSide if there are none, or if they contradict each
	// other.
	Side Side
	// Findings are the parts of the anatomy that show the side.
	Findings []Finding
}

// Finding is a part of the anatomy that shows the side of the knee.
type Finding struct {
	// Tissue is the tissue that shows the side: the medial one of a pair of medial and lateral
	// tissues, or the fibula, which is lateral.
	Tissue Tissue
	Side   Side
	// Distance is the distance in mm between medial and lateral, or from the middle of the knee.
	Distance float64
}

// Decided reports whether the anatomy shows the side. If it does not, a mask that was mirrored from left
// to right within its grid cannot be detected. For example, an undivided tibia without a fibula looks the
// same on both sides.
func (e Evidence) Decided() bool { return e.Side != UnknownSide }

// Contradictory reports whether parts of the anatomy show different sides, as they do if the labels of
// medial and lateral are exchanged.
func (e Evidence) Contradictory() bool {
	return slices.ContainsFunc(e.Findings, func(f Finding) bool { return f.Side != e.Findings[0].Side })
}

// Claims returns the findings as claims.
func (e Evidence) Claims() []Claim {
	var out []Claim
	for _, f := range e.Findings {
		out = append(out, Claim{Source: f.Tissue.String() + " in the mask", Side: f.Side})
	}
	return out
}

// Agree returns the side on which the anatomy and all claims agree; UnknownSide if none names a side. A
// contradiction is a *SideError that lists the side according to each source.
func (e Evidence) Agree(claims ...Claim) (Side, error) {
	all := slices.DeleteFunc(
		append(slices.Clone(claims), e.Claims()...), func(c Claim) bool { return c.Side == UnknownSide },
	)
	if len(all) == 0 {
		return UnknownSide, nil
	}
	for _, c := range all {
		if c.Side != all[0].Side {
			return UnknownSide, &SideError{Claims: all}
		}
	}
	return all[0].Side, nil
}

// leastAside is the least distance in mm from the middle at which a part shows the side. Medial and
// lateral plates are 30 to 40 mm apart, and the fibula is 25 to 35 mm from the middle of the tibia. The
// middle moves by less than 5 mm if the field of view cuts the mask.
const leastAside = 8

// Side returns what the anatomy shows about the side. In a right knee medial is to the patient's left.
// Each pair of tissues that are named medial and lateral is a finding, and so is the fibula. If the mask
// has only one tissue of a pair, it is compared with the middle of the knee.
func (k *Knee) Side() Evidence {
	var e Evidence
	centre := k.middle()
	for _, pair := range [][2][]Tissue{
		{{MedialTibialCartilage}, {LateralTibialCartilage}},
		{{MedialFemoralCartilage, MedialCentralFemoralCartilage, MedialPosteriorFemoralCartilage},
			{LateralFemoralCartilage, LateralCentralFemoralCartilage, LateralPosteriorFemoralCartilage}},
		{{MedialMeniscus}, {LateralMeniscus}},
		{nil, {Fibula}},
	} {
		medial, lateral := k.tallyOf(pair[0]), k.tallyOf(pair[1])
		if medial.n == 0 && lateral.n == 0 {
			continue
		}
		m, l := centre, centre
		if medial.n > 0 {
			m = medial.centroid(&k.mask.Geometry).Dot(k.axes.Left)
		}
		if lateral.n > 0 {
			l = lateral.centroid(&k.mask.Geometry).Dot(k.axes.Left)
		}
		d := m - l
		if !(math.Abs(d) >= leastAside) { // also if there is no centre
			continue
		}
		f := Finding{
			Tissue: k.firstOf(append(slices.Clone(pair[0]), pair[1]...)...), Side: Right, Distance: math.Abs(d),
		}
		if d < 0 {
			f.Side = Left
		}
		e.Findings = append(e.Findings, f)
	}
	if len(e.Findings) > 0 && !e.Contradictory() {
		e.Side = e.Findings[0].Side
	}
	return e
}

// tallyOf returns the sum of the tallies of the tissues.
func (k *Knee) tallyOf(list []Tissue) tally {
	var t tally
	for _, tissue := range list {
		t = t.plus(k.tally[tissue])
	}
	return t
}

// middle returns the position of the middle of the knee along Left: that of the notch, or of another part
// that is not on one side; NaN if the mask has none.
func (k *Knee) middle() float64 {
	switch {
	case k.hasNotch:
		return k.femur.gap(k.femur.anterior)
	case k.tally[Tibia].n > 0:
		return k.tally[Tibia].centroid(&k.mask.Geometry).Dot(k.axes.Left)
	case k.tally[Femur].n > 0:
		return k.tally[Femur].centroid(&k.mask.Geometry).Dot(k.axes.Left)
	case k.tibia.n == 2:
		return k.sum(tibial).centroid(&k.mask.Geometry).Dot(k.axes.Left)
	}
	return math.NaN()
}
