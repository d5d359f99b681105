package phantom

import "math"

// point is a place in a sagittal section in mm: p to posterior, h to the head.
type point struct{ p, h float64 }

func (a point) minus(b point) point { return point{a.p - b.p, a.h - b.h} }

func (a point) length() float64 { return math.Sqrt(a.p*a.p + a.h*a.h) }

func square(x float64) float64 { return x * x }

func clamp(x, lo, hi float64) float64 { return max(lo, min(hi, x)) }

// step rises smoothly from 0 at a to 1 at b (a may lie above b): 3t² − 2t³.
func step(x, a, b float64) float64 {
	t := clamp((x-a)/(b-a), 0, 1)
	return t * t * (3 - 2*t)
}

// bell is the Gaussian exp(−(x/width)²), 1 at x = 0.
func bell(x, width float64) float64 { return math.Exp(-square(x / width)) }

// join is the union of two bodies with distances a and b whose seam is filled
// over a width of about k mm (quadratic smooth minimum).
func join(a, b, k float64) float64 {
	t := max(k-math.Abs(a-b), 0) / k
	return min(a, b) - t*t*k/4
}

// meet is the smooth intersection of two bodies with distances a and b.
func meet(a, b, k float64) float64 { return -join(-a, -b, k) }

// roundCone is the distance of q to the hull of a circle of radius r1 about a
// and one of radius r2 about b, negative inside.
func roundCone(q, a, b point, r1, r2 float64) float64 {
	axis := b.minus(a)
	long := axis.length()
	if long <= math.Abs(r1-r2) { // one circle lies inside the other
		return min(q.minus(a).length()-r1, q.minus(b).length()-r2)
	}
	d := q.minus(a)
	y := (d.p*axis.p + d.h*axis.h) / long
	x := math.Abs(d.p*axis.h-d.h*axis.p) / long
	sin := (r1 - r2) / long
	cos := math.Sqrt(1 - sin*sin)
	switch k := y*cos - x*sin; {
	case k < 0:
		return d.length() - r1
	case k > cos*long:
		return q.minus(b).length() - r2
	}
	return x*cos + y*sin - r1
}

// ellipse is about the distance of q to an ellipse about c with semi-axes r,
// negative inside; exact on its border to first order.
func ellipse(q, c, r point) float64 {
	d := q.minus(c)
	k0 := point{d.p / r.p, d.h / r.h}.length()
	if k0 == 0 {
		return -min(r.p, r.h)
	}
	k1 := point{d.p / (r.p * r.p), d.h / (r.h * r.h)}.length()
	return k0 * (k0 - 1) / k1
}

// band is the distance of q to a strand of half-thickness r along the points,
// negative inside.
func band(q point, r float64, points ...point) float64 {
	best := math.Inf(1)
	for i := 1; i < len(points); i++ {
		a, ab := points[i-1], points[i].minus(points[i-1])
		aq := q.minus(a)
		t := clamp((aq.p*ab.p+aq.h*ab.h)/(ab.p*ab.p+ab.h*ab.h), 0, 1)
		best = min(best, point{aq.p - t*ab.p, aq.h - t*ab.h}.length())
	}
	return best - r
}

// curve is a smooth function of the height through knots of growing h; it is constant outside its
// ends.
type curve []point // p is the value at h

// value interpolates by cubic Hermite pieces with Catmull-Rom slopes.
func (c curve) value(h float64) float64 {
	last := len(c) - 1
	if h <= c[0].h {
		return c[0].p
	}
	if h >= c[last].h {
		return c[last].p
	}
	i := 0
	for h > c[i+1].h {
		i++
	}
	width := c[i+1].h - c[i].h
	t := (h - c[i].h) / width
	t2, t3 := t*t, t*t*t
	return (2*t3-3*t2+1)*c[i].p + (t3-2*t2+t)*width*c.slope(i) +
		(3*t2-2*t3)*c[i+1].p + (t3-t2)*width*c.slope(i+1)
}

func (c curve) slope(i int) float64 {
	lo, hi := max(i-1, 0), min(i+1, len(c)-1)
	return (c[hi].p - c[lo].p) / (c[hi].h - c[lo].h)
}

// texture is smooth noise in [−1, 1] with a grain of 1 in each coordinate:
// random numbers on the lattice of whole numbers, interpolated between. The
// seed makes it differ between knees.
func texture(seed uint64, x, y, z float64) float64 {
	fx, fy, fz := math.Floor(x), math.Floor(y), math.Floor(z)
	tx, ty, tz := fade(x-fx), fade(y-fy), fade(z-fz)
	ix, iy, iz := uint64(int64(fx)), uint64(int64(fy)), uint64(int64(fz))
	var plane [2]float64
	for k := range plane {
		kz := iz + uint64(k)
		a := lattice(seed, ix, iy, kz)*(1-tx) + lattice(seed, ix+1, iy, kz)*tx
		b := lattice(seed, ix, iy+1, kz)*(1-tx) + lattice(seed, ix+1, iy+1, kz)*tx
		plane[k] = a*(1-ty) + b*ty
	}
	return plane[0]*(1-tz) + plane[1]*tz
}

func fade(t float64) float64 { return t * t * (3 - 2*t) }

// lattice is a random number in [−1, 1) that depends on its arguments alone:
// the finaliser of SplitMix64 (Steele, Lea, Flood 2014) on a linear mix of them.
func lattice(seed, x, y, z uint64) float64 {
	n := seed + x*0x9e3779b97f4a7c15 + y*0xc2b2ae3d27d4eb4f + z*0x165667b19e3779f9
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	n ^= n >> 31
	return float64(n>>11)/(1<<52) - 1
}
