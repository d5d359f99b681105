package tools

import (
	"image"
	"math"
)

// smooth collects the voxels that change if the outlines of Label in slice k are smoothed.
//
// What is smoothed is the course of each outline, not the area. To blur the area, and to keep what is above one half,
// makes a layer of cartilage thinner from both sides, and a layer of two or three voxels vanishes. Here both sides of a
// layer are curves that are smoothed one by one, so that their distance remains.
//
// Each point of an outline is replaced by a mean of the points within twice RadiusMM along the outline. Since a mean
// moves a curved line towards its inside, the same mean of what was lost is added ("twicing"; Taubin 1995, ICCV,
// 852–857, has the same aim): a circle whose radius is four times RadiusMM then shrinks by less than a part in a
// thousand. Each time, tips of thin layers become about a third of RadiusMM shorter. Outlines that are shorter than a
// circle with twice RadiusMM are smoothed less.
//
// Beside other labels nothing is erased, so that no gap opens between two tissues. A piece of which no voxel would
// remain stays as it is.
func (p *painter) smooth(k int) {
	box := p.bounds(k)
	if box.Empty() {
		return
	}
	outlines := p.picture(k, box).outlines()
	reach := box
	for n, o := range outlines {
		outlines[n] = smoothed(o, p.spacing, p.RadiusMM)
		reach = reach.Union(surroundings(outlines[n], image.Point{}))
	}
	after := p.inside(reach.Intersect(p.slice()), outlines)
	p.keepPieces(k, after)
	for j := after.box.Min.Y; j < after.box.Max.Y; j++ {
		first := p.row(j, k) + after.box.Min.X
		for n, state := range after.row(j) {
			switch v := first + n; {
			case state == open:
				p.paint(v, p.Label)
			case p.mask.Data[v] == p.Label && !p.besideOther(after.box.Min.X+n, j, k):
				p.paint(v, 0)
			}
		}
	}
}

// inside returns an area in which voxels inside of outlines or on them are open.
func (p *painter) inside(box image.Rectangle, outlines [][]point) *area {
	winding, on := newCanvas(box), newCanvas(box)
	for _, o := range outlines {
		coverOutline(winding, on, o)
	}
	a := newArea(box)
	counts, edges := make([]int32, box.Dx()), make([]int32, box.Dx())
	for j := box.Min.Y; j < box.Max.Y; j++ {
		winding.row(j, counts)
		on.row(j, edges)
		for n, row := 0, a.row(j); n < len(row); n++ {
			// An outline of a hole winds in the other direction, and so does a tip that is turned inside out.
			if counts[n] > 0 || edges[n] > 0 {
				row[n] = open
			}
		}
	}
	return a
}

// keepPieces opens all voxels of those pieces of Label in slice k, connected through edges or corners, that have no open
// voxel.
func (p *painter) keepPieces(k int, after *area) {
	before := newArea(after.box)
	for j := before.box.Min.Y; j < before.box.Max.Y; j++ {
		row := before.row(j)
		for n, label := range p.mask.Data[p.row(j, k)+before.box.Min.X:][:len(row)] {
			if label == p.Label {
				row[n] = open
			}
		}
	}
	type span struct{ j, first, last int }
	var piece []span
	for v := range before.state {
		if before.state[v] != open {
			continue
		}
		piece = piece[:0]
		kept := false
		at := image.Pt(v%before.box.Dx(), v/before.box.Dx()).Add(before.box.Min)
		before.flood(at.X, at.Y, 1, func(j, first, last int) {
			piece = append(piece, span{j, first, last})
			for _, state := range after.row(j)[first-after.box.Min.X : last+1-after.box.Min.X] {
				kept = kept || state == open
			}
		})
		for n := 0; n < len(piece) && !kept; n++ {
			for i := piece[n].first; i <= piece[n].last; i++ {
				after.row(piece[n].j)[i-after.box.Min.X] = open
			}
		}
	}
}

// besideOther reports whether one of the four neighbours of voxel (i, j, k) in the slice has another label than Label and 0.
func (p *painter) besideOther(i, j, k int) bool {
	for side := range sides {
		to := image.Pt(i, j).Add(sides[side].out)
		if to.In(p.slice()) {
			if label := p.mask.Data[p.row(to.Y, k)+to.X]; label != 0 && label != p.Label {
				return true
			}
		}
	}
	return false
}

// picture says which voxels of a box have a label. The box may be larger than the slice.
type picture struct {
	box  image.Rectangle
	with []bool
}

// picture returns the voxels with Label in slice k, of which box has all. Where Label meets the border of the slice, the
// voxels at the border are repeated outside of it, so that its outline is not rounded where the image ends.
func (p *painter) picture(k int, box image.Rectangle) picture {
	slice := p.slice()
	reach := 2 * 2 * p.RadiusMM // of a mean of means
	beyond := image.Pt(min(int(reach/p.spacing[0])+2, mostRepeated), min(int(reach/p.spacing[1])+2, mostRepeated))
	large := box
	if box.Min.X == slice.Min.X {
		large.Min.X -= beyond.X
	}
	if box.Min.Y == slice.Min.Y {
		large.Min.Y -= beyond.Y
	}
	if box.Max.X == slice.Max.X {
		large.Max.X += beyond.X
	}
	if box.Max.Y == slice.Max.Y {
		large.Max.Y += beyond.Y
	}
	out := picture{large, make([]bool, large.Dx()*large.Dy())}
	for j := large.Min.Y; j < large.Max.Y; j++ {
		row := out.with[(j-large.Min.Y)*large.Dx():][:large.Dx()]
		from := p.mask.Data[p.row(min(max(j, 0), slice.Max.Y-1), k):][:slice.Max.X]
		for n := range row {
			row[n] = from[min(max(large.Min.X+n, 0), slice.Max.X-1)] == p.Label
		}
	}
	return out
}

