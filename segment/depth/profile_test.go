package depth

import (
	"errors"
	"math"
	"testing"

	"github.com/t2map/t2map/volume"
)

func TestProfile(t *testing.T) {
	nan := float32(math.NaN())
	depth := []float32{0, 0.2, 0.24, 0.5, 0.5, 0.99, 1, nan, -0.1, 0.6}
	t2 := []float32{30, 32, 37, 40, 99, 50, 54, 41, 41, nan}
	status := []volume.Status{1, 1, 1, 1, volume.PoorFit, 1, 1, 1, 1, volume.LowSignal}
	bins, err := Profile(depth, t2, status, 4)
	if err != nil {
		t.Fatal(err)
	}
	want := []Bin{
		{0, 0.25, 3, 0, 33, math.Sqrt(13), 0.44 / 3},
		{0.25, 0.5, 0, 0, math.NaN(), math.NaN(), math.NaN()},
		{0.5, 0.75, 1, 2, 40, math.NaN(), 0.5},
		{0.75, 1, 2, 0, 52, math.Sqrt(8), 0.995},
	}
	same := func(a, b float64) bool { return math.Abs(a-b) < 1e-6 || math.IsNaN(a) && math.IsNaN(b) }
	for n, got := range bins {
		w := want[n]
		if got.Low != w.Low || got.High != w.High || got.N != w.N || got.Excluded != w.Excluded ||
			!same(got.Mean, w.Mean) || !same(got.SD, w.SD) || !same(got.Depth, w.Depth) {
			t.Errorf("bin %d: %+v, want %+v", n, got, w)
		}
	}
	if bins, err := Profile(nil, nil, nil, 0); err != nil || len(bins) != DefaultBins || bins[9].High != 1 {
		t.Errorf("nothing: %v, %v", bins, err)
	}
	var fault *LengthError
	if _, err := Profile(depth, t2[1:], status, 4); !errors.As(err, &fault) || fault.Got != 9 || fault.Want != 10 {
		t.Errorf("error %v, want a *LengthError", err)
	}
}
