package dicomio

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/suyashkumar/dicom/pkg/tag"
	"github.com/suyashkumar/dicom/pkg/uid"

	"github.com/t2map/t2map/dicomio/internal/codec"
)

// Encapsulated pixels come in fragments (PS3.5 A.4), of which a frame has one or
// several. Which of them begin a frame is told by one of two tables of offsets or,
// where both are empty, by the fragments themselves.

// divide notes where the frames of encapsulated pixels begin.
func (h *header) divide(out *outline) error {
	if len(out.fragments) < 2 {
		return h.wrong(tag.PixelData, "no fragment holds a frame")
	}
	h.fragments = out.fragments[1:]
	starts, err := h.starts(out)
	if err != nil {
		e := h.wrong(tag.PixelData, "%s", err)
		e.Hint = "the file is damaged: copy or export it again"
		return e
	}
	h.parts = starts
	if ambiguous[h.syntax] {
		head := make([]byte, min(h.fragments[0].length, longestCodeHead))
		if n, _ := out.body.ReadAt(head, h.fragments[0].at); n == len(head) {
			h.lossy = h.lossy || codec.Lossy(h.syntax, head)
		}
	}
	h.lossy = h.lossy || codec.Lossy(h.syntax, nil)
	return nil
}

// longestCodeHead is as much of a frame as says how it is coded: markers before the
// first scan or tile, without large comments.
const longestCodeHead = 16 << 10

// ambiguous are the syntaxes that hold pixels with or without loss.
var ambiguous = map[string]bool{
	jpegLSNearLossless: true,
	jpeg2000:           true,
	htj2k:              true,
}

// starts returns the index of each frame's first fragment.
func (h *header) starts(out *outline) ([]int32, error) {
	if h.frames < 1 || h.frames > mostFrames {
		return nil, fmt.Errorf("%d frames", h.frames)
	}
	if h.frames == 1 && len(h.fragments) == 1 {
		return []int32{0}, nil
	}
	offsets, err := out.offsetTable(h.frames)
	switch {
	case err != nil:
		return nil, err
	case offsets != nil:
		return h.startsAt(offsets)
	case len(h.fragments) == h.frames:
		starts := make([]int32, h.frames)
		for n := range starts {
			starts[n] = int32(n)
		}
		return starts, nil
	}
	return h.startsByMarkers(out.body)
}

// offsetTable returns the extended offset table, else the basic one, else nil.
// Offsets count from the first fragment's item.
func (o *outline) offsetTable(frames int) ([]int64, error) {
	basic := o.fragments[0]
	at, n, width := o.offsets.value, o.offsets.length, int64(8)
	if n == 0 {
		at, n, width = basic.at, basic.length, 4
	}
	switch {
	case n == 0:
		return nil, nil
	case n != width*int64(frames):
		return nil, fmt.Errorf("its offset table has %d bytes for %d frames", n, frames)
	}
	table := make([]byte, n)
	if _, err := o.body.ReadAt(table, at); err != nil && err != io.EOF {
		return nil, err
	}
	offsets := make([]int64, frames)
	for i := range offsets {
		if width == 8 {
			offsets[i] = int64(binary.LittleEndian.Uint64(table[8*i:]))
		} else {
			offsets[i] = int64(binary.LittleEndian.Uint32(table[4*i:]))
		}
	}
	return offsets, nil
}

// mostFragments bounds those of a file; one for each frame is the rule.
const mostFragments = 4 * mostFrames

// startsAt finds the fragments at the offsets, which must increase.
func (h *header) startsAt(offsets []int64) ([]int32, error) {
	starts := make([]int32, len(offsets))
	next := 0
	for n, offset := range offsets {
		for next < len(h.fragments) && h.fragments[next].at-h.fragments[0].at < offset {
			next++
		}
		if next == len(h.fragments) || h.fragments[next].at-h.fragments[0].at != offset || n == 0 && next != 0 || n > 0 && int(starts[n-1]) == next {
			return nil, fmt.Errorf("frame %d has offset %d in its table, where no fragment of its own begins", n+1, offset)
		}
		starts[n] = int32(next)
	}
	return starts, nil
}

