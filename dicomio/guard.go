package dicomio

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/suyashkumar/dicom/pkg/tag"
	"github.com/suyashkumar/dicom/pkg/uid"
)

// The DICOM library allocates what an element's length promises before it reads
// a byte of it, so that a file of 500 bytes can ask for 4 GiB, which no recover
// catches. guard walks the elements first, as the library will, and refuses
// lengths that the file cannot hold.

const (
	// deepest is the number of sequences within each other that are followed;
	// real MR images have at most four.
	deepest = 16
	// mostElements bounds the elements of a header; vendors' largest have some
	// thousands.
	mostElements = 1 << 16
	// mostInflated bounds what a deflated data set may hold: 256 MiB, far above
	// any single image.
	mostInflated = 1 << 28
	undefined    = 0xFFFFFFFF
)

// elementWalker is a way through the elements of a file.
type elementWalker struct {
	r        io.ReaderAt
	size     int64
	order    binary.ByteOrder
	implicit bool
	elements int
	pixels   *element // PixelData, once come upon
	block    []byte   // what was read last, to spare a read per element
	blockAt  int64
}

// promiseError says that an element's length is more than there is.
type promiseError struct {
	tag      tag.Tag
	promised int64
	left     int64
}

func (e *promiseError) Error() string {
	return fmt.Sprintf("element (%04X,%04X) promises %d bytes, %d are left", e.tag.Group, e.tag.Element, e.promised, e.left)
}

// guard walks the file of that size after its preamble, up to its pixels. It
// returns how much of the file the library may see: what stands before the pixels,
// or before the data element that is the error; all of it where there are no
// pixels or the data set is deflated. PixelData is returned where it was come
// upon, its length checked.
func guard(r io.ReaderAt, size int64) (safe int64, pixels *element, err error) {
	w := &elementWalker{r: r, size: size, order: binary.LittleEndian}
	pos, syntax, err := w.meta(int64(128 + len(magic)))
	if err != nil {
		return pos, nil, err
	}
	switch syntax {
	case uid.ImplicitVRLittleEndian:
		w.implicit = true
	case uid.ExplicitVRBigEndian:
		w.order = binary.BigEndian
	case uid.DeflatedExplicitVRLittleEndian:
		data, err := io.ReadAll(io.LimitReader(flate.NewReader(io.NewSectionReader(r, pos, size-pos)), mostInflated+1))
		if len(data) > mostInflated {
			return pos, nil, fmt.Errorf("the data set inflates to more than %d MiB", mostInflated>>20)
		}
		if err != nil {
			return pos, nil, fmt.Errorf("the data set cannot be inflated: %w", err)
		}
		w = &elementWalker{r: bytes.NewReader(data), size: int64(len(data)), order: binary.LittleEndian}
		if _, err := w.walk(0, w.size, 0); err != nil {
			return pos, nil, err
		}
		return size, nil, nil // the library has to inflate it all
	}
	safe, err = w.walk(pos, w.size, 0)
	return safe, w.pixels, err
}

// meta goes through the file meta group, which is explicit little endian in every
// file, and returns where the data set begins and its transfer syntax.
func (w *elementWalker) meta(pos int64) (int64, string, error) {
	syntax := ""
	for pos < w.size {
		if group, err := w.bytes(pos, 2); err != nil || w.order.Uint16(group) != 2 {
			return pos, syntax, nil // what is wrong comes up in the data set
		}
		e, err := w.header(pos, w.size)
		if err != nil {
			return pos, syntax, err
		}
		if e.tag == tag.TransferSyntaxUID && e.length <= 64 { // the longest UID
			value, err := w.bytes(e.value, int(e.length))
			if err != nil {
				return pos, syntax, err
			}
			syntax = string(bytes.TrimRight(value, " \x00"))
		}
		pos = e.value + e.length
	}
	return pos, syntax, nil
}

// element is the header of a data element; value is where its value begins.
type element struct {
	tag    tag.Tag
	vr     string
	length int64
	value  int64
}

// item tags delimit sequences; they have no VR in any syntax (PS3.5 7.5).
var (
	itemTag     = tag.Tag{Group: 0xFFFE, Element: 0xE000}
	itemEndTag  = tag.Tag{Group: 0xFFFE, Element: 0xE00D}
	sequenceEnd = tag.Tag{Group: 0xFFFE, Element: 0xE0DD}
)

// header reads the element at pos and checks its length against end.
func (w *elementWalker) header(pos, end int64) (element, error) {
	if w.elements++; w.elements > mostElements {
		return element{}, fmt.Errorf("more than %d elements", mostElements)
	}
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
		case "NA", "OB", "OD", "OF", "OL", "OW", "SQ", "UN", "UC", "UR", "UT":
			// The VRs whose length the library reads in 32 bits.
			if b, err = w.bytes(pos+8, 4); err != nil {
				return element{}, err
			}
			e.length, e.value = int64(w.order.Uint32(b)), pos+12
		default:
			if e.length == 0xFFFF {
				e.length = undefined // as the library takes it
			}
		}
	}
	if e.length != undefined && e.length > end-e.value {
		return e, &promiseError{e.tag, e.length, end - e.value}
	}
	return e, nil
}

// walk goes through elements from pos to end, or to the end of an item, and
// returns where it stopped: at an error, the element in which it is. PixelData at
// the top ends the walk before it: nothing from there on is read.
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
		case e.tag == tag.PixelData && depth == 0:
			if e.length == undefined {
				if _, err := w.items(e, end, depth+1); err != nil {
					return pos, err
				}
			}
			w.pixels = &e
			return pos, nil
		case e.vr == "SQ" || e.length == undefined:
			if next, err = w.items(e, end, depth+1); err != nil {
				return pos, err
			}
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
	fragments := of.tag == tag.PixelData || of.vr == "OB" || of.vr == "OW"
	for pos < end {
		e, err := w.header(pos, end)
		if err != nil {
			return pos, err
		}
		switch {
		case e.tag == sequenceEnd:
			return e.value, nil
		case fragments && e.length != undefined:
			pos = e.value + e.length
		case e.length == undefined:
			pos, err = w.walk(e.value, end, depth)
		default:
			if _, err = w.walk(e.value, e.value+e.length, depth); err == nil {
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
	if w.block == nil {
		w.block = make([]byte, ahead)
	}
	w.block = w.block[:ahead]
	read, err := w.r.ReadAt(w.block, pos)
	w.block, w.blockAt = w.block[:read], pos
	if read >= n {
		return w.block[:n], nil
	}
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return nil, err
}
