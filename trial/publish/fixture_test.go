package publish

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial"
	"github.com/t2map/t2map/trial/mmrm"
)

var nan = math.NaN()

// sample is a made-up trial, the same at each call: its figures agree with each other
// where they are sums and means, and are plausible where they are of a model.
type sample struct {
	arms, visits, perArm int
	// scores adds an endpoint that is not a compartment.
	scores bool
}

// noise is a number of [−1, 1) that depends on its arguments alone.
func noise(n ...int) float64 {
	h := uint64(1469598103934665603) // FNV-1a
	for _, x := range n {
		h = (h ^ uint64(x+7)) * 1099511628211
		h ^= h >> 29
	}
	return float64(h%20011)/10005.5 - 1
}

func (s sample) analysis() trial.Analysis {
	a := trial.Analysis{
		Version:  "1.2.3",
		Design:   s.design(),
		Plan:     trial.Plan{Level: 0.95, WithinCV: 0.05, Permutations: 9999},
		Inputs:   []trial.Input{{Name: "compartments.csv", SHA256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}, {Name: "design.csv", SHA256: "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"}},
		Settings: []string{"nlls, first echo not fitted, T2 from 0 to 100 ms, labels: compartments, protocol: demo, t2map 1.2.3"},
		Flags: []trial.Flag{
			{Kind: trial.NotInDesign, Subject: "X9", Visit: "baseline", Text: "the design does not have this subject"},
			{Kind: trial.NoResult, Subject: "S003", Visit: "visit 2", Text: "no study"},
			{Kind: trial.ScannerChange, Subject: "S001", Visit: "visit 1", Text: "another scanner than at baseline"},
			{Kind: trial.Quality, Subject: "S002", Visit: "baseline", Text: "images were compressed with loss"},
		},
	}
	names := []string{"medial", "lateral", "patellofemoral"}
	for i, name := range names {
		a.Endpoints = append(a.Endpoints, s.endpoint(a.Design, i, trial.Endpoint{
			Name: name, Title: string(name[0]-32) + name[1:] + " T2", Unit: "ms", Compartment: true, Direction: trial.HigherIsWorse,
		}))
	}
	if s.scores {
		a.Endpoints = append(a.Endpoints, s.endpoint(a.Design, 3, trial.Endpoint{Name: "WOMAC pain", Title: "WOMAC pain", Direction: trial.HigherIsWorse}))
		a.Correlations = s.correlations()
	}
	a.Flow = flowOf(a)
	return a
}

func (s sample) design() trial.Design {
	d := trial.Design{Name: "DEMO-1", Primary: trial.Primary{Visit: s.visits - 1}}
	for arm := range s.arms {
		d.Arms = append(d.Arms, []string{"control", "low dose", "high dose", "arm 4", "arm 5", "arm 6"}[arm])
	}
	for v := range s.visits {
		name := "baseline"
		if v > 0 {
			name = fmt.Sprintf("visit %d", v)
		}
		d.Visits = append(d.Visits, trial.Visit{Name: name, Month: float64(3 * v)})
	}
	for n := range s.arms * s.perArm {
		who := trial.Subject{
			ID: fmt.Sprintf("S%03d", n+1), Arm: n % s.arms, Side: []string{"left", "right"}[n%2], Site: fmt.Sprintf("site %d", n%3+1),
			Sex: []string{"F", "M"}[n/2%2], Age: 55 + math.Round(10*noise(n)), BMI: 26 + math.Round(40*noise(n, 1))/10,
		}
		if n == 4 {
			who.BMI = nan
		}
		d.Subjects = append(d.Subjects, who)
	}
	return d
}

func (s sample) endpoint(d trial.Design, which int, e trial.Endpoint) trial.EndpointAnalysis {
	x := trial.EndpointAnalysis{Endpoint: e, RC: nan}
	if e.Compartment {
		x.RC = 1.96 * math.Sqrt2 * 5
	}
	for n, who := range d.Subjects {
		values := make([]trial.Value, s.visits)
		changes := make([]trial.Change, s.visits)
		base := 38 + 4*noise(n, which)
		for v := range values {
			values[v] = trial.Value{X: math.Round(100*(base+float64(v)*(0.6-1.3*float64(who.Arm))+2.2*noise(n, which, v)*float64(min(v, 1)))) / 100, Side: who.Side, Study: fmt.Sprintf("%012x", n*1000+v), Series: "77aa", Method: "nlls"}
			if n == 2 && v == 2 || v > 0 && n%11 == 10 {
				values[v] = trial.Value{X: nan, Missing: "no study", Flags: []int{1}}
			}
			if n == 0 && v == 1 {
				values[v].Flags = []int{2}
			}
			changes[v] = changeOf(values[0].X, values[v].X, x.RC, v)
		}
		x.Values, x.Changes = append(x.Values, values), append(x.Changes, changes)
	}
	x.Cells = cellsOf(d, x)
	s.fit(d, &x, which)
	return x
}

