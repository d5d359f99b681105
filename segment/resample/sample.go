package resample

import (
	"context"
	"math"
	"math/bits"
	"slices"

	"github.com/t2map/t2map/volume"
)

// The points of a voxel are a lattice of rank 1 (Korobov): point k is
// frac((k + ½)·(1, a, a²)/n). Along each edge of the voxel, n different points lie evenly and
// symmetrically about the centre, never on a face, so that a face of the mask parallel to one of
// the voxel's is located to 1/n, and a box in it still to about 1 %. A cubic grid of 1024 points
// would have ten different positions along an edge.
//
// n is a power of two, so that fractions are exact as float32, and their sums too. The step a
// has the least P₂ of all (Sloan and Joe 1994, Lattice Methods for Multiple Integration); a
// test searches it anew.
const (
	latticeSize = 1024
	latticeStep = 323
)

// points returns the n points of the unit cube for an even n and an odd step.
func points(n, step int) [][3]float64 {
	out := make([][3]float64, n)
	for k := range out {
		g := 1
		for a := range 3 {
			// The numerator is odd: (2k + 1)·stepᵃ modulo 2n.
			out[k][a] = float64((2*k+1)*g%(2*n)) / float64(2*n)
			g = g * step % (2 * n)
		}
	}
	return out
}

// A position within the window of a voxel is three fixed-point numbers in a word: along
// axis a, pointBits bits behind the point from bit fieldBits·a on, and before it the index
// of the voxel of the window, of at most indexBits bits. gather brings the three indices together.
const (
	pointBits = 12
	indexBits = 6
	fieldBits = pointBits + indexBits
	// indexShift leaves the sum of three indices of a word.
	indexShift = 64 - 3*indexBits
	// maxHalf is half of what a voxel may span, so that its window fits.
	maxHalf = (1<<indexBits - 2) / 2
)

// gather returns a mask and a factor: (p&mask)·factor >> indexShift is x | y<<bits[0] |
// z<<(bits[0]+bits[1]) of the indices in p. Each index is multiplied by the power of two
// that leads it to its place; the other two products lie below indexShift, without a
// carry, or beyond the word, because 1 ≤ bits ≤ indexBits.
func gather(bits [3]int) (mask, factor uint64) {
	to := indexShift
	for a, n := range bits {
		from := fieldBits*a + pointBits
		mask |= (1<<n - 1) << from
		factor += 1 << (to - from)
		to += n
	}
	return mask, factor
}

// slack is how much farther than a voxel its window reaches, in voxels of the mask, so that
// rounding to 2^−pointBits leads no point out of it.
const slack = 1.0 / 1024

// window is the mask around one voxel of the series: as many voxels along each axis as the
// voxel can touch, in a buffer whose strides are powers of two.
type window struct {
	extent, bits [3]int
	labels       []uint16
	// found are labels that occur in the window, without 0, in the order in which they were counted.
	found []uint16
	// beyond is a row of the window that reaches beyond the mask.
	beyond []uint16
	// weights are what a point in a voxel of the window adds to the sum of all points, in which
	// each label has its own countBits.
	// It is as large as any index, so that none is checked; pages that are not used cost nothing.
	weights *[1 << (3 * indexBits)]uint64
	// offsets are the positions of the points from the centre of the voxel.
	offsets []uint64
}

// A sum of 64 bits counts the points in four labels. Counting in a register is several
// times as fast as in memory.
const (
	countBits = 16
	atOnce    = 64 / countBits
)

func newWindow(p placement, cube [][3]float64) *window {
	w := &window{offsets: make([]uint64, len(cube))}
	sum := 0
	for a, half := range p.half {
		w.extent[a] = int(2*half+2*slack) + 2
		w.bits[a] = bits.Len(uint(w.extent[a] - 1))
		sum += w.bits[a]
	}
	w.beyond = make([]uint16, w.extent[0])
	w.labels, w.weights = make([]uint16, 1<<sum), new([1 << (3 * indexBits)]uint64)
	for n, u := range cube {
		for a, e := range p.edges {
			x := float64(e[0]*(u[0]-0.5)) + float64(e[1]*(u[1]-0.5)) + float64(e[2]*(u[2]-0.5))
			w.offsets[n] += uint64(int64(math.Round(x*(1<<pointBits)))) << (a * fieldBits)
		}
	}
	return w
}

