package elements

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/suyashkumar/dicom/pkg/tag"
)

// elementWalker walks the elements of a file.
type elementWalker struct {
	in       *window
	size     int64
	order    byteOrder
	implicit bool
	foreign  bool // within UN in a big-endian file, where the byte order differs
	out      *Outline
	texts    TextFunc // nil if private texts are not wanted
}

// byteOrder reads and appends numbers.
type byteOrder interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

// Element is the header of a data element; Value is the offset of its value.
type Element struct {
	Tag    tag.Tag
	VR     string
	Length int64
	Value  int64
}

// These tags delimit sequences; they have no VR in any syntax (PS3.5 7.5).
var (
	itemTag     = tag.Tag{Group: 0xFFFE, Element: 0xE000}
	itemEndTag  = tag.Tag{Group: 0xFFFE, Element: 0xE00D}
	sequenceEnd = tag.Tag{Group: 0xFFFE, Element: 0xE0DD}
)

// vrs are the value representations of PS3.5 6.2, with the bytes of an element's
// header: 12 for those with two reserved bytes and a length of 32 bits (7.1.2).
var vrs = map[string]int64{
	"AE": 8, "AS": 8, "AT": 8, "CS": 8, "DA": 8, "DS": 8, "DT": 8, "FD": 8, "FL": 8, "IS": 8, "LO": 8, "LT": 8, "PN": 8,
	"SH": 8, "SL": 8, "SS": 8, "ST": 8, "TM": 8, "UI": 8, "UL": 8, "US": 8,
	"OB": 12, "OD": 12, "OF": 12, "OL": 12, "OV": 12, "OW": 12, "SQ": 12, "SV": 12, "UC": 12, "UN": 12, "UR": 12,
	"UT": 12, "UV": 12,
}

// letters is vrs indexed by the two letters, for speed: a file has an element every few
// bytes.
var letters [26][26]struct {
	vr   string
	head int64
}

func init() {
	for vr, head := range vrs {
		form := &letters[vr[0]-'A'][vr[1]-'A']
		form.vr, form.head = vr, head
	}
}

// vrOf returns the VR with these letters and the length of its element headers; "" and the
// most common length if the standard has no such VR.
func vrOf(b []byte) (vr string, head int64) {
	if x, y := b[0]-'A', b[1]-'A'; x < 26 && y < 26 && letters[x][y].head > 0 {
		return letters[x][y].vr, letters[x][y].head
	}
	return "", 8
}

// header reads the element at pos and checks its length against end.
func (w *elementWalker) header(pos, end int64) (Element, error) {
	if w.out.elements++; w.out.elements > mostElements {
		return Element{}, fmt.Errorf("more than %d data elements", mostElements)
	}
	b, err := w.in.bytes(pos, 8)
	if err != nil {
		return Element{}, err
	}
	e := Element{Tag: w.tagOf(b), Value: pos + 8}
	switch {
	case e.Tag.Group == 0xFFFE:
		e.Length = int64(w.order.Uint32(b[4:]))
	case w.implicit:
		e.Length = int64(w.order.Uint32(b[4:]))
	default:
		if err := w.explicit(&e, b, end); err != nil {
			return Element{}, err
		}
	}
	if e.Length != Undefined && e.Length > end-e.Value {
		return e, &PromiseError{e.Tag, e.Length, end - e.Value}
	}
	return e, nil
}

// explicit reads the VR and the length of an element whose first 8 bytes are b. If they are
// not a VR of the standard, there are three possibilities: a VR of a later standard, with a
// length of 32 bits (PS3.5 7.1.2); a VR of a vendor, with 16; or no VR, if this element was
// written without one.
func (w *elementWalker) explicit(e *Element, b []byte, end int64) error {
	var head int64
	e.VR, head = vrOf(b[4:6])
	e.Length = int64(w.order.Uint16(b[6:]))
	switch {
	case e.VR == "" && !isUpper(b[4:6]):
		if long := int64(w.order.Uint32(b[4:])); long <= end-e.Value || long == Undefined {
			e.Length = long
		}
		return nil
	case head == 8 && (e.VR != "" || e.Length != 0):
		return nil
	}
	b, err := w.in.bytes(e.Value, 4)
	if e.VR == "" && (err != nil || w.tagOf(b).Compare(e.Tag) > 0) {
		return nil // an empty value, followed by the next element
	}
	if err != nil {
		return err
	}
	e.Length, e.Value = int64(w.order.Uint32(b)), e.Value+4
	return nil
}

