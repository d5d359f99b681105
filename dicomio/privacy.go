package dicomio

import (
	"cmp"
	"errors"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unique"

	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/t2map/t2map/dicomio/internal/elements"
	"github.com/t2map/t2map/volume"
)

// Names of people and places, and birth dates, are read for one purpose: to keep them out
// of everything that leaves this package. Sites also write them into free texts and into
// PatientID.
//
// personal is the personal information in one file. It is mostly the same in all files of a
// study, so that headers have a handle to it.
type personal struct {
	names   string // of the patient, joined by backslashes like the values of one attribute
	others  string // of physicians and operators, joined by ^
	places  string // institution, its departments and addresses, joined by line feeds
	numbers string // other numbers of the patient and the visit, joined by line feeds
	birth   string
	removed bool // PatientIdentityRemoved is YES
}

// personalTags are the attributes of personal, by field.
var personalTags = struct{ names, others, places, numbers []tag.Tag }{
	names: []tag.Tag{tag.PatientName, tag.OtherPatientNames, tag.PatientBirthName, tag.PatientMotherBirthName},
	others: []tag.Tag{tag.ReferringPhysicianName, tag.PerformingPhysicianName, tag.OperatorsName, tag.RequestingPhysician,
		tag.PhysiciansOfRecord, tag.NameOfPhysiciansReadingStudy, tag.ResponsiblePerson},
	places:  []tag.Tag{tag.InstitutionName, tag.InstitutionAddress, tag.InstitutionalDepartmentName, tag.StationName, tag.PatientAddress},
	numbers: []tag.Tag{tag.OtherPatientIDs, tag.AccessionNumber, tag.PatientTelephoneNumbers},
}

func init() {
	for _, list := range [][]tag.Tag{personalTags.names, personalTags.others, personalTags.places, personalTags.numbers,
		{tag.PatientBirthDate, tag.PatientIdentityRemoved}} {
		for _, t := range list {
			imageWish[t] = nil
		}
	}
}

// isPersonal reports whether an attribute is read only to keep it secret: errors in it are
// not faults of an image.
func isPersonal(t tag.Tag) bool {
	return t == tag.PatientBirthDate || t == tag.PatientIdentityRemoved || slices.Contains(personalTags.names, t) ||
		slices.Contains(personalTags.others, t) || slices.Contains(personalTags.places, t) || slices.Contains(personalTags.numbers, t)
}

