package figures

import (
	"strings"
	"testing"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial"
)

// Bars of changes larger than repeatability are striped, and the legend explains them.
func TestExceeds(t *testing.T) {
	const key = "striped: larger than repeatability"
	for name, c := range map[string]struct {
		withinCV float64
		want     bool
	}{"some": {0.01, true}, "none": {0.9, false}} {
		s := founding
		s.withinCV = c.withinCV
		a := trialOf(s)
		p := drawAll(t, a, Options{})["waterfall"]
		if got := strings.Contains(joined(t, p), key); got != c.want {
			t.Errorf("%s: the legend has stripes: %v", name, got)
		}
		stripes := strings.Count(string(p.SVG), `stroke="#ffffff"`)
		if (stripes > 0) != c.want {
			t.Errorf("%s: %d stripes", name, stripes)
		}
		if c.want {
			look(t, "exceeds", []figure.Picture{p})
		}
	}
}

// The verdict comes from the analysis.
func TestFall(t *testing.T) {
	a := trialOf(founding)
	e := a.Endpoints[0]
	for s := range e.Changes {
		e.Changes[s][2] = trial.Change{Percent: float64(s), Verdict: trial.Within}
	}
	e.Changes[7][2].Verdict = trial.Increase
	_, names := renamed(a)
	f := newFall(a, e, 2, newFlagged(names))
	for n, b := range f.bars {
		if b.exceeds != (n == 7) {
			t.Errorf("bar %d: exceeds %v", n, b.exceeds)
		}
	}
	if f.y.High < 23*1.1 || f.y.Low > -e.RC*1.1 {
		t.Errorf("no room around 23 and −%g: %v", e.RC, f.y)
	}
}

// A single bar is a few millimetres wide and in the middle; many bars fill the panel.
func TestBarWidth(t *testing.T) {
	const width = 160
	for n, want := range map[int]float64{1: fallWidest, 4: fallWidest, 10: 16, 40: 4} {
		r := fall{bars: make([]fallBar, n)}.axis(width)
		if got := width / r.Length(); got < want-1e-9 || got > want+1e-9 {
			t.Errorf("%d bars are %g wide, want %g", n, got, want)
		}
		if middle := (r.Low + r.High) / 2; middle != float64(n)/2 {
			t.Errorf("the middle of %d bars is %g", n, middle)
		}
	}
}

// Visits that are too close together in time are at equal distances, and the caption and
// the axis say so.
func TestCloseVisits(t *testing.T) {
	s := founding
	s.months, s.flags = []float64{0, 0.03, 0.1, 0.25, 12, 24}, 0
	pictures := drawAll(t, trialOf(s), Options{})
	for _, name := range []string{"means", "change", "lsmeans", "means-scores"} {
		p := pictures[name]
		checkTexts(t, "close", p)
		text := joined(t, p)
		for _, want := range []string{"0.03", "0.25", "24", "Month (not to scale)"} {
			if !strings.Contains(text, want+"\n") && !(name == "means-scores" && len(want) == 4) { // too narrow
				t.Errorf("%s: no %q", name, want)
			}
		}
		if !strings.Contains(p.Caption, "equal distances") {
			t.Errorf("%s: %s", name, p.Caption)
		}
	}
	if p := drawAll(t, trialOf(founding), Options{})["means"]; strings.Contains(p.Caption, "equal distances") {
		t.Errorf("of months 0, 3, 12: %s", p.Caption)
	}
}
