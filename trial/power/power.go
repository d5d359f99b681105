// Package power estimates by simulation how often a planned trial would find a difference. It analyses each simulated
// trial as a real one (trial.Repeated), by the mixed model for repeated measures of the change from baseline, tested
// at one visit.
//
// A simulated subject has a baseline, a change at each visit with the covariance Σ about the mean of its arm, and
// possibly missing visits. The means that both arms share, the slope on the baseline, and the difference at visits
// that are not tested cancel in the analysis and are not simulated. Visits are missing completely at random.
package power

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"
	"gonum.org/v1/gonum/mat"

	"github.com/t2map/t2map/trial"
	"github.com/t2map/t2map/trial/compare"
	"github.com/t2map/t2map/trial/mmrm"
)

// Scenario is a planned trial of two arms of equal size.
type Scenario struct {
	// Sigma is the covariance matrix of a subject's changes at the visits after baseline, for a given baseline, in
	// the square of the endpoint's unit.
	Sigma *mat.SymDense
	// Primary is the tested visit, an index into Sigma.
	Primary int
	// Difference is the difference between the mean changes of the arms; 0 gives the rate of false positives.
	Difference float64
	// Patterns are the sets of visits that subjects have. Default: all subjects have all visits.
	Patterns []Pattern
	// CommonBaseline gives all visits one slope on the baseline. Default: each visit has its own.
	CommonBaseline bool
	// Model has the options of the analysis.
	Model mmrm.Options
	// Alpha is the two-sided level of the test. Default: 0.05.
	Alpha float64
}

// Pattern is the set of visits of some of the subjects.
type Pattern struct {
	// Weight is its frequency relative to the other patterns.
	Weight float64
	// Present is indexed by visit after baseline. Subjects without a visit do not contribute.
	Present []bool
}

// Draw has the options of the simulation. Zero values are defaults, except for Seed.
type Draw struct {
	// Simulations is the number of trials. Default: 2000, with which a power of 80 % has a standard error of 0.9 %.
	Simulations int
	Seed        uint64
	// Workers is the number of trials to analyse at a time. Default: one per processor. It does not change the
	// result.
	Workers int
}

const (
	defaultSimulations = 2000
	defaultAlpha       = 0.05
	// chunk is the number of trials that a worker analyses at a time: some ms of work.
	chunk = 20
)

// Result counts the outcomes of simulated trials of one size.
type Result struct {
	// PerArm is the number of subjects in each arm at the start.
	PerArm      int
	Simulations int
	// Rejected is the number of trials that found a difference (p ≤ Alpha).
	Rejected int
	// FellBack is the number of trials whose first covariance could not be fitted; they are judged by the next one
	// that can be. Failed is the number of trials without a model or a test; they count as trials that found no
	// difference.
	FellBack, Failed int
}

// Power returns the share of trials that found a difference, with its exact 95 % interval.
func (r Result) Power() compare.Interval {
	i, err := compare.ClopperPearson(r.Rejected, r.Simulations, 0.95)
	if err != nil {
		nan := math.NaN()
		return compare.Interval{Estimate: nan, Low: nan, High: nan}
	}
	return i
}

type outcome struct{ rejected, fellBack, failed bool }

