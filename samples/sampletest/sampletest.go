// Package sampletest holds fixtures that the tests of several packages share. For readers of label
// maps: one small label map, its voxels in every type and compression, and files of other writers.
// For pictures: a knee with maps (Rings), and colours as seen by people with several kinds of
// colour vision (Lab).
package sampletest

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/binary"
	"encoding/json"
	"io"
	"io/fs"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/volume"
)

// Geometry is the grid of the label map, and Labels its voxels.
var (
	Geometry = volume.Geometry{
		Size: [3]int{3, 2, 2}, Affine: [3][4]float64{{0.5, 0, 0, 10}, {0, 0, 4, -20}, {0, -0.25, 0, 30}},
	}
	Labels = []uint16{0, 1, 2, 3, 0, 5, 6, 100, 0, 127, 11, 12}
)

// Converted returns the labels in another type.
func Converted[T any](convert func(uint16) T) []T {
	var out []T
	for _, l := range Labels {
		out = append(out, convert(l))
	}
	return out
}

// Bytes returns the labels, one byte each.
func Bytes() []byte { return Converted(func(l uint16) byte { return byte(l) }) }

// Encode returns numbers as they are stored in a file.
func Encode(t testing.TB, order binary.ByteOrder, data any) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := binary.Write(&b, order, data); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Gzip compresses b by gzip.
func Gzip(t testing.TB, b []byte) []byte {
	t.Helper()
	return pack(t, b, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })
}

// Zlib compresses b by zlib.
func Zlib(t testing.TB, b []byte) []byte {
	t.Helper()
	return pack(t, b, func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) })
}

func pack(t testing.TB, b []byte, compressor func(io.Writer) io.WriteCloser) []byte {
	t.Helper()
	var out bytes.Buffer
	z := compressor(&out)
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Changed returns text with each pair of an old and a new text replaced once. The test fails if an
// old text is missing.
func Changed(t testing.TB, text string, changes ...string) string {
	t.Helper()
	for n := 0; n < len(changes); n += 2 {
		if !strings.Contains(text, changes[n]) {
			t.Fatalf("%q is not in the header", changes[n])
		}
		text = strings.Replace(text, changes[n], changes[n+1], 1)
	}
	return text
}

// Counter counts the bytes that are read.
type Counter struct {
	Reader io.Reader
	N      int
}

// Read reads and counts.
func (c *Counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.N += n
	return n, err
}

// Check checks that a reader returned the label map.
func Check(t testing.TB, name string, l volume.Labels, err error) {
	t.Helper()
	switch {
	case err != nil:
		t.Errorf("%s: %v", name, err)
	case l.Geometry != Geometry || !slices.Equal(l.Data, Labels):
		t.Errorf("%s: %+v, want %+v %v", name, l, Geometry, Labels)
	}
}

// CheckWriters reads files of other writers in the folder testdata, which all hold one label map.
// The expected labels and positions are those that SimpleITK wrote to labels.json
// (nrrd/testdata/write.py).
func CheckWriters(
	t *testing.T, testdata fs.FS, names []string,
	read func(io.Reader, func(string) (io.ReadCloser, error)) (volume.Labels, error),
) {
	t.Helper()
	var want struct {
		Size        [3]int
		Labels      []uint16
		First, Last [3]float64
	}
	b, err := fs.ReadFile(testdata, "labels.json")
	if err == nil {
		err = json.Unmarshal(b, &want)
	}
	if err != nil {
		t.Fatal(err)
	}
	open := func(name string) (io.ReadCloser, error) { return testdata.Open(name) }
	for _, name := range names {
		f, err := open(name)
		if err != nil {
			t.Fatal(err)
		}
		l, err := read(f, open)
		f.Close()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if l.Size != want.Size || !slices.Equal(l.Data, want.Labels) {
			t.Errorf("%s: size %v, labels %v, want %v %v", name, l.Size, l.Data, want.Size, want.Labels)
		}
		for index, p := range map[[3]float64][3]float64{{0, 0, 0}: want.First, {4, 3, 2}: want.Last} {
			got := l.Position(index[0], index[1], index[2])
			for r := range p { // 17 digits are written
				if math.Abs(got[r]-p[r]) > 1e-12 {
					t.Errorf("%s: voxel %v lies at %v, want %v", name, index, got, p)
				}
			}
		}
	}
}
