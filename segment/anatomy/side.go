package anatomy

import (
	"math"
	"slices"
)

// Side is the side of the body that a knee is of.
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

// Other returns the other side; UnknownSide for UnknownSide.
func (s Side) Other() Side {
	switch s {
	case Left:
		return Right
	case Right:
		return Left
	}
	return UnknownSide
}

// Claim is what a source says about the side of a knee: an attribute, a manifest, or a part
// of the anatomy.
type Claim struct {
	Source string
	Side   Side
}

// Evidence is what the anatomy of a mask says about the side of the knee.
type Evidence struct {
	// Side is what all findings agree on; UnknownSide where there is none, or where they
	// contradict each other.
	Side Side
	// Findings are the parts of the anatomy that show the side.
	Findings []Finding
}

// Finding is a part of the anatomy that shows the side of the knee.
type Finding struct {
	// Tissue is what shows it: a pair of medial and lateral tissues by its medial one, or the
	// fibula, which is lateral.
	Tissue Tissue
	Side   Side
	// Distance is how far it lies, in mm, to the side that it is of.
	Distance float64
}

// Decided reports whether the anatomy shows the side. Where it does not, a mask that was
// mirrored from left to right within its grid cannot be told from one that was not: an
// undivided tibia without a fibula, for example, looks alike on both sides.
func (e Evidence) Decided() bool { return e.Side != UnknownSide }

// Contradictory reports whether parts of the anatomy show different sides, as they do where
// the labels of medial and lateral are exchanged.
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

// Agree returns the side that the anatomy and all sources that name one agree on, or
// UnknownSide where none names one. A contradiction is a *SideError that lists what each
// source says.
func (e Evidence) Agree(claims ...Claim) (Side, error) {
	all := slices.DeleteFunc(append(slices.Clone(claims), e.Claims()...), func(c Claim) bool { return c.Side == UnknownSide })
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

// leastAside is how far, in mm, a part must lie to one side to show it: medial and lateral
// plates lie 30 to 40 mm apart, the fibula 25 to 35 mm from the middle of the tibia, and the
// middle of a mask that the field of view cuts moves by less than 5.
const leastAside = 8

// Side returns what the anatomy shows about the side. In a right knee medial lies to the
// patient's left. Each pair of tissues that are named medial and lateral is a finding, and so
// is the fibula. Of a pair of which the mask has one, the place against the rest of
// the knee counts.
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
		if !(math.Abs(d) >= leastAside) { // also where there is no centre
			continue
		}
		f := Finding{Tissue: k.firstOf(append(slices.Clone(pair[0]), pair[1]...)...), Side: Right, Distance: math.Abs(d)}
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

// tallyOf returns the tally of several tissues.
func (k *Knee) tallyOf(of []Tissue) tally {
	var t tally
	for _, tissue := range of {
		t = t.plus(k.tally[tissue])
	}
	return t
}

// middle returns the place of the middle of the knee from side to side, along Left: that of
// the notch, or of what else is not of one side; NaN where the mask has none of that.
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
