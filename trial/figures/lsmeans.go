package figures

import (
	"fmt"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial"
)

// LSMeans draws the least-squares means of the change in the mixed model with their intervals:
// "lsmeans" of compartments, "lsmeans-scores" of the others. There is no picture if none of the models
// could be fitted.
func LSMeans(a trial.Analysis, _ Options) ([]figure.Picture, error) {
	a, names := renamed(a)
	var out []figure.Picture
	for _, f := range families(a) {
		g := newCharts(a, f, "lsmeans")
		flags := newFlagged(names)
		fitted := false
		for _, n := range f.endpoints {
			e := a.Endpoints[n]
			fitted = fitted || e.Model.Failed == ""
			c := changeChart(a, e, f, func(arm, v int) point {
				cell, m := e.Cells[arm][v], e.Model.LSMeans[arm][v-1]
				return point{e.Model.SubjectsAt(arm, v), m.Value, m.Low, m.High, flags.touch(cell.ChangeFlags)}
			})
			if e.Model.Failed != "" {
				c.why = "no model: " + e.Model.Failed
			}
			g.panels = append(g.panels, c)
		}
		if !fitted {
			continue
		}
		g.zero = true
		g.Title = f.pick("Change of T2: least-squares means", "Change of scores: least-squares means")
		g.Caption = fmt.Sprintf("Change from baseline of %s, by arm over nominal months: least-squares means of the "+
			"mixed model for repeated measures, at the mean baseline. %s%s",
			f.pick("mean T2 of each compartment", "other endpoints"),
			intervals(a, "confidence intervals of the model", "n in the model"), modelRemarks(a, f))
		flags.tell(&g.frame)
		pictures, err := g.pictures()
		if err != nil {
			return nil, err
		}
		out = append(out, pictures...)
	}
	return out, nil
}
