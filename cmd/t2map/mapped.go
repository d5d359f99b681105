package main

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"io"
	"maps"
	"slices"
	"strings"

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
	warnings         map[string]*warning // by their texts without hashes
	// several says for the hash of each name, which takes less memory, whether several studies have it.
	seed    maphash.Seed
	several map[uint64]bool
}

// warning is a warning of one or more studies.
type warning struct {
	text  string
	count int
	// first are the first studies in the order of their folders. Not all, because thousands may have the same warning.
	first []warnedStudy
}

// warnedStudy is a study with a warning, which is the nth of its warnings.
type warnedStudy struct {
	name, study, dir string
	n                int
}

// compare orders studies by their folders, and the warnings of one study as the study has them.
func (s warnedStudy) compare(other warnedStudy) int {
	return cmp.Or(strings.Compare(s.dir, other.dir), s.n-other.n)
}

func newMapped() *mapped { return &mapped{seed: maphash.MakeSeed(), several: map[uint64]bool{}} }

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
	hash := maphash.String(m.seed, name)
	_, known := m.several[hash]
	m.several[hash] = known
	for n, text := range r.Warnings {
		m.warn(text, warnedStudy{name, r.Study, r.Dir, n})
	}
}

// warn adds a warning of a study.
func (m *mapped) warn(text string, s warnedStudy) {
	if m.warnings == nil {
		m.warnings = map[string]*warning{}
	}
	key := report.WithoutHashes(text)
	w := m.warnings[key]
	if w == nil {
		w = &warning{text: text}
		m.warnings[key] = w
	} else {
		w.text = key
	}
	w.count++
	at, _ := slices.BinarySearchFunc(w.first, s, warnedStudy.compare)
	if at < shownNames {
		w.first = slices.Insert(w.first, at, s)
		w.first = w.first[:min(shownNames, len(w.first))]
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
	all := slices.SortedFunc(maps.Values(m.warnings), func(a, b *warning) int { return a.first[0].compare(b.first[0]) })
	for _, one := range all[:min(shownWarnings, len(all))] {
		text, names := printable.Line(one.text), m.namesOf(one)
		if one.count == 1 {
			fmt.Fprintf(w, "warning: %s: %s\n", names, text)
		} else {
			fmt.Fprintf(w, "warning: %d studies: %s\n    %s\n", one.count, text, names)
		}
	}
	if n := len(all) - shownWarnings; n > 0 {
		fmt.Fprintf(w, "warning: %d more, in index.html and in each study's result.json\n", n)
	}
}

// namesOf lists the first studies with a warning. Studies that share a name are shown with their hashes.
func (m *mapped) namesOf(one *warning) string {
	var names []string
	for _, s := range one.first {
		if m.several[maphash.String(m.seed, s.name)] {
			s.name = fmt.Sprintf("%s (%s)", s.name, printable.Line(s.study))
		}
		names = append(names, s.name)
	}
	text := strings.Join(names, ", ")
	if n := one.count - len(names); n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return text
}

// studyName returns the subject and the visit of a result.
func studyName(r report.Result) string {
	return printable.Line(strings.TrimSpace(r.Subject + " " + r.Visit))
}
