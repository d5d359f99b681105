package publish

// Limits of a table on paper: of one longer than longestPrinted, about printedRows rows are printed,
// somewhat less than a sheet of A4, since all of them are better read in a spreadsheet. Tables that
// are only slightly longer are printed whole.
const (
	longestPrinted = 60
	printedRows    = 40
)

// printed marks the rows of a long grid that are not printed; file has them. Groups with names get a
// share each; others are printed whole, as many as there is room for. Marked and kept rows are always
// printed.
func (g grid) printed(file string) grid {
	all := g.rows()
	if all <= longestPrinted {
		return g
	}
	n, remaining := 0, printedRows
	for i := range g.Groups {
		block := &g.Groups[i]
		first := 0
		if block.Name != "" {
			first = block.firstRows(max(printedRows/len(g.Groups), 1))
		} else if len(block.Rows) <= remaining || i == 0 {
			first = min(remaining, len(block.Rows))
			remaining -= first
		} else {
			remaining = 0
		}
		block.Screen = true
		for k := range block.Rows {
			r := &block.Rows[k]
			if r.Screen = k >= first && !r.Marked && !r.Kept; !r.Screen {
				block.Screen = false
				n++
			}
		}
	}
	if n < all {
		g.OnPaper = "Printed: " + thousands(n) + " of " + thousands(all) + " rows; see " + file + "."
	}
	return g
}

// firstRows returns the number of the first n rows and those that continue them, with an empty first
// cell, as the arms of a visit.
func (block group) firstRows(n int) int {
	n = min(n, len(block.Rows))
	for n < len(block.Rows) && block.Rows[n].Cells[0].Text == "" {
		n++
	}
	return n
}
