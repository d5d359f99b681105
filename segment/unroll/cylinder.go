package unroll

import (
	"context"
	"math"

	"github.com/t2map/t2map/segment/internal/space"
)

// Cylinder is the cylinder that fits the femoral cartilage best. Its axis runs from side
// to side.
type Cylinder struct {
	// Axis is of length 1 and points to the patient's left, or to the side that was asked for.
	Axis [3]float64
	// Centre is the point of the axis beside the centroid of the cartilage, mm LPS.
	Centre [3]float64
	// Radius in mm, and the root mean square of the distances to the surface.
	Radius, RMS float64
}

// Limits of the fit of a cylinder. The condyles' axis lies within a few degrees of the line
// across the knee; a
// fit that turned away further than maxTilt has found another shape, such as the groove.
const (
	maxTilt        = 30 * math.Pi / 180
	cylinderPoints = 20000 // more do not change the fit by 0.01 mm
	cylinderRounds = 50
	cylinderMoved  = 1e-6 // mm: converged
)

// FitCylinder fits a cylinder to points of the femoral cartilage, at best of its bone
// side (Depths.Sheets[OfFemur].Bone), so that the sum of squares of the distances from points
// to surface is the least (Gauss–Newton, from the best circle about the given axis). across is
// the direction across the knee, zero for the patient's left. An axis that turns away from it
// by more than 30° is given up for across itself. ok is false where there are fewer than ten
// points, or all lie on a line. The error is that of ctx when it ends.
func FitCylinder(
	ctx context.Context, points [][3]float64, direction [3]float64,
) (c Cylinder, ok bool, err error) {
	start := vector(direction).Unit()
	if start == (vector{}) {
		start = vector{1, 0, 0}
	}
	step := (len(points) + cylinderPoints - 1) / cylinderPoints
	var few []vector
	for n := 0; n < len(points); n += max(1, step) {
		few = append(few, vector(points[n]))
	}
	if len(few) < 10 {
		return c, false, ctx.Err()
	}
	for _, turning := range []bool{true, false} {
		c, ok = fitCylinder(ctx, few, start, turning)
		if err := ctx.Err(); err != nil {
			return Cylinder{}, false, err
		}
		if ok && vector(c.Axis).Dot(start) > math.Cos(maxTilt) {
			return c, true, nil
		}
	}
	return c, false, nil
}

// fitCylinder fits centre and radius, and the axis if it may turn. It gives up when ctx ends.
func fitCylinder(ctx context.Context, points []vector, axis vector, turning bool) (Cylinder, bool) {
	mean := centroid(points)
	u, w := besides(axis)
	centre, radius, ok := fitCircle(points, mean, u, w)
	for range cylinderRounds {
		if !ok || ctx.Err() != nil {
			return Cylinder{}, false
		}
		var move []float64
		if move, ok = cylinderStep(points, centre, axis, u, w, radius, turning); !ok {
			return Cylinder{}, false
		}
		centre = centre.Plus(u.Times(move[0])).Plus(w.Times(move[1]))
		radius += move[2]
		if turning {
			axis = axis.Plus(u.Times(move[3])).Plus(w.Times(move[4])).Unit()
			u, w = besides(axis)
		}
		centre = centre.Plus(axis.Times(mean.Minus(centre).Dot(axis))) // beside the centroid
		ok = radius > 0 && radius < 1000
		if math.Abs(move[0])+math.Abs(move[1])+math.Abs(move[2]) < cylinderMoved {
			break
		}
	}
	sum := 0.0
	for _, x := range points {
		q := x.Minus(centre)
		d := q.Minus(axis.Times(q.Dot(axis))).Length() - radius
		sum += float64(d * d)
	}
	return Cylinder{axis, centre, radius, math.Sqrt(sum / float64(len(points)))}, ok
}

// cylinderStep returns the Gauss–Newton step: of the centre along u and w, of the radius and,
// if turning, of the axis along u and w. With e the direction from the axis to a point and t
// its place along the axis, the derivatives of its distance to the surface are −e·u, −e·w, −1,
// −t e·u and −t e·w.
func cylinderStep(points []vector, centre, axis, u, w vector, radius float64, turning bool) ([]float64, bool) {
	n := 3
	if turning {
		n = 5
	}
	m := make([][]float64, n)
	for r := range m {
		m[r] = make([]float64, n+1)
	}
	var j [5]float64
	for _, x := range points {
		q := x.Minus(centre)
		t := q.Dot(axis)
		q = q.Minus(axis.Times(t))
		rho := q.Length()
		if rho == 0 {
			continue
		}
		j[0], j[1], j[2] = -q.Dot(u)/rho, -q.Dot(w)/rho, -1
		j[3], j[4] = float64(t*j[0]), float64(t*j[1])
		for r := range n {
			for c := range n {
				m[r][c] += float64(j[r] * j[c])
			}
			m[r][n] -= float64(j[r] * (rho - radius))
		}
	}
	return solveSmall(m)
}

// fitCircle fits a circle in the plane of u and w (Kåsa 1976, IEEE Transactions on Instrumentation and
// Measurement 25:8–14): |p|² = 2 p·c + (R² − |c|²) is
// linear in c.
func fitCircle(points []vector, mean, u, w vector) (centre vector, radius float64, ok bool) {
	m := [][]float64{make([]float64, 4), make([]float64, 4), make([]float64, 4)}
	for _, x := range points {
		q := x.Minus(mean)
		row := [4]float64{2 * q.Dot(u), 2 * q.Dot(w), 1, 0}
		row[3] = (float64(row[0]*row[0]) + float64(row[1]*row[1])) / 4
		for r := range 3 {
			for c := range 4 {
				m[r][c] += float64(row[r] * row[c])
			}
		}
	}
	s, ok := solveSmall(m)
	if !ok {
		return centre, 0, false
	}
	square := s[2] + float64(s[0]*s[0]) + float64(s[1]*s[1])
	return mean.Plus(u.Times(s[0])).Plus(w.Times(s[1])), math.Sqrt(square), square > 0
}

// solveSmall solves the linear equations m (the right-hand sides in the last column) by
// elimination with pivots; ok is false where they have no single solution.
func solveSmall(m [][]float64) (x []float64, ok bool) {
	n := len(m)
	for c := range n {
		pivot := c
		for r := c + 1; r < n; r++ {
			if math.Abs(m[r][c]) > math.Abs(m[pivot][c]) {
				pivot = r
			}
		}
		m[c], m[pivot] = m[pivot], m[c]
		if !(math.Abs(m[c][c]) > 1e-9) { // sums over ten points or more of numbers of the order of mm
			return nil, false
		}
		for r := range n {
			if r == c {
				continue
			}
			f := m[r][c] / m[c][c]
			for k := c; k <= n; k++ {
				m[r][k] -= float64(f * m[c][k])
			}
		}
	}
	for r := range n {
		x = append(x, m[r][n]/m[r][r])
	}
	return x, true
}

func centroid(points []vector) vector {
	var sum vector
	for _, x := range points {
		sum = sum.Plus(x)
	}
	return sum.Times(1 / float64(len(points)))
}

// besides returns two directions at right angles to a and to each other.
func besides(a vector) (u, w vector) {
	least := 0
	for c := range 3 {
		if math.Abs(a[c]) < math.Abs(a[least]) {
			least = c
		}
	}
	var e vector
	e[least] = 1
	u = e.Minus(a.Times(a[least])).Unit()
	return u, a.Cross(u)
}

type vector = space.Vector
