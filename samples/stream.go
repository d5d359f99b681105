package samples

import (
	"bufio"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
)

// bufferSize is that of the buffers that files are read through.
const bufferSize = 64 << 10

// Buffered returns r with a buffer, and the bytes that it holds where it is in memory,
// else 0.
func Buffered(r io.Reader) (br *bufio.Reader, length int) {
	if m, ok := r.(interface{ Len() int }); ok {
		length = m.Len()
	}
	return bufio.NewReaderSize(r, bufferSize), length
}

// IsGzip reports whether what comes next begins like gzip (RFC 1952, 2.3.1: ID1 = 31,
// ID2 = 139).
func IsGzip(br *bufio.Reader) bool {
	id, err := br.Peek(2)
	return err == nil && id[0] == 0x1f && id[1] == 0x8b
}

// Gunzip returns what is compressed in a stream of gzip. Data after its last member are an
// error at its end.
func Gunzip(br *bufio.Reader) (io.Reader, error) {
	z, err := gzip.NewReader(br)
	if err != nil {
		return nil, packedError(err)
	}
	return z, nil
}

// Inflate returns what is compressed in a stream of zlib. Data after it are an error at its
// end.
func Inflate(br *bufio.Reader) (io.Reader, error) {
	z, err := zlib.NewReader(br)
	if err != nil {
		return nil, packedError(err)
	}
	return &closed{z, br}, nil
}

// Bunzip2 returns what is compressed in a stream of bzip2.
func Bunzip2(br *bufio.Reader) io.Reader { return bzip2.NewReader(br) }

func packedError(err error) error {
	return Mark(FaultPacked, fmt.Errorf("compressed data: %w", Unexpected(err)))
}

// closed is a compressed stream that must end where what it is read from does.
type closed struct {
	z    io.Reader
	rest *bufio.Reader
}

func (c *closed) Read(p []byte) (int, error) {
	n, err := c.z.Read(p)
	if !errors.Is(err, io.EOF) {
		return n, err
	}
	switch _, rest := c.rest.Peek(1); {
	case rest == nil:
		return n, Mark(FaultLength, errors.New("bytes after the end of the compressed data"))
	case !errors.Is(rest, io.EOF):
		return n, rest
	}
	return n, err
}

// Skip discards n bytes of r.
func Skip(r io.Reader, n int64) error {
	if got, err := io.CopyN(io.Discard, r, n); err != nil {
		return Mark(StreamFault(err), fmt.Errorf("%d bytes are to be skipped, and the data end after %d: %w", n, got, Unexpected(err)))
	}
	return nil
}

// SkipLines discards n lines of r.
func SkipLines(br *bufio.Reader, n int) error {
	for line := 0; line < n; {
		_, err := br.ReadSlice('\n')
		switch {
		case err == nil:
			line++
		case !errors.Is(err, bufio.ErrBufferFull): // a line may be longer than the buffer
			return Mark(StreamFault(err), fmt.Errorf("%d lines are to be skipped, and the data end after %d: %w", n, line, Unexpected(err)))
		}
	}
	return nil
}

// SizeOf returns the bytes of what a reader reads, where it says so.
func SizeOf(r io.Reader) (int64, bool) {
	if s, ok := r.(interface{ Size() int64 }); ok {
		return s.Size(), true
	}
	return 0, false
}

// Open opens a file by the name that a header gives it.
type Open func(name string) (io.ReadCloser, error)

// Unpack turns the bytes of a data file into those of voxels: it skips what comes before
// them and undoes compression.
type Unpack func(f io.Reader) (io.Reader, error)

// Parts returns the voxels in one or several data files as one stream. Each of several holds
// each bytes of them, no more and no less; each is ignored where there is one. They
// are opened when they are needed. Errors name the file, but for those of open. Close
// closes the one that is open.
func Parts(names []string, each int64, open Open, unpack Unpack) io.ReadCloser {
	return &parts{names: names, each: each, open: open, unpack: unpack}
}

type parts struct {
	names  []string
	each   int64
	open   Open
	unpack Unpack

	opened int // how many of the files were
	file   io.ReadCloser
	data   io.Reader
	left   int64 // bytes of the open one
}

// Read reads on in the open file, and opens the next one when that is done.
func (p *parts) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for {
		if p.file == nil {
			if p.opened == len(p.names) {
				return 0, io.EOF
			}
			if err := p.next(); err != nil {
				return 0, err
			}
		}
		if len(p.names) == 1 {
			n, err := p.data.Read(b)
			return n, p.named(err)
		}
		if p.left == 0 {
			if err := p.finish(); err != nil {
				return 0, err
			}
			continue
		}
		n, err := p.data.Read(b[:min(int64(len(b)), p.left)])
		p.left -= int64(n)
		if errors.Is(err, io.EOF) {
			err = nil
			if p.left > 0 {
				err = fmt.Errorf("%d of %d bytes: %w", p.each-p.left, p.each, io.ErrUnexpectedEOF)
			}
		}
		if n > 0 || err != nil {
			return n, p.named(err)
		}
	}
}

// named puts the name of the open file to an error but the end.
func (p *parts) named(err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return Mark(StreamFault(err), fmt.Errorf("%.80q: %w", p.names[p.opened-1], err))
}

func (p *parts) next() error {
	f, err := p.open(p.names[p.opened])
	if err != nil {
		return Mark(FaultDataFile, err)
	}
	p.file, p.left = f, p.each
	p.opened++
	if p.data, err = p.unpack(f); err != nil {
		return p.named(err)
	}
	return nil
}

// finish closes a file that has given what it holds.
func (p *parts) finish() error {
	var one [1]byte
	n, err := io.ReadFull(p.data, one[:])
	switch {
	case n > 0:
		return p.named(Mark(FaultLength, fmt.Errorf("more than %d bytes", p.each)))
	case !errors.Is(err, io.EOF):
		return p.named(err)
	}
	return p.Close()
}

// Close closes the open file.
func (p *parts) Close() error {
	if p.file == nil {
		return nil
	}
	err := p.file.Close()
	p.file = nil
	return err
}
