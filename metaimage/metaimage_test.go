package metaimage

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/samples"
	"github.com/t2map/t2map/samples/sampletest"
)

// plain is a header of 3×2×2 voxels as written by ITK: rows of TransformMatrix are the directions
// of i, j and k.
const plain = `ObjectType = Image
NDims = 3
BinaryData = True
BinaryDataByteOrderMSB = False
CompressedData = False
TransformMatrix = 1 0 0 0 0 -1 0 1 0
Offset = 10 -20 30
CenterOfRotation = 0 0 0
AnatomicalOrientation = RIP
ElementSpacing = 0.5 0.25 4
DimSize = 3 2 2
ElementType = MET_UCHAR
ElementDataFile = LOCAL
`

// imageOf joins data to the plain header after replacing pairs of old and new text.
func imageOf(t testing.TB, data []byte, changes ...string) []byte {
	t.Helper()
	return append([]byte(sampletest.Changed(t, plain, changes...)), data...)
}

func check(t *testing.T, name string, b []byte) {
	t.Helper()
	l, err := ReadLabels(bytes.NewReader(b), samples.Options{})
	sampletest.Check(t, name, l, err)
}

// The same labels in every type, byte order and compression.
func TestStorage(t *testing.T) {
	signed32 := sampletest.Converted(func(l uint16) int32 { return int32(l) })
	unsigned32 := sampletest.Converted(func(l uint16) uint32 { return uint32(l) })
	for name, data := range map[string]any{
		"MET_CHAR": sampletest.Converted(func(l uint16) int8 { return int8(l) }), "MET_UCHAR": sampletest.Bytes(),
		"MET_UCHAR_ARRAY": sampletest.Bytes(),
		"MET_SHORT":       sampletest.Converted(func(l uint16) int16 { return int16(l) }),
		"MET_USHORT":      sampletest.Labels,
		"MET_INT":         signed32, "MET_UINT": unsigned32, "MET_LONG": signed32, "MET_ULONG": unsigned32,
		"MET_LONG_LONG":  sampletest.Converted(func(l uint16) int64 { return int64(l) }),
		"MET_ULONG_LONG": sampletest.Converted(func(l uint16) uint64 { return uint64(l) }),
		"MET_FLOAT":      sampletest.Converted(func(l uint16) float32 { return float32(l) + 0.0001 }),
		"MET_DOUBLE":     sampletest.Converted(func(l uint16) float64 { return float64(l) - 0.0001 }),
	} {
		for msb, order := range map[string]binary.ByteOrder{"False": binary.LittleEndian, "True": binary.BigEndian} {
			raw := sampletest.Encode(t, order, data)
			change := []string{"MET_UCHAR", name, "OrderMSB = False", "OrderMSB = " + msb}
			check(t, name+" "+msb, imageOf(t, raw, change...))
			z := sampletest.Zlib(t, raw)
			check(
				t, name+" zlib "+msb,
				imageOf(t, z, append(change, "CompressedData = False", "CompressedData = True")...),
			)
			check(
				t,
				name+" zlib with its size "+msb,
				imageOf(
					t,
					z,
					append(
						change, "CompressedData = False",
						fmt.Sprintf("CompressedData = True\nCompressedDataSize = %d", len(z)),
					)...),
			)
		}
	}
}

