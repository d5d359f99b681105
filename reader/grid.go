package reader

import (
	"math"
	"slices"

	"github.com/t2map/t2map/volume"
)

// gridOf describes a grid, and how its slices are turned for a reader: as radiologists expect, with anterior on the left of
// sagittal slices and the patient's right on the left of others, and the head, or the front, at the top.
func gridOf(g volume.Geometry) Grid {
	out := Grid{Size: g.Size, Spacing: g.Spacing(), Affine: g.Affine, Letters: volume.EdgeLetters(g)}
	out.Plane = planeOf(g)
	left, top := "R", "S"
	switch out.Plane {
	case sagittal:
		left = "A"
	case axial:
		top = "A"
	}
	letters := out.Letters
	if axis(letters[0]) != axis(left) && axis(letters[2]) == axis(left) {
		out.Show.Transpose = true
		letters = [4]string{letters[2], letters[3], letters[0], letters[1]}
	}
	out.Show.FlipX, out.Show.FlipY = letters[0] != left && axis(letters[0]) == axis(left),
		letters[2] != top && axis(letters[2]) == axis(top)
	return out
}

// The planes of slices.
const (
	sagittal = "sagittal"
	coronal  = "coronal"
	axial    = "axial"
)

// planeOf names the plane of the slices by the patient's axis that is nearest to their normal.
func planeOf(g volume.Geometry) string {
	a := g.Affine
	var normal [3]float64
	for r := range normal {
		p, q := (r+1)%3, (r+2)%3
		normal[r] = math.Abs(a[p][0]*a[q][1] - a[q][0]*a[p][1])
	}
	return [...]string{sagittal, coronal, axial}[slices.Index(normal[:], slices.Max(normal[:]))]
}

// axis returns the patient's axis of a direction: 0 for right and left, 1 for front and back, 2 for head and foot.
func axis(letter string) int {
	return slices.IndexFunc(volume.PatientLetters[:], func(pair [2]string) bool {
		return letter == pair[0] || letter == pair[1]
	})
}
