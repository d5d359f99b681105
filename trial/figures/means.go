package figures

import (
	"fmt"
	"math"
	"slices"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial"
)

// means draws the mean of each arm at each visit with its t interval: "means" of compartments, side by side on one
// scale (as Figure 4 of doi:10.1177/09636897241303275), and "means-scores" and "means-markers", each endpoint on a
// scale of its own. The scores of a group are lettered panels (as its Figure 2). Endpoints on the log scale have
// geometric means.
func means(a trial.Analysis, f family, o Options) ([]figure.Picture, error) {
	a, names := renamed(a)
	logs := logRemark(a, f, "geometric means")
	return chartFigure{
		name: "means", title: capital(f.noun()) + " by arm and visit",
		caption: fmt.Sprintf("%s of %s, by arm over nominal months: arm means%s. %s", capital(f.measure(a)),
			population(a.Design), logs, intervals(a, "t intervals of the mean", "n")),
		axis: func(e trial.EndpointAnalysis) string {
			return withUnit(word(e.Log, "Geometric mean", word(e.Compartment, capital(a.Plan.Summary())+" T2", "Mean")), e.Unit)
		},
		point: func(e trial.EndpointAnalysis, arm, visit int) figure.Point {
			d := e.Cells[arm][visit].Value
			if logs := e.Cells[arm][visit].Logs; logs != nil {
				d = *logs
			}
			return figure.Point{N: d.N, Mid: d.Mean, Low: d.Low, High: d.High}
		},
		flags: func(e trial.EndpointAnalysis, arm, visit int) []int { return e.Cells[arm][visit].ValueFlags },
		individual: func(e trial.EndpointAnalysis, subject, visit int) float64 {
			if e.Log {
				return math.Log(e.Values[subject][visit].X)
			}
			return e.Values[subject][visit].X
		},
	}.draw(a, f, names, o)
}

// changes draws the mean change from baseline of each arm at each visit: "change" and "change-scores" with its t
// interval, "change-markers" as mean ± SD with * where it differs from the reference (as Figure 3 of the same paper).
// A trial of one visit has none.
func changes(a trial.Analysis, f family, o Options) ([]figure.Picture, error) {
	if len(a.Design.Visits) < 2 {
		return nil, nil
	}
	a, names := renamed(a)
	drawn, stars := intervals(a, "t intervals of the mean", "n"), ""
	if f.familyKind == markers {
		drawn = "Bars are ± 1 standard deviation; hollow points have none. Below each point is n, if there is room."
		stars = starRemark(a, f)
	}
	return chartFigure{
		name: "change", title: "Change of " + f.noun() + " from baseline", ofChange: true,
		caption: fmt.Sprintf("Change from baseline of %s, by arm over nominal months: arm means, unadjusted, of %s%s. "+
			"%s%s", f.measure(a), population(a.Design), logRemark(a, f, "geometric means of the ratio to baseline"), drawn,
			stars),
		axis: changeAxis,
		point: func(e trial.EndpointAnalysis, arm, visit int) figure.Point {
			d := e.Cells[arm][visit].Change
			if f.familyKind == markers {
				return figure.Point{N: d.N, Mid: d.Mean, Low: d.Mean - d.SD, High: d.Mean + d.SD,
					Star: significant(e, arm, visit)}
			}
			return figure.Point{N: d.N, Mid: d.Mean, Low: d.Low, High: d.High}
		},
		flags: changeFlags,
		individual: func(e trial.EndpointAnalysis, subject, visit int) float64 {
			return e.Changes[subject][visit].Scaled
		},
	}.draw(a, f, names, o)
}

// significance is the level of p at which a point of markers has a star.
const significance = 0.05

// significant reports whether an arm differs from the reference at a visit: by p of the mixed model, adjusted by
// Holm's method if the contrast is in a planned family.
func significant(e trial.EndpointAnalysis, arm, visit int) bool {
	return slices.ContainsFunc(e.Contrasts, func(c trial.Contrast) bool {
		p := c.Model.P
		if c.Family != trial.NoFamily {
			p = c.Holm
		}
		return c.Arm == arm && c.Visit == visit && p < significance
	})
}

// starRemark says which p a star is about; empty in a trial of one arm.
func starRemark(a trial.Analysis, f family) string {
	if len(a.Design.Arms) < 2 {
		return ""
	}
	kinds := map[bool]bool{}
	for _, n := range f.endpoints {
		for _, c := range a.Endpoints[n].Contrasts {
			kinds[c.Family != trial.NoFamily] = true
		}
	}
	which := "not adjusted for multiplicity"
	if kinds[true] {
		which = "adjusted by Holm’s method" + word(kinds[false], " where the contrast is planned, otherwise not adjusted", "")
	}
	return fmt.Sprintf(" * p < %g for the difference from %s in the mixed model, %s.%s", significance,
		figure.ShortenAll(a.Design.Arms, isShort)[0], which, modelRemarks(a, f))
}

