package t2fit

import (
	"fmt"
	"math"
	"slices"

	"github.com/t2map/t2map/volume"
)

const (
	// cornerPart is the side of a corner as a fraction of the slice's: a tenth is
	// outside the body in most knee scans (unsourced).
	cornerPart = 10
	// cornerPixels is the least size of a corner: the median of
	// 100 Rayleigh magnitudes fixes sigma to 7 %.
	cornerPixels = 100
	// maskedPart is the fraction of zeros beyond which, by three standard errors of
	// their number, a corner counts as masked. Noise of 3.5 units or more, rounded to
	// whole ones, has fewer.
	maskedPart = 0.01
	// cornersAgree is how much more noise than the quietest a corner may have and
	// still be air: two medians of 100 pixels differ by 10 % (one standard error).
	cornersAgree = 1.2
	// rayleighBand is how far mean over SD may be from that of Rayleigh magnitudes,
	// √(π/(4−π)) = 1.913: one pixel in a hundred of five times the noise moves
	// it by that much and sigma by 1 %; the sum of several coils' magnitudes, whose
	// noise is not Rician, has 2.7 for two coils and 3.9 for four.
	rayleighBand = 0.1
)

// backgroundNoise puts the noise of each slice into sigma, from the air in the
// corners of its last echo, which holds least of the body: the magnitude of noise
// alone is Rayleigh distributed and its median is σ·√(2·ln 2) (Gudbjartsson & Patz
// 1995, 10.1002/mrm.1910340618), and it does not decay. At least two corners of a slice have to be air; a
// slice with fewer takes the median of the others, as in estimateNoise. It is an
// error where no slice has them.
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
			what, noise := airOf(pixels)
			if what == isAir && before > cornersAgree*noise {
				what = isOther
			}
			seen[what]++
			if what == isAir {
				air = append(air, noise)
			}
		}
		sigma[k] = quietest(air)
	}
	fill(sigma)
	if len(sigma) > 0 && math.IsNaN(sigma[0]) {
		return fmt.Errorf(
			"%w from the background: no slice has two corners of air that agree: "+
				"of %d corners %d are masked to 0, %d hold something else than noise",
			ErrNoise, 4*len(sigma), seen[isMasked], seen[isOther],
		)
	}
	return nil
}

// What a corner is: noise alone; set to zero by the scanner, or rounded away; or
// something else.
const (
	isAir = iota
	isMasked
	isOther
)

// airOf says what a corner is and, where it is air, its noise; it sorts the pixels.
func airOf(pixels []float64) (what int, noise float64) {
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
	// To three standard errors of the ratio, 0.9/√n, beyond the band.
	if !(math.Abs(mean/sd/rayleigh-1) <= rayleighBand+3*0.9/math.Sqrt(n)) {
		return isOther, math.NaN()
	}
	return isAir, medianOf(pixels)
}

// medianOf returns the noise whose Rayleigh magnitudes have the pixels' median; it
// sorts them.
func medianOf(pixels []float64) float64 {
	slices.Sort(pixels)
	return pixels[len(pixels)/2] / math.Sqrt(2*math.Ln2)
}

// corner copies the pixels of a corner, w in each row of nx, out of an echo that
// begins with its first one.
func corner(dst []float64, echo []float32, nx, w int) {
	for i := range dst {
		dst[i] = float64(echo[i%w+nx*(i/w)])
	}
}

// quietest returns the mean noise of the corners that agree with the quietest, NaN
// where none does.
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
