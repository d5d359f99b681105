package metaimage

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/t2map/t2map/samples"
	"github.com/t2map/t2map/samples/sampletest"
	"github.com/t2map/t2map/volume"
)

// A header that declares far more data than the file has costs no more memory than the first
// capacity.
func TestLyingSizes(t *testing.T) {
	large := []string{"DimSize = 3 2 2", "DimSize = 9000 9000 9000"}
	for name, b := range map[string][]byte{
		"raw": imageOf(t, make([]byte, 10), large...),
		"zlib": imageOf(t, sampletest.Zlib(t, make([]byte, 10)),
			append(large, "CompressedData = False", "CompressedData = True")...),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := ReadLabels(bytes.NewReader(b), samples.Options{})
		runtime.ReadMemStats(&after)
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v", name, err)
		}
		if grew := after.TotalAlloc - before.TotalAlloc; grew > 8<<20 {
			t.Errorf("%s: %d bytes allocated for a file of %d", name, grew, len(b))
		}
	}
}

// Data in a compressed stream after the declared size, here at least 64 MB, are not read.
func TestBombIsBounded(t *testing.T) {
	packed := []string{"CompressedData = False", "CompressedData = True"}
	for name, bomb := range map[string][]byte{
		"zlib": sampletest.Zlib(t, make([]byte, 64<<20)),
		"gzip": append(sampletest.Gzip(t, sampletest.Bytes()),
			bytes.Repeat(sampletest.Gzip(t, make([]byte, 1<<20)), 400)...),
	} {
		src := &sampletest.Counter{Reader: bytes.NewReader(imageOf(t, bomb, packed...))}
		_, err := ReadLabels(src, samples.Options{})
		if err == nil || samples.FaultOf(err) != samples.FaultLength ||
			!strings.Contains(err.Error(), "more than the 3×2×2 voxels") {
			t.Errorf("%s: error %v", name, err)
		}
		if src.N > 256<<10 {
			t.Errorf("%s: %d of %d bytes taken", name, src.N, len(bomb))
		}
	}
}

// Check is called before a voxel is read or a file is opened, and its error is returned.
func TestCheck(t *testing.T) {
	refused := errors.New("another grid")
	var asked volume.Geometry
	o := samples.Options{Check: func(g volume.Geometry) error { asked = g; return refused },
		Open: func(string) (io.ReadCloser, error) { t.Error("a file was opened"); return nil, refused }}
	if _, err := ReadLabels(bytes.NewReader(imageOf(t, nil, "LOCAL", "a.raw")), o); err != refused {
		t.Errorf("%v, want the error of the check as it is", err)
	}
	if asked != sampletest.Geometry {
		t.Errorf("asked about %v", asked)
	}
}

// No input makes the reader panic or return more voxels than its bytes can hold.
func FuzzReadLabels(f *testing.F) {
	f.Add(imageOf(f, sampletest.Bytes()))
	f.Add(
		imageOf(
			f, sampletest.Zlib(f, sampletest.Bytes()), "CompressedData = False",
			"CompressedData = True\nCompressedDataSize = 20",
		),
	)
	f.Add(imageOf(f, sampletest.Gzip(f, sampletest.Bytes()), "CompressedData = False", "CompressedData = True"))
	f.Add(imageOf(f, []byte("0 1 2 3 4 5 6 7 8 9 10 1e1"), "BinaryData = True", "BinaryData = False"))
	f.Add(imageOf(f, sampletest.Bytes(), "MET_UCHAR", "MET_SHORT", "DimSize = 3 2 2", "DimSize = 3 2 1"))
	f.Add(imageOf(f, nil, "LOCAL", "s%02d.raw 1 2 1", "NDims", "HeaderSize = -1\nNDims"))
	f.Add(imageOf(f, nil, "LOCAL", "LIST\na\nb"))
	f.Fuzz(func(t *testing.T, b []byte) {
		open := func(string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
		l, err := ReadLabels(bytes.NewReader(b), samples.Options{Open: open})
		if err != nil {
			if samples.FaultOf(err) == samples.FaultNone {
				t.Errorf("an error without a kind: %v", err)
			}
			return
		}
		// Deflate compresses at most 1032 to 1 (zlib's technical notes); each of several files is
		// b.
		if len(l.Data) != l.Voxels() || len(l.Data) > 1032*len(b)*l.Size[2] {
			t.Errorf("%d values, size %v, from %d bytes", len(l.Data), l.Size, len(b))
		}
		if !(l.VoxelVolume() > 0) {
			t.Errorf("voxel volume %g", l.VoxelVolume())
		}
	})
}
