package codec_test

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/t2map/t2map/dicomio/internal/codec"
)

// plainJPEG is a slow encoder of lossless JPEG, straight from ITU-T T.81 annex H, for
// features that no installed encoder writes: restarts, and scans of one component each.
type plainJPEG struct {
	f                codec.Frame
	predictor, shift int
	restart          int  // rows
	apart            bool // a scan for each component
	longCodes        bool

	out  []byte
	acc  uint64
	free int
}

func (p *plainJPEG) put(v uint32, n int) {
	for n--; n >= 0; n-- {
		p.acc = p.acc<<1 | uint64(v>>n&1)
		if p.free--; p.free == 0 {
			p.out = append(p.out, byte(p.acc))
			if byte(p.acc) == 0xff {
				p.out = append(p.out, 0)
			}
			p.free = 8
		}
	}
}

// align pads with ones (T.81 F.1.2.3).
func (p *plainJPEG) align() {
	for p.free != 8 {
		p.put(1, 1)
	}
}

// difference codes one difference: its size with five bits, or with sixteen if longCodes is
// set.
func (p *plainJPEG) difference(d int16) {
	n := bits.Len32(uint32(max(int32(d), -int32(d))))
	if p.longCodes {
		p.put(uint32(n), 16)
	} else {
		p.put(uint32(n), 5)
	}
	switch {
	case n == 16:
	case d < 0:
		p.put(uint32(int32(d)-1), n)
	default:
		p.put(uint32(d), n)
	}
}

func (p *plainJPEG) header() {
	f := p.f
	p.out = append(p.out, 0xff, 0xd8, 0xff, 0xc3, 0, byte(8+3*f.Samples), byte(f.Stored), byte(f.Rows>>8), byte(f.Rows),
		byte(f.Columns>>8), byte(f.Columns), byte(f.Samples))
	for c := range f.Samples {
		p.out = append(p.out, byte(c+1), 0x11, 0)
	}
	table := make([]byte, 16+17)
	table[4] = 17
	if p.longCodes {
		table[4], table[15] = 0, 17
	}
	for n := range 17 {
		table[16+n] = byte(n)
	}
	p.out = append(append(p.out, 0xff, 0xc4, 0, byte(3+len(table)), 0), table...)
	if p.restart > 0 {
		n := p.restart * f.Columns
		p.out = append(p.out, 0xff, 0xdd, 0, 4, byte(n>>8), byte(n))
	}
}

// encode codes values, the samples of a pixel side by side.
func (p *plainJPEG) encode(values []uint16) []byte {
	p.free = 8
	p.header()
	all := make([]int, p.f.Samples)
	for c := range all {
		all[c] = c
	}
	if p.apart {
		for _, c := range all {
			p.scan(values, []int{c})
		}
	} else {
		p.scan(values, all)
	}
	return append(p.out, 0xff, 0xd9)
}

func (p *plainJPEG) scan(values []uint16, components []int) {
	f := p.f
	p.out = append(p.out, 0xff, 0xda, 0, byte(6+2*len(components)), byte(len(components)))
	for _, c := range components {
		p.out = append(p.out, byte(c+1), 0)
	}
	p.out = append(p.out, byte(p.predictor), 0, byte(p.shift))
	for y := range f.Rows {
		if p.restart > 0 && y > 0 && y%p.restart == 0 {
			p.align()
			p.out = append(p.out, 0xff, 0xd0+byte(y/p.restart-1)%8)
		}
		for x := range f.Columns {
			for _, c := range components {
				sample := func(dy, dx int) int { return int(values[((y-dy)*f.Columns+x-dx)*f.Samples+c]) >> p.shift }
				p.difference(int16(sample(0, 0) - p.predict(sample, y, x)))
			}
		}
	}
	p.align()
}

// predict follows T.81 H.1.2.1 and table H.1.
func (p *plainJPEG) predict(sample func(dy, dx int) int, y, x int) int {
	first := y == 0 || p.restart > 0 && y%p.restart == 0
	switch {
	case first && x == 0:
		return 1 << (p.f.Stored - p.shift - 1)
	case first:
		return sample(0, 1)
	case x == 0:
		return sample(1, 0)
	}
	a, b, c := sample(0, 1), sample(1, 0), sample(1, 1)
	return []int{0, a, b, c, a + b - c, a + (b-c)>>1, b + (a-c)>>1, (a + b) >> 1}[p.predictor]
}

// bytesOf returns values as Decode does.
func bytesOf(f codec.Frame, values []uint16) []byte {
	var out []byte
	for _, v := range values {
		if f.Signed {
			shift := 16 - f.Stored
			v = uint16(int16(v<<shift) >> shift)
		}
		out = append(out, byte(v), byte(v>>8))
		if f.Allocated == 8 {
			out = out[:len(out)-1]
		}
	}
	return out
}

func TestLossless(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		f := codec.Frame{Rows: 1 + r.IntN(20), Columns: 1 + r.IntN(40), Samples: 1 + 2*r.IntN(2), Allocated: 16,
			Stored: 2 + r.IntN(15), Signed: r.IntN(2) == 0}
		if f.Stored <= 8 && r.IntN(2) == 0 {
			f.Allocated = 8
		}
		p := plainJPEG{f: f, predictor: 1 + r.IntN(7), shift: r.IntN(2) * r.IntN(f.Stored),
			restart: r.IntN(2) * r.IntN(5), apart: r.IntN(3) == 0, longCodes: r.IntN(4) == 0}
		values := make([]uint16, f.Rows*f.Columns*f.Samples)
		spread := 1 + r.IntN(f.Stored)
		for i := range values {
			values[i] = uint16(r.Uint32()) >> (16 - spread) >> p.shift << p.shift & (1<<f.Stored - 1)
		}
		got, err := codec.Decode("1.2.840.10008.1.2.4.57", f, p.encode(values), nil)
		if err != nil {
			t.Fatalf("%+v: %v", p, err)
		}
		if !slices.Equal(got, bytesOf(f, values)) {
			t.Fatalf("%+v, predictor %d: other values", f, p.predictor)
		}
	}
}

// Each predictor with restarts, on an image of a size that real ones have.
func TestLosslessPredictors(t *testing.T) {
	for predictor := range 7 {
		t.Run(fmt.Sprint(predictor+1), func(t *testing.T) {
			f := codec.Frame{Rows: 100, Columns: 120, Samples: 1, Allocated: 16, Stored: 16}
			want := wave(f)
			values := make([]uint16, len(want)/2)
			for i := range values {
				values[i] = uint16(valueAt(f, want, i))
			}
			p := plainJPEG{f: f, predictor: predictor + 1, restart: 7}
			got, err := codec.Decode("1.2.840.10008.1.2.4.57", f, p.encode(values), nil)
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("other values, %v", err)
			}
		})
	}
}
