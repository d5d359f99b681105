package dicomio

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/suyashkumar/dicom/pkg/uid"
)

// hostile returns a file of that transfer syntax whose data set is the given
// bytes.
func hostile(t *testing.T, syntax string, dataSet []byte) []byte {
	t.Helper()
	im := obliqueImage()
	if im.Syntax = syntax; strings.HasPrefix(syntax, "1.2.840.10008.1.2.4.") {
		// Not written here, but a name in the meta group like any other.
		im.Syntax, im.Overrides = "", []Override{{Keyword: "TransferSyntaxUID", Values: []string{syntax}}}
	}
	if syntax == "none" {
		im.Syntax, im.Overrides = "", []Override{{Keyword: "TransferSyntaxUID"}}
	}
	var b bytes.Buffer
	if err := WriteImage(&b, im); err != nil {
		t.Fatal(err)
	}
	groupLength := int(binary.LittleEndian.Uint32(b.Bytes()[140:]))
	return append(bytes.Clone(b.Bytes()[:144+groupLength]), dataSet...)
}

func le(group, element uint16, vr string, length uint32, value ...byte) []byte {
	b := binary.LittleEndian.AppendUint16(nil, group)
	b = binary.LittleEndian.AppendUint16(b, element)
	if vr != "" {
		b = append(append(b, vr...), 0, 0)
	}
	b = binary.LittleEndian.AppendUint32(b, length)
	return append(b, value...)
}

// Crafted files end in an error that names what they promise, without the
// promise being allocated.
func TestGuardAgainstCraftedFiles(t *testing.T) {
	item := le(0xFFFE, 0xE000, "", 0xFFFFFFFF)
	sequence := append(le(0x0008, 0x1140, "SQ", 0xFFFFFFFF), item...)
	var bomb bytes.Buffer
	z, err := flate.NewWriter(&bomb, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	zeros := make([]byte, 1<<20)
	for range leastInflated>>20 + 1 {
		if _, err := z.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, syntax, want string
		dataSet            []byte
	}{
		{"OB of 3.5 GiB", uid.ExplicitVRLittleEndian, "(0028,1201): promises 3758096384 bytes, 0 are left", le(0x0028, 0x1201, "OB", 0xE0000000)},
		{"UT of 4 GiB", uid.ExplicitVRLittleEndian, "promises 4294967294 bytes", le(0x0008, 0x0119, "UT", 0xFFFFFFFE)},
		{"implicit, 2 GiB", uid.ImplicitVRLittleEndian, "promises 2147483648 bytes", le(0x0008, 0x0070, "", 0x80000000)},
		{"an item of 3 GiB", uid.ExplicitVRLittleEndian, "promises 3221225472 bytes", append(le(0x0008, 0x1140, "SQ", 0xFFFFFFFF), le(0xFFFE, 0xE000, "", 0xC0000000)...)},
		{"a fragment of 3 GiB", "1.2.840.10008.1.2.4.70", "promises 3221225472 bytes", append(append(le(0x7FE0, 0x0010, "OB", 0xFFFFFFFF), le(0xFFFE, 0xE000, "", 0)...), le(0xFFFE, 0xE000, "", 0xC0000000)...)},
		{"no transfer syntax", "none", "TransferSyntaxUID (0002,0010): missing", le(0x0008, 0x1140, "SQ", 0)},
		{"pixels of 3 GiB", uid.ExplicitVRLittleEndian, "ends before its pixel data do", le(0x7FE0, 0x0010, "OW", 0xC0000000)},
		{"1,000 nested sequences", uid.ExplicitVRLittleEndian, "more than 16 sequences within each other", bytes.Repeat(sequence, 1000)},
		{"2,000,000 nested sequences", uid.ExplicitVRLittleEndian, "more than 16 sequences within each other", bytes.Repeat(sequence, 2_000_000)},
		{"a US of 0xFFFF bytes", uid.ExplicitVRLittleEndian, "(0028,0010): promises 65535 bytes", []byte{0x28, 0, 0x10, 0, 'U', 'S', 0xFF, 0xFF}},
		{"a DA of 0xFFFF bytes", uid.ExplicitVRLittleEndian, "(0008,0020): promises 65535 bytes", []byte{8, 0, 0x20, 0, 'D', 'A', 0xFF, 0xFF}},
		{"a sequence of names", uid.ExplicitVRLittleEndian, "holds something that is no item", append(le(0x0008, 0x1140, "SQ", 0xFFFFFFFF), []byte("\x10\x00\x10\x00PN\x08\x00SMITH\x00\x00\x00")...)},
		{"a meta element without length", "", "of the file meta group has no length", append(le(0x0002, 0x0102, "OB", 0xFFFFFFFF), le(0xFFFE, 0xE000, "", 0xF0000000)...)},
		{"a deflate bomb", uid.DeflatedExplicitVRLittleEndian, "more than 4194304 data elements", bomb.Bytes()},
		{"a length inside deflate", uid.DeflatedExplicitVRLittleEndian, "promises 3758096384 bytes", deflated(t, le(0x0028, 0x1201, "OB", 0xE0000000))},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "crafted"), hostile(t, c.syntax, c.dataSet))
			save(t, filepath.Join(dir, "sound"), trainOf())
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			f := find(t, dir)
			runtime.ReadMemStats(&after)
			if len(f.Studies) != 1 || len(f.Studies[0].Trains) != 1 {
				t.Fatalf("the study beside it is lost: %+v", f)
			}
			if c.syntax == "" {
				c.syntax = uid.ExplicitVRLittleEndian
			}
			damaged := append(f.Damaged, f.Studies[0].Damaged...)
			if len(damaged) != 1 || !strings.Contains(damaged[0].Error(), c.want) {
				t.Errorf("%v, want …%s…", damaged, c.want)
			}
			if got := after.TotalAlloc - before.TotalAlloc; got > 96<<20 {
				t.Errorf("%d MiB were allocated", got>>20)
			}
		})
	}
}

