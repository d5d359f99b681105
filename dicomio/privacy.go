package dicomio

import (
	"slices"
	"strings"
	"unicode"
	"unique"

	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/t2map/t2map/dicomio/internal/elements"
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
	others: []tag.Tag{tag.ReferringPhysicianName, tag.PerformingPhysicianName, tag.OperatorsName,
		tag.RequestingPhysician,
		tag.PhysiciansOfRecord, tag.NameOfPhysiciansReadingStudy, tag.ResponsiblePerson},
	places: []tag.Tag{tag.InstitutionName, tag.InstitutionAddress, tag.InstitutionalDepartmentName, tag.StationName,
		tag.PatientAddress},
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
		slices.Contains(personalTags.others, t) || slices.Contains(personalTags.places, t) ||
		slices.Contains(personalTags.numbers, t)
}

// personalOf reads the personal information in a data set.
func personalOf(d elements.Dataset) unique.Handle[personal] {
	gather := func(tags []tag.Tag, separator string) string {
		var texts []string
		for _, t := range tags {
			if text := d.Raw(t); text != "" {
				texts = append(texts, text)
			}
		}
		return strings.Join(texts, separator)
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
		if phrase = strings.Join(strings.Fields(phrase), " "); len(phrase) >= 6 &&
			!general(fold(strings.ReplaceAll(phrase, " ", "")), true) {
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
//   - it contains a date of any year from 1900 to 2099, such as 20150501, 01052015, 2015-05-01, 1.5.2015,
//     05/01/2015 or 01MAY2015.
//
// Many archives write one code into both attributes. S01, KN-101 and subject-001 are codes
// even then; FNIH-0023 and NIST, whose letters may be a name, are not.
func (s Study) DisclosesAsID(text string) Disclosure { return s.secrets.disclosedByID(text) }

// holdsDate reports whether a text contains a date. Eight digits count if they are a date
// with the year first or last, as 2 of 1,000 random numbers are; other numbers of digits,
// and 20150001, do not.
func holdsDate(text string) bool { return len(datesIn(text)) > 0 }

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
