package codec_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/t2map/t2map/dicomio/internal/codec"
)

const jpegLS = "1.2.840.10008.1.2.4.81"

// images are kinds of values up to top.
var images = map[string]func(r *rand.Rand, y, x, top int) int{
	"random":    func(r *rand.Rand, _, _, top int) int { return r.IntN(top + 1) },
	"constant":  func(_ *rand.Rand, _, _, top int) int { return top / 3 },
	"zero":      func(_ *rand.Rand, _, _, _ int) int { return 0 },
	"ramp":      func(_ *rand.Rand, y, x, top int) int { return (y + 2*x) % (top + 1) },
	"saturated": func(r *rand.Rand, _, _, top int) int { return top * r.IntN(2) },
	"top":       func(_ *rand.Rand, _, _, top int) int { return top },
	"noise":     func(r *rand.Rand, y, x, top int) int { return min((y*x+r.IntN(5))*top/999, top) },
	"sparse":    func(r *rand.Rand, _, _, top int) int { return r.IntN(top+1) * (r.IntN(30) / 29) },
	"blocks":    func(_ *rand.Rand, y, x, top int) int { return (y/5 + x/9) * 37 % (top + 1) },
}

// synthetic returns a coder with its values.
func synthetic(r *rand.Rand, kind string) (plainLS, []uint16) {
	f := codec.Frame{Rows: 1 + r.IntN(30), Columns: 1 + r.IntN(70), Samples: 1, Allocated: 16, Stored: 2 + r.IntN(15),
		Signed: r.IntN(4) == 0}
	if f.Stored <= 8 && r.IntN(2) == 0 {
		f.Allocated = 8
	}
	p := plainLS{f: f, restart: r.IntN(4) / 3 * r.IntN(9)}
	top := 1<<f.Stored - 1
	if r.IntN(3) == 0 {
		p.near = r.IntN(1 + min(10, top/2))
	}
	if p.near > 0 {
		p.f.Signed = false // words of signed values cannot be rounded
	}
	if r.IntN(3) == 0 {
		p.maxVal = 1 + r.IntN(top)
		p.near = min(p.near, p.maxVal/2)
		top = p.maxVal
		if r.IntN(2) == 0 {
			p.t1 = p.near + 1 + r.IntN(top-p.near)
			p.t2 = p.t1 + r.IntN(top-p.t1+1)
			p.t3 = p.t2 + r.IntN(top-p.t2+1)
		}
	}
	if r.IntN(4) == 0 {
		p.resets = 3 + r.IntN(253+r.IntN(4)/3*max(0, top-255))
	}
	values := make([]uint16, f.Rows*f.Columns)
	for i := range values {
		values[i] = uint16(images[kind](r, i/f.Columns, i%f.Columns, top))
	}
	return p, values
}

func (p *plainLS) String() string {
	return fmt.Sprintf("%+v, NEAR %d, MAXVAL %d, T %d %d %d, RESET %d, restart %d", p.f, p.near, p.maxVal, p.t1, p.t2,
		p.t3, p.resets, p.restart)
}

// The output of the plain encoder is decoded to its input, also by the module.
func TestJPEGLS(t *testing.T) {
	rounds := 100
	if testing.Short() {
		rounds = 40
	}
	for kind := range images {
		t.Run(kind, func(t *testing.T) {
			r := rand.New(rand.NewPCG(9, uint64(len(kind))))
			for range rounds {
				p, values := synthetic(r, kind)
				name := p.String()
				// CharLS replaces MAXVAL by that of the precision, and takes RESET modulo
				// 256.
				differs := p.maxVal != 0 && p.maxVal != 1<<p.f.Stored-1 || p.resets > 255
				data := p.encode(values)
				got, err := codec.Decode(jpegLS, p.f, data, nil)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if deviation := farthest(p.f, got, bytesOf(p.f, values)); deviation > p.near {
					t.Fatalf("%s: off by %d", name, deviation)
				}
				if differs {
					continue
				}
				other, err := codec.DecodeByModule(p.f, jpegLS, data)
				if err != nil {
					t.Fatalf("%s: the module: %v", name, err)
				}
				if !bytes.Equal(got, other) {
					t.Fatalf("%s: other values than the module", name)
				}
			}
		})
	}
}

