package deflate

import (
	"math/bits"
	"slices"
)

// The alphabet of deflate (RFC 1951, 3.2.5): bytes, the end of a block and the
// lengths of matches.
const (
	endOfBlock = 256
	symbols    = 286
	stepSymbol = 3 // the code of the distance 4, without extra bits
)

// longestCode is the largest number of bits of a code. 15 are allowed; with 14, the codes of four
// bytes and the up to seven bits that do not fill a byte fit 64 bits.
const longestCode = 14

// lengths holds the code of each length of a match.
var lengths = func() (table [longest + 1]struct {
	symbol           uint16
	extra, extraBits uint8
}) {
	// Four symbols for each number of extra bits, beginning where the last ended.
	length, symbol := shortest, 257
	for extraBits := 0; extraBits <= 5; extraBits++ {
		same := 4
		if extraBits == 0 {
			same = 8
		}
		for range same {
			for extra := range 1 << extraBits {
				table[length].symbol = uint16(symbol)
				table[length].extra, table[length].extraBits = uint8(extra), uint8(extraBits)
				length++
			}
			symbol++
		}
	}
	// The longest has its own symbol.
	table[longest].symbol, table[longest].extra, table[longest].extraBits = symbols-1, 0, 0
	return table
}()

// code is a Huffman code of the alphabet.
type code struct {
	length [symbols]uint8
	word   [symbols]codeword
}

// codeword is a code in the lowest 16 bits, in the order of output; then its number of bits; and
// above 32 bits the power of two that shifts by as many bits, because processors multiply faster
// than they shift by a variable number.
type codeword uint64

func (w codeword) bits() uint64  { return uint64(w & 0xffff) }
func (w codeword) n() uint       { return uint(w >> 16 & 63) }
func (w codeword) shift() uint64 { return uint64(w >> 32) }

// symbolBits is the number of bits of a symbol.
const symbolBits = 9

// newCode returns a code, nearly the shortest, for symbols of these counts with words of at most
// longestCode bits. At least two counts must be above 0, and none above 2²³.
func newCode(count [symbols]uint32) *code {
	c := new(code)
	// Counts with their symbols, from rare to frequent; both fit 32 bits.
	var used []uint32
	for s, n := range count {
		if n > 0 {
			used = append(used, n<<symbolBits|uint32(s))
		}
	}
	slices.Sort(used)
	weight := make([]uint32, len(used), 2*len(used))
	for i, u := range used {
		weight[i] = u >> symbolBits
	}
	// The rarest symbols get the longest codes.
	ofLength := limited(depths(weight))
	for n := longestCode; n > 0; n-- {
		for range ofLength[n] {
			c.length[used[0]&(1<<symbolBits-1)] = uint8(n)
			used = used[1:]
		}
	}
	c.assign(ofLength)
	return c
}

// depths returns the number of leaves at each depth of Huffman's tree for two or more ascending
// weights.
func depths(weight []uint32) []int {
	leaves := len(weight)
	parent := make([]int, 2*leaves-1)
	leaf, inner := 0, leaves // the lightest without a parent yet
	next := func() int {
		if leaf < leaves && (inner == len(weight) || weight[leaf] <= weight[inner]) {
			leaf++
			return leaf - 1
		}
		inner++
		return inner - 1
	}
	for len(weight) < 2*leaves-1 {
		a, b := next(), next()
		parent[a], parent[b] = len(weight), len(weight)
		weight = append(weight, weight[a]+weight[b])
	}
	depth := make([]int, len(parent))
	leavesAt := make([]int, leaves)
	for i := len(parent) - 2; i >= 0; i-- {
		depth[i] = depth[parent[i]] + 1
		if i < leaves {
			leavesAt[depth[i]]++
		}
	}
	return leavesAt
}

// limited returns the number of codes of each length up to longestCode. Longer codes are shortened,
// and to compensate, the longest of the others are lengthened until the lengths form a complete
// code again.
func limited(depths []int) [longestCode + 1]int {
	var n [longestCode + 1]int
	room := 1 << longestCode // of the words of longestCode bits
	for d, leaves := range depths {
		n[min(d, longestCode)] += leaves
		room -= leaves << (longestCode - min(d, longestCode))
	}
	for ; room < 0; room++ {
		// A code of the last length becomes the sibling of one that is lengthened by a bit.
		l := longestCode - 1
		for n[l] == 0 {
			l--
		}
		n[longestCode]--
		n[l]--
		n[l+1] += 2
	}
	return n
}

// assign numbers the codes of each length in the order of their symbols
// (RFC 1951, 3.2.2).
func (c *code) assign(ofLength [longestCode + 1]int) {
	var next [longestCode + 1]uint32
	for n := 1; n < longestCode; n++ {
		next[n+1] = (next[n] + uint32(ofLength[n])) << 1
	}
	for s, n := range c.length {
		if n > 0 {
			c.word[s] = codeword(reverse(next[n], int(n))) | codeword(n)<<16 | 1<<(32+n)
			next[n]++
		}
	}
}

// reverse reverses the lowest n bits, because codes begin with their highest bit.
func reverse(v uint32, n int) uint32 { return bits.Reverse32(v) >> (32 - n) }
