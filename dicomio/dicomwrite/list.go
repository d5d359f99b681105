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

	"github.com/t2map/t2map/dicomio/internal/elements"
)

// List gathers the elements of a file or of an item of a sequence. The first error stays,
// and is returned when the file is written.
type List struct {
	elements []*dicom.Element
	err      error
}

// Add adds an element with a value of a type that the DICOM library accepts.
func (l *List) Add(t tag.Tag, vr string, value any) {
	v, err := dicom.NewValue(value)
	if err != nil {
		l.fail(t, err)
		return
	}
	l.elements = append(l.elements, &dicom.Element{
		Tag: t, ValueRepresentation: tag.GetVRKind(t, vr), RawValueRepresentation: vr, Value: v,
	})
}

func (l *List) fail(t tag.Tag, err error) {
	if l.err != nil {
		return
	}
	name := "private"
	if info, err := tag.Find(t); err == nil {
		name = info.Keyword
	}
	l.err = fmt.Errorf("%s %v: %w", name, t, err)
}

// longestText is the longest text in explicit encodings (PS3.5 7.1.2), less one for
// padding.
const longestText = math.MaxUint16 - 1

// Text adds a text of the value representation that the data dictionary names.
func (l *List) Text(t tag.Tag, values ...string) {
	length := max(len(values)-1, 0) // the backslashes
	for _, v := range values {
		length += len(v)
	}
	if length > longestText {
		l.fail(t, fmt.Errorf("got %d bytes, want at most %d", length, longestText))
		return
	}
	l.Add(t, tag.MustFind(t).VRs[0], values)
}

// TextIfSet adds a text unless it is empty.
func (l *List) TextIfSet(t tag.Tag, value string) {
	if value != "" {
		l.Text(t, value)
	}
}

// set replaces the attribute.
func (l *List) set(t tag.Tag, values ...string) {
	l.drop(t)
	l.Text(t, values...)
}

// drop removes the attribute.
func (l *List) drop(t tag.Tag) {
	l.elements = slices.DeleteFunc(l.elements, func(e *dicom.Element) bool { return e.Tag == t })
}

// PrivateText adds an LO that is not in the data dictionary.
func (l *List) PrivateText(t tag.Tag, value string) { l.Add(t, "LO", []string{value}) }

// WholeIfSet adds a whole number as text unless it is 0.
func (l *List) WholeIfSet(t tag.Tag, value int) {
	if value != 0 {
		l.Text(t, strconv.Itoa(value))
	}
}

// Short adds a US value.
func (l *List) Short(t tag.Tag, value int) { l.Add(t, "US", []int{value}) }

// Longs adds UL values.
func (l *List) Longs(t tag.Tag, values ...int) { l.Add(t, "UL", values) }

// Pointer adds the tag of another attribute as a value (AT).
func (l *List) Pointer(t, target tag.Tag) {
	l.Add(t, "AT", []int{int(target.Group), int(target.Element)})
}

// Numbers adds decimal strings.
func (l *List) Numbers(t tag.Tag, values ...float64) {
	if !l.finite(t, values...) {
		return
	}
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = decimalString(v)
	}
	l.Text(t, texts...)
}

// Doubles adds FD values.
func (l *List) Doubles(t tag.Tag, values ...float64) {
	if l.finite(t, values...) {
		l.Add(t, "FD", values)
	}
}

// scaleSlopeOwner is the tag of the creator of Scale Slope in files of Philips' scanners (as
// in the data of neurolabusc/dcm_qa_philips_enh).
var scaleSlopeOwner = tag.Tag{Group: 0x2005, Element: 0x0010}

// PhilipsScaleSlope adds the private attribute (2005,100E), rounded to float32, and its
// creator.
func (l *List) PhilipsScaleSlope(value float64) {
	if l.finite(elements.PhilipsScaleSlope, float64(float32(value))) {
		l.PrivateText(scaleSlopeOwner, "Philips MR Imaging DD 001")
		l.Add(elements.PhilipsScaleSlope, "FL", []float64{value})
	}
}

func (l *List) finite(t tag.Tag, values ...float64) bool {
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			l.fail(t, fmt.Errorf("got %v, want a finite number", v))
			return false
		}
	}
	return true
}

// Sequence adds a sequence with one item for each function, which fills it.
func (l *List) Sequence(t tag.Tag, fill ...func(*List)) {
	items := make([]List, len(fill))
	for i, f := range fill {
		f(&items[i])
	}
	l.Items(t, items)
}

// Items adds a sequence of the items, and sorts the elements of each.
func (l *List) Items(t tag.Tag, items []List) {
	values := make([][]*dicom.Element, len(items))
	for i, item := range items {
		if item.err != nil {
			l.fail(t, fmt.Errorf("item %d: %w", i+1, item.err))
			return
		}
		item.sort()
		values[i] = item.elements
	}
	l.Add(t, "SQ", values)
}

