package accuracy

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/t2map/t2map/trial/mmrm"
	"github.com/t2map/t2map/trial/power"
)

const (
	// nullFactor is the number of trials for each draw of a cell: 10 000 by default, with which
	// the standard error of a rate of 5 % is 0.2 %. With 1000 trials it is 0.7 %, and one rate in
	// seven would be outside 4 to 6 % by chance. The first tenth of the trials is reported too.
	nullFactor = 5
	nullFirst  = 10
	nullPerArm = 12
	// nullLevel is the level of the test.
	nullLevel = 0.05
)

// nullTrial is a trial without an effect, and its test.
type nullTrial struct {
	method, words string
	df            mmrm.DF
	missing       float64 // share of visits
}

const (
	kenwardRoger  = "mmrm-kenward-roger"
	satterthwaite = "mmrm-satterthwaite"
)

func nullTrials() []nullTrial {
	var list []nullTrial
	for _, missing := range []float64{0, 0.15} {
		list = append(list,
			nullTrial{kenwardRoger, "unstructured, Kenward–Roger, the default", mmrm.KenwardRoger, missing},
			nullTrial{satterthwaite, "unstructured, Satterthwaite", mmrm.Satterthwaite, missing})
	}
	return list
}

// scope describes the missing visits.
func (n nullTrial) scope() string {
	if n.missing == 0 {
		return "all visits"
	}
	return fmt.Sprintf("%g %% of visits missing", 100*n.missing)
}

// scenario has two visits after baseline, at which the changes have standard deviations of
// 2.5 and 3.5 ms and a correlation of 0.6. Two scans of a knee differ by 2.8 ms from
// repetition alone (5 % of 40 ms times √2, PMC8574057); the test does not depend on the unit.
// Visits are missing independently of each other.
func (n nullTrial) scenario() power.Scenario {
	const first, second, correlation = 2.5, 3.5, 0.6
	cross := correlation * first * second
	s := power.Scenario{
		Sigma:   mat.NewSymDense(2, []float64{first * first, cross, cross, second * second}),
		Primary: [][]int{{1}}, Alpha: nullLevel, Model: mmrm.Options{DF: n.df},
	}
	for _, a := range []bool{true, false} {
		for _, b := range []bool{true, false} {
			weight := 1.0
			for _, present := range []bool{a, b} {
				if present {
					weight *= 1 - n.missing
				} else {
					weight *= n.missing
				}
			}
			s.Patterns = append(s.Patterns, power.Pattern{Weight: weight, Present: []bool{a, b}})
		}
	}
	return s
}

// measure simulates the trials and tests them.
func (n nullTrial) measure(ctx context.Context, trials int, seed uint64) (Null, error) {
	out := Null{Method: n.method, Words: n.words, Scope: n.scope(), PerArm: nullPerArm}
	for _, k := range []int{max(1, trials/nullFirst), trials} {
		r, err := power.Simulate(ctx, n.scenario(), nullPerArm, power.Draw{Simulations: k, Seed: seed, Workers: 1})
		if err != nil {
			return out, err
		}
		p := r.Power()
		out.First, out.All = out.All, Rate{
			Trials: k, Found: r.Rejected, FellBack: r.FellBack, Failed: r.Failed,
			Share: p.Estimate, Low: p.Low, High: p.High,
		}
	}
	return out, nil
}

// judgeNull compares the rate of false positives of the primary test with its limits, which were set
// before any trial was simulated: 4 to 6 % at a level of 5 %. Satterthwaite's test has no limit.
func judgeNull(rates []Null) []Limit {
	var out []Limit
	for _, r := range rates {
		if r.Method != kenwardRoger {
			continue
		}
		l := Limit{
			Method: r.Method, Quantity: QuantityFalsePositives, Low: 0.04, High: 0.06,
			Scope: fmt.Sprintf("%d per arm, no effect, %s", r.PerArm, r.Scope), Cells: 1,
			Value: r.All.Share, Source: fmt.Sprintf("%d trials", r.All.Trials),
			Chance: math.Sqrt(r.All.Share * (1 - r.All.Share) / float64(r.All.Trials)),
		}
		l.Met = l.Value >= l.Low && l.Value <= l.High
		out = append(out, l)
	}
	return out
}
