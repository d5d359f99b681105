package codec_test

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/t2map/t2map/dicomio/internal/codec"
)

// seed is a small frame in one of the codings.
type seed struct {
	name, syntax string
	frame        codec.Frame
	data         []byte
}

// seeds returns a frame of each kind: the files in testdata/seeds, which
// testdata/seeds.py makes, named by syntax and frame, and frames coded here.
func seeds(t testing.TB) []seed {
	t.Helper()
	all := []seed{
		{"rle", "1.2.840.10008.1.2.5", smallFrame, rle(wave(smallFrame), 2)},
		{"deflated", "1.2.840.10008.1.2.8.1", smallFrame, deflated(t, wave(smallFrame))},
	}
	files, err := filepath.Glob(filepath.Join("testdata", "seeds", "*"))
	if err != nil || len(files) == 0 {
		t.Fatal("no seeds: ", err)
	}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(path)
		syntax, _, _ := strings.Cut(name, "-")
		all = append(all, seed{name, syntax, smallFrame, data})
	}
	data, err := os.ReadFile(filepath.Join("testdata", "openjph-8u-40x56.j2c"))
	if err != nil {
		t.Fatal(err)
	}
	return append(all, seed{"openjph", htLossless, codec.Frame{Rows: 40, Columns: 56, Samples: 1, Allocated: 8,
		Stored: 8}, data})
}

// smallFrame is the frame of the seeds.
var smallFrame = codec.Frame{Rows: 14, Columns: 18, Samples: 1, Allocated: 16, Stored: 12}

// rle codes values of width bytes, without looking for repeats.
func rle(values []byte, width int) []byte {
	out := make([]byte, 64)
	binary.LittleEndian.PutUint32(out, uint32(width))
	for s := range width {
		binary.LittleEndian.PutUint32(out[4+4*s:], uint32(len(out)))
		for position := width - 1 - s; position < len(values); {
			n := min(128, (len(values)-position+width-1)/width)
			out = append(out, byte(n-1))
			for range n {
				out = append(out, values[position])
				position += width
			}
		}
	}
	return out
}

func deflated(t testing.TB, values []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(values); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
