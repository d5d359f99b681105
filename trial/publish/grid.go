package publish

import "slices"

// grid is a table of the page. Its cells are texts: numbers are computed and printed in Go.
type grid struct {
	// Title stands above; empty where the heading says it.
	Title string
	Heads []head
	// Groups are set apart by a line, and not torn by a page break where they are short.
	Groups []group
	// Notes stand beneath.
	Notes []string
	// Fold hides the table on a screen until it is asked for, under Summary.
	Fold    bool
	Summary string
	// Rest says how many rows are not on the page, and where they are; empty for none.
	Rest string
	// OnPaper says how many rows are printed where it is not all; empty where it is.
	OnPaper string
	// Reasons are those of dashes, by the letters that mark them; MoreReasons says where the
	// others are.
	Reasons     []reason
	MoreReasons string
	// Class of the table.
	Class string
}

type reason struct{ Mark, Text string }

type head struct {
	Text, Why string
	Num       bool
}

type group struct {
	// Name stands across, above the rows, and Detail under it; empty for none.
	Name, Detail string
	Rows         []row
	// Screen groups have no row that is printed.
	Screen bool
}

type row struct {
	Cells  []cell
	Marked bool
	// Kept rows are printed however long the table is, Screen rows are not printed.
	Kept, Screen bool
}

// cell is a text; Why says in a tooltip what it means or why it is absent.
type cell struct {
	Text, Why, Detail string
	// Mark is the letter of a reason beneath the table; Part says that a figure lacks what Why
	// says, such as its interval.
	Mark string
	Part bool
	Num  bool
	// Class is down, up or empty.
	Class string
}

// Limits of what a page shows at once: a table longer than foldRows is folded, and the
// rows after mostRows are left to the tidy tables. 40 rows are about a page of A4;
// 1,500 rows keep the page of a large trial below some megabytes.
const (
	foldRows = 40
	mostRows = 1500
)

// rows counts those of a grid.
func (g grid) rows() int {
	n := 0
	for _, group := range g.Groups {
		n += len(group.Rows)
	}
	return n
}

// mostReasons is how many reasons of dashes stand beneath a table; of more, most are those
// of single cells, and the tables hold all.
const mostReasons = 5

// explained marks each dash, and each figure without its interval, with a letter, under which its reason stands beneath the table, for who
// reads it on paper; file holds the others.
func (g grid) explained(file string) grid {
	var reasons []string
	more := false
	for _, group := range g.Groups {
		for _, row := range group.Rows {
			for i := range row.Cells {
				c := &row.Cells[i]
				if c.Text != dash && !c.Part || c.Why == "" {
					continue
				}
				at := slices.Index(reasons, c.Why)
				if at < 0 && len(reasons) < mostReasons {
					at = len(reasons)
					reasons = append(reasons, c.Why)
				}
				if at < 0 {
					more = true
					continue
				}
				c.Mark = string(rune('a' + at))
			}
		}
	}
	for i, r := range reasons {
		g.Reasons = append(g.Reasons, reason{string(rune('a' + i)), r})
	}
	if more && file != "" {
		g.MoreReasons = "Other dashes: see " + file + "."
	}
	return g
}

// finish folds a long grid and cuts one that is too long for a page, and gives the reasons of its dashes; file
// holds all rows.
func (g grid) finish(file string) grid {
	n := g.rows()
	if n > mostRows {
		left := mostRows
		for i := range g.Groups {
			keep := min(left, len(g.Groups[i].Rows))
			g.Groups[i].Rows = g.Groups[i].Rows[:keep]
			left -= keep
			if left == 0 {
				g.Groups = g.Groups[:i+1]
				break
			}
		}
		g.Rest = "The first " + thousands(mostRows) + " of " + thousands(n) + " rows; all are in " + file + "."
	}
	if n > foldRows {
		g.Fold = true
		g.Summary = plural(n, "row", "rows")
	}
	return g.printed(file).explained(file)
}

// trimmed leaves out the last column where it is empty.
func (g grid) trimmed() grid {
	last := len(g.Heads) - 1
	for _, group := range g.Groups {
		for _, row := range group.Rows {
			if row.Cells[last].Text != "" {
				return g
			}
		}
	}
	for _, group := range g.Groups {
		for i, row := range group.Rows {
			group.Rows[i].Cells = row.Cells[:last]
		}
	}
	g.Heads = g.Heads[:last]
	return g
}

// heads returns heads of columns of texts, numericHeads of columns of numbers.
func heads(texts ...string) []head {
	list := make([]head, len(texts))
	for i, t := range texts {
		list[i].Text = t
	}
	return list
}

func numericHeads(texts ...string) []head {
	list := heads(texts...)
	for i := range list {
		list[i].Num = true
	}
	return list
}

// say is a cell with a text or a name; num is one with a number, and why explains a dash.
func say(s string) cell { return cell{Text: called(s)} }

func num(s string, why ...string) cell {
	c := cell{Text: s, Num: true}
	if s == dash && len(why) > 0 {
		c.Why = called(why[0])
	}
	return c
}
