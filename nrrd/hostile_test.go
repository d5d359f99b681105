package nrrd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
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
	for name, b := range map[string][]byte{
		"raw": nrrdOf(t, make([]byte, 10), "sizes: 3 2 2", "sizes: 9000 9000 9000"),
		"gzip": nrrdOf(t, sampletest.Gzip(t, make([]byte, 10)), "sizes: 3 2 2", "sizes: 9000 9000 9000",
			"encoding: raw", "encoding: gzip"),
		"segments": segmented("3 9000 9000 9000", "none "+axes,
			"Segment0_Name:=A\nSegment1_Name:=B\nSegment2_Name:=C\nSegment2_LabelValue:=65535\n", make([]byte, 10)),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Read(bytes.NewReader(b), Options{})
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		if grew := after.TotalAlloc - before.TotalAlloc; grew > 8<<20 {
			t.Errorf("%s: %d bytes allocated for a file of %d (%v)", name, grew, len(b), err)
		}
	}
}

// Data in a gzip stream after the declared size, here 400 MB, are not read.
func TestBombIsBounded(t *testing.T) {
	bomb := sampletest.Gzip(t, sampletest.Bytes())
	bomb = append(bomb, bytes.Repeat(sampletest.Gzip(t, make([]byte, 1<<20)), 400)...)
	src := &sampletest.Counter{Reader: bytes.NewReader(nrrdOf(t, bomb, "encoding: raw", "encoding: gzip"))}
	_, err := Read(src, Options{})
	if err == nil || samples.FaultOf(err) != samples.FaultLength ||
		!strings.Contains(err.Error(), "more than the 3×2×2 voxels") {
		t.Errorf("error %v", err)
	}
	if src.N > 256<<10 {
		t.Errorf("%d of %d bytes taken", src.N, len(bomb))
	}
}

// Overlapping segments may have more voxels than fit into memory. Here, all layers are marked in
// all voxels.
func TestMostVoxels(t *testing.T) {
	for _, c := range []struct {
		layers, most int
		want         string
	}{
		{8, 0, ""}, {9, 0, "its segments hold more than 262144 voxels"}, {4, 4 << 15, ""},
		{4, 4<<15 - 1, "its segments hold more than 131071 voxels"},
	} {
		var keys strings.Builder
		for n := range c.layers {
			fmt.Fprintf(&keys, "Segment%d_Name:=A\n", n)
		}
		b := segmented(
			fmt.Sprint(c.layers, " 32 32 32"), "none "+axes, keys.String(), bytes.Repeat([]byte{1}, c.layers<<15),
		)
		_, err := Read(bytes.NewReader(b), Options{MostVoxels: c.most})
		if c.want == "" && err != nil ||
			c.want != "" && (samples.FaultOf(err) != samples.FaultSegments || err.Error() != c.want) {
			t.Errorf("%d layers, at most %d: %v, want %q", c.layers, c.most, err, c.want)
		}
	}
}

// Check is called before a voxel is read or a file is opened, and its error is returned.
func TestCheck(t *testing.T) {
	refused := errors.New("another grid")
	var asked volume.Geometry
	o := Options{Options: samples.Options{
		Check: func(g volume.Geometry) error { asked = g; return refused },
		Open:  func(string) (io.ReadCloser, error) { t.Error("a file was opened"); return nil, refused },
	}}
	b := nrrdOf(t, nil, "encoding: raw", "encoding: gzip\ndata file: a.raw.gz")
	if _, err := Read(bytes.NewReader(b), o); err != refused {
		t.Errorf("%v, want the error of the check as it is", err)
	}
	if asked != sampletest.Geometry {
		t.Errorf("asked about %v", asked)
	}
}

// No input makes the reader panic or return more voxels than its bytes can hold.
func FuzzRead(f *testing.F) {
	f.Add(nrrdOf(f, sampletest.Bytes()))
	f.Add(nrrdOf(f, sampletest.Gzip(f, sampletest.Bytes()), "encoding: raw", "encoding: gzip"))
	f.Add(nrrdOf(f, []byte("0 1 2 3 4 5 6 7 8 9 10 1e1"), "encoding: raw", "encoding: ascii"))
	f.Add(
		nrrdOf(
			f, sampletest.Bytes(), "type: uchar", "type: short\nendian: big", "sizes: 3 2 2", "sizes: 3 2 1",
			"left-posterior-superior", "RAS",
		),
	)
	f.Add(
		nrrdOf(
			f, nil, "sizes: 3 2 2", "sizes: 3 2 12", "encoding: raw",
			"encoding: raw\ndata file: s%02d.raw 1 12 1\nline skip: 1\nbyte skip: -1",
		),
	)
	f.Add([]byte(strings.TrimSuffix(plain, "\n") + "\ndata file: LIST\na\nb\n"))
	f.Add(segmented("2 2 2 2", "none "+axes, "Segment0_Name:=A\nSegment1_Tags:="+cartilage+"\n", make([]byte, 16)))
	f.Fuzz(func(t *testing.T, b []byte) {
		open := func(string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
		m, err := Read(bytes.NewReader(b), Options{Options: samples.Options{Open: open}})
		if err != nil {
			if samples.FaultOf(err) == samples.FaultNone {
				t.Errorf("an error without a kind: %v", err)
			}
			return
		}
		g, n := m.Labels.Geometry, len(m.Labels.Data)
		if m.Segments {
			g, n = m.Segmentation.Geometry, 0
			for _, s := range m.Segmentation.Segments {
				for i, v := range s.Voxels {
					if int(v) >= g.Voxels() || i > 0 && v <= s.Voxels[i-1] {
						t.Fatalf("voxel %d of %v", v, g.Size)
					}
				}
				n += len(s.Voxels)
			}
		} else if n != g.Voxels() {
			t.Errorf("%d values, size %v", n, g.Size)
		}
		// bzip2 compresses a block of 900,000 bytes to some 40 (its manual).
		if n > 64<<10*len(b) || !(g.VoxelVolume() > 0) || math.IsInf(g.VoxelVolume(), 0) {
			t.Errorf("%d values, voxel volume %g, from %d bytes", n, g.VoxelVolume(), len(b))
		}
	})
}
