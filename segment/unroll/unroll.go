// Package unroll fits a cylinder to the femoral cartilage and unrolls T2 from its surface, as a
// map by angle and by distance along the axis. Positions are in mm LPS, angles of maps in degrees.
package unroll

import (
	"context"
	"math"
	"slices"
)

// Options are the options of Cylinder.Unroll. The zero value is the default.
type Options struct {
	// Angle is the height of a cell in degrees; 0: 2.
	Angle float64
	// Width is the width of a cell in mm along the axis; 0: 3. If it is at least the distance between
	// slices, no column is empty.
	Width float64
	// Down is the direction of 0°, in LPS. Zero: towards the feet.
	Down [3]float64
	// Back is the direction of positive angles, in LPS. Zero: towards the patient's back.
	Back [3]float64
}

// Point is the T2 at a position.
type Point struct {
	Position [3]float64 // mm LPS
	T2       float64    // ms
	Weight   float64    // such as the fraction of the voxel; points with 0, less, or NaN are ignored
}

// Map is the T2 of the femoral cartilage, unrolled from its cylinder.
//
// Row r covers the angles from (Rows[0]+r)·Angle to one step more, in degrees about the axis of
// the cylinder. 0° points down the leg, to the weight-bearing part. Positive angles are posterior,
// on the condyles, and negative ones anterior, on the trochlea. Angles are in −180° … 180°. Column c
// covers the distances from (Columns[0]+c)·Width to one step more, in mm along the axis. 0 is at the
// centroid of the points to which the cylinder was fitted, and positive distances are in the
// direction of the axis: the patient's left unless another one was given. Maps with the same steps
// therefore share the borders of their cells.
type Map struct {
	Angle, Width  float64 // height and width of a cell in degrees and mm
	Rows, Columns [2]int  // first step, and last step + 1
	// T2 is the weighted mean per cell in ms, row by row; NaN if the cell has no points. The change
	// between two maps may be negative.
	T2 []float64
	// Weight is the sum of the weights; for a change, the smaller of both.
	Weight []float64
}

// Size returns the number of rows and columns.
func (m Map) Size() (rows, columns int) {
	return m.Rows[1] - m.Rows[0], m.Columns[1] - m.Columns[0]
}

// Middle returns the angle in degrees and the distance in mm at the middle of a cell.
func (m Map) Middle(row, column int) (angle, distance float64) {
	return (float64(m.Rows[0]+row) + 0.5) * m.Angle, (float64(m.Columns[0]+column) + 0.5) * m.Width
}

// pointsPerCheck is the number of points between two checks of the context.
const pointsPerCheck = 1 << 14

// unrolledDefault are the default steps. At a radius of 25 mm, 2° are 0.9 mm, about two pixels of a T2
// series. 3 mm is the usual slice thickness.
var unrolledDefault = Options{Angle: 2, Width: 3}

// Unroll projects points onto the surface of the cylinder and averages them in each cell over the whole
// depth of the cartilage. For a map of one layer, pass only the points of that layer. Points without a
// finite T2 or without a positive weight are ignored. The map is just large enough for the points; without
// points it has no rows. The error is that of ctx when it ends.
func (c Cylinder) Unroll(ctx context.Context, points []Point, options Options) (Map, error) {
	if !(options.Angle > 0) {
		options.Angle = unrolledDefault.Angle
	}
	if !(options.Width > 0) {
		options.Width = unrolledDefault.Width
	}
	m := Map{Angle: options.Angle, Width: options.Width}
	axis, down, back := c.frame(options)
	type place struct{ row, column int }
	places := make([]place, 0, len(points))
	kept := make([]Point, 0, len(points))
	for n, p := range points {
		if n%pointsPerCheck == 0 && ctx.Err() != nil {
			return Map{}, ctx.Err()
		}
		if !(p.Weight > 0) || math.IsNaN(p.T2) || math.IsInf(p.T2, 0) {
			continue
		}
		q := vector(p.Position).Minus(vector(c.Centre))
		angle := math.Atan2(q.Dot(back), q.Dot(down)) * 180 / math.Pi
		cell := place{int(math.Floor(angle / m.Angle)), int(math.Floor(q.Dot(axis) / m.Width))}
		if len(kept) == 0 {
			m.Rows, m.Columns = [2]int{cell.row, cell.row + 1}, [2]int{cell.column, cell.column + 1}
		}
		m.Rows = [2]int{min(m.Rows[0], cell.row), max(m.Rows[1], cell.row+1)}
		m.Columns = [2]int{min(m.Columns[0], cell.column), max(m.Columns[1], cell.column+1)}
		places, kept = append(places, cell), append(kept, p)
	}
	rows, columns := m.Size()
	m.T2, m.Weight = make([]float64, rows*columns), make([]float64, rows*columns)
	for n, p := range kept {
		cell := (places[n].row-m.Rows[0])*columns + places[n].column - m.Columns[0]
		m.T2[cell] += float64(p.Weight * p.T2)
		m.Weight[cell] += p.Weight
	}
	for cell, w := range m.Weight {
		m.T2[cell] /= w // 0/0 is NaN
	}
	return m, nil
}

