package accuracy

import (
	"context"
	"math"
	"testing"
)

// TestNullTrials: the first trials are among all, on any machine the same, and every test
// that is judged is of the default.
func TestNullTrials(t *testing.T) {
	for _, n := range nullTrials() {
		a, err := n.measure(context.Background(), 300, 1)
		if err != nil {
			t.Fatal(err)
		}
		if a.First.Trials != 30 || a.All.Trials != 300 || a.First.Found > a.All.Found || a.All.Failed != 0 {
			t.Errorf("%+v", a)
		}
		if s := n.scenario(); math.Abs(s.Patterns[3].Weight-n.missing*n.missing) > 1e-15 || s.Difference != 0 {
			t.Errorf("%+v", s)
		}
	}
}

func TestJudgeNull(t *testing.T) {
	for share, met := range map[float64]bool{0.05: true, 0.04: true, 0.06: true, 0.0601: false, 0.0399: false,
		math.NaN(): false} {
		limits := judgeNull([]Null{
			{Method: kenwardRoger, All: Rate{Trials: 1000, Share: share}},
			{Method: satterthwaite, All: Rate{Trials: 1000, Share: 0.2}},
		})
		if len(limits) != 1 || limits[0].Met != met {
			t.Errorf("a rate of %g: %+v", share, limits)
		}
	}
}
