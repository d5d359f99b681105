package figures

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial"
)

// flagged collects the flags that concern a figure.
type flagged struct {
	naming
	seen map[int]bool
}

func newFlagged(n naming) *flagged { return &flagged{naming: n, seen: map[int]bool{}} }

// touch records the flags that figures must show, and reports whether there are any.
func (f *flagged) touch(lists ...[]int) bool {
	touched := false
	for _, list := range lists {
		for _, n := range list {
			if f.flags[n].Kind.OnFigures() {
				f.seen[n], touched = true, true
			}
		}
	}
	return touched
}

// annotate adds the flags, with their footnotes, to a frame, and the explanation of stand-in names to its
// caption.
func (f *flagged) annotate(fr *figure.Frame) {
	var flags []trial.Flag
	for n, flag := range f.flags {
		if f.seen[n] {
			fr.Flags, flags = append(fr.Flags, n), append(flags, flag)
		}
	}
	fr.Notes = append(fr.Notes, f.footnotes(trial.GroupFlags(flags))...)
	if f.note != "" {
		fr.Caption += " " + f.note
	}
}

// Limits of the footnotes about flags: the longest list of subjects that is complete, the subjects named
// from a longer list, and the lines.
const (
	listedSubjects = 3
	namedSubjects  = 2
	mostFlagNotes  = 5
)

// sentence returns "S03 at month12: another scanner than at baseline", or
// "40 participants at month12 (S01, S02, …): …".
func sentence(g trial.FlagGroup) string {
	subjects, place := strings.Join(g.Subjects, ", "), ""
	if g.Visit != "" {
		place += " at " + g.Visit
	}
	if g.Endpoint != "" {
		place += ", " + g.Endpoint
	}
	if n := len(g.Subjects); n > listedSubjects {
		place += " (" + strings.Join(g.Subjects[:namedSubjects], ", ") + ", …)"
		subjects = fmt.Sprintf("%d participants", n)
	}
	text := cmp.Or(g.Problem(), string(g.Kind))
	if place = subjects + place; place == "" {
		return text
	}
	return strings.TrimLeft(place, " ,") + ": " + text
}

// footnotes returns the lines below a figure about its flags: a few, and the number of the others.
func (f *flagged) footnotes(groups []trial.FlagGroup) []string {
	var out []string
	for n, g := range groups {
		if n == mostFlagNotes-1 && len(groups) > mostFlagNotes {
			return append(out, fmt.Sprintf(figure.Dagger+" and %d more, see flags.csv", len(groups)-n))
		}
		out = append(out, figure.Dagger+" "+sentence(f.called(g)))
	}
	return out
}

// called returns the flags with the names that are used in figures.
func (f *flagged) called(g trial.FlagGroup) trial.FlagGroup {
	call := func(names map[string]string, name string) string {
		if s, found := names[name]; found {
			name = s
		}
		return short(name)
	}
	g.Subjects = slices.Clone(g.Subjects)
	for i, s := range g.Subjects {
		g.Subjects[i] = call(f.subjects, s)
	}
	g.Visit, g.Endpoint = call(f.visits, g.Visit), call(f.endpoints, g.Endpoint)
	if !figure.Writable(g.Text) {
		g.Text = string(g.Kind) + ", see flags.csv"
	}
	return g
}
