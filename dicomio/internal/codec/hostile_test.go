package codec_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/t2map/t2map/dicomio/internal/codec"
)

// longest is the time that a small frame may take, however damaged: far more than it does,
// for busy machines.
const longest = 10 * time.Second

// attempt decodes data that may be damaged, and wants an error or a frame of the right size
// within that time.
func attempt(t testing.TB, s seed, data []byte) error {
	t.Helper()
	start := time.Now()
	got, err := codec.Decode(s.syntax, s.frame, data, nil)
	if took := time.Since(start); took > longest {
		t.Errorf("%s: %v", s.name, took)
	}
	if want := s.frame.Rows * s.frame.Columns * s.frame.Samples * max(8, s.frame.Allocated) / 8; err == nil &&
		len(got) != want {
		t.Errorf("%s: %d bytes, want %d", s.name, len(got), want)
	}
	if err != nil && (len(err.Error()) > 400 || strings.Contains(err.Error(), "wasm stack")) {
		t.Errorf("%s: an error nobody reads: %v", s.name, err)
	}
	return err
}

// The seeds are valid: those without loss equal the image.
func TestSeeds(t *testing.T) {
	for _, s := range seeds(t) {
		got, err := codec.Decode(s.syntax, s.frame, s.data, nil)
		if err != nil {
			t.Errorf("%s: %v", s.name, err)
			continue
		}
		deviation := farthest(s.frame, got, wave(s.frame))
		if lossy := codec.Lossy(s.syntax, s.data); lossy != (deviation > 0) || deviation > 200 {
			t.Errorf("%s: off by %d, lossy %v", s.name, deviation, lossy)
		}
	}
}

func TestTruncated(t *testing.T) {
	for _, s := range seeds(t) {
		t.Run(s.name, func(t *testing.T) {
			for n := range s.data {
				err := attempt(t, s, s.data[:n:n])
				// The last bytes may be padding or the end marker.
				if err == nil && n < len(s.data)-3 {
					t.Errorf("%d of %d bytes are enough", n, len(s.data))
				}
			}
		})
	}
}

// Padding after the frame does not belong to it.
func TestPadded(t *testing.T) {
	for _, s := range seeds(t) {
		for _, padding := range []string{"\x00", "\xff", "\x00\x00\x00\x00\x00", "\xff\xff\xff"} {
			if err := attempt(t, s, append(bytes.Clone(s.data), padding...)); err != nil {
				t.Errorf("%s with %q: %v", s.name, padding, err)
			}
		}
	}
}

func TestCorrupted(t *testing.T) {
	rounds := 300
	if testing.Short() {
		rounds = 30
	}
	r := rand.New(rand.NewPCG(5, 6))
	for _, s := range seeds(t) {
		t.Run(s.name, func(t *testing.T) {
			for range rounds {
				data := bytes.Clone(s.data)
				for range 1 + r.IntN(4) {
					data[r.IntN(len(data))] = byte(r.Uint32())
				}
				attempt(t, s, data)
			}
		})
	}
}

// A codestream whose dimensions differ from the data set is refused before memory is
// allocated for it.
func TestOtherSizes(t *testing.T) {
	for _, s := range seeds(t) {
		if s.name == "rle" || s.name == "deflated" {
			continue // have no header with a size
		}
		for name, f := range map[string]func(*codec.Frame){
			"rows":    func(f *codec.Frame) { f.Rows++ },
			"columns": func(f *codec.Frame) { f.Columns-- },
			"samples": func(f *codec.Frame) { f.Samples = 3 },
			"bits":    func(f *codec.Frame) { f.Allocated, f.Stored = 8, 8 },
		} {
			other := s
			f(&other.frame)
			if name == "bits" && s.frame.Allocated == 8 {
				continue
			}
			if err := attempt(t, other, s.data); err == nil {
				t.Errorf("%s: other %s are accepted", s.name, name)
			}
		}
	}
}

// A header that declares 65535 × 65535 pixels allocates little memory.
func TestPromises(t *testing.T) {
	for _, s := range seeds(t) {
		data := bytes.Clone(s.data)
		size := []byte{0, 14, 0, 18}
		if position := bytes.Index(data, size); position >= 0 {
			copy(data[position:], "\xff\xff\xff\xff")
		} else {
			continue
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := attempt(t, s, data); err == nil {
			t.Errorf("%s: accepted", s.name)
		}
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
			t.Errorf("%s: %d bytes were allocated", s.name, n)
		}
	}
}

