package figures

import (
	"fmt"
	"slices"
	"strings"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial"
)

// dagger marks what a flag touches.
const dagger = "†"

// flagged gathers the flags that touch a figure.
type flagged struct {
	naming
	seen map[int]bool
}

func newFlagged(n naming) *flagged { return &flagged{naming: n, seen: map[int]bool{}} }

// touch notes the flags that figures must show, and says whether there are any.
func (f *flagged) touch(lists ...[]int) bool {
	any := false
	for _, list := range lists {
		for _, n := range list {
			if n >= 0 && n < len(f.flags) && f.flags[n].Kind.OnFigures() {
				f.seen[n], any = true, true
			}
		}
	}
	return any
}

// tell puts the flags into the frame: whole for those who file the picture, in short as
// footnotes; and the stand-ins of names into the caption.
func (f *flagged) tell(to *frame) {
	groups := f.groups()
	for _, g := range groups {
		to.Flags = append(to.Flags, sentence(g, len(g.Subjects)))
	}
	to.notes = append(to.notes, f.footnotes(groups)...)
	if f.note != "" {
		to.Caption += " " + f.note
	}
}

// groups returns the flags that were touched, in the order of the analysis, with those
// that say the same of several subjects as one.
func (f *flagged) groups() []trial.FlagGroup {
	var touched []trial.Flag
	for n, flag := range f.flags {
		if f.seen[n] {
			touched = append(touched, flag)
		}
	}
	return trial.GroupFlags(touched)
}

// sentence says what flags are about: "S03 at month12: another scanner than at
// baseline", or "40 subjects at month12 (S01, S02, …): …" with the first most of them.
func sentence(g trial.FlagGroup, most int) string {
	who := strings.Join(g.Subjects, ", ")
	at := ""
	if g.Visit != "" {
		at += " at " + g.Visit
	}
	if g.Endpoint != "" {
		at += ", " + g.Endpoint
	}
	if n := len(g.Subjects); n > listedSubjects {
		list := strings.Join(g.Subjects[:min(n, most)], ", ")
		if n > most {
			list += ", …"
		}
		who, at = fmt.Sprintf("%d subjects", n), at+" ("+list+")"
	}
	text := g.Text
	if text == "" {
		text = string(g.Kind)
	}
	if who+at == "" {
		return text
	}
	return strings.TrimLeft(who+at, " ,") + ": " + text
}

// listedSubjects of a flag are listed without their number.
const listedSubjects = 3

// footnotes returns the lines below a figure for its flags: a few, and how many more.
func (f *flagged) footnotes(groups []trial.FlagGroup) []string {
	const most, codes = 5, 2
	var out []string
	for n, g := range groups {
		if n == most-1 && len(groups) > most {
			return append(out, fmt.Sprintf("%s and %d more, see flags.csv", dagger, len(groups)-n))
		}
		out = append(out, dagger+" "+sentence(f.called(g), codes))
	}
	return out
}

// called returns the flags with names as figures write them.
func (f *flagged) called(g trial.FlagGroup) trial.FlagGroup {
	call := func(names map[string]string, name string) string {
		if s, known := names[name]; known {
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