// Of two to sixteen bits and all widths, with and without the last columns' runs.
func TestJPEGLSSizes(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for stored := 2; stored <= 16; stored++ {
		for _, size := range [][2]int{{1, 1}, {1, 70}, {70, 1}, {2, 2}, {3, 65}, {5, 64}, {1, 70000 % 65536}} {
			for kind, image := range images {
				p := plainLS{f: codec.Frame{Rows: size[0], Columns: size[1], Samples: 1, Allocated: 16, Stored: stored}}
				values := make([]uint16, size[0]*size[1])
				for i := range values {
					values[i] = uint16(image(r, i/size[1], i%size[1], 1<<stored-1))
				}
				got, err := codec.Decode(jpegLS, p.f, p.encode(values), nil)
				if err != nil || !bytes.Equal(got, bytesOf(p.f, values)) {
					t.Errorf("%s, %d bits, %v: %v, or other values", kind, stored, size, err)
				}
			}
		}
	}
}

// The module does not know a point transform (T.87 C.2.3); here it has the meaning of T.81.
func TestJPEGLSPointTransform(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	for range 300 {
		f := codec.Frame{Rows: 9, Columns: 31, Samples: 1, Allocated: 16, Stored: 3 + r.IntN(14)}
		p := plainLS{f: f, shift: 1 + r.IntN(f.Stored-1)}
		values := make([]uint16, f.Rows*f.Columns)
		for i := range values {
			values[i] = uint16(r.IntN(1<<f.Stored) >> p.shift << p.shift)
		}
		data := p.encode(values)
		got, err := codec.Decode(jpegLS, f, data, nil)
		if err != nil || !bytes.Equal(got, bytesOf(f, values)) {
			t.Fatalf("%d bits shifted by %d: %v, or other values", f.Stored, p.shift, err)
		}
		if !codec.Lossy(jpegLS, data) {
			t.Fatal("not lossy")
		}
	}
}

// Files of the encoder with CharLS, with its options; the module decodes the same.
func TestJPEGLSOptions(t *testing.T) {
	need(t, "dcmcjpls")
	for _, v := range variants {
		for _, c := range []struct {
			options string
			near    int
		}{
			{"+el +t1 4 +t2 9 +t3 30 +rs 31", 0},
			{"+el +t1 1 +t2 1 +t3 1 +rs 3", 0},
			{"+el +t1 20 +t2 40 +t3 100 +rs 255", 0},
			{"+el +pc", 0},
			{"+el +pz", 0},
			{"+en +md 1", 1},
			{"+en +md 3 +t1 9 +t2 20 +t3 40 +rs 100", 3},
			{"+en +md 10", 10},
		} {
			t.Run(fmt.Sprintf("%v %s", v, c.options), func(t *testing.T) {
				if v.signed && (c.near > 0 || strings.Contains(c.options, "+pc")) {
					t.Skip("the encoder refuses, or fails")
				}
				path, plain := v.write(t)
				out := filepath.Join(t.TempDir(), "out.dcm")
				run(t, append(append([]string{"dcmcjpls"}, strings.Fields(c.options)...), path, out)...)
				f := readFile(t, out)
				if codec.IsRare(f.frame, f.fragments[0]) {
					t.Error("left to the module")
				}
				got, err := codec.Decode(f.syntax, f.frame, f.fragments[0], nil)
				other, moduleErr := codec.DecodeByModule(f.frame, f.syntax, f.fragments[0])
				if err != nil || moduleErr != nil || !bytes.Equal(got, other) {
					t.Fatalf("%v here, %v in the module, or other values", err, moduleErr)
				}
				source := readFile(t, path).frame // the encoder may make 8 of 16 bits
				for i := range f.frame.Rows * f.frame.Columns {
					deviation := valueAt(f.frame, got, i) - valueAt(source, plain[0], i)
					if max(deviation, -deviation) > c.near {
						t.Fatalf("pixel %d: off by %d", i, deviation)
					}
				}
			})
		}
	}
}

// The real frames and the frames of the encoders are decoded in Go.
func TestJPEGLSHere(t *testing.T) {
	for _, name := range []string{"transfer-syntaxes/7.dcm", "transfer-syntaxes/8.dcm",
		"pydicom/MR_small_jpeg_ls_lossless.dcm", "pydicom/emri_small_jpeg_ls_lossless.dcm"} {
		t.Run(name, func(t *testing.T) {
			f := sharedFile(t, name)
			for _, fragment := range f.fragments {
				if codec.IsRare(f.frame, fragment) {
					t.Error("left to the module")
				}
				got, err := codec.Decode(f.syntax, f.frame, fragment, nil)
				other, moduleErr := codec.DecodeByModule(f.frame, f.syntax, fragment)
				if err != nil || moduleErr != nil || !bytes.Equal(got, other) {
					t.Errorf("%v here, %v in the module, or other values", err, moduleErr)
				}
			}
		})
	}
}

