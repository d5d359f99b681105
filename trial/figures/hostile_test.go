package figures

import (
	"math"
	"strings"
	"testing"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial"
	"github.com/t2map/t2map/trial/mmrm"
)

// hostile are trials of unusual shapes, values and names.
func hostile() map[string]trial.Analysis {
	all := map[string]trial.Analysis{"founding": trialOf(founding)}
	add := func(name string, change func(*shape)) {
		s := founding
		change(&s)
		all[name] = trialOf(s)
	}
	add("one arm", func(s *shape) { s.scores = 1; s.arms = 1 })
	add("one visit", func(s *shape) { s.scores = 1; s.months = s.months[:1] })
	add("one subject", func(s *shape) { s.perArm = 1; s.missing = 0 })
	add("two per arm", func(s *shape) { s.scores = 1; s.perArm = 2; s.missing = 0 })
	add("six arms", func(s *shape) { s.arms = 6; s.perArm = 8; s.flags = 40 })
	add("200 visits", func(s *shape) {
		s.scores = 1
		s.months = nil
		for n := range 200 {
			s.months = append(s.months, float64(n)/2)
		}
		s.flags = 0
	})
	add("uneven visits", func(s *shape) { s.scores = 1; s.months = []float64{0, 0.25, 0.5, 1, 24} })
	add("300 subjects", func(s *shape) { s.scores = 1; s.perArm = 150; s.flags = 20; s.missing = 0.2 })
	add("no compartments", func(s *shape) { s.compartments = 0 })
	add("10 compartments", func(s *shape) { s.compartments = 10; s.arms = 4; s.scores = 1 })
	add("all missing", func(s *shape) { s.scores = 1; s.missing = 1 })
	add("most missing", func(s *shape) { s.scores = 1; s.missing = 0.75; s.perArm = 30 })
	add("zero variance", func(s *shape) { s.value = func(float64) float64 { return 35 } })
	add("huge", func(s *shape) { s.value = func(x float64) float64 { return x * 1e28 } })
	add("tiny", func(s *shape) { s.value = func(x float64) float64 { return x * 1e-28 } })
	all["names"] = named()
	all["no model"] = unmodelled()
	return all
}

// named returns a trial whose names are too long, in foreign scripts, HTML, or change the direction of
// the text.
func named() trial.Analysis {
	a := trialOf(founding)
	a.Design.Arms = []string{strings.Repeat("very long ", 40), "<b>\u202eevil\u202c</b> & \"co\" \xff 漢字 😀 ü"}
	for n := range a.Design.Visits {
		a.Design.Visits[n].Name = strings.Repeat("month\n", 30)
	}
	for n := range a.Design.Subjects {
		a.Design.Subjects[n].ID = "=cmd|' /C calc'!A0<script>alert(1)</script>"
	}
	for n := range a.Endpoints {
		a.Endpoints[n].Title = strings.Repeat("<i>Endpoint</i> ", 12)
		a.Endpoints[n].Unit = strings.Repeat("µg/ml ", 30)
		for s := range a.Endpoints[n].Values {
			for v := range a.Endpoints[n].Values[s] {
				if r := &a.Endpoints[n].Values[s][v].Missing; r.Kind != trial.Present {
					*r = trial.Missing{Kind: trial.Noted, Detail: strings.Repeat("reason <&> ", 30)}
				}
			}
		}
	}
	for n := range a.Flags {
		a.Flags[n].Subject = a.Design.Subjects[0].ID
		a.Flags[n].Text = strings.Repeat("scanner <&> ", 60)
	}
	return a
}

func unmodelled() trial.Analysis {
	a := trialOf(founding)
	nan := mmrm.Estimate{Value: math.NaN(), SE: math.NaN(), P: math.NaN(), Low: math.NaN(), High: math.NaN()}
	for n := range a.Endpoints {
		e := &a.Endpoints[n]
		if n > 0 {
			fail(&e.Model, "every covariance structure failed: the variance of the residuals is 0")
		}
		for c := range e.Contrasts {
			e.Contrasts[c].Model, e.Contrasts[c].Holm = nan, math.NaN()
		}
	}
	return a
}

// Drawing never fails, no picture exceeds a page, and all texts are legible.
func TestHostile(t *testing.T) {
	for name, a := range hostile() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pictures, err := All(a, Options{Individuals: true})
			if err != nil {
				t.Fatal(err)
			}
			if len(pictures) == 0 {
				t.Error("no pictures")
			}
			seen := map[string]bool{}
			for _, p := range pictures {
				if p.Width != figure.PictureWidth || p.Height < 20 || p.Height > 267 {
					t.Errorf("%s is %.0f × %.0f mm", p.Name, p.Width, p.Height)
				}
				if seen[p.Name] {
					t.Errorf("two pictures are called %s", p.Name)
				}
				seen[p.Name] = true
				if p.Title == "" || p.Caption == "" {
					t.Errorf("%s has no title or caption", p.Name)
				}
				if len(p.SVG) == 0 || len(p.SVG) > 4<<20 {
					t.Errorf("the SVG of %s takes %d bytes", p.Name, len(p.SVG))
				}
				checkTexts(t, name, p)
			}
			look(t, name, pictures)
		})
	}
}

// Extreme texts, numbers and counts result in PNG and PDF files of a reasonable size.
func TestHostileFiles(t *testing.T) {
	if testing.Short() {
		t.Skip("draws some 30 pictures whole")
	}
	allFiles(t)
	all := hostile()
	for _, name := range []string{"names", "huge", "300 subjects"} {
		pictures, err := All(all[name], Options{Individuals: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range pictures {
			if len(p.PNG) == 0 || len(p.PNG) > 2<<20 || len(p.PDF) == 0 || len(p.PDF) > 2<<20 {
				t.Errorf("%s: %s takes %d and %d bytes", name, p.Name, len(p.PNG), len(p.PDF))
			}
		}
	}
}
