package dicomio

import (
	"slices"
	"strings"
)

func (s *secrets) disclosed(text string) Disclosure {
	words := wordsOf(text)
	for _, w := range words {
		for _, form := range w.forms() {
			for name := range s.words {
				if strings.Contains(form, name) {
					return DisclosesName
				}
			}
		}
	}
	for _, name := range s.full {
		if containsName(words, name) {
			return DisclosesName
		}
	}
	if len(s.birthsIn(text)) > 0 {
		return DisclosesBirthDate
	}
	return ""
}

// containsName reports whether a text contains all words of a name, separately or joined.
func containsName(words []word, name []string) bool {
	missing := len(name)
	for _, part := range name {
		if slices.ContainsFunc(words, func(w word) bool { return w.folded == part }) {
			missing--
		}
	}
	joined := strings.Join(name, "")
	return missing == 0 || slices.ContainsFunc(words, func(w word) bool { return w.folded == joined })
}

// disclosedByID is disclosed for PatientID, see Study.DisclosesAsID.
func (s *secrets) disclosedByID(text string) Disclosure {
	d := s.disclosed(text)
	switch {
	case len(s.birthsIn(text)) > 0:
		return DisclosesBirthDate
	case holdsDate(text) && d == "":
		return DisclosesDate
	case d == "" && slices.ContainsFunc(wordsOf(text), s.abbreviates):
		return DisclosesName
	}
	return d
}

// pieceLetters is the least length of the longest piece of an abbreviated name: many codes
// contain initials.
const pieceLetters = 3

// abbreviates reports whether a word of an ID consists of beginnings of the patient's
// names, the longest of which has at least pieceLetters: of one truncated name, or of
// several.
func (s *secrets) abbreviates(w word) bool {
	text := []rune(w.folded)
	if len(text) < nameLetters || general(w.folded, false) {
		return false
	}
	// made[i] says that the first i letters are pieces, and long[i] that one of these is
	// long enough.
	made, long := make([]bool, len(text)+1), make([]bool, len(text)+1)
	made[0] = true
	for i := range text {
		if !made[i] {
			continue
		}
		for _, names := range []map[string]bool{s.words, s.short} {
			for name := range names {
				n := 0
				for _, r := range name {
					if i+n == len(text) || text[i+n] != r {
						break
					}
					n++
					made[i+n] = true
					long[i+n] = long[i+n] || long[i] || n >= pieceLetters
				}
			}
		}
	}
	return long[len(text)]
}
