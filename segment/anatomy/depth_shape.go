package anatomy

import "runtime"

func (o DepthOptions) workers() int {
	if o.Workers <= 0 {
		return min(64, runtime.GOMAXPROCS(0))
	}
	return min(64, o.Workers)
}

// axes returns the directions up, front and, at right angles to them, left (up to the sign: the
// patient's left where up and front are the patient's).
func (o DepthOptions) axes() (up, front, left vector) {
	up, front = vector(o.Up).unit(), vector(o.Front).unit()
	if up == (vector{}) {
		up = vector{0, 0, 1}
	}
	if front == (vector{}) {
		front = vector{0, -1, 0}
	}
	left = front.cross(up).times(-1).unit()
	return up, up.cross(left).times(-1), left
}

// toBone returns the direction towards the bone that the shape of the sheet suggests.
func (o DepthOptions) toBone(s *sheet, l *lattice) func(vector) vector {
	up, front, left := o.axes()
	switch s.bone {
	case OfTibia:
		return func(vector) vector { return up.times(-1) }
	case OfPatella:
		return func(vector) vector { return front }
	}
	points := make([][3]float64, len(s.voxels))
	for n, i := range s.index {
		points[n] = l.centre(i)
	}
	c, ok := FitFemoralCylinder(points, left)
	if !ok {
		return func(vector) vector { return up }
	}
	axis := vector(c.Axis)
	return func(x vector) vector {
		to := vector(c.Centre).minus(x)
		return to.minus(axis.times(to.dot(axis))).unit()
	}
}