// The same labels in other forms of the header and the data.
func TestForms(t *testing.T) {
	check(
		t, "gzip",
		imageOf(t, sampletest.Gzip(t, sampletest.Bytes()), "CompressedData = False", "CompressedData = True"),
	)
	check(t, "CRLF", append(bytes.ReplaceAll(imageOf(t, nil), []byte("\n"), []byte("\r\n")), sampletest.Bytes()...))
	check(
		t,
		"old names",
		imageOf(
			t, sampletest.Bytes(), "TransformMatrix", "Orientation", "Offset", "Position", "ElementSpacing",
			"ElementSize", "BinaryDataByteOrderMSB", "ElementByteOrderMSB",
		),
	)
	check(
		t, "older names, a colon",
		imageOf(t, sampletest.Bytes(), "TransformMatrix = ", "Rotation: ", "Offset", "Origin"),
	)
	check(
		t, "the same twice",
		imageOf(t, sampletest.Bytes(), "Offset = 10 -20 30", "Offset = 10 -20 30\nPosition = 10 -20 30"),
	)
	check(
		t, "text",
		imageOf(t, []byte("0 1 2 3 0 5\n6 100 0 127 11 1.2e1\n"), "BinaryData = True", "BinaryData = False"),
	)
	check(
		t,
		"HeaderSize",
		imageOf(
			t, append(make([]byte, 1000-len(plain)-len("HeaderSize = 1000\n")), sampletest.Bytes()...), "NDims",
			"HeaderSize = 1000\nNDims",
		),
	)
	check(
		t, "HeaderSize -1",
		imageOf(t, append([]byte("anything"), sampletest.Bytes()...), "NDims", "HeaderSize = -1\nNDims"),
	)
	check(
		t,
		"four dimensions",
		imageOf(
			t, sampletest.Bytes(), "NDims = 3", "NDims = 4", "1 0 0 0 0 -1 0 1 0", "1 0 0 0 0 0 -1 0 0 1 0 0 0 0 0 1",
			"-20 30", "-20 30 0", "0.25 4", "0.25 4 1", "DimSize = 3 2 2", "DimSize = 3 2 2 1",
		),
	)
	check(
		t,
		"the identity as intensity",
		imageOf(
			t, sampletest.Bytes(), "NDims",
			"ElementToIntensityFunctionSlope = 1\nElementToIntensityFunctionOffset = 0\nNDims",
		),
	)
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
		l, err := ReadLabels(bytes.NewReader(c.file), samples.Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
			continue
		}
		if k := samples.FaultOf(err); k != c.kind {
			t.Errorf("%s: kind %d, want %d (%v)", c.name, k, c.kind, err)
		}
		if l.Data != nil {
			t.Errorf("%s: labels beside the error", c.name)
		}
	}
}

func TestDamagedHeader(t *testing.T) {
	data := sampletest.Bytes()
	checkDamage(t, []damage{
		{"empty", nil, "ElementDataFile: missing", samples.FaultLength},
		{"text", []byte("subject,visit\n"), "not a MetaImage", samples.FaultFormat},
		{"cut in the header", imageOf(t, nil)[:100], "ElementDataFile: missing", samples.FaultLength},
		{"another object", imageOf(t, data, "= Image", "= Mesh"), `ObjectType: "Mesh"`, samples.FaultFormat},
		{"a field twice", imageOf(t, data, "Offset = 10 -20 30", "Offset = 10 -20 30\nOrigin = 0 0 0"),
			`"Offset": given twice`, samples.FaultFormat},
		{"type", imageOf(t, data, "MET_UCHAR", "MET_STRING"), `ElementType: "MET_STRING"`, samples.FaultDatatype},
		{"channels", imageOf(t, data, "NDims", "ElementNumberOfChannels = 3\nNDims"), "ElementNumberOfChannels: 3",
			samples.FaultDatatype},
		{"scaled", imageOf(t, data, "NDims", "ElementToIntensityFunctionSlope = 2\nNDims"),
			"ElementToIntensityFunctionSlope: 2", samples.FaultDatatype},
		{"neither true nor false", imageOf(t, data, "BinaryData = True", "BinaryData = maybe"), `BinaryData: "maybe"`,
			samples.FaultFormat},
		{"two dimensions", imageOf(t, data, "NDims = 3", "NDims = 2"), "NDims: 2, a mask has 3", samples.FaultFrames},
		{"frames", imageOf(t, data, "NDims = 3", "NDims = 4", "DimSize = 3 2 2", "DimSize = 3 2 1 2"), "2 frames",
			samples.FaultFrames},
		{"no NDims", imageOf(t, data, "NDims = 3\n", ""), "NDims", samples.FaultFormat},
		{"DimSize", imageOf(t, data, "DimSize = 3 2 2", "DimSize = 3 2"), "DimSize: 2 numbers", samples.FaultFormat},
		{"negative size", imageOf(t, data, "DimSize = 3 2 2", "DimSize = 3 2 -2"), `DimSize: "-2"`,
			samples.FaultFormat},
		{"too large", imageOf(t, data, "DimSize = 3 2 2", "DimSize = 2000000000 2000000000 2000000000"), "more voxels",
			samples.FaultFormat},
		{"no matrix", imageOf(t, data, "TransformMatrix = 1 0 0 0 0 -1 0 1 0\n", ""), "TransformMatrix: missing",
			samples.FaultPlace},
		{"no offset", imageOf(t, data, "Offset = 10 -20 30\n", ""), "Offset: missing", samples.FaultPlace},
		{"no spacing", imageOf(t, data, "ElementSpacing = 0.5 0.25 4\n", ""), "ElementSpacing: missing",
			samples.FaultPlace},
		{"matrix", imageOf(t, data, "0 -1 0 1 0", "0 -1 0 1"), "TransformMatrix: 8 numbers, want 9",
			samples.FaultFormat},
		{"word", imageOf(t, data, "10 -20 30", "10 -20 x"), `Offset: "x" is not a number`, samples.FaultFormat},
		{"spacing 0", imageOf(t, data, "0.5 0.25 4", "0.5 0 4"), "ElementSpacing: 0", samples.FaultAffine},
		{"flat", imageOf(t, data, "1 0 0 0 0 -1 0 1 0", "1 0 0 0 0 -1 1 0 0"), "its axes lie in one plane",
			samples.FaultAffine},
		{"infinite", imageOf(t, data, "10 -20 30", "10 -20 inf"), "not finite", samples.FaultAffine},
		{"no data file", imageOf(t, data, "LOCAL", ""), "ElementDataFile: no name", samples.FaultFormat},
		{"detached, alone", imageOf(t, nil, "LOCAL", "seg.raw"), `"seg.raw", which cannot be opened here`,
			samples.FaultDataFile},
	})
}

