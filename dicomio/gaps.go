package dicomio

import "math"

// This file finds images that lost rows, columns or tiles, which then have one value: after
// an interrupted transfer, or because a decoder did not receive all data.

const (
	// fewestLines is the part of an image's rows, or columns, that must be constant before
	// they count as lost. It is unsourced, see leastSignal.
	fewestLines = 1.0 / 16
	// holeSide is the side of the blocks in which lost tiles are searched: half of that of
	// a JPEG block. Scanners set noise to zero pixel by pixel (15 % of the pixels of
	// ../shared/data/knee-ge-mese), which hardly ever empties a block of 16.
	holeSide = 4
	// leastHoles is the part of an image that must lie in such blocks. A vessel whose blood
	// is visible only at every second echo is smaller: an artery 8 mm wide fills 1/500 of a
	// field of view of 160 mm.
	leastHoles = 1.0 / 64
	// rowsApart is the distance between the rows from which the mean of an image is
	// computed.
	rowsApart = 8
)

// division divides an image into lines: rows or columns.
type division struct {
	name                    string
	lines, length           int
	betweenLines, inOneLine int // steps from a pixel to the next
}

// divisions returns the rows and the columns.
func (h *header) divisions() [2]division {
	return [2]division{{"rows", h.rows, h.columns, h.columns, 1}, {"columns", h.columns, h.rows, 1, h.columns}}
}

// pixel returns pixel i of line j.
func (a division) pixel(pixels []float32, j, i int) float32 {
	return pixels[j*a.betweenLines+i*a.inOneLine]
}

// constant returns which lines have one value, or nil if none has. It reads two or three
// pixels of a line with signal.
func (a division) constant(pixels []float32) []bool {
	var out []bool
	for j := range a.lines {
		value := a.pixel(pixels, j, 0)
		if a.pixel(pixels, j, a.length/2) != value || a.pixel(pixels, j, a.length-1) != value ||
			!a.holds(pixels, j, value) {
			continue
		}
		if out == nil {
			out = make([]bool, a.lines)
		}
		out[j] = true
	}
	return out
}

func (a division) holds(pixels []float32, j int, value float32) bool {
	for i := range a.length {
		if a.pixel(pixels, j, i) != value {
			return false
		}
	}
	return true
}

// checkLines refuses images with rows or columns of one value where the echo before or
// after has signal.
func (d decoded) checkLines() error {
	for k := range d.grid[0] {
		for e := range d.grid {
			for n, a := range d.grid[e][k].divisions() {
				if d.seen[e][k].constant[n] == nil {
					continue
				}
				for _, f := range d.neighbours(e) {
					if lost, content := d.lostLines(e, f, k, n); lost > 0 {
						return d.grid[e][k].withoutData("%d of %d %s hold only %s, where %s, another echo of the "+
							"slice, has signal", lost, a.lines, a.name, content, d.grid[f][k].displayName())
					}
				}
			}
		}
	}
	return nil
}

// neighbours returns the echoes before and after one.
func (d decoded) neighbours(e int) []int {
	var out []int
	for _, f := range []int{e - 1, e + 1} {
		if f >= 0 && f < len(d.grid) {
			out = append(out, f)
		}
	}
	return out
}

// lostLines returns the number of lines that echo e has lost according to echo f, and their
// content: they have one value in e, and f has as much signal there as elsewhere. It
// returns 0 if they are few.
func (d decoded) lostLines(e, f, k, n int) (lost int, content string) {
	h, a := d.grid[f][k], d.grid[e][k].divisions()[n]
	var lines []int
	content = "zeros"
	for j, constant := range d.seen[e][k].constant[n] {
		if !constant {
			continue
		}
		if value := a.pixel(d.image(e, k), j, 0); value != d.grid[e][k].rescale(0) {
			if !d.overwritten(e, f, k, n, j) {
				continue
			}
			content = "one value"
		} else if d.isEmpty(f, k, n, j) {
			continue // at both echoes, as at the edges of many images
		}
		lines = append(lines, j)
	}
	if float64(len(lines)) < fewestLines*float64(a.lines) || len(lines) == 0 {
		return 0, ""
	}
	sum, rest, next := 0.0, 0.0, 0
	for j := range a.lines {
		signal := a.sum(d.image(f, k), j) - float64(a.length)*float64(h.rescale(0))
		if next < len(lines) && lines[next] == j {
			sum += signal
			next++
		} else {
			rest += signal
		}
	}
	mean := sum / float64(len(lines)*a.length)
	// Empty lines of f are included, which lowers the threshold.
	others := rest / float64(max(1, (a.lines-len(lines))*a.length))
	if !(mean/h.slope > faintSteps) || mean/h.slope < leastSignal*others/h.slope {
		return 0, ""
	}
	return len(lines), content
}

// isEmpty reports whether line j of an image consists of stored zeros.
func (d decoded) isEmpty(e, k, n, j int) bool {
	h, c := d.grid[e][k], d.seen[e][k]
	zero := h.rescale(0)
	return c.flat && d.image(e, k)[0] == zero || c.constant[n] != nil && c.constant[n][j] &&
		h.divisions()[n].pixel(d.image(e, k), j, 0) == zero
}

// overwritten reports whether a line with one value other than zero was overwritten: the
// values of echo f span leastSteps, which do not become one value within an echo, and the
// line is not at the ceiling of a clipped image, where its pixels are saturated.
func (d decoded) overwritten(e, f, k, n, j int) bool {
	h := d.grid[f][k]
	a := h.divisions()[n]
	low, high := a.extremes(d.image(f, k), j)
	if float64(high-low) < leastSteps*math.Abs(h.slope) || !d.varies(e, k, n, j) {
		return false
	}
	image := place{e, k}
	return a.pixel(d.image(e, k), j, 0) != d.ceiling(image) || !d.clipped(image)
}

