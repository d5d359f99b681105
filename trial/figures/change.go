package figures

import (
	"fmt"
	"math"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial"
)

// Changes draws the mean change from baseline of each arm at each visit with its t
// interval: "change" of compartments, "change-scores" of the others.
func Changes(a trial.Analysis, o Options) ([]figure.Picture, error) {
	a, names := renamed(a)
	var out []figure.Picture
	if len(a.Design.Visits) < 2 {
		return nil, nil
	}
	for _, f := range families(a) {
		g := newCharts(a, f, "change")
		flags := newFlagged(names)
		for _, n := range f.endpoints {
			e := a.Endpoints[n]
			c := changeChart(a, e, f, func(arm, v int) point {
				cell := e.Cells[arm][v]
				d := cell.Change
				return point{d.N, d.Mean, d.Low, d.High, flags.touch(cell.ChangeFlags)}
			})
			if o.Individuals {
				c.lines = individuals(a, func(s, v int) float64 {
					if v == 0 {
						return math.NaN()
					}
					return e.Changes[s][v].Delta
				})
			}
			g.panels = append(g.panels, c)
		}
		g.zero = true
		g.Title = f.pick("Change of T2 from baseline", "Change of scores from baseline")
		g.Caption = fmt.Sprintf("Change from baseline of %s, by arm over nominal months: arm means, unadjusted, of "+
			"%s. %s",
			f.pick("mean T2 of each compartment", "other endpoints"), population(a.Design),
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

// changeChart returns the chart of an endpoint's changes, without a point and a count at baseline.
func changeChart(a trial.Analysis, e trial.EndpointAnalysis, f family, pointOf func(arm, visit int) point) chart {
	c := chart{title: e.Title, label: withUnit(f.pick("Change of T2", "Change"), e.Unit)}
	for arm := range a.Design.Arms {
		points := []point{{n: -1, mid: math.NaN()}}
		for v := 1; v < len(a.Design.Visits); v++ {
			points = append(points, pointOf(arm, v))
		}
		c.arms = append(c.arms, points)
	}
	return c
}
