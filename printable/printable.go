// Package printable makes texts of unknown origin, such as names from headers and
// tables, safe to print: on a line and in a cell of a spreadsheet.
package printable

import (
	"regexp"
	"strings"
	"unicode"
)

// Line returns a text of unknown origin as one line of valid UTF-8: each
// control or format character, such as a line end or a mark that reverses the
// direction of writing, becomes a space.
func Line(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// realNumber is a text that a spreadsheet reads as a number though it begins
// with a sign.
var realNumber = regexp.MustCompile(`^[+-][0-9]+([.,][0-9]+)?$`)

// Cell returns a cell that holds a text of unknown origin: one line, and with
// an apostrophe before it where a spreadsheet would run it as a formula
// (OWASP, "CSV Injection": = + - @, tab and line ends, and the full-width forms).
func Cell(s string) string {
	clean := Line(s)
	start := strings.TrimLeft(clean, " ")
	formula := strings.IndexAny(start, "=+-@＝＋－＠") == 0 && !realNumber.MatchString(clean)
	if formula || strings.IndexAny(s, "\t\r\n") == 0 {
		return "'" + clean
	}
	return clean
}
