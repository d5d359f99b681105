package deflate

import "encoding/binary"

// bitString is a string of bits, filled from the lowest bit of each byte (RFC 1951, 3.1.1).
type bitString struct {
	buf []byte
	acc uint64 // bits that do not fill a byte yet
	n   uint   // number of bits in acc, below 8 between calls
}

// put appends the lowest n bits of v, at most 56.
func (b *bitString) put(v uint64, n uint) {
	b.acc |= v << b.n
	b.n += n
	for ; b.n >= 8; b.n -= 8 {
		b.buf = append(b.buf, byte(b.acc))
		b.acc >>= 8
	}
}

// align fills the last byte with zeros.
func (b *bitString) align() {
	if b.n > 0 {
		b.buf = append(b.buf, byte(b.acc))
		b.acc, b.n = 0, 0
	}
}

// blockHeader begins a block with its own code (RFC 1951, 3.2.7).
func (b *bitString) blockHeader(c *code, last bool) {
	final := uint64(0)
	if last {
		final = 1
	}
	b.put(final|2<<1, 3)
	b.put(symbols-257, 5)
	b.put(stepSymbol, 5) // one less than the number of distances
	b.put(19-4, 4)
	// The lengths of the codes are themselves coded, in a simple way: the lengths 0 to 15 with four
	// bits each, and no repeats, which come first in this order.
	b.put(0, 9)
	for range 16 {
		b.put(4, 3)
	}
	for _, n := range c.length {
		b.put(uint64(reverse(uint32(n), 4)), 4)
	}
	for range stepSymbol {
		b.put(0, 4)
	}
	b.put(uint64(reverse(1, 4)), 4) // the only distance has a code of one bit, 0
}

// encode appends the data and the end of the block.
func (b *bitString) encode(data []byte, c *code) {
	position := 0
	for len(data)-position >= stretch {
		position += b.putStretch((*[stretch]byte)(data[position:]), &c.word)
		position += b.putRun(repeats(data, position), c)
	}
	for position < len(data) {
		b.putSymbol(int(data[position]), c)
		position++
		if position >= step {
			position += b.putRun(repeats(data, position), c)
		}
	}
	b.putSymbol(endOfBlock, c)
}

// stretch is the number of bytes that putStretch reads; their codes take less than twice as many.
// Both are powers of two, so that the compiler can prove that indices are in range: without these
// checks it takes a third less time.
const stretch = 256

// putStretch appends words until one is equal to the word before it, and returns the number of
// their bytes. The four codes of a word, which fit the accumulator, are appended together.
func (b *bitString) putStretch(data *[stretch]byte, literals *[symbols]codeword) int {
	acc, n := b.acc, b.n
	end := len(b.buf)
	buf := (*[2*stretch + 8]byte)(b.buf[end : end+2*stretch+8])
	position, out := 0, uint(0)
	for before := ^binary.LittleEndian.Uint32(data[:]); position < stretch; position += step {
		word := binary.LittleEndian.Uint32(data[position : position+step])
		if word == before {
			break
		}
		before = word
		w0, w1, w2, w3 := literals[byte(word)], literals[byte(word>>8)], literals[byte(word>>16)], literals[word>>24]
		low := w0.bits() + w1.bits()*w0.shift()
		high := w2.bits() + w3.bits()*w2.shift()
		acc |= (low + high*(w0.shift()*w1.shift())) << (n & 63)
		n += (w0 + w1 + w2 + w3).n()
		binary.LittleEndian.PutUint64(buf[out%(2*stretch):], acc)
		out += n >> 3
		acc >>= n & 56
		n &= 7
	}
	b.buf, b.acc, b.n = b.buf[:end+int(out)], acc, n
	return position
}

func (b *bitString) putSymbol(s int, c *code) { b.put(c.word[s].bits(), c.word[s].n()) }

// putRun appends n repeated bytes, as matches at a distance of one step, and returns n.
func (b *bitString) putRun(n int, c *code) int {
	for rest := n; rest > 0; {
		m := matchLength(rest)
		l := lengths[m]
		b.putSymbol(int(l.symbol), c)
		b.put(uint64(l.extra), uint(l.extraBits)+1) // with the code 0 of the distance
		rest -= m
	}
	return n
}
