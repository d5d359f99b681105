package deflate

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// compressed returns data as a file, divided into units of the given length.
func compressed(t testing.TB, head, data []byte, unit int) []byte {
	var file bytes.Buffer
	w := NewWriter(&file, head, Unit)
	for {
		part := data[:min(unit, len(data))]
		data = data[len(part):]
		if err := w.Write(part, len(data) == 0); err != nil {
			t.Fatal(err)
		}
		if len(data) == 0 {
			return file.Bytes()
		}
	}
}

// checkFile checks that the standard library, which verifies checksum and length, reads want from
// the file.
func checkFile(t testing.TB, file, want []byte) {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(z)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%v; %d bytes, want %d, as they were", err, len(got), len(want))
	}
}

// tissue returns n bytes of a T2 map with noise in float32.
func tissue(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, 0, n)
	for len(b) < n {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(40+8*r.NormFloat64())))
	}
	return b[:n]
}

// words returns n repeats of one word.
func words(n int, word string) []byte { return bytes.Repeat([]byte(word), n) }

// skewed returns bytes whose counts are Fibonacci numbers, for which Huffman's tree is the deepest
// possible.
func skewed() []byte {
	var b []byte
	for s, n, next := 0, 1, 1; s < 24; s, n, next = s+1, next, n+next {
		b = append(b, bytes.Repeat([]byte{byte(s)}, n)...)
	}
	r := rand.New(rand.NewPCG(3, 4))
	r.Shuffle(len(b), func(i, j int) { b[i], b[j] = b[j], b[i] })
	return b
}

func samples() map[string][]byte {
	s := map[string][]byte{
		"nothing":          nil,
		"less than a word": {1, 2, 3},
		"one word":         []byte("word"),
		"zeros":            make([]byte, 3*Unit),
		"NaN":              words(Unit/2+7, "\x00\x00\xc0\x7f"),
		"tissue":           tissue(2*Unit + 1),
		"skewed":           skewed(),
		"all bytes alike":  nil,
	}
	for n := range 4096 {
		s["all bytes alike"] = append(s["all bytes alike"], byte(n*7), byte(n>>4))
	}
	// Runs of every length near those of one, two and three matches.
	var runs []byte
	for n := range 200 {
		runs = append(runs, words(n+1, "abcd")...)
		runs = append(runs, byte(n), 1, 2, byte(n>>1))
	}
	s["runs"] = runs
	s["a run at the end"] = append(tissue(1000), words(65, "abcd")...)
	return s
}

func TestWriter(t *testing.T) {
	for name, data := range samples() {
		for _, unit := range []int{4, 1000, Unit} {
			if unit == 4 && len(data) > 1<<16 {
				continue
			}
			t.Run(fmt.Sprintf("%s in units of %d", name, unit), func(t *testing.T) {
				head := []byte("a header")
				checkFile(t, compressed(t, head, data, unit), append(head, data...))
			})
		}
	}
}

// The size of a map is near that of a search for all repeats.
func TestSize(t *testing.T) {
	data := samples()
	mask := slices.Concat(data["NaN"][:Unit], tissue(Unit/4), data["NaN"][:Unit])
	for name, d := range map[string][]byte{"tissue": data["tissue"], "mask": mask, "NaN": data["NaN"]} {
		var all bytes.Buffer
		w, err := flate.NewWriter(&all, flate.DefaultCompression)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(d)
		w.Close()
		if got := len(compressed(t, nil, d, Unit)); got > all.Len()*11/10+1000 {
			t.Errorf("%s: %d bytes, the standard library %d", name, got, all.Len())
		}
	}
}

func TestWriterFails(t *testing.T) {
	r, w := io.Pipe()
	r.Close()
	if err := NewWriter(w, nil, Unit).Write([]byte("data"), true); err != io.ErrClosedPipe {
		t.Errorf("got %v", err)
	}
}

// Lengths and symbols of the table in RFC 1951, 3.2.5.
func TestLengths(t *testing.T) {
	for length, want := range map[int][3]int{
		3: {257, 0, 0}, 10: {264, 0, 0}, 11: {265, 0, 1}, 12: {265, 1, 1}, 18: {268, 1, 1}, 19: {269, 0, 2},
		35: {273, 0, 3},
		66: {276, 7, 3}, 67: {277, 0, 4}, 114: {279, 15, 4}, 130: {280, 15, 4}, 131: {281, 0, 5}, 257: {284, 30, 5},
		258: {285, 0, 0},
	} {
		l := lengths[length]
		if got := [3]int{int(l.symbol), int(l.extra), int(l.extraBits)}; got != want {
			t.Errorf("length %d: symbol, extra, extra bits %v, want %v", length, got, want)
		}
	}
}

// A code must be complete, because readers refuse others, and its words must fit the accumulator.
func TestCodeIsComplete(t *testing.T) {
	fibonacci := [symbols]uint32{}
	for s, a, b := 0, uint32(1), uint32(1); s < 30; s, a, b = s+1, b, a+b {
		fibonacci[s*9] = a
	}
	two := [symbols]uint32{}
	two[0], two[endOfBlock] = 1000, 1
	for name, count := range map[string][symbols]uint32{
		"fibonacci": fibonacci, "two symbols": two, "nothing": estimate(nil), "tissue": estimate(tissue(Unit)),
		"zeros": estimate(make([]byte, Unit)),
	} {
		c := newCode(count)
		words := 0
		for s, n := range c.length {
			if (n > 0) != (count[s] > 0) || n > longestCode {
				t.Errorf("%s: symbol %d, counted %d times, has %d bits", name, s, count[s], n)
			}
			if n > 0 {
				words += 1 << (longestCode - n)
			}
		}
		if words != 1<<longestCode {
			t.Errorf("%s: %d of %d words are used", name, words, 1<<longestCode)
		}
	}
}

func FuzzWriter(f *testing.F) {
	for _, data := range samples() {
		f.Add(data[:min(len(data), 5000)], uint16(1000))
	}
	f.Fuzz(func(t *testing.T, data []byte, unit uint16) {
		checkFile(t, compressed(t, nil, data, 1+int(unit)), data)
	})
}

func BenchmarkWrite(b *testing.B) {
	for name, data := range map[string][]byte{"tissue": tissue(Unit), "NaN": words(Unit/4, "\x00\x00\xc0\x7f")} {
		b.Run(name, func(b *testing.B) {
			w := NewWriter(io.Discard, nil, Unit)
			b.SetBytes(Unit)
			for b.Loop() {
				if err := w.Write(data, false); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
