package anatomy

import "math"

// Axes are the directions of a bone in patient space: unit vectors in mm LPS, orthogonal and right-handed
// in the order of the fields, as the axes of LPS are. Left points to the patient's left, along the
// transverse axis of the bone.
type Axes struct {
	Left, Posterior, Superior [3]float64
	// Source is what the superior axis was found from.
	Source AxesSource
}

// AxesSource is what a superior axis was found from, the best first.
type AxesSource uint8

// The sources.
const (
	NoAxes AxesSource = iota
	// ByPlateau: the normal of the tibial cartilage, corrected for the mean slope of the plateau.
	ByPlateau
	// ByMenisci: the normal of the menisci, corrected for the same slope.
	ByMenisci
	// ByFemur: the direction in which the femoral cartilage varies least. It differs from the other
	// sources by up to 5° from knee to knee.
	ByFemur
	// ByPatient: the axis of the patient, if a single plate does not show an axis.
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

// newAxes returns the axes with the given superior axis whose left axis is nearest to left.
func newAxes(left, up vector) Axes {
	left = left.Perpendicular(up)
	return Axes{Left: left, Posterior: up.Cross(left), Superior: up}
}

const (
	// slope is how far the tibial plateaus slope down posteriorly, in radians, relative to the plane
	// perpendicular to the shaft: 5°, as in the phantom. Slopes differ between knees, and between the
	// plateaus of one knee (Hashemi et al. 2008, doi:10.2106/JBJS.G.01358). A degree moves the border
	// between the central and the posterior part of a condyle by 0.2 mm.
	slope = 5 * math.Pi / 180
	// femurLean is how far the axis of ByFemur leans posteriorly relative to that of ByPlateau, in
	// radians: the mean of −3° in ../shared/data/knee-dess-seg and 7° in the phantom.
	femurLean = 2 * math.Pi / 180
	// upright is the cosine of the largest angle between an axis of the anatomy and that of the patient:
	// 60°. A knee in a scanner is rotated by up to 30° about each axis. At larger angles, the affine of
	// the mask is wrong.
	upright = 0.5
)

// leant returns the superior axis for the normal n of a plate: n rotated posteriorly by an angle about the
// left axis. If left is zero, it returns n.
func leant(n, left vector, angle float64) vector {
	if left == (vector{}) {
		return n
	}
	sin, cos := math.Sincos(angle)
	back := n.Cross(left.Perpendicular(n))
	return n.Times(cos).Minus(back.Times(sin)).Unit()
}