func TestRLEOutside(t *testing.T) {
	good := rle(wave(smallFrame), 2)
	s := seed{"rle", "1.2.840.10008.1.2.5", smallFrame, nil}
	for name, change := range map[string]func(b []byte){
		"no segments":          func(b []byte) { b[0] = 0 },
		"three segments":       func(b []byte) { b[0] = 3 },
		"2³¹ segments":         func(b []byte) { b[3] = 0x80 },
		"before the data":      func(b []byte) { b[4] = 63 },
		"behind the data":      func(b []byte) { binary.LittleEndian.PutUint32(b[8:], uint32(len(b)+1)) },
		"at 2³²-1":             func(b []byte) { binary.LittleEndian.PutUint32(b[8:], 1<<32-1) },
		"second before first":  func(b []byte) { b[4], b[8] = 70, 64 },
		"a segment of nothing": func(b []byte) { binary.LittleEndian.PutUint32(b[8:], uint32(len(b))) },
	} {
		data := bytes.Clone(good)
		change(data)
		if err := attempt(t, s, data); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestDeflateBomb(t *testing.T) {
	bomb := deflated(t, make([]byte, 256<<20))
	s := seed{"bomb", "1.2.840.10008.1.2.8.1", smallFrame, nil}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := attempt(t, s, bomb); err == nil {
		t.Error("accepted")
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
		t.Errorf("%d bytes", n)
	}
}

func TestFramesThatAreNone(t *testing.T) {
	good := codec.Frame{Rows: 1, Columns: 1, Samples: 1, Allocated: 16, Stored: 16}
	for name, change := range map[string]func(f *codec.Frame){
		"no rows":        func(f *codec.Frame) { f.Rows = 0 },
		"negative":       func(f *codec.Frame) { f.Columns = -1 },
		"too wide":       func(f *codec.Frame) { f.Columns = 1 << 16 },
		"over 1 GiB":     func(f *codec.Frame) { f.Rows, f.Columns = 1<<16-1, 1<<16-1 },
		"overflow":       func(f *codec.Frame) { f.Rows, f.Columns, f.Samples = math.MaxInt, math.MaxInt, math.MaxInt },
		"no samples":     func(f *codec.Frame) { f.Samples = 0 },
		"32 bits":        func(f *codec.Frame) { f.Allocated = 32 },
		"too many":       func(f *codec.Frame) { f.Stored = 17 },
		"none stored":    func(f *codec.Frame) { f.Stored = 0 },
		"signed bits":    func(f *codec.Frame) { f.Allocated, f.Stored, f.Signed = 1, 1, true },
		"negative depth": func(f *codec.Frame) { f.Allocated = -16 },
	} {
		f := good
		change(&f)
		for _, s := range seeds(t) {
			if _, err := codec.Decode(s.syntax, f, s.data, nil); err == nil {
				t.Errorf("%s: %s: accepted", name, s.name)
			}
		}
	}
	if _, err := codec.Decode("1.2.840.10008.1.2.1", good, []byte{1, 2}, nil); err == nil ||
		codec.Known("1.2.840.10008.1.2.1") {
		t.Error("a syntax that is not compressed is accepted")
	}
}

// Eight concurrent callers get the same result as one; a damaged frame in between does no
// harm.
func TestConcurrent(t *testing.T) {
	all := seeds(t)
	want := make([][]byte, len(all))
	for i, s := range all {
		var err error
		if want[i], err = codec.Decode(s.syntax, s.frame, s.data, nil); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
	}
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(g), 7))
			var dst []byte
			for range 40 {
				i := r.IntN(len(all))
				s := all[i]
				if r.IntN(4) == 0 {
					data := bytes.Clone(s.data)
					data[r.IntN(len(data))]++
					attempt(t, s, data)
				}
				got, err := codec.Decode(s.syntax, s.frame, s.data, dst)
				if err != nil || !bytes.Equal(got, want[i]) {
					t.Errorf("%s: %v, or other values", s.name, err)
					return
				}
				dst = got
			}
		})
	}
	wg.Wait()
}
