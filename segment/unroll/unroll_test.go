package unroll

import (
	"errors"
	"math"
	"testing"
)

// unrollPoints are points of a cylinder of 23 mm about an axis that leans by 8°, over 230° and 70 mm, with a bump of
// amplitude noise mm.
func unrollPoints(noise float64) (points [][3]float64, want Cylinder) {
	axis := vector{1, 0.12, -0.08}.Unit()
	u, w := normals(axis)
	centre := vector{-40, 12, 300}
	for a := range 47 {
		for x := -35; x <= 35; x++ {
			s, c := math.Sincos(float64(a) * 5 * math.Pi / 180)
			r := 23 + noise*math.Sin(float64(7*a+3*x))
			points = append(points, centre.Plus(axis.Times(float64(x))).Plus(u.Times(r*c)).Plus(w.Times(r*s)))
		}
	}
	return points, Cylinder{Axis: axis, Centre: centre, Radius: 23}
}

func TestFitCylinder(t *testing.T) {
	for _, noise := range []float64{0, 0.5} {
		points, want := unrollPoints(noise)
		got, ok, err := FitCylinder(t.Context(), points, [3]float64{})
		turn := math.Acos(min(1, vector(got.Axis).Dot(want.Axis))) * 180 / math.Pi
		offset := vector(got.Centre).Minus(want.Centre)
		offset = offset.Minus(vector(got.Axis).Times(offset.Dot(got.Axis)))
		if err != nil || !ok || turn > 0.01+noise/5 || offset.Length() > 1e-4+noise/20 ||
			math.Abs(got.Radius-23) > 1e-4+noise/20 {
			t.Errorf("noise %g: %+v (turned %.3f°, off %.4f mm), want %+v", noise, got, turn, offset.Length(), want)
		}
		if rms := noise / math.Sqrt2; math.Abs(got.RMS-rms) > 0.02 {
			t.Errorf("noise %g: RMS %.3f mm, want %.3f", noise, got.RMS, rms)
		}
		if flipped, _, _ := FitCylinder(t.Context(), points, [3]float64{-1, 0, 0}); vector(
			flipped.Axis,
		).Dot(got.Axis) >
			-0.999 {
			t.Errorf("axis %v for the other side, %v for this one", flipped.Axis, got.Axis)
		}
	}
	line := make([][3]float64, 50)
	for n := range line {
		line[n] = [3]float64{0, float64(n), 0}
	}
	for name, points := range map[string][][3]float64{"none": nil, "few": line[:9], "a line": line,
		"one point": make([][3]float64, 50)} {
		if c, ok, err := FitCylinder(t.Context(), points, [3]float64{}); ok || err != nil {
			t.Errorf("%s: %+v, %v, want none", name, c, err)
		}
	}
}

// TestUnroll: points at known angles and places come to their cells with their weighted mean.
func TestUnroll(t *testing.T) {
	c := Cylinder{Axis: [3]float64{1, 0, 0}, Centre: [3]float64{100, 10, -20}, Radius: 20}
	position := func(angle, distance, radius float64) [3]float64 {
		s, cos := math.Sincos(angle * math.Pi / 180)
		return [3]float64{100 + distance, 10 + radius*s, -20 - radius*cos}
	}
	points := []Point{
		{position(1, 0.5, 20), 30, 1}, {position(1.5, 2.9, 22), 60, 0.5}, // one cell
		{position(-61, -4, 21), 45, 1},  // trochlea
		{position(121, 4, 21), 50, 0.7}, // posterior
		{position(10, 0, 20), math.NaN(), 1}, {position(170, 0, 20), 50, 0}, {position(-170, 0, 20), 50, math.NaN()},
	}
	m, err := c.Unroll(t.Context(), points, Options{})
	if err != nil || m.Rows != [2]int{-31, 61} || m.Columns != [2]int{-2, 2} || m.Angle != 2 || m.Width != 3 {
		t.Fatalf("rows %v, columns %v, steps %g and %g", m.Rows, m.Columns, m.Angle, m.Width)
	}
	for _, test := range []struct {
		row, column int
		t2, weight  float64
	}{{0, 0, 40, 1.5}, {-31, -2, 45, 1}, {60, 1, 50, 0.7}, {5, 0, math.NaN(), 0}} {
		t2, weight := m.cell(test.row, test.column)
		if !(math.Abs(t2-test.t2) < 1e-9 || math.IsNaN(t2) && math.IsNaN(test.t2)) || weight != test.weight {
			t.Errorf(
				"cell (%d, %d): %g of weight %g, want %g of %g", test.row, test.column, t2, weight, test.t2,
				test.weight,
			)
		}
	}
	if angle, distance := m.Middle(31, 2); angle != 1 || distance != 1.5 {
		t.Errorf("the middle of cell (31, 2) is at %g° and %g mm, want 1 and 1.5", angle, distance)
	}
	if none, _ := c.Unroll(t.Context(), nil, Options{}); len(none.T2) != 0 || none.Rows[1] != none.Rows[0] {
		t.Errorf("no points: %+v", none)
	}
}

// TestUnrolledChange: on a common grid, NaN where either visit has nothing.
func TestUnrolledChange(t *testing.T) {
	nan := math.NaN()
	a := Map{
		Angle: 2, Width: 3, Rows: [2]int{0, 2}, Columns: [2]int{0, 2}, T2: []float64{40, 41, 42, nan},
		Weight: []float64{1, 2, 3, 0},
	}
	b := Map{
		Angle: 2, Width: 3, Rows: [2]int{1, 3}, Columns: [2]int{-1, 2}, T2: []float64{1, 40, 38, 2, 3, 4},
		Weight: []float64{1, 1, 1, 1, 1, 1},
	}
	change, err := a.ChangeFrom(b)
	if err != nil {
		t.Fatal(err)
	}
	if change.Rows != [2]int{0, 3} || change.Columns != [2]int{-1, 2} || len(change.T2) != 9 {
		t.Fatalf("rows %v, columns %v, %d cells", change.Rows, change.Columns, len(change.T2))
	}
	for cell, got := range change.T2 {
		if want := cell == 4; want != !math.IsNaN(got) || want && (got != 2 || change.Weight[cell] != 1) {
			t.Errorf("cell %d: %g of weight %g", cell, got, change.Weight[cell])
		}
	}
	b.Angle = 3
	var fault *StepsError
	if _, err := a.ChangeFrom(b); !errors.As(err, &fault) {
		t.Errorf("error %v, want a *StepsError", err)
	}
	if none, err := a.ChangeFrom(Map{Angle: 2, Width: 3}); err != nil || len(none.T2) != 4 || !math.IsNaN(none.T2[0]) {
		t.Errorf("from an empty map: %+v, %v", none, err)
	}
}
