package dicomio

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/suyashkumar/dicom/pkg/tag"
	"github.com/suyashkumar/dicom/pkg/uid"
)

// The DICOM library allocates what an element's length promises before it reads
// a byte of it, so that a file of 500 bytes can ask for 4 GiB, which no recover
// catches; and one private element that it stumbles over costs it the file. So
// guard walks the elements first, refuses lengths that the file cannot hold, and
// hands the library a small file of those elements alone that a header is read
// from.

const (
	// deepest is the number of sequences within each other that are followed;
	// real MR images have at most six.
	deepest = 16
	// longestValue bounds the elements that a header is read from. The longest
	// of them in use hold some hundred bytes.
	longestValue = 1 << 14
	// mostInflated bounds what a deflated data set may hold: 256 MiB, far above
	// any single image.
	mostInflated = 1 << 28
	undefined    = 0xFFFFFFFF
)

// outline is what guard finds in a file.
type outline struct {
	class, syntax string // of the file meta group: SOP class and transfer syntax
	// elements are the wanted elements of the data set, as they stand in it.
	elements []byte
	order    binary.ByteOrder
	implicit bool
	// pixels is PixelData, its length checked; nil where there is none. inflated
	// is the data set that its place refers to, nil where that is the file.
	pixels   *element
	inflated []byte
}

// elementWalker is a way through the elements of a file.
type elementWalker struct {
	r        io.ReaderAt
	size     int64
	order    binary.ByteOrder
	implicit bool
	out      *outline
	block    []byte // what was read last, to spare a read per element
	blockAt  int64
}

// errNoSyntax says that nothing tells how the data set is written.
var errNoSyntax = errors.New("no transfer syntax")

// promiseError says that an element's length is more than there is.
type promiseError struct {
	tag      tag.Tag
	promised int64
	left     int64
}

func (e *promiseError) Error() string {
	return fmt.Sprintf("element (%04X,%04X) promises %d bytes, %d are left", e.tag.Group, e.tag.Element, e.promised, e.left)
}

// guard walks the file of that size after its preamble, up to its pixels. On an
// error the outline holds what stands before it.
func guard(r io.ReaderAt, size int64) (outline, error) {
	out := outline{order: binary.LittleEndian}
	w := &elementWalker{r: r, size: size, order: out.order, out: &out}
	pos, err := w.meta(int64(128 + len(magic)))
	if err != nil {
		return out, err
	}
	switch out.syntax {
	case "":
		return out, errNoSyntax
	case uid.ImplicitVRLittleEndian:
		out.implicit = true
	case uid.ExplicitVRBigEndian:
		out.order = binary.BigEndian
	case uid.DeflatedExplicitVRLittleEndian:
		out.inflated, err = io.ReadAll(io.LimitReader(flate.NewReader(io.NewSectionReader(r, pos, size-pos)), mostInflated+1))
		if len(out.inflated) > mostInflated {
			return out, fmt.Errorf("the data set inflates to more than %d MiB", mostInflated>>20)
		}
		if err != nil {
			return out, fmt.Errorf("the data set cannot be inflated: %w", err)
		}
		w = &elementWalker{r: bytes.NewReader(out.inflated), size: int64(len(out.inflated)), out: &out}
		pos = 0
	}
	w.order, w.implicit = out.order, out.implicit
	_, err = w.walk(pos, w.size, 0)
	return out, err
}

// meta goes through the file meta group, which is explicit little endian in every
// file, and returns where the data set begins.
func (w *elementWalker) meta(pos int64) (int64, error) {
	for pos < w.size {
		if group, err := w.bytes(pos, 2); err != nil || w.order.Uint16(group) != 2 {
			return pos, nil // what is wrong comes up in the data set
		}
		e, err := w.header(pos, w.size)
		if err != nil {
			return pos, err
		}
		if e.length == undefined {
			return pos, fmt.Errorf("element (%04X,%04X) of the file meta group has no length", e.tag.Group, e.tag.Element)
		}
		for _, into := range []struct {
			tag  tag.Tag
			text *string
		}{{tag.MediaStorageSOPClassUID, &w.out.class}, {tag.TransferSyntaxUID, &w.out.syntax}} {
			if e.tag != into.tag || e.length > 64 { // the longest UID
				continue
			}
			value, err := w.bytes(e.value, int(e.length))
			if err != nil {
				return pos, err
			}
			*into.text = string(bytes.Trim(value, " \x00"))
		}
		pos = e.value + e.length
	}
	return pos, nil
}

// element is the header of a data element; value is where its value begins.
type element struct {
	tag    tag.Tag
	vr     string
	length int64
	value  int64
}

// These tags delimit sequences; they have no VR in any syntax (PS3.5 7.5).
var (
	itemTag     = tag.Tag{Group: 0xFFFE, Element: 0xE000}
	itemEndTag  = tag.Tag{Group: 0xFFFE, Element: 0xE00D}
	sequenceEnd = tag.Tag{Group: 0xFFFE, Element: 0xE0DD}
)

