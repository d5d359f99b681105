package phantom

import (
	"math"
	"math/rand/v2"

	"github.com/t2map/t2map/volume"
)

// Motion holds the limits of a patient's motion.
type Motion struct {
	// Turn is the largest rotation in degrees, and Shift the largest translation of the middle of
	// the knee in mm. A patient who moves does so by at least half of both.
	Turn, Shift float64
}

// Motion returns the rigid transform that rotates the knee about its middle by the given degrees about
// the patient's x, y and z axes in turn, and then shifts it, mm LPS.
func (k *Knee) Motion(degrees, shift [3]float64) volume.Rigid {
	rotation := volume.Identity()
	for axis, angle := range degrees {
		var direction [3]float64
		direction[axis] = 1
		turn := volume.Rigid{Rotation: rotationAbout(direction, angle)}
		rotation = compose(turn, rotation)
	}
	return k.aboutCentre(rotation.Rotation, shift)
}

// aboutCentre returns the rotation about the middle of the knee, followed by a shift.
func (k *Knee) aboutCentre(rotation [3][3]float64, shift [3]float64) volume.Rigid {
	t := volume.Rigid{Rotation: rotation}
	turned := t.Apply(k.centre)
	for r := range t.Shift {
		t.Shift[r] = k.centre[r] - turned[r] + shift[r]
	}
	return t
}

// draw returns a random motion of the knee within the limits of m.
func (m Motion) draw(k *Knee, rng *rand.Rand) volume.Rigid {
	axis, direction := randomDirection(rng), randomDirection(rng)
	angle, length := m.Turn*(1+rng.Float64())/2, m.Shift*(1+rng.Float64())/2
	for r := range direction {
		direction[r] *= length
	}
	return k.aboutCentre(rotationAbout(axis, angle), direction)
}

// randomDirection is a unit vector, uniform over the sphere.
func randomDirection(rng *rand.Rand) [3]float64 {
	v := [3]float64{rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64()}
	length := math.Sqrt(v[0]*v[0] + v[1]*v[1] + v[2]*v[2])
	for r := range v {
		v[r] /= length
	}
	return v
}

// rotationAbout is the rotation about a unit vector by degrees (Rodrigues' formula).
func rotationAbout(n [3]float64, degrees float64) [3][3]float64 {
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	cross := [3][3]float64{{0, -n[2], n[1]}, {n[2], 0, -n[0]}, {-n[1], n[0], 0}}
	var m [3][3]float64
	for r := range m {
		for c := range m[r] {
			m[r][c] = sin*cross[r][c] + (1-cos)*n[r]*n[c]
		}
		m[r][r] += cos
	}
	return m
}

// compose returns the transform that applies b first and then a.
func compose(a, b volume.Rigid) volume.Rigid {
	composed := volume.Rigid{Shift: a.Apply(b.Shift)}
	for r, row := range a.Rotation {
		for c := range 3 {
			for m := range 3 {
				composed.Rotation[r][c] += row[m] * b.Rotation[m][c]
			}
		}
	}
	return composed
}

// orIdentity returns t, or the identity if t is the zero value.
func orIdentity(t volume.Rigid) volume.Rigid {
	if t == (volume.Rigid{}) {
		return volume.Identity()
	}
	return t
}
