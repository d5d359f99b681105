package dicomio

import (
	"fmt"
	"iter"
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
	// to the same image: with 64 steps, they do so only if T2 is more than 64 echo
	// spacings. The noise of a scanner alone spans as many.
	leastSteps = 64
	// leastSignal is the signal that an image must have in an area that another image lost,
	// relative to its signal elsewhere. It is unsourced: masked background has almost no
	// signal, and a knee at the edge of its image is not refused.
	leastSignal = 1.0 / 4
	// leastPixels is the part of an image that must have signal to prove that another image
	// is blank. In Rayleigh noise, one pixel in 90 exceeds three times σ, the level below
	// which scanners set the background to zero.
	leastPixels = 1.0 / 64
	// fewestPixels is the least number of pixels with signal that characterises an image;
	// fewer may be chance.
	fewestPixels = 32
	// noisyPairs is the largest part of neighbouring pixels with equal values in an image
	// with noise: in the background it is √π/(4σ) for noise of σ steps, a quarter at σ =
	// 1.8. In piecewise constant phantoms most neighbours are equal.
	noisyPairs = 1.0 / 4
	// enoughPairs determines that part with a standard error of 0.08.
	enoughPairs = 32
)

// content describes the decoded pixels of one image.
type content struct {
	peak
	flat     bool      // all pixels have one value
	constant [2][]bool // rows, and columns, with one value each; nil if there are none
	zeros    int       // blocks whose first pixel is stored as 0, see zeroBlocks
	mean     float64   // of some rows, above stored zeros
	sample   uint64    // a hash of some pixels
}

// note sets all fields except the peak. It reads few pixels of an image with signal.
func (c *content) note(h *header, pixels []float32) {
	c.flat = !slices.ContainsFunc(pixels, func(v float32) bool { return v != pixels[0] })
	c.sample = h.sample(pixels)
	if c.flat {
		return
	}
	for n, a := range h.divisions() {
		c.constant[n] = a.constant(pixels)
	}
	c.zeros = h.zeroBlocks(pixels)
	c.mean = h.someMean(pixels)
}

// sample hashes the stored values of the sampled pixels.
func (h *header) sample(pixels []float32) uint64 {
	sum := uint64(14695981039346656037) // FNV-1a, on words instead of bytes
	for row := range h.sampled() {
		for _, v := range pixels[row[0]:row[1]] {
			sum = (sum ^ uint64(uint32(h.storedOf(v)))) * 1099511628211
		}
	}
	return sum
}

// sampled yields the ranges of pixels in which images are first compared: up to 64 in the
// middle of each of three rows.
func (h *header) sampled() iter.Seq[[2]int] {
	return func(yield func([2]int) bool) {
		n := min(h.columns, 64)
		for quarter := 1; quarter <= 3; quarter++ {
			first := h.rows*quarter/4*h.columns + (h.columns-n)/2
			if !yield([2]int{first, first + n}) {
				return
			}
		}
	}
}

// decoded is a train with its decoded pixels and their properties.
type decoded struct {
	Train
	echo [][]float32
	seen [][]content // [echo][slice]
	// scaled says that images were scaled one by one, as Philips does, so that each may
	// peak at the largest stored value, whatever its signal.
	scaled bool
}

// newDecoded allocates the pixels of a train.
func newDecoded(t Train) decoded {
	d := decoded{Train: t, echo: make([][]float32, len(t.TE)), seen: make([][]content, len(t.TE))}
	first := t.grid[0][0]
	d.scaled = slices.ContainsFunc(t.images, func(h *header) bool {
		return h.slope != first.slope ||
			h.intercept != first.intercept
	})
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

// checkContent refuses images without data of their own although other images of their
// slice have them: blank images, partly blank ones, images of noise, and copies of another
// image of the train. A slice that is blank at every echo is accepted if another slice is
// not.
func (d decoded) checkContent() error {
	if len(d.grid) < 2 {
		return nil // nothing contradicts a single image
	}
	for _, check := range []func() error{d.checkAll, d.checkFlat, d.checkLines, d.checkHoles, d.checkFaint,
		d.checkCopies} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// checkAll refuses a train in which each slice has one value at all echoes. Images of one
// value that changes between echoes show a phantom that fills them.
func (d decoded) checkAll() error {
	for k := range d.grid[0] {
		for e := range d.grid {
			if !d.seen[e][k].flat || d.image(e, k)[0] != d.image(0, k)[0] {
				return nil
			}
		}
	}
	return d.grid[0][0].withoutData("all pixels hold the value %g, and no image of the series shows anything: each "+
		"slice holds one value at every echo", d.image(0, 0)[0])
}

// checkFlat refuses images of one value in slices where another image shows more.
func (d decoded) checkFlat() error {
	var first *FileError
	others := 0
	for k := range d.grid[0] {
		for e := range d.grid {
			witness := d.witness(e, k)
			switch {
			case witness < 0:
			case first == nil:
				first = d.grid[e][k].withoutData("all pixels hold the value %g, but those of %s, another echo of "+
					"the slice, do not",
					d.image(e, k)[0], d.grid[witness][k].displayName())
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

// furthermore returns the text about more images with the same fault.
func furthermore(images int) string {
	if images == 0 {
		return ""
	}
	if images == 1 {
		return "; another image of the series has the same fault"
	}
	return fmt.Sprintf("; %d more images of the series have the same fault", images)
}

// withoutData returns an error about pixels that do not belong to the image.
func (h *header) withoutData(format string, a ...any) *FileError {
	return h.wrong(tag.PixelData, format, a...).
		withHint("the pixels of this image were lost, overwritten or cut off: export or send the series again")
}

// witness returns the echo that proves that the flat image of echo e in slice k has lost
// its pixels, or −1. A later echo with signal proves it. Of the earlier echoes only the
// last that is not flat in the same way counts, since the signal may have decayed in
// between. An image that is clipped at every pixel has data: its voxels are saturated.
func (d decoded) witness(e, k int) int {
	if !d.seen[e][k].flat || d.clipped(place{e, k}) {
		return -1
	}
	value := d.image(e, k)[0]
	for f := e + 1; f < len(d.grid); f++ {
		if d.mayProve(f, k, value) && d.hasSignal(f, k, value) {
			return f
		}
	}
	for f := e - 1; f >= 0; f-- {
		if d.mayProve(f, k, value) {
			if d.hasSignal(f, k, value) {
				return f
			}
			break
		}
	}
	return -1
}

// mayProve reports whether an image may prove that an image of the given value is blank. An
// image with another single value proves it only for zeros, since a phantom may fill the
// image.
func (d decoded) mayProve(e, k int, flat float32) bool {
	return !d.seen[e][k].flat || flat == 0 && d.image(e, k)[0] != 0
}

// hasSignal reports whether at least the part leastPixels of an image differs from a
// magnitude by more than faintSteps.
func (d decoded) hasSignal(e, k int, reference float32) bool {
	pixels, n := d.image(e, k), 0
	least := faintSteps * math.Abs(d.grid[e][k].slope)
	for _, v := range pixels {
		if math.Abs(float64(v)-float64(reference)) > least {
			n++
		}
	}
	return float64(n) > leastPixels*float64(len(pixels))
}
