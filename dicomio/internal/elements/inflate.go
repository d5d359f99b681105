package elements

import (
	"compress/flate"
	"fmt"
	"io"
)

// inflated is a deflated data set (PS3.5 A.5), inflated as far as necessary and at most to
// its limit, so that a bomb of 2 MB does not take gigabytes.
type inflated struct {
	z     io.ReadCloser
	limit int64
	// pieces have one length, so that existing ones are not copied when more are added.
	pieces [][]byte
	length int64
	err    error // after length bytes
}

// piece is the length of the pieces.
const piece = 1 << 20

const (
	// leastInflated is allowed for any data set: 128 MiB, above single images and all but
	// the largest segmentations.
	leastInflated = 128 << 20
	// likelyRatio limits longer ones by the size of the file. Images with noise deflate to
	// a third, and with wide black borders to a tenth.
	likelyRatio = 20
)

// inflate returns the data set that is deflated between pos and size.
func inflate(r io.ReaderAt, pos, size int64) *inflated {
	z := flate.NewReader(io.NewSectionReader(r, pos, size-pos))
	return &inflated{z: z, limit: max(leastInflated, likelyRatio*size)}
}

// reach inflates up to the end and reports whether there are as many bytes.
func (f *inflated) reach(end int64) bool {
	for f.length < end && f.err == nil {
		last := f.length / piece
		if int(last) == len(f.pieces) {
			f.pieces = append(f.pieces, make([]byte, piece))
		}
		n, err := f.z.Read(f.pieces[last][f.length%piece:])
		f.length += int64(n)
		switch {
		case f.length > f.limit:
			f.err = f.excess()
		case err != nil && err != io.EOF:
			f.err = fmt.Errorf("the data set cannot be inflated: %w", err)
		default:
			f.err = err
		}
	}
	return f.length >= end
}

func (f *inflated) excess() error {
	return fmt.Errorf("the data set inflates to more than %d MiB", f.limit>>20)
}

// ReadAt inflates the data set as far as necessary.
func (f *inflated) ReadAt(p []byte, offset int64) (int, error) {
	f.reach(offset + int64(len(p)))
	n := 0
	for n < len(p) && offset < f.length {
		data := f.pieces[offset/piece][offset%piece:]
		c := copy(p[n:], data[:min(int64(len(data)), f.length-offset)])
		n, offset = n+c, offset+int64(c)
	}
	if n < len(p) {
		return n, f.err
	}
	return n, nil
}

// finish stops inflating; the bytes remain.
func (f *inflated) finish() {
	f.z.Close()
	if f.err == nil {
		f.err = io.EOF
	}
}
