package nifti

import (
	"bytes"
	"math"
	"testing"

	"github.com/t2map/t2map/volume"
)

// An image is unchanged after writing and reading, in any type, and takes half the space if its
// values are whole.
func TestWriteImage(t *testing.T) {
	g := volume.Geometry{Size: [3]int{3, 2, 1}, Affine: grids()["axial"].Affine}
	inf := float32(math.Inf(1))
	for _, c := range []struct {
		name   string
		data   []float32
		stored datatype
	}{
		{"zero", make([]float32, 6), dtInt16},
		{"12 bits", []float32{0, 1, 2, 4095, 17, 3}, dtInt16},
		{"signed", []float32{-32768, 32767, 0, -1, 5, 6}, dtInt16},
		{"16 bits", []float32{0, 32768, 65535, 1, 2, 3}, dtUint16},
		{"one above", []float32{0, 65536, 1, 2, 3, 4}, dtFloat32},
		{"one below", []float32{-32769, 1, 2, 3, 4, 5}, dtFloat32},
		{"both ends", []float32{-1, 40000, 2, 3, 4, 5}, dtFloat32},
		{"a fraction", []float32{0, 1, 2, 3, 4, 0.5}, dtFloat32},
		{"NaN", []float32{0, 1, 2, 3, 4, float32(math.NaN())}, dtFloat32},
		{"infinite", []float32{0, 1, inf, -inf, 4, 5}, dtFloat32},
		{"large", []float32{0, 1, 1 << 31, 1e30, -1e30, 5}, dtFloat32},
	} {
		var b bytes.Buffer
		if err := WriteImage(&b, volume.Map{Geometry: g, Data: c.data}, ""); err != nil {
			t.Fatal(err)
		}
		if h, _ := written(t, b.Bytes()); datatype(h.Datatype) != c.stored {
			t.Errorf("%s: stored as %d, want %d", c.name, h.Datatype, c.stored)
		}
		got, frames, err := ReadFrames(bytes.NewReader(b.Bytes()))
		if err != nil || got.Size != g.Size {
			t.Fatalf("%s: %v, %v", c.name, got.Size, err)
		}
		for v, want := range c.data {
			if x := frames[0][v]; x != want && !(x != x && want != want) {
				t.Errorf("%s: voxel %d is %g, want %g", c.name, v, x, want)
			}
		}
	}
}

// Labels are stored in one byte each if that can hold them.
func TestWriteLabelsOfTwoBytes(t *testing.T) {
	g := volume.Geometry{Size: [3]int{2, 2, 1}, Affine: grids()["axial"].Affine}
	for _, c := range []struct {
		data   []uint16
		stored datatype
	}{{[]uint16{0, 1, 255, 3}, dtUint8}, {[]uint16{0, 1, 256, 65535}, dtUint16}} {
		var b bytes.Buffer
		if err := WriteLabels(&b, g, c.data, ""); err != nil {
			t.Fatal(err)
		}
		if h, _ := written(t, b.Bytes()); datatype(h.Datatype) != c.stored {
			t.Errorf("%v: stored as %d", c.data, h.Datatype)
		}
		got, err := ReadLabels(&b)
		if err != nil {
			t.Fatal(err)
		}
		for v, want := range c.data {
			if got.Data[v] != want {
				t.Errorf("%v: voxel %d is %d", c.data, v, got.Data[v])
			}
		}
	}
}
