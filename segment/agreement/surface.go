package agreement

import (
	"context"
	"math"
	"slices"

	"github.com/t2map/t2map/volume"
)

// distances sets the surface distances. They are invalid if ctx ended.
func (x *Label) distances(ctx context.Context, a, b volume.Labels, e extent) {
	first, second := surfaceOf(a, x.Value, e), surfaceOf(b, x.Value, e)
	var size [3]int
	for d := range size {
		size[d] = e.high[d] - e.low[d]
	}
	spacing := a.Spacing()
	all := surfaceDistances(ctx, first, second, size, spacing)
	all = append(all, surfaceDistances(ctx, second, first, size, spacing)...)
	slices.Sort(all)
	sum := 0.0
	for _, d := range all {
		sum += d
	}
	x.MeanMM, x.P95MM, x.LargestMM = sum/float64(len(all)), quantile(all, 0.95), all[len(all)-1]
}

// quantile returns the p-quantile of sorted values, linear between order statistics.
func quantile(sorted []float64, p float64) float64 {
	h := p * float64(len(sorted)-1)
	n := int(h)
	if n+1 == len(sorted) {
		return sorted[n]
	}
	return sorted[n] + float64((h-float64(n))*(sorted[n+1]-sorted[n]))
}

// surfaceOf returns the surface of the label as indices within the box of the extent.
func surfaceOf(l volume.Labels, value uint16, e extent) []int {
	var out []int
	stride := [3]int{1, l.Size[0], l.SliceVoxels()}
	n := 0
	for k := e.low[2]; k < e.high[2]; k++ {
		for j := e.low[1]; j < e.high[1]; j++ {
			for i := e.low[0]; i < e.high[0]; i++ {
				if v := i + stride[1]*j + stride[2]*k; l.Data[v] == value {
					for d, place := range [3]int{i, j, k} {
						if place == 0 || place == l.Size[d]-1 || l.Data[v-stride[d]] != value ||
							l.Data[v+stride[d]] != value {
							out = append(out, n)
							break
						}
					}
				}
				n++
			}
		}
	}
	return out
}

// surfaceDistances returns the distance of each point from the nearest point of target. Both are indices
// within a box of the given size.
func surfaceDistances(ctx context.Context, points, target []int, size [3]int, spacing [3]float64) []float64 {
	squares := transform(ctx, target, size, spacing)
	out := make([]float64, len(points))
	for n, v := range points {
		out[n] = math.Sqrt(squares[v])
	}
	return out
}

// transform returns, for each voxel of a box, the square of the distance to the nearest of the given
// voxels. Along one axis after the other, it computes the lower envelope of parabolas (Felzenszwalb and
// Huttenlocher 2012, Theory of Computing 8:415–428), which is exact. It stops when ctx ends.
func transform(ctx context.Context, points []int, size [3]int, spacing [3]float64) []float64 {
	squares := make([]float64, size[0]*size[1]*size[2])
	for v := range squares {
		squares[v] = math.Inf(1)
	}
	for _, v := range points {
		squares[v] = 0
	}
	longest := max(size[0], size[1], size[2])
	e := envelope{line: make([]float64, longest), vertex: make([]int, longest), start: make([]float64, longest)}
	stride := 1
	for d, n := range size {
		for v := range squares {
			if v%voxelsPerCheck == 0 && ctx.Err() != nil {
				return squares
			}
			if v/stride%n == 0 {
				e.minimise(squares[v:], n, stride, spacing[d])
			}
		}
		stride *= n
	}
	return squares
}

// voxelsPerCheck is the number of voxels between two checks of the context: about a millisecond of work.
const voxelsPerCheck = 1 << 16

// envelope is scratch memory for one line: its values, the vertices of the parabolas of the lower
// envelope, and the position from which each of them is the lowest.
type envelope struct {
	line   []float64
	vertex []int
	start  []float64
}

// minimise replaces each value f(q) of a line of n values by the minimum of f(p) + ((q − p)·spacing)² over
// p.
func (e *envelope) minimise(values []float64, n, stride int, spacing float64) {
	line, parabolas := e.line[:n], 0
	for q := range line {
		line[q] = values[q*stride]
	}
	square := spacing * spacing
	for q, f := range line {
		if math.IsInf(f, 1) {
			continue
		}
		for start := math.Inf(-1); ; {
			if parabolas > 0 {
				p := e.vertex[parabolas-1]
				start = (f-line[p])/float64(2*square*float64(q-p)) + float64(q+p)/2
				if start <= e.start[parabolas-1] {
					parabolas--
					start = math.Inf(-1)
					continue
				}
			}
			e.vertex[parabolas], e.start[parabolas] = q, start
			parabolas++
			break
		}
	}
	if parabolas == 0 {
		return
	}
	for q, p := 0, 0; q < n; q++ {
		for p+1 < parabolas && e.start[p+1] < float64(q) {
			p++
		}
		d := float64(q-e.vertex[p]) * spacing
		values[q*stride] = line[e.vertex[p]] + float64(d*d)
	}
}
