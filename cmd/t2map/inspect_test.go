package main

import "testing"

// Evenly spaced echo times are abbreviated; others are listed.
func TestEchoTimesAsInspectPrintsThem(t *testing.T) {
	for _, c := range []struct {
		te     []float64
		uneven bool
		want   string
	}{
		{nil, false, "none"}, {[]float64{14}, false, "1: 14"},
		{[]float64{6.312, 12.624, 18.936}, false, "3: 6.312 … 18.936"},
		{[]float64{10, 20, 40, 50}, true, "4: 10 20 40 50"}, {[]float64{10, 25, 50.5}, true, "3: 10 25 50.5"},
	} {
		if got := echoTimes(c.te, c.uneven); got != c.want {
			t.Errorf("%v: %q, want %q", c.te, got, c.want)
		}
	}
}
