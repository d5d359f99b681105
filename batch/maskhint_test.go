package batch

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/t2map/t2map/internal/dicomtest"
	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/phantom"
)

// plainMask returns the study's labels as an uncompressed file in NIfTI-1.
func plainMask(t testing.TB, k *phantom.Study) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := nifti.WriteLabels(&b, k.Labels.Geometry, k.Labels.Data, ""); err != nil {
		t.Fatal(err)
	}
	return gunzipped(t, b.Bytes())
}

// gunzipped returns what a file in gzip holds.
func gunzipped(t testing.TB, b []byte) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// Fields of a NIfTI-1 header (nifti1.h).
const (
	atDim, atDatatype, atBitpix, atQform, atMagic, atData = 40, 70, 72, 252, 344, 352
)

// Every way in which a mask can be refused has a hint of its own, in inspect and in run.
func TestEveryRefusedMaskHasAHint(t *testing.T) {
	short16 := func(offset int, values ...int16) func([]byte) []byte {
		return func(b []byte) []byte {
			for i, v := range values {
				binary.LittleEndian.PutUint16(b[offset+2*i:], uint16(v))
			}
			return b
		}
	}
	floats := func(value float32) func([]byte) []byte {
		return func(b []byte) []byte { // the labels as float32, the first of them changed
			out := bytes.Clone(b[:atData])
			binary.LittleEndian.PutUint16(out[atDatatype:], 16)
			binary.LittleEndian.PutUint16(out[atBitpix:], 32)
			size := binary.LittleEndian.Uint16(b[atBitpix:]) / 8
			for v := 0; v < len(b)-atData; v += int(size) {
				label := float32(b[atData+v])
				if v == 0 {
					label = value
				}
				out = binary.LittleEndian.AppendUint32(out, math.Float32bits(label))
			}
			return out
		}
	}
	packed := func(damage func([]byte) []byte) func([]byte) []byte {
		return func(b []byte) []byte {
			var z bytes.Buffer
			w := gzip.NewWriter(&z)
			if _, err := w.Write(b); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			return damage(z.Bytes())
		}
	}
	two := make([]byte, 600)
	binary.LittleEndian.PutUint32(two, 540)
	fixed := func(data []byte) func([]byte) []byte { return func([]byte) []byte { return data } }
	moved := func(b []byte, offset int, mm float32) []byte { // a length in the header
		binary.LittleEndian.PutUint32(b[offset:],
			math.Float32bits(math.Float32frombits(binary.LittleEndian.Uint32(b[offset:]))+mm))
		return b
	}
	for _, c := range []struct {
		name   string
		change func(sound []byte) []byte
		reason string
		hint   string
	}{
		{"4-D", short16(atDim, 4, 64, 64, 3, 2), "dim[4]: 2 frames", "join the frames"},
		{"five dimensions", short16(atDim, 5, 64, 64, 3, 1, 2), "more than four dimensions", "join the frames"},
		{"RGB", short16(atDatatype, 128), "datatype 128", "instead of colours"},
		{"complex", short16(atDatatype, 32), "datatype 32", "instead of colours"},
		{"no place", short16(atQform, 0, 0), "neither qform nor sform", "sform or qform of the series"},
		{"qform without rotation", func(b []byte) []byte {
			binary.LittleEndian.PutUint32(b[256:], math.Float32bits(3))
			return short16(atQform, 1, 0)(b)
		}, "qform: quaternion", "sform or qform of the series"},
		{"interpolated", floats(0.75), "0.75 is not a label", "nearest-neighbour"},
		{"NaN", floats(float32(math.NaN())), "NaN is not a label", "0 instead of NaN"},
		{"negative", floats(-1), "-1 is not a label", "0 and above"},
		{"an image", floats(1e6), "above 65535", "up to 65535"},
		{"infinite", floats(float32(math.Inf(1))), "+Inf is not a label", "up to 65535"},
		{"NIfTI-2", fixed(two), "a NIfTI-2 file", "NIfTI-1"},
		{"Analyze", func(b []byte) []byte { copy(b[atMagic:], "\x00\x00\x00\x00"); return b },
			"Analyze 7.5, which is not read", "export a label map in NIfTI"},
		{"pair", func(b []byte) []byte { copy(b[atMagic:], "ni1\x00"); return b }, ".hdr/.img pair",
			"instead of a .hdr and an .img"},
		{"cut", func(b []byte) []byte { return b[:len(b)-10] }, "bytes: unexpected", "copy the mask again"},
		{"too long", func(b []byte) []byte { return append(b, 1, 2) }, "more than the", "copy the mask again"},
		{"empty", fixed(nil), "header: 0 of 348 bytes", "copy the mask again"},
		{"gzip cut", packed(func(b []byte) []byte { return b[:len(b)-6] }), "data: ", "copy the mask again"},
		{"gzip damaged", packed(func(b []byte) []byte { b[len(b)-8] ^= 1; return b }), "invalid checksum",
			"compression is damaged"},
		{"text", fixed([]byte("subject,visit\n")), "not a NIfTI file", "one NIfTI-1 file"},
		{"NRRD in disguise", fixed([]byte("NRRD0004\ntype: uchar\n")), `encoding: "" is not an encoding`,
			"raw or in gzip"},
		{"another size", short16(atDim, 3, 64, 128, 3), "lies in the field of view of the series (50 % needed): " +
			"medial 46 %, the rest up to 71.2 mm outside", "t2map inspect shows both grids"},
		{"moved", func(b []byte) []byte {
			return moved(moved(b, 280+16+12, 200), 268+4, 200) // srow_y[3], qoffset_y
		}, "mask lies outside the series: its nearest voxel is ", "belong to another knee or visit"},
		{"qform against sform", func(b []byte) []byte { return moved(b, 268+4, 4) }, "place the voxels up to 4.00 " +
			"mm apart", "set the code of the other to 0"},
		{"an unknown label", func(b []byte) []byte { b[len(b)-2] = 9; return b }, "does not know label 9", "--scheme"},
	} {
		dir := t.TempDir()
		study := filepath.Join(dir, "studies", "a")
		k := kneeAs(t, study, dicomtest.Form{})
		data := c.change(plainMask(t, k))
		if err := os.WriteFile(filepath.Join(study, "labels.nii.gz"), data, 0o644); err != nil {
			t.Fatal(err)
		}
		s := settings(t, dir)
		in, err := Inspect(context.Background(), s)
		if err != nil || len(in.Studies[0].Problems) != 1 || in.Studies[0].Action != "fail" {
			t.Errorf("%s: %+v, %v", c.name, in.Studies, err)
			continue
		}
		f := oneFailure(t, s)
		if f.Reason != in.Studies[0].Problems[0].Reason || !strings.Contains(f.Reason, "mask: a/labels.nii.gz: ") ||
			!strings.Contains(f.Reason, c.reason) {
			t.Errorf("%s: reason %q, inspect %q, want %q", c.name, f.Reason, in.Studies[0].Problems[0].Reason, c.reason)
		}
		if f.Hint != in.Studies[0].Problems[0].Hint || !strings.Contains(f.Hint, c.hint) {
			t.Errorf("%s: hint %q, want %q", c.name, f.Hint, c.hint)
		}
	}
}
