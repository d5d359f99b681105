package nrrd

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/samples"
	"github.com/t2map/t2map/samples/sampletest"
	"github.com/t2map/t2map/volume"
)

// plain is a valid header of 3×2×2 voxels of uint8, raw.
const plain = `NRRD0004
# a comment
type: uchar
dimension: 3
space: left-posterior-superior
sizes: 3 2 2
space directions: (0.5,0,0) (0,0,-0.25) (0,4,0)
kinds: domain domain domain
encoding: raw
space origin: (10,-20,30)
`

// nrrdOf joins data to the plain header after replacing pairs of old and new text.
func nrrdOf(t testing.TB, data []byte, changes ...string) []byte {
	t.Helper()
	return append([]byte(sampletest.Changed(t, plain, changes...)+"\n"), data...)
}

func readLabels(b []byte) (volume.Labels, error) {
	m, err := Read(bytes.NewReader(b), Options{})
	return m.Labels, err
}

// labelsInBzip2 holds the labels as compressed by bzip2 1.0.8; Go has no writer.
const labelsInBzip2 = "QlpoOTFBWSZTWYdaNMwAAABBgHsMBAAAAKAAIgPUGhADDTqLnEkeLuSKcKEhDrRpmA=="

// The same labels in every type, byte order and encoding, and with several spellings of the type.
func TestStorage(t *testing.T) {
	numbers := map[string]any{
		"signed char":    sampletest.Converted(func(l uint16) int8 { return int8(l) }),
		"uint8_t":        sampletest.Converted(func(l uint16) uint8 { return uint8(l) }),
		"short":          sampletest.Converted(func(l uint16) int16 { return int16(l) }),
		"unsigned short": sampletest.Converted(func(l uint16) uint16 { return l }),
		"uint16":         sampletest.Converted(func(l uint16) uint16 { return l }),
		"signed int":     sampletest.Converted(func(l uint16) int32 { return int32(l) }),
		"uint32_t":       sampletest.Converted(func(l uint16) uint32 { return uint32(l) }),
		"long long int":  sampletest.Converted(func(l uint16) int64 { return int64(l) }),
		"ULongLong":      sampletest.Converted(func(l uint16) uint64 { return uint64(l) }),
		"float":          sampletest.Converted(func(l uint16) float32 { return float32(l) + 0.0001 }),
		"double":         sampletest.Converted(func(l uint16) float64 { return float64(l) - 0.0001 }),
	}
	for name, data := range numbers {
		for endian, order := range map[string]binary.ByteOrder{"little": binary.LittleEndian, "big": binary.BigEndian} {
			raw := sampletest.Encode(t, order, data)
			for encoding, b := range map[string][]byte{"raw": raw, "gzip": sampletest.Gzip(t, raw),
				"GZ": sampletest.Gzip(t, raw)} {
				check(
					t,
					name+" "+endian+" "+encoding,
					nrrdOf(
						t, b, "type: uchar", "type: "+name, "encoding: raw",
						"endian: "+endian+"\nencoding: "+encoding,
					),
				)
			}
		}
	}
}

// The same labels in other forms of the header and the data.
func TestForms(t *testing.T) {
	packed, err := base64.StdEncoding.DecodeString(labelsInBzip2)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Trim(fmt.Sprint(sampletest.Labels), "[]")
	check(
		t, "ascii",
		nrrdOf(t, []byte(strings.ReplaceAll(text, " 3 ", "\n3\t")+"\n"), "encoding: raw", "encoding: ascii"),
	)
	check(
		t,
		"floats in text",
		nrrdOf(
			t, []byte(strings.ReplaceAll(text, "100", "1.00001e2")), "encoding: raw", "encoding: text", "type: uchar",
			"type: double",
		),
	)
	check(t, "bzip2", nrrdOf(t, packed, "encoding: raw", "encoding: bz2"))
	check(t, "CRLF", append(bytes.ReplaceAll(nrrdOf(t, nil), []byte("\n"), []byte("\r\n")), sampletest.Bytes()...))
	check(t, "first version", nrrdOf(t, sampletest.Bytes(), "NRRD0004", "NRRD00.01"))
	check(t, "newest version", nrrdOf(t, sampletest.Bytes(), "NRRD0004", "NRRD0005"))
	check(
		t,
		"line skip, byte skip",
		nrrdOf(
			t, append([]byte("one\ntwo\nxyz"), sampletest.Bytes()...), "encoding: raw",
			"encoding: raw\nline skip: 2\nbyteskip: 3",
		),
	)
	check(
		t,
		"byte skip in gzip",
		nrrdOf(
			t, append([]byte("one\n"), sampletest.Gzip(t, append([]byte("xyz"), sampletest.Bytes()...))...),
			"encoding: raw", "encoding: gzip\nlineskip: 1\nbyte skip: 3",
		),
	)
	check(
		t,
		"byte skip -1",
		nrrdOf(
			t, append([]byte("one\ntwo\nxyz"), sampletest.Bytes()...), "encoding: raw",
			"encoding: raw\nbyte skip: -1",
		),
	)
}

