package table

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
)

// Byte-order marks (Unicode 16.0, 2.13).
const (
	markUTF8    = "\xef\xbb\xbf"
	markUTF16LE = "\xff\xfe"
	markUTF16BE = "\xfe\xff"
	markUTF32LE = "\xff\xfe\x00\x00"
	markUTF32BE = "\x00\x00\xfe\xff"
)

func (s Source) begins(with string) bool { return bytes.HasPrefix(s.Data, []byte(with)) }

// Remark says what a reader of the screen should know of how the table is read; empty where it is
// read as it was declared.
func (s Source) Remark() string {
	if s.begins(markUTF16LE) || s.begins(markUTF16BE) {
		return s.Name + " is read as UTF-16, as its byte-order mark says"
	}
	return ""
}

// unlike says what a file is that is not a CSV in its declared encoding, and what can be done about it;
// nothing where that is not seen from how it begins.
func (s Source) unlike() (what, hint string) {
	const utf16 = "the text is UTF-16"
	// Every other byte of such a text is NUL, as far as it is of ASCII.
	head := s.Data[:min(len(s.Data), 1<<12)]
	zeros := bytes.Count(head, []byte{0}) > len(head)/4
	switch {
	case s.begins("PK\x03\x04"), s.begins("\xd0\xcf\x11\xe0"): // Office Open XML and OpenDocument (ZIP); Excel's earlier .xls (MS-CFB 2.2)
		return "an Excel workbook, not a CSV", "open it in the spreadsheet program and save it as CSV UTF-8"
	case s.begins(markUTF32LE), s.begins(markUTF32BE):
		return "the text is UTF-32", "save it as CSV UTF-8"
	case s.begins(markUTF16LE), s.begins(markUTF16BE), s.begins(markUTF8):
		return "", "" // which it is, whatever was declared for others
	case strings.HasPrefix(strings.ToLower(s.Format.Encoding), "utf-16"):
		return "", ""
	case zeros && head[0] == 0:
		return utf16, "declare it: --encoding utf-16be"
	case zeros:
		return utf16, "declare it: --encoding utf-16le"
	}
	return "", ""
}

// decode returns the text in UTF-8 without a byte-order mark. A mark goes before the declared
// encoding, which holds for several tables.
func (s Source) decode() ([]byte, error) {
	t := Table{Name: s.Name, madeBy: s.MadeBy}
	if what, hint := s.unlike(); what != "" {
		return nil, hinted(t.way(hint), "%s: %s", s.Name, what)
	}
	text, name := s.Data, "UTF-8"
	from, err := s.encoding()
	if err != nil {
		return nil, err
	}
	if from != nil {
		if name = s.Format.Encoding; s.Remark() != "" {
			name = "UTF-16"
		}
		if text, err = from.NewDecoder().Bytes(text); err != nil {
			return nil, fmt.Errorf("%s: not %.40q: %w", s.Name, name, err)
		}
	}
	text = bytes.TrimPrefix(text, []byte(markUTF8))
	if at := firstInvalid(text); at < len(text) {
		hint := "save it as CSV UTF-8, or declare what it is: --encoding windows-1252"
		if bytes.HasPrefix(text[at:], []byte("\uFFFD")) && from == nil {
			// Valid, and the trace of a program that could not read a letter: two names may be one now.
			return nil, hinted("retype the letters, and save it as CSV UTF-8", "%s: line %d: a letter was lost when the file was saved (U+FFFD)", s.Name, lineOf(text, at))
		}
		return nil, hinted(t.way(hint), "%s: line %d: the text is not %s", s.Name, lineOf(text, at), name)
	}
	return text, nil
}

// encoding returns the encoding to decode the text from; nil for UTF-8.
func (s Source) encoding() (encoding.Encoding, error) {
	switch {
	case s.begins(markUTF8):
		return nil, nil
	case s.begins(markUTF16LE), s.begins(markUTF16BE):
		return unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM), nil
	case s.Format.Encoding == "":
		return nil, nil
	}
	e, err := htmlindex.Get(s.Format.Encoding)
	if err != nil {
		return nil, hinted("use a name from the WHATWG Encoding Standard, such as windows-1252 or utf-16le", "%s: encoding %.40q is not known", s.Name, s.Format.Encoding)
	}
	return e, nil
}

// lineOf returns the number of the line that holds a byte.
func lineOf(text []byte, at int) int { return 1 + bytes.Count(text[:at], []byte("\n")) }

// firstInvalid returns where a text first is not UTF-8, holds a NUL as UTF-16 does, or the
// character that stands for one that could not be decoded; len(text) where it is sound.
func firstInvalid(text []byte) int {
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError || r == 0 {
			return i
		}
		i += n
	}
	return len(text)
}
