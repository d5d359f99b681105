package phantom

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"math/rand/v2"

	"github.com/t2map/t2map/volume"
)

const (
	// kneeFront and kneeTop are where the field of view begins, in mm of the
	// knee: 71 mm before the middle of the tibia, 69 mm above the joint line.
	kneeFront = -71.0
	kneeTop   = 69.0
)

// sliceOffset is the distance of a slice from the middle of the knee in mm,
// positive to medial. Slices run along the normal of the image, row × column,
// which for sagittal slices points to the patient's right: from medial to
// lateral in a right knee, from lateral to medial in a left one.
func sliceOffset(o Options, slice int) float64 {
	right := (float64(slice)+0.5)*slabWidth/float64(o.Slices) - slabWidth/2
	if o.Side == "R" {
		return -right
	}
	return right
}

// newGeometry places the knee in the patient: rows run to posterior, columns
// to the feet, slices to the right, turned a little as a technician would
// along the condyles. The right knee lies at negative x.
func newGeometry(o Options, rng *rand.Rand) (volume.Geometry, placement) {
	turn := 0.06 * clamp(rng.NormFloat64(), -2, 2) // radians, about the long axis
	tilt := 0.03 * clamp(rng.NormFloat64(), -2, 2) // radians, in the coronal plane
	centre := [3]float64{85 + 10*rng.Float64(), -10 + 20*rng.Float64(), -20 + 40*rng.Float64()}
	if o.Side == "R" {
		centre[0], turn, tilt = -centre[0], -turn, -tilt
	}
	sa, ca := math.Sincos(turn)
	sb, cb := math.Sincos(tilt)
	row := [3]float64{-sa, ca, 0}
	column := [3]float64{sb * ca, sb * sa, -cb}
	normal := cross(row, column)
	pixel := fieldOfView / float64(o.Matrix)
	spacing := slabWidth / float64(o.Slices)
	g := volume.Geometry{Size: [3]int{o.Matrix, o.Matrix, o.Slices}}
	for r := range g.Affine {
		p, q, s := row[r]*pixel, column[r]*pixel, normal[r]*spacing
		// The middle of the knee is where its coordinates are 0.
		origin := centre[r] + p*(kneeFront/pixel+0.5) + q*(-kneeTop/pixel+0.5) - s*(float64(o.Slices)-1)/2
		g.Affine[r] = [4]float64{p, q, s, origin}
	}
	placed := placement{centre: centre, axes: [3][3]float64{normal, row, column}}
	for r := range placed.axes[2] {
		placed.axes[2][r] = -column[r]
		if o.Side == "R" {
			placed.axes[0][r] = -normal[r]
		}
	}
	return g, placed
}

func cross(a, b [3]float64) [3]float64 {
	return [3]float64{a[1]*b[2] - a[2]*b[1], a[2]*b[0] - a[0]*b[2], a[0]*b[1] - a[1]*b[0]}
}

// hash64 mixes words into 64 bits.
func hash64(words ...string) uint64 {
	h := hash(words...)
	return binary.LittleEndian.Uint64(h[:])
}

func hash(words ...string) [sha256.Size]byte {
	h := sha256.New()
	for _, w := range words {
		h.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(w))))
		h.Write([]byte(w))
	}
	return [sha256.Size]byte(h.Sum(nil))
}