func TestDamagedData(t *testing.T) {
	data := sampletest.Bytes()
	z := sampletest.Zlib(t, data)
	broken := bytes.Clone(z)
	broken[len(broken)-1] ^= 1
	packed := []string{"CompressedData = False", "CompressedData = True"}
	sized := func(n int) []string {
		return []string{"CompressedData = False", fmt.Sprintf("CompressedData = True\nCompressedDataSize = %d", n)}
	}
	float := func(v float32) []byte {
		values := make([]float32, 12)
		values[7] = v
		return sampletest.Encode(t, binary.LittleEndian, values)
	}
	checkDamage(t, []damage{
		{"cut", imageOf(t, data[:10]), "data: 10 of 12 bytes: unexpected EOF", samples.FaultLength},
		{"too long", imageOf(t, append(bytes.Clone(data), 0)), "more than the 3×2×2 voxels that DimSize declares",
			samples.FaultLength},
		{"zlib cut", imageOf(t, z[:len(z)-3], packed...), "data: ", samples.FaultLength},
		{"zlib damaged", imageOf(t, broken, packed...), "invalid checksum", samples.FaultPacked},
		{"not zlib", imageOf(t, data, packed...), "compressed data: ", samples.FaultPacked},
		{"zlib, and more", imageOf(t, append(bytes.Clone(z), 0), packed...),
			"bytes after the end of the compressed data", samples.FaultLength},
		{"zlib too short", imageOf(t, sampletest.Zlib(t, data[:10]), packed...), "data: 10 of 12 bytes",
			samples.FaultLength},
		{"zlib too long", imageOf(t, sampletest.Zlib(t, append(bytes.Clone(data), 0)), packed...),
			"more than the 3×2×2", samples.FaultLength},
		{"a smaller CompressedDataSize", imageOf(t, z, sized(len(z)-3)...), "CompressedDataSize", samples.FaultLength},
		{"a byte after CompressedDataSize", imageOf(t, append(bytes.Clone(z), 0), sized(len(z))...),
			"CompressedDataSize", samples.FaultLength},
		{"CompressedDataSize", imageOf(t, z, "CompressedData = False", "CompressedData = True\nCompressedDataSize = x"),
			"CompressedDataSize", samples.FaultFormat},
		{"HeaderSize within the header", imageOf(t, data, "NDims", "HeaderSize = 10\nNDims"),
			"HeaderSize: 10, but the header has", samples.FaultFormat},
		{"HeaderSize -2", imageOf(t, data, "NDims", "HeaderSize = -2\nNDims"), "HeaderSize", samples.FaultFormat},
		{"HeaderSize after the end", imageOf(t, data, "NDims", "HeaderSize = 100000\nNDims"), "HeaderSize: ",
			samples.FaultLength},
		{"HeaderSize -1, too short", imageOf(t, data[:3], "NDims", "HeaderSize = -1\nNDims"), "HeaderSize: -1",
			samples.FaultLength},
		{"HeaderSize -1 of zlib", imageOf(t, z, "CompressedData = False", "CompressedData = True\nHeaderSize = -1"),
			"HeaderSize: -1", samples.FaultEncoding},
		{"fraction", imageOf(t, float(1.3), "MET_UCHAR", "MET_FLOAT"),
			"voxel (1, 0, 1): 1.29999995 is not a label: not a whole number", samples.FaultFraction},
		{"NaN", imageOf(t, float(float32(math.NaN())), "MET_UCHAR", "MET_FLOAT"), "voxel (1, 0, 1): NaN",
			samples.FaultNaN},
		{"range", imageOf(t, float(70000), "MET_UCHAR", "MET_FLOAT"), "above 65535", samples.FaultRange},
		{"negative", imageOf(t, float(-1), "MET_UCHAR", "MET_FLOAT"), "negative", samples.FaultNegative},
		{"endless header", bytes.Repeat([]byte("Comment = x\n"), 1<<17), "no ElementDataFile in the first",
			samples.FaultFormat},
	})
}

