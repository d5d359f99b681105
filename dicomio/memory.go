package dicomio

import (
	"errors"
	"io"
	"math"
	"sync"

	"github.com/suyashkumar/dicom/pkg/tag"
	"github.com/suyashkumar/dicom/pkg/uid"

	"github.com/t2map/t2map/dicomio/internal/codec"
	"github.com/t2map/t2map/internal/parallel"
)

// knownTexts stores each combination of texts once. Most texts are the same in all files of
// a series, and a cohort has some hundred thousand files.
type knownTexts struct {
	mu     sync.Mutex
	shared map[texts]*texts
}

// share replaces the header's texts by the stored ones, which must not be changed
// afterwards.
func (k *knownTexts) share(h *header) {
	k.mu.Lock()
	defer k.mu.Unlock()
	shared, ok := k.shared[*h.texts]
	if !ok {
		shared = h.texts
		k.shared[*shared] = shared
	}
	h.texts = shared
}

// Release releases the headers of the study's series. The descriptions of the study and of
// each series remain, but the series can no longer be read, except through trains that were
// copied before.
func (s *Study) Release() {
	for _, trains := range [][]Train{s.Trains, s.Suspects, s.Others} {
		for i := range trains {
			trains[i].images, trains[i].grid = nil, nil
		}
	}
	s.instances = nil
}

// ReadMemory returns the most bytes that Read takes in addition to the echoes that it
// returns: the files or frames that the workers hold at a time, compressed and decoded,
// and the memory of the decoders. Workers is that of Read.
func (t Train) ReadMemory(workers int) int64 {
	var largest, images int64 // largest is the most that one worker holds
	for _, echo := range t.grid {
		for _, h := range echo {
			images++
			held := h.decodeMemory()
			if !h.multiframe {
				held += h.size
			}
			if h.multiframe || h.encapsulated {
				held += h.pixelBytes()
			}
			largest = max(largest, held)
		}
	}
	return min(int64(parallel.Workers(workers)), images) * largest
}

// In trains that declare more than leastDecoded bytes, CheckWritten reads lookBytes at each
// of lookedAt places of each image.
const (
	lookedAt  = 16
	lookBytes = 4 << 10
)

// CheckWritten refuses a large train with an echo of zeros only, judging by a few places in
// each of its images. A file can have any length without having been written: the rest of
// an interrupted copy, or a file that was made to exhaust memory. The check precedes the
// allocation of memory by Read. The size of compressed images is checked elsewhere, and
// smaller trains are simply read.
func (t Train) CheckWritten() error {
	var promised int64
	for _, h := range t.images {
		promised += h.pixelBytes()
	}
	if t.Problem != nil || promised <= leastDecoded {
		return nil
	}
	for e, echo := range t.grid {
		empty := true
		for _, h := range echo {
			written, err := h.anyWritten()
			if err != nil {
				return err
			}
			if written {
				empty = false
				break
			}
		}
		if empty {
			return echo[0].wrong(tag.PixelData, "only zeros at all positions examined, in this and all other images at "+
				"echo time %g ms: the pixels were never written", t.TE[e]).
				withHint("the copy may have been interrupted: copy or export the series again")
		}
	}
	return nil
}

// anyWritten reports whether the image contains a byte other than zero at these places, or
// cannot be read at them.
func (h *header) anyWritten() (bool, error) {
	if h.encapsulated || h.syntax == uid.DeflatedExplicitVRLittleEndian {
		return true, nil
	}
	f, err := h.open()
	if err != nil {
		return false, err
	}
	defer f.Close()
	if !f.Direct() {
		return true, nil
	}
	bytes := h.pixelBytes()
	first := h.pixels.Value + int64(h.index)*bytes
	buf := make([]byte, min(lookBytes, bytes))
	for n := range int64(lookedAt) {
		got, err := f.ReadAt(buf, first+(bytes-int64(len(buf)))*n/(lookedAt-1))
		if err != nil && !errors.Is(err, io.EOF) {
			return false, h.ioError(err)
		}
		for _, b := range buf[:got] {
			if b != 0 {
				return true, nil
			}
		}
	}
	return false, nil
}

// decodeMemory returns the memory for decoding the image, in addition to its file and its
// pixels.
func (h *header) decodeMemory() int64 {
	if !h.encapsulated || h.index >= len(h.parts) {
		return 0
	}
	var held int64
	for _, f := range h.compressed(h.index) {
		held += f.Length
	}
	return held + codec.Memory(h.syntax, codec.Frame{Rows: h.rows, Columns: h.columns}, held)
}

// bytesPerContourByte is the memory for each byte of a structure set while it is read: the
// text of a contour, the same split into numbers (a string header of 16 bytes for about 8
// characters), and float64 values.
const bytesPerContourByte = 5

// ReadMemory returns the memory in bytes that ReadMask takes, in addition to the voxels of
// the segments, whose number is not known in advance.
func (m MaskObject) ReadMemory() int64 {
	h := m.header
	switch {
	case h == nil:
		return 0
	case m.Kind == MaskRTSTRUCT:
		return bytesPerContourByte * h.size
	}
	if h.rows < 1 || h.columns < 1 || max(h.rows, h.columns) > math.MaxUint16 || h.allocated > 16 {
		return 0 // ReadMask refuses it
	}
	return 2*h.pixelBytes() + h.decodeMemory()
}
