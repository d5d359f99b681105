package volume

import (
	"image"
	"math"
)

// Slice returns slice k of the voxels of a grid.
func Slice[T any](g Geometry, voxels []T, k int) []T {
	n := g.SliceVoxels()
	return voxels[k*n:][:n]
}

// Extent is the extent of the labels of a mask on its grid.
type Extent struct {
	Slices []int           // slices with a label, in order
	Box    image.Rectangle // box of the labels in i and j, over all slices
	Voxels int             // labelled voxels
}

// Extent returns the extent of the labels.
func (l Labels) Extent() Extent {
	var e Extent
	nx, ny := l.Size[0], l.Size[1]
	for k := range l.Size[2] {
		n, box := 0, image.Rectangle{}
		for j := range ny {
			first, last := -1, -1
			for i, label := range l.Data[nx*(j+ny*k):][:nx] {
				if label != 0 {
					if first < 0 {
						first = i
					}
					last = i
					n++
				}
			}
			if first >= 0 {
				box = box.Union(image.Rect(first, j, last+1, j+1))
			}
		}
		if n > 0 {
			e.Slices = append(e.Slices, k)
			e.Box = e.Box.Union(box)
			e.Voxels += n
		}
	}
	return e
}

// EdgeLetters returns the patient's directions at the left, right, top and bottom edges of a slice:
// the nearest of R, L (right, left), A, P (front, back) and I, S (foot, head).
func EdgeLetters(g Geometry) [4]string {
	left, right := axisLetters(g, 0)
	top, bottom := axisLetters(g, 1)
	return [4]string{left, right, top, bottom}
}

// axisLetters returns the directions in which the index of column c of the affine decreases and
// increases.
func axisLetters(g Geometry, c int) (low, high string) {
	axis := 0
	for r := range 3 {
		if math.Abs(g.Affine[r][c]) > math.Abs(g.Affine[axis][c]) {
			axis = r
		}
	}
	low, high = PatientLetters[axis][0], PatientLetters[axis][1]
	if g.Affine[axis][c] < 0 {
		return high, low
	}
	return low, high
}

// PatientLetters are the directions in which each coordinate of LPS decreases and increases.
var PatientLetters = [3][2]string{{"R", "L"}, {"A", "P"}, {"I", "S"}}