// lsMeans draws the least-squares means of the change in the mixed model with their intervals. There is no
// picture if none of the models could be fitted.
func lsMeans(a trial.Analysis, f family, _ Options) ([]figure.Picture, error) {
	if !slices.ContainsFunc(f.endpoints, func(n int) bool { return a.Endpoints[n].Model.Failed == "" }) {
		return nil, nil
	}
	a, names := renamed(a)
	return chartFigure{
		name: "lsmeans", title: "Change of " + f.noun() + ": least-squares means", ofChange: true,
		caption: fmt.Sprintf("Change from baseline of %s, by arm over nominal months: least-squares means of the mixed "+
			"model for repeated measures, at the mean baseline%s. %s%s", f.measure(a),
			logRemark(a, f, "ratios to baseline"),
			intervals(a, "confidence intervals of the model", "n in the model"), modelRemarks(a, f)),
		axis: changeAxis,
		point: func(e trial.EndpointAnalysis, arm, visit int) figure.Point {
			m := e.Model.LSMeans[arm][visit-1]
			return figure.Point{N: e.Model.SubjectsAt(arm, visit), Mid: m.Value, Low: m.Low, High: m.High}
		},
		flags: changeFlags,
		noPoints: func(e trial.EndpointAnalysis) string {
			return word(e.Model.Failed == "", "", "no model: "+e.Model.Failed)
		},
	}.draw(a, f, names, Options{})
}

// intervals returns the sentences of a caption about bands, bars and counts.
func intervals(a trial.Analysis, kind, n string) string {
	return fmt.Sprintf("%s are %s %s; hollow points have none. Below each point is %s, if there is room.",
		word(len(a.Design.Arms) > figure.MostRibbons, "Bars", "Bands and bars"), percentOf(a.Plan.Level), kind, n)
}

func changeAxis(e trial.EndpointAnalysis) string {
	if e.Log {
		return "Ratio to baseline"
	}
	return withUnit(word(e.Compartment, "Change of T2", "Change"), e.Unit)
}

func changeFlags(e trial.EndpointAnalysis, arm, visit int) []int {
	return e.Cells[arm][visit].ChangeFlags
}

// logRemark names the endpoints on the log scale, and the numbers that they have: " (CRP: geometric means)".
func logRemark(a trial.Analysis, f family, numbers string) string {
	var all grouped
	for _, n := range f.endpoints {
		if e := a.Endpoints[n]; e.Log {
			all.add(numbers+", on a log axis", e.TitleInText())
		}
	}
	if len(all) == 0 {
		return ""
	}
	return "; " + all.words(len(f.endpoints))
}

// word returns one of two texts.
func word(first bool, yes, no string) string {
	if first {
		return yes
	}
	return no
}

// chartFigure is a figure with a chart for each endpoint of a family.
type chartFigure struct {
	name, title, caption string
	// ofChange reports that the charts show changes: they have a line at 0, and neither a point nor a
	// count at baseline.
	ofChange bool
	// axis is the name of the y axis.
	axis func(e trial.EndpointAnalysis) string
	// point returns the point of an arm at a visit, flags the flags that concern it.
	point func(e trial.EndpointAnalysis, arm, visit int) figure.Point
	flags func(e trial.EndpointAnalysis, arm, visit int) []int
	// noPoints says why an endpoint has no points; it may be nil.
	noPoints func(e trial.EndpointAnalysis) string
	// individual returns the value of a subject at a visit for Options.Individuals.
	individual func(e trial.EndpointAnalysis, subject, visit int) float64
}

// draw draws the pictures of a family.
func (c chartFigure) draw(a trial.Analysis, f family, names naming, o Options) ([]figure.Picture, error) {
	flags, visits := newFlagged(names), f.visits(a)
	g := figure.Charts{
		Frame: newFrame(f.name(c.name), c.title, c.caption),
		X:     newVisitAxis(a.Design, visits), Arms: len(a.Design.Arms),
		Zero: c.ofChange, Bars: f.familyKind == markers && c.name == "change",
	}
	o.Individuals = o.Individuals && !g.Bars // lines of subjects would hide the bars of ± SD
	g.Legend = figure.LineSymbols(a.Design.Arms)
	for _, n := range f.endpoints {
		g.Panels = append(g.Panels, c.chart(a, n, visits, flags, o))
	}
	g.Shared = f.familyKind == compartments &&
		!slices.ContainsFunc(g.Panels, func(c figure.Chart) bool { return c.Log != g.Panels[0].Log })
	if o.Individuals {
		g.Caption += " Thin lines are participants."
	}
	flags.annotate(&g.Frame)
	if g.X.Evenly {
		g.Caption += " Visits are at equal distances, since some are too close together in time."
	}
	return g.Draw()
}

// chart returns the chart of the n-th endpoint over its planned visits, of those of the picture.
func (c chartFigure) chart(a trial.Analysis, n int, visits []int, flags *flagged, o Options) figure.Chart {
	e := a.Endpoints[n]
	ch := figure.Chart{Title: e.Title, Label: c.axis(e), Log: e.Log}
	if c.noPoints != nil {
		ch.NoPoints = c.noPoints(e)
	}
	if !e.Compartment && !e.IsMarker() {
		ch.Group = e.Group
	}
	for _, visit := range e.Visits {
		ch.Steps = append(ch.Steps, slices.Index(visits, visit))
	}
	for arm := range a.Design.Arms {
		var points []figure.Point
		for _, visit := range e.Visits {
			p := figure.Point{N: -1, Mid: math.NaN()}
			if !c.ofChange || visit > 0 {
				p = c.point(e, arm, visit)
				p.Flagged = flags.touch(c.flags(e, arm, visit))
			}
			points = append(points, p)
		}
		ch.Arms = append(ch.Arms, points)
	}
	if !o.Individuals {
		return ch
	}
	for s, subject := range a.Design.Subjects {
		t := figure.Track{Arm: subject.Arm}
		for _, visit := range e.Visits {
			t.Values = append(t.Values, c.individual(e, s, visit))
		}
		ch.Tracks = append(ch.Tracks, t)
	}
	return ch
}
