package power

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/t2map/t2map/trial"
)

// Without an effect, at most 5 % of trials have a significant primary contrast, whatever their number of arms and
// compartments. Both visits are primary.
func TestFamilyWise(t *testing.T) {
	trials := 1000
	if testing.Short() {
		trials = 200
	}
	// A rate of 5 % exceeds the limit in one of 1000 sets of trials.
	limit := int(quantile(trials, 0.05, 0.999))
	for _, arms := range []int{2, 3, 4} {
		for _, endpoints := range []int{1, 3} {
			s := assumed(t, Assumed{Visits: 2, SD: 3, Correlation: 0.6, Arms: arms, Endpoints: endpoints, Between: 0.4})
			s.Primary = slices.Repeat([][]int{{0, 1}}, endpoints)
			r, err := Simulate(context.Background(), s, 12, Draw{Simulations: trials, Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d arms, %d endpoints: %d contrasts, %d of %d trials", arms, endpoints, s.Contrasts(), r.RejectedAny,
				trials)
			if s.Contrasts() != (arms-1)*endpoints*2 || r.RejectedAny > limit || r.RejectedAny < r.Rejected ||
				r.Rejected < r.RejectedAll || r.RejectedAny == 0 || r.Failed > 0 {
				t.Errorf("%+v, want at most %d", r, limit)
			}
		}
	}
}

// quantile returns the smallest number of n with a cumulative binomial probability of at least p.
func quantile(n int, rate, p float64) float64 {
	b := distuv.Binomial{N: float64(n), P: rate}
	k := 0.0
	for b.CDF(k) < p {
		k++
	}
	return k
}

// The power for one contrast falls as more are primary, and that for all is smaller still.
func TestPowerOfAFamily(t *testing.T) {
	before := 2.0
	for _, c := range []struct{ arms, endpoints int }{{2, 1}, {3, 1}, {3, 3}} {
		s := assumed(t, Assumed{Visits: 1, SD: 3, Arms: c.arms, Endpoints: c.endpoints, Between: 0.4})
		s.Difference = 3.6
		r, err := Simulate(context.Background(), s, 12, Draw{Simulations: 600, Seed: 2})
		if err != nil {
			t.Fatal(err)
		}
		one, all := r.Power().Estimate, r.PowerOfAll().Estimate
		if one >= before || all > one || (s.Contrasts() == 1) != (all == one) || r.RejectedAny < r.Rejected {
			t.Errorf("%+v: one %.3f, all %.3f, before %.3f", c, one, all, before)
		}
		before = one
	}
}

// Changes of two endpoints at one visit have the correlation Between.
func TestBetween(t *testing.T) {
	s := assumed(t, Assumed{Visits: 2, SD: 3, Correlation: 0.6, Endpoints: 2, Between: 0.4})
	s, err := s.checked()
	if err != nil {
		t.Fatal(err)
	}
	factor, err := s.factor()
	if err != nil {
		t.Fatal(err)
	}
	drawn := s.draw(factor, 20000, rand.New(rand.NewPCG(1, 1)))
	for _, c := range []struct {
		endpoint, visit int
		want            float64
	}{{0, 1, 0.6}, {1, 0, 0.4}, {1, 1, 0.24}} {
		sum := 0.0
		for i, change := range drawn[0].Change {
			sum += change[0] * drawn[c.endpoint].Change[i][c.visit] / 9
		}
		if got := sum / 40000; got < c.want-0.02 || got > c.want+0.02 { // four standard errors
			t.Errorf("%+v: correlation %.3f", c, got)
		}
	}
	for _, between := range []float64{-1.5, 1} {
		s.Between = between
		if _, err := Simulate(context.Background(), s, 5, Draw{Simulations: 1}); err == nil {
			t.Errorf("correlation %g: no error", between)
		}
	}
}

// With slopes on the baseline of −0.1 and −0.6 at two visits, one slope for both loses power. Where the slopes are
// equal, two cost about one point.
func TestBaselineByVisit(t *testing.T) {
	trials := 2000
	if testing.Short() {
		trials = 400
	}
	// The baseline has an SD of 5 ms, and the change one of 2 ms at a given baseline.
	s := assumed(t, Assumed{Visits: 2, SD: 2, Correlation: 0.3})
	s, err := s.checked()
	if err != nil {
		t.Fatal(err)
	}
	s.Difference = 2.05
	factor, err := s.factor()
	if err != nil {
		t.Fatal(err)
	}
	power := func(slopes [2]float64, common bool) float64 {
		s.CommonBaseline = common
		found := 0
		for k := range trials {
			r := s.draw(factor, 12, rand.New(rand.NewPCG(7, uint64(k))))[0]
			for i, change := range r.Change {
				for v := range change {
					change[v] += slopes[v] * 5 * r.Baseline[i]
				}
			}
			found += s.judge([]trial.Repeated{r}).Rejected
		}
		return 100 * float64(found) / float64(trials)
	}
	for _, c := range []struct {
		slopes      [2]float64
		least, most float64
	}{
		{[2]float64{-0.1, -0.6}, 5, 25},
		{[2]float64{-0.3, -0.3}, -2, 1},
	} {
		one, two := power(c.slopes, true), power(c.slopes, false)
		t.Logf("slopes %v: one slope %.1f %%, by visit %.1f %%", c.slopes, one, two)
		if gain := two - one; gain < c.least || gain > c.most {
			t.Errorf("slopes %v: gain %.1f", c.slopes, gain)
		}
	}
}
