package publish

import (
	"slices"

	"github.com/t2map/t2map/trial"
)

// grid is a table of the page. Its cells are texts, not numbers.
type grid struct {
	// Title is above the table; empty if the heading suffices.
	Title string
	Heads []head
	// Groups are separated by lines. A page break does not divide a short group.
	Groups []group
	// Notes are below the table.
	Notes []string
	// Fold hides the table on the screen until the reader opens Summary.
	Fold    bool
	Summary string
	// Rest says how many rows are on the page, and where all are; empty if the page has all.
	Rest string
	// OnPaper says how many rows are printed; empty if all are printed.
	OnPaper string
	// Reasons explain dashes, which have letters as marks; MoreReasons says where the other reasons are.
	Reasons     []reason
	MoreReasons string
	// Class of the table.
	Class string
}

type reason struct{ Mark, Text string }

type head struct {
	Text string
	Num  bool
}

type group struct {
	// Name is in a row above the others, with Detail below it; both may be empty.
	Name, Detail string
	Rows         []row
	// Screen reports that no row of the group is printed.
	Screen bool
}

type row struct {
	Cells  []cell
	Marked bool
	// Kept rows are always printed, Screen rows are never printed.
	Kept, Screen bool
}

// cell is a text; Reason is its tooltip, such as the reason of a dash.
type cell struct {
	Text, Reason, Detail string
	// Mark is the letter of a reason below the table. Part reports that a number is incomplete, for that
	// reason.
	Mark string
	Part bool
	Num  bool
	// Class is down, up or empty.
	Class string
}

// add adds a row.
func (block *group) add(cells ...cell) { block.Rows = append(block.Rows, row{Cells: cells}) }

// addArms adds a row for each arm at a visit, which its first row names. The rows of the main visit are kept.
func (block *group) addArms(a *trial.Analysis, e *trial.EndpointAnalysis, visit int, cells func(arm int) []cell) {
	name := textCell(a.Design.Visits[visit].Name)
	for arm := range a.Design.Arms {
		block.Rows = append(block.Rows, row{Kept: visit == a.Design.MainVisit(e.Endpoint),
			Cells: append([]cell{name, textCell(a.Design.Arms[arm])}, cells(arm)...)})
		name = cell{}
	}
}

// addContrasts adds a group for each endpoint with contrasts: a row for each, of its visit, its arms and the cells.
func (g *grid) addContrasts(a *trial.Analysis, detail func(*trial.EndpointAnalysis) string,
	cells func(*trial.EndpointAnalysis, trial.Contrast) []cell) {
	for e := range endpoints(a) {
		block := group{Name: shownUnit(e), Detail: detail(e)}
		for _, c := range e.Contrasts {
			block.Rows = append(block.Rows, row{Marked: c.Primary(), Cells: append([]cell{
				textCell(a.Design.Visits[c.Visit].Name), {Text: versus(a, e, c.Arm)}}, cells(e, c)...)})
		}
		g.addGroup(block)
	}
}

// addGroup adds a group unless it is empty.
func (g *grid) addGroup(block group) {
	if len(block.Rows) > 0 {
		g.Groups = append(g.Groups, block)
	}
}

// Limits of a table on the page: a table of more than foldRows rows is folded, and only the CSV table has
// the rows after mostRows. 40 rows are about a page of A4; 1,500 rows limit the page of a large trial to a
// few megabytes.
const (
	foldRows = 40
	mostRows = 1500
)

// rows returns the number of rows of a grid.
func (g grid) rows() int {
	n := 0
	for _, group := range g.Groups {
		n += len(group.Rows)
	}
	return n
}

// mostReasons is the largest number of reasons below a table. Others usually concern single cells; the CSV
// tables have all.
const mostReasons = 5

// explained marks each dash, and each number without its interval, with a letter that refers to a reason
// below the table, since paper has no tooltips. file has the other reasons.
func (g grid) explained(file string) grid {
	var reasons []string
	hasMore := false
	for _, group := range g.Groups {
		for _, row := range group.Rows {
			for i := range row.Cells {
				c := &row.Cells[i]
				if c.Text != dash && !c.Part || c.Reason == "" {
					continue
				}
				index := slices.Index(reasons, c.Reason)
				if index < 0 && len(reasons) < mostReasons {
					index = len(reasons)
					reasons = append(reasons, c.Reason)
				}
				if index < 0 {
					hasMore = true
					continue
				}
				c.Mark = string(rune('a' + index))
			}
		}
	}
	for i, r := range reasons {
		g.Reasons = append(g.Reasons, reason{string(rune('a' + i)), r})
	}
	if hasMore && file != "" {
		g.MoreReasons = "Other dashes: see " + file + "."
	}
	return g
}

// finish folds a long grid, truncates one that is too long for the page, and adds the reasons of its
// dashes. file has all rows.
func (g grid) finish(file string) grid {
	n := g.rows()
	if n > mostRows {
		remaining := mostRows
		for i := range g.Groups {
			keep := min(remaining, len(g.Groups[i].Rows))
			g.Groups[i].Rows = g.Groups[i].Rows[:keep]
			remaining -= keep
			if remaining == 0 {
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

// trimmed omits the last column if it is empty.
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

// heads returns the heads of columns of texts, and numericHeads those of numbers.
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

// textCell returns a cell with a text or a name, and num one with a number; reason explains a dash.
func textCell(s string) cell { return cell{Text: called(s)} }

func num(s string, reason ...string) cell {
	c := cell{Text: s, Num: true}
	if s == dash && len(reason) > 0 {
		c.Reason = called(reason[0])
	}
	return c
}
