package figures

import (
	"math"
	"strconv"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial"
)

// axis is the range of an axis. With log, the range is of natural logarithms, and labels are values or ratios.
type axis struct {
	figure.Range
	log bool
}

// Ticks returns about most ticks or fewer: on a log axis at 1, 2 and 5 times powers of ten, or, if there are fewer
// than three of these, at equal steps.
func (r axis) Ticks(most int) []figure.Tick {
	if !r.log {
		return r.Range.Ticks(most)
	}
	low, high := math.Exp(r.Low), math.Exp(r.High)
	if !(low > 0 && figure.Drawable(high)) {
		return nil
	}
	var ticks []figure.Tick
	first, last := math.Floor(math.Log10(low)), math.Ceil(math.Log10(high))
	step := math.Ceil((last - first) / float64(most))
	for power := first; power <= last; power += step {
		for _, m := range []float64{1, 2, 5} {
			if x := m * math.Pow(10, power); x >= low && x <= high && (m == 1 || last-first <= 2) {
				ticks = append(ticks, figure.Tick{Value: math.Log(x), Label: strconv.FormatFloat(x, 'g', 5, 64)})
			}
		}
	}
	if len(ticks) > 2 {
		return ticks
	}
	ticks = figure.Range{Low: low, High: high}.Ticks(most)
	for n := range ticks {
		ticks[n].Value = math.Log(ticks[n].Value)
	}
	return ticks
}

// shown returns a position on the axis as it is printed: on a log axis the ratio.
func (r axis) shown(x float64) float64 {
	if r.log {
		return math.Exp(x)
	}
	return x
}

// geometric returns the mean of the logarithms of an arm's values at a visit with its t interval, for the axis of an
// endpoint on the log scale.
func geometric(a trial.Analysis, e trial.EndpointAnalysis, arm, visit int) point {
	var logs []float64
	for s, subject := range a.Design.Subjects {
		if x := e.Values[s][visit].X; subject.Arm == arm && subject.Analysed() && x > 0 {
			logs = append(logs, math.Log(x))
		}
	}
	p := point{n: len(logs), mid: stat.Mean(logs, nil), low: math.NaN(), high: math.NaN()}
	if p.n > 1 {
		n := float64(p.n)
		t := distuv.StudentsT{Sigma: 1, Nu: n - 1}.Quantile((1 + a.Plan.Level) / 2)
		half := t * stat.StdDev(logs, nil) / math.Sqrt(n)
		p.low, p.high = p.mid-half, p.mid+half
	}
	return p
}
