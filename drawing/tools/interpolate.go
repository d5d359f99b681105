package tools

import (
	"fmt"
	"image"
	"math"
)

// interpolate collects the voxels of the slices between From and Slice that get Label.
//
// Each shape becomes a map of distances from its edge in mm, positive inside. A voxel of a slice between them gets Label
// if the mean of both distances, weighted by how near the slices are, is not negative (shape-based interpolation: Raya
// and Udupa 1990, IEEE Transactions on Medical Imaging 9:32–42). Zero counts as inside, so that thin shapes that hardly
// overlap do not vanish. Shapes that do not overlap at all are first laid over each other with their centroids, to the
// nearest voxel, and what is between them is moved from one place to the other. If shapes differ so much that they
// then still do not overlap, slices in the middle may get nothing; it is an error if all do.
func (p *painter) interpolate() error {
	// In this order, so that exchanging the two slices changes nothing.
	first, last := min(p.From, p.Slice), max(p.From, p.Slice)
	if last-first < 2 {
		return fmt.Errorf("there is no slice between those with the indices %d and %d", p.From, p.Slice)
	}
	a, b := p.shape(first), p.shape(last)
	for _, s := range []shape{a, b} {
		if s.voxels == 0 {
			return fmt.Errorf("the slice with index %d has no voxel of label %d", s.slice, p.Label)
		}
	}
	var move image.Point // from the first to the last slice
	if !p.overlap(a, b) {
		move = image.Pt(int(math.Round(b.centre[0]-a.centre[0])), int(math.Round(b.centre[1]-a.centre[1])))
	}
	// A margin of one voxel around both shapes is outside of them.
	box := a.box.Union(b.box.Sub(move)).Inset(-1)
	fromA, fromB := p.distances(first, box, image.Point{}), p.distances(last, box, move)
	drawn := false
	for k := first + 1; k < last; k++ {
		part := float64(k-first) / float64(last-first)
		to := image.Pt(int(math.Round(part*float64(move.X))), int(math.Round(part*float64(move.Y))))
		m := mixture{box.Add(to), fromA, fromB, float64(last - k), float64(k - first)}
		drawn = p.paintMixture(k, m) || drawn
	}
	if !drawn {
		return fmt.Errorf("the shapes of label %d in both slices differ too much", p.Label)
	}
	return nil
}

// shape is the extent of Label in a slice.
type shape struct {
	slice  int
	box    image.Rectangle
	voxels int
	centre [2]float64 // mean of i and j
}

// shape returns the shape in slice k.
func (p *painter) shape(k int) shape {
	s := shape{slice: k, box: p.bounds(k)}
	var sum [2]int
	for j := s.box.Min.Y; j < s.box.Max.Y; j++ {
		for n, label := range p.mask.Data[p.row(j, k)+s.box.Min.X:][:s.box.Dx()] {
			if label == p.Label {
				s.voxels++
				sum[0] += s.box.Min.X + n
				sum[1] += j
			}
		}
	}
	s.centre = [2]float64{float64(sum[0]) / float64(s.voxels), float64(sum[1]) / float64(s.voxels)}
	return s
}

// overlap reports whether two shapes have a voxel (i, j) in common.
func (p *painter) overlap(a, b shape) bool {
	box := a.box.Intersect(b.box)
	for j := box.Min.Y; j < box.Max.Y; j++ {
		rowA, rowB := p.row(j, a.slice), p.row(j, b.slice)
		for i := box.Min.X; i < box.Max.X; i++ {
			if p.mask.Data[rowA+i] == p.Label && p.mask.Data[rowB+i] == p.Label {
				return true
			}
		}
	}
	return false
}

// distances returns for each voxel of a box the distance in mm from the edge of Label in slice k: inside, to the nearest
// voxel without Label; outside, minus that to the nearest voxel with it. Voxel v of the box is voxel v + move of the slice.
// What is outside of the slice has no label.
func (p *painter) distances(k int, box image.Rectangle, move image.Point) []float64 {
	width, height := box.Dx(), box.Dy()
	inside := make([]bool, width*height)
	within := box.Add(move).Intersect(p.slice())
	for j := within.Min.Y; j < within.Max.Y; j++ {
		row := inside[(j-move.Y-box.Min.Y)*width+within.Min.X-move.X-box.Min.X:]
		for n, label := range p.mask.Data[p.row(j, k)+within.Min.X:][:within.Dx()] {
			row[n] = label == p.Label
		}
	}
	out := squares(inside, true, width, p.spacing)
	for v, square := range squares(inside, false, width, p.spacing) {
		out[v] = math.Sqrt(square) - math.Sqrt(out[v]) // one of them is 0
	}
	return out
}

