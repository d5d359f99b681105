package dicomio

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"github.com/suyashkumar/dicom/pkg/tag"
	"github.com/suyashkumar/dicom/pkg/uid"

	"github.com/t2map/t2map/dicomio/internal/codec"
	"github.com/t2map/t2map/dicomio/internal/elements"
)

// Encapsulated pixels consist of fragments (PS3.5 A.4), one or several per frame. One of
// two tables of offsets states which of them begin a frame. If both are empty, the fragments
// show it themselves.

// divide records where the frames of encapsulated pixels begin.
func (h *header) divide(out *elements.Outline) error {
	if len(out.Fragments) < 2 {
		return h.wrong(tag.PixelData, "no fragment holds a frame")
	}
	h.fragments = out.Fragments[1:]
	starts, err := h.starts(out)
	if err != nil {
		return h.wrong(tag.PixelData, "%s", err).
			withHint(copyAgain)
	}
	h.parts = starts
	if !h.lossy {
		head := make([]byte, min(h.fragments[0].Length, longestCodeHead))
		n, _ := out.Body.ReadAt(head, h.fragments[0].Offset)
		h.lossy = codec.Lossy(h.syntax, head[:n])
	}
	return nil
}

// longestCodeHead is the part of a frame that is searched for its coding: the markers
// before the first scan or tile, without long comments.
const longestCodeHead = 16 << 10

// starts returns the index of each frame's first fragment.
func (h *header) starts(out *elements.Outline) ([]int32, error) {
	if h.frames < 1 || h.frames > mostFrames {
		return nil, fmt.Errorf("%d frames", h.frames)
	}
	if h.frames == 1 && len(h.fragments) == 1 {
		return []int32{0}, nil
	}
	offsets, err := out.OffsetTable(h.frames)
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
	return h.startsByMarkers(out.Body)
}

// startsAt finds the fragments at the offsets, which must increase.
func (h *header) startsAt(offsets []int64) ([]int32, error) {
	starts := make([]int32, len(offsets))
	origin, next := h.fragments[0].Offset, 0
	for n, offset := range offsets {
		i, found := slices.BinarySearchFunc(h.fragments[next:], offset, func(f elements.Fragment, offset int64) int {
			return cmp.Compare(f.Offset-origin, offset)
		})
		if !found || n == 0 && i != 0 {
			return nil, fmt.Errorf("frame %d has offset %d in its table, where no fragment of its own begins", n+1,
				offset)
		}
		starts[n] = int32(next + i)
		next += i + 1
	}
	return starts, nil
}

// startsByMarkers takes a fragment as the last one of a frame if it ends with FFD9, the
// marker at the end of every codestream of the JPEG family, followed by at most one byte of
// padding.
func (h *header) startsByMarkers(body io.ReaderAt) ([]int32, error) {
	var starts []int32
	begins := true
	for n, f := range h.fragments {
		if begins {
			starts = append(starts, int32(n))
		}
		tail := make([]byte, min(f.Length, 3))
		if _, err := body.ReadAt(tail, f.Offset+f.Length-int64(len(tail))); err != nil && err != io.EOF {
			return nil, err
		}
		begins = len(tail) == 3 && (tail[1] == 0xFF && tail[2] == 0xD9 || tail[0] == 0xFF && tail[1] == 0xD9)
	}
	if len(starts) != h.frames {
		return nil, fmt.Errorf("%d fragments without offsets, of which %d begin a frame, for %d frames",
			len(h.fragments), len(starts), h.frames)
	}
	return starts, nil
}

// compressed returns the fragments of frame n.
func (h *header) compressed(n int) []elements.Fragment {
	end := len(h.fragments)
	if n+1 < len(h.parts) {
		end = int(h.parts[n+1])
	}
	return h.fragments[h.parts[n]:end]
}

// frameReader reads the frames of an object one at a time, and uses its buffers again.
type frameReader struct {
	body    io.ReaderAt
	scratch []byte
	pixels  []byte
	lossy   bool // whether a frame read so far is compressed with loss
}

// read returns frame n of h's object as stored: little endian, with BitsAllocated bits per
// pixel, or a byte if that is 1. It is valid until the next call.
func (r *frameReader) read(h *header, n int) ([]byte, error) {
	if h.encapsulated {
		return r.decompress(h, n)
	}
	return r.native(h, n)
}

func (r *frameReader) decompress(h *header, n int) ([]byte, error) {
	if n >= len(h.parts) {
		return nil, h.wrong(tag.PixelData, "no fragment holds frame %d", n+1)
	}
	r.scratch = r.scratch[:0]
	for _, f := range h.compressed(n) {
		start := len(r.scratch)
		r.scratch = append(r.scratch, make([]byte, f.Length)...)
		if err := readFull(r.body, r.scratch[start:], f.Offset); err != nil {
			return nil, h.broken(err)
		}
	}
	r.lossy = r.lossy || codec.Lossy(h.syntax, r.scratch)
	var err error
	r.pixels, err = codec.Decode(h.syntax, codec.Frame{
		Rows: h.rows, Columns: h.columns, Samples: h.samples, Allocated: h.allocated, Stored: h.stored,
		Signed: h.representation == 1,
	}, r.scratch, r.pixels[:0])
	if err != nil {
		return nil, h.wrong(tag.PixelData, "%s", err).
			withHint("the compressed image is damaged: copy or export the file again")
	}
	return r.pixels, nil
}

func (r *frameReader) native(h *header, n int) ([]byte, error) {
	if h.allocated == 1 {
		return r.bits(h, n)
	}
	bytes := h.pixelBytes()
	start := h.pixels.Value + int64(n)*bytes
	swapped := h.syntax == uid.ExplicitVRBigEndian && (h.allocated == 16 || h.pixels.VR == "OW")
	shift := int64(0)
	if swapped { // in words of 16 bits, which contain two pixels of 8 bits (PS3.5 8.1.2)
		shift = int64(n) * bytes % 2
	}
	want := bytes + shift
	if swapped {
		want += want % 2
	}
	r.scratch = slices.Grow(r.scratch[:0], int(want))[:want]
	if err := readFull(r.body, r.scratch, start-shift); err != nil {
		return nil, h.broken(err)
	}
	if swapped {
		swapWords(r.scratch)
	}
	return r.scratch[shift : shift+bytes], nil
}

// bits unpacks a frame of single bits, which follow each other from the lowest bit of a
// byte to the highest; a frame need not begin at a byte (PS3.5 8.1.1).
func (r *frameReader) bits(h *header, n int) ([]byte, error) {
	if h.syntax == uid.ExplicitVRBigEndian && h.pixels.VR == "OW" {
		return nil, h.unsupported(tag.PixelData, "pixels of 1 bit in big-endian words")
	}
	count := int64(h.rows) * int64(h.columns)
	first := int64(n) * count
	start, end := first/8, (first+count+7)/8
	r.scratch = slices.Grow(r.scratch[:0], int(end-start))[:end-start]
	if err := readFull(r.body, r.scratch, h.pixels.Value+start); err != nil {
		return nil, h.broken(err)
	}
	r.pixels = slices.Grow(r.pixels[:0], int(count))[:count]
	bit := first % 8
	for v := range r.pixels {
		r.pixels[v] = r.scratch[bit/8] >> (bit % 8) & 1
		bit++
	}
	return r.pixels, nil
}

// readFull fills p with the bytes at the offset.
func readFull(r io.ReaderAt, p []byte, offset int64) error {
	_, err := io.ReadFull(io.NewSectionReader(r, offset, int64(len(p))), p)
	return err
}
