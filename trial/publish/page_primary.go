package publish

import "github.com/t2map/t2map/trial"

// mostHeadlines is how many primary contrasts stand as sentences at the head of the page. More of
// them, as of six arms and three compartments, fill a sheet that way, and are a table.
const mostHeadlines = 4

// primaryGrid holds the primary contrasts, as the table of differences has them.
func primaryGrid(a *trial.Analysis) grid {
	all := differenceGrid(a)
	g := grid{Heads: all.Heads, Notes: []string{"Arm less reference, by the mixed model, which is told of under “Mixed model”."}}
	for _, of := range all.Groups {
		var rows []row
		for _, r := range of.Rows {
			if r.Marked {
				r.Marked = false // all of them are
				rows = append(rows, r)
			}
		}
		if of.Rows = rows; len(rows) > 0 {
			g.Groups = append(g.Groups, of)
		}
	}
	return g.finish("contrasts.csv")
}
