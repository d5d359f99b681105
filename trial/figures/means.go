package figures

import (
	"fmt"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial"
)

// Means draws the mean of each arm at each visit with its t interval: "means" of compartments, side by
// side on one scale (as Figure 4 of doi:10.1177/09636897241303275), and "means-scores" of the others,
// each on a scale of its own.
func Means(a trial.Analysis, o Options) ([]figure.Picture, error) {
	a, names := renamed(a)
	var out []figure.Picture
	for _, f := range families(a) {
		g := newCharts(a, f, "means")
		flags := newFlagged(names)
		for _, n := range f.endpoints {
			e := a.Endpoints[n]
			c := chart{title: e.Title, label: withUnit(f.pick("Mean T2", "Mean"), e.Unit)}
			for arm := range a.Design.Arms {
				var points []point
				for v := range a.Design.Visits {
					cell := e.Cells[arm][v]
					d := cell.Value
					points = append(points, point{d.N, d.Mean, d.Low, d.High, flags.touch(cell.ValueFlags)})
				}
				c.arms = append(c.arms, points)
			}
			if o.Individuals {
				c.lines = individuals(a, func(s, v int) float64 { return e.Values[s][v].X })
			}
			g.panels = append(g.panels, c)
		}
		g.Title = f.pick("T2 by arm and visit", "Scores by arm and visit")
		g.Caption = fmt.Sprintf("%s of %s, by arm over nominal months: arm means. %s",
			f.pick("Mean T2 of each compartment", "Other endpoints"), population(a.Design),
			intervals(a, "t intervals of the mean", "n"))
		if o.Individuals {
			g.Caption += " Thin lines are subjects."
		}
		flags.tell(&g.frame)
		pictures, err := g.pictures()
		if err != nil {
			return nil, err
		}
		out = append(out, pictures...)
	}
	return out, nil
}

// individuals returns the lines of the subjects.
func individuals(a trial.Analysis, value func(subject, visit int) float64) []individual {
	var out []individual
	for s, subject := range a.Design.Subjects {
		l := individual{arm: subject.Arm}
		for v := range a.Design.Visits {
			l.values = append(l.values, value(s, v))
		}
		out = append(out, l)
	}
	return out
}