// fill copies the labels of the mask from voxel at on. It returns the label that all have, or
// that they are mixed.
func (w *window) fill(mask volume.Labels, at [3]int) (label uint16, mixed bool) {
	every, some := uint16(math.MaxUint16), uint16(0) // bits that all and any labels have
	nx, ny, nz := mask.Size[0], mask.Size[1], mask.Size[2]
	inside := at[0] >= 0 && at[0]+w.extent[0] <= nx
	for z := range w.extent[2] {
		for y := range w.extent[1] {
			to := w.labels[(y|z<<w.bits[1])<<w.bits[0]:][:w.extent[0]]
			j, k := at[1]+y, at[2]+z
			if uint(j) >= uint(ny) || uint(k) >= uint(nz) {
				clear(to)
				every = 0
				continue
			}
			row := mask.Data[nx*(j+ny*k):][:nx]
			if !inside {
				row = w.padded(row, at[0])
			} else {
				row = row[at[0]:]
			}
			row = row[:len(to)]
			for x, label := range row {
				to[x] = label
				every, some = every&label, some|label
			}
		}
	}
	return some, every != some
}

// padded returns the part of a row that the window needs, with background beyond the mask.
func (w *window) padded(row []uint16, from int) []uint16 {
	clear(w.beyond)
	for x := range w.beyond {
		if i := from + x; uint(i) < uint(len(row)) {
			w.beyond[x] = row[i]
		}
	}
	return w.beyond
}

// weigh gives each voxel of the window the weight of its label, if that is one of the next atOnce
// that were not found before, which it returns.
func (w *window) weigh() (some []uint16) {
	first := len(w.found)
	last, weight := uint16(0), uint64(0)
	for z := range w.extent[2] {
		for y := range w.extent[1] {
			at := (y | z<<w.bits[1]) << w.bits[0]
			to := w.weights[at:][:w.extent[0]]
			for x, label := range w.labels[at:][:len(to)] {
				if label != last {
					last, weight = label, w.weightOf(label, first)
				}
				to[x] = weight
			}
		}
	}
	return w.found[first:]
}

// weightOf returns the weight of a label; 0 for the background, for labels found before the
// first of this round, and for those that have to wait for the next.
func (w *window) weightOf(label uint16, first int) uint64 {
	if label == 0 {
		return 0
	}
	n := slices.Index(w.found, label)
	if n < 0 && len(w.found) < first+atOnce {
		n = len(w.found)
		w.found = append(w.found, label)
	}
	if n < first {
		return 0
	}
	return 1 << ((n - first) * countBits)
}

// count returns the sum of the weights of all points, for a voxel whose centre is at x in
// voxels of the window, measured from the corner of the first.
func (w *window) count(x [3]float64) uint64 {
	var base uint64
	for a := range x {
		base += uint64(math.Round(x[a]*(1<<pointBits))) << (a * fieldBits)
	}
	mask, factor := gather(w.bits)
	weights := w.weights
	var a, b, c, d uint64 // of every fourth point, so that additions do not wait for each other
	for offsets := w.offsets; len(offsets) >= 4; offsets = offsets[4:] {
		a += weights[(base+offsets[0])&mask*factor>>indexShift]
		b += weights[(base+offsets[1])&mask*factor>>indexShift]
		c += weights[(base+offsets[2])&mask*factor>>indexShift]
		d += weights[(base+offsets[3])&mask*factor>>indexShift]
	}
	return a + b + c + d
}

// chunk is the voxels of some rows of the series.
type chunk struct {
	voxels, entries []uint32 // entries per voxel
	label           []uint16
	fraction        []float32
}

// rowsPerChunk rows of the series are claimed at once: few enough that the workers end together.
const rowsPerChunk = 16

// sample fills the fractions of all voxels.
func (p placement) sample(ctx context.Context, mask volume.Labels, s *survey, cube [][3]float64, workers int, out *Fractions) error {
	from, to := p.reachable(s)
	rows := max(0, to[1]-from[1]) * max(0, to[2]-from[2])
	chunks := make([]chunk, (rows+rowsPerChunk-1)/rowsPerChunk)
	windows := make(chan *window, workers)
	err := parallel(ctx, len(chunks), workers, func(n int) {
		var w *window
		select {
		case w = <-windows:
		default:
			w = newWindow(p, cube)
		}
		r := rowSampler{p, mask, s, w, &chunks[n]}
		for row := n * rowsPerChunk; row < min((n+1)*rowsPerChunk, rows); row++ {
			r.row(from[0], to[0], from[1]+row%(to[1]-from[1]), from[2]+row/(to[1]-from[1]))
		}
		windows <- w
	})
	if err != nil {
		return err
	}
	join(chunks, out)
	return nil
}

