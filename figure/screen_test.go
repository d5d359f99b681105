package figure

import (
	"strings"
	"testing"
)

func TestRoundTicks(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		want      string
	}{
		{0, 72.8, "0 20 40 60"}, {0, 1.04, "0 0.2 0.4 0.6 0.8 1"}, {0, 52.5, "0 10 20 30 40 50"},
		{0, 266, "0 50 100 150 200 250"}, {0, 9600, "0 2000 4000 6000 8000"},
		{0, 0.007, "0 0.001 0.002 0.003 0.004 0.005 0.006 0.007"},
	} {
		var got []string
		for _, tick := range RoundTicks(c.low, c.high) {
			got = append(got, tick.Label)
		}
		if labels := strings.Join(got, " "); labels != c.want {
			t.Errorf("%g to %g: %s, want %s", c.low, c.high, labels, c.want)
		}
	}
}
