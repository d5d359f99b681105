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

// primaryGrid returns the rows of the table of differences with primary contrasts, with the adjusted p before
// the other. The title has their visit if they have the same.
func primaryGrid(a *trial.Analysis) grid {
	all := differenceGrid(a)
	g := grid{
		Title: "Change from baseline",
		Notes: []string{"Arm minus reference, by the mixed model. SE and degrees of freedom are under “Mixed model”."},
	}
	// A phone has no room for these columns.
	omittedHeads := []string{"SE", "df"}
	if len(a.Design.PrimaryVisits()) == 1 {
		g.Title = "Change to " + called(a.Design.Visits[a.Design.PrimaryVisits()[0]].Name)
		omittedHeads = append(omittedHeads, "Visit")
	}
	omitted := func(i int) bool { return slices.Contains(omittedHeads, all.Heads[i].Text) }
	g.Heads = lastFirst(omitting(all.Heads, omitted))
	for _, block := range all.Groups {
		var rows []row
		for _, r := range block.Rows {
			if r.Marked {
				rows = append(rows, row{Cells: lastFirst(omitting(r.Cells, omitted)), Kept: true})
			}
		}
		if block.Rows = rows; len(rows) > 0 {
			g.Groups = append(g.Groups, block)
		}
	}
	return g.finish("contrasts.csv")
}

// omitting returns the list without the omitted indices.
func omitting[T any](list []T, omitted func(int) bool) []T {
	var kept []T
	for i, x := range list {
		if !omitted(i) {
			kept = append(kept, x)
		}
	}
	return kept
}

// lastFirst swaps the last two items of a list.
func lastFirst[T any](list []T) []T {
	n := len(list)
	list[n-1], list[n-2] = list[n-2], list[n-1]
	return list
}

// primaryFlags returns lines about the flags that touch a primary result.
func primaryFlags(a *trial.Analysis) figureLines {
	var flags []int
	for e, c := range contrasts(a) {
		if c.Primary() {
			flags = slices.Concat(flags, e.Cells[0][c.Visit].ChangeFlags, e.Cells[c.Arm][c.Visit].ChangeFlags)
		}
	}
	slices.Sort(flags)
	return newFigureLines(a, figure.Picture{Flags: slices.Compact(flags)})
}

// sensitivityGrid sets the sensitivity analyses of each primary contrast beside the primary analysis.
func sensitivityGrid(a *trial.Analysis) grid {
	g := grid{Title: "Sensitivity analyses", Class: "sensitivity",
		Heads: append(heads("Analysis"), numericHeads("omitted", "n", "Difference "+percentOf(a.Plan.Level)+" CI", "p")...),
		Notes: []string{"The same model from fewer data; p is not adjusted. n: participants of the arm and of the " +
			"reference; omitted: changes."}}
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
			}
		}
		if len(block.Rows) > 1 {
			g.Groups = append(g.Groups, block)
		}
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
