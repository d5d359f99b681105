package publish

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial"
)

// mostHeadlines is the largest number of primary contrasts that the head of the page has as sentences. More,
// such as those of six arms and three compartments, are a table.
const mostHeadlines = 4

// primaryGrid returns a table of the primary contrasts, with the adjusted p before the other. The title has their
// visit if they have the same. A phone has no room for standard errors and degrees of freedom.
func primaryGrid(a *trial.Analysis) grid {
	g := grid{
		Title: "Change from baseline",
		Heads: append(heads("Visit", "Arms"), numericHeads("n", "Difference", percentOf(a.Plan.Level)+" CI", "p, Holm", "p")...),
		Notes: []string{"Arm minus reference, by the mixed model. SE and degrees of freedom are under “Mixed model”."},
	}
	visits := a.Design.PrimaryVisits()
	if len(visits) == 1 {
		g.Title = "Change to " + called(a.Design.Visits[visits[0]].Name)
		g.Heads = g.Heads[1:]
	}
	for e := range endpoints(a) {
		block := group{Name: shownUnit(e), Detail: modelDetail(a, e.Model)}
		for _, c := range e.Contrasts {
			if !c.Primary() {
				continue
			}
			reason := absent(a, e.Model, c.Visit)
			m := estimateCells(e.Displayed(c.Model), shownDecimals(e), reason)
			r := row{Kept: true, Cells: []cell{textCell(a.Design.Visits[c.Visit].Name), {Text: versus(a, e, c.Arm)},
				pair(e.Model.SubjectsAt(c.Arm, c.Visit), e.Model.SubjectsAt(0, c.Visit)), m[0], m[3],
				num(figure.PValue(c.Holm), reason), m[4]}} // without SE and df
			if len(visits) == 1 {
				r.Cells = r.Cells[1:]
			}
			block.Rows = append(block.Rows, r)
		}
		g.addGroup(block)
	}
	return g.finish("contrasts.csv")
}

// primaryFlags returns lines about the flags that touch a primary result.
func primaryFlags(a *trial.Analysis) figureLines {
	var flags []int
	for e, c := range contrasts(a) {
		if c.Primary() {
			flags = append(flags, e.ContrastFlags(c)...)
		}
	}
	slices.Sort(flags)
	return newFigureLines(a, figure.Picture{Flags: slices.Compact(flags)}, mostPrimaryFlags)
}

// sensitivityGrid sets the sensitivity analyses of each primary contrast beside the primary analysis.
func sensitivityGrid(a *trial.Analysis) grid {
	g := grid{Title: "Sensitivity analyses", Class: "sensitivity",
		Heads: append(heads("Analysis"), numericHeads("omitted", "n", "Difference "+percentOf(a.Plan.Level)+" CI", "p")...),
		Notes: []string{"The same model, fitted to fewer data; p is not adjusted. Omitted: number of changes not " +
			"used. n: participants of the arm and of the reference."}}
	biased := false
	for e, c := range contrasts(a) {
		block := group{Name: fmt.Sprintf("%s, %s, %s", shownTitle(e), called(a.Design.Visits[c.Visit].Name),
			versus(a, e, c.Arm))}
		add := func(name string, x trial.Sensitivity) {
			m := e.Displayed(x.Estimate)
			block.add(textCell(name), num(thousands(x.Omitted)), pair(x.N, x.NReference),
				num(withInterval(m.Value, m.Low, m.High, shownDecimals(e)), x.Reason),
				num(figure.PValue(m.P), x.Reason))
		}
		add("primary", trial.Sensitivity{Estimate: c.Model, N: e.Model.SubjectsAt(c.Arm, c.Visit),
			NReference: e.Model.SubjectsAt(0, c.Visit), Reason: absent(a, e.Model, c.Visit)})
		for _, s := range a.Sensitivity {
			if s.Endpoint == e.Name && s.Visit == c.Visit && s.Arm == c.Arm {
				add(cmp.Or(s.Set, sensitivityName(s.Kind)), s)
				biased = biased || e.Compartment && s.Kind == trial.WithoutFlagged
			}
		}
		if len(block.Rows) > 1 {
			g.Groups = append(g.Groups, block)
		}
	}
	if biased {
		g.Notes[0] += " The limits on T2 and its change depend on the outcome: omitting values beyond them may bias the " +
			"difference."
	}
	if len(g.Groups) == 1 {
		g.Groups[0].Name = "" // the headline has it
	}
	if len(g.Groups) > mostHeadlines {
		g.Fold, g.Summary = true, "Sensitivity analyses of "+plural(len(g.Groups), "contrast", "contrasts")
	}
	return g.explained("contrasts.csv")
}

// sensitivityName names a kind of sensitivity analysis.
func sensitivityName(k trial.SensitivityKind) string {
	return map[trial.SensitivityKind]string{trial.WithoutFlagged: "without flagged values",
		trial.CompleteCases: "complete cases", trial.OtherSet: "other set"}[k]
}
