package accuracy

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/t2map/t2map/volume"
)

// draws are the estimates of one cell: T2 and its standard error in ms, which are NaN for a draw without an estimate.
type draws struct {
	t2, se []float32
	status []volume.Status
	echoes []uint8 // the number of echoes in each fit; nil if every fit used all echoes
}

// confidence is the nominal coverage of the intervals.
const confidence = 0.95

// cell compares the estimates of a method with the truth.
//
// The bias is that of the median of all draws. The mean of T2 is unbounded at low SNR, because the rate may be
// arbitrarily near 0. In the median, a draw without an estimate is infinite if its signal does not decay, and 0 if T2
// went to 0, so that failures do not hide a bias. In the coverage, its interval does not contain the truth. Standard
// deviation and root mean square error are those of the draws with an estimate.
func (m method) cell(c condition, d draws) Cell {
	out := Cell{
		Method: m.Name, Skipped: m.Skipped,
		Echoes: c.train.Echoes, Spacing: c.train.Spacing, T2: c.t2, SNR: c.snr, B1: c.b1, Draws: len(d.t2),
	}
	out.Bound, out.GaussianBound = m.model.bounds(c, m.Skipped)
	widths := m.halfWidths(c.train.Echoes - m.Skipped)

	all, estimates := make([]float64, 0, len(d.t2)), make([]float64, 0, len(d.t2))
	covered := 0
	var squares float64
	for i, t2 := range d.t2 {
		x := float64(t2)
		if math.IsNaN(x) {
			all = append(all, failedValue(d.status[i]))
			continue
		}
		all, estimates = append(all, x), append(estimates, x)
		squares += (x - c.t2) * (x - c.t2)
		fitted := len(widths) - 1
		if d.echoes != nil {
			fitted = int(d.echoes[i])
		}
		if math.Abs(x-c.t2) <= widths[fitted]*float64(d.se[i]) {
			covered++
		}
	}
	slices.Sort(all)
	quantile := func(p float64) float64 { return stat.Quantile(p, stat.Empirical, all, nil) }
	out.Bias = quantile(0.5)/c.t2 - 1
	out.RobustSD = (quantile(0.75) - quantile(0.25)) / quartileRange
	out.SD, out.RMSE = math.NaN(), math.NaN()
	if len(estimates) > 1 {
		out.SD = stat.StdDev(estimates, nil)
		out.RMSE = math.Sqrt(squares / float64(len(estimates)))
	}
	out.Coverage = float64(covered) / float64(len(all))
	out.Failed = 1 - float64(len(estimates))/float64(len(all))
	return out
}

// halfWidths returns the half width of an interval in standard errors, by the number of fitted echoes.
func (m method) halfWidths(echoes int) []float64 {
	widths := make([]float64, echoes+1)
	for n := m.model.parameters() + 1; n <= echoes; n++ {
		t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(n - m.model.parameters())}
		widths[n] = t.Quantile((1 + confidence) / 2)
	}
	return widths
}

// quartileRange is the interquartile range of a normal distribution in standard deviations.
var quartileRange = 2 * distuv.UnitNormal.Quantile(0.75)

// failedValue returns the value in the median for a draw without an estimate.
func failedValue(s volume.Status) float64 {
	if s == volume.NotConverged {
		return 0
	}
	return math.Inf(1)
}
