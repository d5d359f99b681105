package files

import (
	"fmt"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// entryName returns the one form of an entry's name, with slashes between its
// parts, or what is wrong with it. Backslashes are slashes: some packers of
// Windows write them.
func entryName(raw string) (name, problem string) {
	if len(raw) > longestName {
		return "", fmt.Sprintf("its name takes %d bytes, want at most %d", len(raw), longestName)
	}
	name = strings.ReplaceAll(escapeInvalid(raw), `\`, "/")
	switch {
	case strings.ContainsFunc(name, unicode.IsControl):
		return "", "its name holds control characters"
	case strings.HasPrefix(name, "/"):
		return "", "its name is that of a place outside the archive"
	case len(name) >= 2 && name[1] == ':' && unicode.IsLetter(rune(name[0])):
		return "", "its name begins with a drive"
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." {
			return "", "its name leads out of the archive"
		}
	}
	name = path.Clean(name)
	if name == "." {
		return "", "it has no name"
	}
	return name, ""
}

// escapeInvalid writes bytes that are not UTF-8 as %E4: no encoding is known for
// them, and tables and reports hold UTF-8.
func escapeInvalid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 {
			fmt.Fprintf(&b, "%%%02X", s[0])
		} else {
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}

// upper437 are the characters 128 to 255 of code page 437, the encoding of names
// in zip archives that do not say otherwise (APPNOTE.TXT 6.3.10, D.1).
var upper437 = []rune("ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐" +
	"└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0")

// from437 decodes a name. One that is UTF-8 is taken for that: many packers leave
// out the mark.
func from437(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		if s[i] < utf8.RuneSelf {
			b.WriteByte(s[i])
		} else {
			b.WriteRune(upper437[s[i]-utf8.RuneSelf])
		}
	}
	return b.String()
}

// quoted shows a name that is not to be trusted.
func quoted(raw string) string {
	const shown = 64 // characters, as in other messages
	return fmt.Sprintf("%.*q", shown, raw)
}
