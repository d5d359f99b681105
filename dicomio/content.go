package dicomio

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/t2map/t2map/volume"
)

const (
	// faintSteps is the number of stored steps that may vanish between two echoes without a
	// fault: a signal of 8 that rounds to 0 at the next echo has a T2 of a third of the
	// echo spacing or less, which is 2 to 4 ms.
	faintSteps = 8
	// leastSteps is the range of stored values below which two noise-free echoes may round
	// to the same image: 64 steps do so only if T2 is more than 64 echo spacings. The noise
	// of a scanner alone spans as many.
	leastSteps = 64
	// fewestRows is the part of an image's rows that must be empty before they count as lost,
	// and leastSignal the signal that an echo beside it must have there, as a part of
	// its signal in the other rows. Masked background has next to none. Both are
	// unsourced: chosen so that a knee at the edge of its image is not refused.
	fewestRows  = 1.0 / 16
	leastSignal = 1.0 / 4
	// leastPixels is the part of an image that must hold signal to speak against a blank one, or
	// zeros between signal to be lost in part.
	// Of Rayleigh noise one pixel in 90 exceeds three times its σ, at which scanners
	// set the background to zero.
	leastPixels = 1.0 / 64
	// noisyPairs is the largest part of neighbouring pixels that hold the same value in an
	// image with noise: the background has √π/(4σ) for noise of σ steps, which is a
	// quarter at σ 1.8. Piecewise constant phantoms have most of theirs.
	noisyPairs = 1.0 / 4
	// enoughPairs fixes that part to 0.08, one standard error.
	enoughPairs = 32
)

// content is what the pixels of one image show once they are decoded.
type content struct {
	peak
	flat   bool   // all pixels hold one value
	empty  []bool // rows of nothing but stored zeros; nil where there are none
	even   []bool // rows of another value alone; nil where there are none
	sample uint64 // a hash of some pixels
}

// note fills in all but the peak. It looks at few pixels of an image that holds a signal.
func (c *content) note(h *header, pixels []float32) {
	c.flat = !slices.ContainsFunc(pixels, func(v float32) bool { return v != pixels[0] })
	c.sample = h.sample(pixels)
	zero := h.rescale(0)
	for j := range h.rows {
		row := pixels[j*h.columns:][:h.columns]
		first := row[0]
		if row[len(row)/2] != first || slices.ContainsFunc(row, func(v float32) bool { return v != first }) {
			continue
		}
		rows := &c.even
		if first == zero {
			rows = &c.empty
		}
		if *rows == nil {
			*rows = make([]bool, h.rows)
		}
		(*rows)[j] = true
	}
}

// sample hashes up to 64 stored values in the middle of each of three rows.
func (h *header) sample(pixels []float32) uint64 {
	sum := uint64(14695981039346656037) // FNV-1a's, on words instead of bytes
	n := min(h.columns, 64)
	for quarter := 1; quarter <= 3; quarter++ {
		first := h.rows*quarter/4*h.columns + (h.columns-n)/2
		for _, v := range pixels[first:][:n] {
			sum = (sum ^ uint64(uint32(h.storedOf(v)))) * 1099511628211
		}
	}
	return sum
}

// decoded is a train with its pixels and what they show.
type decoded struct {
	Train
	echo [][]float32
	seen [][]content // [echo][slice]
	// scaled says that images were scaled one by one, as Philips does, so that each may
	// peak at the largest stored value whatever its signal.
	scaled bool
}

// newDecoded makes room for the pixels of a train.
func newDecoded(t Train) decoded {
	d := decoded{Train: t, echo: make([][]float32, len(t.TE)), seen: make([][]content, len(t.TE))}
	first := t.grid[0][0]
	d.scaled = slices.ContainsFunc(t.images, func(h *header) bool { return h.slope != first.slope || h.intercept != first.intercept })
	for e := range d.echo {
		d.echo[e] = volume.Floats(t.Geometry.Voxels())
		d.seen[e] = make([]content, t.Geometry.Size[2])
	}
	return d
}

// image returns the pixels of echo e in slice k.
func (d decoded) image(e, k int) []float32 {
	n := d.Geometry.SliceVoxels()
	return d.echo[e][k*n:][:n]
}

