package anatomy

import (
	"context"
	"runtime"
)

func (o DepthOptions) workers() int {
	if o.Workers <= 0 {
		return min(64, runtime.GOMAXPROCS(0))
	}
	return min(64, o.Workers)
}

// axes returns the directions up, front and, at right angles to them, left (up to the sign: the
// patient's left where up and front are the patient's).
func (o DepthOptions) axes(ctx context.Context) (up, front, left vector, err error) {
	if o.Axes != nil {
		a, err := o.Axes(ctx)
		if err != nil {
			return up, front, left, err
		}
		up, front = a.superior().unit(), a.posterior().times(-1).unit()
	}
	if up == (vector{}) {
		up = vector{0, 0, 1}
	}
	if front == (vector{}) {
		front = vector{0, -1, 0}
	}
	left = front.cross(up).times(-1).unit()
	return up, up.cross(left).times(-1), left, nil
}

// toBone returns the direction towards the bone that the shape of the sheet suggests.
func (o DepthOptions) toBone(ctx context.Context, s *sheet, l *lattice) (func(vector) vector, error) {
	up, front, left, err := o.axes(ctx)
	switch {
	case err != nil:
		return nil, err
	case s.bone == OfTibia:
		return func(vector) vector { return up.times(-1) }, nil
	case s.bone == OfPatella:
		return func(vector) vector { return front }, nil
	}
	points := make([][3]float64, len(s.voxels))
	for n, i := range s.index {
		points[n] = l.centre(i)
	}
	c, ok, err := FitFemoralCylinder(ctx, points, left)
	if !ok {
		return func(vector) vector { return up }, err
	}
	axis := vector(c.Axis)
	return func(x vector) vector {
		to := vector(c.Centre).minus(x)
		return to.minus(axis.times(to.dot(axis))).unit()
	}, nil
}
