package resample

import (
	"context"
	"math"

	"github.com/t2map/t2map/internal/parallel"
	"github.com/t2map/t2map/volume"
)

// maxHalf is half the largest extent of a voxel of the series in voxels of the mask. No mask in use is
// that much finer than its series.
const maxHalf = 31

// slack is how much farther a window extends than its voxel, in voxels of the mask, so that no point
// leaves it by rounding to 2^−pointBits.
const slack = 1.0 / 1024

// window is the part of the mask that one voxel of the series can touch.
type window struct {
	*cloud
	extent, stride [3]int
	labels         []uint16
	// axis is the longest axis, along which columns are counted, and sides are the other two.
	axis  int
	sides [2]int
	// shares are the labels in the voxel, without 0, with their numbers of points.
	shares []labelShare
	// edge is scratch memory for a row of the window that is partly outside the mask.
	edge []uint16
	// planes are the points above the lower face of each voxel of the window, by axis.
	planes [3][]set
	// slab and column are the points in a slab of the window, and in a column of the slab.
	slab, column set
}

// labelShare is the number of points in a label.
type labelShare struct {
	label  uint16
	points int
}

func newWindow(p placement, c *cloud) *window {
	w := &window{cloud: c}
	size := 1
	for a, half := range p.half {
		w.extent[a] = int(2*half+2*slack) + 2
		w.stride[a] = size
		size *= w.extent[a]
		w.planes[a] = make([]set, w.extent[a]+1)
		if w.extent[a] > w.extent[w.axis] {
			w.axis = a
		}
	}
	w.sides = [2]int{(w.axis + 1) % 3, (w.axis + 2) % 3}
	w.labels, w.edge = make([]uint16, size), make([]uint16, w.extent[0])
	words := len(c.farthest[0][0])
	w.slab, w.column = make(set, words), make(set, words)
	return w
}

// fill copies the labels of the mask, starting at voxel first. It returns whether labels are mixed and, if
// they are not, the label.
func (w *window) fill(mask volume.Labels, first [3]int) (label uint16, mixed bool) {
	common, any := uint16(math.MaxUint16), uint16(0) // the bits that all labels have, and that any has
	nx, ny, nz := mask.Size[0], mask.Size[1], mask.Size[2]
	inside := first[0] >= 0 && first[0]+w.extent[0] <= nx
	rest := w.labels
	for z := range w.extent[2] {
		for y := range w.extent[1] {
			dst := rest[:w.extent[0]]
			rest = rest[w.extent[0]:]
			j, k := first[1]+y, first[2]+z
			if uint(j) >= uint(ny) || uint(k) >= uint(nz) {
				clear(dst)
				common = 0
				continue
			}
			row := mask.Data[nx*(j+ny*k):][:nx]
			if !inside {
				row = w.padded(row, first[0])
			} else {
				row = row[first[0]:]
			}
			row = row[:len(dst)]
			for x, label := range row {
				dst[x] = label
				common, any = common&label, any|label
			}
		}
	}
	return any, common != any
}

// padded returns the part of a row in the window, with background outside the mask.
func (w *window) padded(row []uint16, first int) []uint16 {
	clear(w.edge)
	for x := range w.edge {
		if i := first + x; uint(i) < uint(len(row)) {
			w.edge[x] = row[i]
		}
	}
	return w.edge
}

// count sets the shares of the labels for a voxel whose centre is at x, in voxels of the mask from the
// corner of the window. No point lies outside the window.
func (w *window) count(x [3]float64) {
	w.shares = w.shares[:0]
	for a, planes := range w.planes {
		centre := int(math.Round(x[a] * (1 << pointBits)))
		for n := range planes {
			planes[n] = w.farFrom(a, n<<pointBits-centre)
		}
	}
	a, b := w.sides[0], w.sides[1]
	for i := range w.extent[a] {
		if !w.slab.difference(w.planes[a][i], w.planes[a][i+1]) {
			continue
		}
		for j := range w.extent[b] {
			if n := w.column.restrict(w.slab, w.planes[b][j], w.planes[b][j+1]); n > 0 {
				w.countColumn(n, i*w.stride[a]+j*w.stride[b])
			}
		}
	}
}

// countColumn adds the n points of the column that starts at voxel first to their labels. Where the label
// changes, it counts the points above that plane.
func (w *window) countColumn(n, first int) {
	stride := w.stride[w.axis]
	last := w.labels[first]
	for k := 1; k < w.extent[w.axis] && n > 0; k++ {
		label := w.labels[first+k*stride]
		if label == last {
			continue
		}
		rest := w.column.common(w.planes[w.axis][k])
		w.add(last, n-rest)
		n, last = rest, label
	}
	w.add(last, n)
}

// add adds points to the share of a label.
func (w *window) add(label uint16, points int) {
	if label == 0 || points == 0 {
		return
	}
	for n := range w.shares {
		if w.shares[n].label == label {
			w.shares[n].points += points
			return
		}
	}
	w.shares = append(w.shares, labelShare{label, points})
}

// chunk holds the fractions of some rows of the series.
type chunk struct {
	voxels, entries []uint32 // entries per voxel
	label           []uint16
	fraction        []float32
}

// rowsPerChunk is the number of rows of the series in a chunk: few, so that the workers end at about the
// same time.
const rowsPerChunk = 16

