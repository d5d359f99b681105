package publish

// Limits of what is printed of a table: of one longer than longestPrinted about printedRows rows are
// printed, somewhat less than a sheet of A4, since who wants all of them wants them in a
// spreadsheet. Those just above are printed whole: a note that five rows are left out helps nobody.
const (
	longestPrinted = 60
	printedRows    = 40
)

// printed marks the rows of a long grid that stand on the screen alone; file holds them. Where
// groups have names, each gets its share; else they are printed whole, as many as there is room
// for. Rows that are marked or kept are printed wherever they stand.
func (g grid) printed(file string) grid {
	all := g.rows()
	if all <= longestPrinted {
		return g
	}
	n, left := 0, printedRows
	for i := range g.Groups {
		of := &g.Groups[i]
		first := 0
		if of.Name != "" {
			first = of.firstRows(max(printedRows/len(g.Groups), 1))
		} else if len(of.Rows) <= left || i == 0 {
			first = min(left, len(of.Rows))
			left -= first
		} else {
			left = 0
		}
		of.Screen = true
		for k := range of.Rows {
			r := &of.Rows[k]
			if r.Screen = k >= first && !r.Marked && !r.Kept; !r.Screen {
				of.Screen = false
				n++
			}
		}
	}
	if n < all {
		g.OnPaper = "Printed: " + thousands(n) + " of " + thousands(all) + " rows; see " + file + "."
	}
	return g
}

// firstRows is how many rows the first n are, with those that go on from them: they leave the first
// cell empty, as the arms of a visit do.
func (of group) firstRows(n int) int {
	n = min(n, len(of.Rows))
	for n < len(of.Rows) && of.Rows[n].Cells[0].Text == "" {
		n++
	}
	return n
}
