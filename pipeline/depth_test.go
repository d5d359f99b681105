package pipeline

import (
	"math"
	"testing"

	"github.com/t2map/t2map/volume"
)

// The columns of the unrolled map are as wide as slices are thick, regardless of the position of the knee. An axis
// in the plane of small pixels has columns of 3 mm.
func TestColumnWidth(t *testing.T) {
	sagittal := func(thick float64) volume.Geometry {
		return volume.Geometry{Size: [3]int{256, 256, 20}, Affine: [3][4]float64{{0, 0, thick, 0}, {0.5, 0, 0, 0},
			{0, -0.5, 0, 0}}}
	}
	axial := volume.Geometry{Size: [3]int{256, 256, 20}, Affine: [3][4]float64{{0.5, 0, 0, 0}, {0, 0.5, 0, 0},
		{0, 0, 4, 0}}}
	turned := func(degrees float64) [3]float64 {
		s, c := math.Sincos(degrees * math.Pi / 180)
		return [3]float64{c, s * 0.6, s * 0.8}
	}
	for _, c := range []struct {
		g       volume.Geometry
		degrees float64
		want    float64
	}{
		{sagittal(3.5), 0, 3.5}, {sagittal(3.5), 12, 3.5}, {sagittal(3.5), 25, 3.5}, {sagittal(6), 14, 6},
		{sagittal(3.3), 0, 3.3}, {sagittal(0.8), 10, 3}, {axial, 0, 3}, {axial, 15, 3},
		{axial, 80, 4}, // nearly along the slices' normal
	} {
		if got := columnWidth(c.g, turned(c.degrees)); got != c.want {
			t.Errorf("slices of %g mm, axis turned by %g°: columns of %g mm, want %g", c.g.Spacing()[2], c.degrees, got,
				c.want)
		}
	}
}
