package elements

import (
	"bytes"
	"strings"

	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/t2map/t2map/dicomio/internal/charset"
)

// TextFunc is called with private texts, see GuardTexts. A block may contain other bytes
// between its texts.
type TextFunc func(o *Outline, t tag.Tag, value []byte, block bool)

// Names and descriptions are shorter than longestText, the limit of ST (PS3.5 6.2), and
// have at least shortestText bytes. A longer value is a block: the protocols that Siemens
// stores in images take some 100 kB.
const (
	longestText  = 1024
	shortestText = 3
	longestBlock = 256 << 10
)

// mayBeText reports whether the element may contain a text that was written by a person, or
// a protocol: ImageComments or a private element.
func mayBeText(e Element) bool {
	if e.Length < shortestText || e.Length > longestBlock {
		return false
	}
	if e.Tag.Group%2 == 0 {
		return e.Tag == tag.ImageComments
	}
	if e.Tag.Element <= 0xFF {
		return false
	}
	switch e.VR {
	case "LO", "SH", "ST", "LT", "CS", "UC", "UT", "UN", "OB", "":
		return true
	}
	return false
}

// firstItem is the beginning of a sequence whose VR is not known, and which is not a text.
var firstItem = []byte{0xFE, 0xFF, 0x00, 0xE0}

// text calls texts with the element if it is a text, or may contain one.
func (w *elementWalker) text(e Element) error {
	value, err := w.in.bytes(e.Value, int(e.Length))
	if err != nil {
		return err
	}
	value = bytes.TrimRight(value, " \x00")
	control := len(value) <= longestText && bytes.ContainsFunc(value, isControl)
	switch {
	case len(value) < shortestText, bytes.HasPrefix(value, firstItem):
	case len(value) <= longestText && !control:
		w.texts(w.out, e.Tag, value, false)
	case len(value) > longestText, e.VR == "UN", e.VR == "OB", e.VR == "":
		w.texts(w.out, e.Tag, value, true)
	}
	return nil
}

// isControl reports whether the character does not occur in texts (PS3.5 6.1.3).
func isControl(r rune) bool {
	return r < ' ' && !strings.ContainsRune("\t\n\f\r\x1b", r)
}

// Text converts a text of the file to UTF-8.
func (o *Outline) Text(value []byte) string {
	if text := string(value); isPlain(text) {
		return text
	}
	return charset.Decode(o.charset, string(value))
}
