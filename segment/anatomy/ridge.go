package anatomy

import (
	"math"

	"github.com/t2map/t2map/segment/internal/space"
)

const (
	// facet is the edge in mm of the squares in which the bone side of the cartilage is sampled.
	facet = 1
	// rough is the deviation in mm of the bone side from a smooth surface. It limits the weight of a face.
	rough = 0.2
	// crest is the distance in mm from a ridge within which both slopes are straight. Farther out, the
	// facets curve.
	crest = 12
	// sharpSlope is the least slope on both sides of a ridge that is found within crest: 14°. A rounder
	// ridge is found from the whole facets.
	sharpSlope = 0.25
	// leastFacets is the least number of sampled squares. The cartilage of a patella covers 9 cm², 900
	// squares, some of which are empty on thick slices.
	leastFacets = 100
	// roundish is the ratio of the two standard deviations in the plane of the patella below which its
	// transverse axis cannot be distinguished from its long axis.
	roundish = 1.15
	// leastRidge is the least slope of the facets on both sides of a ridge: 3°. Facets slope by 20 to 30°
	// (unsourced).
	leastRidge = 0.05
)

// dividePatella divides patellar cartilage into its facets.
//
// The axes are those of the patella, because it tilts and shifts against the femur. Posterior is the
// direction in which its cartilage varies least, and left is the principal axis nearest to that of the
// knee. The ridge is a line at up to 22° from the patella's long axis. It is the ridge of the roof that
// fits the bone side of the cartilage best by least squares. The roof may bend from top to bottom, and may
// be rounded at the ridge; the ridge is then where its slopes would meet. The bone side keeps its shape
// when cartilage wears. If a dome fits the bone side better than a roof, there is no ridge, and the border
// is the plane through the centroid of the cartilage along its long axis.
func (k *Knee) dividePatella(d *Division) error {
	all := k.spots[patellar]
	if len(all) == 0 {
		return nil
	}
	a, centre := k.patellarAxes(all)
	r, found := k.ridge(all, a, centre)
	x0, h0 := centre.Dot(a.Left), centre.Dot(a.Superior)
	toMedial := medialIs(d.Side)
	for n := range all {
		s := &all[n]
		x, h := s.centre.Dot(a.Left)-x0, s.centre.Dot(a.Superior)-h0
		d.Data[s.v] = PatellarMedial
		if (x-r.x-float64(r.lean*h)+hair)*toMedial < 0 {
			d.Data[s.v] = PatellarLateral
		}
	}
	d.Patella = &PatellarRidge{
		Point:     centre.Plus(a.left().Times(r.x)),
		Direction: a.superior().Plus(a.left().Times(r.lean)).Unit(),
		Posterior: a.Posterior, Found: found,
	}
	return nil
}

// ridge returns the line where the facets meet, relative to centre. found is false if the bone side does
// not slope away on both sides.
func (k *Knee) ridge(all []spot, a Axes, centre vector) (r roof, found bool) {
	body := newOccupied(&k.mask.Geometry, all)
	surface := boneSide(body, a, func(vector) vector { return a.posterior() })
	if len(surface) < leastFacets {
		return roof{}, false
	}
	round, ok := fitDome(surface, a, centre)
	if !ok {
		return roof{}, false
	}
	surface = boneSide(body, a, round.normal)
	round, ok = fitDome(surface, a, centre)
	sharp, residual, isRoof := fitRoof(surface, a, centre)
	switch {
	case isRoof && !(residual > round.squares):
		return sharp, true
	case ok:
		return roof{}, -2*round.c[3]*crest > leastRidge
	}
	return roof{}, false
}

