package t2fit

import (
	"math"
	"testing"

	"github.com/t2map/t2map/volume"
)

// Without noise, ARLO returns the T2 that follows from Simpson's rule: step/3·(1 + 4q + q²)/(1 −
// q²) for q = exp(−step/T2), 0.5 % above T2 at T2 = step.
func TestARLOExact(t *testing.T) {
	for _, te := range [][]float64{echoTimes(10, 10, 7), echoTimes(6.312, 6.312, 8), echoTimes(8, 8, 32)} {
		step := te[1] - te[0]
		for _, t2 := range []float64{4, 10, 35, 80, 400} {
			q := math.Exp(-step / t2)
			want := step / 3 * (1 + 4*q + q*q) / (1 - q*q)
			got, err := Curve(te, decayOf(te, t2, 900), Options{Method: ARLO, T2Range: [2]float64{0, 1e6}})
			if err != nil {
				t.Fatal(err)
			}
			if got.Status != volume.Fitted || !near(got.T2, want, 1e-9) {
				t.Errorf("TE %v, T2 %g: got %+v, want %g", te, t2, got, want)
			}
		}
	}
}

func TestARLORefusesUnevenEchoes(t *testing.T) {
	if _, err := Curve([]float64{10, 20, 30, 41}, []float64{4, 3, 2, 1}, Options{Method: ARLO}); err == nil {
		t.Error("unevenly spaced echoes were fitted")
	}
}
