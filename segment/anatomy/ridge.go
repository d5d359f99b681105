package anatomy

import "math"

const (
	// facet is the size in mm of the squares by which the bone side of its cartilage is
	// sampled.
	facet = 0.75
	// crest is how far, in mm, both slopes of a ridge are straight; beyond, the facets turn.
	crest = 12
	// sharp is the least slope of both sides of a ridge that is seen within crest: 14°. A crest
	// that is rounder is found from the facets as a whole.
	sharp = 0.25
	// leastFacets is the number of squares that show a ridge: the cartilage of a patella
	// covers 9 cm², 1600 squares, of which thick slices leave some empty.
	leastFacets = 100
	// roundish is the ratio of the principal deviations in the plane of the patella below
	// which its own transverse axis is not told from its long one.
	roundish = 1.15
	// leastRidge is the least slope of the facets to both sides of a ridge, 3°. They slope by
	// 20 to 30° (unsourced).
	leastRidge = 0.05
)

// dividePatella gives patellar cartilage its facets.
//
// The axes are the patella's own, as it tilts and shifts against the femur: back is the
// direction in which the bone side of its cartilage varies least, left the principal axis
// nearest to that of the knee. The ridge is the line, up to 22° off the patella's long axis,
// from which the bone side recedes on both sides as the slopes of a roof that fits it best by
// least squares; the roof may bend from top to bottom. The bone side keeps its shape where
// cartilage wears.
func (k *Knee) dividePatella(d *Division) error {
	all := k.spots[patellar]
	if len(all) == 0 {
		return nil
	}
	a, centre := k.patellarAxes(positions(all))
	surface := boneSide(all, a)
	a, middle := k.patellarAxes(surface)
	r, found := roof{}, false
	if len(surface) >= leastFacets {
		centre = middle
		r, found = fitRoof(surface, a, centre)
	}
	x0, h0 := centre.dot(a.Left), centre.dot(a.Superior)
	toMedial := medialIs(d.Side)
	for n := range all {
		s := &all[n]
		x, h := s.at.dot(a.Left)-x0, s.at.dot(a.Superior)-h0
		d.Data[s.v] = PatellarMedial
		if (x-r.at-float64(r.lean*h)+hair)*toMedial < 0 {
			d.Data[s.v] = PatellarLateral
		}
	}
	d.Patella = &PatellarRidge{
		At:    centre.plus(a.left().times(r.at)),
		Along: a.superior().plus(a.left().times(r.lean)).unit(),
		Back:  a.Posterior, Found: found,
	}
	return nil
}

// positions returns where the spots lie, without crumbs.
func positions(all []spot) []vector {
	var out []vector
	for n := range all {
		if !all[n].crumb {
			out = append(out, all[n].at)
		}
	}
	return out
}

// patellarAxes returns the axes of a patella and the mean for positions in its cartilage.
func (k *Knee) patellarAxes(in []vector) (Axes, vector) {
	var s scatter
	for _, p := range in {
		s.add(p)
	}
	axes, deviation := principal(s.covariance())
	back := axes[0]
	if back.dot(k.axes.Posterior) < 0 {
		back = back.times(-1)
	}
	left := k.axes.left().across(back)
	if deviation[2] > roundish*deviation[1] {
		own := axes[1]
		if math.Abs(axes[2].dot(left)) > math.Abs(own.dot(left)) {
			own = axes[2]
		}
		if own.dot(left) < 0 {
			own = own.times(-1)
		}
		left = own
	}
	return Axes{Left: left, Posterior: back, Superior: left.cross(back)}, s.mean()
}

// boneSide returns the side of the cartilage that faces the bone, one position for each
// square across Posterior.
func boneSide(all []spot, a Axes) []vector {
	f := a.seen(all)
	across, along := newBins(f.x, facet), newBins(f.h, facet)
	foremost := make([]int, across.n*along.n)
	for n := range foremost {
		foremost[n] = -1
	}
	for n := range f.x {
		at := int(across.at(f.x[n])) + across.n*int(along.at(f.h[n]))
		if foremost[at] < 0 || f.p[n] < f.p[foremost[at]] {
			foremost[at] = n
		}
	}
	var out []vector
	for _, n := range foremost {
		if n >= 0 {
			out = append(out, a.place(f.x[n], f.p[n], f.h[n]))
		}
	}
	return out
}

