package dicomio

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/dicomio"
	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/t2map/t2map/dicomio/internal/charset"
)

// dataset is what was wanted of a data set, or of an item of a sequence.
type dataset []*dicom.Element

// errUnparsed says that the library could not make elements of the bytes.
var errUnparsed = errors.New("the data elements cannot be parsed")

// parse lets the library parse the wanted elements. It panics on some broken ones;
// and its messages quote what they stumble over, which may be a name, so that none
// is passed on. What was parsed before an error is returned with it.
func (o *outline) parse() (d dataset, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errUnparsed
		}
	}()
	p, err := dicom.NewParser(bufio.NewReader(o.file()), dicomio.LimitReadUntilEOF, nil)
	if err != nil {
		return nil, errUnparsed
	}
	for {
		e, err := p.Next()
		switch {
		case errors.Is(err, io.EOF):
			return d, nil
		case err != nil:
			return d, errUnparsed
		}
		o.decode(e)
		d = append(d, e)
	}
}

// decode replaces the element's texts, and those within it, by UTF-8.
func (o *outline) decode(e *dicom.Element) {
	switch values := e.Value.GetValue().(type) {
	case []string:
		// The library has cut them at bytes that may be the half of a character.
		whole := strings.Join(values, `\`)
		if isPlain(whole) {
			return
		}
		if v, err := dicom.NewValue(strings.Split(charset.Decode(o.charset, whole), `\`)); err == nil {
			e.Value = v
		}
	case []*dicom.SequenceItemValue:
		for _, item := range itemsOf(e) {
			for _, inner := range item {
				o.decode(inner)
			}
		}
	}
}

// isPlain reports whether the text is ASCII without escapes, which is the same in
// every set.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf || s[i] == 0x1B {
			return false
		}
	}
	return true
}

// at returns the element, or nil where there is none.
func (d dataset) at(t tag.Tag) *dicom.Element {
	for _, e := range d {
		if e.Tag == t {
			return e
		}
	}
	return nil
}

func (d dataset) has(t tag.Tag) bool { return d.at(t) != nil }

// items returns the items of a sequence; nil where it is absent or empty.
func (d dataset) items(t tag.Tag) []dataset {
	e := d.at(t)
	if e == nil {
		return nil
	}
	return itemsOf(e)
}

func itemsOf(e *dicom.Element) []dataset {
	items, _ := e.Value.GetValue().([]*dicom.SequenceItemValue)
	out := make([]dataset, len(items))
	for i, item := range items {
		elements, _ := item.GetValue().([]*dicom.Element)
		out[i] = elements
	}
	return out
}

// texts returns the element's values as UTF-8, trimmed of padding; nil where it is
// absent or no text.
func (d dataset) texts(t tag.Tag) []string {
	if e := d.at(t); e != nil {
		return texts(e)
	}
	return nil
}

// text returns the element's first value, or "".
func (d dataset) text(t tag.Tag) string {
	if v := d.texts(t); len(v) > 0 {
		return v[0]
	}
	return ""
}

// integer returns a single whole number; ok is false where the element is absent or
// empty, and an error says that it holds something else.
func (d dataset) integer(t tag.Tag) (v int, ok bool, err error) {
	e := d.at(t)
	if e == nil {
		return 0, false, nil
	}
	return whole(e)
}

// decimals returns finite numbers; nil where the element is absent or empty.
func (d dataset) decimals(t tag.Tag) ([]float64, error) {
	e := d.at(t)
	if e == nil {
		return nil, nil
	}
	return numbers(e)
}

// bytes returns the value of an element that is handed over raw.
func (d dataset) bytes(t tag.Tag) []byte {
	if e := d.at(t); e != nil {
		b, _ := e.Value.GetValue().([]byte)
		return b
	}
	return nil
}

func texts(e *dicom.Element) []string {
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

func text(e *dicom.Element) string {
	if v := texts(e); len(v) > 0 {
		return v[0]
	}
	return ""
}

func numbers(e *dicom.Element) ([]float64, error) {
	var got []float64
	switch values := e.Value.GetValue().(type) {
	case []float64:
		got = values
	case []int:
		for _, v := range values {
			got = append(got, float64(v))
		}
	case []string:
		for _, s := range texts(e) {
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

func whole(e *dicom.Element) (v int, ok bool, err error) {
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
		s := text(e)
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

// wrongKind says that the value representation is not what the attribute has.
func wrongKind(e *dicom.Element) error {
	return fmt.Errorf("value representation %.2q cannot hold it", e.RawValueRepresentation)
}
