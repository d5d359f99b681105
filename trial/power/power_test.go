package power

import (
	"context"
	"errors"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/t2map/t2map/trial/compare"
	"github.com/t2map/t2map/trial/mmrm"
)

// noncentral returns P(|T| > t) of Student's distribution with ν degrees of freedom and the
// noncentrality δ, as the mean of Φ over the quantiles of χ².
func noncentral(t, nu, delta float64) float64 {
	const cells = 2000
	chi := distuv.ChiSquared{K: nu}
	sum := 0.0
	for i := range cells {
		s := t * math.Sqrt(chi.Quantile((float64(i)+0.5)/cells)/nu)
		sum += distuv.UnitNormal.CDF(delta-s) + distuv.UnitNormal.CDF(-delta-s)
	}
	return sum / cells
}

// ancova is the power of the analysis of covariance of two arms of n with one normal
// covariate. Its difference has the variance 2σ²/n·(1 + F/(2n − 2)), where F is that of the
// covariate between the arms, so that 1/(1 + F/(2n − 2)) has a beta distribution.
func ancova(n int, difference, sd float64) float64 {
	nu := float64(2*n - 3)
	t := distuv.StudentsT{Sigma: 1, Nu: nu}.Quantile(0.975)
	share := distuv.Beta{Alpha: float64(n - 1), Beta: 0.5}
	const cells = 40
	sum := 0.0
	for i := range cells {
		u := share.Quantile((float64(i) + 0.5) / cells)
		sum += noncentral(t, nu, difference/sd*math.Sqrt(float64(n)/2*u))
	}
	return sum / cells
}

// TestNoncentral against R: power.t.test(n = 12, delta = 1, sd = 1, strict = TRUE) is 0.64864255.
func TestNoncentral(t *testing.T) {
	critical := distuv.StudentsT{Sigma: 1, Nu: 22}.Quantile(0.975)
	if got := noncentral(critical, 22, math.Sqrt(6)); math.Abs(got-0.64864255) > 1e-5 {
		t.Errorf("power %v, R has 0.64864255", got)
	}
}