func changeOf(base, x, rc float64, visit int) trial.Change {
	c := trial.Change{Delta: x - base, Percent: 100 * (x - base) / base}
	switch {
	case visit == 0:
		return trial.Change{Delta: nan, Percent: nan, Missing: "baseline"}
	case math.IsNaN(c.Delta):
		c.Missing = "no study"
	case math.IsNaN(rc):
	case c.Percent > rc:
		c.Verdict = trial.Increase
	case c.Percent < -rc:
		c.Verdict = trial.Decrease
	default:
		c.Verdict = trial.Within
	}
	return c
}

func cellsOf(d trial.Design, x trial.EndpointAnalysis) [][]trial.Cell {
	cells := make([][]trial.Cell, len(d.Arms))
	for arm := range cells {
		for v := range d.Visits {
			var c trial.Cell
			var values, deltas, percents []float64
			for n, who := range d.Subjects {
				if who.Arm != arm {
					continue
				}
				value, change := x.Values[n][v], x.Changes[n][v]
				c.ValueFlags, c.ChangeFlags = append(c.ValueFlags, value.Flags...), append(c.ChangeFlags, value.Flags...)
				if math.IsNaN(value.X) {
					c.Missing++
					continue
				}
				values = append(values, value.X)
				if !math.IsNaN(change.Delta) {
					deltas, percents = append(deltas, change.Delta), append(percents, change.Percent)
				}
			}
			c.Value, c.Change, c.Percent = describe(values), describe(deltas), describe(percents)
			cells[arm] = append(cells[arm], c)
		}
	}
	return cells
}

func describe(x []float64) trial.Description {
	d := trial.Description{N: len(x), Mean: nan, SD: nan, Median: nan, Q1: nan, Q3: nan, Min: nan, Max: nan, Low: nan, High: nan}
	if len(x) == 0 {
		return d
	}
	x = slices.Clone(x)
	slices.Sort(x)
	d.Mean = stat.Mean(x, nil)
	d.Median, d.Q1, d.Q3 = stat.Quantile(0.5, stat.Empirical, x, nil), stat.Quantile(0.25, stat.Empirical, x, nil), stat.Quantile(0.75, stat.Empirical, x, nil)
	d.Min, d.Max = x[0], x[len(x)-1]
	if len(x) > 1 {
		d.SD = stat.StdDev(x, nil)
		half := distuv.StudentsT{Sigma: 1, Nu: float64(len(x) - 1)}.Quantile(0.975) * d.SD / math.Sqrt(float64(len(x)))
		d.Low, d.High = d.Mean-half, d.Mean+half
	}
	return d
}

// estimate is one with 20.5 degrees of freedom.
func estimate(x, se float64) mmrm.Estimate {
	if math.IsNaN(x) {
		return none
	}
	t := distuv.StudentsT{Sigma: 1, Nu: 20.5}
	half := t.Quantile(0.975) * se
	return mmrm.Estimate{Value: x, SE: se, DF: t.Nu, T: x / se, P: 2 * t.CDF(-math.Abs(x/se)), Low: x - half, High: x + half}
}

func (s sample) fit(d trial.Design, x *trial.EndpointAnalysis, which int) {
	x.Model = trial.Model{Subjects: len(d.Subjects) - 1, LogLik: -123.456, Formula: s.formula(), BaselineMean: 38.1, Sigma: [][]float64{{1.21, 0.594}, {0.594, 2.25}}, LSMeans: make([][]mmrm.Estimate, s.arms), N: make([][]int, s.arms)}
	if which == 1 {
		x.Model.Covariance, x.Model.Fallbacks = mmrm.HeterogeneousCS, []string{"unstructured: did not converge"}
	}
	for v := 1; v < s.visits; v++ {
		r := trial.Responders{Visit: v}
		for arm := range s.arms {
			m := x.Cells[arm][v].Change
			x.Model.Observations += m.N
			x.Model.N[arm] = append(x.Model.N[arm], m.N)
			x.Model.LSMeans[arm] = append(x.Model.LSMeans[arm], estimate(m.Mean, 0.61))
			n := trial.ResponderCount{SDC: x.RC / math.Sqrt(float64(m.N))}
			for i, who := range d.Subjects {
				if who.Arm == arm {
					switch x.Changes[i][v].Verdict {
					case trial.Within:
						n.Within++
					case trial.Increase:
						n.Increase++
					case trial.Decrease:
						n.Decrease++
					}
				}
			}
			r.Arms = append(r.Arms, n)
			if arm > 0 {
				r.Increase, r.Decrease = append(r.Increase, 1), append(r.Decrease, 0.0321)
			}
		}
		if x.Compartment {
			x.Responders = append(x.Responders, r)
		}
	}
	for arm := 1; arm < s.arms; arm++ {
		for v := 1; v < s.visits; v++ {
			x.Contrasts = append(x.Contrasts, s.contrast(*x, arm, v))
		}
	}
}