// Headers with data files: one file, a list, a pattern.
func TestDataFiles(t *testing.T) {
	data := sampletest.Bytes()
	files := map[string][]byte{
		"a.raw": data, "a.zraw": sampletest.Zlib(t, data), "long.raw": append([]byte("head\n"), data...),
		"a b.raw":  data,
		"s001.raw": data[:6], "s002.raw": data[6:], "short.raw": data[:5],
	}
	open := func(name string) (io.ReadCloser, error) {
		b, ok := files[name]
		if !ok {
			return nil, errors.New("not there")
		}
		return struct {
			*bytes.Reader
			io.Closer
		}{bytes.NewReader(b), io.NopCloser(nil)}, nil
	}
	for _, c := range []struct {
		name, fields, file string
		want               string // text of the error; "" if the labels are read
		kind               samples.Fault
	}{
		{"raw", "", "a.raw", "", 0},
		{"zraw", "CompressedData = True\n", "a.zraw", "", 0},
		{"zraw with its size", fmt.Sprintf("CompressedData = True\nCompressedDataSize = %d\n", len(files["a.zraw"])),
			"a.zraw", "", 0},
		{"a blank in the name", "", "a b.raw", "", 0},
		{"HeaderSize", "HeaderSize = 5\n", "long.raw", "", 0},
		{"HeaderSize -1", "HeaderSize = -1\n", "long.raw", "", 0},
		{"list", "", "LIST\ns001.raw\ns002.raw\n", "", 0},
		{"pattern", "", "s%03d.raw 1 2 1", "", 0},
		{"pattern without a step", "", "s%03d.raw 1 2", "", 0},
		{"missing", "", "b.raw", "not there", samples.FaultDataFile},
		{"short", "", "short.raw", "5 of 12 bytes", samples.FaultLength},
		{"long", "", "long.raw", "more than the 3×2×2", samples.FaultLength},
		{"one of a list is short", "", "LIST\nshort.raw\ns002.raw", `"short.raw": 5 of 6 bytes`, samples.FaultLength},
		{"not zlib", "CompressedData = True\n", "a.raw", `"a.raw": compressed data`, samples.FaultPacked},
		{"three files for two slices", "", "LIST\na.raw\na.raw\na.raw", "3 files for 2 slices", samples.FaultFormat},
		{"endless pattern", "", "s%03d.raw 1 2000000000 1", "does not name 1 to 2 files", samples.FaultFormat},
	} {
		text := strings.Replace(plain, "CompressedData = False\n", c.fields, 1)
		l, err := ReadLabels(strings.NewReader(strings.Replace(text, "LOCAL\n", c.file, 1)),
			samples.Options{Open: open})
		switch {
		case c.want == "":
			if err != nil || cmp.Diff(sampletest.Labels, l.Data) != "" {
				t.Errorf("%s: %v, %v", c.name, l.Data, err)
			}
		case err == nil || !strings.Contains(err.Error(), c.want) || samples.FaultOf(err) != c.kind:
			t.Errorf("%s: %v of kind %d, want %q of kind %d", c.name, err, samples.FaultOf(err), c.want, c.kind)
		}
	}
}
