package main

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"
)

// boxSegments writes a file of 3D Slicer with two boxes that begin at columns 2 and 11. layers holds their values in
// each layer.
func boxSegments(t *testing.T, path string, header []string, layers ...[2]byte) {
	t.Helper()
	h := "NRRD0004\ntype: unsigned char\ndimension: 4\nspace: left-posterior-superior\n" +
		fmt.Sprintf("sizes: %d 20 20 10\n", len(layers)) +
		"space directions: none (1,0,0) (0,1,0) (0,0,1)\nkinds: list domain domain domain\nencoding: raw\nspace " +
		"origin: (0,0,0)\n" +
		strings.Join(header, "\n") + "\n\n"
	data := make([]byte, 20*20*10*len(layers))
	for v := range 20 * 20 * 10 {
		i, j, k := v%20, v/20%20, v/400
		if j < 4 || j >= 16 || k < 2 || k >= 8 {
			continue
		}
		for n, values := range layers {
			switch {
			case i >= 2 && i < 9:
				data[v*len(layers)+n] = values[0]
			case i >= 11 && i < 18:
				data[v*len(layers)+n] = values[1]
			}
		}
	}
	write(t, path, h+string(data))
}

func boxSegment(n int, name string, value, layer int) string {
	return fmt.Sprintf("Segment%d_ID:=s%d\nSegment%d_Name:=%s\nSegment%d_LabelValue:=%d\nSegment%d_Layer:=%d", n, n,
		n, name, n, value, n, layer)
}

// Segments are paired by their names if both files have names, whatever their numbers, and by meanings with --scheme.
// Segments that cannot be paired, or that share voxels, are refused.
func TestCompareMasksByName(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	const femur, tibia = "Femoral Cartilage", "Medial Tibial Cartilage"
	boxSegments(t, path("one.seg.nrrd"), []string{boxSegment(0, femur, 2, 0), boxSegment(1, tibia, 3, 0)},
		[2]byte{2, 3})
	boxSegments(t, path("two.seg.nrrd"), []string{boxSegment(0, "medial tibial_cartilage", 1, 0),
		boxSegment(1, "femoral cartilage", 2, 0)}, [2]byte{2, 1})
	boxSegments(t, path("layers.seg.nrrd"), []string{boxSegment(0, femur, 1, 0), boxSegment(1, tibia, 1, 1)},
		[2]byte{1, 0}, [2]byte{0, 1})
	boxSegments(t, path("overlap.seg.nrrd"), []string{boxSegment(0, femur, 1, 0), boxSegment(1, tibia, 2, 1)},
		[2]byte{1, 0}, [2]byte{2, 2})
	boxSegments(t, path("twice.seg.nrrd"), []string{boxSegment(0, femur, 1, 0),
		boxSegment(1, "femoral_cartilage", 2, 0)}, [2]byte{1, 2})
	numbers := "NRRD0004\ntype: unsigned char\ndimension: 3\nspace: left-posterior-superior\nsizes: 20 20 10\nspace " +
		"directions: (1,0,0) (0,1,0) (0,0,1)\nencoding: raw\nspace origin: (0,0,0)\n\n"
	write(t, path("numbers.nrrd"), numbers+strings.Repeat("\x02", 4000))
	for _, c := range []struct {
		name  string
		args  []string
		code  int
		wants []string
	}{
		{"by name", []string{"one.seg.nrrd", "two.seg.nrrd"}, 0, []string{femur + " 1 1.000", tibia + " 1 1.000"}},
		{"numbers that are positions", []string{"one.seg.nrrd", "layers.seg.nrrd"}, 0,
			[]string{femur + " 1 1.000", tibia + " 1 1.000"}},
		{"by meaning", []string{"one.seg.nrrd", "layers.seg.nrrd", "--scheme", "skm-tea"}, 0,
			[]string{"femoral-cartilage 1 1.000", "medial-tibial-cartilage 1 1.000"}},
		{"overlap", []string{"one.seg.nrrd", "overlap.seg.nrrd"}, 2,
			[]string{"overlap.seg.nrrd", `share voxels`, "hint: "}},
		{"one name twice", []string{"twice.seg.nrrd", "one.seg.nrrd"}, 2,
			[]string{"twice.seg.nrrd", "are both called", "hint: "}},
		{"by number", []string{"one.seg.nrrd", "numbers.nrrd"}, 0, []string{femur + " 1 0.224", tibia + " 1 0.000"}},
		// 504 of 4000 voxels
		{"positions beside numbers", []string{"numbers.nrrd", "layers.seg.nrrd"}, 2,
			[]string{"has no number of its own", "--scheme"}},
	} {
		args := []string{"compare-masks", path(c.args[0]), path(c.args[1])}
		code, stdout, stderr := call(append(args, c.args[2:]...)...)
		text := strings.Join(strings.Fields(stdout+stderr), " ")
		for _, want := range c.wants {
			if code != c.code || !strings.Contains(text, want) {
				t.Errorf("%s: exit status %d, want %d with %q:\n%s%s", c.name, code, c.code, want, stdout, stderr)
			}
		}
	}
}

