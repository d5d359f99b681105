package figures

import (
	"fmt"
	"slices"
	"strings"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial"
	"github.com/t2map/t2map/trial/repeat"
)

// naming has the names of arms, visits, subjects and endpoints in figures.
type naming struct {
	flags []trial.Flag
	// subjects, visits and endpoints are the names in figures by the names in the tables.
	subjects, visits, endpoints map[string]string
	// note is a sentence that explains the stand-ins; empty if every name can be written.
	note string
}

// mostNamed is the number of stand-ins that a caption explains.
const mostNamed = 12

// renamed returns the analysis with names that the typeface can write. A name with other letters is
// replaced by its number, "arm 1".
func renamed(a trial.Analysis) (trial.Analysis, naming) {
	n := naming{flags: a.Flags}
	var notes []string
	replace := func(kind string, names []string) []string {
		out, own := standIns(kind, names)
		notes = append(notes, own...)
		return out
	}
	n.visits, n.subjects, n.endpoints = map[string]string{}, map[string]string{}, map[string]string{}
	a.Design.Arms = replace("arm", a.Design.Arms)
	a.Design.Visits = slices.Clone(a.Design.Visits)
	for i, name := range replace("visit", visitNames(a.Design)) {
		n.visits[a.Design.Visits[i].Name] = name
		a.Design.Visits[i].Name = name
	}
	a.Endpoints = slices.Clone(a.Endpoints)
	var titles, units []string
	for _, e := range a.Endpoints {
		titles, units = append(titles, e.Title), append(units, e.Unit)
	}
	titles, units = replace("endpoint", titles), replace("unit", units)
	for i := range a.Endpoints {
		e := &a.Endpoints[i]
		n.endpoints[e.Name], e.Title, e.Unit = e.Name, titles[i], units[i]
		if !figure.Writable(e.Name) {
			n.endpoints[e.Name] = titles[i]
		}
	}
	// There are too many subjects to explain each.
	a.Design.Subjects = slices.Clone(a.Design.Subjects)
	var codes []string
	for _, s := range a.Design.Subjects {
		codes = append(codes, s.ID)
	}
	written, foreign := standIns("subject", codes) // the column; short, since it stands below tiles
	for i, name := range figure.ShortenAll(written, isShort) {
		n.subjects[a.Design.Subjects[i].ID] = name
		a.Design.Subjects[i].ID = written[i]
	}
	n.explain(notes, len(foreign) > 0)
	return a, n
}

// renamedStudy does the same for repeated scans.
func renamedStudy(s repeat.Study) (repeat.Study, string) {
	var n naming
	var compartments []string
	for _, c := range s.Compartments {
		compartments = append(compartments, c.Name)
	}
	visits, notes := standIns("visit", s.Visits)
	compartments, others := standIns("compartment", compartments)
	s.Visits = visits
	s.Compartments = slices.Clone(s.Compartments)
	for i, name := range compartments {
		s.Compartments[i].Name = name
	}
	n.explain(append(notes, others...), false)
	return s, n.note
}

func visitNames(d trial.Design) []string {
	var out []string
	for _, v := range d.Visits {
		out = append(out, v.Name)
	}
	return out
}

// standIns returns the names, in which kind and number replace names that cannot be written, and a note
// for each of these, "arm 1 is …".
func standIns(kind string, names []string) (out, notes []string) {
	replaced := map[string]string{}
	brief := figure.ShortenAll(names, isShort)
	for i, name := range names {
		s, done := replaced[name]
		switch {
		case done:
		case figure.Writable(name):
			s = name
		default:
			s = fmt.Sprintf("%s %d", kind, i+1)
			for slices.Contains(names, s) { // the name of another
				s = "(" + s + ")"
			}
			notes = append(notes, s+" is "+brief[i])
		}
		replaced[name] = s
		out = append(out, s)
	}
	return out, notes
}

// explain sets the note.
func (n *naming) explain(notes []string, subjects bool) {
	if len(notes) > mostNamed {
		notes = append(notes[:mostNamed:mostNamed], "and so on by their order")
	}
	if subjects {
		notes = append(notes, "subject N is the Nth participant of the design")
	}
	if len(notes) > 0 {
		n.note = "Names in letters that the typeface does not have: " + strings.Join(notes, "; ") + "."
	}
}

// isShort reports whether a name is short enough for a sentence.
func isShort(s string) bool { return len([]rune(s)) <= 40 }

// short shortens a name of unknown origin for a sentence.
func short(s string) string { return figure.Shorten(s, isShort) }
