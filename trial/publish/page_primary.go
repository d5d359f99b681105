package publish

import (
	"slices"

	"github.com/t2map/t2map/trial"
)

// mostHeadlines is the largest number of primary contrasts that the head of the page has as sentences. More,
// such as those of six arms and three compartments, are a table.
const mostHeadlines = 4

// primaryGrid returns the rows of the table of differences with primary contrasts. The title has their
// visit.
func primaryGrid(a *trial.Analysis) grid {
	all := differenceGrid(a)
	g := grid{
		Title: "Change to " + called(a.Design.Visits[a.Design.Primary.Visit].Name),
		Notes: []string{"Arm minus reference, by the mixed model. SE and degrees of freedom are under “Mixed model”."},
	}
	// A phone has no room for these columns.
	omitted := func(i int) bool { return slices.Contains([]string{"Visit", "SE", "df"}, all.Heads[i].Text) }
	g.Heads = omitting(all.Heads, omitted)
	for _, block := range all.Groups {
		var rows []row
		for _, r := range block.Rows {
			if r.Marked {
				rows = append(rows, row{Cells: omitting(r.Cells, omitted), Kept: true})
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
