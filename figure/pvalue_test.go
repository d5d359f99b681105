package figure

import (
	"math"
	"testing"
)

func TestPValue(t *testing.T) {
	for p, want := range map[float64]string{0: "<0.001", 0.00099: "<0.001", 0.001: "0.001", 0.0427: "0.043",
		0.983: "0.983", 1: "1.000"} {
		if got := PValue(p); got != want {
			t.Errorf("%v: %q, want %q", p, got, want)
		}
	}
	if got := PValue(math.NaN()); got != "–" {
		t.Errorf("%q", got)
	}
}
