package accuracy

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/t2fit"
)

// small is a grid that takes no time.
func small() Grid {
	return Grid{Trains: []phantom.Train{oai, {Echoes: 5, Spacing: 13.8}}, T2: []float64{20, 50},
		SNR: []float64{20, 100}, B1: []float64{0.8, 1}}
}

func TestRunDoesNotDependOnWorkers(t *testing.T) {
	var runs [2]any
	for i, workers := range []int{1, 3} {
		calls, last := 0, 0
		o := Options{Draws: 60, Seed: 4, Grid: small(), Workers: workers, Progress: func(done, all int) {
			if calls++; done != calls || all != 8+4 {
				t.Errorf("progress %d of %d in call %d", done, all, calls)
			}
			last = done
		}}
		a, err := Run(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		if want := 8 * 2 * len(methods()); last != 8+4 || len(a.Cells) != want {
			t.Errorf("%d pieces of work, %d cells, want 12 and %d", last, len(a.Cells), want)
		}
		runs[i] = a
	}
	if d := cmp.Diff(runs[0], runs[1], cmpopts.EquateNaNs()); d != "" {
		t.Error(d)
	}
}

// The default is nearly unbiased where SNR is high and finds the bound, and says
// so; where the refocusing is not, its bias is seen.
func TestRunFindsWhatIsKnown(t *testing.T) {
	g := small()
	g.T2 = []float64{40}
	a, err := Run(context.Background(), Options{Draws: 400, Seed: 2, Grid: g})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range a.Cells {
		if c.SNR < 100 || c.Echoes != 7 || c.Method != nlls && c.Method != "nlls-all-echoes" {
			continue
		}
		switch {
		case c.B1 == 1 && (c.Draws != 400*JudgedFactor || math.Abs(c.Bias) > 0.003 ||
			math.Abs(c.SDOverBound()-1) > 0.04 || c.Failed != 0):
			t.Errorf("%+v, SD over bound %g", c, c.SDOverBound())
		// docs/accuracy.md; field data for 150° at T2 35 ms: +6 % with all echoes.
		case c.B1 != 1 && c.Method == "nlls-all-echoes" && !(c.Bias > 0.05):
			t.Errorf("no bias from stimulated echoes: %+v", c)
		}
	}
}

func TestEveryMethodIsMeasured(t *testing.T) {
	for _, want := range t2fit.Methods {
		if !slices.ContainsFunc(methods(), func(m method) bool { return m.fit.Method == want }) {
			t.Errorf("%s is not", want)
		}
	}
}

func TestRunEndsWithTheContext(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if _, err := Run(ctx, Options{Draws: 2, Grid: small()}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestRunRefusesAGridThatMakesNoSense(t *testing.T) {
	g := small()
	g.SNR = []float64{-1}
	if _, err := Run(context.Background(), Options{Draws: 2, Grid: g}); err == nil {
		t.Error("no error")
	}
}
