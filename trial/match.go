package trial

import (
	"fmt"
	"slices"
	"strings"
)

// names are those of subjects or visits in a table, held against those of the design.
type names struct {
	what   string
	design []string
	known  map[string]bool // those of the design
	seen   map[string]bool
	order  []string // those of the table, as they first stand
}

func newNames(what string, design []string) *names {
	n := &names{what: what, design: design, known: map[string]bool{}, seen: map[string]bool{}}
	for _, name := range design {
		n.known[name] = true
	}
	return n
}

// add takes a name of the table. One that differs from one of the design only in case or blanks is an
// error.
func (n *names) add(table, name string, line int) error {
	if n.seen[name] {
		return nil
	}
	n.seen[name] = true
	n.order = append(n.order, name)
	if n.known[name] {
		return nil
	}
	if i := slices.IndexFunc(n.design, func(d string) bool { return sameName(d, name) }); i >= 0 {
		return hinted("write it in one way, in the design and in the table", "%s: line %d: %s %.40q differs from the design's %.40q only in case or blanks", table, line, n.what, name, n.design[i])
	}
	return nil
}

// common returns an error unless a name is in both.
func (n *names) common(table string) error {
	if len(n.order) == 0 || slices.ContainsFunc(n.order, func(name string) bool { return n.known[name] }) {
		return nil
	}
	return hinted("write names alike in both", "%s: none of its %ss (%s) is in the design (%s)", table, n.what, few(n.order), few(n.design))
}

// match holds the names of a table against those of the design, before anything is joined: names that
// are alike but for case or blanks, and tables that have nothing in common, are mistakes
// and no missing visits.
func (d Design) match(table string, rows []placed) error {
	subjects, visits, err := d.alike(table, rows)
	if err != nil {
		return err
	}
	if err := subjects.common(table); err != nil {
		return err
	}
	return visits.common(table)
}

// alike returns the names of a table, which may have nothing in common with the design's, but none that
// differs from one of them only in case or blanks.
func (d Design) alike(table string, rows []placed) (subjects, visits *names, err error) {
	subjects, visits = newNames("subject", d.subjectNames()), newNames("visit", d.visitNames())
	for _, r := range rows {
		if err := subjects.add(table, r.subject, r.line); err != nil {
			return nil, nil, err
		}
		if err := visits.add(table, r.visit, r.line); err != nil {
			return nil, nil, err
		}
	}
	return subjects, visits, nil
}

// placed is a row's subject and visit.
type placed struct {
	subject, visit string
	line           int
}

func (d Design) subjectNames() []string {
	names := make([]string, len(d.Subjects))
	for i, s := range d.Subjects {
		names[i] = s.ID
	}
	return names
}

func (d Design) visitNames() []string {
	names := make([]string, len(d.Visits))
	for i, v := range d.Visits {
		names[i] = v.Name
	}
	return names
}

// few lists the first of some names.
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

// unvisited notes planned visits that the results do not have at all.
func (d Design) unvisited(res Results) []string {
	seen := newNames("visit", d.visitNames())
	for _, p := range append(res.places(), res.failedPlaces()...) {
		_ = seen.add("", p.visit, p.line) // names have been held against the design's
	}
	unplanned := slices.DeleteFunc(slices.Clone(seen.order), func(name string) bool { return seen.known[name] })
	var notes []string
	for _, v := range d.Visits {
		if seen.seen[v.Name] {
			continue
		}
		note := fmt.Sprintf("visit %.40q has no result at all", v.Name)
		if len(unplanned) > 0 {
			note += "; the results have " + few(unplanned) + ", which the design does not"
		}
		notes = append(notes, note)
	}
	return notes
}
