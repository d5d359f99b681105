package anatomy

import (
	"context"
	"math"
	"slices"

	"github.com/t2map/t2map/volume"
)

const (
	// defectShare is the part of the depth of the deepest bay that the one to the back has at least
	// where the other is a defect: the notch is 20 mm deep and more, a condyle 30 wide. Of an arch that
	// is turned by a wrong affine, what opens to the back is less.
	defectShare = 0.5
	// leastBay is how deep the bay between the condyles is at least, mm, as seen along the
	// superior axis. It is 37 mm in ../shared/data/knee-dess-seg; the trochlear groove, which
	// is the bay that the cartilage has in front, is under 8 mm.
	leastBay = 12
	// azimuths is the number of directions that are tried; the bay keeps two thirds of its
	// depth 20° off.
	azimuths = 72
	// maxTurns bounds the number of corrections of the axes; each leaves less than a third of
	// the error of the last.
	maxTurns = 12
	// converged is the correction, in radians, below which the axes are found: 0.05°, 0.02 mm at
	// the edge of a condyle.
	converged = 0.05 * math.Pi / 180
)

// flat is a set of points by coordinate.
type flat struct{ x, p, h []float64 }

// seen returns the coordinates of the spots in the axes, without crumbs.
func (a Axes) coordinates(all []spot) flat {
	var f flat
	f.set(a, all)
	return f
}

// set sets f to the coordinates of the spots in the axes, without crumbs.
func (f *flat) set(a Axes, all []spot) {
	f.x = slices.Grow(f.x[:0], len(all))
	f.p = slices.Grow(f.p[:0], len(all))
	f.h = slices.Grow(f.h[:0], len(all))
	for n := range all {
		if p := all[n].centre; !all[n].small {
			f.x = append(f.x, p.Dot(a.Left))
			f.p = append(f.p, p.Dot(a.Posterior))
			f.h = append(f.h, p.Dot(a.Superior))
		}
	}
}

// notch is the intercondylar notch as the femoral cartilage shows it: coordinates in mm
// along the axes.
type notch struct {
	axes Axes
	// anterior is p of its anterior end, x its place from side to side.
	anterior, x float64
	// The end is round: it lies at p = anterior + curve·(x − top)².
	curve, top float64
	// middle and lean give the middle of the gap between the condyles: x = middle + lean·(p − anterior).
	middle, lean float64
	// ends are the posterior ends of the condyles of the patient's left and right.
	ends [2]float64
	// centres are their means from side to side.
	centres [2]float64
}

// gap returns x of the middle between the condyles at p.
func (n *notch) gap(p float64) float64 { return n.middle + float64(n.lean*(p-n.anterior)) }

// posterior returns the furthest posterior end of the two condyles.
func (n *notch) posterior() float64 { return max(n.ends[0], n.ends[1]) }

// findNotch finds the posterior direction and the notch from femoral cartilage, which is
// seen along the superior axis as an arch that is open to the back. superior returns the
// superior axis for a left axis, as its correction depends on that.
//
// The posterior axis is first that along which the bay of the arch is deepest. It is then
// turned to the mean of two directions that each have errors of degrees from knee to knee:
// that across the posterior condylar line, which touches the back of both condyles, and that
// along the middle of the notch. The tibia has no part in it, as it turns against the femur: by
// 13° in ../shared/data/knee-dess-seg, by nothing in the phantom. ok is false where there is no
// bay between two condyles, or when ctx ends.
func findNotch(
	ctx context.Context, all []spot, superior func(left vector) vector, g *volume.Geometry,
) (n notch, ok bool) {
	up := superior(vector{})
	left, ok := openSide(all, up, g)
	if !ok {
		return notch{}, false
	}
	var f flat
	part, last := 1.0, 0.0
	for range maxTurns {
		if ctx.Err() != nil {
			return notch{}, false
		}
		a := newAxes(left, superior(left))
		f.set(a, all)
		turn, ok := n.update(a, f, g)
		if !ok {
			return notch{}, false
		}
		if turn*last < 0 { // the ends move in steps, so that turns may go to and fro
			part /= 2
		}
		last = turn
		turn *= part
		if math.Abs(turn) < converged {
			break
		}
		sin, cos := math.Sincos(turn)
		left = a.left().Times(cos).Plus(a.posterior().Times(sin))
	}
	n.anterior = n.edge(all, g)
	n.ends = [2]float64{n.condyleEnd(all, g, 0), n.condyleEnd(all, g, 1)}
	return n, true
}

