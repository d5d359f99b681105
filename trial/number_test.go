package trial

import (
	"math"
	"testing"
)

func TestDecimals(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		unit string
		sd   []float64
		want int
	}{
		{"ms", []float64{0.001}, 2},
		{"", []float64{12.3, 0.2}, 1},
		{"", []float64{4.5}, 2},
		{"g/L", []float64{0.0045, nan}, 5},
		{"", []float64{0.045}, 4},
		{"", []float64{1e-9}, 5},
		{"", []float64{345}, 0},
		{"", []float64{1e9}, 0},
		{"", []float64{0, nan}, 2},
		{"", nil, 2},
	} {
		e := EndpointAnalysis{Endpoint: Endpoint{Unit: c.unit}}
		for _, sd := range c.sd {
			e.Cells = append(e.Cells, []Cell{{Value: Description{SD: sd}, Change: Description{SD: nan}}})
		}
		if got := e.Decimals(); got != c.want {
			t.Errorf("%q, %v: %d decimals, want %d", c.unit, c.sd, got, c.want)
		}
	}
}