func check(t *testing.T, name string, b []byte) {
	t.Helper()
	l, err := readLabels(b)
	sampletest.Check(t, name, l, err)
}

// Positions according to the definition, by hand: signs of the space, any order of axes, units.
func TestPlaces(t *testing.T) {
	for _, c := range []struct {
		name    string
		changes []string
		want    [3][4]float64 // LPS
	}{
		{"LPS", []string{"left-posterior-superior", "LPS"}, sampletest.Geometry.Affine},
		{"RAS", []string{"left-posterior-superior", "right-anterior-superior"},
			[3][4]float64{{-0.5, 0, 0, -10}, {0, 0, -4, 20}, {0, -0.25, 0, 30}}},
		{"short RAS", []string{"left-posterior-superior", "RAS"},
			[3][4]float64{{-0.5, 0, 0, -10}, {0, 0, -4, 20}, {0, -0.25, 0, 30}}},
		{"LAS", []string{"left-posterior-superior", "Left-Anterior-Superior"},
			[3][4]float64{{0.5, 0, 0, 10}, {0, 0, -4, 20}, {0, -0.25, 0, 30}}},
		{"oblique, blanks", []string{"(0.5,0,0) (0,0,-0.25) (0,4,0)", "( 0.3, 0.4, 0 )  (-4e-1,3e-1,0)   (0,0,2)"},
			[3][4]float64{{0.3, -0.4, 0, 10}, {0.4, 0.3, 0, -20}, {0, 0, 2, 30}}},
		{"cm", []string{"encoding: raw", "encoding: raw\nspace units: \"cm\" \"cm\" \"cm\""},
			[3][4]float64{{5, 0, 0, 100}, {0, 0, 40, -200}, {0, -2.5, 0, 300}}},
		{"mm", []string{"encoding: raw", "encoding: raw\nspace units: \"mm\" \"mm\" \"mm\""},
			sampletest.Geometry.Affine},
		{"measurement frame", []string{"encoding: raw", "encoding: raw\nmeasurement frame: (0,1,0) (1,0,0) (0,0,1)"},
			sampletest.Geometry.Affine},
		{"a fourth axis of one",
			[]string{"dimension: 3", "dimension: 4", "sizes: 3 2 2", "sizes: 3 2 2 1", "(0,4,0)", "(0,4,0) none"},
			sampletest.Geometry.Affine},
		{"two axes of one",
			[]string{"dimension: 3", "dimension: 5", "sizes: 3 2 2", "sizes: 1 3 2 1 2", "(0.5,0,0) (0,0,-0.25)",
				"none (0.5,0,0) (0,0,-0.25) (nan,nan,nan)"}, sampletest.Geometry.Affine},
	} {
		l, err := readLabels(nrrdOf(t, sampletest.Bytes(), c.changes...))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if d := cmp.Diff(c.want, l.Affine); d != "" || l.Size != sampletest.Geometry.Size {
			t.Errorf("%s: %v %s", c.name, l.Size, d)
		}
		for _, row := range l.Affine {
			for _, v := range row {
				if v == 0 && math.Signbit(v) {
					t.Errorf("%s: −0", c.name)
				}
			}
		}
	}
}

// damage is a damaged file with the message and the kind of its error.
type damage struct {
	name string
	file []byte
	want string
	kind samples.Fault
}

func checkDamage(t *testing.T, cases []damage) {
	t.Helper()
	for _, c := range cases {
		m, err := Read(bytes.NewReader(c.file), Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
			continue
		}
		if k := samples.FaultOf(err); k != c.kind {
			t.Errorf("%s: kind %d, want %d (%v)", c.name, k, c.kind, err)
		}
		if m.Labels.Data != nil || m.Segmentation.Segments != nil {
			t.Errorf("%s: labels beside the error", c.name)
		}
	}
}

