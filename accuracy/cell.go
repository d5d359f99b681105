package accuracy

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/t2map/t2map/volume"
)

// draws are the estimates of one cell: T2 and its standard error in ms, NaN for a draw without an
// estimate.
type draws struct {
	t2, se []float32
	status []volume.Status
	echoes []uint8 // how many each fit used; nil if each used all
}

// confidence is the nominal coverage of the intervals.
const confidence = 0.95

// cell compares the estimates of a method with the truth.
//
// The bias is that of the median over all draws: the mean of T2 is unbounded at low SNR, where a
// rate may be arbitrarily near 0. A draw without an estimate counts in the median as infinite if
// its signal does not decay, and as 0 if T2 went to 0, so that failures do not hide a bias. It
// counts as an interval that does not hold the truth. Standard deviation and root mean square
// error are over the draws with an estimate.
func (m method) cell(c condition, d draws) Cell {
	out := Cell{
		Method: m.Name, Skipped: m.Skipped,
		Echoes: c.train.Echoes, Spacing: c.train.Spacing, T2: c.t2, SNR: c.snr, B1: c.b1, Draws: len(d.t2),
	}
	out.Bound, out.GaussianBound = m.model.bounds(c, m.Skipped)
	reach := m.reaches(c.train.Echoes - m.Skipped)

	all, known := make([]float64, 0, len(d.t2)), make([]float64, 0, len(d.t2))
	covered := 0
	var squares float64
	for i, t2 := range d.t2 {
		x := float64(t2)
		if math.IsNaN(x) {
			all = append(all, lost(d.status[i]))
			continue
		}
		all, known = append(all, x), append(known, x)
		squares += (x - c.t2) * (x - c.t2)
		fitted := len(reach) - 1
		if d.echoes != nil {
			fitted = int(d.echoes[i])
		}
		if math.Abs(x-c.t2) <= reach[fitted]*float64(d.se[i]) {
			covered++
		}
	}
	slices.Sort(all)
	quantile := func(p float64) float64 { return stat.Quantile(p, stat.Empirical, all, nil) }
	out.Bias = quantile(0.5)/c.t2 - 1
	out.RobustSD = (quantile(0.75) - quantile(0.25)) / quartileRange
	out.SD, out.RMSE = math.NaN(), math.NaN()
	if len(known) > 1 {
		out.SD = stat.StdDev(known, nil)
		out.RMSE = math.Sqrt(squares / float64(len(known)))
	}
	out.Coverage = float64(covered) / float64(len(all))
	out.Failed = 1 - float64(len(known))/float64(len(all))
	return out
}

// reaches returns the half width of an interval in standard errors by the number of fitted
// echoes.
func (m method) reaches(echoes int) []float64 {
	reach := make([]float64, echoes+1)
	for n := m.model.parameters() + 1; n <= echoes; n++ {
		reach[n] = distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(n - m.model.parameters())}.Quantile((1 + confidence) / 2)
	}
	return reach
}

// quartileRange is the distance of the quartiles of a normal distribution in
// standard deviations.
var quartileRange = 2 * distuv.UnitNormal.Quantile(0.75)

// lost returns the value of a draw without an estimate in the median.
func lost(s volume.Status) float64 {
	if s == volume.NotConverged {
		return 0
	}
	return math.Inf(1)
}
