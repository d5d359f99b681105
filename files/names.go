package files

import (
	"fmt"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// entryName returns the normal form of an entry's name, with slashes between its parts, or
// what is wrong with it. Backslashes count as slashes, because some programs for Windows
// write them.
func entryName(raw string) (name, problem string) {
	if len(raw) > longestName {
		return "", fmt.Sprintf("its name takes %d bytes, want at most %d", len(raw), longestName)
	}
	name = strings.ReplaceAll(escapeInvalid(raw), `\`, "/")
	switch {
	case strings.ContainsFunc(name, unicode.IsControl):
		return "", "its name holds control characters"
	case strings.HasPrefix(name, "/"):
		return "", "its name is an absolute path"
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

// escapeInvalid writes bytes that are not UTF-8 as %E4: their encoding is not known, and
// tables and reports are in UTF-8.
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

// upper437 are the characters 128 to 255 of code page 437, the default encoding of names in
// zip archives (APPNOTE.TXT 6.3.10, D.1).
var upper437 = []rune("ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐" +
	"└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0")

// from437 decodes a name. A name that is valid UTF-8 is taken as UTF-8, since many programs
// do not mark it.
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

// quoted quotes a name that is not trusted.
func quoted(raw string) string {
	const shown = 64 // characters, as in other messages
	return fmt.Sprintf("%.*q", shown, raw)
}