// roof is a ridge at x = at + lean·h.
type roof struct{ at, lean float64 }

// fitRoof returns the ridge of the roof that fits the surface best: with x, p and h along the
// axes from the centre, p is c0 + c1·h + c2·h² − s1·(x−ridge)⁺ − s2·(ridge−x)⁺. ok is false where one of the slopes is less
// than leastRidge, or where the ridge lies at the end of the search.
func fitRoof(surface []vector, a Axes, centre vector) (best roof, ok bool) {
	points := make([][3]float64, len(surface))
	for n, p := range surface {
		p = p.minus(centre)
		points[n] = [3]float64{p.dot(a.Left), p.dot(a.Posterior), p.dot(a.Superior)}
	}
	best, ok = searchRoof(points, leastRidge)
	if !ok {
		return best, false
	}
	var near [][3]float64
	for _, q := range points {
		if math.Abs(q[0]-best.at-float64(best.lean*q[2])) < crest {
			near = append(near, q)
		}
	}
	if local, found := searchRoof(near, sharp); found {
		best = local
	}
	return best, true
}

// searchRoof returns the ridge of the roof that fits the points best, if both of its slopes
// are steeper than least.
func searchRoof(points [][3]float64, least float64) (best roof, ok bool) {
	if len(points) < leastFacets {
		return best, false
	}
	reach := 0.0
	for _, q := range points {
		reach = max(reach, math.Abs(q[0]))
	}
	reach *= 0.6 // the ridge lies in the middle of the cartilage
	leastError := math.Inf(1)
	try := func(r roof) {
		if e, slopes := r.fit(points); e < leastError {
			leastError, best = e, r
			ok = slopes[0] > least && slopes[1] > least && math.Abs(r.at) < reach
		}
	}
	for tenths := -4; tenths <= 4; tenths++ {
		lean := float64(tenths) / 10
		for at := -math.Floor(reach); at <= reach; at++ {
			try(roof{at, lean})
		}
	}
	for _, step := range []float64{0.5, 0.25, 0.12, 0.06} {
		from := best
		for lean := -1.0; lean <= 1; lean++ {
			for at := -2.0; at <= 2; at++ {
				try(roof{from.at + step*at, from.lean + 0.1*step*lean})
			}
		}
	}
	return best, ok
}

// fit returns the sum of squares that the roof leaves and its slopes.
func (r roof) fit(points [][3]float64) (left float64, slopes [2]float64) {
	const n = 5
	var m [n][n + 1]float64
	squares := 0.0
	for _, q := range points {
		d := q[0] - r.at - float64(r.lean*q[2])
		row := [n + 1]float64{1, q[2], float64(q[2] * q[2]), -max(0, d), -max(0, -d), q[1] - points[0][1]}
		for a := range n {
			for b := a; b <= n; b++ {
				m[a][b] += float64(row[a] * row[b])
			}
		}
		squares += float64(row[n] * row[n])
	}
	var right [n]float64
	for a := range n {
		right[a] = m[a][n]
		for b := range a {
			m[a][b] = m[b][a]
		}
	}
	for a := range n { // Gauss, without exchanging rows: the matrix is positive
		if !(m[a][a] > 0) {
			return math.Inf(1), slopes
		}
		for b := a + 1; b < n; b++ {
			f := m[b][a] / m[a][a]
			for c := a; c <= n; c++ {
				m[b][c] -= float64(f * m[a][c])
			}
		}
	}
	var c [n]float64
	for a := n - 1; a >= 0; a-- {
		c[a] = m[a][n]
		for b := a + 1; b < n; b++ {
			c[a] -= float64(m[a][b] * c[b])
		}
		c[a] /= m[a][a]
	}
	left = squares
	for a := range n {
		left -= float64(c[a] * right[a])
	}
	return left, [2]float64{c[3], c[4]}
}
