package codec

import "math/bits"

// lsContext has the statistics of samples with similar neighbours (T.87 A.2), and the
// parameters that follow for the next one.
type lsContext struct {
	a uint32 // sum of the sizes of errors
	b int32  // sum of errors
	n uint32 // count
	c int8   // correction of the prediction, with the bounds of T.87 A.2.1
	k uint8  // the Golomb parameter for a and n
}

// lsRunContext is the same for the samples that end a run (T.87 A.7.2).
type lsRunContext struct {
	a           uint32
	n, negative int
}

// topBit shifts out every bit of an int except its sign.
const topBit = bits.UintSize - 1

// gradientMask converts a gradient, from -65535 to 65535, to an index.
const gradientMask = 1<<17 - 1

// runLengths are the lengths in bits of parts of runs, J (T.87 A.2.1).
var runLengths = [32]uint8{
	0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3,
	4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15,
}

// contextCount is the number of contexts, without those of runs, with merged signs.
const contextCount = (9*9*9 + 1) / 2

// lsScan is the state of a scan; the names are those of T.87.
type lsScan struct {
	maxVal, near, reset int
	valueRange, step    int // RANGE, and 2 NEAR + 1
	qbpp, limit         uint
	exact               bool // NEAR is 0 and RANGE a power of two
	most                uint32
	fast                uint // codes with fewer zeros and k can be read without a refill
	bits                golombReader
	contexts            [contextCount]lsContext
	runs                [2]lsRunContext
	runIndex            int
	quantised           *[gradientMask + 1]int8
	// A row, preceded by the left neighbour of its first sample and followed by a
	// repetition of the last one.
	cur, prev []uint16
}

func newLSScan(p lsPresets, near, columns int) *lsScan {
	s := &lsScan{maxVal: p.maxVal, near: near, reset: p.reset, step: 2*near + 1}
	s.valueRange = (p.maxVal+2*near)/s.step + 1
	s.qbpp = uint(bits.Len(uint(s.valueRange - 1)))
	bpp := uint(max(2, bits.Len(uint(p.maxVal))))
	s.limit = 2 * (bpp + max(8, bpp)) // T.87 A.2.1
	s.exact = near == 0 && p.maxVal&(p.maxVal+1) == 0
	s.most = uint32(s.valueRange) // of errors from -RANGE/2 to RANGE/2 (T.87 A.4.5)
	s.fast = min(s.limit-s.qbpp-1, 31)
	s.quantised = quantise(p, near)
	s.cur, s.prev = make([]uint16, columns+2), make([]uint16, columns+2)
	return s
}

// quantise returns the table of the gradients (T.87 A.3.3).
func quantise(p lsPresets, near int) *[gradientMask + 1]int8 {
	table := new([gradientMask + 1]int8)
	first := near + 1
	for n, end := range [...]int{p.t1, p.t2, p.t3, p.maxVal + 1} {
		repeat(table[first:end], int8(n+1))
		repeat(table[len(table)-end+1:len(table)-first+1], int8(-n-1))
		first = end
	}
	return table
}

// repeat fills s with v.
func repeat[T any](s []T, v T) {
	if len(s) == 0 {
		return
	}
	s[0] = v
	for n := 1; n < len(s); n *= 2 {
		copy(s[n:], s[:n])
	}
}

// start sets the state before the first row of a scan or after a restart (T.87 A.2.1).
func (s *lsScan) start(coded []byte) {
	s.bits = newGolombReader(coded)
	a := uint32(max(2, (s.valueRange+1<<5)>>6))
	repeat(s.contexts[:], lsContext{a: a, n: 1, k: golombParameter(a, 1)})
	s.runs = [2]lsRunContext{{a: a, n: 1}, {a: a, n: 1}}
	s.runIndex = 0
	clear(s.prev)
	clear(s.cur)
}

// values returns the row that was decoded last.
func (s *lsScan) values() []uint16 { return s.prev[1 : len(s.prev)-1] }

// row decodes the next row and reports whether its bits were codes. The time for a row is
// bounded by the number of its samples.
func (s *lsScan) row() bool {
	s.cur[0] = s.prev[1]
	ok := false
	if s.exact {
		ok = s.exactRow()
	} else {
		ok = s.nearRow()
	}
	n := len(s.cur)
	s.cur[n-1] = s.cur[n-2]
	s.cur, s.prev = s.prev, s.cur
	return ok
}

