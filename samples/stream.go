package samples

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
)

// bufferSize is the size of the read buffers.
const bufferSize = 64 << 10

// Buffered returns r with a buffer, and the number of bytes of r if it is in memory, otherwise 0.
func Buffered(r io.Reader) (br *bufio.Reader, length int) {
	if m, ok := r.(interface{ Len() int }); ok {
		length = m.Len()
	}
	return bufio.NewReaderSize(r, bufferSize), length
}

// IsGzip reports whether the next bytes are those of gzip (RFC 1952, 2.3.1: ID1 = 31, ID2 = 139).
func IsGzip(br *bufio.Reader) bool {
	id, err := br.Peek(2)
	return err == nil && id[0] == 0x1f && id[1] == 0x8b
}

// Gunzip decompresses a gzip stream. Data after its last member are an error at the end.
func Gunzip(br *bufio.Reader) (io.Reader, error) {
	z, err := gzip.NewReader(br)
	if err != nil {
		return nil, packedError(err)
	}
	return z, nil
}

// Inflate decompresses a zlib stream. Data after it are an error at the end.
func Inflate(br *bufio.Reader) (io.Reader, error) {
	z, err := zlib.NewReader(br)
	if err != nil {
		return nil, packedError(err)
	}
	return &closed{z, br}, nil
}

func packedError(err error) error {
	return Mark(FaultPacked, fmt.Errorf("compressed data: %w", Unexpected(err)))
}

// closed is a compressed stream after which its source must end.
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

// Limits of headers.
const (
	// MostSkipped is the largest number of bytes that a header may declare to be skipped, so that a
	// small compressed file cannot cost hours. The largest extensions of NIfTI in use are XML of
	// some tens of MB.
	MostSkipped = 1 << 28
	// MostVoxels keeps products of sizes within 64 bits; no disk holds as many voxels.
	MostVoxels = 1 << 40
)

// Skip discards n bytes of r.
func Skip(r io.Reader, n int64) error {
	if got, err := io.CopyN(io.Discard, r, n); err != nil {
		return Mark(
			StreamFault(err),
			fmt.Errorf("%d bytes should be skipped, but the data end after %d: %w", n, got, Unexpected(err)),
		)
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
			return Mark(
				StreamFault(err),
				fmt.Errorf("%d lines should be skipped, but the data end after %d: %w", n, line, Unexpected(err)),
			)
		}
	}
	return nil
}
