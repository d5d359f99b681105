package dicomio

import (
	"cmp"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/t2map/t2map/volume"
)

// removedWord replaces a word that is not shown.
const removedWord = "[removed]"

// shown returns a text of a header without personal information: without words of the names
// of the patient, of physicians and of the institution, and without the birth date. maker
// says that the text was written by the maker of the scanner, whose name may be a person's
// name too.
func (s *secrets) shown(text string, maker bool) string {
	if len(s.known) == 0 || text == "" {
		return text
	}
	var cuts []span
	for _, d := range s.birthsIn(text) {
		cuts = append(cuts, d.span)
	}
	for _, p := range s.phrases {
		if start := strings.Index(strings.ToLower(text), strings.ToLower(p)); start >= 0 && start+len(p) <= len(text) {
			cuts = append(cuts, span{start, start + len(p)})
		}
	}
	words := wordsOf(text)
	named := slices.ContainsFunc(s.full, func(name []string) bool { return containsName(words, name) })
	for _, w := range words {
		if general(w.folded, maker) {
			continue
		}
		switch {
		case slices.ContainsFunc(w.forms(), s.isName):
			cuts, named = append(cuts, w.span), true
		case slices.ContainsFunc(w.forms(), func(f string) bool { return s.foreign[f] }):
			cuts = append(cuts, w.span)
		}
	}
	if named { // shorter words may then be parts of the name
		for _, w := range words {
			if s.short[w.folded] {
				cuts = append(cuts, w.span)
			}
		}
	}
	return cut(text, cuts)
}

// isName reports whether a word of a text is one of the patient's names, two of them
// joined, or the beginning of one in a truncated text.
func (s *secrets) isName(w string) bool {
	if s.words[w] {
		return true
	}
	for name := range s.words {
		rest, begins := strings.CutPrefix(w, name)
		before, ends := strings.CutSuffix(w, name)
		switch {
		case begins && (s.words[rest] || s.short[rest]), ends && (s.words[before] || s.short[before]):
			return true
		case len(w) >= nameLetters && strings.HasPrefix(name, w) && long(w):
			return true
		}
	}
	return false
}

// cut replaces parts of a text.
func cut(text string, parts []span) string {
	if len(parts) == 0 {
		return text
	}
	slices.SortFunc(parts, func(a, b span) int { return cmp.Or(a.start-b.start, b.end-a.end) })
	var b strings.Builder
	start := 0
	for _, p := range parts {
		if p.start >= start {
			b.WriteString(text[start:p.start])
			b.WriteString(removedWord)
		}
		start = max(start, p.end)
	}
	b.WriteString(text[start:])
	return b.String()
}

// shownQuotes applies shown to the parts of a sentence between quotation marks: header
// texts are always quoted, and the other words, which may equal a name, are the program's
// own.
func (s *secrets) shownQuotes(sentence string) string {
	if len(s.known) == 0 {
		return sentence
	}
	return quotedText.ReplaceAllStringFunc(sentence, func(quoted string) string {
		return `"` + s.shown(quoted[1:len(quoted)-1], false) + `"`
	})
}

// quotedText matches a text formatted with %q.
var quotedText = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// shownQuotes is secrets.shownQuotes for a header that does not belong to a study.
func (h *header) shownQuotes(sentence string) string {
	var s secrets
	s.add(h.identity)
	return s.shownQuotes(sentence)
}

// keepSecrets removes personal information from all texts of the study that are shown.
func (s *Study) keepSecrets() {
	for _, list := range [][]Train{s.Trains, s.Suspects, s.Others} {
		for i := range list {
			t := &list[i]
			t.Description = s.secrets.shown(t.Description, false)
			t.Acquisition.Sequence = s.secrets.shown(t.Acquisition.Sequence, false)
			for _, text := range []*string{&t.Scanner.Manufacturer, &t.Scanner.Model, &t.Scanner.Software} {
				*text = s.secrets.shown(*text, true)
			}
			for n := range t.LeftOut {
				l := &t.LeftOut[n]
				l.Type, l.TrainType = s.secrets.shown(l.Type, true), s.secrets.shown(l.TrainType, true)
			}
			if t.Claim != nil {
				t.Claim.Words = s.secrets.shown(t.Claim.Words, false)
			}
			for _, err := range []error{t.Problem, t.unread} {
				s.secrets.inError(err)
			}
		}
	}
	for i := range s.Masks {
		m := &s.Masks[i]
		m.secrets = &s.secrets
		m.keepSecrets()
	}
	for _, err := range slices.Concat(s.Damaged, s.Spoiled) {
		s.secrets.inError(err)
	}
}

func (m *MaskObject) keepSecrets() {
	m.Label, m.Description = m.secrets.shown(m.Label, false), m.secrets.shown(m.Description, false)
	m.secrets.inError(m.Problem)
}

// inError removes personal information from an error of this package, whose text may quote a
// header.
func (s *secrets) inError(err error) {
	var f *FileError
	var t *TrainError
	switch {
	case errors.As(err, &f):
		f.Problem = s.shownQuotes(f.Problem)
		if f.Hint == "" && strings.Contains(f.Problem, removedWord) {
			f.Hint = removedWord + " stands for text of the header that may identify the patient: look at the " +
				"attribute in the file itself"
		}
	case errors.As(err, &t):
		t.Problem, t.Hint = s.shownQuotes(t.Problem), s.shownQuotes(t.Hint)
	}
}

// HideInSegments removes personal information from the texts of segments that come from
// another file of the study, as ReadMask does for DICOM masks.
func (s Study) HideInSegments(segments []volume.Segment) { s.secrets.inSegments(segments) }

// Hide removes personal information from a text that another program wrote about the study.
func (s Study) Hide(text string) string { return s.secrets.shown(text, false) }

// HideInQuotes removes personal information from the parts of a sentence between quotation
// marks, which quote a file of the study.
func (s Study) HideInQuotes(sentence string) string { return s.secrets.shownQuotes(sentence) }

// inSegments removes personal information from the texts of a mask's segments.
func (s *secrets) inSegments(segments []volume.Segment) {
	for i := range segments {
		g := &segments[i]
		g.Label = s.shown(g.Label, false)
		s.inCode(&g.Type)
		for _, codes := range [][]volume.Code{g.Regions, g.Modifiers} {
			for k := range codes {
				s.inCode(&codes[k])
			}
		}
		s.inError(g.Problem)
	}
}

func (s *secrets) inCode(c *volume.Code) {
	c.Value, c.Scheme, c.Meaning = s.shown(c.Value, false), s.shown(c.Scheme, false), s.shown(c.Meaning, false)
}
