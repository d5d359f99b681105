package codec_test

import (
	"math/bits"

	"github.com/t2map/t2map/dicomio/internal/codec"
)

// plainLS is a slow encoder of JPEG-LS of one component, straight from ITU-T T.87 annex A,
// for features that no installed encoder writes: restarts, point transforms, any MAXVAL.
type plainLS struct {
	f                          codec.Frame
	near, shift                int
	restart                    int // rows
	maxVal, t1, t2, t3, resets int // 0 for the default; written if any is set

	valueRange, qbpp, limit int
	a, b, c, n              [367]int // the last two are those of runs
	negative                [367]int
	runIndex                int
	image                   [][]int // as decoded
	top                     int     // the first row since a restart

	out  []byte
	acc  byte
	free int
}

func (p *plainLS) put(v, n int) {
	for n--; n >= 0; n-- {
		p.acc = p.acc<<1 | byte(v>>n&1)
		if p.free--; p.free == 0 {
			p.out = append(p.out, p.acc)
			p.free = 8
			if p.acc == 0xff {
				p.free = 7
			}
			p.acc = 0
		}
	}
}

// align pads with zeros, and never ends with 0xff (T.87 A.1).
func (p *plainLS) align() {
	for p.free != 8 {
		p.put(0, 1)
	}
}

// thresholds returns T1 to T3, with the defaults of T.87 C.2.4.1.1.1.
func (p *plainLS) thresholds() (t1, t2, t3 int) {
	clamp := func(i, j int) int {
		if i > p.maxVal || i < j {
			return j
		}
		return i
	}
	if p.maxVal >= 128 {
		factor := (min(p.maxVal, 4095) + 128) / 256
		t1 = clamp(factor*(3-2)+2+3*p.near, p.near+1)
		t2 = clamp(factor*(7-3)+3+5*p.near, t1)
		t3 = clamp(factor*(21-4)+4+7*p.near, t2)
	} else {
		factor := 256 / (p.maxVal + 1)
		t1 = clamp(max(2, 3/factor+3*p.near), p.near+1)
		t2 = clamp(max(3, 7/factor+5*p.near), t1)
		t3 = clamp(max(4, 21/factor+7*p.near), t2)
	}
	return t1, t2, t3
}

func (p *plainLS) header() {
	f := p.f
	p.out = append(p.out, 0xff, 0xd8, 0xff, 0xf7, 0, 11, byte(f.Stored), byte(f.Rows>>8), byte(f.Rows),
		byte(f.Columns>>8), byte(f.Columns), 1, 1, 0x11, 0)
	if p.maxVal|p.t1|p.t2|p.t3|p.resets != 0 {
		p.out = append(p.out, 0xff, 0xf8, 0, 13, 1)
		for _, v := range []int{p.maxVal, p.t1, p.t2, p.t3, p.resets} {
			p.out = append(p.out, byte(v>>8), byte(v))
		}
	}
	if p.restart > 0 {
		p.out = append(p.out, 0xff, 0xdd, 0, 4, byte(p.restart>>8), byte(p.restart))
	}
	p.out = append(p.out, 0xff, 0xda, 0, 8, 1, 1, 0, byte(p.near), 0, byte(p.shift))
}

// parameters sets the defaults.
func (p *plainLS) parameters() {
	set := func(v *int, otherwise int) {
		if *v == 0 {
			*v = otherwise
		}
	}
	set(&p.maxVal, 1<<p.f.Stored-1)
	set(&p.resets, 64)
	t1, t2, t3 := p.thresholds()
	set(&p.t1, t1)
	set(&p.t2, t2)
	set(&p.t3, t3)
	p.valueRange = (p.maxVal+2*p.near)/(2*p.near+1) + 1
	p.qbpp = bits.Len(uint(p.valueRange - 1))
	bpp := max(2, bits.Len(uint(p.maxVal)))
	p.limit = 2 * (bpp + max(8, bpp))
}

func (p *plainLS) start() {
	for q := range p.a {
		p.a[q], p.b[q], p.c[q], p.n[q], p.negative[q] = max(2, (p.valueRange+32)/64), 0, 0, 1, 0
	}
	p.runIndex = 0
}

// encode codes values, which are at most maxVal when they are shifted.
func (p *plainLS) encode(values []uint16) []byte {
	p.free = 8
	p.header()
	p.parameters()
	p.start()
	for y := range p.f.Rows {
		if p.restart > 0 && y > 0 && y%p.restart == 0 {
			p.align()
			p.out = append(p.out, 0xff, 0xd0+byte(y/p.restart-1)%8)
			p.start()
			p.top = y
		}
		row := make([]int, p.f.Columns)
		for x := range row {
			row[x] = int(values[y*p.f.Columns+x]) >> p.shift
		}
		p.image = append(p.image, row)
		for x := 0; x < len(row); {
			x = p.sample(y, x)
		}
	}
	p.align()
	return append(p.out, 0xff, 0xd9)
}

// neighbour returns a reconstructed sample, or its substitute outside the image (T.87
// A.2.1, figure A.1 and the text below it).
func (p *plainLS) neighbour(y, x int) int {
	switch {
	case y < p.top:
		return 0
	case x < 0:
		return p.neighbour(y-1, 0)
	case x >= p.f.Columns:
		return p.neighbour(y, x-1)
	}
	return p.image[y][x]
}

