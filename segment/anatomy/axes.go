package anatomy

import "math"

// Axes are the directions of a bone in patient space, mm LPS: orthonormal, and right-handed
// in the order of the fields, as x, y and z of LPS are. Left is the patient's left, along the
// transverse axis of the bone.
type Axes struct {
	Left, Posterior, Superior [3]float64
	// Source says what the superior axis was found from.
	Source AxesSource
}

// AxesSource is what a superior axis was found from, the best first.
type AxesSource uint8

// The sources.
const (
	NoAxes AxesSource = iota
	// ByPlateau is the normal to the tibial cartilage, less the mean slope of the plateau.
	ByPlateau
	// ByMenisci is the normal to the menisci, less the same slope.
	ByMenisci
	// ByFemur is the direction in which femoral cartilage is thinnest as a whole. It leans
	// by up to 5° from knee to knee against the other sources.
	ByFemur
	// ByPatient is the patient's axis, where a plate alone has too little shape.
	ByPatient
)

// String returns plateau, menisci, femur, patient, or none.
func (s AxesSource) String() string {
	if names := [...]string{"none", "plateau", "menisci", "femur", "patient"}; int(s) < len(names) {
		return names[s]
	}
	return "unknown"
}

func (a Axes) left() vector      { return a.Left }
func (a Axes) posterior() vector { return a.Posterior }
func (a Axes) superior() vector  { return a.Superior }

// newAxes returns the axes whose superior is up and whose left is nearest to left.
func newAxes(left, up vector) Axes {
	left = left.Perpendicular(up)
	return Axes{Left: left, Posterior: up.Cross(left), Superior: up}
}

const (
	// slope is how far the tibial plateaus slope down to the back against the plane across
	// the shaft, in radians: 5°, as in the phantom. Slopes differ between knees, and in one knee
	// between the plateaus (Hashemi et al. 2008, doi:10.2106/JBJS.G.01358). A degree moves the
	// border behind the central part of a condyle by 0.2 mm.
	slope = 5 * math.Pi / 180
	// femurLean is how far the axis of ByFemur leans back against that of ByPlateau, in
	// radians: the middle of −3° in ../shared/data/knee-dess-seg and 7° in the phantom.
	femurLean = 2 * math.Pi / 180
	// upright is the cosine of the largest angle between an axis of the anatomy and that of
	// the patient: 60°. A knee lies turned by up to 30° about each axis; beyond this, the
	// affine of the mask is wrong.
	upright = 0.5
)

// leant returns the superior axis that the normal n of a plate stands for, which leans back
// by the angle given, for a left axis; n itself where left is zero.
func leant(n, left vector, angle float64) vector {
	if left == (vector{}) {
		return n
	}
	sin, cos := math.Sincos(angle)
	back := n.Cross(left.Perpendicular(n))
	return n.Times(cos).Minus(back.Times(sin)).Unit()
}