// sample computes the fractions of all voxels.
func (p placement) sample(
	ctx context.Context, mask volume.Labels, s *survey, points *cloud, workers int, out *Fractions,
) error {
	low, high := p.reachable(s)
	rows := max(0, high[1]-low[1]) * max(0, high[2]-low[2])
	chunks := make([]chunk, (rows+rowsPerChunk-1)/rowsPerChunk)
	err := parallel.EachWorker(ctx, len(chunks), workers, func() func(int) error {
		w := newWindow(p, points)
		return func(n int) error {
			r := rowSampler{p, mask, s, w, &chunks[n]}
			for row := n * rowsPerChunk; row < min((n+1)*rowsPerChunk, rows); row++ {
				r.row(low[0], high[0], low[1]+row%(high[1]-low[1]), low[2]+row/(high[1]-low[1]))
			}
			return nil
		}
	})
	if err != nil {
		return err
	}
	join(chunks, out)
	return nil
}

// join appends the chunks in order.
func join(chunks []chunk, out *Fractions) {
	voxels, entries := 0, 0
	for _, c := range chunks {
		voxels, entries = voxels+len(c.voxels), entries+len(c.label)
	}
	out.Voxels, out.Start = make([]uint32, 0, voxels), append(make([]uint32, 0, voxels+1), 0)
	out.Label, out.Fraction = make([]uint16, 0, entries), make([]float32, 0, entries)
	for n := range chunks {
		c := &chunks[n]
		out.Voxels = append(out.Voxels, c.voxels...)
		for _, e := range c.entries {
			out.Start = append(out.Start, out.Start[len(out.Start)-1]+e)
		}
		out.Label, out.Fraction = append(out.Label, c.label...), append(out.Fraction, c.fraction...)
		*c = chunk{}
	}
}

// reachable returns the range of voxels of the series that can overlap a labelled block; end is exclusive.
func (p placement) reachable(s *survey) (start, end [3]int) {
	low, high := [3]float64{math.Inf(1), math.Inf(1), math.Inf(1)}, [3]float64{math.Inf(-1), math.Inf(-1), math.Inf(-1)}
	for corner := range 8 {
		var corners [3]float64
		for a := range corners {
			corners[a] = float64(s.start[a]) - 0.5
			if corner>>a&1 == 1 {
				corners[a] = float64(s.end[a]) - 0.5
			}
		}
		for a, x := range apply(&p.toSeries, corners[0], corners[1], corners[2]) {
			low[a], high[a] = min(low[a], x), max(high[a], x)
		}
	}
	for a, n := range p.series.Size {
		reach := max(0.5, p.reach) // more if slices overlap
		start[a] = int(max(0, math.Floor(low[a]-reach)))
		end[a] = int(min(float64(n), math.Ceil(high[a]+reach)+1))
		start[a] = min(start[a], end[a])
	}
	return start, end
}

// rowSampler samples rows of the series into a chunk.
type rowSampler struct {
	p    placement
	mask volume.Labels
	*survey
	w   *window
	out *chunk
}

// row samples the voxels i = head to end, exclusive, of a row.
func (r *rowSampler) row(head, end, j, k int) {
	first := r.p.series.Size[0] * (j + r.p.series.Size[1]*k)
	m := &r.p.toMask
	start := apply(m, 0, float64(j), float64(k))
	centre := func(i float64) (x [3]float64) {
		for a := range x {
			x[a] = start[a] + float64(m[a][0]*i)
		}
		return x
	}
	for run := head; run < end; run += runLength {
		if !r.near(centre(float64(run) + (runLength-1)/2.0)) {
			continue
		}
		for i := run; i < min(run+runLength, end); i++ {
			r.voxel(uint32(first+i), centre(float64(i)))
		}
	}
}

// voxel samples a voxel whose centre is at x, in indices of the mask.
func (r *rowSampler) voxel(voxel uint32, x [3]float64) {
	var corner [3]int
	for a := range x {
		low := math.Floor(x[a] - r.p.half[a] + 0.5 - slack)
		corner[a] = int(low)
		x[a] += 0.5 - low
	}
	low, high := r.labelRange(corner, r.w.extent)
	if high == 0 {
		return
	}
	if low == high {
		r.out.whole(voxel, low)
		return
	}
	label, mixed := r.w.fill(r.mask, corner)
	if !mixed {
		if label != 0 {
			r.out.whole(voxel, label)
		}
		return
	}
	r.w.count(x)
	first := len(r.out.label)
	for _, s := range r.w.shares {
		r.out.add(first, s.label, float32(s.points)/float32(r.w.n))
	}
	if n := len(r.out.label) - first; n > 0 {
		r.out.voxels, r.out.entries = append(r.out.voxels, voxel), append(r.out.entries, uint32(n))
	}
}

// add inserts an entry for the voxel whose entries begin at first, in increasing order of labels.
func (c *chunk) add(first int, label uint16, fraction float32) {
	c.label, c.fraction = append(c.label, label), append(c.fraction, fraction)
	for n := len(c.label) - 1; n > first && c.label[n] < c.label[n-1]; n-- {
		c.label[n], c.label[n-1] = c.label[n-1], c.label[n]
		c.fraction[n], c.fraction[n-1] = c.fraction[n-1], c.fraction[n]
	}
}

// whole adds a voxel that one label covers entirely.
func (c *chunk) whole(voxel uint32, label uint16) {
	c.voxels, c.entries = append(c.voxels, voxel), append(c.entries, 1)
	c.label, c.fraction = append(c.label, label), append(c.fraction, 1)
}
