package elements

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/dicomio"
	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/t2map/t2map/dicomio/internal/charset"
)

// Dataset holds the wanted elements of a data set, or of an item of a sequence.
type Dataset []*dicom.Element

// ErrUnparsed means that the library could not parse the elements.
var ErrUnparsed = errors.New("the data elements cannot be parsed")

// buffers are those of files that were parsed.
var buffers = sync.Pool{New: func() any { return bufio.NewReader(nil) }}

// Parse parses the wanted elements with the library. Its panics and errors become
// ErrUnparsed, because its messages may quote a name. Elements that were parsed before an
// error are returned with it.
func (o *Outline) Parse() (d Dataset, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = ErrUnparsed
		}
	}()
	buffered := buffers.Get().(*bufio.Reader)
	buffered.Reset(o.file())
	defer func() {
		buffered.Reset(nil) // the contents of the file may be in memory
		buffers.Put(buffered)
	}()
	p, err := dicom.NewParser(buffered, dicomio.LimitReadUntilEOF, nil)
	if err != nil {
		return nil, ErrUnparsed
	}
	for {
		e, err := p.Next()
		switch {
		case errors.Is(err, io.EOF):
			return d, nil
		case err != nil:
			return d, ErrUnparsed
		}
		o.decode(e)
		d = append(d, e)
	}
}

// decode converts the element's texts, and those within it, to UTF-8.
func (o *Outline) decode(e *dicom.Element) {
	switch values := e.Value.GetValue().(type) {
	case []string:
		// The library has split them at bytes that may be half of a character.
		whole := strings.Join(values, `\`)
		if isPlain(whole) {
			return
		}
		if v, err := dicom.NewValue(strings.Split(charset.Decode(o.charset, whole), `\`)); err == nil {
			e.Value = v
		}
	case []*dicom.SequenceItemValue:
		for _, item := range ItemsOf(e) {
			for _, inner := range item {
				o.decode(inner)
			}
		}
	}
}

// isPlain reports whether the text is ASCII without escapes, which is the same in every
// character set.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf || s[i] == 0x1B {
			return false
		}
	}
	return true
}

// find returns the element, or nil if it is absent.
func (d Dataset) find(t tag.Tag) *dicom.Element {
	for _, e := range d {
		if e.Tag == t {
			return e
		}
	}
	return nil
}

// Has reports whether the element is present.
func (d Dataset) Has(t tag.Tag) bool { return d.find(t) != nil }

// Items returns the items of a sequence; nil if it is absent or empty.
func (d Dataset) Items(t tag.Tag) []Dataset {
	e := d.find(t)
	if e == nil {
		return nil
	}
	return ItemsOf(e)
}

// ItemsOf returns the items of a sequence.
func ItemsOf(e *dicom.Element) []Dataset {
	items, _ := e.Value.GetValue().([]*dicom.SequenceItemValue)
	out := make([]Dataset, len(items))
	for i, item := range items {
		elements, _ := item.GetValue().([]*dicom.Element)
		out[i] = elements
	}
	return out
}

// Text returns the element's first value as UTF-8 without padding; "" if it is absent, empty
// or not a text.
func (d Dataset) Text(t tag.Tag) string {
	if e := d.find(t); e != nil {
		return TextOf(e)
	}
	return ""
}

// Raw returns all values of an element as one text, separated by backslashes, whatever its
// value representation; "" if it is absent.
func (d Dataset) Raw(t tag.Tag) string {
	e := d.find(t)
	if e == nil {
		return ""
	}
	if b, ok := e.Value.GetValue().([]byte); ok {
		return strings.ToValidUTF8(strings.Trim(string(b), " \x00"), "\uFFFD")
	}
	return strings.Join(TextsOf(e), `\`)
}

// Integer returns a single whole number. ok is false if the element is absent or empty; it
// is an error if it has another value.
func (d Dataset) Integer(t tag.Tag) (v int, ok bool, err error) {
	e := d.find(t)
	if e == nil {
		return 0, false, nil
	}
	return WholeOf(e)
}

// Decimals returns finite numbers; nil if the element is absent or empty.
func (d Dataset) Decimals(t tag.Tag) ([]float64, error) {
	e := d.find(t)
	if e == nil {
		return nil, nil
	}
	return NumbersOf(e)
}

// Bytes returns the value of an element among rawTags.
func (d Dataset) Bytes(t tag.Tag) []byte {
	if e := d.find(t); e != nil {
		b, _ := e.Value.GetValue().([]byte)
		return b
	}
	return nil
}

// TextsOf returns the values of a text without padding; nil for other elements.
func TextsOf(e *dicom.Element) []string {
	values, ok := e.Value.GetValue().([]string)
	if !ok {
		return nil
	}
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = strings.Trim(v, " \x00")
	}
	return out
}

// TextOf returns the first of TextsOf, or "".
func TextOf(e *dicom.Element) string {
	if v := TextsOf(e); len(v) > 0 {
		return v[0]
	}
	return ""
}

// NumbersOf returns the finite numbers of an element; nil if it is empty.
func NumbersOf(e *dicom.Element) ([]float64, error) {
	var got []float64
	switch values := e.Value.GetValue().(type) {
	case []float64:
		got = values
	case []int:
		for _, v := range values {
			got = append(got, float64(v))
		}
	case []string:
		for _, s := range TextsOf(e) {
			if s == "" && len(values) == 1 {
				return nil, nil
			}
			v, err := strconv.ParseFloat(s, 64)
			if err != nil {
				return nil, fmt.Errorf("%.32q is not a number", s)
			}
			got = append(got, v)
		}
	default:
		return nil, wrongKind(e)
	}
	for _, v := range got {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, errors.New("not a finite number")
		}
	}
	return got, nil
}

// WholeOf returns a single whole number; ok is false if the element is empty.
func WholeOf(e *dicom.Element) (v int, ok bool, err error) {
	switch values := e.Value.GetValue().(type) {
	case []int:
		switch len(values) {
		case 0:
			return 0, false, nil
		case 1:
			return values[0], true, nil
		}
		return 0, false, fmt.Errorf("%d values, want 1", len(values))
	case []string:
		s := TextOf(e)
		if s == "" {
			return 0, false, nil
		}
		if v, err = strconv.Atoi(s); err != nil {
			return 0, false, fmt.Errorf("%.32q is not a whole number", s)
		}
		return v, true, nil
	}
	return 0, false, wrongKind(e)
}

// wrongKind returns the error of a value representation that does not fit the attribute.
func wrongKind(e *dicom.Element) error {
	return fmt.Errorf("value representation %.2q does not fit this attribute", e.RawValueRepresentation)
}
