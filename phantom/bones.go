package phantom

import "math"

// The dimensions in this file and in soft.go are those of an adult knee in extension, rounded to
// values that look realistic in the picture; no result depends on them. Lengths are mm, u is
// positive on the medial side, the origin lies on the joint line in the middle of the tibia.

// femur is the femur in the section at u.
type femur struct {
	present                   bool
	inset                     float64 // how far the condyle is rounded towards its side
	backCentre, frontCentre   point
	backRadius, frontRadius   float64
	notch                     float64 // how much shallower the intercondylar notch is than in its middle
	u                         float64
	coverThickness, coverFrom float64 // cartilage: mm, and the angle where it begins in front
}

func newFemur(u, thickness float64) femur {
	au := math.Abs(u)
	f := femur{u: u, present: au < 37}
	if au > 27 {
		f.inset = 10 - math.Sqrt(max(0, 100-square(au-27)))
	}
	f.backCentre, f.backRadius = point{8, 22}, 20
	f.frontCentre, f.frontRadius = point{-7, 31}, 26.5
	if u < 0 { // the lateral condyle reaches further forward, less far back
		f.backCentre.p--
		f.frontRadius++
	}
	// The trochlear groove, and the rounding of the front towards the sides.
	f.frontRadius -= 5.5*bell(u+1, 9) + 0.05*square(max(0, au-19))
	f.backRadius -= f.inset
	f.frontRadius = max(4, f.frontRadius-f.inset)
	// The notch is an arch whose top lies behind the groove, with steep sides.
	f.notch = 0.12*square(u+1) + 1.6*square(max(0, au-6.5))
	f.coverThickness = thickness * math.Sqrt(max(0, 1-f.inset/10))
	f.coverFrom = -122 + 3.2*max(0, au-12)
	return f
}

// bone returns the distance to the bone, negative inside, and whether the
// surface there belongs to the notch, which carries no cartilage.
func (f *femur) bone(q point) (distance float64, inNotch bool) {
	shaft := f.shaft(q)
	if !f.present {
		return shaft, true
	}
	d := join(roundCone(q, f.backCentre, f.frontCentre, f.backRadius, f.frontRadius), shaft, 7)
	// Blumensaat's line from (−15, 3) to (16, 30) is the roof of the notch.
	roof := ((q.p+15)*27-(q.h-3)*31)/41.1 - f.notch
	return meet(d, roof, 3), roof > -0.8
}

func (f *femur) shaft(q point) float64 {
	flare := step(q.h, 86, 24)
	wide, deep := 14+23*flare, 13.5+8*flare
	x, y := math.Abs(q.p+3+2*flare)/deep, math.Abs(f.u)/wide
	d := (math.Cbrt(x*x*x+y*y*y) - 1) * min(deep, wide)
	return max(d, 20-q.h) // it ends inside the condyles
}

// cover returns the thickness of the cartilage over the surface at q, and the
// angle in degrees about the centre of the condyles: 0 below, negative in front.
func (f *femur) cover(q point) (thickness, angle float64) {
	angle = math.Atan2(q.p, 25-q.h) * 180 / math.Pi
	ends := step(angle, f.coverFrom, f.coverFrom+14) * step(angle, 106, 92)
	return ends * f.coverThickness * (1 + 0.3*bell(angle+75, 35)), angle
}

// tibia is the tibia in the section at u.
type tibia struct {
	u, coverThickness float64
	eminence          float64 // how high it rises in the middle of the section
	bulge             float64 // of the plateau, negative where it is hollow
}

func newTibia(u, thickness float64) tibia {
	t := tibia{u: u, coverThickness: 1.05 * thickness, eminence: 7 * bell(math.Abs(u)-4, 4), bulge: -2.2}
	if u < 0 {
		t.bulge = 0.6
		t.coverThickness = 1.3 * thickness // the thickest of the tibia is lateral
	}
	return t
}

// plateau is the height of the bone's upper surface at p. It slopes back by
// 5°, is hollow on the medial side and bulges on the lateral one, and rises to
// the eminence in between.
func (t *tibia) plateau(p float64) float64 {
	h := -3.1 - 0.085*p - t.bulge*square((p-2)/22)
	if t.eminence > 0.01 {
		h += t.eminence * bell(p-2, 9)
	}
	return h
}

// bone is the distance to the bone below a plateau at the height given.
func (t *tibia) bone(q point, plateau float64) float64 {
	flare := step(q.h, -66, -8)
	wide, deep := 15+22.5*flare, 14.5+10.5*flare
	centre := -7 + 7*flare
	x, y := square((q.p-centre)/deep), square(t.u/wide)
	d := (math.Sqrt(math.Sqrt(x*x+y*y)) - 1) * min(deep, wide)
	d = meet(d, 0.28*(q.h+3)-19-q.p-0.02*square(t.u), 5) // the front slopes to the tuberosity
	if au := math.Abs(t.u); au < 11 {
		d = join(d, ellipse(q, point{-19, -33}, point{8.5 - au/4, 13 - au/2}), 6)
	}
	return meet(d, q.h-plateau, 6)
}

// cover returns the thickness of the cartilage of the plateau at p.
func (t *tibia) cover(p float64) float64 {
	offset := math.Abs(p-1) / 22
	remainder := 1 - offset*offset*offset - square((math.Abs(t.u)-20.5)/14)
	return t.coverThickness * math.Sqrt(max(0, remainder))
}

// fibula is the distance to the fibula, negative inside.
func fibula(u float64, q point) float64 {
	offset := u + 33
	head := math.Sqrt(square(offset)+square(q.p-23)+square((q.h+18)/1.2)) - 9
	shaft := math.Sqrt(square(offset)+square(q.p-19)) - 5.5
	return join(head, max(shaft, q.h+20), 6)
}

// patella is the patella in the section at u.
type patella struct {
	present        bool
	centre, axes   point
	coverThickness float64
}

func newPatella(u, height, thickness float64) patella {
	width := 1 - square((u+1)/23)
	if width <= 0.03 {
		return patella{}
	}
	return patella{
		present: true,
		// The ridge lies in the groove: away from it the surface recedes.
		centre:         point{-46.5 - 0.010*square(u+1), height},
		axes:           point{9.8 * math.Pow(width, 0.4), 20.5 * math.Sqrt(width)},
		coverThickness: 1.7 * thickness * math.Sqrt(width),
	}
}

func (b *patella) bone(q point) float64 {
	if !b.present {
		return math.Inf(1)
	}
	// The lower pole is the pointed one.
	axes := b.axes
	below := clamp((b.centre.h-q.h)/axes.h, 0, 1.2)
	axes.p *= 1 - 0.35*below*below
	return ellipse(q, b.centre, axes)
}

// cover returns the thickness of the cartilage on the back of the patella; the
// lowest quarter has none.
func (b *patella) cover(q point) float64 {
	if !b.present || q.p < b.centre.p+2 {
		return 0
	}
	return b.coverThickness * math.Sqrt(max(0, 1-square((q.h-b.centre.h-3.5)/15.5)))
}
