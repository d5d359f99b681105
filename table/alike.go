package table

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Alike says how two names that are alike may differ.
const Alike = "only in case, spaces, leading zeros, Unicode form, or a hyphen for an underscore"

// Keys returns the keys of a name: two names are alike if they have one in common. Names that are
// alike are not the same, but people and programs take one for the other:
//
//   - S01 and s01, or the same with other spaces;
//   - 001 and 1, or 1.0: what Excel and pandas make of it. So are S01 and S1; but 0.05 and 0.5 are
//     not, as the zero there follows a decimal sign;
//   - the same letters as other code points (NFC and NFD, full-width digits);
//   - S_01 and S-01, whatever the dash, and S 01, which t2map writes S_01 in the names of folders.
func Keys(name string) []string {
	name = cases.Fold().String(norm.NFKC.String(name))
	name = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Cf, r):
			return -1 // zero-width characters and marks of direction
		case r == '_', unicode.Is(unicode.Pd, r), r == '\u2212': // dashes and the minus sign
			return '-'
		}
		return r
	}, norm.NFKC.String(name)) // folding may take a text out of its form
	words := strings.Fields(name)
	keys := []string{withoutZeros(strings.Join(words, "")), withoutZeros(strings.Join(words, "-"))}
	return slices.Compact(keys)
}

var (
	wholeFloat   = regexp.MustCompile(`^([0-9]+)\.0+$`)
	leadingZeros = regexp.MustCompile(`(^|[^0-9.,])0+([0-9])`)
)

// withoutZeros takes leading zeros from the numbers in a text.
func withoutZeros(text string) string {
	text = wholeFloat.ReplaceAllString(text, "$1")
	return leadingZeros.ReplaceAllString(text, "$1$2")
}

// IsAlike reports whether two names are the same or alike.
func IsAlike(a, b string) bool {
	return a == b || slices.ContainsFunc(Keys(a), func(k string) bool { return slices.Contains(Keys(b), k) })
}

// Names finds among names those that are alike. The zero value has none.
type Names struct {
	byKey map[string]string // to the name that had it first
	known map[string]bool
}

// Add adds a name. It returns another name that was added before and is alike; ok is false where
// there is none.
func (n *Names) Add(name string) (other string, ok bool) {
	if n.known[name] {
		return "", false
	}
	other, ok = n.Find(name)
	if n.known == nil {
		n.byKey, n.known = map[string]string{}, map[string]bool{}
	}
	n.known[name] = true
	for _, k := range Keys(name) {
		if _, taken := n.byKey[k]; !taken {
			n.byKey[k] = name
		}
	}
	return other, ok
}

// Has reports whether exactly this name was added.
func (n *Names) Has(name string) bool { return n.known[name] }

// Find returns a name that was added and is alike, but not the same; ok is false where the name
// itself was added, or none is alike.
func (n *Names) Find(name string) (other string, ok bool) {
	if n.known[name] {
		return "", false
	}
	for _, k := range Keys(name) {
		if other, ok := n.byKey[k]; ok {
			return other, true
		}
	}
	return "", false
}
