package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/report"
)

// The largest number of study names below a text, and of warnings. studies.csv and the page have all.
const (
	shownNames    = 12
	shownWarnings = 20
)

// group is a text with a hint, and the names of the studies that share it.
type group struct {
	text, hint string
	names      []string
	files      bool // the names are those of files
}

// grouped collects the studies that share a text and a hint, in the order in which the texts
// first appear.
type grouped struct {
	groups []*group
	byKey  map[[2]string]*group
}

// add adds a study with a text to the group that has the key and the hint, and returns the group. The group shows the
// text as long as it has one study, and then the key.
func (g *grouped) add(key, text, hint, name string) *group {
	if g.byKey == nil {
		g.byKey = map[[2]string]*group{}
	}
	k := [2]string{key, hint}
	if g.byKey[k] == nil {
		g.byKey[k] = &group{text: text, hint: hint}
		g.groups = append(g.groups, g.byKey[k])
	} else {
		g.byKey[k].text = key
	}
	g.byKey[k].names = append(g.byKey[k].names, name)
	return g.byKey[k]
}

// list returns the names of the studies of a group, up to shownNames.
func (g *group) list() string {
	text := strings.Join(g.names[:min(shownNames, len(g.names))], ", ")
	if n := len(g.names) - shownNames; n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return text
}

// printFailures lists the studies that failed with their reasons. Studies are listed together if they share the code
// and the reason, see report.Failure.SharedReason.
func printFailures(w io.Writer, failures []report.Failure) {
	if len(failures) == 0 {
		return
	}
	var all grouped
	for _, f := range failures {
		code := ""
		if f.Code != "" {
			code = " [" + string(f.Code) + "]"
		}
		all.add(f.SharedReason()+code, f.Reason+code, f.Hint, failedName(f))
	}
	fmt.Fprintln(w, "failed:")
	for _, g := range all.groups {
		switch {
		case g.names[0] == "":
			fmt.Fprintf(w, "  %s\n", printable.Line(g.text))
		case len(g.names) == 1:
			fmt.Fprintf(w, "  study %s: %s\n", g.names[0], printable.Line(g.text))
		default:
			fmt.Fprintf(w, "  %d studies: %s\n    %s\n", len(g.names), printable.Line(g.text), g.list())
		}
		if g.hint != "" {
			fmt.Fprintf(w, "    hint: %s\n", printable.Line(g.hint))
		}
	}
}

// failedName names a study by its folder, and also by its hash if other studies have the same folder. A missing study
// has the name in the manifest; a failure that belongs to no study has an empty name.
func failedName(f report.Failure) string {
	switch {
	case f.Folder == "":
		return printable.Line(strings.TrimSpace(f.Subject + " " + f.Visit))
	case f.SharedFolder:
		return fmt.Sprintf("%s (%s)", printable.Line(f.Folder), printable.Line(f.Study))
	}
	return printable.Line(f.Folder)
}