// exactRow decodes a row without loss. The neighbours of a sample have the names of the
// standard: a to its left; c, b and d above it. The end of a sample's code depends on the
// sample before, so that nothing can be done in parallel; unpredictable conditions are not
// branched upon, and the bits are kept in registers.
func (s *lsScan) exactRow() bool {
	cur, above := s.cur[1:len(s.cur)-1], s.prev[2:]
	above = above[:len(cur)]
	quantised, maxVal, reset := s.quantised, s.maxVal, s.reset
	acc, count := s.bits.acc, s.bits.n
	a, b, c := int(s.cur[0]), int(s.prev[1]), int(s.prev[0])
	q2 := int(quantised[(b-c)&gradientMask])
	for i := 0; uint(i) < uint(len(cur)); i++ {
		d := int(above[i])
		q1 := int(quantised[(d-b)&gradientMask])
		q := 81*q1 + 9*q2 + int(quantised[(c-a)&gradientMask])
		if q == 0 {
			s.bits.acc, s.bits.n = acc, count
			last, ok := s.run(i + 1)
			if !ok {
				return false
			}
			i = last - 1
			acc, count = s.bits.acc, s.bits.n
			a, b, c = int(s.cur[last]), int(s.prev[last+1]), int(s.prev[last])
			q2 = int(quantised[(b-c)&gradientMask])
			continue
		}
		sign := q >> topBit
		x := &s.contexts[(q^sign)-sign]
		if count < 32 {
			acc, count = s.bits.refill(acc, count)
		}
		k := uint(x.k)
		zeros := uint(bits.LeadingZeros64(acc))
		m := uint32(0)
		if zeros+k < s.fast {
			acc <<= (zeros + 1) & 63
			m = uint32(zeros<<(k&63) | uint(acc>>1>>((63-k)&63)))
			acc <<= k & 63
			count -= zeros + 1 + k
		} else {
			m, acc, count = s.longCode(k, acc, count)
		}
		if m > s.most {
			return false
		}
		e := int(m>>1) ^ -int(m&1)
		if k == 0 {
			e ^= x.flip()
		}
		p := median(a, b, c) + ((int(x.c) ^ sign) - sign)
		a = (min(p&^(p>>topBit), maxVal) + ((e ^ sign) - sign)) & maxVal
		cur[i] = uint16(a)
		sum, balance, n := x.sums(e, e, reset)
		x.set(sum, balance, n)
		x.k = golombParameter(sum, n)
		c, b, q2 = b, d, q1
	}
	s.bits.acc, s.bits.n = acc, count
	return true
}

// longCode reads a number with a code longer than most; a number above most is invalid.
func (s *lsScan) longCode(k uint, acc uint64, count uint) (uint32, uint64, uint) {
	s.bits.acc, s.bits.n = acc, count
	m, ok := s.bits.golomb(k, s.limit, s.qbpp)
	if !ok {
		m = s.most + 1
	}
	return m, s.bits.acc, s.bits.n
}

// nearRow decodes a row with any NEAR and MAXVAL.
func (s *lsScan) nearRow() bool {
	cur, prev := s.cur, s.prev
	gradient := func(d int) int { return int(s.quantised[d&gradientMask]) }
	for i := 1; i < len(cur)-1; i++ {
		a, b, c, d := int(cur[i-1]), int(prev[i]), int(prev[i-1]), int(prev[i+1])
		q := 81*gradient(d-b) + 9*gradient(b-c) + gradient(c-a)
		if q == 0 {
			var ok bool
			if i, ok = s.run(i); !ok {
				return false
			}
			continue
		}
		sign := q >> topBit
		x := &s.contexts[(q^sign)-sign]
		m, ok := s.bits.golomb(uint(x.k), s.limit, s.qbpp)
		if !ok || m > s.most {
			return false
		}
		e := int(m>>1) ^ -int(m&1)
		if x.k == 0 && s.near == 0 {
			e ^= x.flip()
		}
		p := median(a, b, c) + ((int(x.c) ^ sign) - sign)
		p = min(max(p, 0), s.maxVal)
		cur[i] = s.reconstruct(p, (e^sign)-sign)
		sum, balance, n := x.sums(e, e*s.step, s.reset)
		x.set(sum, balance, n)
		x.k = golombParameter(sum, n)
	}
	return true
}

