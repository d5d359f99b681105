package publish

// Limits of a table on paper. About printedRows rows, less than a sheet of A4, are printed of a table with
// more than longestPrinted rows, which is better read in a spreadsheet. Tables between these limits are
// printed whole.
const (
	longestPrinted = 60
	printedRows    = 40
)

// printed marks the rows of a long grid that are not printed; file has them. Each group with a name has
// the same number of printed rows. Groups without names are printed whole, as many as there is room for.
// Marked and kept rows are always printed.
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

// firstRows returns n, or more if the n-th row continues: rows with an empty first cell, such as further
// arms of a visit, belong to the row above.
func (block group) firstRows(n int) int {
	n = min(n, len(block.Rows))
	for n < len(block.Rows) && block.Rows[n].Cells[0].Text == "" {
		n++
	}
	return n
}
