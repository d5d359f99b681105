package codec

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
)

// decodeDeflated decodes a frame of Deflated Image Frame Compression (PS3.5 A.4.14 and Sup
// 244): a deflate stream (RFC 1951), without zlib's header, of the uncompressed frame in
// little endian.
func decodeDeflated(f Frame, _ string, data, dst []byte) error {
	frame := dst
	if f.Allocated == 1 {
		frame = make([]byte, f.packedSize())
	}
	// No more is inflated than fits, which stops a bomb.
	r := flate.NewReader(bytes.NewReader(data))
	if _, err := io.ReadFull(r, frame); err != nil {
		return fmt.Errorf("deflate: %w", plain(err))
	}
	// One more byte may pad the length to an even number.
	var extra [2]byte
	switch n, err := io.ReadFull(r, extra[:]); {
	case n == 2 || n == 1 && len(frame)%2 == 0:
		return fmt.Errorf("deflate: more than the %d bytes of the frame", len(frame))
	case n == 0 && err != io.EOF || n == 1 && err != io.ErrUnexpectedEOF:
		return fmt.Errorf("deflate: %w", plain(err))
	}
	if f.Allocated == 1 {
		unpack(dst, frame)
	}
	f.extend(dst)
	return nil
}

// plain returns errShort for data that end too early.
func plain(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errShort
	}
	return err
}
