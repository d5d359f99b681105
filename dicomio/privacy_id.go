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

// containsName reports whether all words of a name, or these joined, stand in a text.
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
	case HoldsDate(text) && d == "":
		return DisclosesDate
	case d == "" && slices.ContainsFunc(wordsOf(text), s.abbreviates):
		return DisclosesName
	}
	return d
}

// pieceLetters is the length that one of the pieces of an abbreviated name has: initials alone stand in
// many codes.
const pieceLetters = 3

// abbreviates reports whether a word of an ID is made of beginnings of the patient's names, the longest
// of them of at least pieceLetters: of one name, cut short, or of several.
func (s *secrets) abbreviates(w word) bool {
	text := []rune(w.folded)
	if len(text) < nameLetters || general(w.folded, false) {
		return false
	}
	// made[i] and long[i] say that the first i letters are pieces, and that one of them is long enough.
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
