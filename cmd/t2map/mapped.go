package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/t2map/t2map/batch"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/report"
)

// mapped collects what the screen shows of the studies that a run maps.
type mapped struct {
	// first are the studies, as long as they are few enough to be shown.
	first []report.Result
	count int
	// flagged counts the studies whose quality is flagged, failing those at the level fail.
	flagged, failing int
	warned           []warnedStudy
	names            map[string]int // how many studies have a name
}

// warnedStudy is a study with warnings.
type warnedStudy struct {
	name, study, dir string
	warnings         []string
}

// collect makes the settings collect the studies of a run.
func (m *mapped) collect(s *batch.Settings) { m.names, s.Mapped = map[string]int{}, m.add }

// add adds a study.
func (m *mapped) add(r report.Result) {
	m.count++
	if m.first = append(m.first, r); m.count > shownStudies {
		m.first = nil
	}
	switch report.Worst(r.QualityFlags) {
	case report.Fail:
		m.failing++
		fallthrough
	case report.Warn:
		m.flagged++
	}
	name := studyName(r)
	m.names[name]++
	if len(r.Warnings) > 0 {
		m.warned = append(m.warned, warnedStudy{name, r.Study, r.Dir, r.Warnings})
	}
}

// shown returns the studies in the order of their folders, or none if they are too many.
func (m *mapped) shown() []report.Result {
	slices.SortFunc(m.first, func(a, b report.Result) int { return strings.Compare(a.Dir, b.Dir) })
	return m.first
}

// printFlagged counts the studies whose quality is flagged.
func (m *mapped) printFlagged(w io.Writer, out string) {
	if m.flagged == 0 {
		return
	}
	verb := "have"
	if m.flagged == 1 {
		verb = "has"
	}
	fmt.Fprintf(w, "%s %s quality flags, %d at the level fail. See %s.\n", printable.Counted(m.flagged, "study",
		"studies"), verb, m.failing, inPlace(out, "qc.csv"))
}

// printWarnings prints the warnings of the studies. A warning that several studies share is printed once.
func (m *mapped) printWarnings(w io.Writer) {
	slices.SortFunc(m.warned, func(a, b warnedStudy) int { return strings.Compare(a.dir, b.dir) })
	var all grouped
	for _, st := range m.warned {
		name := st.name
		if m.names[name] > 1 {
			name = fmt.Sprintf("%s (%s)", name, printable.Line(st.study))
		}
		for _, text := range st.warnings {
			all.add(report.WithoutHashes(text), text, "", name)
		}
	}
	for _, g := range all.groups[:min(shownWarnings, len(all.groups))] {
		if len(g.names) == 1 {
			fmt.Fprintf(w, "warning: %s: %s\n", g.names[0], printable.Line(g.text))
		} else {
			fmt.Fprintf(w, "warning: %d studies: %s\n    %s\n", len(g.names), printable.Line(g.text), g.list())
		}
	}
	if n := len(all.groups) - shownWarnings; n > 0 {
		fmt.Fprintf(w, "warning: %d more, in index.html and in each study's result.json\n", n)
	}
}

// studyName returns the subject and the visit of a result.
func studyName(r report.Result) string {
	return printable.Line(strings.TrimSpace(r.Subject + " " + r.Visit))
}