// Simulate simulates trials with perArm subjects in each arm and analyses them. The same seed gives the same
// result for any number of workers. With the same seed, the k-th trial of a larger size has the subjects of
// the smaller one and additional ones, so that sizes are compared on common random numbers.
//
// It returns an error if the scenario or perArm is invalid, or if the context ends.
func Simulate(ctx context.Context, s Scenario, perArm int, d Draw) (Result, error) {
	s, err := s.checked()
	if err != nil {
		return Result{}, err
	}
	if perArm < 1 {
		return Result{}, fmt.Errorf("%d subjects per arm are too few for a trial", perArm)
	}
	d.Simulations = cmp.Or(d.Simulations, defaultSimulations)
	if d.Simulations < 0 {
		return Result{}, fmt.Errorf("the number of simulations, %d, is negative", d.Simulations)
	}
	if d.Workers <= 0 {
		d.Workers = runtime.GOMAXPROCS(0)
	}
	factor, err := s.factor()
	if err != nil {
		return Result{}, err
	}
	outcomes := make([]outcome, d.Simulations)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(d.Workers)
	for first := 0; first < d.Simulations; first += chunk {
		g.Go(func() error {
			for k := first; k < min(first+chunk, d.Simulations); k++ {
				if err := ctx.Err(); err != nil {
					return err
				}
				outcomes[k] = s.judge(s.draw(factor, perArm, rand.New(rand.NewPCG(d.Seed, uint64(k)))))
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return Result{}, err
	}
	return counted(outcomes, perArm), nil
}

func counted(outcomes []outcome, perArm int) Result {
	r := Result{PerArm: perArm, Simulations: len(outcomes)}
	for _, o := range outcomes {
		if o.rejected {
			r.Rejected++
		}
		if o.fellBack {
			r.FellBack++
		}
		if o.failed {
			r.Failed++
		}
	}
	return r
}

// checked returns the scenario with the defaults, or an error.
func (s Scenario) checked() (Scenario, error) {
	s.Alpha = cmp.Or(s.Alpha, defaultAlpha)
	if s.Sigma == nil || s.Sigma.SymmetricDim() == 0 {
		return s, errors.New("no covariance of the changes")
	}
	visits := s.Sigma.SymmetricDim()
	switch {
	case s.Primary < 0 || s.Primary >= visits:
		return s, fmt.Errorf("the tested visit, %d, is not one of %d", s.Primary+1, visits)
	case !(s.Alpha > 0 && s.Alpha < 1):
		return s, fmt.Errorf("a level of %g is not between 0 and 1", s.Alpha)
	case math.IsNaN(s.Difference) || math.IsInf(s.Difference, 0):
		return s, fmt.Errorf("a difference of %g is not a number", s.Difference)
	}
	if s.Patterns == nil {
		s.Patterns = []Pattern{{Weight: 1, Present: slices.Repeat([]bool{true}, visits)}}
	}
	total := 0.0
	for _, p := range s.Patterns {
		if len(p.Present) != visits || !(p.Weight >= 0) || math.IsInf(p.Weight, 0) {
			return s, fmt.Errorf("a pattern has %d visits and weight %g; want %d visits and a finite weight from 0",
				len(p.Present), p.Weight, visits)
		}
		total += p.Weight
	}
	if total == 0 {
		return s, errors.New("all patterns of visits have weight 0")
	}
	return s, nil
}

// factor returns L of Σ = LLᵀ.
func (s Scenario) factor() (*mat.TriDense, error) {
	for i := range s.Sigma.SymmetricDim() {
		for j := range i + 1 {
			if x := s.Sigma.At(i, j); math.IsNaN(x) || math.IsInf(x, 0) {
				return nil, fmt.Errorf("the covariance of visits %d and %d is %g", j+1, i+1, x)
			}
		}
	}
	var c mat.Cholesky
	if !c.Factorize(s.Sigma) {
		return nil, errors.New("the covariance of the changes is not positive definite")
	}
	l := mat.NewTriDense(s.Sigma.SymmetricDim(), mat.Lower, nil)
	c.LTo(l)
	return l, nil
}

// draw simulates a trial. Subjects alternate between the arms, so that a larger trial begins with the subjects of a
// smaller one.
func (s Scenario) draw(factor *mat.TriDense, perArm int, rng *rand.Rand) trial.Repeated {
	visits := s.Sigma.SymmetricDim()
	n := 2 * perArm
	r := trial.Repeated{Arms: 2, Arm: make([]int, n), Baseline: make([]float64, n), Change: make([][]float64, n),
		CommonBaseline: s.CommonBaseline}
	all := make([]float64, n*visits)
	z := make([]float64, visits)
	for i := range n {
		r.Arm[i] = i % 2
		r.Baseline[i] = rng.NormFloat64()
		present := s.pattern(rng.Float64())
		for v := range z {
			z[v] = rng.NormFloat64()
		}
		change := all[i*visits : (i+1)*visits]
		for v := range change {
			x := s.Difference * float64(r.Arm[i])
			for w := range v + 1 {
				x += factor.At(v, w) * z[w]
			}
			if !present[v] {
				x = math.NaN()
			}
			change[v] = x
		}
		r.Change[i] = change
	}
	return r
}

// pattern returns the visits of the pattern at the fraction u of the total weight.
func (s Scenario) pattern(u float64) []bool {
	total := 0.0
	for _, p := range s.Patterns {
		total += p.Weight
	}
	u *= total
	last := 0
	for i, p := range s.Patterns {
		if p.Weight > 0 {
			last = i
		}
		if u < p.Weight {
			return p.Present
		}
		u -= p.Weight
	}
	return s.Patterns[last].Present // u exceeds the sum because of rounding
}

// judge analyses a trial.
func (s Scenario) judge(r trial.Repeated) outcome {
	f, err := r.Fit(s.Model)
	if err != nil {
		return outcome{failed: true}
	}
	p := f.Difference(1, s.Primary).P
	return outcome{rejected: p <= s.Alpha, fellBack: len(f.Rejected) > 0, failed: math.IsNaN(p)}
}