// Small compressed files with more voxels than an image of a knee are refused by their header, in every format.
func TestCompareMasksBomb(t *testing.T) {
	dir := t.TempDir()
	packed := func(header string) string {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = w.Write([]byte(header))
		_, _ = w.Write(make([]byte, 1<<20))
		_ = w.Close()
		return b.String()
	}
	h := make([]byte, 352)
	binary.LittleEndian.PutUint32(h, 348)
	for n, size := range []uint16{3, 1400, 1400, 1000, 1, 1, 1, 1} {
		binary.LittleEndian.PutUint16(h[40+2*n:], size)
	}
	binary.LittleEndian.PutUint16(h[70:], 2)
	binary.LittleEndian.PutUint16(h[72:], 8)
	binary.LittleEndian.PutUint16(h[254:], 1)
	binary.LittleEndian.PutUint32(h[108:], math.Float32bits(352))
	for r := range 3 {
		binary.LittleEndian.PutUint32(h[80+4*r:], math.Float32bits(0.5))
		binary.LittleEndian.PutUint32(h[280+20*r:], math.Float32bits(0.5))
	}
	copy(h[344:], "n+1\x00")
	nrrd := func(sizes, rest string) string {
		return "NRRD0004\ntype: unsigned char\ndimension: 3\nspace: left-posterior-superior\nsizes: " + sizes +
			"\nspace directions: (0.5,0,0) (0,0.5,0) (0,0,0.5)\nencoding: gzip\nspace origin: (0,0,0)\n" + rest + "\n"
	}
	for name, file := range map[string]string{
		"a.nii.gz":   packed(string(h)),
		"a.nrrd":     nrrd("1400 1400 1000", "") + packed(""),
		"a.seg.nrrd": nrrd("1400 1400 1000", boxSegment(0, "Femoral Cartilage", 1, 0)+"\n") + packed(""),
		"a.mha": "ObjectType = Image\nNDims = 3\nBinaryData = True\nCompressedData = True\nTransformMatrix = 1 " +
			"0 0 0 1 0 0 0 1\nOffset = 0 0 0\nElementSpacing = 0.5 0.5 0.5\nDimSize = 1400 1400 1000\nElementType = " +
			"MET_UCHAR\nElementDataFile = LOCAL\n" + packed(""),
	} {
		path := filepath.Join(dir, name)
		write(t, path, file)
		code, stdout, stderr := call("compare-masks", path, path)
		if code != 2 || stdout != "" || !strings.Contains(stderr, "voxels, more than") ||
			!strings.Contains(stderr, "hint: ") {
			t.Errorf("%s: exit status %d\n%s%s", name, code, stdout, stderr)
		}
	}
}
