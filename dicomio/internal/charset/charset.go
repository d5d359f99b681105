// Package charset turns the texts of a DICOM file into UTF-8.
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

// characterSets are the terms without code extensions, and those with them, whose
// names begin with ISO 2022 in place of ISO_IR, by the number that both share.
var characterSets = map[string]encoding.Encoding{
	"100": charmap.ISO8859_1, "101": charmap.ISO8859_2, "109": charmap.ISO8859_3, "110": charmap.ISO8859_4,
	"144": charmap.ISO8859_5, "127": charmap.ISO8859_6, "126": charmap.ISO8859_7, "138": charmap.ISO8859_8,
	"148": charmap.ISO8859_9, "203": charmap.ISO8859_15,
	"166":     charmap.Windows874, // TIS 620-2533, and five signs more
	"13":      japanese.ShiftJIS,  // JIS X 0201; its half-width katakana are single bytes there
	"GB18030": simplifiedchinese.GB18030,
	"GBK":     simplifiedchinese.GBK,
}

// escapes are the sequences that follow ESC (PS3.3 tables C.12-3 and C.12-4) and the
// sets that they choose. Seven bits wide ones stand for bytes below 0x80, the rest
// for those above.
var escapes = []struct {
	code  string
	set   encoding.Encoding
	seven bool
}{
	{"(B", nil, true}, {"(J", japanese.ShiftJIS, true},
	{"$B", japanese.ISO2022JP, true}, {"$@", japanese.ISO2022JP, true}, {"$(D", japanese.EUCJP, true},
	{")I", japanese.ShiftJIS, false}, {"$)C", korean.EUCKR, false}, {"$)A", simplifiedchinese.GBK, false},
	{"-A", charmap.ISO8859_1, false}, {"-B", charmap.ISO8859_2, false}, {"-C", charmap.ISO8859_3, false},
	{"-D", charmap.ISO8859_4, false}, {"-L", charmap.ISO8859_5, false}, {"-G", charmap.ISO8859_6, false},
	{"-F", charmap.ISO8859_7, false}, {"-H", charmap.ISO8859_8, false}, {"-M", charmap.ISO8859_9, false},
	{"-T", charmap.Windows874, false}, {"-b", charmap.ISO8859_15, false},
}

// Decode returns the text, which stands in a file whose SpecificCharacterSet
// (0008,0005) is terms: those of PS3.3 C.12.1.1.2, with backslashes between them. What
// is no text in the sets that they name is replaced by U+FFFD, and so is all but ASCII
// where they name none or none that is known: a subject's code should be wrong to the
// eye rather than look like another one.
func Decode(terms, s string) string {
	first, _, extended := strings.Cut(terms, `\`)
	first = strings.Trim(first, " \x00")
	switch {
	case first == "ISO_IR 192":
		return strings.ToValidUTF8(s, "\uFFFD")
	case extended || strings.HasPrefix(first, "ISO 2022"):
		return extensions(s, characterSets[strings.TrimPrefix(first, "ISO 2022 IR ")])
	}
	return decodeWith(characterSets[strings.TrimPrefix(first, "ISO_IR ")], []byte(s))
}

// extensions decodes a text that changes its set by escape sequences (ISO 2022):
// from ASCII and the set given, to which every value, line and part of a name
// returns.
func extensions(s string, first encoding.Encoding) string {
	var out strings.Builder
	low, high := encoding.Encoding(nil), first
	rest := []byte(s)
	for len(rest) > 0 {
		if rest[0] == 0x1B {
			if n, set, seven := escape(rest[1:]); n > 0 {
				if rest = rest[1+n:]; seven {
					low = set
				} else {
					high = set
				}
				continue
			}
		}
		n := run(rest, low == japanese.ISO2022JP || low == japanese.EUCJP)
		out.WriteString(decodeRun(rest[:n], low, high))
		if strings.IndexByte("\\^=\r\n\f\t", rest[n-1]) >= 0 && n == 1 {
			low, high = nil, first
		}
		rest = rest[n:]
	}
	return out.String()
}

// escape finds the sequence that b begins with.
func escape(b []byte) (n int, set encoding.Encoding, seven bool) {
	for _, e := range escapes {
		if bytes.HasPrefix(b, []byte(e.code)) {
			return len(e.code), e.set, e.seven
		}
	}
	return 0, nil, false
}

// run returns the length of the text up to the next escape or, where bytes are
// characters of their own, the next delimiter, which is a run by itself.
func run(b []byte, pairs bool) int {
	for i := range b {
		switch {
		case b[i] == 0x1B && i > 0, !pairs && i > 0 && strings.IndexByte("\\^=\r\n\f\t", b[i]) >= 0:
			return i
		case i == 0 && !pairs && strings.IndexByte("\\^=\r\n\f\t", b[i]) >= 0:
			return 1
		}
	}
	return len(b)
}

// decodeRun decodes bytes that one pair of sets holds for.
func decodeRun(b []byte, low, high encoding.Encoding) string {
	switch low {
	case japanese.ISO2022JP: // which wants to see the escape
		return decodeWith(low, append([]byte("\x1B$B"), b...))
	case japanese.EUCJP: // JIS X 0212: three bytes there, the first of them 0x8F
		var euc []byte
		for i := 0; i+1 < len(b); i += 2 {
			euc = append(euc, 0x8F, b[i]|0x80, b[i+1]|0x80)
		}
		return decodeWith(low, euc)
	}
	return decodeWith(high, b)
}

// decodeWith decodes by a set; nil is ASCII.
func decodeWith(set encoding.Encoding, b []byte) string {
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
