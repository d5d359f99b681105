package resample

import (
	"context"
	"math"
	"math/bits"

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

// Positions within the window of a voxel are fixed-point numbers, three in a word: each has
// fieldBits bits, of which pointBits are behind the point. The rest counts the voxels of the
// mask, of which the window may have 2^(fieldBits−pointBits) along each axis.
const (
	fieldBits = 21
	pointBits = 14
	maxHalf   = (1<<(fieldBits-pointBits) - 4) / 2
)

// window is the mask around one voxel of the series: as many voxels along each axis as the
// voxel can touch, in a buffer whose strides are powers of two.
type window struct {
	extent [3]int
	bits   [3]int
	labels []uint16 // classes
	// offsets are the positions of the points from the centre of the voxel.
	offsets []uint64
	// Two counts per class, for alternate points: counting in one place twice in a row is slow.
	counts [2][]uint32
}

func newWindow(p placement, cube [][3]float64, classes int) *window {
	w := &window{offsets: make([]uint64, len(cube))}
	sum := 0
	for a, half := range p.half {
		w.extent[a] = int(2*half+0.01) + 2 // 0.01 is beyond all rounding
		w.bits[a] = bits.Len(uint(w.extent[a] - 1))
		sum += w.bits[a]
	}
	w.labels = make([]uint16, 1<<sum)
	for n, u := range cube {
		for a, e := range p.edges {
			x := float64(e[0]*(u[0]-0.5)) + float64(e[1]*(u[1]-0.5)) + float64(e[2]*(u[2]-0.5))
			w.offsets[n] += uint64(int64(math.Round(x*(1<<pointBits)))) << (a * fieldBits)
		}
	}
	for c := range w.counts {
		w.counts[c] = make([]uint32, classes+1)
	}
	return w
}

// fill copies the classes of the mask from voxel at on. It returns the class if it is the same
// everywhere, else −1.
func (w *window) fill(mask volume.Labels, class []uint16, at [3]int) int {
	all, some := uint16(math.MaxUint16), uint16(0)
	nx, ny, nz := mask.Size[0], mask.Size[1], mask.Size[2]
	for z := range w.extent[2] {
		for y := range w.extent[1] {
			to := w.labels[(y|z<<w.bits[1])<<w.bits[0]:][:w.extent[0]]
			if j, k := at[1]+y, at[2]+z; uint(j) < uint(ny) && uint(k) < uint(nz) {
				row := mask.Data[nx*(j+ny*k):][:nx]
				for x := range to {
					to[x] = 0
					if i := at[0] + x; uint(i) < uint(nx) {
						to[x] = class[row[i]]
					}
					all, some = all&to[x], some|to[x]
				}
				continue
			}
			clear(to)
			all = 0
		}
	}
	if all == some {
		return int(all)
	}
	return -1
}

// count counts the points per class, for a voxel whose centre is at x in voxels of the window,
// measured from the corner of the first.
func (w *window) count(x [3]float64) {
	var base uint64
	for a := range 3 {
		// One unit more, so that rounding leads no point below 0.
		base += (uint64(x[a]*(1<<pointBits)) + 1) << (a * fieldBits)
	}
	clear(w.counts[0])
	clear(w.counts[1])
	bx, by := w.bits[0], w.bits[0]+w.bits[1]
	maskX := uint64(1)<<w.bits[0] - 1
	maskY := uint64(1)<<w.bits[1] - 1
	maskZ := uint64(1)<<w.bits[2] - 1
	maskY, maskZ = maskY<<bx, maskZ<<by
	shiftY, shiftZ := (fieldBits+pointBits-bx)&63, (2*fieldBits+pointBits-by)&63
	labels, even, odd := w.labels, w.counts[0], w.counts[1]
	offsets := w.offsets
	for ; len(offsets) >= 2; offsets = offsets[2:] {
		p, q := base+offsets[0], base+offsets[1]
		even[labels[p>>pointBits&maskX|p>>shiftY&maskY|p>>shiftZ&maskZ]]++
		odd[labels[q>>pointBits&maskX|q>>shiftY&maskY|q>>shiftZ&maskZ]]++
	}
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
			w = newWindow(p, cube, len(s.labels))
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
	for i := from; i < to; i++ {
		x := start
		for a := range x {
			x[a] += float64(m[a][0] * float64(i))
		}
		b := r.block(x)
		if b < 0 || r.high[b] == 0 {
			continue
		}
		voxel := uint32(first + i)
		if r.low[b] == r.high[b] {
			r.out.whole(voxel, r.low[b])
			continue
		}
		r.voxel(voxel, x)
	}
}

// block returns the block of the mask that holds a position, the nearest one where it lies
// a voxel of the series or less outside, and −1 farther away.
func (r *rowSampler) block(x [3]float64) int {
	b := 0
	for a := 2; a >= 0; a-- {
		n := r.mask.Size[a]
		// Written so that a position that is not a number fails.
		if !(x[a] > -1-r.p.half[a] && x[a] < float64(n)+r.p.half[a]) {
			return -1
		}
		at := min(max(int(x[a]+0.5), 0), n-1)
		b = b*r.blocks[a] + at/block[a]
	}
	return b
}

// voxel samples the voxel whose centre lies at x in the mask.
func (r *rowSampler) voxel(voxel uint32, x [3]float64) {
	var at [3]int
	for a := range x {
		low := math.Floor(x[a] - r.p.half[a] + 0.5)
		at[a] = int(low)
		x[a] += 0.5 - low
	}
	switch same := r.w.fill(r.mask, r.class, at); {
	case same == 0:
		return
	case same > 0:
		r.out.whole(voxel, r.labels[same-1])
		return
	}
	r.w.count(x)
	entries := uint32(0)
	for n, label := range r.labels {
		if c := r.w.counts[0][n+1] + r.w.counts[1][n+1]; c > 0 {
			r.out.label = append(r.out.label, label)
			r.out.fraction = append(r.out.fraction, float32(c)/float32(len(r.w.offsets)))
			entries++
		}
	}
	if entries > 0 {
		r.out.voxels, r.out.entries = append(r.out.voxels, voxel), append(r.out.entries, entries)
	}
}

// whole adds a voxel that lies in one label.
func (c *chunk) whole(voxel uint32, label uint16) {
	c.voxels, c.entries = append(c.voxels, voxel), append(c.entries, 1)
	c.label, c.fraction = append(c.label, label), append(c.fraction, 1)
}
