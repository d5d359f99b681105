package dicomio

import (
	"bytes"
	"testing"

	"github.com/suyashkumar/dicom/pkg/uid"

	"github.com/t2map/t2map/dicomio/dicomwrite"
)

// Texts are shown as they were meant, for any character set and encoding of the file.
func TestTextsOfEveryCharacterSet(t *testing.T) {
	for _, c := range []struct{ charset, raw, want string }{
		{"ISO_IR 100", "Gr\xf6\xdfe", "Größe"},
		{"ISO_IR 166", "\xb9\xd2\xc1\xca\xa1\xd8\xc5", "นามสกุล"}, // on which the library panics
		{"ISO_IR 192", "größe 山田", "größe 山田"},
		{`\ISO 2022 IR 87`, "\x1b$BF|K\\\x1b(B T2", "日本 T2"}, // 5C in a pair
		{"GB18030", "\x81\x5c T2", "乗 T2"},
		{`\ISO 2022 IR 149`, "\x1b$)C\xb1\xe6\xb5\xbf", "길동"},
		{"ISO_IR 13", "\xd4\xcf", "ﾔﾏ"},
		{"", "Gr\xf6\xdfe", "Gr\uFFFD\uFFFDe"},
		{"ISO_IR 4711", "Gr\xf6\xdfe", "Gr\uFFFD\uFFFDe"},
		{"ISO_IR 192", "Gr\xf6e", "Gr\uFFFDe"},
	} {
		for _, syntax := range []string{uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian, uid.ExplicitVRBigEndian,
			uid.DeflatedExplicitVRLittleEndian} {
			images := trainOf()
			for n := range images {
				images[n].Syntax, images[n].PatientID = syntax, c.raw
				images[n].Overrides = []dicomwrite.Override{{Keyword: "SpecificCharacterSet",
					Values: []string{c.charset}}, {Keyword: "SeriesDescription", Values: []string{c.raw}}}
			}
			dir := t.TempDir()
			save(t, dir, images)
			s := find(t, dir).Studies[0]
			if s.PatientID != c.want || s.Trains[0].Description != c.want || s.Trains[0].Problem != nil {
				t.Errorf("%s in %s: %q and %q, want %q; %v", c.charset, syntax, s.PatientID, s.Trains[0].Description,
					c.want, s.Trains[0].Problem)
			}
		}
	}
}

// A character set in a VR that is not text names no set; ASCII is read in any case.
func TestCharacterSetOfAnotherVR(t *testing.T) {
	images := trainOf()
	file := written(t, images[0])
	text := textElement(0x0008, 0x0005, "CS", "ISO_IR 192")
	number := shortElement(0x0008, 0x0005, 192)
	if !bytes.Contains(file, text) {
		t.Fatal("no charset")
	}
	dir := t.TempDir()
	write(t, dir+"/image", bytes.Replace(file, text, number, 1))
	f := find(t, dir)
	if len(f.Studies) != 1 || len(f.Damaged) != 0 || f.Studies[0].PatientID != "P01" ||
		f.Studies[0].Others[0].Description != "SAG T2 gr\uFFFD\uFFFD\uFFFD\uFFFDe" {
		t.Errorf("%+v", f)
	}
}
