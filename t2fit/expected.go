package t2fit

import (
	"math"

	"github.com/t2map/t2map/t2fit/internal/epg"
	"github.com/t2map/t2map/t2fit/internal/lanes"
)

// Expected returns what the method expects of each echo of a decay with that
// estimate: NaN for the skipped ones, and nil where the estimate has no value or
// where the curve is S0·exp(−TE/T2), which anyone can draw. For Rician, Sigma is the
// noise. It is for pictures; the estimate must be of these options and echo times.
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
		curve = func(e int) float64 { return o.Sigma * noise.at(decay(e)/o.Sigma).mean }
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

// graph returns the echoes of an estimate by EPG.
func (o Resolved) graph(te []float64, est Estimate) *epg.Decay {
	n := len(te)
	d := epg.NewDecay(epg.Train{Echoes: n, Spacing: te[n-1] / float64(n), T1: o.T1})
	d.Profile(1/est.T2, est.B1, o.RefocusingProfile)
	return d
}