// join appends the chunks in their order.
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

// reachable returns the voxels of the series that may reach a labelled block, to exclusive.
func (p placement) reachable(s *survey) (from, to [3]int) {
	low, high := [3]float64{math.Inf(1), math.Inf(1), math.Inf(1)}, [3]float64{math.Inf(-1), math.Inf(-1), math.Inf(-1)}
	for corner := range 8 {
		var at [3]float64
		for a := range at {
			at[a] = float64(s.from[a]) - 0.5
			if corner>>a&1 == 1 {
				at[a] = float64(s.to[a]) - 0.5
			}
		}
		for a, x := range apply(&p.toSeries, at[0], at[1], at[2]) {
			low[a], high[a] = min(low[a], x), max(high[a], x)
		}
	}
	for a, n := range p.series.Size {
		reach := max(0.5, p.reach) // of slices that overlap, more
		from[a] = int(max(0, math.Floor(low[a]-reach)))
		to[a] = int(min(float64(n), math.Ceil(high[a]+reach)+1))
		from[a] = min(from[a], to[a])
	}
	return from, to
}

// rowSampler samples rows of the series into a chunk.
type rowSampler struct {
	p    placement
	mask volume.Labels
	*survey
	w   *window
	out *chunk
}

// row samples the voxels from i = from to to, exclusive, of a row.
func (r *rowSampler) row(from, to, j, k int) {
	first := r.p.series.Size[0] * (j + r.p.series.Size[1]*k)
	m := &r.p.toMask
	start := apply(m, 0, float64(j), float64(k))
	at := func(i float64) (x [3]float64) {
		for a := range x {
			x[a] = start[a] + float64(m[a][0]*i)
		}
		return x
	}
	for run := from; run < to; run += runLength {
		if !r.near(at(float64(run) + (runLength-1)/2.0)) {
			continue
		}
		for i := run; i < min(run+runLength, to); i++ {
			r.voxel(uint32(first+i), at(float64(i)))
		}
	}
}

// voxel samples the voxel whose centre lies at x in the mask.
func (r *rowSampler) voxel(voxel uint32, x [3]float64) {
	var at [3]int
	for a := range x {
		low := math.Floor(x[a] - r.p.half[a] + 0.5 - slack)
		at[a] = int(low)
		x[a] += 0.5 - low
	}
	low, high := r.between(at, r.w.extent)
	if high == 0 {
		return
	}
	if low == high {
		r.out.whole(voxel, low)
		return
	}
	label, mixed := r.w.fill(r.mask, at)
	if !mixed {
		if label != 0 {
			r.out.whole(voxel, label)
		}
		return
	}
	first := len(r.out.label)
	r.w.found = r.w.found[:0]
	for {
		some := r.w.weigh()
		sum := r.w.count(x)
		for _, label := range some {
			if c := sum & (1<<countBits - 1); c > 0 {
				r.out.add(first, label, float32(c)/float32(len(r.w.offsets)))
			}
			sum >>= countBits
		}
		if len(some) < atOnce {
			break
		}
	}
	if n := len(r.out.label) - first; n > 0 {
		r.out.voxels, r.out.entries = append(r.out.voxels, voxel), append(r.out.entries, uint32(n))
	}
}

// add adds an entry of the voxel whose entries begin at first, in the order of labels.
func (c *chunk) add(first int, label uint16, fraction float32) {
	c.label, c.fraction = append(c.label, label), append(c.fraction, fraction)
	for n := len(c.label) - 1; n > first && c.label[n] < c.label[n-1]; n-- {
		c.label[n], c.label[n-1] = c.label[n-1], c.label[n]
		c.fraction[n], c.fraction[n-1] = c.fraction[n-1], c.fraction[n]
	}
}

// whole adds a voxel that lies in one label.
func (c *chunk) whole(voxel uint32, label uint16) {
	c.voxels, c.entries = append(c.voxels, voxel), append(c.entries, 1)
	c.label, c.fraction = append(c.label, label), append(c.fraction, 1)
}
