package trial

// PLACEHOLDER: branch i13-stat has these types and methods (trial/sensitivity.go, trial/endpoint.go). Delete this
// file when it is merged.

import (
	"math"

	"github.com/t2map/t2map/trial/mmrm"
)

// SensitivityKind says which data a sensitivity analysis uses.
type SensitivityKind int8

// The kinds.
const (
	// WithoutFlagged omits values that carry a flag of quality, or one that figures show.
	WithoutFlagged SensitivityKind = iota
	// CompleteCases uses the subjects who have a change at every planned visit of the endpoint.
	CompleteCases
	// OtherSet uses the subjects of a further set of the plan.
	OtherSet
)

// Sensitivity is the difference of a primary contrast by the same model, from fewer data.
type Sensitivity struct {
	Target
	Arm           int
	Kind          SensitivityKind
	Set           string
	Estimate      mmrm.Estimate
	Reason        string
	N, NReference int
	Omitted       int
	Covariance    mmrm.Covariance
}

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
