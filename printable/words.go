package printable

import (
	"fmt"
	"strings"
)

// Short returns Line(s), cut to 64 characters.
func Short(s string) string {
	s = Line(s)
	if r := []rune(s); len(r) > 64 {
		s = string(r[:63]) + "…"
	}
	return s
}

// Counted returns a number with a noun in the singular or plural: 1 study, 2 studies.
func Counted(n int, singular, plural string) string {
	if n == 1 {
		return "1 " + singular
	}
	return fmt.Sprintf("%d %s", n, plural)
}

// FirstNames lists the first six names and the number of the others.
func FirstNames(names []string) string {
	const shown = 6
	text := strings.Join(names[:min(shown, len(names))], ", ")
	if n := len(names) - shown; n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return text
}

// Quoted returns a text in single quotes, as one word for a shell.
func Quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
