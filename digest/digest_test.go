package digest

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/iotest"
)

// messages returns n messages of random bytes.
func messages(lengths ...int) [][]byte {
	random := rand.NewChaCha8([32]byte{1})
	out := make([][]byte, len(lengths))
	for i, n := range lengths {
		out[i] = make([]byte, n)
		random.Read(out[i])
	}
	return out
}

func wanted(messages [][]byte) []string {
	var out []string
	for _, m := range messages {
		out = append(out, fmt.Sprintf("%x", sha256.Sum256(m)))
	}
	return out
}

func readers(messages [][]byte) []io.Reader {
	var out []io.Reader
	for _, m := range messages {
		// A file may hand over less than was asked for.
		out = append(out, iotest.HalfReader(bytes.NewReader(m)))
	}
	return out
}

// lengths are sets of messages around the borders of blocks, of the padding and
// of the windows, alike and not.
var lengths = [][]int{
	{}, {0}, {5}, {64, 64}, {0, 0, 0}, {1, 55, 56, 57, 63, 64, 65, 119},
	{120, 127, 128, 129, 0, 640, 641, 3}, {300_000, 300_000, 299_998, 300_064},
	{window, window - 1, window + 1, 3 * window, 2*window - 9, 2*window - 8, 0, 10 * window},
	{7, 7, 7, 7, 7, 7, 7, 7, 7, 100, 1000, 10000, 5, 4, 3, 2, 1},
}

// TestOf holds every kernel that this processor has against the standard library.
func TestOf(t *testing.T) {
	for name, k := range kernels() {
		t.Run(name, func(t *testing.T) {
			use(t, k)
			for _, n := range lengths {
				m := messages(n...)
				if got, want := Of(m...), wanted(m); !slices.Equal(got, want) {
					t.Errorf("lengths %d: got %v, want %v", n, got, want)
				}
				got, err := OfReaders(readers(m)...)
				if want := wanted(m); err != nil || !slices.Equal(got, want) {
					t.Errorf("readers of %d: got %v, %v, want %v", n, got, err, want)
				}
			}
		})
	}
}

func TestOfReadersFails(t *testing.T) {
	broken := errors.New("broken")
	for name, k := range kernels() {
		use(t, k)
		r := readers(messages(100, 100_000, 100_000, 100_000))
		r[2] = io.MultiReader(r[2], iotest.ErrReader(broken))
		if _, err := OfReaders(r...); !errors.Is(err, broken) {
			t.Errorf("%s: got %v, want %v", name, err, broken)
		}
	}
}

func FuzzOf(f *testing.F) {
	f.Add([]byte("abc"), uint16(3), uint16(70))
	f.Fuzz(func(t *testing.T, data []byte, a, b uint16) {
		m := [][]byte{data, data[:min(int(a), len(data))], data[min(int(b), len(data)):], bytes.Repeat(data, 3)}
		if got, want := Of(m...), wanted(m); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

// use makes k the kernel for one test.
func use(t testing.TB, k kernel) {
	before := lanes
	lanes = k
	t.Cleanup(func() { lanes = before })
}

// BenchmarkOf hashes eight files of a series.
func BenchmarkOf(b *testing.B) {
	const length = 300_000
	m := messages(slices.Repeat([]int{length}, Width)...)
	for name, k := range kernels() {
		b.Run(name, func(b *testing.B) {
			use(b, k)
			b.SetBytes(Width * length)
			for b.Loop() {
				Of(m...)
			}
		})
	}
}
