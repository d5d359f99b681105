package figures

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial"
)

// paper returns a trial as that of doi:10.1177/09636897241303275: T2 at months 0, 3 and 12, scores in two groups and
// four markers at 0, 3, 6, 9 and 12. A participant of the second arm leaves after month 3.
func paper() trial.Analysis {
	rng := rand.New(rand.NewPCG(9, 9))
	var design, results, others strings.Builder
	design.WriteString("# visits: m0=0, m3=3, m6=6, m9=9, m12=12\n# visits[T2]: m0, m3, m12\n# reference: control\n" +
		"# primary: medial@m12\n# secondary: CRP@m12\n# scale[CRP]: log\n# screened: 40\n" +
		"# excluded: not eligible=12, declined=4\nsubject,arm,discontinued\n")
	results.WriteString("subject,visit,compartment,mean_t2_ms\n")
	others.WriteString("subject,visit,name,unit,value,group\n")
	months := []int{0, 3, 6, 9, 12}
	for n := range 24 {
		arm, left := []string{"control", "cells"}[n%2], ""
		if n == 1 {
			left = "withdrew"
		}
		fmt.Fprintf(&design, "S%02d,%s,%s\n", n+1, arm, left)
		for _, m := range months {
			if n == 1 && m > 3 {
				continue
			}
			effect := 1 - 0.03*float64(m)*float64(n%2)
			for _, c := range []string{"medial", "lateral"} {
				if m != 6 && m != 9 {
					fmt.Fprintf(&results, "S%02d,m%d,%s,%.3f\n", n+1, m, c, 36+rng.NormFloat64())
				}
			}
			for _, e := range []struct{ name, group string }{{"WOMAC pain", "WOMAC"}, {"ESR", "markers"},
				{"KOOS pain", "KOOS"}, {"WOMAC function", "WOMAC"}, {"CRP", "markers"}, {"VAS", ""}, {"KOOS sport", "KOOS"}} {
				fmt.Fprintf(&others, "S%02d,m%d,%s,u,%.4f,%s\n", n+1, m, e.name, 20*effect*math.Exp(0.05*rng.NormFloat64()),
					e.group)
			}
		}
	}
	source := func(name string, b *strings.Builder) trial.Source {
		return trial.Source{Name: name, Data: []byte(b.String())}
	}
	a, err := trial.Analyse(context.Background(), "test", trial.Tables{Design: source("trial.csv", &design),
		Compartments: source("compartments.csv", &results), Scores: []trial.Source{source("scores.csv", &others)}},
		func(_ trial.Design, p *trial.Plan) error { p.Permutations = 20; return nil })
	if err != nil {
		panic(err)
	}
	return a
}

// Figures join the visits of their endpoints: T2 has no gap, no count and no row at visits that are not planned.
func TestVisitsOfEndpoints(t *testing.T) {
	a := paper()
	_, t2, other, marked := families(a)
	_, names := renamed(a)
	visits := t2.visits(a)
	ch := chartFigure{axis: changeAxis, flags: changeFlags,
		point: func(trial.EndpointAnalysis, int, int) figure.Point { return figure.Point{Mid: 1} }}.chart(a, 0, visits,
		newFlagged(names), Options{})
	if fmt.Sprint(visits, ch.Steps, len(ch.Arms[0])) != "[0 1 4] [0 1 2] 3" {
		t.Errorf("visits %v, of the chart %v, %d points", visits, ch.Steps, len(ch.Arms[0]))
	}
	pictures := drawAll(t, a, Options{Individuals: true})
	for name, want := range map[string]bool{"means": false, "change": false, "lsmeans": false, "means-scores": true,
		"change-markers": true, "missing": false, "missing-scores": true, "forest": false, "forest-scores": true} {
		p, ok := pictures[name]
		text := "\n" + joined(t, p)
		checkTexts(t, "paper", p)
		if got := strings.Contains(text, "\n6\n") || strings.Contains(text, "Month 6\n"); !ok || got != want {
			t.Errorf("%s has month 6: %v, want %v:\n%s", name, got, want, text)
		}
	}
	for _, f := range []family{t2, other, marked} {
		for _, row := range newTiles(a, f, newFlagged(names)).tiles {
			for _, x := range row {
				if f.familyKind == compartments && len(row) != 3 || x.state == part {
					t.Errorf("%s: %d visits, tile %v", f.noun(), len(row), x)
				}
			}
		}
	}
	look(t, "paper", inOrder(t, a))
}

// inOrder returns the figures in their order.
func inOrder(t *testing.T, a trial.Analysis) []figure.Picture {
	pictures, err := All(a, Options{Maps: []figure.Picture{{Name: "maps", Title: "T2 maps by visit"}}})
	if err != nil {
		t.Fatal(err)
	}
	return pictures
}

// Figures 1 to 5 are those of the paper; the pictures of one figure share its number.
func TestNumbers(t *testing.T) {
	pictures := inOrder(t, paper())
	for n, want := range []string{"flow", "means-scores", "change-markers", "means", "maps"} {
		if p := pictures[n]; p.Name != want || !strings.HasPrefix(p.Title, fmt.Sprintf("Figure %d. ", n+1)) {
			t.Errorf("figure %d is %s: %s, want %s", n+1, p.Name, p.Title, want)
		}
	}
	got := numbered([]figure.Picture{{Title: "a"}, {Title: "b"}, {Title: "b", Part: 1}, {Title: "c"}})
	if s := got[1].Title + "|" + got[2].Title + "|" + got[3].Title; s != "Figure 2. b|Figure 2, part 2. b|Figure 3. c" {
		t.Error(s)
	}
}