func (w *elementWalker) tagOf(b []byte) tag.Tag {
	return tag.Tag{Group: w.order.Uint16(b), Element: w.order.Uint16(b[2:])}
}

func isUpper(b []byte) bool {
	return b[0] >= 'A' && b[0] <= 'Z' && b[1] >= 'A' && b[1] <= 'Z'
}

// walk walks the elements from pos to end, or to the end of an item, gathers the wanted
// ones and returns where it stopped. At the top level it stops at PixelData, after the
// headers of its fragments.
func (w *elementWalker) walk(pos, end int64, depth int, want Wish) (int64, error) {
	var known blocks
	for pos < end {
		e, err := w.header(pos, end)
		if err != nil {
			return pos, err
		}
		if depth == 0 && e.Tag == tag.PixelData {
			if w.implicit {
				e.VR = "OW" // PS3.5 A.1
			}
			pixels := e // a copy, so that only this element is moved to the heap
			w.out.Pixels = &pixels
			if e.Length == Undefined {
				_, err = w.fragments(e, end, &w.out.Fragments)
			}
			return pos, err
		}
		inside, wanted := want[e.Tag]
		if e.Tag.Group%2 == 1 && want != nil {
			if inside, wanted, err = w.lookup(&e, want, &known); err != nil {
				return pos, err
			}
		}
		next := e.Value + e.Length
		if depth == 0 {
			w.out.complete = len(w.out.wanted)
		}
		switch {
		case e.Tag == itemEndTag:
			return e.Value, nil
		case e.Length == Undefined && (e.VR == "OB" || e.VR == "OW"):
			// Pixels of an icon (PS3.3 C.7.6.1.1.6), for example, are not data sets.
			if next, err = w.fragments(e, end, nil); err != nil {
				return pos, err
			}
		case w.isSequence(e, inside != nil):
			if next, err = w.items(e, end, depth+1, inside); err != nil {
				return pos, err
			}
		default:
			if err := w.plain(e, depth, wanted && inside == nil); err != nil {
				return pos, err
			}
		}
		pos = next
	}
	return pos, nil
}

// plain reads an element that is not a sequence.
func (w *elementWalker) plain(e Element, depth int, wanted bool) error {
	switch {
	case depth == 0 && e.Tag == tag.SpecificCharacterSet && e.Length <= LongestValue:
		value, err := w.in.bytes(e.Value, int(e.Length))
		w.out.charset = string(value)
		return err
	case depth == 0 && e.Tag == tag.ExtendedOffsetTable:
		w.out.offsets = e
	case wanted:
		return w.gather(e)
	case w.texts != nil && mayBeText(e):
		return w.text(e)
	}
	return nil
}

// isSequence reports whether the element contains items. If that is not certain, it does so
// only if a sequence is wanted.
func (w *elementWalker) isSequence(e Element, wanted bool) bool {
	switch {
	case e.VR == "SQ", e.Length == Undefined:
		return true
	case w.implicit && !wanted:
		info, err := tag.Find(e.Tag)
		return err == nil && info.VRs[0] == "SQ"
	}
	return wanted && (e.VR == "" || e.VR == "UN")
}

// items walks the items of a sequence.
func (w *elementWalker) items(parent Element, end int64, depth int, want Wish) (int64, error) {
	if depth > Deepest {
		return parent.Value, fmt.Errorf("sequences nested deeper than %d", Deepest)
	}
	pos := parent.Value
	if parent.Length != Undefined {
		end = pos + parent.Length
	}
	inside := *w
	if parent.VR == "UN" {
		// These are implicit little endian in any syntax (PS3.5 6.2.2).
		inside.order, inside.implicit, inside.foreign = binary.LittleEndian, true, w.out.order == binary.BigEndian
	}
	if want != nil {
		w.open(parent.Tag, "SQ")
		defer w.open(sequenceEnd, "")
	}
	for pos < end {
		e, err := inside.header(pos, end)
		switch {
		case err == io.EOF:
			return pos, io.ErrUnexpectedEOF
		case err != nil:
			return pos, err
		case e.Tag == sequenceEnd:
			return e.Value, nil
		case e.Tag != itemTag:
			return pos, fmt.Errorf("element (%04X,%04X) contains something other than items", parent.Tag.Group,
				parent.Tag.Element)
		}
		itemEnd := end
		if e.Length != Undefined {
			itemEnd = e.Value + e.Length
		}
		if want != nil {
			if err := w.count(); err != nil {
				return pos, err
			}
			w.open(itemTag, "")
		}
		if pos, err = inside.walk(e.Value, itemEnd, depth, want); err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return pos, err
		}
		if want != nil {
			w.open(itemEndTag, "")
		}
		if e.Length != Undefined {
			pos = itemEnd
		}
	}
	return pos, nil
}

