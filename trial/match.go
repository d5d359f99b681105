package trial

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/table"
)

// names are the names of subjects or visits in a table, compared with those of the design.
type names struct {
	kind   string // subject or visit
	design []string
	known  table.Names // of the design
	seen   map[string]bool
	order  []string // of the table, in the order of their first rows
}

func newNames(kind string, design []string) *names {
	n := &names{kind: kind, design: design, seen: map[string]bool{}}
	for _, name := range design {
		n.known.Add(name)
	}
	return n
}

// add adds a name of the table. A name that is alike to one of the design, but not the same, is an
// error.
func (n *names) add(s Source, name string, line int) error {
	if n.seen[name] {
		return nil
	}
	n.seen[name] = true
	n.order = append(n.order, name)
	if other, alike := n.known.Find(name); alike {
		return hint.Errorf(matchHint(s, n.kind)+"; Excel removes leading zeros unless the column is text",
			"%s: line %d: %s %.40q differs from the design's %.40q %s", s.Name, line, n.kind, name, other, table.Alike)
	}
	return nil
}

// unknown returns the names of the table that the design does not have.
func (n *names) unknown() []string {
	return slices.DeleteFunc(slices.Clone(n.order), n.known.Has)
}

// unseen returns the names of the design that the table does not have.
func (n *names) unseen() []string {
	return slices.DeleteFunc(slices.Clone(n.design), func(name string) bool { return n.seen[name] })
}

// join adds the names of another table of the same design.
func (n *names) join(other *names) *names {
	for _, name := range other.order {
		if !n.seen[name] {
			n.seen[name] = true
			n.order = append(n.order, name)
		}
	}
	return n
}

// matchHint says how to make the names of a table and of the design the same. Names in t2map's own
// tables are corrected at their source.
func matchHint(s Source, kind string) string {
	if s.MadeBy != "" {
		return fmt.Sprintf("correct the %ss in the design; or rename the studies (--manifest or --layout, and "+
			"--rename), with '%s'", kind, s.MadeBy)
	}
	return fmt.Sprintf("use the same %ss in the design and in the table", kind)
}

// common returns an error unless a name is in both the table and the design.
func (n *names) common(s Source) error {
	if len(n.order) == 0 || slices.ContainsFunc(n.order, n.known.Has) {
		return nil
	}
	return hint.Errorf(matchHint(s, n.kind), "%s: none of its %ss (%s) is in the design (%s)", s.Name, n.kind, few(n.order),
		few(n.design))
}

// match compares the names of a table with those of the design before anything is joined. Names that are
// alike (see table.Keys), and tables that have no name in common, are errors: they are mistakes, not
// missing visits.
func (d Design) match(s Source, rows []placed) (subjects, visits *names, err error) {
	if subjects, visits, err = d.alike(s, rows); err != nil {
		return nil, nil, err
	}
	return subjects, visits, cmp.Or(subjects.common(s), visits.common(s))
}

// alike returns the names of a table, which may have none in common with the design. A name that is alike
// to one of the design, but not the same, is an error.
func (d Design) alike(s Source, rows []placed) (subjects, visits *names, err error) {
	subjects = newNames("subject", mapped(d.Subjects, func(s Subject) string { return s.ID }))
	visits = newNames("visit", visitNames(slices.Concat(d.Visits, d.Earlier)))
	for _, r := range rows {
		if err := cmp.Or(subjects.add(s, r.subject, r.line), visits.add(s, r.visit, r.line)); err != nil {
			return nil, nil, err
		}
	}
	return subjects, visits, nil
}

// placed is the subject and visit of a row.
type placed struct {
	subject, visit string
	line           int
}

func placeOf(r table.Row) placed { return placed{r.Text("subject"), r.Text("visit"), r.Line} }

func visitNames(visits []Visit) []string {
	return mapped(visits, func(v Visit) string { return v.Name })
}

// few lists the first names.
func few(names []string) string {
	const shown = 5
	var quoted []string
	for _, n := range names[:min(len(names), shown)] {
		quoted = append(quoted, fmt.Sprintf("%.40q", n))
	}
	if len(names) > shown {
		quoted = append(quoted, "…")
	}
	return strings.Join(quoted, ", ")
}

// unvisited notes the visits that are planned for one of the endpoints and have no result.
func (d Design) unvisited(visits *names, endpoints []Endpoint) []string {
	unplanned := visits.unknown()
	var notes []string
	for i, v := range d.Visits {
		if visits.seen[v.Name] || !slices.ContainsFunc(endpoints, func(e Endpoint) bool { return e.Planned(i) }) {
			continue
		}
		note := fmt.Sprintf("visit %.40q has no results", v.Name)
		if len(unplanned) > 0 {
			note += "; the results have " + few(unplanned) + ", which the design does not"
		}
		notes = append(notes, note)
	}
	return notes
}

// unmatched notes how many subjects of the design are not in a table, and how many subjects of the table
// are not in the design. content names an entry of the table: "result".
func (d Design) unmatched(tableName, content string, subjects *names) []string {
	var notes []string
	if missing := subjects.unseen(); len(missing) > 0 {
		notes = append(notes, fmt.Sprintf("%d of %d subjects of the design have no %s in %s: %s", len(missing),
			len(d.Subjects), content, tableName, few(missing)))
	}
	if unknown := subjects.unknown(); len(unknown) > 0 {
		are := "are not in the design, and their values are not used"
		if len(unknown) == 1 {
			are = "is not in the design, and its values are not used"
		}
		notes = append(notes, fmt.Sprintf("%d of %d subjects in %s %s: %s", len(unknown), len(subjects.order),
			tableName, are, few(unknown)))
	}
	return notes
}

// notes returns remarks on the baseline.
func (d Design) notes() []string {
	var notes []string
	if d.AssumedBaseline && len(d.Visits) > 1 {
		notes = append(notes, fmt.Sprintf("no visit is at month 0: the earliest, %.40q at month %g, is the baseline",
			d.Visits[0].Name, d.Visits[0].Month))
	}
	for _, v := range d.Earlier {
		notes = append(notes,
			fmt.Sprintf("visit %.40q (month %g) is before the baseline, %.40q: its values are not analysed", v.Name,
				v.Month, d.Visits[0].Name))
	}
	return notes
}