// startsByMarkers takes a fragment for a frame's last one where it ends with the
// marker that ends every codestream of the JPEG family, FFD9, and at most one byte of padding.
func (h *header) startsByMarkers(body io.ReaderAt) ([]int32, error) {
	var starts []int32
	begins := true
	for n, f := range h.fragments {
		if begins {
			starts = append(starts, int32(n))
		}
		tail := make([]byte, min(f.length, 3))
		if _, err := body.ReadAt(tail, f.at+f.length-int64(len(tail))); err != nil && err != io.EOF {
			return nil, err
		}
		begins = len(tail) == 3 && (tail[1] == 0xFF && tail[2] == 0xD9 || tail[0] == 0xFF && tail[1] == 0xD9)
	}
	if len(starts) != h.frames {
		return nil, fmt.Errorf("%d fragments without offsets, of which %d begin a frame, for %d frames", len(h.fragments), len(starts), h.frames)
	}
	return starts, nil
}

// compressed returns where the frame's fragments lie.
func (h *header) compressed(n int) []fragment {
	end := len(h.fragments)
	if n+1 < len(h.parts) {
		end = int(h.parts[n+1])
	}
	return h.fragments[h.parts[n]:end]
}

// frameReader reads frames of an object, one at a time; its buffers are used again.
type frameReader struct {
	body    io.ReaderAt
	scratch []byte
	pixels  []byte
}

// read returns frame n of h's object as stored: little endian, so many bits as are
// allocated for a pixel, or a byte where that is 1. It is good until the next call.
func (r *frameReader) read(h *header, n int) ([]byte, error) {
	if h.encapsulated {
		return r.decompress(h, n)
	}
	return r.native(h, n)
}

func (r *frameReader) decompress(h *header, n int) ([]byte, error) {
	r.scratch = r.scratch[:0]
	for _, f := range h.compressed(n) {
		from := len(r.scratch)
		r.scratch = append(r.scratch, make([]byte, f.length)...)
		if _, err := readFull(r.body, r.scratch[from:], f.at); err != nil {
			return nil, h.broken(err)
		}
	}
	var err error
	r.pixels, err = codec.Decode(h.syntax, codec.Frame{
		Rows: h.rows, Columns: h.columns, Samples: h.samples, Allocated: h.allocated, Stored: h.stored, Signed: h.pixelsAre == 1,
	}, r.scratch, r.pixels[:0])
	if err != nil {
		e := h.wrong(tag.PixelData, "%s", err)
		e.Hint = "the compressed image is damaged: copy or export the file again"
		return nil, e
	}
	return r.pixels, nil
}

func (r *frameReader) native(h *header, n int) ([]byte, error) {
	if h.allocated == 1 {
		return r.bits(h, n)
	}
	bytes := h.pixelBytes()
	from := h.pixels.value + int64(n)*bytes
	swapped := h.syntax == uid.ExplicitVRBigEndian && (h.allocated == 16 || h.pixels.vr == "OW")
	shift := int64(0)
	if swapped { // in words of 16 bits, which hold two pixels of 8 (PS3.5 8.1.2)
		shift = int64(n) * bytes % 2
	}
	want := bytes + shift
	if swapped {
		want += want % 2
	}
	if int64(cap(r.scratch)) < want {
		r.scratch = make([]byte, want)
	}
	r.scratch = r.scratch[:want]
	if _, err := readFull(r.body, r.scratch, from-shift); err != nil {
		return nil, h.broken(err)
	}
	if swapped {
		swapWords(r.scratch)
	}
	return r.scratch[shift : shift+bytes], nil
}

// bits unpacks a frame of single bits: they follow each other from the lowest bit
// of a byte to its highest, and a frame need not begin with a byte (PS3.5 8.1.1).
func (r *frameReader) bits(h *header, n int) ([]byte, error) {
	count := int64(h.rows) * int64(h.columns)
	first := int64(n) * count
	from, to := first/8, (first+count+7)/8
	if int64(cap(r.scratch)) < to-from {
		r.scratch = make([]byte, to-from)
	}
	r.scratch = r.scratch[:to-from]
	swapped := h.syntax == uid.ExplicitVRBigEndian && h.pixels.vr == "OW"
	if swapped {
		return nil, h.unsupported(tag.PixelData, "single bits in words, big endian")
	}
	if _, err := readFull(r.body, r.scratch, h.pixels.value+from); err != nil {
		return nil, h.broken(err)
	}
	if int64(cap(r.pixels)) < count {
		r.pixels = make([]byte, count)
	}
	r.pixels = r.pixels[:count]
	at := first % 8
	for v := range r.pixels {
		r.pixels[v] = r.scratch[at/8] >> (at % 8) & 1
		at++
	}
	return r.pixels, nil
}

// readFull is ReadAt to the last byte; the end of a file right behind it is no
// error.
func readFull(r io.ReaderAt, p []byte, at int64) (int, error) {
	n, err := r.ReadAt(p, at)
	switch {
	case n == len(p):
		err = nil
	case err == io.EOF || err == nil:
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