func deflated(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z, err := flate.NewWriter(&b, flate.BestSpeed)
	if err == nil {
		_, err = z.Write(data)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// What a header is not read from may be as the standard, or a vendor, has it.
func TestGuardPassesLegalOddities(t *testing.T) {
	implicitItems := append(le(0xFFFE, 0xE000, "", 0xFFFFFFFF), 0x31, 0x2E, 0x33, 0x20, 4, 0, 0, 0, 1, 2, 3, 4)
	implicitItems = append(append(implicitItems, le(0xFFFE, 0xE00D, "", 0)...), le(0xFFFE, 0xE0DD, "", 0)...)
	for name, odd := range map[string][]byte{
		"UN of undefined length":      append(le(0x2E31, 0x2032, "UN", 0xFFFFFFFF), implicitItems...),
		"UV, a length of 32 bits":     le(0x0008, 0x040C, "UV", 8, 1, 2, 3, 4, 5, 6, 7, 8),
		"OW of odd length":            le(0x0009, 0x1001, "OW", 3, 1, 2, 3),
		"100,000 elements":            bytes.Repeat([]byte{9, 0, 1, 0x10, 'L', 'O', 0, 0}, 100_000),
		"an empty sequence":           le(0x0008, 0x1140, "SQ", 0),
		"a private value of 2 MB":     le(0x0009, 0x1002, "OB", 2<<20, make([]byte, 2<<20)...),
		"text where the library errs": {0x09, 0, 3, 0x10, 'F', 'D', 3, 0, 1, 2, 3},
	} {
		dir := t.TempDir()
		save(t, dir, trainOf())
		path := filepath.Join(dir, "IM_0004")
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		// Before the patient group, where a private element may stand.
		at := bytes.Index(data, []byte{0x10, 0, 0x10, 0, 'P', 'N'})
		write(t, path, append(append(bytes.Clone(data[:at]), odd...), data[at:]...))
		f := find(t, dir)
		if len(f.Studies) != 1 || len(f.Studies[0].Damaged) != 0 || f.Studies[0].Trains[0].Problem != nil {
			t.Errorf("%s: %+v %v", name, f, f.Studies)
		}
	}
}

// The guard lets every sound file pass to its end.
func TestGuardPassesSoundFiles(t *testing.T) {
	for _, s := range writtenSyntaxes {
		im := obliqueImage()
		im.Syntax = s.uid
		var b bytes.Buffer
		if err := WriteImage(&b, im); err != nil {
			t.Fatal(err)
		}
		out, err := guard(bytes.NewReader(b.Bytes()), int64(b.Len()), imageWish)
		end := int64(b.Len())
		if z, ok := out.body.(*inflated); ok {
			end = z.length
		}
		if err != nil || out.pixels == nil || out.pixels.length != 30 && out.pixels.length != 16 || out.pixels.value+out.pixels.length != end {
			t.Errorf("%s: pixels %+v of %d bytes, %v", s.name, out.pixels, end, err)
		}
	}
	root := filepath.Join("..", "..", "shared", "data")
	if _, err := os.Stat(root); err != nil {
		t.Skip("real data are not here: ", err)
	}
	for _, pattern := range []string{"knee-ge-mese/dicom/*", "nist-*/dicom/*", "transfer-syntaxes/*.dcm", "pydicom/MR_small*.dcm", "pydicom/emri*.dcm", "highdicom/*.dcm", "dcmqi/*/*/*.dcm"} {
		files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, err = guard(bytes.NewReader(data), int64(len(data)), imageWish)
			if strings.Contains(file, "too_short") == (err == nil) {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
}
