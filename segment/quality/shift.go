package quality

import (
	"image"
	"math"

	"github.com/t2map/t2map/volume"
)

// Shift is the movement between two images of a series within its slices.
type Shift struct {
	// I and J are the shift in pixels along a row and along a column: what is at (i, j) in the first image is at
	// (i+I, j+J) in the second. Both are NaN if Correlation is not above 0 anywhere, as in flat images.
	I, J float64
	// Correlation of the gradients after the shift, from −1 to 1; NaN if there are no gradients.
	Correlation float64
}

// Pixels returns the length of the shift.
func (s Shift) Pixels() float64 { return math.Hypot(s.I, s.J) }

// The parameters of Between.
const (
	// margin in pixels around the mask: bone and muscle, which do not change their shape, are in the neighbourhood.
	margin = 8
	// mostSlices limits the time: eight slices have several thousand edges.
	mostSlices = 8
	// near is the reach of the first search in pixels, and far that of the second one, which follows if the first
	// finds its maximum at the end of its reach or a poor one.
	near, far = 1, 8
)

// LeastCorrelation is the least correlation of a shift that can be relied on. Under it the maximum may be an accidental
// one: gradients are a few pixels wide, so that images that are 2 pixels or more apart correlate less. The real
// knee and phantoms of the tests have 0.55 to 0.98, and not less than 0.5 with noise at which the last echo has an SNR
// of 3.
const LeastCorrelation = 0.5

// Between estimates the shift between two images on the grid g near a mask, as the mean over up to eight slices with
// a mask. A pixel of the mask is not 0; without a mask, the shift is NaN.
//
// It correlates the gradients of the images (Argyriou & Vlachos, Electronics Letters 39:980, 2003), which are at the
// same places in all echoes although the contrast changes, normalised by their energy, and takes the maximum of the
// quadratic surface through the nine values around the largest one. The images are first smoothed with (1 2 1)/4
// in both directions, without which the peak is too narrow for a quadratic surface. A shift of 9 or 10 pixels is found
// as one of 8, with a lower correlation; one of 12 pixels or more gives a correlation under LeastCorrelation.
func Between(g volume.Geometry, first, second []float32, mask []uint16) Shift {
	var fields []field
	var slices []int
	for k := range g.Size[2] {
		if marked(volume.Slice(g, mask, k)) {
			slices = append(slices, k)
		}
	}
	step := max(1, float64(len(slices))/mostSlices)
	for n := range min(len(slices), mostSlices) {
		k := slices[int((float64(n)+0.5)*step)]
		inner := sliceBox(volume.Slice(g, mask, k), g.Size[0])
		// A gradient of a smoothed image needs two pixels on each side.
		inner = inner.Inset(-margin).Intersect(image.Rect(0, 0, g.Size[0], g.Size[1]).Inset(far + 2))
		if inner.Empty() {
			continue
		}
		fields = append(fields, newField(g, volume.Slice(g, first, k), volume.Slice(g, second, k), inner))
	}
	s, end := search(fields, near)
	if end || !(s.Correlation >= LeastCorrelation) {
		if wide, _ := search(fields, far); wide.Correlation >= s.Correlation || math.IsNaN(s.Correlation) {
			s = wide
		}
	}
	return s
}

// marked reports whether a slice has a mask.
func marked(mask []uint16) bool {
	for _, label := range mask {
		if label != 0 {
			return true
		}
	}
	return false
}

// sliceBox returns the box of the mask in a slice.
func sliceBox(mask []uint16, nx int) image.Rectangle {
	var box image.Rectangle
	for j := range len(mask) / nx {
		row := mask[j*nx:][:nx]
		for i, label := range row {
			if label != 0 {
				last := i
				for n := nx - 1; n > i; n-- {
					if row[n] != 0 {
						last = n
						break
					}
				}
				box = box.Union(image.Rect(i, j, last+1, j+1))
				break
			}
		}
	}
	return box
}

// field holds the gradients of both images in the neighbourhood of the mask in a slice: of the first image in a box,
// of the second one in the box enlarged by far.
type field struct {
	size          image.Point
	firstX        []float32
	firstY        []float32
	wide          int // columns of the enlarged box
	secondX       []float32
	secondY       []float32
	energy        float64   // sum of the squares of the first gradients
	secondEnergy  []float64 // of the second, over all pixels above and to the left, with a row and column of zeros
	energyColumns int
}

func newField(g volume.Geometry, first, second []float32, box image.Rectangle) field {
	f := field{size: box.Size()}
	f.firstX, f.firstY = gradients(first, g.Size[0], box)
	for n, x := range f.firstX {
		f.energy += square(x) + square(f.firstY[n])
	}
	box = box.Inset(-far)
	f.wide = box.Dx()
	f.secondX, f.secondY = gradients(second, g.Size[0], box)
	f.energyColumns = f.wide + 1
	f.secondEnergy = make([]float64, f.energyColumns*(box.Dy()+1))
	for j := range box.Dy() {
		row := 0.0
		for i := range f.wide {
			row += square(f.secondX[i+f.wide*j]) + square(f.secondY[i+f.wide*j])
			f.secondEnergy[i+1+f.energyColumns*(j+1)] = f.secondEnergy[i+1+f.energyColumns*j] + row
		}
	}
	return f
}

