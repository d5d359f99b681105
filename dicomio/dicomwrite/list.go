package dicomwrite

import (
	"bytes"
	"cmp"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"
)

// attributeList gathers the elements of a file; the first error stays.
type attributeList struct {
	elements []*dicom.Element
	err      error
}

func (l *attributeList) add(t tag.Tag, vr string, value any) {
	v, err := dicom.NewValue(value)
	if err != nil {
		l.fail(t, err)
		return
	}
	l.elements = append(l.elements, &dicom.Element{
		Tag: t, ValueRepresentation: tag.GetVRKind(t, vr), RawValueRepresentation: vr, Value: v,
	})
}

func (l *attributeList) fail(t tag.Tag, err error) {
	if l.err != nil {
		return
	}
	name := "private"
	if info, err := tag.Find(t); err == nil {
		name = info.Keyword
	}
	l.err = fmt.Errorf("%s %v: %w", name, t, err)
}

// longestText is what the length field of a text holds in explicit encodings
// (PS3.5 7.1.2), less one so that padding fits.
const longestText = math.MaxUint16 - 1

func (l *attributeList) text(t tag.Tag, values ...string) {
	length := max(len(values)-1, 0) // the backslashes
	for _, v := range values {
		length += len(v)
	}
	if length > longestText {
		l.fail(t, fmt.Errorf("got %d bytes, want at most %d", length, longestText))
		return
	}
	l.add(t, tag.MustFind(t).VRs[0], values)
}

func (l *attributeList) textIfSet(t tag.Tag, value string) {
	if value != "" {
		l.text(t, value)
	}
}

// set replaces what the list says about the attribute.
func (l *attributeList) set(t tag.Tag, values ...string) {
	l.drop(t)
	l.text(t, values...)
}

// drop takes the attribute out of the list and says whether it was there.
func (l *attributeList) drop(t tag.Tag) bool {
	n := len(l.elements)
	l.elements = slices.DeleteFunc(l.elements, func(e *dicom.Element) bool { return e.Tag == t })
	return len(l.elements) < n
}

// privateText adds an LO that the data dictionary does not know.
func (l *attributeList) privateText(t tag.Tag, value string) { l.add(t, "LO", []string{value}) }

func (l *attributeList) wholeIfSet(t tag.Tag, value int) {
	if value != 0 {
		l.text(t, strconv.Itoa(value))
	}
}

func (l *attributeList) short(t tag.Tag, value int) { l.add(t, "US", []int{value}) }

// longs adds UL values.
func (l *attributeList) longs(t tag.Tag, values ...int) { l.add(t, "UL", values) }

// pointer adds the tag of an attribute as a value (AT).
func (l *attributeList) pointer(t, to tag.Tag) {
	l.add(t, "AT", []int{int(to.Group), int(to.Element)})
}

// numbers adds decimal strings.
func (l *attributeList) numbers(t tag.Tag, values ...float64) {
	if !l.finite(t, values...) {
		return
	}
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = decimalString(v)
	}
	l.text(t, texts...)
}

// doubles adds FD values.
func (l *attributeList) doubles(t tag.Tag, values ...float64) {
	if l.finite(t, values...) {
		l.add(t, "FD", values)
	}
}

// single adds an FL value, rounded to float32.
func (l *attributeList) single(t tag.Tag, value float64) {
	if l.finite(t, float64(float32(value))) {
		l.add(t, "FL", []float64{value})
	}
}

func (l *attributeList) finite(t tag.Tag, values ...float64) bool {
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			l.fail(t, fmt.Errorf("got %v, want a finite number", v))
			return false
		}
	}
	return true
}

// sequence adds a sequence with one item for each function that fills one.
func (l *attributeList) sequence(t tag.Tag, fill ...func(*attributeList)) {
	items := make([]attributeList, len(fill))
	for i, f := range fill {
		f(&items[i])
	}
	l.items(t, items)
}

// items adds a sequence of items that are filled, and puts these in order.
func (l *attributeList) items(t tag.Tag, items []attributeList) {
	values := make([][]*dicom.Element, len(items))
	for i, item := range items {
		if item.err != nil {
			l.fail(t, fmt.Errorf("item %d: %w", i+1, item.err))
			return
		}
		item.sort()
		values[i] = item.elements
	}
	l.add(t, "SQ", values)
}

func (l *attributeList) sort() {
	slices.SortStableFunc(l.elements, func(a, b *dicom.Element) int {
		return cmp.Compare(a.Tag.Uint32(), b.Tag.Uint32())
	})
}

func (l *attributeList) numberIfSet(t tag.Tag, value float64) {
	if value != 0 {
		l.numbers(t, value)
	}
}

// decimalString returns the text of at most 16 characters that comes closest
// to v; where two come equally close, the one without an exponent.
func decimalString(v float64) string {
	if v == 0 {
		return "0" // also for -0
	}
	best := ""
	for _, format := range []byte{'f', 'g'} {
		text := strconv.FormatFloat(v, format, -1, 64)
		// A float64 has at most 17 significant digits (IEEE 754).
		for digits := 17; len(text) > maxDS && digits >= 0; digits-- {
			text = strconv.FormatFloat(v, format, digits, 64)
		}
		if format == 'f' && strings.Contains(text, ".") {
			text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
		}
		if len(text) <= maxDS && (best == "" || misses(text, v) < misses(best, v)) {
			best = text
		}
	}
	return best
}

