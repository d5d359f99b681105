package dicomio

import (
	"bytes"
	"compress/flate"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/suyashkumar/dicom/pkg/uid"

	"github.com/t2map/t2map/dicomio/dicomwrite"
	"github.com/t2map/t2map/dicomio/internal/elements"
)

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

// Elements that a header is not read from may be as the standard, or a vendor, writes them,
// and the elements after them are read.
func TestGuardPassesLegalOddities(t *testing.T) {
	for name, odd := range map[string][]byte{
		"UN of undefined length, of implicit items": append(le(0x2E31, 0x2032, "UN", elements.Undefined),
			implicitItem(0x2E31, 0x2033, "ABCD")...),
		"UN of defined length":                  le(0x2E31, 0x2032, "UN", 4, 0xFF, 0xFF, 0xFF, 0xFF),
		"UV, a length of 32 bits":               le(0x0008, 0x040C, "UV", 8, 1, 2, 3, 4, 5, 6, 7, 8),
		"OW of odd length":                      le(0x0009, 0x1001, "OW", 3, 1, 2, 3),
		"100,000 elements":                      bytes.Repeat([]byte{9, 0, 1, 0x10, 'L', 'O', 0, 0}, 100_000),
		"an empty sequence":                     le(0x0008, 0x1140, "SQ", 0),
		"an empty sequence of undefined length": sequenceElement(0x0008, 0x1140, false),
		"an empty item":                         sequenceElement(0x0008, 0x1140, true, nil),
		"16 sequences within each other":        sequences(elements.Deepest),
		"a private value of 2 MB":               le(0x0009, 0x1002, "OB", 2<<20, make([]byte, 2<<20)...),
		"text where the library errs":           {0x09, 0, 3, 0x10, 'F', 'D', 3, 0, 1, 2, 3},
		"an empty group length":                 {8, 0, 0, 0, 'U', 'L', 0, 0},
		"a wrong group length":                  {8, 0, 0, 0, 'U', 'L', 4, 0, 0xFE, 0xFF, 0xFF, 0x7F},
		"a group length of 2 bytes":             {8, 0, 0, 0, 'U', 'L', 2, 0, 0xFE, 0xFF},
		"an icon in fragments": sequenceElement(0x0088, 0x0200, false,
			append(le(0x7FE0, 0x0010, "OB", elements.Undefined), items(bytes.Repeat([]byte{0xFF}, 99))...)),
		"an icon of bytes": sequenceElement(0x0088, 0x0200, true,
			le(0x7FE0, 0x0010, "OB", 4, 1, 2, 3, 4)),
		"a VR of a vendor's own": {9, 0, 1, 0x10, 'Z', 'Z', 4, 0, 1, 2, 3, 4},
		"the same, empty":        {9, 0, 1, 0x10, 'Z', 'Z', 0, 0},
		"a VR to come":           le(0x0009, 0x1001, "ZY", 6, 1, 2, 3, 4, 5, 6),
		"?? for a VR":            {9, 0, 1, 0x10, '?', '?', 4, 0, 1, 2, 3, 4},
		"an element without VR":  le(0x0009, 0x1001, "", 6, 1, 2, 3, 4, 5, 6),
		"a sequence without VR": append(le(0x0009, 0x1001, "", elements.Undefined),
			implicitItem(0x0009, 0x1002, "ABCD")...),
		"a charset that is a number": {8, 0, 5, 0, 'U', 'S', 2, 0, 192, 0},
		"a charset with other letters": {8, 0, 5, 0, 'Z', 'S', 10, 0, 'I', 'S', 'O', '_', 'I', 'R', ' ',
			'1', '9', '2'},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			save(t, dir, trainOf())
			path := filepath.Join(dir, "IM_0004")
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			// Before the patient group, where a private element may occur.
			position := bytes.Index(data, []byte{0x10, 0, 0x10, 0, 'P', 'N'})
			write(t, path, append(append(bytes.Clone(data[:position]), odd...), data[position:]...))
			f := find(t, dir)
			if len(f.Studies) != 1 || len(f.Damaged) != 0 || len(f.Studies[0].Damaged) != 0 ||
				f.Studies[0].Trains[0].Problem != nil {
				t.Fatalf("%+v %v", f, f.Studies)
			}
			if _, _, err := Read(t.Context(), f.Studies[0].Trains[0], 0); err != nil {
				t.Error(err)
			}
		})
	}
}

// implicitItem returns the rest of a sequence whose one item holds an element without
// VR.
func implicitItem(group, element uint16, value string) []byte {
	b := le(0xFFFE, 0xE000, "", elements.Undefined)
	b = append(b, le(group, element, "", uint32(len(value)), []byte(value)...)...)
	b = append(b, le(0xFFFE, 0xE00D, "", 0)...)
	return append(b, le(0xFFFE, 0xE0DD, "", 0)...)
}

// sequences returns nested sequences of the given depth, all of them closed.
func sequences(levels int) []byte {
	if levels == 0 {
		return nil
	}
	return sequenceElement(0x0008, 0x1140, levels%2 == 0, sequences(levels-1))
}

// The guard accepts every sound file up to its end.
func TestGuardPassesSoundFiles(t *testing.T) {
	for _, s := range writtenSyntaxes {
		im := obliqueImage()
		im.Syntax = s.uid
		var b bytes.Buffer
		if err := dicomwrite.WriteImage(&b, im); err != nil {
			t.Fatal(err)
		}
		out, err := elements.Guard(bytes.NewReader(b.Bytes()), int64(b.Len()), imageWish)
		end := int64(b.Len())
		if s.uid == uid.DeflatedExplicitVRLittleEndian {
			end = out.Pixels.Value + out.Pixels.Length // in the inflated data set
		}
		if err != nil || out.Pixels == nil || out.Pixels.Length != 30 && out.Pixels.Length != 16 ||
			out.Pixels.Value+out.Pixels.Length != end {
			t.Errorf("%s: pixels %+v of %d bytes, %v", s.name, out.Pixels, end, err)
		}
	}
	root := filepath.Join("..", "..", "shared", "data")
	if _, err := os.Stat(root); err != nil {
		t.Skip("real data are not here (docs/real-scans.md says where to get them): ", err)
	}
	for _, pattern := range []string{"knee-ge-mese/dicom/*", "nist-*/dicom/*", "transfer-syntaxes/*.dcm",
		"pydicom/MR_small*.dcm", "pydicom/emri*.dcm", "highdicom/*.dcm", "dcmqi/*/*/*.dcm"} {
		files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, err = elements.Guard(bytes.NewReader(data), int64(len(data)), imageWish)
			if strings.Contains(file, "too_short") == (err == nil) {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
}
