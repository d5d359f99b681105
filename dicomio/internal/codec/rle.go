package codec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// RLE's header (PS3.5 G.5): the number of segments and the offsets of up to 15.
const (
	rleHeader      = 64
	maxRLESegments = 15
)

// decodeRLE decodes segments of bytes, for each sample the highest byte first (PS3.5 annex
// G). A frame of 1 bit is one segment of packed bits, as pydicom writes it.
func decodeRLE(f Frame, _ string, data, dst []byte) error {
	if len(data) < rleHeader {
		return fmt.Errorf("RLE: %d bytes, fewer than the header", len(data))
	}
	segments := binary.LittleEndian.Uint32(data)
	if want := f.Samples * f.width(); int64(segments) != int64(want) || want > maxRLESegments {
		return fmt.Errorf("RLE: %d segments, want %d", segments, want)
	}
	var ends [maxRLESegments + 1]int
	for s := range int(segments) {
		start := binary.LittleEndian.Uint32(data[4+4*s:])
		if start < rleHeader || int64(start) > int64(len(data)) || s > 0 && int(start) < ends[s-1] {
			return fmt.Errorf("RLE: segment %d at %d of %d bytes", s+1, start, len(data))
		}
		ends[s] = int(start)
	}
	ends[segments] = len(data)
	for s := range int(segments) {
		plane := dst
		if f.Allocated == 1 {
			plane = make([]byte, f.packedSize())
		}
		sample, significance := s/f.width(), s%f.width()
		first := sample*f.width() + f.width() - 1 - significance
		if err := unpackBits(plane[first:], f.Samples*f.width(), data[ends[s]:ends[s+1]]); err != nil {
			return fmt.Errorf("RLE: segment %d: %w", s+1, err)
		}
		if f.Allocated == 1 {
			unpack(dst, plane)
		}
	}
	f.extend(dst)
	return nil
}

var (
	errShort = errors.New("the data end before the frame is complete")
	errLong  = errors.New("there are data after the end of the frame")
)

// isPadding reports whether the bytes after a segment's last run are padding: at most one
// byte to make it even (PS3.5 G.3.1), or bytes of one of the usual values.
func isPadding(b []byte) bool {
	if len(b) < 2 {
		return true
	}
	fill := b[0]
	return (fill == 0 || fill == 0x80 || fill == 0xFF) && bytes.Count(b, b[:1]) == len(b)
}

// unpackBits decodes a segment into every step-th byte of dst.
func unpackBits(dst []byte, step int, src []byte) error {
	for position := 0; position < len(dst); {
		if len(src) == 0 {
			return errShort
		}
		n, left := int(int8(src[0])), (len(dst)-position+step-1)/step
		src = src[1:]
		switch {
		case n >= 0:
			if n++; n > left {
				return errLong
			}
			if len(src) < n {
				return errShort
			}
			for _, b := range src[:n] {
				dst[position] = b
				position += step
			}
			src = src[n:]
		case n > -128: // -128 is no operation
			if len(src) == 0 {
				return errShort
			}
			if 1-n > left {
				return errLong
			}
			for range 1 - n {
				dst[position] = src[0]
				position += step
			}
			src = src[1:]
		}
	}
	if !isPadding(src) {
		return errLong
	}
	return nil
}
