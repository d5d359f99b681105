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
	// cornerPixels is the size under which a corner says too little: the median of
	// 100 Rayleigh magnitudes fixes sigma to 7 %.
	cornerPixels = 100
	// maskedPart is the fraction of zeros from which the air has been masked. Noise
	// of 3.5 units or more, rounded to whole ones, has fewer.
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
// 1995, 10.1002/mrm.1910340618). At least two corners have to be air.
func backgroundNoise(s volume.MultiEcho, sigma []float64) error {
	nx, ny := s.Size[0], s.Size[1]
	w, h := nx/cornerPart, ny/cornerPart
	if w*h < cornerPixels {
		return fmt.Errorf("noise from the background: the corners of %d × %d pixels hold fewer than %d; take it from the residuals or give sigma", nx, ny, cornerPixels)
	}
	echo := s.Echo[len(s.Echo)-1]
	pixels := make([]float64, w*h)
	for k := range sigma {
		var air []float64
		for _, at := range [4][2]int{{0, 0}, {nx - w, 0}, {0, ny - h}, {nx - w, ny - h}} {
			for j := range h {
				row := echo[at[0]+nx*(at[1]+j+ny*k):]
				for i := range w {
					pixels[i+w*j] = float64(row[i])
				}
			}
			c, err := airOf(pixels)
			if err != nil {
				return fmt.Errorf("noise from the background: slice %d: %w; take it from the residuals or give sigma", k+1, err)
			}
			if c > 0 {
				air = append(air, c)
			}
		}
		if sigma[k] = quietest(air); math.IsNaN(sigma[k]) {
			return fmt.Errorf("noise from the background: slice %d: no two corners hold noise alone, of Rayleigh's distribution; take it from the residuals or give sigma", k+1)
		}
	}
	return nil
}

// airOf returns the noise of a corner, 0 where it is not air; it sorts the pixels.
func airOf(pixels []float64) (float64, error) {
	n := float64(len(pixels))
	zeros, sum := 0, 0.0
	for _, v := range pixels {
		if v == 0 {
			zeros++
		}
		sum += v
	}
	if float64(zeros) > maskedPart*n {
		return 0, fmt.Errorf("%.0f %% of a corner is exactly 0, masked by the scanner or rounded away", 100*float64(zeros)/n)
	}
	mean := sum / n
	sd := math.Sqrt(scatter(pixels, mean) / (n - 1))
	rayleigh := math.Sqrt(math.Pi / (4 - math.Pi))
	// To three standard errors of the ratio, 0.9/√n, beyond the band.
	if !(math.Abs(mean/sd/rayleigh-1) <= rayleighBand+3*0.9/math.Sqrt(n)) {
		return 0, nil
	}
	slices.Sort(pixels)
	return pixels[len(pixels)/2] / math.Sqrt(2*math.Ln2), nil
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