func TestDamagedHeader(t *testing.T) {
	data := sampletest.Bytes()
	short := sampletest.Encode(t, binary.LittleEndian, []int16{0, 0, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	checkDamage(t, []damage{
		{"empty", nil, "not a NRRD file", samples.FaultFormat},
		{"text", []byte("subject,visit\n"), "not a NRRD file", samples.FaultFormat},
		{"a later version", nrrdOf(t, data, "NRRD0004", "NRRD0006"), `"NRRD0006": valid but not supported`,
			samples.FaultVersion},
		{"no field", nrrdOf(t, data, "kinds:", "kinds"), "neither a field nor a key", samples.FaultFormat},
		{"a field twice", nrrdOf(t, data, "kinds: domain domain domain", "sizes: 3 2 2"), `"sizes": given twice`,
			samples.FaultFormat},
		{"no type", nrrdOf(t, data, "type: uchar", "type: uchart"), `type: "uchart" is not a type`,
			samples.FaultFormat},
		{"block", nrrdOf(t, data, "type: uchar", "type: block"), "type: block", samples.FaultDatatype},
		{"hex", nrrdOf(t, data, "encoding: raw", "encoding: hex"), "encoding: hex", samples.FaultEncoding},
		{"no encoding", nrrdOf(t, data, "encoding: raw", "encoding: zip"), `"zip" is not an encoding`,
			samples.FaultEncoding},
		{"no endian", nrrdOf(t, short, "type: uchar", "type: short"), "endian: missing", samples.FaultFormat},
		{"endian", nrrdOf(t, short, "type: uchar", "type: short\nendian: middle"), `"middle" is neither`,
			samples.FaultFormat},
		{"dimension", nrrdOf(t, data, "dimension: 3", "dimension: 300"), "dimension:", samples.FaultFormat},
		{"sizes", nrrdOf(t, data, "sizes: 3 2 2", "sizes: 3 2"), "sizes: 2 numbers for 3 axes", samples.FaultFormat},
		{"no size", nrrdOf(t, data, "sizes: 3 2 2", "sizes: 3 2 0"), `"0", want a number`, samples.FaultFormat},
		{"too large", nrrdOf(t, data, "sizes: 3 2 2", "sizes: 2000000000 2000000000 2000000000"), "more voxels",
			samples.FaultFormat},
		{"no space", nrrdOf(t, data, "space: left-posterior-superior\n", ""), "space: missing", samples.FaultPlace},
		{"space dimension alone", nrrdOf(t, data, "space: left-posterior-superior", "space dimension: 3"),
			"space: missing", samples.FaultPlace},
		{"scanner", nrrdOf(t, data, "left-posterior-superior", "scanner-xyz"), `"scanner-xyz" does not give`,
			samples.FaultPlace},
		{"spacings alone", nrrdOf(t, data, "space directions: (0.5,0,0) (0,0,-0.25) (0,4,0)", "spacings: 1 1 1"),
			"space directions: missing", samples.FaultPlace},
		{"no origin", nrrdOf(t, data, "space origin: (10,-20,30)\n", ""), "space origin: missing", samples.FaultPlace},
		{"two directions", nrrdOf(t, data, " (0,4,0)", ""), "for each of 3 axes", samples.FaultFormat},
		{"two numbers", nrrdOf(t, data, "(0,4,0)", "(0,4)"), "for each of 3 axes", samples.FaultFormat},
		{"origin", nrrdOf(t, data, "(10,-20,30)", "none"), "space origin", samples.FaultFormat},
		{"units", nrrdOf(t, data, "encoding: raw", "encoding: raw\nspace units: \"mm\" \"mm\" \"parsec\""),
			`"parsec" is not a unit`, samples.FaultFormat},
		{"flat", nrrdOf(t, data, "(0,4,0)", "(4,0,0)"), "its axes lie in one plane", samples.FaultAffine},
		{"infinite", nrrdOf(t, data, "(0,4,0)", "(0,inf,0)"), "not finite", samples.FaultAffine},
		{"two axes", nrrdOf(t, data, "(0,4,0)", "none"), "2 axes have one", samples.FaultFrames},
		{"frames",
			nrrdOf(t, data, "dimension: 3", "dimension: 4", "sizes: 3 2 2", "sizes: 2 3 2 1", "(0.5", "none (0.5"),
			"2 frames or channels", samples.FaultFrames},
		{"two lists",
			nrrdOf(t, data, "dimension: 3", "dimension: 5", "sizes: 3 2 2", "sizes: 2 2 3 1 1", "(0.5",
				"none none (0.5"), "several axes", samples.FaultFrames},
		{"four axes",
			nrrdOf(t, data, "dimension: 3", "dimension: 4", "sizes: 3 2 2", "sizes: 3 2 2 1", "(0,4,0)",
				"(0,4,0) (1,1,1)"), "more than three axes", samples.FaultFrames},
	})
}

func TestDamagedData(t *testing.T) {
	data := sampletest.Bytes()
	packed := sampletest.Gzip(t, data)
	broken := bytes.Clone(packed)
	broken[len(broken)-8] ^= 1
	float := func(v float32) []byte {
		values := make([]float32, 12)
		values[7] = v
		return sampletest.Encode(t, binary.LittleEndian, values)
	}
	asFloat := []string{"type: uchar", "type: float\nendian: little"}
	short := sampletest.Encode(t, binary.LittleEndian, []int16{0, 0, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	gz := []string{"encoding: raw", "encoding: gzip"}
	checkDamage(t, []damage{
		{"cut", nrrdOf(t, data[:10]), "data: 10 of 12 bytes: unexpected EOF", samples.FaultLength},
		{"too long", nrrdOf(t, append(bytes.Clone(data), 0)), "more than the 3×2×2 voxels that sizes declares",
			samples.FaultLength},
		{"no data", nrrdOf(t, nil), "data: 0 of 12 bytes", samples.FaultLength},
		{"no blank line", bytes.TrimSuffix(nrrdOf(t, nil), []byte("\n\n")), "data: 0 of 12 bytes", samples.FaultLength},
		{"gzip cut", nrrdOf(t, packed[:len(packed)-6], gz...), "data: ", samples.FaultLength},
		{"gzip damaged", nrrdOf(t, broken, gz...), "invalid checksum", samples.FaultPacked},
		{"not gzip", nrrdOf(t, data, gz...), "compressed data: ", samples.FaultPacked},
		{"gzip too short", nrrdOf(t, sampletest.Gzip(t, data[:10]), gz...), "data: 10 of 12 bytes",
			samples.FaultLength},
		{"gzip too long", nrrdOf(t, sampletest.Gzip(t, append(bytes.Clone(data), 0)), gz...), "more than the 3×2×2",
			samples.FaultLength},
		{"bzip2 damaged", nrrdOf(t, data, "encoding: raw", "encoding: bzip2"), "bzip2", samples.FaultPacked},
		{"words", nrrdOf(t, []byte("1 2 x"), "encoding: raw", "encoding: ascii"), `number 3 of 12: "x" is not a number`,
			samples.FaultFormat},
		{"few words", nrrdOf(t, []byte("1 2 3"), "encoding: raw", "encoding: ascii"), "data: 3 of 12 numbers",
			samples.FaultLength},
		{"many words", nrrdOf(t, bytes.Repeat([]byte("1 "), 13), "encoding: raw", "encoding: ascii"),
			"more than the 3×2×2", samples.FaultLength},
		{"fraction", nrrdOf(t, float(1.3), asFloat...),
			"voxel (1, 0, 1): 1.29999995 is not a label: not a whole number", samples.FaultFraction},
		{"NaN", nrrdOf(t, float(float32(math.NaN())), asFloat...), "voxel (1, 0, 1): NaN is not a label",
			samples.FaultNaN},
		{"range", nrrdOf(t, float(65536), asFloat...), "above 65535", samples.FaultRange},
		{"negative", nrrdOf(t, short, "type: uchar", "type: short\nendian: little"),
			"voxel (2, 0, 0): -1 is not a label: negative", samples.FaultNegative},
		{"line skip", nrrdOf(t, data, "encoding: raw", "encoding: raw\nline skip: 5"),
			"line skip: 5 lines should be skipped", samples.FaultLength},
		{"byte skip", nrrdOf(t, data, "encoding: raw", "encoding: raw\nbyte skip: 13"),
			"byte skip: 13 bytes should be skipped", samples.FaultLength},
		{"byte skip -1, too short", nrrdOf(t, data[:3], "encoding: raw", "encoding: raw\nbyte skip: -1"),
			"byte skip: -1", samples.FaultLength},
		{"byte skip -2", nrrdOf(t, data, "encoding: raw", "encoding: raw\nbyte skip: -2"), "byte skip:",
			samples.FaultFormat},
		{"byte skip -1 of gzip", nrrdOf(t, packed, "encoding: raw", "encoding: gzip\nbyte skip: -1"),
			"only possible with the encoding raw", samples.FaultFormat},
		{"detached, alone", nrrdOf(t, data, "encoding: raw", "encoding: raw\ndata file: a.raw"),
			`"a.raw", which cannot be opened here`, samples.FaultDataFile},
		{"endless header", append([]byte("NRRD0004\n#"), bytes.Repeat([]byte("x"), 2<<20)...),
			"no blank line in the first", samples.FaultFormat},
	})
}

// opener returns a function that opens data files of the labels.
func opener(t *testing.T) samples.Open {
	data := sampletest.Bytes()
	files := map[string][]byte{
		"a.raw": data, "a.raw.gz": sampletest.Gzip(t, data), "long.raw": append([]byte("head\n"), data...),
		"a b.raw":  data,
		"s001.raw": data[:6], "s002.raw": data[6:], "z1.gz": sampletest.Gzip(t, data[:6]),
		"z2.gz": sampletest.Gzip(t, data[6:]), "short.raw": data[:5], "seven.raw": data[:7],
	}
	refused := errors.New("not there")
	return func(name string) (io.ReadCloser, error) {
		b, ok := files[name]
		if !ok {
			return nil, refused
		}
		return struct {
			*bytes.Reader
			io.Closer
		}{bytes.NewReader(b), io.NopCloser(nil)}, nil
	}
}

// Detached headers: one file, a list, a pattern. Errors about missing, short, long or too many
// files name the file.
func TestDataFiles(t *testing.T) {
	open := opener(t)
	for _, c := range []struct {
		name, fields string
		want         string // text of the error; "" if the labels are read
		kind         samples.Fault
	}{
		{"raw", "data file: a.raw", "", 0},
		{"old spelling", "datafile: a.raw", "", 0},
		{"a blank in the name", "data file: a b.raw", "", 0},
		{"byte skip", "byte skip: 5\ndata file: long.raw", "", 0},
		{"line skip", "line skip: 1\ndata file: long.raw", "", 0},
		{"byte skip -1", "byte skip: -1\ndata file: long.raw", "", 0},
		{"gzip", "encoding: gzip\ndata file: a.raw.gz", "", 0},
		{"list", "data file: LIST\ns001.raw\ns002.raw\n", "", 0},
		{"list with its dimension", "data file: LIST 2\ns001.raw\ns002.raw\n", "", 0},
		{"pattern", "data file: s%03d.raw 1 2 1", "", 0},
		{"pattern in gzip", "encoding: gzip\ndata file: z%d.gz 1 2 1 2", "", 0},
		{"downwards is another order", "data file: s%03d.raw 2 1 -1", "order", 0},
		{"missing", "data file: b.raw", "not there", samples.FaultDataFile},
		{"one of a list is missing", "data file: LIST\ns001.raw\ns003.raw\n", "not there", samples.FaultDataFile},
		{"short", "data file: short.raw", "5 of 12 bytes", samples.FaultLength},
		{"one of a list is short", "data file: LIST\nshort.raw\ns002.raw\n", `"short.raw": 5 of 6 bytes`,
			samples.FaultLength},
		{"one of a list is long", "data file: LIST\nseven.raw\ns002.raw\n", `"seven.raw": more than 6 bytes`,
			samples.FaultLength},
		{"long", "data file: long.raw", "more than the 3×2×2", samples.FaultLength},
		{"not gzip", "encoding: gzip\ndata file: a.raw", `"a.raw": compressed data`, samples.FaultPacked},
		{"three files for two slices", "data file: LIST\na.raw\na.raw\na.raw\n", "3 files for 2 slices",
			samples.FaultFormat},
		{"an empty list", "data file: LIST\n", "0 files for 2 slices", samples.FaultFormat},
		{"endless pattern", "data file: s%03d.raw 1 2000000000 1", "does not name 1 to 2 files", samples.FaultFormat},
		{"no step", "data file: s%03d.raw 1 2 0", "does not name", samples.FaultFormat},
		{"hostile pattern", "data file: s%99999999d.raw 1 2 1", "does not name", samples.FaultFormat},
		{"no name", "data file:", "no name", samples.FaultFormat},
	} {
		text := strings.Replace(plain, "encoding: raw\n", "", 1)
		if !strings.Contains(c.fields, "encoding") {
			text += "encoding: raw\n"
		}
		m, err := Read(strings.NewReader(text+c.fields), Options{Options: samples.Options{Open: open}})
		switch {
		case c.want == "order":
			if err != nil || m.Labels.Data[0] != sampletest.Labels[6] {
				t.Errorf("%s: %v, %v", c.name, m.Labels.Data, err)
			}
		case c.want == "":
			if err != nil || cmp.Diff(sampletest.Labels, m.Labels.Data) != "" {
				t.Errorf("%s: %v, %v", c.name, m.Labels.Data, err)
			}
		case err == nil || !strings.Contains(err.Error(), c.want) || samples.FaultOf(err) != c.kind:
			t.Errorf("%s: %v of kind %d, want %q of kind %d", c.name, err, samples.FaultOf(err), c.want, c.kind)
		}
	}
}

// TestRealKnee: counts and centroids from the README of knee-dess-seg.
func TestRealKnee(t *testing.T) {
	root := filepath.Join("..", "..", "shared", "data")
	if _, err := os.Stat(root); err != nil {
		t.Skipf("real data are not here (docs/real-scans.md says where to get them): %v", err)
	}
	b, err := os.ReadFile(filepath.Join(root, "knee-dess-seg", "labels.nrrd"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := readLabels(b)
	if err != nil {
		t.Fatal(err)
	}
	if l.Size != [3]int{384, 384, 160} {
		t.Fatalf("size %v", l.Size)
	}
	counts, x := map[uint16]int{}, map[uint16]float64{}
	for v, label := range l.Data {
		if label != 0 {
			counts[label]++
			x[label] += l.Position(float64(v%384), float64(v/384%384), float64(v/384/384))[0]
		}
	}
	want := map[uint16]int{
		1: 127311, 2: 20605, 3: 19862, 4: 12658, 5: 1532154, 6: 1089712, 7: 143548, 8: 111661, 9: 22957, 10: 25228,
	}
	if d := cmp.Diff(want, counts); d != "" {
		t.Error(d)
	}
	for label, mm := range map[uint16]float64{2: -57.3, 3: -91.6, 8: -106.9} { // to a tenth
		if got := x[label] / float64(counts[label]); math.Abs(got-mm) > 0.05 {
			t.Errorf("label %d has its centroid at x = %.2f, want %.1f", label, got, mm)
		}
	}
}

// A file of another writer, dcmqi: short in gzip.
func TestRealLabel(t *testing.T) {
	f, err := os.Open(filepath.Join("..", "..", "shared", "data", "dcmqi", "24x38x3", "nrrd", "label.nrrd"))
	if err != nil {
		t.Skipf("real data are not here (docs/real-scans.md says where to get them): %v", err)
	}
	defer f.Close()
	m, err := Read(f, Options{})
	if err != nil || m.Segments {
		t.Fatalf("%v, %v", m.Segments, err)
	}
	if m.Labels.Size != [3]int{24, 38, 3} || math.Abs(m.Labels.VoxelVolume()-0.7*0.7*2.5) > 1e-9 {
		t.Errorf("%v", m.Labels.Geometry)
	}
}

func BenchmarkRealKnee(b *testing.B) { benchmarkKnee(b, "") }

// The same file as 3D Slicer writes it.
func BenchmarkRealSegments(b *testing.B) {
	var keys strings.Builder
	for n := 1; n <= 10; n++ {
		fmt.Fprintf(&keys, "Segment%d_Name:=A\nSegment%d_LabelValue:=%d\nSegment%d_Layer:=0\n", n, n, n, n)
	}
	benchmarkKnee(b, keys.String())
}

func benchmarkKnee(b *testing.B, keys string) {
	data, err := os.ReadFile(filepath.Join("..", "..", "shared", "data", "knee-dess-seg", "labels.nrrd"))
	if err != nil {
		b.Skipf("real data are not here: %v", err)
	}
	data = bytes.Replace(data, []byte("\n\n"), []byte("\n"+keys+"\n"), 1)
	b.SetBytes(384 * 384 * 160)
	b.ReportAllocs()
	trust := Options{Options: samples.Options{Check: func(volume.Geometry) error { return nil }}}
	for b.Loop() {
		if _, err := Read(bytes.NewReader(data), trust); err != nil {
			b.Fatal(err)
		}
	}
}