func misses(text string, v float64) float64 {
	got, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return math.Inf(1)
	}
	return math.Abs(got - v)
}

// override changes the list as o says.
func (l *attributeList) override(o Override) error {
	info, err := tag.FindByKeyword(o.Keyword)
	if err != nil {
		return errors.New("not a keyword of the data dictionary")
	}
	l.drop(info.Tag)
	if o.Values == nil {
		if info.Tag.Group == tag.MetadataGroup {
			l.elements = append(l.elements, &dicom.Element{Tag: info.Tag}) // keeps write from filling it in
		}
		return nil
	}
	switch vr := info.VRs[0]; vr {
	case "US", "SS", "UL", "SL":
		whole := make([]int, len(o.Values))
		for i, s := range o.Values {
			if whole[i], err = strconv.Atoi(s); err != nil {
				return err
			}
		}
		l.add(info.Tag, vr, whole)
	case "FL", "FD":
		numbers := make([]float64, len(o.Values))
		for i, s := range o.Values {
			if numbers[i], err = strconv.ParseFloat(s, 64); err != nil {
				return err
			}
		}
		l.add(info.Tag, vr, numbers)
	case "SQ", "OB", "OW", "OF", "OD", "OL", "UN", "AT":
		return fmt.Errorf("value representation %s can only be left out", vr)
	default:
		l.add(info.Tag, vr, o.Values)
	}
	return l.err
}

// find returns the element with the tag, or nil.
func (l *attributeList) find(t tag.Tag) *dicom.Element {
	i := slices.IndexFunc(l.elements, func(e *dicom.Element) bool { return e.Tag == t })
	if i < 0 {
		return nil
	}
	return l.elements[i]
}

// meta adds the file meta group (PS3.10 7.1), except for what an override has
// already said about it. Class and instance are those of the data set.
func (l *attributeList) meta(syntax string) {
	if l.find(tag.FileMetaInformationVersion) == nil {
		l.add(tag.FileMetaInformationVersion, "OB", []byte{0, 1})
	}
	for _, m := range []struct {
		meta, data tag.Tag
		value      string
	}{
		{meta: tag.MediaStorageSOPClassUID, data: tag.SOPClassUID},
		{meta: tag.MediaStorageSOPInstanceUID, data: tag.SOPInstanceUID},
		{meta: tag.TransferSyntaxUID, value: syntax},
		{meta: tag.ImplementationClassUID, value: implementationUID},
		{meta: tag.ImplementationVersionName, value: implementationName},
	} {
		if l.find(m.meta) != nil {
			continue
		}
		if m.value != "" {
			l.text(m.meta, m.value)
		} else if e := l.find(m.data); e != nil {
			l.text(m.meta, e.Value.GetValue().([]string)...)
		}
	}
}

// writeFile changes the list as the overrides say and writes it; nothing is
// written if that cannot be.
func (l *attributeList) writeFile(w io.Writer, enc encoding, overrides []Override) error {
	if l.err != nil {
		return l.err
	}
	for _, o := range overrides {
		if err := l.override(o); err != nil {
			return fmt.Errorf("override %s: %w", o.Keyword, err)
		}
	}
	var file bytes.Buffer
	if err := l.write(&file, enc); err != nil {
		return err
	}
	_, err := w.Write(file.Bytes())
	return err
}

// write encodes the list: preamble, file meta group in explicit little endian,
// data set as enc says.
func (l *attributeList) write(out *bytes.Buffer, enc encoding) error {
	l.meta(enc.syntax)
	if l.err != nil {
		return l.err
	}
	l.sort()
	first := slices.IndexFunc(l.elements, func(e *dicom.Element) bool { return e.Tag.Group != tag.MetadataGroup })
	if first < 0 {
		first = len(l.elements)
	}
	var meta bytes.Buffer
	if err := writeElements(&meta, l.elements[:first], encoding{order: binary.LittleEndian}); err != nil {
		return err
	}
	length, err := dicom.NewElement(tag.FileMetaInformationGroupLength, []int{meta.Len()})
	if err != nil {
		return err
	}
	out.Write(make([]byte, 128))
	out.WriteString("DICM")
	if err := writeElements(out, []*dicom.Element{length}, encoding{order: binary.LittleEndian}); err != nil {
		return err
	}
	out.Write(meta.Bytes())
	if !enc.deflated {
		return writeElements(out, l.elements[first:], enc)
	}
	return writeDeflated(out, l.elements[first:], enc)
}

func writeElements(out io.Writer, elements []*dicom.Element, enc encoding) error {
	w, err := dicom.NewWriter(out)
	if err != nil {
		return err
	}
	w.SetTransferSyntax(enc.order, enc.implicit)
	for _, e := range elements {
		if e.Value == nil {
			continue // left out by an override
		}
		if err := w.WriteElement(e); err != nil {
			return fmt.Errorf("%v: %w", e.Tag, err)
		}
	}
	return nil
}

// writeDeflated compresses the data set (RFC 1951, PS3.5 A.5), which the
// library does not do, and pads it to an even length.
func writeDeflated(out *bytes.Buffer, elements []*dicom.Element, enc encoding) error {
	before := out.Len()
	z, err := flate.NewWriter(out, flate.BestSpeed)
	if err != nil {
		return err
	}
	if err := writeElements(z, elements, enc); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	if (out.Len()-before)%2 != 0 {
		out.WriteByte(0)
	}
	return nil
}