// fragments walks the items of encapsulated pixel data and adds them to list.
func (w *elementWalker) fragments(parent Element, end int64, list *[]Fragment) (int64, error) {
	for pos := parent.Value; pos < end; {
		e, err := w.header(pos, end)
		switch {
		case err != nil:
			return pos, err
		case e.Tag == sequenceEnd:
			return e.Value, nil
		case e.Tag != itemTag || e.Length == Undefined:
			return pos, fmt.Errorf("element (%04X,%04X) contains something other than fragments", parent.Tag.Group,
				parent.Tag.Element)
		}
		if list != nil {
			if len(*list) == mostFragments {
				return pos, fmt.Errorf("element (%04X,%04X) has more than %d fragments", parent.Tag.Group,
					parent.Tag.Element, mostFragments)
			}
			*list = append(*list, Fragment{e.Value, e.Length})
		}
		pos = e.Value + e.Length
	}
	return end, io.ErrUnexpectedEOF
}

// count counts the elements that are passed to the library.
func (w *elementWalker) count() error {
	if w.out.gathered++; w.out.gathered > w.out.most {
		return fmt.Errorf("more than %d data elements of a header, too many for a file of this size", w.out.most)
	}
	return nil
}

// open writes the beginning of a sequence or of an item, or the end of one: lengths are
// undefined, and an end has length 0.
func (w *elementWalker) open(t tag.Tag, vr string) {
	b := w.out.order.AppendUint16(w.out.wanted, t.Group)
	b = w.out.order.AppendUint16(b, t.Element)
	if vr != "" {
		b = append(append(b, vr...), 0, 0)
	}
	length := uint32(Undefined)
	if t == itemEndTag || t == sequenceEnd {
		length = 0
	}
	w.out.wanted = w.out.order.AppendUint32(b, length)
}

// gather copies an element for the library, in explicit VR.
func (w *elementWalker) gather(e Element) error {
	if w.foreign {
		return nil
	}
	raw := rawTags[e.Tag]
	most := int64(LongestValue)
	if raw {
		most = LongestContours - int64(len(w.out.wanted))
	}
	if e.Length > most {
		w.out.TooLong = append(w.out.TooLong, e.Tag)
		return nil
	}
	if err := w.count(); err != nil {
		return err
	}
	value, err := w.in.bytes(e.Value, int(e.Length))
	if err != nil {
		return err
	}
	order, vr := w.out.order, "OB"
	if !raw {
		vr = e.libraryVR()
	}
	b := order.AppendUint16(w.out.wanted, e.Tag.Group)
	b = order.AppendUint16(b, e.Tag.Element)
	b = append(b, vr...)
	if vrs[vr] == 12 {
		b = order.AppendUint32(append(b, 0, 0), uint32(e.Length))
	} else {
		b = order.AppendUint16(b, uint16(e.Length))
	}
	w.out.wanted = append(b, value...)
	return nil
}

// rawTags are elements that are passed to the library as bytes: long texts, in which it would
// make a string of every number.
var rawTags = map[tag.Tag]bool{tag.ContourData: true}

// libraryVR returns the VR for the library: that of the data dictionary if the file has none,
// and OB instead of VRs that the library misreads.
func (e Element) libraryVR() string {
	vr := e.VR
	if vr == "" || vr == "UN" {
		vr = "UN"
		if info, err := tag.Find(e.Tag); err == nil {
			vr = info.VRs[0]
		} else if private := privateVR(e.Tag); private != "" {
			vr = private
		}
	}
	switch vr {
	case "OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UN", "UV":
		return "OB"
	}
	return vr
}

// holds reports whether the last byte of the pixels is present. In a file that is not
// deflated, the check of its lengths has shown that.
func (w *elementWalker) holds(pixels *Element) bool {
	z, inflating := w.in.r.(*inflated)
	return !inflating || pixels.Length == Undefined || z.reach(pixels.Value+pixels.Length)
}