// patellarAxes returns the axes of the patella and the centroid of its cartilage.
func (k *Knee) patellarAxes(all []spot) (Axes, vector) {
	s := scatterOf(all)
	axes, deviation := principal(s.covariance())
	back := axes[0]
	if back.Dot(k.axes.Posterior) < 0 {
		back = back.Times(-1)
	}
	left := k.axes.left().Perpendicular(back)
	if deviation[2] > roundish*deviation[1] {
		own := axes[1]
		if math.Abs(axes[2].Dot(left)) > math.Abs(own.Dot(left)) {
			own = axes[2]
		}
		if own.Dot(left) < 0 {
			own = own.Times(-1)
		}
		left = own
	}
	return Axes{Left: left, Posterior: back, Superior: left.Cross(back)}, s.mean()
}

// boneSide returns the faces of the cartilage towards the bone, as one weighted mean for each square
// perpendicular to Posterior. normal returns the normal of the surface at a position. It determines the
// weights: a face whose step lies along the surface is exact, however long the step is.
func boneSide(o *occupied, a Axes, normal func(vector) vector) []bonePoint {
	back := a.posterior()
	var all []bonePoint
	var x, h []float64
	o.faces(back.Times(-1), func(f face) {
		if !o.facesBone(f, back) {
			return
		}
		n := normal(f.centre)
		shift := float64(f.step*f.out.Dot(n)) / n.Dot(back)
		all = append(all, bonePoint{f.centre, 1 / (float64(shift*shift)/12 + float64(rough*rough))})
		x, h = append(x, f.centre.Dot(a.Left)), append(h, f.centre.Dot(a.Superior))
	})
	if len(all) == 0 {
		return nil
	}
	columns, rows := newBins(x, facet), newBins(h, facet)
	cells := make([]bonePoint, columns.n*rows.n)
	for n, f := range all {
		c := &cells[int(columns.place(x[n]))+columns.n*int(rows.place(h[n]))]
		c.position = c.position.Plus(f.position.Times(f.weight))
		c.weight += f.weight
	}
	var out []bonePoint
	for _, c := range cells {
		if c.weight > 0 {
			out = append(out, bonePoint{c.position.Times(1 / c.weight), min(c.weight, 1/(rough*rough))})
		}
	}
	return out
}

// bonePoint is a point on the bone side of cartilage.
type bonePoint struct {
	position vector
	weight   float64 // 1/variance along Posterior, mm⁻²
}

// facesBone reports whether the face looks from cartilage to the space in front of it, with cartilage
// behind and none within 6 mm in front.
func (o *occupied) facesBone(f face, back vector) bool {
	outside := f.centre.Plus(f.out.Times(f.step / 2))
	behind := false
	for _, d := range [...]float64{0.5, 1, 1.5, 2, 2.5, 3} {
		behind = behind || o.hasPosition(outside.Plus(back.Times(d)))
		if o.hasPosition(outside.Minus(back.Times(2 * d))) {
			return false
		}
	}
	return behind || math.Abs(f.out.Dot(back)) > 0.9
}

// dome is a quadratic surface: p = c0 + c1·x + c2·h + c3·x² + c4·x·h + c5·h², in mm along the axes from
// the centre.
type dome struct {
	axes    Axes
	centre  vector
	c       [6]float64
	squares float64 // the weighted sum of squared residuals
}

// fitDome fits a dome by least squares. ok is false if the points do not determine it.
func fitDome(all []bonePoint, a Axes, centre vector) (d dome, ok bool) {
	d.axes, d.centre = a, centre
	fit := space.LeastSquares{Terms: 6}
	for _, f := range all {
		d := f.position.Minus(centre)
		x, p, h := d.Dot(a.Left), d.Dot(a.Posterior), d.Dot(a.Superior)
		fit.Add([6]float64{1, x, h, float64(x * x), float64(x * h), float64(h * h)}, p, f.weight)
	}
	d.c, d.squares, ok = fit.Solve()
	return d, ok
}

