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
func (o DepthOptions) axes() (up, front, left lps) {
	up, front = lps(o.Up).unit(), lps(o.Front).unit()
	if up == (lps{}) {
		up = lps{0, 0, 1}
	}
	if front == (lps{}) {
		front = lps{0, -1, 0}
	}
	left = front.cross(up).times(-1).unit()
	return up, up.cross(left).times(-1), left
}

// toBone returns the direction towards the bone that the shape of the sheet suggests.
func (o DepthOptions) toBone(s *sheet, l *lattice) func(lps) lps {
	up, front, left := o.axes()
	switch s.bone {
	case OfTibia:
		return func(lps) lps { return up.times(-1) }
	case OfPatella:
		return func(lps) lps { return front }
	}
	points := make([][3]float64, len(s.voxels))
	for n, i := range s.index {
		points[n] = l.centre(i)
	}
	c, ok := FitFemoralCylinder(points, left)
	if !ok {
		return func(lps) lps { return up }
	}
	axis := lps(c.Axis)
	return func(x lps) lps {
		to := lps(c.Centre).minus(x)
		return to.minus(axis.times(to.dot(axis))).unit()
	}
}