// checkContent refuses images that hold no data of their own, though other images of
// their slice do: blank ones, ones that are blank in part, and copies of another image
// of the train. A slice that is blank at every echo is sound.
func (d decoded) checkContent() error {
	if len(d.grid) < 2 {
		return nil // nothing contradicts a single image
	}
	for _, check := range []func() error{d.checkFlat, d.checkRows, d.checkPixels, d.checkCopies} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// checkFlat refuses images of one value in slices where another image has more to say, and a
// train of that one value alone.
func (d decoded) checkFlat() error {
	if d.nothingElse() {
		return d.grid[0][0].withoutData("all pixels of this and of every other image of the series hold the value %g", d.image(0, 0)[0])
	}
	var first *FileError
	others := 0
	for k := range d.grid[0] {
		for e := range d.grid {
			witness := d.witness(e, k)
			switch {
			case witness < 0:
			case first == nil:
				first = d.grid[e][k].withoutData("all pixels hold the value %g, but those of %s, another echo of the slice, do not",
					d.image(e, k)[0], d.grid[witness][k].where())
			default:
				others++
			}
		}
	}
	if first == nil {
		return nil
	}
	first.Problem += furthermore(others)
	return first
}

// nothingElse reports whether all pixels of the train hold one value. Images of one value each that
// decays are those of a phantom.
func (d decoded) nothingElse() bool {
	value := d.image(0, 0)[0]
	for e := range d.seen {
		for k, c := range d.seen[e] {
			if !c.flat || d.image(e, k)[0] != value {
				return false
			}
		}
	}
	return true
}

// furthermore says how many more images have the same fault.
func furthermore(images int) string {
	if images == 0 {
		return ""
	}
	if images == 1 {
		return "; the same is wrong with another image of the series"
	}
	return fmt.Sprintf("; the same is wrong with %d more images of the series", images)
}

// withoutData returns an error about pixels that are not those of the image.
func (h *header) withoutData(format string, a ...any) *FileError {
	e := h.wrong(tag.PixelData, format, a...)
	e.Hint = "the pixels of this image were lost or overwritten: export or send the series again"
	return e
}

// witness returns the echo that shows that the flat image of echo e in slice k has lost
// its pixels, or −1. A later echo with signal is one; of the earlier ones only the last
// that is not as empty is asked, for the signal may have decayed to nothing since. An
// image that is clipped at every pixel is not without data: its voxels are saturated.
func (d decoded) witness(e, k int) int {
	if !d.seen[e][k].flat || d.clipped(place{e, k}) {
		return -1
	}
	value := d.image(e, k)[0]
	for f := e + 1; f < len(d.grid); f++ {
		if d.differs(f, k, value) && d.speaks(f, k, value) {
			return f
		}
	}
	for f := e - 1; f >= 0; f-- {
		if d.differs(f, k, value) {
			if d.speaks(f, k, value) {
				return f
			}
			break
		}
	}
	return -1
}

// differs reports whether an image may speak against a flat one of that value. One of another
// value at every pixel does so against zeros alone: a phantom may fill the image.
func (d decoded) differs(e, k int, flat float32) bool {
	return !d.seen[e][k].flat || flat == 0 && d.image(e, k)[0] != 0
}

// speaks reports whether at least the part leastPixels of an image differs from a
// magnitude by more than faintSteps.
func (d decoded) speaks(e, k int, from float32) bool {
	pixels, n := d.image(e, k), 0
	least := faintSteps * math.Abs(d.grid[e][k].slope)
	for _, v := range pixels {
		if math.Abs(float64(v)-float64(from)) > least {
			n++
		}
	}
	return float64(n) > leastPixels*float64(len(pixels))
}

// checkRows refuses images with rows of zeros where the echo before or after has signal,
// as a transfer leaves them that stopped.
func (d decoded) checkRows() error {
	for k := range d.grid[0] {
		for e := range d.grid {
			c := d.seen[e][k]
			if c.empty == nil && c.even == nil || c.flat {
				continue
			}
			for _, f := range []int{e - 1, e + 1} {
				if f < 0 || f == len(d.grid) {
					continue
				}
				if n := d.evenRows(e, f, k); n > 0 {
					return d.grid[e][k].withoutData("%d of %d rows hold one value each, where %s, another echo of the slice, holds many", n, d.Geometry.Size[1], d.grid[f][k].where())
				}
				if n := d.lostRows(e, f, k); n > 0 {
					return d.grid[e][k].withoutData("%d of %d rows hold zeros alone, where %s, another echo of the slice, has signal", n, d.Geometry.Size[1], d.grid[f][k].where())
				}
			}
		}
	}
	return nil
}

// lostRows returns the number of rows that echo e has lost by the witness of echo f: they
// are empty in e, and f has signal there as elsewhere. It is 0 where they are few.
func (d decoded) lostRows(e, f, k int) int {
	n, sum, rest := 0, 0.0, 0.0
	pixels, h := d.image(f, k), d.grid[f][k]
	for j, empty := range d.seen[e][k].empty {
		if d.seen[f][k].empty != nil && d.seen[f][k].empty[j] {
			continue
		}
		signal := 0.0
		for _, v := range pixels[j*h.columns:][:h.columns] {
			signal += float64(v) - float64(h.rescale(0))
		}
		if empty {
			n++
			sum += signal
		} else {
			rest += signal
		}
	}
	rows := len(d.seen[e][k].empty)
	mean := sum / float64(n*h.columns) / h.slope
	if float64(n) < fewestRows*float64(rows) || !(mean > faintSteps) {
		return 0
	}
	kept := rows - n // empty ones of f among them, which lower what is asked for
	if mean*h.slope < leastSignal*rest/float64(kept*h.columns) {
		return 0
	}
	return n
}

// evenRows returns the number of rows of one value in echo e in which the values of echo f
// span leastSteps or more: what varies by so much does not become even within an echo. It is 0
// where they are few, or where the image is clipped, for then the voxels are saturated.
func (d decoded) evenRows(e, f, k int) int {
	n := 0
	h := d.grid[f][k]
	for j, even := range d.seen[e][k].even {
		if !even {
			continue
		}
		row := d.image(f, k)[j*h.columns:][:h.columns]
		if float64(slices.Max(row)-slices.Min(row)) >= leastSteps*math.Abs(h.slope) {
			n++
		}
	}
	if float64(n) < fewestRows*float64(d.Geometry.Size[1]) || n == 0 || d.clipped(place{e, k}) {
		return 0
	}
	return n
}

// mostProbed bounds the pixels of an image that checkPixels looks at: a lattice of them
// tells a share of leastPixels as well as all do.
const mostProbed = 1 << 14

// checkPixels refuses images with stored zeros where the echoes before and after have signal, in
// any shape, as a lost tile or half leaves them. No decay falls to nothing and rises again.
func (d decoded) checkPixels() error {
	for k := range d.grid[0] {
		// The first and the last echo have one neighbour, which does not tell a lost pixel from
		// one of a short T2, or of a first echo that stimulated echoes do not reach.
		for e := 1; e < len(d.grid)-1; e++ {
			if d.lostPixels(e, k) {
				return d.grid[e][k].withoutData("many pixels hold the value 0, where %s and %s, the echoes before and after, have signal", d.grid[e-1][k].where(), d.grid[e+1][k].where())
			}
		}
	}
	return nil
}

// lostPixels reports whether at least the part leastPixels of the image of echo e holds stored
// zeros where the echoes before and after both have leastSignal of their mean, and more than
// faintSteps.
func (d decoded) lostPixels(e, k int) bool {
	pixels, before, after := d.image(e, k), d.image(e-1, k), d.image(e+1, k)
	step := 1
	for len(pixels)/step > mostProbed {
		step += 2 // odd, so that the lattice visits every column
	}
	zero := d.grid[e][k].rescale(0)
	probed, zeros := 0, 0
	for v := 0; v < len(pixels); v += step {
		probed++
		if pixels[v] == zero {
			zeros++
		}
	}
	if float64(zeros) < leastPixels*float64(probed) {
		return false
	}
	least := func(f int, image []float32) float32 {
		h, sum, n := d.grid[f][k], 0.0, 0
		zero := h.rescale(0)
		for v := 0; v < len(image); v += step {
			if image[v] != zero {
				sum += float64(image[v] - zero)
				n++
			}
		}
		return zero + float32(max(leastSignal*sum/float64(max(n, 1)), faintSteps*math.Abs(h.slope)))
	}
	leastBefore, leastAfter := least(e-1, before), least(e+1, after)
	lost := 0
	for v := 0; v < len(pixels); v += step {
		if pixels[v] == zero && before[v] > leastBefore && after[v] > leastAfter && emptyAround(pixels, v, d.grid[e][k].columns, zero) {
			lost++
		}
	}
	return float64(lost) >= leastPixels*float64(probed)
}

// emptyAround reports whether the pixels next to one, in its row and in the rows above and
// below, hold zero too. Noise that a scanner cut at a threshold leaves single zeros, and hardly ever nine.
func emptyAround(pixels []float32, v, columns int, zero float32) bool {
	for row := -1; row <= 1; row++ {
		for _, w := range []int{v + row*columns - 1, v + row*columns, v + row*columns + 1} {
			if w >= 0 && w < len(pixels) && pixels[w] != zero {
				return false
			}
		}
	}
	return true
}

// place is an image of a train.
type place struct{ e, k int }

// checkCopies refuses an image that has the pixels of another image of the train.
func (d decoded) checkCopies() error {
	var all []place
	for k := range d.grid[0] {
		for e := range d.grid {
			if !d.seen[e][k].flat {
				all = append(all, place{e, k})
			}
		}
	}
	sample := func(p place) uint64 { return d.seen[p.e][p.k].sample }
	slices.SortStableFunc(all, func(a, b place) int { return cmp.Compare(sample(a), sample(b)) })
	var copies [][2]place // of, copy
	for n := 1; n < len(all); n++ {
		if a, b := all[n-1], all[n]; sample(a) == sample(b) && d.copied(a, b) {
			copies = append(copies, [2]place{a, b})
		}
	}
	if len(copies) == 0 {
		return nil
	}
	first := slices.MinFunc(copies, func(x, y [2]place) int {
		return cmp.Or(cmp.Compare(x[1].k, y[1].k), cmp.Compare(x[1].e, y[1].e))
	})
	from, to := first[0], first[1]
	what := "another slice"
	if from.k == to.k {
		what = "another echo of the slice"
	}
	e := d.grid[to.e][to.k].withoutData("the same pixels as in %s, %s%s", d.grid[from.e][from.k].where(), what, furthermore(len(copies)-1))
	e.Hint = "one of the two is a copy under a wrong header: export or send the series again"
	return e
}

// copied reports whether one of two images can only be a copy of the other. Within a slice
// the signal decays, so that equal pixels suffice unless they are too few steps to show
// it. Slices of a phantom may be equal at all echoes, or at late ones when what differs
// has decayed: at one echo time they must differ at the echo before or after.
func (d decoded) copied(a, b place) bool {
	if !d.equal(a, b) || d.steps(a) < leastSteps {
		return false
	}
	x, y := d.grid[a.e][a.k], d.grid[b.e][b.k]
	switch {
	case a.k == b.k && x.slope == y.slope && x.intercept == y.intercept:
		return true
	case d.clipped(a):
		return false // what would tell the two apart may have been cut off
	case a.e != b.e:
		// A phantom of one T2 has equal stored values if each echo is scaled to its peak.
		return d.noisy(a, math.Inf(1))
	}
	for _, e := range []int{a.e - 1, a.e + 1} {
		if e >= 0 && e < len(d.grid) && d.apart(place{e, a.k}, place{e, b.k}) {
			return true
		}
	}
	return false
}

// equal reports whether two images hold the same stored values.
func (d decoded) equal(a, b place) bool {
	x, y := d.grid[a.e][a.k], d.grid[b.e][b.k]
	p, q := d.image(a.e, a.k), d.image(b.e, b.k)
	if x.slope == y.slope && x.intercept == y.intercept {
		return slices.Equal(p, q)
	}
	for v := range p {
		if x.storedOf(p[v]) != y.storedOf(q[v]) {
			return false
		}
	}
	return true
}

// apart reports whether two images differ by more than faintSteps somewhere.
func (d decoded) apart(a, b place) bool {
	p, q := d.image(a.e, a.k), d.image(b.e, b.k)
	least := faintSteps * math.Abs(d.grid[a.e][a.k].slope)
	for v := range p {
		if math.Abs(float64(p[v])-float64(q[v])) > least {
			return true
		}
	}
	return false
}

// steps returns the range of an image's stored values.
func (d decoded) steps(a place) float64 {
	pixels := d.image(a.e, a.k)
	return float64(slices.Max(pixels)-slices.Min(pixels)) / math.Abs(d.grid[a.e][a.k].slope)
}

// noisy reports whether few neighbours in the rows of an image hold the same value, of
// those that are neither empty nor at the given magnitude or above. It is false where there
// are too few to tell.
func (d decoded) noisy(a place, below float64) bool {
	pixels, h := d.image(a.e, a.k), d.grid[a.e][a.k]
	zero, pairs, same := h.rescale(0), 0, 0
	for v := 1; v < len(pixels); v++ {
		x, y := pixels[v-1], pixels[v]
		if v%h.columns == 0 || x == zero || y == zero || float64(x) >= below || float64(y) >= below {
			continue
		}
		pairs++
		if x == y {
			same++
		}
	}
	return pairs >= enoughPairs && float64(same) <= noisyPairs*float64(pairs)
}
