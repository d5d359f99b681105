package nifti

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/t2map/t2map/volume"
)

// A header that declares far more data than the file has costs no more memory than the first
// capacity, and no time.
func TestLyingSizes(t *testing.T) {
	h := newHeader(32767, 32767, 32767)
	h.Dim[0], h.Dim[4], h.Datatype = 4, 32767, 64
	b := build(t, h, binary.LittleEndian, make([]float64, 10))
	for name, file := range map[string][]byte{"plain": b, "gzip": compress(t, b)} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _, err := ReadFrames(bytes.NewReader(file))
		runtime.ReadMemStats(&after)
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v", name, err)
		}
		if grew := after.TotalAlloc - before.TotalAlloc; grew > 8<<20 {
			t.Errorf("%s: %d bytes allocated for a file of %d", name, grew, len(file))
		}
	}
}

// Data in a gzip file after the declared size are not read. The source counts the bytes read of a
// file of 400 MB uncompressed, written in many members, which form one stream (RFC 1952, 2.2).
func TestBombIsBounded(t *testing.T) {
	h := newHeader(2, 2, 2)
	bomb := compress(t, build(t, h, binary.LittleEndian, make([]uint8, 8)))
	bomb = append(bomb, bytes.Repeat(compress(t, make([]byte, 1<<20)), 400)...)
	src := &counter{r: bytes.NewReader(bomb)}
	if _, err := ReadLabels(src); err == nil || !strings.Contains(err.Error(), "more than the 2×2×2×1 voxels") {
		t.Errorf("error %v", err)
	}
	if src.n > 128<<10 {
		t.Errorf("%d of %d bytes taken", src.n, len(bomb))
	}
}

type counter struct {
	r io.Reader
	n int
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

// No input makes the reader panic or return more voxels than its bytes can hold.
func FuzzReadLabels(f *testing.F) {
	h := newHeader(2, 2, 2)
	sound := build(f, h, binary.LittleEndian, make([]uint8, 8))
	f.Add(sound)
	f.Add(compress(f, sound))
	f.Add(sound[:350])
	h.QformCode, h.SformCode, h.Datatype, h.SclSlope = 1, 0, 64, 2
	f.Add(build(f, h, binary.BigEndian, make([]float64, 8)))
	h.Dim = [8]int16{4, 32767, 32767, 32767, 32767}
	f.Add(build(f, h, binary.LittleEndian, make([]float64, 8)))
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := ReadLabels(bytes.NewReader(b))
		if err != nil {
			return
		}
		// Deflate compresses at most 1032 to 1 (zlib's technical notes).
		if len(l.Data) != l.Voxels() || len(l.Data) > 1032*len(b) {
			t.Errorf("%d values, size %v, from %d bytes", len(l.Data), l.Size, len(b))
		}
		if !(l.VoxelVolume() > 0) {
			t.Errorf("voxel volume %g", l.VoxelVolume())
		}
	})
}

// check is called before a voxel is read, and its error is returned.
func TestReadCheckedLabels(t *testing.T) {
	var b bytes.Buffer
	g := volume.Geometry{Size: [3]int{4, 3, 2}, Affine: [3][4]float64{{1}, {0, 1}, {0, 0, 1}}}
	if err := WriteLabels(&b, g, make([]uint8, 24), ""); err != nil {
		t.Fatal(err)
	}
	refused := errors.New("another grid")
	var asked volume.Geometry
	r := bytes.NewReader(b.Bytes()[:b.Len()-1]) // what follows the header is damaged
	if _, err := ReadCheckedLabels(r, func(g volume.Geometry) error { asked = g; return refused }); err != refused {
		t.Errorf("%v, want the error of the check as it is", err)
	}
	if asked.Size != g.Size {
		t.Errorf("asked about %v", asked.Size)
	}
	l, err := ReadCheckedLabels(bytes.NewReader(b.Bytes()), func(volume.Geometry) error { return nil })
	if err != nil || len(l.Data) != 24 || cap(l.Data) != 24 {
		t.Errorf("%d labels in memory for %d, %v", len(l.Data), cap(l.Data), err)
	}
}
