// Package charset converts the texts of a DICOM file to UTF-8.
package charset

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// characterSets are the terms of PS3.3 tables C.12-2 to C.12-5, without code extensions
// (ISO_IR) and with them (ISO 2022 IR), by their common number. With extensions, they are
// the sets at the beginning of a text.
var characterSets = map[string]encoding.Encoding{
	"100": charmap.ISO8859_1, "101": charmap.ISO8859_2, "109": charmap.ISO8859_3, "110": charmap.ISO8859_4,
	"144": charmap.ISO8859_5, "127": charmap.ISO8859_6, "126": charmap.ISO8859_7, "138": charmap.ISO8859_8,
	"148": charmap.ISO8859_9, "203": charmap.ISO8859_15,
	"166":     charmap.Windows874, // TIS 620-2533, with five more signs
	"13":      japanese.ShiftJIS,  // JIS X 0201; its half-width katakana are single bytes there
	"149":     korean.EUCKR,       // for texts without the escape sequence that the standard requires
	"58":      simplifiedchinese.GBK,
	"GB18030": simplifiedchinese.GB18030,
	"GBK":     simplifiedchinese.GBK,
}

// escapes are the sequences after ESC (PS3.3 tables C.12-3 and C.12-4) and the sets that
// they select: sets of seven bits for bytes below 0x80, others for bytes above.
var escapes = []struct {
	code  string
	set   encoding.Encoding
	seven bool
}{
	{"(B", nil, true}, {"(J", nil, true}, // JIS X 0201 differs from ASCII in the yen sign and the overline
	{"$B", japanese.ISO2022JP, true}, {"$@", japanese.ISO2022JP, true}, {"$(D", japanese.EUCJP, true},
	{")I", japanese.ShiftJIS, false}, {"$)C", korean.EUCKR, false}, {"$)A", simplifiedchinese.GBK, false},
	{"-A", charmap.ISO8859_1, false}, {"-B", charmap.ISO8859_2, false}, {"-C", charmap.ISO8859_3, false},
	{"-D", charmap.ISO8859_4, false}, {"-L", charmap.ISO8859_5, false}, {"-G", charmap.ISO8859_6, false},
	{"-F", charmap.ISO8859_7, false}, {"-H", charmap.ISO8859_8, false}, {"-M", charmap.ISO8859_9, false},
	{"-T", charmap.Windows874, false}, {"-b", charmap.ISO8859_15, false},
}

// escape begins a sequence; delimiters end its effect (PS3.5 6.1.2.5.3). The delimiters of
// the parts of a name are not included: names are not decoded, and in other texts they are
// ordinary characters.
const (
	escape     = 0x1B
	delimiters = "\\\r\n\f\t"
)

// Decode decodes a text of a file whose SpecificCharacterSet (0008,0005) is terms: those of
// PS3.3 C.12.1.1.2, separated by backslashes. Bytes that are not valid in the named sets
// are replaced by U+FFFD. So is everything but ASCII if no known set is named: the code of
// a subject should look wrong rather than like another one.
func Decode(terms, s string) string {
	first, _, several := strings.Cut(terms, `\`)
	first = strings.Trim(first, " \x00")
	number, extensible := strings.CutPrefix(first, "ISO 2022 IR ")
	set := characterSets[strings.TrimPrefix(number, "ISO_IR ")]
	switch {
	case first == "ISO_IR 192":
		return strings.ToValidUTF8(s, string(utf8.RuneError))
	case set == simplifiedchinese.GB18030, set == simplifiedchinese.GBK && !extensible:
		return decode(set, []byte(s)) // not extended, since a second byte may be a delimiter
	case several || extensible:
		return decodeExtended(set, []byte(s))
	}
	return decode(set, []byte(s))
}

// decodeExtended decodes a text with escape sequences (ISO 2022), which begins with ASCII
// and the given set and returns to them at every delimiter.
func decodeExtended(first encoding.Encoding, b []byte) string {
	var out strings.Builder
	low, high := encoding.Encoding(nil), first
	for len(b) > 0 {
		if n, set, seven := escapeOf(b); n > 0 {
			if b = b[n:]; seven {
				low = set
			} else {
				high = set
			}
			continue
		}
		pairs := low != nil // in which a byte equal to a delimiter is part of a character
		if !pairs && strings.IndexByte(delimiters, b[0]) >= 0 {
			low, high = nil, first
		}
		n := run(b, pairs)
		if pairs {
			out.WriteString(decodePairs(low, b[:n]))
		} else {
			out.WriteString(decode(high, b[:n]))
		}
		b = b[n:]
	}
	return out.String()
}

// escapeOf returns the escape sequence at the beginning of b; n is 0 if it is not known.
func escapeOf(b []byte) (n int, set encoding.Encoding, seven bool) {
	if b[0] != escape {
		return 0, nil, false
	}
	for _, e := range escapes {
		if bytes.HasPrefix(b[1:], []byte(e.code)) {
			return 1 + len(e.code), e.set, e.seven
		}
	}
	return 0, nil, false
}

// run returns the length of the text to which one selection of sets applies: up to the next
// escape or, if bytes are single characters, the next delimiter. It is at least one byte.
func run(b []byte, pairs bool) int {
	for i := 1; i < len(b); i++ {
		if b[i] == escape || !pairs && strings.IndexByte(delimiters, b[i]) >= 0 {
			return i
		}
	}
	return len(b)
}

// decodePairs decodes characters of two bytes below 0x80.
func decodePairs(set encoding.Encoding, b []byte) string {
	if set == japanese.ISO2022JP { // which expects the escape sequence
		return decode(set, append([]byte("\x1B$B"), b...))
	}
	// JIS X 0212 takes three bytes there, the first of which is 0x8F.
	euc := make([]byte, 0, len(b)+len(b)/2)
	for ; len(b) > 1; b = b[2:] {
		euc = append(euc, 0x8F, b[0]|0x80, b[1]|0x80)
	}
	return decode(set, append(euc, b...))
}

// decode decodes with a set; nil is ASCII.
func decode(set encoding.Encoding, b []byte) string {
	if set != nil {
		if out, err := set.NewDecoder().Bytes(b); err == nil {
			return string(out)
		}
	}
	var out strings.Builder
	for _, c := range b {
		if c >= utf8.RuneSelf {
			out.WriteRune(utf8.RuneError)
		} else {
			out.WriteByte(c)
		}
	}
	return out.String()
}
