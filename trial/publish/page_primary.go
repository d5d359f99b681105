package publish

import (
	"slices"

	"github.com/t2map/t2map/trial"
)

// mostHeadlines is how many primary contrasts stand as sentences at the head of the page. More of
// them, as of six arms and three compartments, fill a sheet that way, and are a table.
const mostHeadlines = 4

// primaryGrid holds the primary contrasts, as the table of differences has them; the visit, which
// is one for all, stands above.
func primaryGrid(a *trial.Analysis) grid {
	all := differenceGrid(a)
	g := grid{
		Title: "Change to " + called(a.Design.Visits[a.Design.Primary.Visit].Name),
		Notes: []string{"Arm minus reference, by the mixed model. SE and degrees of freedom are under “Mixed model”."},
	}
	// What a telephone has no room for.
	left := func(i int) bool { return slices.Contains([]string{"Visit", "SE", "df"}, all.Heads[i].Text) }
	g.Heads = leaving(all.Heads, left)
	for _, of := range all.Groups {
		var rows []row
		for _, r := range of.Rows {
			if r.Marked {
				rows = append(rows, row{Cells: leaving(r.Cells, left), Kept: true})
			}
		}
		if of.Rows = rows; len(rows) > 0 {
			g.Groups = append(g.Groups, of)
		}
	}
	return g.finish("contrasts.csv")
}

// leaving is the list without the places that are to be left out.
func leaving[T any](list []T, left func(int) bool) []T {
	var kept []T
	for i, x := range list {
		if !left(i) {
			kept = append(kept, x)
		}
	}
	return kept
}
