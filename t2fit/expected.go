package t2fit

import (
	"math"

	"github.com/t2map/t2map/t2fit/internal/epg"
	"github.com/t2map/t2map/t2fit/internal/lanes"
)

// Expected returns the expected magnitude of each echo for an estimate, NaN for the skipped echoes.
// It returns nil if the estimate has no value, or if the curve is simply S0·exp(−TE/T2). For
// Rician, Sigma is the noise. It is meant for pictures; the estimate must come from these options
// and echo times.
func (o Resolved) Expected(te []float64, est Estimate) []float64 {
	if !est.Status.HasValue() || o.Method == Rician && !(o.Sigma > 0) {
		return nil
	}
	var curve func(e int) float64
	decay := func(e int) float64 { return est.S0 * lanes.Exp(-te[e]/est.T2) }
	switch o.Method {
	case NLLSOffset:
		curve = func(e int) float64 { return decay(e) + est.Offset }
	case Rician:
		noise := tabulated()
		curve = func(e int) float64 { return o.Sigma * noise.evaluate(decay(e)/o.Sigma).mean }
	case EPG:
		d := o.graph(te, est)
		curve = func(e int) float64 { return est.S0 * d.Echo[e] }
	default:
		return nil
	}
	out := make([]float64, len(te))
	for e := range out {
		out[e] = math.NaN()
		if e >= o.SkipEchoes {
			out[e] = curve(e)
		}
	}
	return out
}

// graph returns the echoes of the phase graph for an estimate.
func (o Resolved) graph(te []float64, est Estimate) *epg.Decay {
	n := len(te)
	d := epg.NewDecay(epg.Train{Echoes: n, Spacing: te[n-1] / float64(n), T1: o.T1})
	d.Profile(1/est.T2, est.B1, o.RefocusingProfile)
	return d
}