// reconstruct returns the sample with the prediction p and the error e (T.87 A.4.4 and
// A.4.5).
func (s *lsScan) reconstruct(p, e int) uint16 {
	p += e * s.step
	if p < -s.near {
		p += s.valueRange * s.step
	} else if p > s.maxVal+s.near {
		p -= s.valueRange * s.step
	}
	return uint16(min(max(p, 0), s.maxVal))
}

// run decodes a run that begins at sample i, and the sample that ends it unless the row
// does, and returns the index of the last sample (T.87 A.7).
func (s *lsScan) run(i int) (int, bool) {
	end := len(s.cur) - 1
	value := s.cur[i-1]
	for s.bits.read(1) == 1 {
		length := 1 << runLengths[s.runIndex]
		n := min(length, end-i)
		repeat(s.cur[i:i+n], value)
		if n == length && s.runIndex < len(runLengths)-1 {
			s.runIndex++
		}
		if i += n; i == end {
			return i - 1, true
		}
	}
	rest := int(s.bits.read(uint(runLengths[s.runIndex])))
	if rest >= end-i {
		return i, false
	}
	repeat(s.cur[i:i+rest], value)
	i += rest
	ok := s.interruption(i)
	if s.runIndex > 0 {
		s.runIndex--
	}
	return i, ok
}

// interruption decodes the sample that ends a run (T.87 A.7.2).
func (s *lsScan) interruption(i int) bool {
	a, b := int(s.cur[i-1]), int(s.prev[i])
	alike := uint32(0) // RItype
	if a-b <= s.near && b-a <= s.near {
		alike = 1
	}
	x := &s.runs[alike]
	k := golombParameter(x.a+alike*uint32(x.n>>1), x.n)
	m, ok := s.bits.golomb(uint(k), s.limit-uint(runLengths[s.runIndex])-1, s.qbpp)
	if !ok || m > s.most {
		return false
	}
	e := int(m+alike+1) / 2
	if above := k != 0 || 2*x.negative >= x.n; above == ((m+alike)&1 == 1) && e != 0 {
		x.negative++
		e = -e
	}
	x.a += (m + 1 - alike) >> 1
	if x.n == s.reset {
		x.a, x.n, x.negative = x.a>>1, x.n>>1, x.negative>>1
	}
	x.n++
	if alike == 0 && a > b {
		e = -e
	}
	if alike == 1 {
		b = a
	}
	s.cur[i] = s.reconstruct(b, e)
	return true
}

// median predicts a sample: the median of a, b and a+b-c (T.87 A.4.1).
func median(a, b, c int) int {
	d := a - b
	low := b + d&(d>>topBit)
	high := a + b - low
	p := high - c // above low
	p = p &^ (p >> topBit)
	d = high - low
	p -= d
	return high + p&(p>>topBit)
}

// sums returns the sums after another error, of which scaled is the value after
// quantisation (T.87 A.6.1).
func (x *lsContext) sums(e, scaled, reset int) (a uint32, b, n int) {
	a, b, n = x.a+uint32((e^e>>topBit)-e>>topBit), int(x.b)+scaled, int(x.n)
	if n == reset {
		a, b, n = a>>1, b>>1, n>>1
	}
	return a, b, n + 1
}

// set stores the sums, and changes the correction so that b is between -n and 1 (T.87
// A.6.2).
func (x *lsContext) set(a uint32, b, n int) {
	low, high := (b+n-1)>>topBit, -b>>topBit // -1 if b is too low, or too high
	x.a, x.b, x.n = a, int32(min(max(b+n&low-n&high, 1-n), 0)), uint32(n)
	if c := int(x.c) + low - high; c == int(int8(c)) { // from -128 to 127
		x.c = int8(c)
	}
}

// flip returns -1 if errors are mapped in the other order because most are negative, which
// happens if k and NEAR are 0, and otherwise 0 (T.87 A.5.2).
func (x *lsContext) flip() int { return (2*int(x.b) + int(x.n) - 1) >> topBit }

// golombParameter returns the smallest k with n·2ᵏ ≥ a (T.87 A.5.1), at most 32.
func golombParameter(a uint32, n int) uint8 {
	k := max(bits.Len32(a)-bits.Len32(uint32(n)), 0)
	return uint8(k - (n<<(k&63)-int(a))>>topBit)
}
