package publish

import (
	"fmt"
	"strings"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial"
)

type flagGroup struct {
	Kind, Meaning string
	N             string
	Grid          grid
}

// flagMeanings explain the kinds of flags and their consequences.
var flagMeanings = map[trial.FlagKind]string{
	trial.NotInDesign: "Results of participants or visits that the design does not have. They are not used.",
	trial.NoResult:    "Planned visits without a result, until a participant discontinued. They stay missing.",
	trial.OtherSide:   "Results of the other knee. They are not used.",
	trial.TwoStudies:  "A visit with two studies. Shown on every figure that it concerns.",
	trial.ProtocolChange: "Settings, method, echo times, matrix or spacing differ from the participant’s first study, or " +
		"settings differ between participants. Shown on every figure that it concerns.",
	trial.ScannerChange: "A scanner or software other than in the participant’s first study. Shown on every figure that it " +
		"concerns.",
	trial.CarriedMask: "The mask of a visit was carried from another visit by registration, not drawn. Shown on " +
		"every figure that it concerns.",
	trial.BeyondLimit: "Numbers beyond a limit of quality: voxels, volume, signal-to-noise ratio or T2 against " +
		"baseline, excluded voxels, or T2 itself. Shown on every figure that it concerns.",
	trial.Quality: "Remarks of the pipeline.",
}

// flagGroups lists the flags by kind, in the order of trial.FlagKinds. Flags that differ only in the subject
// share a row.
func flagGroups(a *trial.Analysis) []flagGroup {
	grouped := trial.GroupFlags(a.Flags)
	var groups []flagGroup
	for _, k := range trial.FlagKinds {
		g := grid{Heads: heads("Participants", "Visit", "Endpoint", "Problem"), Class: "flags"}
		rows, n := group{}, 0
		for _, f := range grouped {
			if f.Kind == k {
				rows.add(subjectsCell(f.Subjects), textCell(f.Visit), textCell(f.Endpoint), textCell(f.Problem()))
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

// subjectsCell names the subjects of a flag, or the first of many. flags.csv has all.
func subjectsCell(subjects []string) cell {
	const most = 12 // two lines of usual codes
	if len(subjects) == 1 {
		return textCell(subjects[0])
	}
	c := cell{Detail: plural(len(subjects), "participant", "participants")}
	names := mapped(subjects[:min(most, len(subjects))], called)
	c.Text = strings.Join(names, ", ")
	if rest := len(subjects) - len(names); rest > 0 {
		c.Text += fmt.Sprintf(" and %s more", thousands(rest))
	}
	return c
}

// Limits of the lines under the primary result and under a figure: lines of flags, and subjects that a line names.
const (
	mostPrimaryFlags   = 6
	mostFigureFlags    = 2
	mostFigureSubjects = 3
)

// figureLines are the notes under a figure: the first lines about its flags, the number of further lines,
// and all remarks, since they are not in the list of flags.
type figureLines struct {
	Flags   []string
	Rest    int
	Remarks []string
}

// newFigureLines returns the notes of a picture, with most lines of flags: one for each place. They name a number
// beyond its limit, and the kind of other flags; the list of flags has the text.
func newFigureLines(a *trial.Analysis, p figure.Picture, most int) figureLines {
	flags := make([]trial.Flag, len(p.Flags))
	for i, flag := range p.Flags {
		flags[i] = a.Flags[flag]
	}
	var places []string
	problems := map[string][]string{}
	for _, g := range trial.GroupFlags(flags) {
		place, problem := flagPlace(g), string(g.Kind)
		if place == "" || g.Kind == trial.BeyondLimit {
			problem = g.Problem()
		}
		if problems[place] == nil {
			places = append(places, place)
		}
		problems[place] = append(problems[place], problem)
	}
	lines := mapped(places, func(place string) string {
		return called(strings.TrimPrefix(place+": ", ": ") + strings.Join(problems[place], "; "))
	})
	shown := min(len(lines), most)
	return figureLines{lines[:shown], len(lines) - shown, mapped(p.Remarks, called)}
}

// flagPlace returns "S01 at month12, medial"; empty for a flag about the whole trial.
func flagPlace(g trial.FlagGroup) string {
	place := strings.Join(g.Subjects, ", ")
	if n := len(g.Subjects); n > mostFigureSubjects {
		place = thousands(n) + " participants"
	}
	if g.Visit != "" {
		place += " at " + g.Visit
	}
	if g.Endpoint != "" {
		place += ", " + g.Endpoint
	}
	return strings.TrimLeft(place, " ,")
}