func assumed(t *testing.T, a Assumed) Scenario {
	t.Helper()
	s, err := a.Scenario()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestOneVisit: with one visit the model is the analysis of covariance, whose power is known.
func TestOneVisit(t *testing.T) {
	for _, c := range []struct {
		n              int
		difference, sd float64
	}{
		{8, 0, 3}, {8, 4, 3}, {12, 3, 3}, {30, 2, 3}, {4, 6, 2},
	} {
		s := assumed(t, Assumed{Visits: 1, SD: c.sd})
		s.Difference = c.difference
		const simulations = 2000
		r, err := Simulate(context.Background(), s, c.n, Draw{Simulations: simulations, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		want := ancova(c.n, c.difference, c.sd)
		got := r.Power().Estimate
		// Four standard errors: one of 16 000 runs.
		if math.Abs(got-want) > 4*math.Sqrt(want*(1-want)/simulations) || r.Failed+r.FellBack > 0 {
			t.Errorf("n %d, difference %g: power %.4f, is %.4f; %+v", c.n, c.difference, got, want, r)
		}
	}
}

// TestCompleteVisits: with all visits of everyone, the power at one is little below that of its data
// alone, whatever the correlation with the others.
func TestCompleteVisits(t *testing.T) {
	s := assumed(t, Assumed{Visits: 3, SD: 3, Correlation: 0.6})
	s.Difference = 4
	r, err := Simulate(context.Background(), s, 12, Draw{Simulations: 2000, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := r.Power().Estimate, ancova(12, 4, 3); math.Abs(got-want) > 0.03 {
		t.Errorf("power %.3f, one visit has %.3f", got, want)
	}
}

// TestSize: where there is no difference, the rate of false positives is the level.
func TestSize(t *testing.T) {
	for _, c := range []struct {
		name string
		a    Assumed
		df   mmrm.DF
	}{
		{"complete", Assumed{Visits: 2, SD: 3, Correlation: 0.6}, mmrm.KenwardRoger},
		{"missing", Assumed{Visits: 2, SD: 3, Correlation: 0.6, Dropout: 0.2}, mmrm.KenwardRoger},
		{"Satterthwaite", Assumed{Visits: 2, SD: 3, Correlation: 0.6}, mmrm.Satterthwaite},
	} {
		s := assumed(t, c.a)
		s.Model.DF = c.df
		r, err := Simulate(context.Background(), s, 12, Draw{Simulations: 4000, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		i, err := compare.ClopperPearson(r.Rejected, r.Simulations, 0.999)
		if err != nil || i.Low > 0.05 || i.High < 0.05 {
			t.Errorf("%s: %+v, %+v", c.name, r, i)
		}
		t.Logf("%s: %.4f", c.name, i.Estimate)
	}
}

// TestSmallest: the answer reaches the power and one less does not; the normal
// approximation is near.
func TestSmallest(t *testing.T) {
	for _, c := range []struct {
		a                  Assumed
		difference, target float64
	}{
		{Assumed{Visits: 1, SD: 3}, 3, 0.8},
		{Assumed{Visits: 2, SD: 3, Correlation: 0.6, Dropout: 0.2}, 4, 0.9},
		{Assumed{Visits: 2, SD: 1, Correlation: 0.3}, 8, 0.8},
	} {
		s := assumed(t, c.a)
		s.Difference = c.difference
		size, err := Smallest(context.Background(), s, c.target, Draw{Simulations: 400, Seed: 5})
		if err != nil {
			t.Fatal(err)
		}
		isSmallest := size.PerArm == minPerArm
		reached := false
		for k, r := range size.Tried {
			if k > 0 && size.Tried[k-1].PerArm >= r.PerArm {
				t.Errorf("out of order: %+v", size.Tried)
			}
			reached = reached || r.PerArm == size.PerArm && r.Power().Estimate >= c.target
			isSmallest = isSmallest || r.PerArm == size.PerArm-1 && r.Power().Estimate < c.target
		}
		if !isSmallest || !reached {
			t.Errorf("%+v", size)
		}
		if near := s.approximate(c.target); size.PerArm > 8 && math.Abs(float64(size.PerArm)-near) > 0.35*near {
			t.Errorf("%d per arm, the normal approximation has %g", size.PerArm, near)
		}
	}
}

func TestSmallestGivesUp(t *testing.T) {
	s := assumed(t, Assumed{Visits: 1, SD: 100})
	s.Difference = 0.5
	size, err := Smallest(context.Background(), s, 0.8, Draw{Simulations: 4})
	if err != nil || size.PerArm != 0 || len(size.Tried) == 0 {
		t.Errorf("%+v, %v", size, err)
	}
}

// TestWorkers: the same figures for any number of workers, others for another seed.
func TestWorkers(t *testing.T) {
	s := assumed(t, Assumed{Visits: 2, SD: 3, Correlation: 0.5, Dropout: 0.3})
	s.Difference = 3
	run := func(d Draw) Result {
		d.Simulations = 300
		r, err := Simulate(context.Background(), s, 9, d)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if one, many := run(Draw{Seed: 4, Workers: 1}), run(Draw{Seed: 4, Workers: 7}); one != many {
		t.Errorf("%+v with one worker, %+v with seven", one, many)
	}
	if one, other := run(Draw{Seed: 4}), run(Draw{Seed: 5}); one == other {
		t.Errorf("two seeds give %+v", one)
	}
}

// TestNoModel: trials that cannot be analysed count as having found nothing.
func TestNoModel(t *testing.T) {
	s := assumed(t, Assumed{Visits: 2, SD: 1, Correlation: 0.5})
	s.Difference = 1e6
	r, err := Simulate(context.Background(), s, 1, Draw{Simulations: 10})
	if err != nil || r.Failed != 10 || r.Rejected != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	r, err = Simulate(context.Background(), s, 2, Draw{Simulations: 10}) // too few for no structure
	if err != nil || r.FellBack+r.Failed != 10 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestRefusals(t *testing.T) {
	good := assumed(t, Assumed{Visits: 2, SD: 1})
	for name, spoil := range map[string]func(*Scenario){
		"no covariance":     func(s *Scenario) { s.Sigma = nil },
		"no such visit":     func(s *Scenario) { s.Primary = [][]int{{2}} },
		"level":             func(s *Scenario) { s.Alpha = 1 },
		"no number":         func(s *Scenario) { s.Difference = math.NaN() },
		"no pattern":        func(s *Scenario) { s.Patterns = []Pattern{} },
		"other visits":      func(s *Scenario) { s.Patterns = []Pattern{{1, []bool{true}}} },
		"negative weight":   func(s *Scenario) { s.Patterns = []Pattern{{-1, []bool{true, true}}} },
		"not definite":      func(s *Scenario) { s.Sigma = mat.NewSymDense(2, []float64{1, 2, 2, 1}) },
		"a covariance: NaN": func(s *Scenario) { s.Sigma = mat.NewSymDense(2, []float64{1, math.NaN(), 0, 1}) },
	} {
		s := good
		spoil(&s)
		if _, err := Simulate(context.Background(), s, 5, Draw{Simulations: 1}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := Simulate(context.Background(), good, 0, Draw{}); err == nil {
		t.Error("no subjects: no error")
	}
	if _, err := Smallest(context.Background(), good, 0.8, Draw{}); err == nil {
		t.Error("no difference: no error")
	}
	for _, a := range []Assumed{
		{}, {Visits: 2}, {Visits: 2, SD: math.Inf(1)}, {Visits: 3, SD: 1, Correlation: -0.6},
		{Visits: 2, SD: 1, Correlation: 1},
		{Visits: 2, SD: 1, Dropout: 1}, {Visits: 2, SD: 1, Dropout: math.NaN()}, {Visits: 51, SD: 1},
	} {
		if _, err := a.Scenario(); err == nil {
			t.Errorf("%+v: no error", a)
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if _, err := Simulate(ctx, good, 5, Draw{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
