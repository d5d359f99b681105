package elements

import (
	"io"
	"sync"
)

// window reads ahead, so that not every element needs a read.
type window struct {
	r     io.ReaderAt
	block []byte
	start int64 // of block
	ahead int
}

// windows are used again for other files: otherwise, blocks would be nearly all of the memory
// that is allocated to walk through a file.
var windows = sync.Pool{New: func() any { return new(window) }}

func newWindow(r io.ReaderAt) *window {
	w := windows.Get().(*window)
	*w = window{r: r, block: w.block[:0]}
	return w
}

// release returns the window to the pool. Slices from bytes are not valid after that.
func (w *window) release() {
	if w.r = nil; cap(w.block) <= mostAhead {
		windows.Put(w)
	}
}

// The amount read ahead starts with the size of most headers and grows along long ones.
const leastAhead, mostAhead = 4 << 10, 256 << 10

// bytes returns n bytes at pos, valid until the next call.
func (w *window) bytes(pos int64, n int) ([]byte, error) {
	b, err := w.peek(pos, n)
	if err == nil && len(b) < n {
		err = io.ErrUnexpectedEOF
		if len(b) == 0 {
			err = io.EOF
		}
	}
	return b, err
}

// peek is bytes, but returns fewer at the end of the file.
func (w *window) peek(pos int64, n int) ([]byte, error) {
	if offset := pos - w.start; offset >= 0 && offset+int64(n) <= int64(len(w.block)) {
		return w.block[offset : offset+int64(n)], nil
	}
	w.ahead = min(max(2*w.ahead, leastAhead), mostAhead)
	if size := max(n, w.ahead); size > cap(w.block) {
		w.block = make([]byte, size)
	}
	w.block = w.block[:max(n, min(w.ahead, cap(w.block)))]
	read, err := w.r.ReadAt(w.block, pos)
	w.block, w.start = w.block[:read], pos
	if err == io.EOF || read >= n {
		err = nil
	}
	return w.block[:min(n, read)], err
}
