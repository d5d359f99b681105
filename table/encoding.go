package table

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"

	"github.com/t2map/t2map/hint"
)

// Byte-order marks (Unicode 16.0, 2.13).
const (
	markUTF8    = "\xef\xbb\xbf"
	markUTF16LE = "\xff\xfe"
	markUTF16BE = "\xfe\xff"
	markUTF32LE = "\xff\xfe\x00\x00"
	markUTF32BE = "\x00\x00\xfe\xff"
)

func (s Source) begins(prefix string) bool { return bytes.HasPrefix(s.Data, []byte(prefix)) }

// Remark returns a note if the table is read in an encoding other than the declared one, and otherwise "".
func (s Source) Remark() string {
	if s.begins(markUTF16LE) || s.begins(markUTF16BE) {
		return s.Name + " is read as UTF-16, as its byte-order mark says"
	}
	return ""
}

// mismatch describes a file that is not a CSV in its declared encoding, as far as its beginning shows this, and gives
// a hint. Otherwise both are "".
func (s Source) mismatch() (problem, advice string) {
	const utf16 = "the text is UTF-16"
	// Half of the bytes of a UTF-16 text are NUL if its characters are ASCII.
	head := s.Data[:min(len(s.Data), 1<<12)]
	zeros := bytes.Count(head, []byte{0}) > len(head)/4
	switch {
	// Office Open XML and OpenDocument (ZIP); Excel's earlier .xls (MS-CFB 2.2)
	case s.begins("PK\x03\x04"), s.begins("\xd0\xcf\x11\xe0"):
		return "an Excel workbook, not a CSV", "open it in the spreadsheet program and save it as CSV UTF-8"
	case s.begins(markUTF32LE), s.begins(markUTF32BE):
		return "the text is UTF-32", "save it as CSV UTF-8"
	case s.begins(markUTF16LE), s.begins(markUTF16BE), s.begins(markUTF8):
		return "", "" // the mark overrides the declared encoding
	case strings.HasPrefix(strings.ToLower(s.Format.Encoding), "utf-16"):
		return "", ""
	case zeros && head[0] == 0:
		return utf16, "declare it: --encoding utf-16be"
	case zeros:
		return utf16, "declare it: --encoding utf-16le"
	}
	return "", ""
}

// decode returns the text in UTF-8 without a byte-order mark. A mark overrides the declared encoding, which applies
// to several tables.
func (s Source) decode() ([]byte, error) {
	t := Table{Name: s.Name, madeBy: s.MadeBy}
	if problem, advice := s.mismatch(); problem != "" {
		return nil, hint.Errorf(t.ownHint(advice), "%s: %s", s.Name, problem)
	}
	text, name := s.Data, "UTF-8"
	source, err := s.encoding()
	if err != nil {
		return nil, err
	}
	if source != nil {
		if name = s.Format.Encoding; s.Remark() != "" {
			name = "UTF-16"
		}
		if text, err = source.NewDecoder().Bytes(text); err != nil {
			return nil, fmt.Errorf("%s: not %.40q: %w", s.Name, name, err)
		}
	}
	text = bytes.TrimPrefix(text, []byte(markUTF8))
	if offset := firstInvalid(text); offset < len(text) {
		line := lineOf(text, offset)
		if bytes.HasPrefix(text[offset:], []byte("\uFFFD")) && source == nil {
			// Valid UTF-8, but another program has replaced a letter that it could not read: two names may now be the
			// same.
			return nil, hint.Errorf("retype the letters, and save it as CSV UTF-8",
				"%s: line %d: a letter was lost when the file was saved (U+FFFD)", s.Name, line)
		}
		return nil, hint.Errorf(t.ownHint("save it as CSV UTF-8, or declare its encoding: --encoding windows-1252"),
			"%s: line %d: the text is not %s", s.Name, line, name)
	}
	return text, nil
}

// encoding returns the encoding of the text, nil for UTF-8.
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
		return nil, hint.Errorf("use a name from the WHATWG Encoding Standard, such as windows-1252 or utf-16le",
			"%s: encoding %.40q is not known", s.Name, s.Format.Encoding)
	}
	return e, nil
}

// lineOf returns the line of the byte at an offset.
func lineOf(text []byte, offset int) int { return 1 + bytes.Count(text[:offset], []byte("\n")) }

// firstInvalid returns the offset of the first byte that is not UTF-8, of the first NUL, which UTF-16 would have, or
// of the first U+FFFD, which replaces a character that could not be decoded. It returns len(text) if there is none.
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