// The flow has the numbers of the analysis, which only go down, and the reasons.
func TestFlow(t *testing.T) {
	a := paper()
	p := drawAll(t, a, Options{})["flow"]
	checkTexts(t, "flow", p)
	text := joined(t, p)
	for _, want := range []string{"Screened: 40", "Not randomised: 16", "12 not eligible", "4 declined", "Randomised: 24",
		"Month 3, in the trial: 12", "Month 12, in the trial: 11", "Left: 1", "1 withdrew", "with T2: 12", "with T2: 11", "Analysed: 12"} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	a.Plan.Screened, a.Plan.Excluded = 0, nil
	if text := joined(t, drawAll(t, a, Options{})["flow"]); strings.Contains(text, "Screened") ||
		strings.Contains(text, "Not randomised") {
		t.Errorf("screening without numbers:\n%s", text)
	}
	s := founding
	s.months, s.scores = steps40(), 0
	many := trialOf(s)
	for v := range many.Flow[0].Visits {
		many.Flow[0].Visits[v].Left = nil
	}
	many.Flow[0].Visits[17].Left = []trial.Exclusion{{Reason: "moved", N: 2}, {Reason: "withdrew", N: 1}}
	many.Flow[0].Visits[18].Left = []trial.Exclusion{{Reason: "moved", N: 1}}
	c := flowChart{Analysis: many, visits: flowVisits(many)}
	if got := fmt.Sprint(c.visits, c.left(0, 0), c.left(0, 1)); got != "[0 39] [] [{moved 3} {withdrew 1}]" {
		t.Error(got)
	}
}

// The scores of a group follow each other as lettered panels; markers are in a figure of their own.
func TestGroups(t *testing.T) {
	pictures := drawAll(t, paper(), Options{})
	p := pictures["means-scores"]
	text := joined(t, p)
	for _, want := range []string{"WOMAC", "a  WOMAC pain", "b  WOMAC function", "KOOS", "c  KOOS pain", "d  KOOS sport",
		"VAS"} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "CRP") {
		t.Error("a marker is among the scores")
	}
}

// A marker has a star where the mixed model finds a difference; the caption states which p.
func TestStars(t *testing.T) {
	a := paper()
	p := drawAll(t, a, Options{})["change-markers"]
	want := 0
	for _, e := range a.Endpoints {
		for _, c := range e.Contrasts {
			used := c.Model.P
			if c.Family != trial.NoFamily {
				used = c.Holm
			}
			if e.IsMarker() && used < 0.05 {
				want++
			}
		}
	}
	if got := strings.Count(joined(t, p), "*\n"); got != want || want == 0 {
		t.Errorf("%d stars, want %d", got, want)
	}
	for _, words := range []string{"± 1 standard deviation", "* p < 0.05 for the difference from control in the mixed " +
		"model, adjusted by Holm’s method where the contrast is planned, otherwise not adjusted.", "on a log axis (CRP)"} {
		if !strings.Contains(p.Caption, words) {
			t.Errorf("the caption does not say %q: %s", words, p.Caption)
		}
	}
	e := trial.EndpointAnalysis{Contrasts: []trial.Contrast{{Arm: 1, Visit: 2, Family: trial.PrimaryFamily, Holm: 0.06}}}
	e.Contrasts[0].Model.P = 0.01
	if significant(e, 1, 2) || significant(e, 1, 1) || significant(e, 0, 2) {
		t.Error("a star without a significant p")
	}
}

// Endpoints on the log scale have ratios on a log axis, with the line at 1.
func TestLogScale(t *testing.T) {
	a := paper()
	pictures := drawAll(t, a, Options{})
	for name, want := range map[string][]string{"means-markers": {"Geometric mean (u)"},
		"change-markers": {"Ratio to baseline", "1.0"}, "forest-markers": {"Ratio of geometric least-squares means",
			"ratio [95 % CI]"}} {
		text := joined(t, pictures[name])
		for _, w := range want {
			if !strings.Contains(text, w+"\n") {
				t.Errorf("%s: no %q in\n%s", name, w, text)
			}
		}
	}
	for _, e := range a.Endpoints {
		if e.Name != "CRP" {
			continue
		}
		m := e.Contrasts[len(e.Contrasts)-1].Model
		n := func(x float64) string { return figure.Number(math.Exp(x), 2) }
		want := fmt.Sprintf("%s [%s, %s]", n(m.Value), n(m.Low), n(m.High))
		if text := joined(t, pictures["forest-markers"]); !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	for _, c := range []struct {
		low, high float64
		want      string
	}{{0.04, 30, "0.1 1 10"}, {0.8, 1.25, "0.8 0.9 1.0 1.1 1.2"}, {2e-5, 2e4, "0.001 0.1 10 1000"}} {
		var got []string
		for _, tick := range (figure.Range{Low: math.Log(c.low), High: math.Log(c.high), Log: true}).Ticks(6) {
			got = append(got, tick.Label)
			if tick.Value < math.Log(c.low)-1e-9 || tick.Value > math.Log(c.high)+1e-9 {
				t.Errorf("%g to %g: a tick at %g", c.low, c.high, math.Exp(tick.Value))
			}
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%g to %g: %s, want %s", c.low, c.high, s, c.want)
		}
	}
}

// All letters are at least 5 points when a picture is printed in a column of 85 mm.
func TestLegibleInAColumn(t *testing.T) {
	const column, least = 85, 5
	for _, p := range inOrder(t, paper()) {
		for _, part := range strings.Split(string(p.SVG), `font-size="`)[1:] {
			var size float64
			if _, err := fmt.Sscanf(part, "%g", &size); err != nil || size*column/p.Width < least {
				t.Fatalf("%s: letters of %g points in %g mm", p.Name, size, p.Width)
			}
		}
	}
}
