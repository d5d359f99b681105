package depth

import (
	"math"
	"testing"

	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/segment/unroll"
)

// TestUnrollRealKnee: the cylinder lies across the knee, its radius is that of condyles, and the cartilage covers the
// trochlea and both condyles: 180° and more. T2 is painted by the place, so the map must show the place.
func TestUnrollRealKnee(t *testing.T) {
	m := layersKnee(t)
	d, err := Measure(t.Context(), m, Options{})
	if err != nil {
		t.Fatal(err)
	}
	c, ok, err := unroll.FitCylinder(t.Context(), d.Sheets[anatomy.OfFemur].Bone, [3]float64{})
	t.Logf("axis %.3f, radius %.1f mm, RMS %.2f mm", c.Axis, c.Radius, c.RMS)
	if err != nil || !ok || c.Axis[0] < 0.95 || c.Radius < 18 || c.Radius > 32 || c.RMS > 5 {
		t.Errorf("cylinder %+v, ok %v", c, ok)
	}
	l, _ := newLattice(m.Geometry)
	s := d.Sheets[anatomy.OfFemur]
	var points []unroll.Point
	for _, v := range d.Voxels[s.Start:s.End] {
		x := l.centre(shellIndex(l, int(v)))
		points = append(points, unroll.Point{Position: x, T2: 40 + 0.1*x.Minus(c.Centre).Dot(c.Axis), Weight: 1})
	}
	u, err := c.Unroll(t.Context(), points, unroll.Options{})
	if err != nil {
		t.Fatal(err)
	}
	rows, columns := u.Size()
	filled, worst := 0, 0.0
	for r := range rows {
		for col := range columns {
			if t2 := u.T2[r*columns+col]; !math.IsNaN(t2) {
				_, distance := u.Middle(r, col)
				filled++
				worst = max(worst, math.Abs(t2-40-0.1*distance))
			}
		}
	}
	t.Logf("%d × %d cells, rows %v, columns %v, %d filled", rows, columns, u.Rows, u.Columns, filled)
	if rows*2 < 180 || columns*3 < 60 || filled < rows*columns/3 || worst > 0.15 {
		t.Errorf("%d × %d cells, %d filled, off by up to %.3f ms", rows, columns, filled, worst)
	}
}
