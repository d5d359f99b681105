package depth

import (
	"context"

	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/segment/unroll"
)

// axes returns the directions up, front and, perpendicular to both, left. If up and front are those of
// the patient, left is the patient's left.
func (o Options) axes(ctx context.Context) (up, front, left vector, err error) {
	if o.Axes != nil {
		a, err := o.Axes(ctx)
		if err != nil {
			return up, front, left, err
		}
		up, front = vector(a.Superior).Unit(), vector(a.Posterior).Times(-1).Unit()
	}
	if up == (vector{}) {
		up = vector{0, 0, 1}
	}
	if front == (vector{}) {
		front = vector{0, -1, 0}
	}
	left = front.Cross(up).Times(-1).Unit()
	return up, up.Cross(left).Times(-1), left, nil
}

// toBone returns a function that gives the direction towards the bone, according to the shape of the sheet.
func (o Options) toBone(ctx context.Context, s *sheet, l *lattice) (func(vector) vector, error) {
	up, front, left, err := o.axes(ctx)
	switch {
	case err != nil:
		return nil, err
	case s.bone == anatomy.OfTibia:
		return func(vector) vector { return up.Times(-1) }, nil
	case s.bone == anatomy.OfPatella:
		return func(vector) vector { return front }, nil
	}
	points := make([][3]float64, len(s.voxels))
	for n, i := range s.index {
		points[n] = l.centre(i)
	}
	c, ok, err := unroll.FitCylinder(ctx, points, left)
	if !ok {
		return func(vector) vector { return up }, err
	}
	axis := vector(c.Axis)
	return func(x vector) vector {
		way := vector(c.Centre).Minus(x)
		return way.Minus(axis.Times(way.Dot(axis))).Unit()
	}, nil
}