// personalOf reads the personal information in a data set.
func personalOf(d elements.Dataset) unique.Handle[personal] {
	gather := func(tags []tag.Tag, between string) string {
		var texts []string
		for _, t := range tags {
			if text := d.Raw(t); text != "" {
				texts = append(texts, text)
			}
		}
		return strings.Join(texts, between)
	}
	return unique.Make(personal{
		names: gather(personalTags.names, `\`), others: gather(personalTags.others, "^"),
		places: gather(personalTags.places, "\n"), numbers: gather(personalTags.numbers, "\n"),
		birth:   strings.TrimSpace(d.Raw(tag.PatientBirthDate)),
		removed: strings.EqualFold(d.Text(tag.PatientIdentityRemoved), "YES"),
	})
}

// secrets are the personal information of a study, in the form in which texts are compared
// with it. The zero value is empty.
type secrets struct {
	words   map[string]bool // words of the patient's names, folded, with at least nameLetters letters
	short   map[string]bool // shorter ones
	full    [][]string      // names that consist of short words
	foreign map[string]bool // words of other people and of places
	phrases []string        // names of places, and numbers, as written
	births  []date
	known   map[unique.Handle[personal]]bool
	removed bool // all files say that the patient's identity was removed
}

// add adds the personal information of one file.
func (s *secrets) add(identity unique.Handle[personal]) {
	if identity == (unique.Handle[personal]{}) || s.known[identity] {
		return
	}
	p := identity.Value()
	if s.known == nil {
		s.known = map[unique.Handle[personal]]bool{}
		s.words, s.short, s.foreign = map[string]bool{}, map[string]bool{}, map[string]bool{}
		s.removed = p.removed
	}
	s.known[identity] = true
	s.removed = s.removed && p.removed
	s.addNames(p.names)
	for _, w := range append(wordsOf(p.others), wordsOf(p.places)...) {
		if !w.digits && len([]rune(w.folded)) >= nameLetters && !general(w.folded, true) {
			for _, form := range w.forms() {
				s.foreign[form] = true
			}
		}
	}
	for _, phrase := range strings.Split(p.places+"\n"+p.numbers, "\n") {
		// Shorter phrases, such as a station MR1, also occur as words of other texts.
		if phrase = strings.Join(strings.Fields(phrase), " "); len(phrase) >= 6 && !general(fold(strings.ReplaceAll(phrase, " ", "")), true) {
			s.phrases = append(s.phrases, phrase)
		}
	}
	if d, ok := birthDate(p.birth); ok && !slices.Contains(s.births, d) {
		s.births = append(s.births, d)
	}
}

// nameLetters is the length from which a word of a name is recognised in any text: shorter
// ones are words and abbreviations of other texts.
const nameLetters = 4

// addNames adds the patient's names, in all their groups of components.
func (s *secrets) addNames(names string) {
	for name := range strings.FieldsFuncSeq(names, func(r rune) bool { return r == '=' || r == '\\' }) {
		var all []string
		short := true
		for _, w := range wordsOf(name) {
			if w.digits || general(w.folded, false) {
				short = false
				continue
			}
			for _, form := range w.forms() {
				if long(form) {
					s.words[form], short = true, false
				} else if len(form) > 1 {
					s.short[form] = true
				}
			}
			all = append(all, w.folded)
		}
		if short && len(all) > 1 && len(strings.Join(all, "")) >= nameLetters {
			s.full = append(s.full, all)
		}
	}
}

// long reports whether a word of a name is long enough to be recognised. Names in Chinese,
// Japanese and Korean characters have two.
func long(word string) bool {
	n := len([]rune(word))
	return n >= nameLetters || n >= 2 && strings.ContainsFunc(word, ideographic)
}

func ideographic(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana)
}

// Disclosure is the kind of personal information that a text discloses.
type Disclosure string

// The disclosures.
const (
	DisclosesName      Disclosure = "repeats a word of PatientName (0010,0010)"
	DisclosesBirthDate Disclosure = "holds PatientBirthDate (0010,0030)"
	DisclosesDate      Disclosure = "holds a date"
)

// Discloses returns what a text, such as the name of a folder, discloses about the patient
// of the study, or "". A text discloses a word of the patient's names with four letters or
// more and no digits, regardless of case, accents and umlauts, unless it is one of
// generalWords; all words of a name that has only shorter ones; or the birth date in a
// usual form. "S01", "KN-101" and "subject-001" disclose nothing even if the name is the
// same.
func (s Study) Discloses(text string) Disclosure { return s.secrets.disclosed(text) }

// DisclosesAsID returns what a PatientID discloses about its patient, or "" if it is a
// code. It is not a code if
//
//   - it discloses the patient like any text (see Discloses): Smith-01 of Smith^Ann;
//   - a word of it, of four letters or more, begins a word of the patient's names: smit01 of Smith^Ann;
//   - a word of it, of four letters or more, consists of the beginnings of several words of the names, one
//     of them of three letters or more: JDoe of Doe^John, GARLOPANA of Garcia Lopez^Ana;
//   - it contains a date (see HoldsDate).
//
// Many archives write one code into both attributes. S01, KN-101 and subject-001 are codes
// even then; FNIH-0023 and NIST, whose letters may be a name, are not.
func (s Study) DisclosesAsID(text string) Disclosure { return s.secrets.disclosedByID(text) }

// HoldsDate reports whether a text contains a date of any year from 1900 to 2099: 20150501,
// 01052015, 2015-05-01, 1.5.2015, 05/01/2015, 01MAY2015. Eight digits count if they are a
// date with the year first or last, as 2 of 1,000 random numbers are; other numbers of
// digits, and 20150001, do not.
func HoldsDate(text string) bool { return len(datesIn(text)) > 0 }

// IdentityRemoved reports whether all images have PatientIdentityRemoved (0012,0062) YES.
func (s Study) IdentityRemoved() bool { return s.secrets.removed }

// birthsIn returns the places of the patient's birth date in a text.
func (s *secrets) birthsIn(text string) []date {
	var dates []date
	for _, birth := range s.births {
		for _, d := range append(datesIn(text), birth.shortIn(text)...) {
			if d.same(birth) {
				dates = append(dates, d)
			}
		}
	}
	return dates
}

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
	if named { // then the shorter words next to it belong to the name
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

// gather collects the personal information of all files of the study, whether they are
// images or not.
func (s *Study) gather(entries []*entry) {
	images := map[unique.Handle[personal]]bool{}
	for _, e := range entries {
		if e.isMRImage() {
			images[e.identity] = true
			s.secrets.add(e.identity)
		}
	}
	removed := s.secrets.removed // according to the images
	for _, e := range entries {
		s.secrets.add(e.identity)
	}
	s.secrets.removed = removed
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

// inError removes it from an error of this package, whose text may quote a header.
func (s *secrets) inError(err error) {
	var f *FileError
	var t *TrainError
	switch {
	case errors.As(err, &f):
		f.Problem = s.shownQuotes(f.Problem)
		if f.Hint == "" && strings.Contains(f.Problem, removedWord) {
			f.Hint = removedWord + " stands for text of the header that may identify the patient: look at the attribute in the file itself"
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

// HideInQuotes removes it from the parts of a sentence between quotation marks, which quote
// a file of the study.
func (s Study) HideInQuotes(sentence string) string { return s.secrets.shownQuotes(sentence) }

// inSegments removes it from the texts of a mask's segments.
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