// square returns x². Its conversion, like others in this file, forbids fusing the product with a sum, so that all
// processors compute the same.
func square(x float32) float64 { return float64(float64(x) * float64(x)) }

// gradients returns the central differences of a smoothed image in a box that is at least two pixels inside of it.
func gradients(img []float32, nx int, box image.Rectangle) (x, y []float32) {
	around := box.Inset(-1)
	smooth := make([]float32, around.Dx()*around.Dy())
	for j := range around.Dy() {
		row := smooth[j*around.Dx():][:around.Dx()]
		start := around.Min.X + nx*(around.Min.Y+j)
		above, middle, below := img[start-nx-1:][:len(row)+2], img[start-1:][:len(row)+2], img[start+nx-1:][:len(row)+2]
		for i := range row {
			row[i] = above[i] + above[i+2] + below[i] + below[i+2] +
				float32(2*(above[i+1]+below[i+1]+middle[i]+middle[i+2])) + float32(4*middle[i+1])
		}
	}
	x, y = make([]float32, box.Dx()*box.Dy()), make([]float32, box.Dx()*box.Dy())
	for j := range box.Dy() {
		above, middle, below := smooth[j*around.Dx():], smooth[(j+1)*around.Dx():], smooth[(j+2)*around.Dx():]
		for i := range box.Dx() {
			x[i+box.Dx()*j] = middle[i+2] - middle[i]
			y[i+box.Dx()*j] = below[i+1] - above[i+1]
		}
	}
	return x, y
}

// product returns the sum of the products of the first gradients with the second ones moved by (u, v), and the energy
// of the latter.
func (f field) product(u, v int) (sum, energy float64) {
	for j := range f.size.Y {
		n, m := j*f.size.X, u+far+f.wide*(j+v+far)
		sum += dot(f.firstX[n:][:f.size.X], f.secondX[m:][:f.size.X])
		sum += dot(f.firstY[n:][:f.size.X], f.secondY[m:][:f.size.X])
	}
	top, left := v+far, u+far
	bottom, right := top+f.size.Y, left+f.size.X
	e := func(i, j int) float64 { return f.secondEnergy[i+f.energyColumns*j] }
	return sum, e(right, bottom) - e(left, bottom) - e(right, top) + e(left, top)
}

// dot returns the scalar product of two rows of one length, in four sums that do not wait for each other.
func dot(a, b []float32) float64 {
	var s0, s1, s2, s3 float32
	b = b[:len(a)]
	n := 0
	for ; n+4 <= len(a); n += 4 {
		x, y := a[n:n+4:n+4], b[n:n+4:n+4]
		s0 += float32(x[0] * y[0])
		s1 += float32(x[1] * y[1])
		s2 += float32(x[2] * y[2])
		s3 += float32(x[3] * y[3])
	}
	for ; n < len(a); n++ {
		s0 += float32(a[n] * b[n])
	}
	return float64(s0) + float64(s1) + float64(s2) + float64(s3)
}

// search returns the shift of the largest correlation up to the reach, and whether it is at the end of the reach.
func search(fields []field, reach int) (best Shift, end bool) {
	nan := math.NaN()
	best = Shift{nan, nan, nan}
	n := 2*reach + 1
	c := make([]float64, n*n)
	peak := -1
	for p := range c {
		c[p] = correlation(fields, p%n-reach, p/n-reach)
		if c[p] > 0 && (peak < 0 || c[p] > c[peak]) {
			peak = p
		}
	}
	if peak < 0 {
		return best, true
	}
	i, j := peak%n, peak/n
	best = Shift{float64(i - reach), float64(j - reach), c[peak]}
	if i == 0 || j == 0 || i == n-1 || j == n-1 {
		return best, true
	}
	di, dj := vertex(c, peak, n)
	best.I, best.J = best.I+di, best.J+dj
	return best, false
}

// correlation returns the correlation of the gradients at a shift; NaN if there are none.
func correlation(fields []field, u, v int) float64 {
	sum, first, second := 0.0, 0.0, 0.0
	for _, f := range fields {
		s, e := f.product(u, v)
		sum, first, second = sum+s, first+f.energy, second+e
	}
	return sum / math.Sqrt(first*second)
}

// vertex returns the position of the maximum of the quadratic surface through a value of a table of n columns that is
// the largest, and its eight neighbours; it is at most one step away in each direction.
func vertex(c []float64, peak, n int) (di, dj float64) {
	value := func(i, j int) float64 { return c[peak+i+n*j] }
	gi, gj := (value(1, 0)-value(-1, 0))/2, (value(0, 1)-value(0, -1))/2
	twice := 2 * value(0, 0)
	hii, hjj := value(1, 0)-twice+value(-1, 0), value(0, 1)-twice+value(0, -1)
	hij := (value(1, 1) - value(-1, 1) - value(1, -1) + value(-1, -1)) / 4
	det := float64(hii*hjj) - float64(hij*hij)
	if !(det > 0) { // a ridge
		return 0, 0
	}
	limit := func(x float64) float64 { return max(-1, min(1, x)) }
	return limit((float64(hij*gj) - float64(hjj*gi)) / det), limit((float64(hij*gi) - float64(hii*gj)) / det)
}
