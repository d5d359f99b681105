package table

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Alike describes how two names that are alike may differ.
const Alike = "only in case, spaces, leading zeros, Unicode form, or a hyphen for an underscore"

// Keys returns the keys of a name. Two names are alike if they have a key in common. Such names differ, but people
// and programs confuse them:
//
//   - S01 and s01, or the same with other spaces;
//   - 001 and 1 or 1.0, to which Excel and pandas convert it, and S01 and S1. But 0.05 and 0.5 are not alike, because
//     the zero follows a decimal sign;
//   - the same letters with different code points (NFC and NFD, full-width digits);
//   - S_01 and S-01 with any dash, and S 01, which t2map writes S_01 in the names of folders.
func Keys(name string) []string {
	name = cases.Fold().String(norm.NFKC.String(name))
	name = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Cf, r):
			return -1 // zero-width characters and direction marks
		case r == '_', unicode.Is(unicode.Pd, r), r == '\u2212': // dashes and the minus sign
			return '-'
		}
		return r
	}, norm.NFKC.String(name)) // case folding can undo the normalization
	words := strings.Fields(name)
	keys := []string{withoutZeros(strings.Join(words, "")), withoutZeros(strings.Join(words, "-"))}
	return slices.Compact(keys)
}

var (
	wholeFloat   = regexp.MustCompile(`^([0-9]+)\.0+$`)
	leadingZeros = regexp.MustCompile(`(^|[^0-9.,])0+([0-9])`)
)

// withoutZeros removes leading zeros from the numbers in a text.
func withoutZeros(text string) string {
	text = wholeFloat.ReplaceAllString(text, "$1")
	return leadingZeros.ReplaceAllString(text, "$1$2")
}

// IsAlike reports whether two names are the same or alike.
func IsAlike(a, b string) bool {
	return a == b || slices.ContainsFunc(Keys(a), func(k string) bool { return slices.Contains(Keys(b), k) })
}

// Names is a set of names that finds names that are alike. The zero value is empty.
type Names struct {
	byKey map[string]string // the first name with each key
	added map[string]bool
}

// Add adds a name. It returns a different name that was added before and is alike; ok is false if there is none.
func (n *Names) Add(name string) (other string, ok bool) {
	if n.added[name] {
		return "", false
	}
	other, ok = n.Find(name)
	if n.added == nil {
		n.byKey, n.added = map[string]string{}, map[string]bool{}
	}
	n.added[name] = true
	for _, k := range Keys(name) {
		if _, exists := n.byKey[k]; !exists {
			n.byKey[k] = name
		}
	}
	return other, ok
}

// Has reports whether exactly this name was added.
func (n *Names) Has(name string) bool { return n.added[name] }

// Find returns a different name that was added and is alike; ok is false if the name itself was added, or if none is
// alike.
func (n *Names) Find(name string) (other string, ok bool) {
	if n.added[name] {
		return "", false
	}
	for _, k := range Keys(name) {
		if other, ok := n.byKey[k]; ok {
			return other, true
		}
	}
	return "", false
}
