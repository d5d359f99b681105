package codec

import (
	"encoding/binary"
	"errors"
)

// lookBits is the number of bits that are looked up at a time: codes with their differences
// are shorter in most of an image of 12 bits with noise, and the table fits into the first
// cache of a core.
const lookBits = 12

// Longest code (T.81 C.1), and the sizes of a difference, up to 16 (H.1.2.2).
const (
	maxCode = 16
	maxSize = 16
)

// huffman is a code for the sizes of differences.
type huffman struct {
	// look has an entry for each value of the next lookBits bits: the length of the code in
	// bits 0-7, the length of the difference after it in bits 8-15, or 0 if the difference
	// is included, which is then in bits 16-31. The entry is 0 if the code is longer or
	// invalid.
	look [1 << lookBits]uint32
	// Codes of n bits are below end[n], left-aligned in 16 bits; the code c of them stands
	// for sizes[c>>(16-n)+first[n]].
	end   [maxCode + 1]uint32
	first [maxCode + 1]int32
	sizes []byte
}

// newHuffman builds a code from a table in a DHT segment (T.81 B.2.4.2), and returns the
// length of the table too.
func newHuffman(body []byte) (*huffman, int, error) {
	if len(body) < maxCode {
		return nil, 0, errShort
	}
	h := new(huffman)
	code, index := uint32(0), 0
	sizes := body[maxCode:]
	for n := 1; n <= maxCode; n++ {
		count := int(body[n-1])
		if index+count > len(sizes) {
			return nil, 0, errShort
		}
		h.first[n] = int32(index) - int32(code)
		for range count {
			if code >= 1<<n {
				return nil, 0, errors.New("a Huffman table with too many codes")
			}
			if sizes[index] > maxSize {
				return nil, 0, errors.New("a Huffman table for differences of more than 16 bits")
			}
			h.enter(code, n, uint32(sizes[index]))
			code, index = code+1, index+1
		}
		h.end[n] = code << (maxCode - n)
		code <<= 1
	}
	h.sizes = sizes[:index]
	return h, maxCode + index, nil
}

// enter enters a code of n bits for differences of size bits into the table.
func (h *huffman) enter(code uint32, n int, size uint32) {
	if n > lookBits {
		return
	}
	free := lookBits - n
	first := code << free
	for rest := range uint32(1) << free {
		e := uint32(n) | size<<8
		switch {
		case size == maxSize: // the only difference without more bits
			e = uint32(n) | 1<<31
		case int(size) <= free:
			d := difference(rest>>(uint32(free)-size), size)
			e = uint32(n) + size | uint32(d)<<16
		}
		h.look[first+rest] = e
	}
}

// difference returns the number that is stored in size bits (T.81 table H.2 and F.2.2.1,
// EXTEND), modulo 2¹⁶.
func difference(bits, size uint32) uint16 {
	if size > 0 && bits>>(size-1) == 0 {
		bits -= 1<<size - 1
	}
	return uint16(bits)
}

// longCode returns the length of a code that is not in the table and its size, or 0 if the next
// 16 bits are not a code.
func (h *huffman) longCode(bits uint32) (n, size uint32) {
	for n := uint32(1); n <= maxCode; n++ {
		if bits < h.end[n] {
			return n, uint32(h.sizes[int32(bits>>(maxCode-n))+h.first[n]])
		}
	}
	return 0, 0
}

// bitReader reads bits from the highest of each byte on. After the data it returns zeros;
// left tells how many.
type bitReader struct {
	data     []byte
	position int    // bytes of data in acc, including the zeros after them
	acc      uint64 // the next bits, the first one highest
	n        uint   // number of valid bits in acc
}

// fill makes at least 56 bits valid.
func (b *bitReader) fill() {
	if b.position+8 <= len(b.data) {
		b.acc |= binary.BigEndian.Uint64(b.data[b.position:]) >> b.n
		b.position += int(63-b.n) / 8
		b.n |= 56
		return
	}
	for ; b.n <= 56; b.n += 8 {
		if b.position < len(b.data) {
			b.acc |= uint64(b.data[b.position]) << (56 - b.n)
		}
		b.position++
	}
}

// left returns the unread bits of the data.
func (b *bitReader) left() int { return 8*len(b.data) - 8*b.position + int(b.n) }

// differences reads a difference for each element of dst, modulo 2¹⁶. It reports whether
// all codes were valid.
func (b *bitReader) differences(dst []uint16, h *huffman) bool {
	r := *b
	ok := true
	for i := range dst {
		if r.n < maxCode+maxSize {
			r.fill()
		}
		e := h.look[r.acc>>(64-lookBits)]
		n, size := e&0xff, e>>8&0xff
		if n != 0 && size == 0 {
			dst[i] = uint16(e >> 16)
			r.acc <<= n
			r.n -= uint(n)
			continue
		}
		d, used := h.difference(e, r.acc)
		ok = ok && used != 0
		dst[i] = d
		r.acc <<= used & 63
		r.n -= uint(used)
	}
	*b = r
	return ok
}

// difference returns the difference at the beginning of acc if the table's entry e is not
// sufficient, and the bits that it takes, or 0 if it is not a code.
func (h *huffman) difference(e uint32, acc uint64) (d uint16, used uint32) {
	n, size := e&0xff, e>>8&0xff
	if n == 0 {
		if n, size = h.longCode(uint32(acc >> 48)); n == 0 {
			return 0, 0
		}
	}
	if size == maxSize {
		return 1 << 15, n
	}
	if size == 0 {
		return 0, n
	}
	return difference(uint32(acc<<n>>(64-size)), size), n + size
}
