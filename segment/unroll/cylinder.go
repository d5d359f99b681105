package unroll

import (
	"context"
	"math"

	"github.com/t2map/t2map/segment/internal/space"
)

// Cylinder is the cylinder that fits the femoral cartilage best. Its axis is transverse.
type Cylinder struct {
	// Axis is a unit vector that points to the patient's left, or in the direction that was given.
	Axis [3]float64
	// Centre is the point of the axis nearest to the centroid of the cartilage, mm LPS.
	Centre [3]float64
	// Radius is in mm, as is RMS, the root mean square of the distances to the surface.
	Radius, RMS float64
}

// Limits of the fit of a cylinder. The axis of the condyles lies within a few degrees of the transverse
// axis of the knee; a fit that turned by more than maxTilt has found another shape, such as the groove.
const (
	maxTilt        = 30 * math.Pi / 180
	cylinderPoints = 20000 // more do not change the fit by 0.01 mm
	cylinderRounds = 50
	cylinderMoved  = 1e-6 // mm: converged
	leastPivot     = 1e-9 // of sums over ten points or more of numbers of the order of mm
)

// FitCylinder fits a cylinder to points of the femoral cartilage, preferably of its bone side
// (Field.Sheets[OfFemur].Bone), by least squares of the distances from the points to the surface:
// Gauss–Newton, started from the best circle around the given direction. The direction is the
// transverse axis of the knee; zero means the patient's left. If the fitted axis is more than 30° from
// it, the axis is fixed to the direction and the rest is fitted again. ok is false if there are fewer
// than ten points, or if all lie on a line. The error is that of ctx when it ends.
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

// fitCylinder fits centre and radius and, if turning, the axis. It stops when ctx ends.
func fitCylinder(ctx context.Context, points []vector, axis vector, turning bool) (Cylinder, bool) {
	mean := centroid(points)
	u, w := normals(axis)
	centre, radius, ok := fitCircle(points, mean, u, w)
	for range cylinderRounds {
		if !ok || ctx.Err() != nil {
			return Cylinder{}, false
		}
		var move [space.MostTerms]float64
		if move, ok = cylinderStep(points, centre, axis, u, w, radius, turning); !ok {
			return Cylinder{}, false
		}
		centre = centre.Plus(u.Times(move[0])).Plus(w.Times(move[1]))
		radius += move[2]
		if turning {
			axis = axis.Plus(u.Times(move[3])).Plus(w.Times(move[4])).Unit()
			u, w = normals(axis)
		}
		centre = centre.Plus(axis.Times(mean.Minus(centre).Dot(axis))) // nearest to the centroid
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
// if turning, of the axis along u and w. With e the unit vector from the axis to a point and t
// the point's position along the axis, the derivatives of the distance to the surface are
// −e·u, −e·w, −1, −t e·u and −t e·w.
func cylinderStep(
	points []vector, centre, axis, u, w vector, radius float64, turning bool,
) (step [space.MostTerms]float64, ok bool) {
	fit := space.LeastSquares{Terms: 3, LeastPivot: leastPivot}
	if turning {
		fit.Terms = 5
	}
	for _, x := range points {
		q := x.Minus(centre)
		t := q.Dot(axis)
		q = q.Minus(axis.Times(t))
		rho := q.Length()
		if rho == 0 {
			continue
		}
		eu, ew := -q.Dot(u)/rho, -q.Dot(w)/rho
		fit.Add([space.MostTerms]float64{eu, ew, -1, float64(t * eu), float64(t * ew)}, radius-rho, 1)
	}
	step, _, ok = fit.Solve()
	return step, ok
}

// fitCircle fits a circle in the plane of u and w (Kåsa 1976, IEEE Transactions on Instrumentation and
// Measurement 25:8–14): |p|² = 2 p·c + (R² − |c|²) is linear in c.
func fitCircle(points []vector, mean, u, w vector) (centre vector, radius float64, ok bool) {
	fit := space.LeastSquares{Terms: 3, LeastPivot: leastPivot}
	for _, x := range points {
		q := x.Minus(mean)
		a, b := 2*q.Dot(u), 2*q.Dot(w)
		fit.Add([space.MostTerms]float64{a, b, 1}, (float64(a*a)+float64(b*b))/4, 1)
	}
	s, _, ok := fit.Solve()
	if !ok {
		return centre, 0, false
	}
	square := s[2] + float64(s[0]*s[0]) + float64(s[1]*s[1])
	return mean.Plus(u.Times(s[0])).Plus(w.Times(s[1])), math.Sqrt(square), square > 0
}

func centroid(points []vector) vector {
	var sum vector
	for _, x := range points {
		sum = sum.Plus(x)
	}
	return sum.Times(1 / float64(len(points)))
}

// normals returns two unit vectors that are perpendicular to a and to each other.
func normals(a vector) (u, w vector) {
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
