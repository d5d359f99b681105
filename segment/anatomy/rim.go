package anatomy

import (
	"math"

	"github.com/t2map/t2map/segment/internal/space"
)

const (
	// rimLength is the length in mm of the part of a plateau from which its end is found.
	rimLength = 8
	// rimWidth is how far to both sides of its middle, in mm, a plateau is longest from front to back.
	rimWidth = 10
	// leastRim is the least number of faces at a rim. Slices of 3 mm leave 300.
	leastRim = 50
)

// rim is the surface of a plateau near its anterior or posterior end. Coordinates are x along Left and z
// along Superior, both from the mean of the points, and d in the direction of the end, from the last voxel
// centre.
type rim struct {
	axes       Axes
	ahead, up  vector
	lastCentre float64
	x0, z0     float64
	points     []rimPoint
	// bottom holds the coefficients of the height of the bone side (see rimPoint.quadratic), and
	// square those of the square of the thickness (see rimPoint.tapered).
	bottom, square [6]float64
}

// rimPoint is a face at a rim.
type rimPoint struct {
	x, d, z float64
	step    vector // from the voxel inside to the voxel outside, along x, d and z
	top     bool   // it faces the joint
}

// hiddenRim returns how far behind the last voxel centres a plateau ends: where its joint side, which is
// an ellipse at the rim, meets its bone side. Both are fitted to the faces by least squares, because faces
// are unbiased and voxel centres are not. sign is 1 for the posterior end and −1 for the anterior. ok is
// false if there are too few faces, or no end.
func hiddenRim(o *occupied, a Axes, sign, lastCentre float64) (distance float64, ok bool) {
	r := rim{axes: a, ahead: a.posterior().Times(sign), up: a.superior(), lastCentre: lastCentre}
	r.collect(o)
	if len(r.points) < leastRim || !r.fitBottom() || !r.fitSquare() {
		return 0, false
	}
	furthest := math.Inf(-1)
	for x := -rimWidth; x <= rimWidth; x++ {
		// The square of the thickness is level + slope·tapered(d).
		x := float64(x)
		level := r.square[0] + float64(r.square[1]*x) + float64(r.square[3]*float64(x*x))
		if slope := r.square[2] + float64(r.square[4]*x); slope < 0 {
			furthest = max(furthest, straight(-level/slope))
		}
	}
	if math.IsInf(furthest, -1) {
		return 0, false
	}
	return max(0, min(voxelReach(o.g, a.Posterior), furthest)), true
}

// collect finds the faces at the rim.
func (r *rim) collect(o *occupied) {
	const level = 0.7 // 45°: steeper steps of the grid lead through the plateau
	for _, d := range []vector{r.up, r.up.Times(-1), r.ahead} {
		o.faces(d, func(f face) {
			p := rimPoint{
				x: f.centre.Dot(r.axes.Left), d: f.centre.Dot(r.ahead) - r.lastCentre, z: f.centre.Dot(r.up),
				top: d == r.up,
			}
			if p.d < -rimLength || (math.Abs(f.out.Dot(r.up)) > level) == (d == r.ahead) {
				return
			}
			if d == r.ahead {
				above, below := o.cartilageAround(f, r.up)
				if above && below {
					return
				}
				p.top = !above
			}
			p.step = vector{f.out.Dot(r.axes.Left), f.out.Dot(r.ahead), f.out.Dot(r.up)}.Times(f.step)
			r.points = append(r.points, p)
			r.x0, r.z0 = r.x0+p.x, r.z0+p.z
		})
	}
	n := float64(max(1, len(r.points)))
	r.x0, r.z0 = r.x0/n, r.z0/n
	for v := range r.points {
		r.points[v].x -= r.x0
		r.points[v].z -= r.z0
	}
}

// cartilageAround reports whether there is cartilage within 3 mm above and below the voxel outside the
// face.
func (o *occupied) cartilageAround(f face, up vector) (above, below bool) {
	outside := f.centre.Plus(f.out.Times(f.step / 2))
	for h := 0.5; h <= 3; h += 0.5 {
		above = above || o.hasPosition(outside.Plus(up.Times(h)))
		below = below || o.hasPosition(outside.Minus(up.Times(h)))
	}
	return above, below
}

// quadratic returns the terms of a quadratic surface at the point.
func (p *rimPoint) quadratic() [6]float64 {
	return [6]float64{1, p.x, p.d, float64(p.x * p.x), float64(p.x * p.d), float64(p.d * p.d)}
}

// tapered returns the terms of the square of the thickness at the point.
func (p *rimPoint) tapered() [6]float64 {
	y := tapered(p.d)
	return [6]float64{1, p.x, y, float64(p.x * p.x), float64(p.x * y)}
}

// weight returns the weight of an observation in which the position of a face is uncertain by step, and
// whose surface has a roughness with this standard deviation.
func weight(step, deviation float64) float64 {
	return 1 / (float64(step*step)/12 + float64(deviation*deviation))
}

// sum returns Σ c·term.
func sum(c, terms [6]float64) (s float64) {
	for n := range c {
		s += float64(c[n] * terms[n])
	}
	return s
}

// slopes returns the slopes of the bone side along x and d.
func (r *rim) slopes(p *rimPoint) (x, d float64) {
	b := &r.bottom
	return b[1] + float64(2*b[3]*p.x) + float64(b[4]*p.d), b[2] + float64(b[4]*p.x) + float64(2*b[5]*p.d)
}

// fitBottom fits the bone side. The second pass weights faces by the slopes of the first.
func (r *rim) fitBottom() (ok bool) {
	for range 2 {
		fit := space.LeastSquares{Terms: 6}
		for n := range r.points {
			if p := &r.points[n]; !p.top {
				x, d := r.slopes(p)
				shift := p.step[2] - float64(x*p.step[0]) - float64(d*p.step[1])
				fit.Add(p.quadratic(), p.z, weight(shift, rough))
			}
		}
		if r.bottom, _, ok = fit.Solve(); !ok {
			return false
		}
	}
	return true
}

// fitSquare fits the square of the thickness to the joint side. The weights follow from the previous pass,
// and no longer change after three.
func (r *rim) fitSquare() (ok bool) {
	const least = 0.2 // mm²: a rim is not exactly an ellipse
	for pass := range 4 {
		fit := space.LeastSquares{Terms: 5}
		for n := range r.points {
			p := &r.points[n]
			if !p.top {
				continue
			}
			h := p.z - sum(r.bottom, p.quadratic())
			w := 1.0
			if pass > 0 {
				x, d := r.slopes(p)
				shift := float64(2 * h * (p.step[2] - float64(x*p.step[0]) - float64(d*p.step[1])))
				c := &r.square
				shift -= float64((c[1] + float64(2*c[3]*p.x) + float64(c[4]*tapered(p.d))) * p.step[0])
				shift -= float64((c[2] + float64(c[4]*p.x)) * (1 + float64(tapering*p.d)) * p.step[1])
				w = weight(shift, math.Hypot(2*h*rough, least))
			}
			fit.Add(p.tapered(), float64(h*math.Abs(h)), w)
		}
		if r.square, _, ok = fit.Solve(); !ok {
			return false
		}
	}
	return true
}