// header reads the element at pos and checks its length against end.
func (w *elementWalker) header(pos, end int64) (element, error) {
	b, err := w.bytes(pos, 8)
	if err != nil {
		return element{}, err
	}
	e := element{tag: tag.Tag{Group: w.order.Uint16(b), Element: w.order.Uint16(b[2:])}, value: pos + 8}
	switch {
	case e.tag.Group == 0xFFFE:
		e.length = int64(w.order.Uint32(b[4:]))
	case w.implicit:
		e.length = int64(w.order.Uint32(b[4:]))
		if info, err := tag.Find(e.tag); err == nil {
			e.vr = info.VRs[0]
		}
		if e.tag == tag.PixelData {
			e.vr = "OW" // PS3.5 A.1
		}
	default:
		e.vr, e.length = string(b[4:6]), int64(w.order.Uint16(b[6:]))
		switch e.vr {
		case "OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV":
			// Two reserved bytes and a length of 32 bits (PS3.5 7.1.2).
			if b, err = w.bytes(pos+8, 4); err != nil {
				return element{}, err
			}
			e.length, e.value = int64(w.order.Uint32(b)), pos+12
		}
	}
	if e.length != undefined && e.length > end-e.value {
		return e, &promiseError{e.tag, e.length, end - e.value}
	}
	return e, nil
}

// walk goes through elements from pos to end, or to the end of an item, and
// returns where it stopped. At the top it gathers the wanted ones, and PixelData
// ends it: nothing from there on is read.
func (w *elementWalker) walk(pos, end int64, depth int) (int64, error) {
	for pos < end {
		e, err := w.header(pos, end)
		if err != nil {
			return pos, err
		}
		next := e.value + e.length
		switch {
		case e.tag == itemEndTag:
			return e.value, nil
		case e.vr == "SQ" || e.length == undefined:
			if next, err = w.items(e, end, depth+1); err != nil {
				return pos, err
			}
		case depth == 0 && wanted[e.tag] && e.length <= longestValue:
			raw, err := w.bytes(pos, int(next-pos))
			if err != nil {
				return pos, err
			}
			w.out.elements = append(w.out.elements, raw...)
		}
		if e.tag == tag.PixelData && depth == 0 {
			w.out.pixels = &e
			return pos, nil
		}
		pos = next
	}
	return pos, nil
}

// items goes through the items of a sequence, or the fragments of pixels.
func (w *elementWalker) items(of element, end int64, depth int) (int64, error) {
	if depth > deepest {
		return of.value, fmt.Errorf("more than %d sequences within each other", deepest)
	}
	pos := of.value
	if of.length != undefined {
		end = pos + of.length
	}
	inside := *w
	if of.vr == "UN" {
		// Whatever the syntax, these are implicit little endian (PS3.5 6.2.2).
		inside.order, inside.implicit = binary.LittleEndian, true
	}
	fragments := of.vr == "OB" || of.vr == "OW"
	for pos < end {
		e, err := inside.header(pos, end)
		if err != nil {
			return pos, err
		}
		switch {
		case e.tag == sequenceEnd:
			return e.value, nil
		case e.tag != itemTag:
			return pos, fmt.Errorf("element (%04X,%04X) holds something that is no item", of.tag.Group, of.tag.Element)
		case fragments && e.length != undefined:
			pos = e.value + e.length
		case e.length == undefined:
			pos, err = inside.walk(e.value, end, depth)
		default:
			if _, err = inside.walk(e.value, e.value+e.length, depth); err == nil {
				pos = e.value + e.length
			}
		}
		if err != nil {
			return pos, err
		}
	}
	return pos, nil
}

// bytes returns n bytes at pos, reading ahead.
func (w *elementWalker) bytes(pos int64, n int) ([]byte, error) {
	if at := pos - w.blockAt; at >= 0 && at+int64(n) <= int64(len(w.block)) {
		return w.block[at : at+int64(n)], nil
	}
	const ahead = 4096
	block := make([]byte, max(n, ahead))
	read, err := w.r.ReadAt(block, pos)
	w.block, w.blockAt = block[:read], pos
	if read >= n {
		return w.block[:n], nil
	}
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return nil, err
}

// file returns the wanted elements as a DICOM file of their own, for the library
// to parse.
func (o *outline) file() io.Reader {
	syntax := uid.ExplicitVRLittleEndian
	switch {
	case o.implicit:
		syntax = uid.ImplicitVRLittleEndian
	case o.order == binary.BigEndian:
		syntax = uid.ExplicitVRBigEndian
	}
	if len(syntax)%2 != 0 {
		syntax += "\x00"
	}
	head := append(make([]byte, 128), magic...)
	head = append(head, 2, 0, 0, 0, 'U', 'L', 4, 0)
	head = binary.LittleEndian.AppendUint32(head, uint32(8+len(syntax)))
	head = append(head, 2, 0, 0x10, 0, 'U', 'I', byte(len(syntax)), 0)
	head = append(head, syntax...)
	return io.MultiReader(bytes.NewReader(head), bytes.NewReader(o.elements))
}