func (s sample) formula() string {
	switch {
	case s.arms > 1 && s.visits > 2:
		return "change ~ baseline + arm + visit + arm:visit"
	case s.arms > 1:
		return "change ~ baseline + arm"
	case s.visits > 2:
		return "change ~ baseline + visit"
	}
	return "change ~ baseline"
}

func (s sample) contrast(x trial.EndpointAnalysis, arm, v int) trial.Contrast {
	one, other := x.Cells[arm][v].Change, x.Cells[0][v].Change
	diff := one.Mean - other.Mean
	c := trial.Contrast{
		Arm: arm, Visit: v, N: one.N, NReference: other.N, NAdjusted: one.N, NAdjustedReference: other.N, Model: estimate(diff, 0.85), Holm: nan,
		Ancova: estimate(diff-0.02, 0.9), Welch: estimate(diff, 0.95), Effect: trial.Interval{Estimate: diff / 2, Low: diff/2 - 0.8, High: diff/2 + 0.8},
		Wilcoxon:    trial.RankTest{U: 31, P: 0.0123, Exact: true, Shift: trial.Interval{Estimate: diff + 0.1, Low: diff - 2, High: diff + 2.2}},
		Permutation: trial.PermutationTest{P: nan},
	}
	if x.Compartment {
		c.Holm = min(1, 3*c.Model.P)
		c.Primary = v == s.visits-1
	}
	if v == s.visits-1 {
		c.Permutation = trial.PermutationTest{P: 0.0104, Arrangements: 9999}
	}
	return c
}

func (s sample) correlations() []trial.Correlation {
	var all []trial.Correlation
	for x := range 3 {
		for v := 1; v < s.visits; v++ {
			for arm := trial.WithinArms; arm < s.arms; arm++ {
				c := trial.Correlation{X: x, Y: 3, Visit: v, Arm: arm, N: s.perArm, Rho: trial.Interval{Estimate: 0.31, Low: -0.1, High: 0.63}, P: 0.14}
				if arm == s.arms-1 {
					c.Rho, c.P, c.N = trial.Interval{Estimate: nan, Low: nan, High: nan}, nan, 2
				}
				all = append(all, c)
			}
		}
	}
	return all
}

func flowOf(a trial.Analysis) []trial.Flow {
	flows := make([]trial.Flow, len(a.Design.Arms))
	for n, who := range a.Design.Subjects {
		f := &flows[who.Arm]
		f.Planned++
		if f.Visits == nil {
			f.Visits = make([]trial.FlowVisit, len(a.Design.Visits))
		}
		later := false
		for v := range a.Design.Visits {
			if value := a.Endpoints[0].Values[n][v]; !math.IsNaN(value.X) {
				f.Visits[v].Present++
				later = later || v > 0
			} else if f.Visits[v].Missing == nil {
				f.Visits[v].Missing = []trial.ReasonCount{{Reason: value.Missing, N: 1}}
			} else {
				f.Visits[v].Missing[0].N++
			}
		}
		if later {
			f.Analysed++
		}
	}
	return flows
}

// picture is a drawing of a few bytes.
func picture(name string) figure.Picture {
	return figure.Picture{
		Name: name, Width: 180, Height: 60, Title: "Change of T2", Caption: "Means with 95 % t intervals; n under each point.",
		Flags: []string{"S001 at visit 1: another scanner than at baseline"},
		SVG:   []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="180mm" height="60mm" viewBox="0 0 180 60"><rect width="180" height="60" fill="#eef"/><path d="M10 50L60 20L170 40" stroke="#0b5fa5" fill="none"/></svg>`),
		PNG:   []byte("\x89PNG\r\n\x1a\n"), PDF: []byte("%PDF-1.4\n"),
	}
}
