package elements

import (
	"bytes"
	"strings"

	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/t2map/t2map/dicomio/internal/charset"
)

// TextFunc is called with private texts, see GuardTexts.
type TextFunc func(o *Outline, t tag.Tag, value []byte)

// Names and descriptions are shorter than longestText, which is that of ST (PS3.5 6.2);
// nothing is said in less than shortestText.
const (
	longestText  = 1024
	shortestText = 3
)

// mayBeText reports whether the element is private and may hold a text.
func mayBeText(e Element) bool {
	if e.Tag.Group%2 == 0 || e.Tag.Element <= 0xFF || e.Length < shortestText || e.Length > longestText {
		return false
	}
	switch e.VR {
	case "LO", "SH", "ST", "LT", "CS", "UC", "UT", "UN", "":
		return true
	}
	return false
}

// text hands over the element if it is a text.
func (w *elementWalker) text(e Element) error {
	value, err := w.in.bytes(e.Value, int(e.Length))
	if err != nil {
		return err
	}
	value = bytes.TrimRight(value, " \x00")
	if len(value) >= shortestText && !bytes.ContainsFunc(value, isControl) {
		w.texts(w.out, e.Tag, value)
	}
	return nil
}

// isControl reports whether the character is in no text (PS3.5 6.1.3).
func isControl(r rune) bool {
	return r < ' ' && !strings.ContainsRune("\t\n\f\r\x1b", r)
}

// Text returns a text of the file as UTF-8.
func (o *Outline) Text(value []byte) string {
	if text := string(value); isPlain(text) {
		return text
	}
	return charset.Decode(o.charset, string(value))
}