func (l *List) sort() {
	slices.SortStableFunc(l.elements, func(a, b *dicom.Element) int {
		return cmp.Compare(a.Tag.Uint32(), b.Tag.Uint32())
	})
}

// NumberIfSet adds a decimal string unless the value is 0.
func (l *List) NumberIfSet(t tag.Tag, value float64) {
	if value != 0 {
		l.Numbers(t, value)
	}
}

// decimalString returns the text of at most 16 characters that is closest to v; of two that
// are equally close, the one without an exponent.
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
		if len(text) <= maxDS && (best == "" || deviation(text, v) < deviation(best, v)) {
			best = text
		}
	}
	return best
}

func deviation(text string, v float64) float64 {
	got, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return math.Inf(1)
	}
	return math.Abs(got - v)
}

// Override changes one attribute.
func (l *List) Override(o Override) error {
	info, err := tag.FindByKeyword(o.Keyword)
	if err != nil {
		return errors.New("not a keyword of the data dictionary")
	}
	l.drop(info.Tag)
	if o.Values == nil {
		if info.Tag.Group == tag.MetadataGroup {
			l.elements = append(l.elements, &dicom.Element{Tag: info.Tag}) // keeps meta from filling it in
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
		l.Add(info.Tag, vr, whole)
	case "FL", "FD":
		numbers := make([]float64, len(o.Values))
		for i, s := range o.Values {
			if numbers[i], err = strconv.ParseFloat(s, 64); err != nil {
				return err
			}
		}
		l.Add(info.Tag, vr, numbers)
	case "SQ", "OB", "OW", "OF", "OD", "OL", "UN", "AT":
		return fmt.Errorf("value representation %s can only be removed", vr)
	default:
		l.Add(info.Tag, vr, o.Values)
	}
	return l.err
}

// Has reports whether the list has the attribute.
func (l *List) Has(t tag.Tag) bool { return l.find(t) != nil }

// Equal reports whether two lists without errors have the same elements.
func (l *List) Equal(other *List) bool {
	return l.err == nil && other.err == nil && slices.EqualFunc(l.elements, other.elements, (*dicom.Element).Equals)
}

// find returns the element with the tag, or nil.
func (l *List) find(t tag.Tag) *dicom.Element {
	i := slices.IndexFunc(l.elements, func(e *dicom.Element) bool { return e.Tag == t })
	if i < 0 {
		return nil
	}
	return l.elements[i]
}

// meta adds the file meta group (PS3.10 7.1), except for attributes that an override has
// set or removed. Class and instance are those of the data set.
func (l *List) meta(syntax string) {
	if l.find(tag.FileMetaInformationVersion) == nil {
		l.Add(tag.FileMetaInformationVersion, "OB", []byte{0, 1})
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
			l.Text(m.meta, m.value)
		} else if e := l.find(m.data); e != nil {
			l.Text(m.meta, e.Value.GetValue().([]string)...)
		}
	}
}

// WriteFile changes the list as the overrides say, adds the file meta group and writes the
// file. Nothing is written if there is an error.
func (l *List) WriteFile(w io.Writer, enc Encoding, overrides []Override) error {
	if l.err != nil {
		return l.err
	}
	for _, o := range overrides {
		if err := l.Override(o); err != nil {
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
func (l *List) write(out *bytes.Buffer, enc Encoding) error {
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
	if err := writeElements(&meta, l.elements[:first], Encoding{order: binary.LittleEndian}); err != nil {
		return err
	}
	length, err := dicom.NewElement(tag.FileMetaInformationGroupLength, []int{meta.Len()})
	if err != nil {
		return err
	}
	out.Write(make([]byte, 128))
	out.WriteString("DICM")
	if err := writeElements(out, []*dicom.Element{length}, Encoding{order: binary.LittleEndian}); err != nil {
		return err
	}
	out.Write(meta.Bytes())
	if !enc.deflated {
		return writeElements(out, l.elements[first:], enc)
	}
	return writeDeflated(out, l.elements[first:], enc)
}

func writeElements(out io.Writer, elements []*dicom.Element, enc Encoding) error {
	w, err := dicom.NewWriter(out)
	if err != nil {
		return err
	}
	w.SetTransferSyntax(enc.order, enc.implicit)
	for _, e := range elements {
		if e.Value == nil {
			continue // removed by an override
		}
		if err := w.WriteElement(e); err != nil {
			return fmt.Errorf("%v: %w", e.Tag, err)
		}
	}
	return nil
}

// writeDeflated compresses the data set (RFC 1951, PS3.5 A.5), which the
// library does not do, and pads it to an even length.
func writeDeflated(out *bytes.Buffer, elements []*dicom.Element, enc Encoding) error {
	start := out.Len()
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
	if (out.Len()-start)%2 != 0 {
		out.WriteByte(0)
	}
	return nil
}
