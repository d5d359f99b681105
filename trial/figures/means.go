package figures

import (
	"fmt"
	"math"
	"slices"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial"
)

// Means draws the mean of each arm at each visit with its t interval: "means" of compartments, side by
// side on one scale (as Figure 4 of doi:10.1177/09636897241303275), and "means-scores" of the others,
// each on a scale of its own.
func Means(a trial.Analysis, o Options) ([]figure.Picture, error) {
	a, names := renamed(a)
	return chartFigure{
		name: "means", families: families(a),
		words: func(f family) (title, caption string) {
			return f.pick("T2 by arm and visit", "Scores by arm and visit"),
				fmt.Sprintf("%s of %s, by arm over nominal months: arm means. %s",
					f.pick(capital(a.Plan.Summary())+" T2 of each compartment", "Other endpoints"), population(a.Design),
					intervals(a, "t intervals of the mean", "n"))
		},
		axis: func(f family) string { return f.pick(capital(a.Plan.Summary())+" T2", "Mean") },
		point: func(e trial.EndpointAnalysis, arm, visit int, flags *flagged) point {
			cell := e.Cells[arm][visit]
			d := cell.Value
			return point{d.N, d.Mean, d.Low, d.High, flags.touch(cell.ValueFlags)}
		},
		individual: func(e trial.EndpointAnalysis, subject, visit int) float64 { return e.Values[subject][visit].X },
	}.draw(a, names, o)
}

// Changes draws the mean change from baseline of each arm at each visit with its t interval: "change" of
// compartments, "change-scores" of the others. A trial of one visit has none.
func Changes(a trial.Analysis, o Options) ([]figure.Picture, error) {
	if len(a.Design.Visits) < 2 {
		return nil, nil
	}
	a, names := renamed(a)
	return chartFigure{
		name: "change", families: families(a), ofChange: true,
		words: func(f family) (title, caption string) {
			return f.pick("Change of T2 from baseline", "Change of scores from baseline"),
				fmt.Sprintf("Change from baseline of %s, by arm over nominal months: arm means, unadjusted, of %s. %s",
					f.pick(a.Plan.Summary()+" T2 of each compartment", "other endpoints"), population(a.Design),
					intervals(a, "t intervals of the mean", "n"))
		},
		axis: changeAxis,
		point: func(e trial.EndpointAnalysis, arm, visit int, flags *flagged) point {
			cell := e.Cells[arm][visit]
			d := cell.Change
			return point{d.N, d.Mean, d.Low, d.High, flags.touch(cell.ChangeFlags)}
		},
		individual: func(e trial.EndpointAnalysis, subject, visit int) float64 {
			return e.Changes[subject][visit].Delta
		},
	}.draw(a, names, o)
}

// LSMeans draws the least-squares means of the change in the mixed model with their intervals:
// "lsmeans" of compartments, "lsmeans-scores" of the others. There is no picture if none of the models
// could be fitted.
func LSMeans(a trial.Analysis, _ Options) ([]figure.Picture, error) {
	a, names := renamed(a)
	failed := func(n int) bool { return a.Endpoints[n].Model.Failed != "" }
	fitted := slices.DeleteFunc(families(a), func(f family) bool {
		return !slices.ContainsFunc(f.endpoints, func(n int) bool { return !failed(n) })
	})
	return chartFigure{
		name: "lsmeans", families: fitted, ofChange: true,
		words: func(f family) (title, caption string) {
			return f.pick("Change of T2: least-squares means", "Change of scores: least-squares means"),
				fmt.Sprintf("Change from baseline of %s, by arm over nominal months: least-squares means of the mixed "+
					"model for repeated measures, at the mean baseline. %s%s",
					f.pick(a.Plan.Summary()+" T2 of each compartment", "other endpoints"),
					intervals(a, "confidence intervals of the model", "n in the model"), modelRemarks(a, f))
		},
		axis: changeAxis,
		point: func(e trial.EndpointAnalysis, arm, visit int, flags *flagged) point {
			cell, m := e.Cells[arm][visit], e.Model.LSMeans[arm][visit-1]
			return point{e.Model.SubjectsAt(arm, visit), m.Value, m.Low, m.High, flags.touch(cell.ChangeFlags)}
		},
		noPoints: func(e trial.EndpointAnalysis) string {
			if e.Model.Failed == "" {
				return ""
			}
			return "no model: " + e.Model.Failed
		},
	}.draw(a, names, Options{})
}

func changeAxis(f family) string { return f.pick("Change of T2", "Change") }

// chartFigure is a figure with a chart for each endpoint.
type chartFigure struct {
	name     string
	families []family
	// ofChange reports that the charts show changes: they have a line at 0, and neither a point nor a
	// count at baseline.
	ofChange bool
	// words returns title and caption, axis the name of the y axis without its unit.
	words func(f family) (title, caption string)
	axis  func(f family) string
	// point returns the point of an arm at a visit.
	point func(e trial.EndpointAnalysis, arm, visit int, flags *flagged) point
	// noPoints says why an endpoint has no points; it may be nil.
	noPoints func(e trial.EndpointAnalysis) string
	// individual returns the value of a subject at a visit for Options.Individuals.
	individual func(e trial.EndpointAnalysis, subject, visit int) float64
}

// draw draws the pictures of each family.
func (c chartFigure) draw(a trial.Analysis, names naming, o Options) ([]figure.Picture, error) {
	var out []figure.Picture
	for _, f := range c.families {
		g, flags := newCharts(a, f, c.name), newFlagged(names)
		g.zero = c.ofChange
		for _, n := range f.endpoints {
			g.panels = append(g.panels, c.chart(a, n, f, flags, o))
		}
		g.Title, g.Caption = c.words(f)
		if o.Individuals {
			g.Caption += " Thin lines are subjects."
		}
		flags.annotate(&g.frame)
		pictures, err := g.pictures()
		if err != nil {
			return nil, err
		}
		out = append(out, pictures...)
	}
	return out, nil
}

// chart returns the chart of the n-th endpoint.
func (c chartFigure) chart(a trial.Analysis, n int, f family, flags *flagged, o Options) chart {
	e := a.Endpoints[n]
	ch := chart{title: e.Title, label: withUnit(c.axis(f), e.Unit)}
	if c.noPoints != nil {
		ch.noPoints = c.noPoints(e)
	}
	for arm := range a.Design.Arms {
		var points []point
		for visit := range a.Design.Visits {
			if c.ofChange && visit == 0 {
				points = append(points, point{n: -1, mid: math.NaN()})
			} else {
				points = append(points, c.point(e, arm, visit, flags))
			}
		}
		ch.arms = append(ch.arms, points)
	}
	if !o.Individuals {
		return ch
	}
	for s, subject := range a.Design.Subjects {
		l := individual{arm: subject.Arm}
		for visit := range a.Design.Visits {
			l.values = append(l.values, c.individual(e, s, visit))
		}
		ch.lines = append(ch.lines, l)
	}
	return ch
}
