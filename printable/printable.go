// Package printable makes texts of unknown origin, such as names from headers and tables,
// safe to print: on a line and in a cell of a spreadsheet.
package printable

import (
	"regexp"
	"strings"
	"unicode"
)

// Line returns a text of unknown origin as one line of valid UTF-8. Each control or format
// character, such as a line break or a mark that reverses the writing direction, becomes a
// space.
func Line(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// realNumber matches a text that begins with a sign but that a spreadsheet reads as a
// number.
var realNumber = regexp.MustCompile(`^[+-][0-9]+([.,][0-9]+)?$`)

// Cell returns the text of a cell of unknown origin: one line, preceded by an apostrophe if
// a spreadsheet would evaluate it as a formula (OWASP, "CSV Injection": = + - @, tab and
// line breaks, and the full-width forms).
func Cell(s string) string {
	clean := Line(s)
	start := strings.TrimLeft(clean, " ")
	formula := strings.IndexAny(start, "=+-@＝＋－＠") == 0 && !realNumber.MatchString(clean)
	if formula || strings.IndexAny(s, "\t\r\n") == 0 {
		return "'" + clean
	}
	return clean
}
