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

// Names of people and places, and birth dates, are read for one purpose: to keep them out of
// everything that leaves this package. Sites write them into free texts and into PatientID, too.
//
// personal is what one file says of them. Files of a study mostly say the same, so that headers hold
// a handle.
type personal struct {
	names   string // of the patient, joined by backslashes as the values of one attribute are
	others  string // of physicians and operators, joined by ^
	places  string // institution, its departments and addresses, joined by line feeds
	numbers string // other numbers of the patient and the visit, joined by line feeds
	birth   string
	removed bool // PatientIdentityRemoved is YES
}

// personalTags are the attributes that personal is read from, by where they go.
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

// isPersonal reports whether an attribute is read to keep it secret alone: what is wrong with it is
// not a fault of an image.
func isPersonal(t tag.Tag) bool {
	return t == tag.PatientBirthDate || t == tag.PatientIdentityRemoved || slices.Contains(personalTags.names, t) ||
		slices.Contains(personalTags.others, t) || slices.Contains(personalTags.places, t) || slices.Contains(personalTags.numbers, t)
}

// personalOf reads what a data set says of people and places.
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

// secrets are what the files of a study say of people and places, in the form in which texts are held
// against it. The zero value knows none.
type secrets struct {
	words   map[string]bool // of the patient's names, folded, at least nameLetters long
	short   map[string]bool // shorter ones
	full    [][]string      // names of which all words are short
	foreign map[string]bool // words of other people and of places
	phrases []string        // names of places, and numbers, as they stand
	births  []date
	known   map[unique.Handle[personal]]bool
	removed bool // every file says that the patient's identity was removed
}

// add takes what one file says.
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
		// Shorter ones, such as a station MR1, are words of other texts.
		if phrase = strings.Join(strings.Fields(phrase), " "); len(phrase) >= 6 && !general(fold(strings.ReplaceAll(phrase, " ", "")), true) {
			s.phrases = append(s.phrases, phrase)
		}
	}
	if d, ok := birthDate(p.birth); ok && !slices.Contains(s.births, d) {
		s.births = append(s.births, d)
	}
}

// nameLetters is the length from which on a word of a name is taken for one wherever it stands:
// shorter ones are words and abbreviations of other texts.
const nameLetters = 4

// addNames takes the patient's names, in all their groups of components.
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

// long reports whether a word of a name is long enough to be one. Names in Chinese, Japanese and
// Korean characters have two.
func long(word string) bool {
	n := len([]rune(word))
	return n >= nameLetters || n >= 2 && strings.ContainsFunc(word, ideographic)
}

func ideographic(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana)
}

// Disclosure is what a text tells of a patient.
type Disclosure string

// The disclosures.
const (
	DisclosesName      Disclosure = "repeats a word of PatientName (0010,0010)"
	DisclosesBirthDate Disclosure = "holds PatientBirthDate (0010,0030)"
	DisclosesDate      Disclosure = "holds a date"
)

// Discloses says what a text, such as the name of a folder, tells of the patient whose study it is; ""
// where it is nothing. That is a word of the patient's names of four letters or more without digits, upper
// and lower case, accents and umlauts alike, unless it is one of those in generalWords; all words of a
// name that has shorter ones alone; or the birth date in a usual form. "S01", "KN-101" and
// "subject-001" tell nothing though the name be the same.
func (s Study) Discloses(text string) Disclosure { return s.secrets.disclosed(text) }

// DisclosesAsID says what a PatientID tells of its patient; "" where it is a code. It is not a code if
//
//   - it discloses the patient as any text does (see Discloses): Smith-01 of Smith^Ann;
//   - a word of it, of four letters or more, begins a word of the patient's names: smit01 of Smith^Ann;
//   - a word of it, of four letters or more, is made of the beginnings of several words of the names, one
//     of them of three letters or more: JDoe of Doe^John, GARLOPANA of Garcia Lopez^Ana;
//   - it holds a date (see HoldsDate).
//
// Many archives write one code into both attributes. S01, KN-101 and subject-001 are codes then too;
// FNIH-0023 and NIST, whose letters may be a name, are not.
func (s Study) DisclosesAsID(text string) Disclosure { return s.secrets.disclosedByID(text) }

// HoldsDate reports whether a text holds a date of any year from 1900 to 2099: 20150501, 01052015,
// 2015-05-01, 1.5.2015, 05/01/2015, 01MAY2015. Eight digits count as a date where they are one with
// the year first or last, so that 2 of 1,000 random numbers do; those of another length, and 20150001,
// do not.
func HoldsDate(text string) bool { return len(datesIn(text)) > 0 }

// IdentityRemoved reports whether all images say that the patient's identity was removed,
// PatientIdentityRemoved (0012,0062).
func (s Study) IdentityRemoved() bool { return s.secrets.removed }

// birthsIn returns where the patient's birth date stands in a text.
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

// removedWord stands for a word that is not shown.
const removedWord = "[removed]"

// shown returns a text of a header without what tells of people and places: words of the patient's
// names, and of those of physicians and the institution, and the birth date. Maker says that the text
// is the scanner's maker's, whose names may be people's, too.
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
	if named { // then the shorter words beside it are of the name, too
		for _, w := range words {
			if s.short[w.folded] {
				cuts = append(cuts, w.span)
			}
		}
	}
	return cut(text, cuts)
}

// isName reports whether a word of a text is one of the patient's names, two of them joined, or the
// beginning of one in a text that was cut.
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

// shownQuotes is shown for the parts of a sentence that stand between quotation marks: header
// texts are always quoted, and the words around them are the program's own, which a name may
// equal.
func (s *secrets) shownQuotes(sentence string) string {
	if len(s.known) == 0 {
		return sentence
	}
	return quotedText.ReplaceAllStringFunc(sentence, func(quoted string) string {
		return `"` + s.shown(quoted[1:len(quoted)-1], false) + `"`
	})
}

// quotedText is a text as %q writes it.
var quotedText = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// shownQuotes is secrets.shownQuotes for a header of which nothing but itself is known.
func (h *header) shownQuotes(sentence string) string {
	var s secrets
	s.add(h.identity)
	return s.shownQuotes(sentence)
}

// gather takes what all files of the study say of people, images or not.
func (s *Study) gather(entries []*entry) {
	images := map[unique.Handle[personal]]bool{}
	for _, e := range entries {
		if e.isMRImage() {
			images[e.identity] = true
			s.secrets.add(e.identity)
		}
	}
	removed := s.secrets.removed // as the images say
	for _, e := range entries {
		s.secrets.add(e.identity)
	}
	s.secrets.removed = removed
}

// keepSecrets takes what tells of people and places out of all texts of the study that are shown.
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

// inError takes them out of an error of this package, whose text may quote a header.
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

// HideInSegments takes what tells of people and places out of the texts of segments that
// another file of the study has, as ReadMask does for those of DICOM masks.
func (s Study) HideInSegments(segments []volume.Segment) { s.secrets.inSegments(segments) }

// Hide takes what tells of people and places out of a text that another program wrote about the
// study.
func (s Study) Hide(text string) string { return s.secrets.shown(text, false) }

// HideInQuotes takes it out of the parts of a sentence between quotation marks, where texts of a
// file of the study are quoted.
func (s Study) HideInQuotes(sentence string) string { return s.secrets.shownQuotes(sentence) }

// inSegments takes them out of the texts of a mask's segments.
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