// mostRepeated is the largest number of rows or columns that are repeated. The largest radius needs no more if voxels are at
// least 0.2 mm wide; smaller ones must not fill the memory.
const mostRepeated = 64

// has reports whether a voxel has the label. Voxels outside of the box do not.
func (c picture) has(v image.Point) bool {
	return v.In(c.box) && c.with[(v.Y-c.box.Min.Y)*c.box.Dx()+v.X-c.box.Min.X]
}

// sides are the sides of a voxel, clockwise where j points down: the step across the side, and that along it.
var sides = [4]struct{ out, along image.Point }{
	{image.Pt(0, -1), image.Pt(1, 0)}, {image.Pt(1, 0), image.Pt(0, 1)},
	{image.Pt(0, 1), image.Pt(-1, 0)}, {image.Pt(-1, 0), image.Pt(0, -1)},
}

// outlines returns the closed outlines of the voxels with the label, through the middles of the sides of voxels at which
// they end. The voxels are to the right of an outline where j points down. Voxels that share a corner are connected.
func (c picture) outlines() [][]point {
	var out [][]point
	// Every outline goes along an upper side of a voxel.
	done := make([]bool, len(c.with))
	for n, with := range c.with {
		v := image.Pt(n%c.box.Dx(), n/c.box.Dx()).Add(c.box.Min)
		if with && !done[n] && !c.has(v.Add(sides[0].out)) {
			out = append(out, c.follow(v, done))
		}
	}
	return out
}

// follow returns the outline that goes along the upper side of voxel start, and notes the voxels whose upper sides it
// goes along.
func (c picture) follow(start image.Point, done []bool) []point {
	var out []point
	for v, side := start, 0; ; {
		if side == 0 {
			n := (v.Y-c.box.Min.Y)*c.box.Dx() + v.X - c.box.Min.X
			if done[n] {
				return out // only the first side can be met twice
			}
			done[n] = true
		}
		s := sides[side]
		out = append(out, point{int64(v.X)*unit + int64(s.out.X)*unit/2, int64(v.Y)*unit + int64(s.out.Y)*unit/2})
		switch next := v.Add(s.along); {
		case c.has(next.Add(s.out)):
			v, side = next.Add(s.out), (side+3)%4
		case c.has(next):
			v = next
		default:
			side = (side + 1) % 4
		}
	}
}

// smoothed returns a smoothed outline. The spacing is in mm along i and j.
func smoothed(outline []point, spacing [2]float64, radius float64) []point {
	n := len(outline)
	points, steps := make([][2]float64, n), make([]float64, n)
	length := 0.0
	for k, a := range outline {
		b := outline[(k+1)%n]
		points[k] = [2]float64{float64(a.x), float64(a.y)}
		steps[k] = math.Sqrt(squared(float64(b.x-a.x)*spacing[0], float64(b.y-a.y)*spacing[1])) / unit
		length += steps[k]
	}
	reach := min(2*radius, length/(2*math.Pi))
	once := means(points, steps, reach)
	twice := means(once, steps, reach)
	out := make([]point, n)
	for k := range out {
		out[k].x = int64(math.RoundToEven(2*once[k][0] - twice[k][0]))
		out[k].y = int64(math.RoundToEven(2*once[k][1] - twice[k][1]))
	}
	return out
}

// means returns for each point of a closed line the weighted mean of the points at distances s < reach along the line.
// Steps has the length from each point to the next. A weight is (1 − (s/reach)²)², which resembles a Gaussian, times the
// length of line that belongs to a point. The reach must be less than half of the length of the line.
func means(points [][2]float64, steps []float64, reach float64) [][2]float64 {
	n := len(points)
	out := make([][2]float64, n)
	share := make([]float64, n)
	for k := range share {
		share[k] = (steps[(k+n-1)%n] + steps[k]) / 2
	}
	for k := range out {
		weights := share[k]
		sum := [2]float64{float64(share[k] * points[k][0]), float64(share[k] * points[k][1])}
		add := func(m int, s float64) {
			w := 1 - float64(s*s)/float64(reach*reach)
			w = float64(w * w * share[m])
			weights += w
			sum[0] += float64(w * points[m][0])
			sum[1] += float64(w * points[m][1])
		}
		for m, s := k, steps[k]; s < reach; s += steps[m] {
			m = (m + 1) % n
			add(m, s)
		}
		for m, s := (k+n-1)%n, steps[(k+n-1)%n]; s < reach; s += steps[m] {
			add(m, s)
			m = (m + n - 1) % n
		}
		out[k] = [2]float64{sum[0] / weights, sum[1] / weights}
	}
	return out
}
