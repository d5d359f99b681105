package t2fit

import (
	"fmt"
	"math"
	"slices"

	"github.com/t2map/t2map/volume"
)

const (
	// cornerPart is the ratio of the side of a slice to that of a corner: in most knee scans, the
	// outer tenth is outside the body (unsourced).
	cornerPart = 10
	// cornerPixels is the least size of a corner: the median of
	// 100 Rayleigh magnitudes fixes sigma to 7 %.
	cornerPixels = 100
	// maskedPart is the fraction of zeros above which, by three standard errors, a corner counts as
	// masked. Noise of 3.5 units or more, rounded to whole numbers, has fewer zeros.
	maskedPart = 0.01
	// cornersAgree is the largest ratio of a corner's noise to that of the quietest corner at which
	// the corner still counts as air: two medians of 100 pixels differ by 10 % (one standard
	// error).
	cornersAgree = 1.2
	// rayleighBand is the largest relative difference of mean/SD from that of Rayleigh magnitudes,
	// √(π/(4−π)) = 1.913. One pixel in a hundred with five times the noise changes it by this much,
	// and sigma by 1 %. The sum of several coils' magnitudes, whose noise is not Rician, has a
	// ratio of 2.7 for two coils and 3.9 for four.
	rayleighBand = 0.1
)

// backgroundNoise sets sigma to the noise of each slice. It measures the air in the corners of the
// last echo, in which the body is darkest: the magnitude of noise alone has a Rayleigh
// distribution, its median is σ·√(2·ln 2) (Gudbjartsson & Patz 1995, 10.1002/mrm.1910340618), and
// it does not decay. At least two corners of a slice must be air; a slice with fewer takes the
// median of the others, as in estimateNoise. It is an error if no slice has two.
func backgroundNoise(s volume.MultiEcho, sigma []float64) error {
	nx, ny := s.Size[0], s.Size[1]
	w, h := nx/cornerPart, ny/cornerPart
	if w*h < cornerPixels {
		return fmt.Errorf(
			"%w from the background: the corners of %d × %d pixels hold fewer than %d", ErrNoise, nx, ny,
			cornerPixels,
		)
	}
	pixels := make([]float64, w*h)
	var seen [3]int // corners by kind
	for k := range sigma {
		var air []float64
		for _, origin := range [4][2]int{{0, 0}, {nx - w, 0}, {0, ny - h}, {nx - w, ny - h}} {
			first := origin[0] + nx*(origin[1]+ny*k)
			corner(pixels, s.Echo[0][first:], nx, w)
			before := medianOf(pixels)
			corner(pixels, s.Echo[len(s.Echo)-1][first:], nx, w)
			content, noise := airOf(pixels)
			if content == isAir && before > cornersAgree*noise {
				content = isOther
			}
			seen[content]++
			if content == isAir {
				air = append(air, noise)
			}
		}
		sigma[k] = quietest(air)
	}
	fill(sigma)
	if len(sigma) > 0 && math.IsNaN(sigma[0]) {
		return fmt.Errorf(
			"%w from the background: no slice has two corners of air that agree: "+
				"of %d corners %d are masked to 0, %d contain more than noise",
			ErrNoise, 4*len(sigma), seen[isMasked], seen[isOther],
		)
	}
	return nil
}

// The contents of a corner: noise alone; zeros, because the scanner masked it or rounding removed
// the noise; or something else.
const (
	isAir = iota
	isMasked
	isOther
)

// airOf classifies a corner and returns its noise if it is air. It sorts the pixels.
func airOf(pixels []float64) (content int, noise float64) {
	n := float64(len(pixels))
	zeros, sum := 0.0, 0.0
	for _, v := range pixels {
		if v == 0 {
			zeros++
		}
		sum += v
	}
	if most := float64(maskedPart * n); zeros-most > 3*math.Sqrt(most) {
		return isMasked, math.NaN()
	}
	mean := sum / n
	sd := math.Sqrt(scatter(pixels, mean) / (n - 1))
	rayleigh := math.Sqrt(math.Pi / (4 - math.Pi))
	// The band is widened by three standard errors of the ratio, 0.9/√n.
	if !(math.Abs(mean/sd/rayleigh-1) <= rayleighBand+3*0.9/math.Sqrt(n)) {
		return isOther, math.NaN()
	}
	return isAir, medianOf(pixels)
}

// medianOf returns the noise for which the median of Rayleigh magnitudes is that of the pixels. It
// sorts the pixels.
func medianOf(pixels []float64) float64 {
	slices.Sort(pixels)
	return pixels[len(pixels)/2] / math.Sqrt(2*math.Ln2)
}

// corner copies a corner, w pixels wide, from an echo with rows of nx pixels. The echo begins with
// the first pixel of the corner.
func corner(dst []float64, echo []float32, nx, w int) {
	for i := range dst {
		dst[i] = float64(echo[i%w+nx*(i/w)])
	}
}

// quietest returns the mean noise of the corners that agree with the quietest one, or NaN if there
// are fewer than two.
func quietest(air []float64) float64 {
	if len(air) < 2 {
		return math.NaN()
	}
	least := slices.Min(air)
	n, sum := 0, 0.0
	for _, c := range air {
		if c <= cornersAgree*least {
			n++
			sum += c
		}
	}
	if n < 2 {
		return math.NaN()
	}
	return sum / float64(n)
}
