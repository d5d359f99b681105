package publish

// Limits of what is printed of a table: one longer than longestPrinted is printed to the first
// printedRows rows, about half a sheet to a sheet of A4, for who wants all of them wants them in a
// spreadsheet. Those just above are printed whole: a note that five rows are left out helps nobody.
const (
	longestPrinted = 60
	printedRows    = 40
)

// printed marks the rows of a long grid that stand on the screen alone; file holds them. Where
// groups have names each gets its share, so that none is left out; rows that are marked are printed
// wherever they stand.
func (g grid) printed(file string) grid {
	all := g.rows()
	if all <= longestPrinted {
		return g
	}
	left, share := printedRows, printedRows
	if len(g.Groups) > 1 && g.Groups[0].Name != "" {
		share = max(printedRows/len(g.Groups), 2)
		left = share * len(g.Groups)
	}
	n := 0
	for i := range g.Groups {
		of := &g.Groups[i]
		first := min(share, left, len(of.Rows))
		left -= first
		of.Screen = true
		for k := range of.Rows {
			of.Rows[k].Screen = k >= first && !of.Rows[k].Marked
			if !of.Rows[k].Screen {
				of.Screen = false
				n++
			}
		}
	}
	g.OnPaper = "Printed: " + thousands(n) + " of " + thousands(all) + " rows; see " + file + "."
	return g
}
