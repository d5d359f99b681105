// Package space calculates with positions and directions in patient space, and fits by least squares.
package space

import "math"

// Vector is a position in mm LPS or a direction. Products are rounded before they are
// added (no fused multiply-add), so that a border falls on the same voxel on every machine.
type Vector [3]float64

func (a Vector) Plus(b Vector) Vector  { return Vector{a[0] + b[0], a[1] + b[1], a[2] + b[2]} }
func (a Vector) Minus(b Vector) Vector { return Vector{a[0] - b[0], a[1] - b[1], a[2] - b[2]} }
func (a Vector) Times(s float64) Vector {
	return Vector{float64(a[0] * s), float64(a[1] * s), float64(a[2] * s)}
}

func (a Vector) Dot(b Vector) float64 {
	return float64(a[0]*b[0]) + float64(a[1]*b[1]) + float64(a[2]*b[2])
}

func (a Vector) Cross(b Vector) Vector {
	return Vector{
		float64(a[1]*b[2]) - float64(a[2]*b[1]),
		float64(a[2]*b[0]) - float64(a[0]*b[2]),
		float64(a[0]*b[1]) - float64(a[1]*b[0]),
	}
}

func (a Vector) Length() float64 { return math.Sqrt(a.Dot(a)) }

// Unit returns the unit vector along a, or the zero vector if a has no direction.
func (a Vector) Unit() Vector {
	l := a.Length()
	if !(l > 0) || math.IsInf(l, 0) {
		return Vector{}
	}
	return a.Times(1 / l)
}

// Perpendicular returns the unit vector along the component of a that is perpendicular to the unit
// vector n.
func (a Vector) Perpendicular(n Vector) Vector { return a.Minus(n.Times(a.Dot(n))).Unit() }

// Short returns the vector in float32.
func (a Vector) Short() [3]float32 { return [3]float32{float32(a[0]), float32(a[1]), float32(a[2])} }