// mixture is a weighted sum of two maps of distances, which lies on a box of a slice.
type mixture struct {
	box              image.Rectangle
	fromA, fromB     []float64
	weightA, weightB float64
}

// paintMixture gives Label to the voxels of slice k where a mixture is not negative. It reports whether there are any,
// even if they do not change.
func (p *painter) paintMixture(k int, m mixture) (drawn bool) {
	// Rounding must not decide whether a sum is 0.
	zero := -slack * min(p.spacing[0], p.spacing[1]) * (m.weightA + m.weightB)
	within := m.box.Intersect(p.slice())
	for j := within.Min.Y; j < within.Max.Y; j++ {
		start := (j-m.box.Min.Y)*m.box.Dx() + within.Min.X - m.box.Min.X
		fromA, fromB := m.fromA[start:][:within.Dx()], m.fromB[start:][:within.Dx()]
		first := p.row(j, k) + within.Min.X
		for n := range fromA {
			if float64(m.weightA*fromA[n])+float64(m.weightB*fromB[n]) >= zero {
				drawn = true
				p.paint(first+n, p.Label)
			}
		}
	}
	return drawn
}

// squares returns for each voxel of a box the square of the distance in mm to the nearest one for which inside is the given
// value, +Inf if there is none. Along j, distances to the nearest voxel of a column are counted; along i, the lower
// envelope of parabolas is exact (Felzenszwalb and Huttenlocher 2012, Theory of Computing 8:415–428).
func squares(inside []bool, value bool, width int, spacing [2]float64) []float64 {
	out := make([]float64, len(inside))
	for v, in := range inside {
		switch {
		case in == value:
		case v < width:
			out[v] = math.Inf(1)
		default:
			out[v] = out[v-width] + 1
		}
	}
	for v := len(out) - 1 - width; v >= 0; v-- {
		out[v] = min(out[v], out[v+width]+1)
	}
	e := envelope{line: make([]float64, width), vertex: make([]int, width), start: make([]float64, width)}
	for v := 0; v < len(out); v += width {
		row := out[v:][:width]
		for n, voxels := range row {
			d := voxels * spacing[1]
			row[n] = float64(d * d)
		}
		e.minimise(row, spacing[0])
	}
	return out
}

// envelope is scratch memory for a row: its values, the vertices of the parabolas of the lower envelope, and the position
// from which each of them is the lowest.
type envelope struct {
	line   []float64
	vertex []int
	start  []float64
}

// minimise replaces each value f(q) of a row by the minimum of f(p) + ((q − p)·spacing)² over p.
func (e *envelope) minimise(values []float64, spacing float64) {
	copy(e.line, values)
	parabolas := e.build(spacing)
	if parabolas == 0 {
		return
	}
	for q, n := 0, 0; q < len(values); q++ {
		for n+1 < parabolas && e.start[n+1] < float64(q) {
			n++
		}
		d := float64(q-e.vertex[n]) * spacing
		values[q] = e.line[e.vertex[n]] + float64(d*d)
	}
}

// build finds the parabolas of the envelope and returns their number.
func (e *envelope) build(spacing float64) (parabolas int) {
	scale := 1 / (2 * spacing * spacing)
	for q, f := range e.line {
		if math.IsInf(f, 1) {
			continue
		}
		start := math.Inf(-1)
		for parabolas > 0 {
			p := e.vertex[parabolas-1]
			start = float64((f-e.line[p])*scale)/float64(q-p) + float64(q+p)/2
			if start > e.start[parabolas-1] {
				break
			}
			parabolas--
			start = math.Inf(-1)
		}
		e.vertex[parabolas], e.start[parabolas] = q, start
		parabolas++
	}
	return parabolas
}
