package codec

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// enoughBits are available after a refill: more than most codes need. golombReader.fill
// says why there are not more.
const enoughBits = 50

// golombReader reads the bits of a JPEG-LS scan from the highest of each byte on, and only
// seven of a byte after 0xff, whose first bit is stuffed (T.87 A.1). After the data it
// returns zeros; left tells how many.
type golombReader struct {
	data     []byte
	position int    // bytes of data in acc, including the zeros after them
	stop     int    // the first 0xff from position on, or the end
	acc      uint64 // the next bits, the first one highest
	n        uint   // number of valid bits in acc
}

// newGolombReader returns a reader of coded bytes without markers.
func newGolombReader(data []byte) golombReader {
	b := golombReader{data: data}
	b.seek()
	return b
}

// refill is fill for a caller who keeps the bits in registers.
func (b *golombReader) refill(acc uint64, n uint) (uint64, uint) {
	b.acc, b.n = acc, n
	b.fill()
	return b.acc, b.n
}

// seek finds the next 0xff.
func (b *golombReader) seek() {
	b.stop = len(b.data)
	if b.position < len(b.data) {
		if n := bytes.IndexByte(b.data[b.position:], 0xff); n >= 0 {
			b.stop = b.position + n
		}
	}
}

// fill makes at least enoughBits valid.
func (b *golombReader) fill() {
	if b.position+8 <= b.stop {
		// The bits after the valid ones already belong to the next byte.
		b.acc |= binary.BigEndian.Uint64(b.data[b.position:]) >> b.n
		b.position += int(63-b.n) / 8
		b.n |= 56
		return
	}
	for b.n <= 56 {
		switch {
		case b.position < b.stop:
			b.acc |= uint64(b.data[b.position]) << (56 - b.n)
		case b.position+1 < len(b.data):
			if b.n >= enoughBits { // there is no room for 15
				return
			}
			b.acc |= uint64(0xff)<<(56-b.n) | uint64(b.data[b.position+1]&0x7f)<<(49-b.n)
			b.n += 15
			b.position += 2
			b.seek()
			continue
		case b.position < len(b.data):
			b.acc |= uint64(0xff) << (56 - b.n)
		}
		b.n += 8
		b.position++
	}
}

// left returns the unread bits of the data, including stuffed ones; at least 7 of 8 are
// data.
func (b *golombReader) left() int { return 8*(len(b.data)-b.position) + int(b.n) }

// read reads up to 32 bits.
func (b *golombReader) read(n uint) uint32 {
	if b.n < 32 {
		b.fill()
	}
	v := b.acc >> 1 >> (63 - n)
	b.acc <<= n
	b.n -= n
	return uint32(v)
}

// golomb reads a number with the code LG(k, limit), where an escape is followed by qbpp
// bits (T.87 A.5.3), and reports whether it is valid.
func (b *golombReader) golomb(k, limit, qbpp uint) (uint32, bool) {
	escape := limit - qbpp - 1
	zeros := uint(0)
	for {
		if b.n < 32 {
			b.fill()
		}
		n := uint(bits.LeadingZeros64(b.acc))
		if n < 32 {
			b.acc <<= n + 1
			b.n -= n + 1
			zeros += n
			break
		}
		b.acc <<= 32
		b.n -= 32
		if zeros += 32; zeros > escape {
			return 0, false
		}
	}
	switch {
	case zeros > escape:
		return 0, false
	case zeros == escape:
		return b.read(qbpp) + 1, true
	}
	v := uint64(zeros)<<k | uint64(b.read(k))
	return uint32(v), v < 1<<32
}
