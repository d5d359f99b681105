package anatomy

import (
	"context"
	"math"
	"slices"

	"github.com/t2map/t2map/volume"
)

const (
	// defectShare is how deep the bay that opens posteriorly must be, as a share of the deepest bay, if
	// the deepest bay is a defect. The notch is 20 mm deep or more, and a condyle is 30 mm wide. If a
	// wrong affine rotates the arch, the bay that opens posteriorly is shallower.
	defectShare = 0.5
	// leastBay is the least depth in mm of the bay between the condyles, seen along the superior axis. It
	// is 37 mm deep in ../shared/data/knee-dess-seg. The trochlear groove, the bay at the anterior end of
	// the cartilage, is less than 8 mm deep.
	leastBay = 12
	// azimuths is the number of directions that are tried. At 20° from the best direction, the bay still
	// has two thirds of its depth.
	azimuths = 72
	// maxTurns bounds the number of corrections of the axes. Each reduces the error to less than a third.
	maxTurns = 12
	// converged is the correction in radians below which the search stops: 0.05°, or 0.02 mm at the edge
	// of a condyle.
	converged = 0.05 * math.Pi / 180
)

// flat holds the coordinates of points in some axes: x along Left, p along Posterior, h along Superior.
type flat struct{ x, p, h []float64 }

// coordinates returns the coordinates of the spots in the axes, without small pieces.
func (a Axes) coordinates(all []spot) flat {
	var f flat
	f.set(a, all)
	return f
}

// set sets f to the coordinates of the spots in the axes, without small pieces.
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

// notch is the intercondylar notch, found from the femoral cartilage. Coordinates are in mm along the
// axes.
type notch struct {
	axes Axes
	// anterior is the p of its anterior end, and x the x.
	anterior, x float64
	// The anterior end is a parabola: p = anterior + curve·(x − top)².
	curve, top float64
	// The midline of the gap between the condyles is x = middle + lean·(p − anterior).
	middle, lean float64
	// ends are the p of the posterior ends of the condyles, the patient's left one first.
	ends [2]float64
	// centres are the mean x of the posterior halves of the condyles.
	centres [2]float64
}

// gap returns the x of the midline between the condyles at p.
func (n *notch) gap(p float64) float64 { return n.middle + float64(n.lean*(p-n.anterior)) }

// posterior returns the p of the condyle that ends farther back.
func (n *notch) posterior() float64 { return max(n.ends[0], n.ends[1]) }

// findNotch finds the posterior direction and the notch from the femoral cartilage. Seen along the
// superior axis, this cartilage is an arch that opens posteriorly. superior returns the superior axis for
// a given left axis, because the correction for the slope of the plateau depends on it.
//
// The posterior axis starts as the direction in which the bay of the arch is deepest. It is then rotated
// to the mean of two directions: the perpendicular to the posterior condylar line, which touches the back
// of both condyles, and the midline of the notch. Each of them alone varies by degrees from knee to knee.
// The tibia is not used, because it rotates against the femur: by 13° in ../shared/data/knee-dess-seg, by
// 0° in the phantom. ok is false if there is no bay between two condyles, or if ctx ended.
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
		if turn*last < 0 { // the ends move in steps, so that corrections can oscillate
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

// openSide returns the left axis for which the arch of femoral cartilage, seen along up, opens
// posteriorly. A full-thickness defect across a condyle opens the arch laterally as well.
func openSide(all []spot, up vector, g *volume.Geometry) (left vector, ok bool) {
	e1 := vector{1, 0, 0}.Perpendicular(up) // an arbitrary start: all directions are tried
	e2 := up.Cross(e1)
	u, v := columns(all, e1, e2)
	depth := make([]float64, azimuths)
	x, p := make([]float64, len(u)), make([]float64, len(u))
	best, usual := 0, -1 // usual is the best of the directions that are posterior in the patient
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
		if posterior := e2.Times(cos).Minus(e1.Times(sin)); posterior[1] > upright && (usual < 0 || depth[d] > depth[usual]) {
			usual = d
		}
	}
	if depth[best] < leastBay {
		return vector{}, false
	}
	if usual >= 0 && depth[usual] > max(leastBay, defectShare*depth[best]) {
		best = usual
	}
	// The middle of the range of directions that are nearly as good.
	first, last := best, best
	for n := 1; n < azimuths/8 && depth[(best-n+azimuths)%azimuths] > 0.8*depth[best]; n++ {
		first = best - n
	}
	for n := 1; n < azimuths/8 && depth[(best+n)%azimuths] > 0.8*depth[best]; n++ {
		last = best + n
	}
	sin, cos := math.Sincos(math.Pi * float64(first+last) / azimuths)
	return e1.Times(cos).Plus(e2.Times(sin)), true
}

// columns projects the spots along e1 × e2 and returns one point for each square millimetre that is
// covered.
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

// update finds the notch in the axes. It returns the rotation, in radians from left to posterior, by which
// the axes should be corrected.
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
	// Thick slices across the gap blur its edges: its midline counts half on a fine grid, and less on coarse ones.
	half := halfStep(g, a.Left)
	weight := 0.5 / (1 + half*half/4)
	return float64((1-weight)*condylar) - float64(weight*math.Atan(n.lean)), true
}

// middleOfGap follows the gap between the condyles from the notch to their posterior ends in steps of 1
// mm, and fits a line to its midpoints by least squares.
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
	for r := 3; r < rows; r++ { // the first rows belong to the anterior end itself
		left, right := int(math.Ceil(centre)), int(math.Floor(centre))
		for left < wide && !occupied[left+wide*r] {
			left++
		}
		for right >= 0 && !occupied[right+wide*r] {
			right--
		}
		if left >= wide || right < 0 || occupied[int(math.Ceil(centre))+wide*r] ||
			occupied[int(math.Floor(centre))+wide*r] { // a bridge between the condyles, or outside a condyle
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
