package depth

import (
	"fmt"
	"math"

	"github.com/t2map/t2map/volume"
)

// DefaultBins is the default number of bins of a profile.
const DefaultBins = 10

// Bin is T2 in a range of depths.
type Bin struct {
	Low, High float64 // relative depth, Low ≤ depth < High; the last bin includes 1
	N         int     // voxels with a T2
	Excluded  int     // voxels in the range that are excluded by their status or have no T2
	Mean, SD  float64 // ms; Mean is NaN where N is 0, SD (n − 1 in the denominator) where it is below 2
	Depth     float64 // the mean depth of the N voxels: cartilage does not fill its bins evenly
}

// LengthError reports that arrays that must have the same length differ.
type LengthError struct{ Got, Want int }

func (e *LengthError) Error() string {
	return fmt.Sprintf("an array has %d values, and another that belongs to it has %d", e.Got, e.Want)
}

// Profile returns T2 against relative depth in bins of equal width from bone to joint (bins < 1:
// DefaultBins). depth, t2 and status have one value for each voxel, in any order. Voxels without a depth
// (NaN, or outside 0 … 1) are ignored. Only T2 with the status Fitted counts, as in summaries. Arrays of
// different lengths are a *LengthError.
func Profile(depth, t2 []float32, status []volume.Status, bins int) ([]Bin, error) {
	for _, n := range []int{len(t2), len(status)} {
		if n != len(depth) {
			return nil, &LengthError{n, len(depth)}
		}
	}
	if bins < 1 {
		bins = DefaultBins
	}
	out := make([]Bin, bins)
	squares := make([]float64, bins)
	for v, d := range depth {
		if !(d >= 0 && d <= 1) {
			continue
		}
		n := min(bins-1, int(float64(d)*float64(bins)))
		b := &out[n]
		value := float64(t2[v])
		if status[v] != volume.Fitted || math.IsNaN(value) {
			b.Excluded++
			continue
		}
		// Welford 1962: the sum of squares about the mean does not cancel.
		b.N++
		delta := value - b.Mean
		b.Mean += delta / float64(b.N)
		squares[n] += float64(delta * (value - b.Mean))
		b.Depth += float64(d)
	}
	for n := range out {
		b := &out[n]
		b.Low, b.High = float64(n)/float64(bins), float64(n+1)/float64(bins)
		b.SD = math.NaN()
		if b.N > 1 {
			b.SD = math.Sqrt(squares[n] / float64(b.N-1))
		}
		if b.N == 0 {
			b.Mean = math.NaN()
		}
		b.Depth /= float64(b.N)
	}
	return out, nil
}