// varies reports whether line j has more than one value in the two echoes nearest to e, one
// of which may have lost pixels itself.
func (d decoded) varies(e, k, n, j int) bool {
	first := max(0, min(e-1, len(d.grid)-3))
	for f := first; f < min(first+3, len(d.grid)); f++ {
		if c := d.seen[f][k].constant[n]; f != e && (d.seen[f][k].flat || c != nil && c[j]) {
			return false
		}
	}
	return true
}

// sum returns the sum of line j.
func (a division) sum(pixels []float32, j int) (sum float64) {
	for i := range a.length {
		sum += float64(a.pixel(pixels, j, i))
	}
	return sum
}

// extremes returns the least and the largest value of line j.
func (a division) extremes(pixels []float32, j int) (low, high float32) {
	low = a.pixel(pixels, j, 0)
	high = low
	for i := range a.length {
		v := a.pixel(pixels, j, i)
		low, high = min(low, v), max(high, v)
	}
	return low, high
}

// zeroBlocks counts the blocks whose first pixel is stored as 0, in every second row of
// blocks. It shows that an image has no holes, and is computed while the image is in the
// cache.
func (h *header) zeroBlocks(pixels []float32) int {
	n, zero := 0, h.rescale(0)
	for j := 0; j+holeSide <= h.rows; j += 2 * holeSide {
		row := pixels[j*h.columns:][:h.columns]
		for i := 0; i+holeSide <= len(row); i += holeSide {
			if row[i] == zero {
				n++
			}
		}
	}
	return n
}

// someMean returns the mean of some rows above stored zeros. It shows that an image is not
// faint, and is computed while the image is in the cache.
func (h *header) someMean(pixels []float32) float64 {
	sum, n := 0.0, 0
	for j := 0; j < h.rows; j += rowsApart {
		row := pixels[j*h.columns:][:h.columns]
		n += len(row)
		var a, b, c, d float32 // four independent sums
		for ; len(row) >= 4; row = row[4:] {
			a, b, c, d = a+row[0], b+row[1], c+row[2], d+row[3]
		}
		for _, v := range row {
			a += v
		}
		sum += float64(a) + float64(b) + float64(c) + float64(d)
	}
	return sum/float64(n) - float64(h.rescale(0))
}

// checkHoles refuses images with blocks of zeros where the echo before and the one after
// have signal: a decaying signal does not vanish and rise again. The first and the last echo have
// only one neighbour.
func (d decoded) checkHoles() error {
	for k := range d.grid[0] {
		for e := range d.grid {
			c, all := d.seen[e][k], float64(d.Geometry.SliceVoxels())
			if c.flat || 4*float64(c.zeros*holeSide*holeSide) < leastHoles*all {
				continue // not half of them in half of the rows
			}
			if n := d.holes(e, k); float64(n) >= leastHoles*all {
				f := d.neighbours(e)[0]
				return d.grid[e][k].withoutData("%d of %.0f pixels hold 0, in one block or several, where %s, "+
					"another echo of the slice, has signal", n, all, d.grid[f][k].displayName())
			}
		}
	}
	return nil
}

// holes counts the pixels of an image in blocks of zeros where the neighbouring echoes have
// signal at each pixel: leastSignal of their mean, and more than faintSteps.
func (d decoded) holes(e, k int) int {
	h, pixels, others := d.grid[e][k], d.image(e, k), d.neighbours(e)
	zero := h.rescale(0)
	var images [2][]float32
	var levels [2]float32
	for n, f := range others {
		images[n], levels[n] = d.image(f, k), d.level(f, k, leastSignal)
		if len(others) == 1 {
			// If a scanner sets values below a threshold to zero, the signal may fall below
			// it or rise above it, but not by a factor of faintSteps.
			threshold := faintSteps * (d.faintest(e, k) - float64(zero))
			levels[n] = max(levels[n], float32(float64(d.grid[f][k].rescale(0))+threshold))
		}
	}
	isHole := func(first int) bool {
		for y := range holeSide {
			for v := first + y*h.columns; v < first+y*h.columns+holeSide; v++ {
				if pixels[v] != zero {
					return false
				}
				for n := range others {
					if !(images[n][v] > levels[n]) {
						return false
					}
				}
			}
		}
		return true
	}
	zeros := 0
	for j := 0; j+holeSide <= h.rows; j += holeSide {
		for i := 0; i+holeSide <= h.columns; i += holeSide {
			if isHole(j*h.columns + i) {
				zeros += holeSide * holeSide
			}
		}
	}
	return zeros
}

// level returns the magnitude that is the given part of an image's mean above stored zeros,
// and at least faintSteps above them. Pixels with zero do not count.
func (d decoded) level(e, k int, part float64) float32 {
	h, pixels := d.grid[e][k], d.image(e, k)
	zero, sum, n := h.rescale(0), 0.0, 0
	for j := 0; j < h.rows; j += rowsApart {
		for _, v := range pixels[j*h.columns:][:h.columns] {
			if v != zero {
				sum += float64(v - zero)
				n++
			}
		}
	}
	return zero + float32(max(part*sum/float64(max(n, 1)), faintSteps*math.Abs(h.slope)))
}

// faintest returns the smallest magnitude of an image above that of a stored 0.
func (d decoded) faintest(e, k int) float64 {
	zero, out := d.grid[e][k].rescale(0), float32(math.Inf(1))
	for _, v := range d.image(e, k) {
		if v > zero && v < out {
			out = v
		}
	}
	return float64(out)
}
