package publish

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/t2map/t2map/trial"
)

type flagGroup struct {
	Kind, About string
	N           string
	Grid        grid
}

// flagMeanings say what a kind of flag is, and what it does to the figures.
var flagMeanings = map[trial.FlagKind]string{
	trial.NotInDesign:    "Results of subjects or visits that the design does not have. They are not used.",
	trial.NoResult:       "Planned visits without a result. They stay missing.",
	trial.OtherSide:      "Results of the knee that is not studied. They are not used.",
	trial.TwoStudies:     "A visit with two studies. Shown on every figure that it concerns.",
	trial.ProtocolChange: "Settings, method, echo times, matrix or spacing differ from the subject’s baseline. Shown on every figure that it concerns.",
	trial.ScannerChange:  "A scanner other than at the subject’s baseline. Shown on every figure that it concerns.",
	trial.CarriedMask:    "The mask of a visit was carried from another visit by registration, not drawn. Shown on every figure that it concerns.",
	trial.Quality:        "Remarks of the pipeline itself.",
}

// flagGroups lists the flags by kind, in the order of listings; those that say the same of
// several subjects are one row.
func flagGroups(a *trial.Analysis) []flagGroup {
	kinds := slices.Clone(flagKinds)
	for _, f := range a.Flags {
		if !slices.Contains(kinds, f.Kind) {
			kinds = append(kinds, f.Kind)
		}
	}
	grouped := trial.GroupFlags(a.Flags)
	var groups []flagGroup
	for _, k := range kinds {
		g := grid{Heads: words("Subjects", "Visit", "Endpoint", "Problem"), Class: "flags"}
		rows, n := group{}, 0
		for _, f := range grouped {
			if f.Kind == k {
				rows.Rows = append(rows.Rows, row{Cells: []cell{subjectsCell(f.Subjects), say(f.Visit), say(f.Endpoint), say(f.Text)}})
				n += len(f.Subjects)
			}
		}
		if n > 0 {
			g.Groups = []group{rows}
			groups = append(groups, flagGroup{called(string(k)), flagMeanings[k], thousands(n), g.finish("flags.csv")})
		}
	}
	return groups
}

// subjectsCell names the subjects of a flag, of many the first; flags.csv has all.
func subjectsCell(subjects []string) cell {
	const most = 12 // two lines of usual codes
	if len(subjects) == 1 {
		return say(subjects[0])
	}
	c := cell{Detail: plural(len(subjects), "subject", "subjects")}
	names := mapped(subjects[:min(most, len(subjects))], called)
	c.Text = strings.Join(names, ", ")
	if rest := len(subjects) - len(names); rest > 0 {
		c.Text += fmt.Sprintf(" and %s more", thousands(rest))
	}
	return c
}

// mostFigureFlags is how many lines of flags stand under a figure: who reads more of them reads
// the list.
const mostFigureFlags = 2

// figureLines are what stands under a figure of what a reader has to know: the first lines of its
// flags, how many more there are, and remarks, which are in no list of flags and stand whole.
type figureLines struct {
	Flags   []string
	More    int
	Remarks []string
}

// newFigureLines says in a line or two what the flags of a picture are about; what is the matter in
// full stands once, in the list of flags. Sentences that differ in their subject alone are one line.
func newFigureLines(a *trial.Analysis, sentences []string) figureLines {
	groups := trial.GroupFlags(a.Flags)
	count := make([]int, len(groups))
	var lines, remarks []string
	var of []int // the group that a line counts the subjects of, −1 for none
	for _, s := range sentences {
		if i := slices.IndexFunc(groups, func(g trial.FlagGroup) bool { return saysOfOne(g, s) }); i >= 0 {
			if count[i]++; count[i] == 1 {
				lines, of = append(lines, s), append(of, i)
			}
		} else if line, ok := withoutText(groups, s); ok {
			lines, of = append(lines, line), append(of, -1)
		} else {
			remarks = append(remarks, s)
		}
	}
	for n, i := range of {
		switch {
		case i >= 0 && count[i] > 1:
			g := groups[i]
			lines[n] = aboutOf(thousands(count[i])+" subjects", g.Visit, g.Endpoint) + ": " + string(g.Kind)
		case i >= 0:
			lines[n], _ = withoutText(groups[i:i+1], lines[n])
		}
	}
	first := min(len(lines), mostFigureFlags)
	return figureLines{mapped(lines[:first], called), len(lines) - first, mapped(remarks, called)}
}

// saysOfOne says that a sentence is about one subject of a group: "S01 at month12: another scanner".
func saysOfOne(g trial.FlagGroup, s string) bool {
	if !g.Kind.OnFigures() || g.Text == "" || !strings.HasSuffix(s, ": "+g.Text) {
		return false
	}
	about := strings.TrimSuffix(s, ": "+g.Text)
	return slices.ContainsFunc(g.Subjects, func(subject string) bool {
		return subject != "" && about == aboutOf(subject, g.Visit, g.Endpoint)
	})
}

// aboutOf is how figures say what a flag is about.
func aboutOf(subject, visit, endpoint string) string {
	if visit != "" {
		subject += " at " + visit
	}
	if endpoint != "" {
		subject += ", " + endpoint
	}
	return subject
}

// withoutText puts the kind of a flag in the place of its text, and leaves out the codes of many
// subjects: "40 subjects at month12 (S01, S02): another scanner" is of 40 subjects at month12. It
// is false for a sentence that is of no flag.
func withoutText(groups []trial.FlagGroup, s string) (string, bool) {
	for _, g := range groups {
		about, ok := strings.CutSuffix(strings.TrimSuffix(s, "."), ": "+strings.TrimSuffix(g.Text, "."))
		if !ok || g.Text == "" || !g.Kind.OnFigures() {
			continue
		}
		who, _, counted := strings.Cut(about, " subjects")
		if n, err := strconv.Atoi(who); counted && err == nil && n > 0 {
			if many := aboutOf(who+" subjects", g.Visit, g.Endpoint); strings.HasPrefix(about, many) {
				about = many
			} else {
				continue // the text is that of a flag of another visit, too
			}
		}
		return about + ": " + string(g.Kind), true
	}
	return "", false
}
