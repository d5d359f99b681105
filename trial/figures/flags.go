package figures

import (
	"fmt"

	"github.com/t2map/t2map/trial"
)

// dagger marks what a flag touches.
const dagger = "†"

// flagged gathers the flags that touch a figure.
type flagged struct {
	flags []trial.Flag
	seen  map[int]bool
}

func newFlagged(a trial.Analysis) *flagged {
	return &flagged{flags: a.Flags, seen: map[int]bool{}}
}

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

// sentences returns one for each flag, in the order of the analysis, none twice.
func (f *flagged) sentences() []string {
	var out []string
	said := map[string]bool{}
	for n, flag := range f.flags {
		if s := sentence(flag); f.seen[n] && !said[s] {
			said[s] = true
			out = append(out, s)
		}
	}
	return out
}

// sentence says what a flag is about: "S03 at month12: another scanner than at
// baseline".
func sentence(f trial.Flag) string {
	s := short(f.Subject)
	if f.Visit != "" {
		s += " at " + short(f.Visit)
	}
	if f.Endpoint != "" {
		s += ", " + short(f.Endpoint)
	}
	text := f.Text
	if text == "" {
		text = string(f.Kind)
	}
	if s == "" {
		return text
	}
	return s + ": " + text
}

// footnotes returns the lines below a figure for its flags: a few, and how many more.
func footnotes(sentences []string) []string {
	const most = 5
	var out []string
	for n, s := range sentences {
		if n == most-1 && len(sentences) > most {
			return append(out, fmt.Sprintf("%s and %d more, see flags.csv", dagger, len(sentences)-n))
		}
		out = append(out, dagger+" "+s)
	}
	return out
}