// jpegLSStream returns a small stream, and its frame.
func jpegLSStream(change func(p *plainLS)) (codec.Frame, []byte) {
	p := plainLS{f: smallFrame}
	change(&p)
	values := make([]uint16, smallFrame.Rows*smallFrame.Columns)
	for i, v := range wave(smallFrame) {
		values[i/2] |= uint16(v) << (i % 2 * 8)
	}
	return p.f, p.encode(values)
}

func TestJPEGLSRefused(t *testing.T) {
	f, good := jpegLSStream(func(p *plainLS) { p.restart, p.resets = 4, 64 })
	// Offsets of the header that plainLS writes.
	const lse, dri, sos = 15, 30, 36
	for name, change := range map[string]func(b []byte) []byte{
		"MAXVAL beyond the precision": func(b []byte) []byte { b[lse+5] = 0x10; return b },
		"T1 above T2":                 func(b []byte) []byte { b[lse+7] = 0x0f; return b },
		"T3 beyond MAXVAL":            func(b []byte) []byte { b[lse+11] = 0x10; return b },
		"RESET of 2":                  func(b []byte) []byte { b[lse+14] = 2; return b },
		"short presets":               func(b []byte) []byte { b[lse+3] = 12; return b },
		"a mapping table":             func(b []byte) []byte { b[sos+6] = 1; return b },
		"other component":             func(b []byte) []byte { b[sos+5] = 9; return b },
		"NEAR beyond MAXVAL/2": func(b []byte) []byte {
			b[1+lse+4], b[lse+5], b[lse+6], b[sos+7] = 0, 0, 9,
				5
			return b
		},
		"shifted away": func(b []byte) []byte { b[sos+9] = 12; return b },
		"no restart":   func(b []byte) []byte { b[dri+5] = 5; return b },
		"cut off":      func(b []byte) []byte { return append(b[:len(b)-40], 0xff, 0xd9) },
		"a byte more":  func(b []byte) []byte { return append(b[:len(b)-2], 0, 0, 0xff, 0xd9) },
	} {
		if err := attempt(t, seed{"refused", jpegLS, f, nil}, change(bytes.Clone(good))); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if err := attempt(t, seed{"good", jpegLS, f, nil}, good); err != nil {
		t.Error(err)
	}
}

func TestJPEGLSCorrupted(t *testing.T) {
	rounds := 20000
	if testing.Short() {
		rounds = 1000
	}
	r := rand.New(rand.NewPCG(15, 16))
	kinds := []string{"random", "noise", "sparse", "saturated", "ramp", "constant"}
	for n := range rounds {
		p, values := synthetic(r, kinds[n%len(kinds)])
		data := p.encode(values)
		if n%5 == 0 {
			data = data[:r.IntN(len(data))]
		}
		for range r.IntN(4) {
			if len(data) > 0 {
				data[r.IntN(len(data))] = byte(r.Uint32())
			}
		}
		if len(data) > 0 && codec.IsRare(p.f, data) {
			continue // the module decodes it
		}
		_ = attempt(t, seed{"corrupted", jpegLS, p.f, nil}, data)
	}
}

func FuzzDecodeJPEGLS(f *testing.F) {
	for _, change := range []func(p *plainLS){
		func(p *plainLS) { p.restart = 3 },
		func(p *plainLS) { p.near, p.maxVal = 2, 4001 },
		func(p *plainLS) { p.t1, p.t2, p.t3, p.resets = 5, 6, 7, 3 },
		func(p *plainLS) { p.shift = 6 },
	} {
		frame, data := jpegLSStream(change)
		f.Add(uint8(frame.Rows-1), uint8(frame.Columns-1), uint8(0), uint8(frame.Stored-1), uint8(0), data)
	}
	fuzz(f, ".8", jpegLS)
}

// The two that BenchmarkDecode decodes in Go, in the module.
func BenchmarkModuleJPEGLS(b *testing.B) {
	module := func(b *testing.B, f file) {
		b.SetBytes(int64(2 * f.frame.Rows * f.frame.Columns))
		for b.Loop() {
			if _, err := codec.DecodeByModule(f.frame, f.syntax, f.fragments[0]); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("knee", func(b *testing.B) {
		need(b, "dcmcjpls")
		path, _ := variant{16, 12, false}.write(b)
		out := filepath.Join(b.TempDir(), "out.dcm")
		run(b, "dcmcjpls", path, out)
		module(b, readFile(b, out))
	})
	b.Run("siemens", func(b *testing.B) { module(b, sharedFile(b, "transfer-syntaxes/7.dcm")) })
}
