package publish

import (
	"cmp"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/trial"
)

// unnamed is STUDYID if the design has no name, since SDTM requires one.
const unnamed = "UNNAMED"

// studyID returns STUDYID.
func studyID(d trial.Design) string { return cmp.Or(trialName(d), unnamed) }

// usubjid returns USUBJID, which is unique over studies if their names are.
func usubjid(d trial.Design, subject int) string {
	return studyID(d) + "-" + identifier(d.Subjects[subject].ID)
}

// Lengths in bytes that the transport format allows (SAS XPORT version 5; SDTMIG 3.4): of a code, of
// a test's name, and of any other text.
const (
	longestCode = 8
	longestTest = 40
	longestText = 200
)

// truncate shortens a text to a number of bytes, at the end of a character.
func truncate(s string, bytes int) string {
	s = printable.Line(s)
	if len(s) <= bytes {
		return s
	}
	for bytes > 0 && !utf8.RuneStart(s[bytes]) {
		bytes--
	}
	return strings.TrimSpace(s[:bytes])
}

// knownCodes are the PARAMCDs of t2map's own compartments.
var knownCodes = map[string]string{
	"medial": "T2MED", "lateral": "T2LAT", "patellofemoral": "T2PF",
	"medial-tibial": "T2MT", "lateral-tibial": "T2LT", "patellar": "T2PAT", "femoral": "T2FEM",
}

// paramCodes returns a different PARAMCD for each endpoint: a letter and up to seven letters or digits
// (ADaMIG 1.3).
func paramCodes(endpoints []trial.EndpointAnalysis) []string {
	codes := make([]string, len(endpoints))
	used := map[string]bool{}
	for i, e := range endpoints {
		code := letters(e.Name)
		if e.Compartment {
			code = cmp.Or(knownCodes[strings.ToLower(e.Name)], truncate("T2"+code, longestCode))
		}
		codes[i] = free(code, used)
		used[codes[i]] = true
	}
	return codes
}

// letters returns the part of a name that a code can hold.
func letters(name string) string {
	var b strings.Builder
	for _, r := range strings.ToUpper(name) {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' && b.Len() > 0 {
			b.WriteRune(r)
		}
	}
	return truncate(cmp.Or(b.String(), "PARAM"), longestCode)
}

// free returns the code or, if it is in use, the code with a number at its end.
func free(code string, used map[string]bool) string {
	for n := 1; ; n++ {
		c := code
		if n > 1 {
			end := fmt.Sprint(n)
			c = code[:min(len(code), longestCode-len(end))] + end
		}
		if !used[c] {
			return c
		}
	}
}

// laterality returns the term of LAT (C99073) for a side; empty for an unknown one.
func laterality(side string) string {
	return map[string]string{"left": "LEFT", "l": "LEFT", "right": "RIGHT", "r": "RIGHT"}[plainWord(side)]
}

func plainWord(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// sexTerm returns the term of SEX (C66731); other words are unchanged.
func sexTerm(sex string) string {
	terms := map[string]string{"m": "M", "male": "M", "man": "M", "f": "F", "female": "F", "woman": "F", "u": "U",
		"unknown": "U"}
	return cmp.Or(terms[plainWord(sex)], truncate(sex, longestText))
}