// frame returns the axis and, perpendicular to it, the directions of 0° and 90°.
func (c Cylinder) frame(options Options) (axis, down, back vector) {
	axis, down, back = vector(c.Axis), vector(options.Down), vector(options.Back)
	if down.Unit() == (vector{}) {
		down = vector{0, 0, -1}
	}
	if back.Unit() == (vector{}) {
		back = vector{0, 1, 0}
	}
	down = down.Minus(axis.Times(down.Dot(axis))).Unit()
	normal := axis.Cross(down)
	if normal.Dot(back) < 0 {
		normal = normal.Times(-1)
	}
	return axis, down, normal
}

// StepsError reports that two maps have cells of different sizes and cannot be compared.
type StepsError struct{ A, B [2]float64 } // degrees and mm

func (e *StepsError) Error() string {
	return "unrolled maps have cells of different sizes"
}

// ChangeFrom returns the map minus an earlier one, cell by cell, on a grid that covers both. A cell
// without T2 in either map is NaN. Each map is relative to its own cylinder, so that a knee that moved
// between the visits needs no registration, as long as the same part of the femur was in view. Maps with
// cells of different sizes are a *StepsError.
func (m Map) ChangeFrom(earlier Map) (Map, error) {
	if m.Angle != earlier.Angle || m.Width != earlier.Width {
		return Map{}, &StepsError{[2]float64{m.Angle, m.Width}, [2]float64{earlier.Angle, earlier.Width}}
	}
	out := Map{
		Angle: m.Angle, Width: m.Width, Rows: span(m.Rows, earlier.Rows), Columns: span(m.Columns, earlier.Columns),
	}
	rows, columns := out.Size()
	out.T2 = slices.Repeat([]float64{math.NaN()}, rows*columns)
	out.Weight = make([]float64, rows*columns)
	for r := range rows {
		for c := range columns {
			now, weight := m.cell(out.Rows[0]+r, out.Columns[0]+c)
			then, weightThen := earlier.cell(out.Rows[0]+r, out.Columns[0]+c)
			out.T2[r*columns+c] = now - then
			out.Weight[r*columns+c] = min(weight, weightThen)
		}
	}
	return out, nil
}

// cell returns the T2 and the weight of a cell, given its steps.
func (m Map) cell(row, column int) (t2, weight float64) {
	rows, columns := m.Size()
	row, column = row-m.Rows[0], column-m.Columns[0]
	if row < 0 || column < 0 || row >= rows || column >= columns {
		return math.NaN(), 0
	}
	return m.T2[row*columns+column], m.Weight[row*columns+column]
}

// span returns the range that covers both ranges, each of which may be empty.
func span(a, b [2]int) [2]int {
	switch {
	case a[0] == a[1]:
		return b
	case b[0] == b[1]:
		return a
	}
	return [2]int{min(a[0], b[0]), max(a[1], b[1])}
}
