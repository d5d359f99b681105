package files

import (
	"errors"
	"io"
	"sync"
)

// inflater gives random access to a compressed stream. The inflated bytes are kept in
// memory or, if there are many, in a temporary file.
type inflater struct {
	open         func() (io.ReadCloser, error)
	size, memory int64

	mu    sync.Mutex
	src   io.ReadCloser
	n     int64  // number of bytes inflated
	head  []byte // the bytes, if they are in memory
	spool *spool // the bytes, if they are in a temporary file; then head is empty
	ended bool   // whether the end was reached without an error
	err   error  // of the bytes after the first n
}

// ahead is the least number of bytes that are inflated at a time: more than the header of
// an image.
const ahead = 16 << 10

func (in *inflater) ReadAt(p []byte, off int64) (int, error) {
	switch {
	case off < 0:
		return 0, errors.New("files: negative offset")
	case off >= in.size:
		return 0, io.EOF
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	end := min(in.size, off+int64(len(p)))
	in.inflate(end)
	var n int
	switch {
	case off >= in.n:
	case in.spool != nil:
		p := p[:min(int64(len(p)), in.n-off)]
		if k, err := in.spool.file.ReadAt(p, off); k < len(p) {
			return k, spoolError(err)
		}
		n = len(p)
	default:
		n = copy(p, in.head[off:])
	}
	if in.err != nil && (n < len(p) || end == in.size) {
		return n, in.err
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// inflate inflates the stream up to an offset, or until there is an error. At the end of
// the stream it verifies the checksum.
func (in *inflater) inflate(end int64) {
	for in.err == nil && in.n < end {
		in.err = in.extend(min(in.size-in.n, max(ahead, end-in.n)))
	}
	if in.err == nil && in.n == in.size && !in.ended {
		in.err = atEnd(in.src)
		in.ended = true
	}
}

// extend inflates up to room more bytes.
func (in *inflater) extend(room int64) (err error) {
	if in.src == nil {
		if in.src, err = in.open(); err != nil {
			return err
		}
	}
	if in.spool == nil && in.n+room > in.memory {
		if in.spool, err = newSpool(); err != nil {
			return err
		}
		if _, err := in.spool.Write(in.head); err != nil {
			return err
		}
		in.head = nil
	}
	if in.spool != nil {
		n, err := io.CopyN(in.spool, in.src, room)
		if flushErr := in.spool.flush(); flushErr != nil {
			return flushErr
		}
		in.n += n
		return err
	}
	start := len(in.head)
	in.head = append(in.head, make([]byte, room)...)
	n, err := io.ReadFull(in.src, in.head[start:])
	in.head = in.head[:start+n]
	in.n += int64(n)
	return err
}

// close releases the memory or the temporary file.
func (in *inflater) close() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.src != nil {
		in.src.Close()
		in.src = nil
	}
	in.err = errClosed
	in.head, in.n = nil, 0
	if in.spool == nil {
		return nil
	}
	s := in.spool
	in.spool = nil
	return s.close()
}
