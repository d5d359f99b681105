package register

import (
	"math"

	"github.com/t2map/t2map/volume"
)

// bins is the number of bins of each image in the joint histogram, as in the parameters of elastix.
const bins = 32

// metricSamples is the number of points at which the metric is measured: some hundred for each pair
// of bins that the tissues occupy.
const metricSamples = 50000

// mutualInformation returns the mutual information of the images before and after the transform,
//
//	Σ p(a,b)·log(p(a,b) / (p(a)·p(b)))   in nats,
//
// and the fraction of the field that the moving image covers after it. p is the joint histogram of
// 32 × 32 bins between the lowest and highest value of each image; each pair of values is divided
// among neighbouring bins in proportion. It counts points of the field that lie in the moving image
// both before and after the transform, so that both values are of the same tissue. The points are
// spread evenly between the voxels (Roberts' sequence, a Kronecker recurrence with the plastic
// number's analogue in three dimensions), so that the grids do not cause patterns in the metric.
// Values are rounded to 1e-6, because the last bits of a logarithm differ between processors. Both
// are 0 if there is no such point.
func (p pair) mutualInformation(t volume.Rigid) (before, after, overlap float64) {
	return p.information(t, metricSamples, true)
}

// information is mutualInformation at the given number of points. Without compare, before is 0 and
// after counts all points that lie in the moving image after the transform.
func (p pair) information(t volume.Rigid, points int, compare bool) (before, after, overlap float64) {
	g := p.fixed.geometry()
	inverse, _ := p.moving.geometry().Inverse() // prepare has checked it
	var was, is histogram
	inside := 0
	fraction := [3]float64{0.5, 0.5, 0.5}
	step := [3]float64{0.8191725133961645, 0.6710436067037893, 0.5497004779019703}
	for range points {
		var u [3]float64
		for c := range 3 {
			if fraction[c] += step[c]; fraction[c] >= 1 {
				fraction[c]--
			}
			u[c] = float64(fraction[c] * float64(p.fixed.size[c]-1))
		}
		place := position(g, u)
		b1, in := p.moving.inside(index(inverse, t.Apply(place)))
		if !in {
			continue
		}
		inside++
		a := p.fixed.bin(u)
		if compare {
			b0, in := p.moving.inside(index(inverse, place))
			if !in {
				continue
			}
			was.add(a, p.moving.bin(b0))
		}
		is.add(a, p.moving.bin(b1))
	}
	return was.information(), is.information(), float64(inside) / float64(points)
}

// position is volume.Geometry.Position with each product rounded.
func position(g volume.Geometry, u [3]float64) [3]float64 {
	return index(g.Affine, u)
}

// inside reports whether an index lies between the outer voxel centres.
func (p picture) inside(i [3]float64) ([3]float64, bool) {
	for c, x := range i {
		if !(x >= 0 && x <= float64(p.size[c]-1)) {
			return i, false
		}
	}
	return i, true
}

// bin returns the position among the bins of the value at an index inside the grid.
func (s scan) bin(i [3]float64) float64 {
	v := linear(s.voxels, s.size, i)
	return min(max((v-float64(s.low))/float64(s.high-s.low), 0), 1) * (bins - 1)
}

// linear interpolates between the eight voxels around an index that lies between the outer voxel
// centres. The result is the same on every machine.
func linear(data []float32, size [3]int, i [3]float64) float64 {
	var low [3]int
	var part [3]float64
	stride := [3]int{1, size[0], size[0] * size[1]}
	v := 0
	for c, x := range i {
		low[c] = min(int(x), max(size[c]-2, 0))
		part[c] = x - float64(low[c])
		v += stride[c] * low[c]
		if size[c] == 1 {
			stride[c] = 0
		}
	}
	interpolate := func(a, b, t float64) float64 {
		if t == 0 { // so that a NaN in b has no effect
			return a
		}
		return a + float64((b-a)*t)
	}
	row := func(v int) float64 {
		return interpolate(float64(data[v]), float64(data[v+stride[0]]), part[0])
	}
	plane := func(v int) float64 { return interpolate(row(v), row(v+stride[1]), part[1]) }
	return interpolate(plane(v), plane(v+stride[2]), part[2])
}

// histogram counts pairs of values.
type histogram [bins][bins]float64

// add divides one pair among the bins around it.
func (h *histogram) add(a, b float64) {
	i, j := min(int(a), bins-2), min(int(b), bins-2)
	fa, fb := a-float64(i), b-float64(j)
	h[i][j] += float64((1 - fa) * (1 - fb))
	h[i][j+1] += float64((1 - fa) * fb)
	h[i+1][j] += float64(fa * (1 - fb))
	h[i+1][j+1] += float64(fa * fb)
}

// information returns the mutual information in nats.
func (h *histogram) information() float64 {
	var rows, columns [bins]float64
	total := 0.0
	for i := range h {
		for j, n := range h[i] {
			rows[i] += n
			columns[j] += n
			total += n
		}
	}
	sum := 0.0
	for i := range h {
		for j, n := range h[i] {
			if n > 0 {
				sum += float64(n / total * math.Log(n*total/(rows[i]*columns[j])))
			}
		}
	}
	return math.Round(sum*1e6) / 1e6
}