// openSide returns the left axis for which the arch of femoral cartilage, seen along up,
// is open to the back. A full-thickness defect across a condyle opens the arch to the side, too.
func openSide(all []spot, up vector, g *volume.Geometry) (left vector, ok bool) {
	e1 := vector{1, 0, 0}.Perpendicular(up) // any direction would do: all are tried
	e2 := up.Cross(e1)
	u, v := columns(all, e1, e2)
	depth := make([]float64, azimuths)
	x, p := make([]float64, len(u)), make([]float64, len(u))
	best, usual := 0, -1 // usual is the best of those in which the knee lies as in a scanner
	for d := range depth {
		sin, cos := math.Sincos(2 * math.Pi * float64(d) / azimuths)
		for n := range u {
			x[n] = float64(cos*u[n]) + float64(sin*v[n])
			p[n] = float64(cos*v[n]) - float64(sin*u[n])
		}
		depth[d] = newProfile(x, p, max(0.5, halfStep(g, e1.Times(cos).Plus(e2.Times(sin))))).smooth().deepest().depth
		if depth[d] > depth[best] {
			best = d
		}
		if back := e2.Times(cos).Minus(e1.Times(sin)); back[1] > upright && (usual < 0 || depth[d] > depth[usual]) {
			usual = d
		}
	}
	if depth[best] < leastBay {
		return vector{}, false
	}
	if usual >= 0 && depth[usual] > max(leastBay, defectShare*depth[best]) {
		best = usual
	}
	// The middle of the directions that are nearly as good.
	lo, hi := best, best
	for n := 1; n < azimuths/8 && depth[(best-n+azimuths)%azimuths] > 0.8*depth[best]; n++ {
		lo = best - n
	}
	for n := 1; n < azimuths/8 && depth[(best+n)%azimuths] > 0.8*depth[best]; n++ {
		hi = best + n
	}
	sin, cos := math.Sincos(math.Pi * float64(lo+hi) / azimuths)
	return e1.Times(cos).Plus(e2.Times(sin)), true
}

// columns returns the spots as seen against e1 × e2, one point for each square millimetre.
func columns(all []spot, e1, e2 vector) (u, v []float64) {
	var f flat
	f.set(Axes{Left: e1, Posterior: e2}, all)
	cells := newBins(f.x, 2*strip)
	v0, v1 := slices.Min(f.p)-binOffset, slices.Max(f.p)
	wide := cells.n
	occupied := make([]bool, wide*(int(v1-v0)+1))
	for n := range f.x {
		occupied[int(cells.place(f.x[n]))+wide*int(f.p[n]-v0)] = true
	}
	for cell, t := range occupied {
		if t {
			u = append(u, cells.middle(float64(cell%wide)))
			v = append(v, v0+0.5+float64(cell/wide))
		}
	}
	return u, v
}

// update finds the notch in the axes and returns by how many radians, from left to
// posterior, the axes are off.
func (n *notch) update(a Axes, f flat, g *volume.Geometry) (turn float64, ok bool) {
	raw := newProfile(f.x, f.p, halfStep(g, a.Left))
	shape := raw.smooth()
	b := shape.deepest()
	if b.depth < leastBay {
		return 0, false
	}
	n.axes, n.x = a, shape.middle(float64(b.strip))
	n.anterior, n.curve, n.top = raw.vertex(shape, b, halfStep(g, a.Left))
	n.ends = [2]float64{b.left, b.right}
	n.middleOfGap(f)
	var sum, count [2]float64
	halfway := n.anterior + (min(b.left, b.right)-n.anterior)/2
	for v := range f.x {
		if f.p[v] > halfway {
			side := 0
			if f.x[v] < n.gap(f.p[v]) {
				side = 1
			}
			sum[side] += f.x[v]
			count[side]++
		}
	}
	if count[0] == 0 || count[1] == 0 {
		return 0, false
	}
	n.centres = [2]float64{sum[0] / count[0], sum[1] / count[1]}
	condylar := math.Atan2(n.ends[0]-n.ends[1], n.centres[0]-n.centres[1])
	// Slices across the gap round its edges to their thickness, which half of ever less counts.
	half := halfStep(g, a.Left)
	weight := 0.5 / (1 + half*half/4)
	return float64((1-weight)*condylar) - float64(weight*math.Atan(n.lean)), true
}

// middleOfGap follows the gap between the condyles from the notch to the back, in steps of
// 1 mm, and fits a line to its middle by least squares.
func (n *notch) middleOfGap(f flat) {
	rows := int(min(n.ends[0], n.ends[1])-n.anterior) - 2 // the backs of the condyles are round
	cells := newBins(f.x, 2*strip)
	wide := cells.n
	occupied := make([]bool, wide*max(0, rows))
	for v := range f.x {
		row := int(math.Floor(f.p[v] - n.anterior))
		for r := max(0, row-1); r <= min(rows-1, row+1); r++ { // thick slices leave rows empty
			occupied[int(cells.place(f.x[v]))+wide*r] = true
		}
	}
	var s, sp, sx, spp, spx float64
	centre := math.Floor(cells.place(n.x))
	for r := 3; r < rows; r++ { // up to here the rows of the end itself are taken
		left, right := int(math.Ceil(centre)), int(math.Floor(centre))
		for left < wide && !occupied[left+wide*r] {
			left++
		}
		for right >= 0 && !occupied[right+wide*r] {
			right--
		}
		if left >= wide || right < 0 || occupied[int(math.Ceil(centre))+wide*r] ||
			occupied[int(math.Floor(centre))+wide*r] { // a bridge, or beyond a condyle
			continue
		}
		centre = float64(left+right) / 2
		p := float64(r) + 0.5
		s, sp, sx, spp, spx = s+1, sp+p, sx+centre, spp+float64(p*p), spx+float64(p*centre)
	}
	n.middle, n.lean = n.x, 0
	if det := float64(s*spp) - float64(sp*sp); s >= 5 && det > 0 {
		n.lean = (float64(s*spx) - float64(sp*sx)) / det
		n.middle = cells.middle((sx - float64(n.lean*sp)) / s)
		n.lean *= cells.width
	}
}
