package trial

// PLACEHOLDER: branch i13-stat has these methods in trial/endpoint.go. Delete this file when it is merged.

import (
	"math"

	"github.com/t2map/t2map/trial/mmrm"
)

func (e Endpoint) unscaled(x float64) float64 {
	if e.Log {
		return math.Exp(x)
	}
	return x
}

// Displayed returns an estimate as reports show it.
func (e Endpoint) Displayed(x mmrm.Estimate) mmrm.Estimate {
	x.Value, x.Low, x.High = e.unscaled(x.Value), e.unscaled(x.Low), e.unscaled(x.High)
	return x
}

// DisplayedInterval is Displayed for an interval without a test.
func (e Endpoint) DisplayedInterval(i Interval) Interval {
	return Interval{Estimate: e.unscaled(i.Estimate), Low: e.unscaled(i.Low), High: e.unscaled(i.High)}
}
