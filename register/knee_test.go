package register

import (
	"context"
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/volume"
)

// knee holds two images of the phantom's whole knee: the first echo of a T2 series in thick slices,
// and a thin series of another contrast, in which fluid is bright as in DESS.
type knee struct {
	first, thin volume.Map
	labels      volume.Labels // of the first echo
}

var wholeKnee = sync.OnceValues(func() (knee, error) {
	var k knee
	ctx := context.Background()
	thick, err := phantom.New(ctx, phantom.Options{Matrix: 256, Slices: 24, Echoes: 1, SNR: 60})
	if err != nil {
		return k, err
	}
	thin, err := phantom.New(ctx, phantom.Options{Matrix: 192, Slices: 72, Echoes: 1, EchoSpacing: 45, SNR: 30})
	k.first = volume.Map{Geometry: thick.Echoes.Geometry, Data: thick.Echoes.Echo[0]}
	k.thin = volume.Map{Geometry: thin.Echoes.Geometry, Data: thin.Echoes.Echo[0]}
	k.labels = thick.Labels
	return k, err
})

func theKnee(t testing.TB) knee {
	t.Helper()
	k, err := wholeKnee()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// rotationAbout returns the rotation by an angle in degrees about an axis through a point, followed
// by a shift (Rodrigues' formula).
func rotationAbout(centre, axis [3]float64, degrees float64, shift [3]float64) volume.Rigid {
	n := math.Sqrt(axis[0]*axis[0] + axis[1]*axis[1] + axis[2]*axis[2])
	x, y, z := axis[0]/n, axis[1]/n, axis[2]/n
	s, c := math.Sincos(degrees * math.Pi / 180)
	t := volume.Rigid{Rotation: [3][3]float64{
		{c + x*x*(1-c), x*y*(1-c) - z*s, x*z*(1-c) + y*s},
		{y*x*(1-c) + z*s, c + y*y*(1-c), y*z*(1-c) - x*s},
		{z*x*(1-c) - y*s, z*y*(1-c) + x*s, c + z*z*(1-c)},
	}}
	turned := t.Apply(centre)
	for r := range 3 {
		t.Shift[r] = centre[r] + shift[r] - turned[r]
	}
	return t
}

// random returns a transform about a point, in a random direction, with a rotation and a shift that
// are uniformly distributed up to the given degrees and mm.
func random(r *rand.Rand, centre [3]float64, degrees, mm float64) volume.Rigid {
	direction := func() [3]float64 {
		d := [3]float64{r.NormFloat64(), r.NormFloat64(), r.NormFloat64()}
		n := math.Sqrt(d[0]*d[0] + d[1]*d[1] + d[2]*d[2])
		return [3]float64{d[0] / n, d[1] / n, d[2] / n}
	}
	shift, length := direction(), mm*r.Float64()
	for c := range shift {
		shift[c] *= length
	}
	return rotationAbout(centre, direction(), degrees*r.Float64(), shift)
}

// miss returns the error of a transform: the mean and the largest distance between the images of
// the corners of the joint, which is the box around the mask, under got and want; and the angle
// between the rotations in degrees.
func miss(got, want volume.Rigid, joint Box) (average, corner, degrees float64) {
	for _, c := range joint.corners() {
		d := distance(got.Apply(c), want.Apply(c))
		average += d / 8
		corner = max(corner, d)
	}
	var applied volume.Rigid
	inverse := want.Inverse()
	for r := range 3 {
		for c := range 3 {
			for k := range 3 {
				applied.Rotation[r][c] += got.Rotation[r][k] * inverse.Rotation[k][c]
			}
		}
	}
	return average, corner, angle(applied)
}