// normal returns the unit normal of the dome at a position.
func (d *dome) normal(p vector) vector {
	p = p.Minus(d.centre)
	x, h := p.Dot(d.axes.Left), p.Dot(d.axes.Superior)
	dx := d.c[1] + float64(2*d.c[3]*x) + float64(d.c[4]*h)
	dh := d.c[2] + float64(d.c[4]*x) + float64(2*d.c[5]*h)
	return d.axes.posterior().Minus(d.axes.left().Times(dx)).Minus(d.axes.superior().Times(dh)).Unit()
}

// roof is a ridge at x + lean·h. Its two slopes are the asymptotes of a hyperbola, which is rounded over
// about round mm on both sides.
type roof struct{ x, lean, round float64 }

// roundestRidge is the largest round that is tried: a third of crest.
const roundestRidge = 4

// fitRoof returns the ridge of the roof that fits the surface best by least squares. With x, p and h along
// the axes from the centre, d = x − ridge and r = √(d² + round²), a roof is p = c0 + c1·h + c2·h² − s1·(r
// + d)/2 − s2·(r − d)/2. ok is false if one of the slopes s1 and s2 is less than leastRidge, or if the
// ridge lies at the end of the search range. residual is the weighted sum of squared residuals of one roof
// over the whole surface.
func fitRoof(surface []bonePoint, a Axes, centre vector) (best roof, residual float64, ok bool) {
	points := make([][4]float64, len(surface))
	for n, f := range surface {
		p := f.position.Minus(centre)
		points[n] = [4]float64{p.Dot(a.Left), p.Dot(a.Posterior), p.Dot(a.Superior), f.weight}
	}
	best, ok = searchRoof(points, leastRidge)
	if !ok {
		return best, math.Inf(1), false
	}
	residual, _ = best.fit(points)
	var near [][4]float64
	for _, q := range points {
		if math.Abs(q[0]-best.x-float64(best.lean*q[2])) < crest {
			near = append(near, q)
		}
	}
	if local, sharper := searchRoof(near, sharpSlope); sharper {
		best = local
	}
	return best, residual, true
}

// searchRoof returns the ridge of the roof that fits the points best. ok is false if one of its slopes is
// less than least, or if it lies at the end of the search range.
func searchRoof(points [][4]float64, least float64) (best roof, ok bool) {
	if len(points) < leastFacets {
		return best, false
	}
	reach := 0.0
	for _, q := range points {
		reach = max(reach, math.Abs(q[0]))
	}
	reach *= 0.6 // the ridge lies near the middle of the cartilage
	leastError := math.Inf(1)
	try := func(r roof) {
		if e, slopes := r.fit(points); e < leastError {
			leastError, best = e, r
			ok = slopes[0] > least && slopes[1] > least && math.Abs(r.x) < reach
		}
	}
	for tenths := -4; tenths <= 4; tenths++ {
		lean := float64(tenths) / 10
		for x := -math.Floor(reach); x <= reach; x++ {
			try(roof{x, lean, 0})
		}
	}
	for _, step := range []float64{0.5, 0.25, 0.12, 0.06} {
		centre := best
		for lean := -1.0; lean <= 1; lean++ {
			for x := -2.0; x <= 2; x++ {
				for round := -1.0; round <= 1; round++ {
					r := centre.round + 2*step*round
					try(roof{centre.x + step*x, centre.lean + 0.1*step*lean, max(0, min(roundestRidge, r))})
				}
			}
		}
	}
	return best, ok
}

// fit returns the weighted sum of squared residuals of the roof and its slopes.
func (r roof) fit(points [][4]float64) (residual float64, slopes [2]float64) {
	fit := space.LeastSquares{Terms: 5}
	for _, q := range points {
		d := q[0] - r.x - float64(r.lean*q[2])
		distance := math.Sqrt(float64(d*d) + float64(r.round*r.round))
		fit.Add([6]float64{1, q[2], float64(q[2] * q[2]), -(distance + d) / 2, -(distance - d) / 2}, q[1], q[3])
	}
	c, residual, _ := fit.Solve()
	return residual, [2]float64{c[3], c[4]}
}
