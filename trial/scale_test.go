package trial

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// On the log scale a change of the unit changes no estimate, and the arm whose values are multiplied by 1.2 has a
// ratio of 1.2. The test is that of the logarithm.
func TestLogScale(t *testing.T) {
	m := made{arms: twoArms, visits: threeVisits, perArm: 9, heading: "# scale[T2]: log\n# decimals[medial]: 4\n"}
	m.t2 = func(arm, n, v int) float64 {
		x := 30 + float64((5*n+3*v*n+v)%7)
		if v == 2 && arm == 1 {
			x *= 1.2
		}
		return x
	}
	a := m.analyse(t)
	double := m
	double.t2 = func(arm, n, v int) float64 { return 2 * m.t2(arm, n, v) }
	b := double.analyse(t)
	e := a.Endpoints[0]
	for i, c := range e.Contrasts {
		d := b.Endpoints[0].Contrasts[i]
		if diff := cmp.Diff(c.Model, d.Model, cmpopts.EquateApprox(0, 1e-7)); diff != "" {
			t.Error(diff)
		}
		shown := e.Displayed(c.Model)
		want := []float64{1, 1.2}[i]
		if math.Abs(shown.Value-want) > 2e-4 || math.Abs(e.Displayed(c.Welch).Value-want) > 2e-4 ||
			math.Abs(e.DisplayedInterval(c.Wilcoxon.Shift).Estimate-want) > 2e-3 { // values have two decimals
			t.Errorf("ratio %+v, want %g", shown, want)
		}
		// The interval of a ratio is symmetric in logarithms, and the rest is unchanged.
		if math.Abs(shown.Low*shown.High/(shown.Value*shown.Value)-1) > 1e-12 || shown.SE != c.Model.SE ||
			shown.DF != c.Model.DF || shown.T != c.Model.T || shown.P != c.Model.P {
			t.Errorf("%+v of %+v", shown, c.Model)
		}
	}
	if e.Decimals() != 4 || a.Endpoints[1].Decimals() != 2 {
		t.Errorf("decimals %d and %d", e.Decimals(), a.Endpoints[1].Decimals())
	}
	m.heading = ""
	plain := m.analyse(t).Endpoints[0]
	if c := plain.Contrasts[1]; plain.Displayed(c.Model) != c.Model {
		t.Errorf("the linear scale: %+v", plain.Displayed(c.Model))
	}
}

// The strata of the randomisation are in the model unless the plan omits them.
func TestStrataByDefault(t *testing.T) {
	tables := made{arms: twoArms, visits: threeVisits, perArm: 9, column: func(_, n int) string {
		return string(rune('A'+n%2)) + ",x"
	}}.tables()
	tables.Design.Data = []byte(strings.Replace(string(tables.Design.Data), ",site,age", ",stratum,site", 1))
	formula := func(keysAndValues ...string) string {
		tables.Overrides = lines(keysAndValues...)
		e := analyse(t, tables).Endpoints[0]
		// Mean of arm, slope and the terms: 18 subjects without one parameter each.
		df := 18 - 3 - strings.Count(e.Model.Formula.String(), "stratum")
		if e.Model.Failed != "" || e.Contrasts[1].Ancova.DF != float64(df) {
			t.Errorf("%q: %+v", keysAndValues, e.Contrasts[1].Ancova)
		}
		return e.Model.Formula.String()
	}
	const with = "change ~ baseline + stratum + arm + visit + baseline:visit + arm:visit"
	without := strings.Replace(with, "stratum + ", "", 1)
	if got := formula(); got != with {
		t.Error(got)
	}
	if got := formula("covariates", "stratum"); got != with {
		t.Errorf("once, not twice: %s", got)
	}
	if got := formula("strata", "none"); got != without {
		t.Error(got)
	}
	if got := formula("strata", "stratum", "baseline", "common"); got != strings.Replace(with, " + baseline:visit", "", 1) {
		t.Error(got)
	}
}