func (p *plainLS) gradient(d int) int {
	size := max(d, -d)
	q := 4
	switch {
	case size <= p.near:
		return 0
	case size < p.t1:
		q = 1
	case size < p.t2:
		q = 2
	case size < p.t3:
		q = 3
	}
	if d < 0 {
		return -q
	}
	return q
}

// sample codes a sample or a run and returns the index of the next one.
func (p *plainLS) sample(y, x int) int {
	ra, rb, rc, rd := p.neighbour(y, x-1), p.neighbour(y-1, x), p.neighbour(y-1, x-1), p.neighbour(y-1, x+1)
	q := 81*p.gradient(rd-rb) + 9*p.gradient(rb-rc) + p.gradient(rc-ra)
	if q == 0 {
		return p.run(y, x)
	}
	sign := 1
	if q < 0 {
		q, sign = -q, -1
	}
	px := ra + rb - rc
	if rc >= max(ra, rb) {
		px = min(ra, rb)
	} else if rc <= min(ra, rb) {
		px = max(ra, rb)
	}
	px = min(max(px+sign*p.c[q], 0), p.maxVal)
	e := p.quantise(&p.image[y][x], px, sign)
	k := p.k(p.a[q], p.n[q])
	m := 2 * e
	if e < 0 {
		m = -2*e - 1
	}
	if p.near == 0 && k == 0 && 2*p.b[q] <= -p.n[q] {
		m = 2*e + 1
		if e < 0 {
			m = -2 * (e + 1)
		}
	}
	p.golomb(m, k, p.limit)
	p.update(q, e)
	return x + 1
}

// quantise returns the error of a sample and makes it what will be decoded (T.87 A.4.4
// and A.4.5).
func (p *plainLS) quantise(v *int, px, sign int) int {
	e, step := sign*(*v-px), 2*p.near+1
	if e > 0 {
		e = (e + p.near) / step
	} else {
		e = -(p.near - e) / step
	}
	*v = min(max(px+sign*e*step, 0), p.maxVal)
	if e < 0 {
		e += p.valueRange
	}
	if e >= (p.valueRange+1)/2 {
		e -= p.valueRange
	}
	return e
}

func (p *plainLS) k(a, n int) int {
	k := 0
	for n<<k < a {
		k++
	}
	return k
}

func (p *plainLS) golomb(m, k, limit int) {
	if zeros := m >> k; zeros < limit-p.qbpp-1 {
		p.put(0, zeros)
		p.put(1, 1)
		p.put(m, k)
		return
	}
	p.put(0, limit-p.qbpp-1)
	p.put(1, 1)
	p.put(m-1, p.qbpp)
}

func (p *plainLS) update(q, e int) {
	p.b[q] += e * (2*p.near + 1)
	p.a[q] += max(e, -e)
	if p.n[q] == p.resets {
		p.a[q] >>= 1
		p.b[q] >>= 1
		p.n[q] >>= 1
	}
	p.n[q]++
	if p.b[q] <= -p.n[q] {
		p.b[q] += p.n[q]
		p.c[q] = max(p.c[q]-1, -128)
		p.b[q] = max(p.b[q], 1-p.n[q])
	} else if p.b[q] > 0 {
		p.b[q] -= p.n[q]
		p.c[q] = min(p.c[q]+1, 127)
		p.b[q] = min(p.b[q], 0)
	}
}

// j are the bits of parts of runs (T.87 A.2.1).
var j = []int{0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15}

// run codes a run and the sample that ends it (T.87 A.7).
func (p *plainLS) run(y, x int) int {
	row, value, n := p.image[y], p.neighbour(y, x-1), 0
	for ; x < len(row) && max(row[x]-value, value-row[x]) <= p.near; x++ {
		row[x] = value
		n++
	}
	for n >= 1<<j[p.runIndex] {
		p.put(1, 1)
		n -= 1 << j[p.runIndex]
		p.runIndex = min(p.runIndex+1, 31)
	}
	if x == len(row) {
		if n > 0 {
			p.put(1, 1)
		}
		return x
	}
	p.put(0, 1)
	p.put(n, j[p.runIndex])
	p.interruption(y, x)
	p.runIndex = max(p.runIndex-1, 0)
	return x + 1
}

func (p *plainLS) interruption(y, x int) {
	ra, rb := p.neighbour(y, x-1), p.neighbour(y-1, x)
	kind, px, sign := 0, rb, 1
	if max(ra-rb, rb-ra) <= p.near {
		kind, px = 1, ra
	} else if ra > rb {
		sign = -1
	}
	e := p.quantise(&p.image[y][x], px, sign)
	q := 365 + kind
	k := p.k(p.a[q]+kind*(p.n[q]>>1), p.n[q])
	odd := 0
	if k == 0 && e > 0 && 2*p.negative[q] < p.n[q] || e < 0 && (2*p.negative[q] >= p.n[q] || k != 0) {
		odd = 1
	}
	m := 2*max(e, -e) - kind - odd
	p.golomb(m, k, p.limit-j[p.runIndex]-1)
	if e < 0 {
		p.negative[q]++
	}
	p.a[q] += (m + 1 - kind) >> 1
	if p.n[q] == p.resets {
		p.a[q] >>= 1
		p.n[q] >>= 1
		p.negative[q] >>= 1
	}
	p.n[q]++
}
