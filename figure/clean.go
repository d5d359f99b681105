package figure

import (
	"strings"
	"unicode"
)

// Printable returns a text of unknown origin as one line of valid UTF-8: each
// control or format character, such as a line end or a mark that reverses the
// direction of writing, becomes a space.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}
