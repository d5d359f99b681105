package dicomio

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/suyashkumar/dicom/pkg/tag"
	"github.com/suyashkumar/dicom/pkg/uid"

	"github.com/t2map/t2map/dicomio/dicomwrite"
	"github.com/t2map/t2map/dicomio/internal/elements"
)

// inserted returns a file in explicit or implicit little endian with the element added in
// order, or in place of the one with its tag.
func inserted(t testing.TB, file []byte, implicit bool, add []byte) []byte {
	t.Helper()
	tagAt := func(b []byte) tag.Tag {
		return tag.Tag{Group: binary.LittleEndian.Uint16(b), Element: binary.LittleEndian.Uint16(b[2:])}
	}
	for position := metaEnd(file); position < len(file); {
		length, head := int(binary.LittleEndian.Uint32(file[position+4:])), 8
		if !implicit {
			length = int(binary.LittleEndian.Uint16(file[position+6:]))
			if longVRs(string(file[position+4 : position+6])) {
				length, head = int(binary.LittleEndian.Uint32(file[position+8:])), 12
			}
		}
		switch order := tagAt(file[position:]).Compare(tagAt(add)); {
		case order == 0:
			return bytes.Join([][]byte{file[:position], add, file[position+head+length:]}, nil)
		case order > 0:
			return bytes.Join([][]byte{file[:position], add, file[position:]}, nil)
		}
		position += head + length
	}
	t.Fatal("no place for the element")
	return nil
}

// float returns an element FL, without the VR if implicit is set.
func floatElement(group, element uint16, vr string, v float32) []byte {
	b := binary.LittleEndian.AppendUint32(nil, math.Float32bits(v))
	if vr == "" {
		return le(group, element, "", 4, b...)
	}
	return plainElement(group, element, vr, b)
}

// saveFiles writes the images, each file changed by change.
func saveFiles(t *testing.T, dir string, images []dicomwrite.Image, change func(n int, file []byte) []byte) {
	t.Helper()
	save(t, dir, nil)
	for n, im := range images {
		write(t, filepath.Join(dir, fmt.Sprintf("IM_%04d", n)), change(n, written(t, im)))
	}
}

// readsAsTrain checks that the only train under dir has the values of trainOf.
func readsAsTrain(t *testing.T, dir string) {
	t.Helper()
	s, _, err := Read(t.Context(), only(t, dir), 0)
	if err != nil {
		t.Fatal(err)
	}
	for e := range 4 {
		for k := range 3 {
			for v := range 15 {
				if got, want := s.Echo[e][15*k+v], float32(1000*e+100*k+v); got != want {
					t.Fatalf("echo %d, slice %d, pixel %d: %g, want %g", e, k, v, got, want)
				}
			}
		}
	}
}

// Files in which the parts before the data set are missing or wrong are read.
func TestFilesWithoutTheirBeginning(t *testing.T) {
	for _, c := range []struct {
		name, syntax string
		change       func(file []byte) []byte
	}{
		{"no preamble", "", func(f []byte) []byte { return f[128:] }},
		{"from the meta group on", "", func(f []byte) []byte { return f[132:] }},
		{"from group 0008 on, explicit", "", func(f []byte) []byte { return f[metaEnd(f):] }},
		{"from group 0008 on, implicit", uid.ImplicitVRLittleEndian, func(f []byte) []byte { return f[metaEnd(f):] }},
		{"from group 0008 on, big endian", uid.ExplicitVRBigEndian, func(f []byte) []byte { return f[metaEnd(f):] }},
		{"preamble, but no meta group", "", func(f []byte) []byte {
			return append(bytes.Clone(f[:132]),
				f[metaEnd(f):]...)
		}},
		{"no group length", "", func(f []byte) []byte { return append(bytes.Clone(f[:132]), f[144:]...) }},
		{"group length 0", "", func(f []byte) []byte {
			return append(append(bytes.Clone(f[:140]), 0, 0, 0, 0),
				f[144:]...)
		}},
		{"group length of 4 GiB", "", func(f []byte) []byte {
			return append(append(bytes.Clone(f[:140]), 0xFE, 0xFF,
				0xFF, 0xFF), f[144:]...)
		}},
		{"group length 1 too short", "", func(f []byte) []byte { f[140]--; return f }},
		{"a preamble of a TIFF", "", func(f []byte) []byte {
			return append([]byte("II*\x00\x08\x00\x00\x00"),
				f[8:]...)
		}},
		{"padding behind the pixels", "", func(f []byte) []byte {
			return append(f,
				le(0xFFFC, 0xFFFC, "OB", 6, 0, 0, 0, 0, 0, 0)...)
		}},
		{"explicit, said to be implicit", "", func(f []byte) []byte {
			return bytes.Replace(f, []byte("\x14\x00"+uid.ExplicitVRLittleEndian+"\x00"),
				[]byte("\x12\x00"+uid.ImplicitVRLittleEndian+"\x00"), 1)
		}},
		{"implicit, said to be explicit", uid.ImplicitVRLittleEndian, func(f []byte) []byte {
			return bytes.Replace(f, []byte("\x12\x00"+uid.ImplicitVRLittleEndian+"\x00"),
				[]byte("\x14\x00"+uid.ExplicitVRLittleEndian+"\x00"), 1)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			images := trainOf()
			for n := range images {
				images[n].Syntax = c.syntax
			}
			dir := t.TempDir()
			saveFiles(t, dir, images, func(_ int, file []byte) []byte { return c.change(file) })
			readsAsTrain(t, dir)
		})
	}
}

// Files that only begin like DICOM are skipped.
func TestWhatIsNoDICOM(t *testing.T) {
	dir := t.TempDir()
	save(t, dir, trainOf())
	random := make([]byte, 4096)
	for i := range random {
		random[i] = byte(i*i*7 + i>>3)
	}
	nifti := make([]byte, 352)
	copy(nifti, "\x5c\x01\x00\x00")
	copy(nifti[344:], "n+1\x00")
	all := [][]byte{
		nil, {8}, []byte("DIC"), nifti, random, []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), []byte("%PDF-1.7\n"),
		[]byte("\x1f\x8b\x08\x00"),
		[]byte("\x08\x00\x05\x00CS and then text, as a note may begin that somebody wrote down"),
		[]byte("\x02\x00\x10\x00UItext"),
		append([]byte{8, 0, 8, 0, 4, 0, 0, 0}, make([]byte, 300)...),
		append([]byte{0, 8, 0, 8, 'C', 'S', 0, 4}, make([]byte, 300)...),
		bytes.Repeat([]byte{8, 0}, 500), bytes.Repeat([]byte{2, 0, 'U', 'I'}, 500), make([]byte, 2000),
		[]byte(strings.Repeat("text ", 100)),
	}
	for n, data := range all {
		write(t, filepath.Join(dir, fmt.Sprint("other", n)), data)
	}
	f := find(t, dir)
	if len(f.Studies) != 1 || len(f.Damaged)+len(f.Studies[0].Damaged) != 0 || f.Passed.NotDICOM != len(all) {
		t.Errorf("skipped %+v of %d, damaged %v %v", f.Passed, len(all), f.Damaged, f.Studies[0].Damaged)
	}
}

// Wanted attributes are read if they are stored as UN, without VR, or after private
// elements.
func TestVendorsWaysOfWriting(t *testing.T) {
	te := func(n int) string { return fmt.Sprint(trainOf()[n].TE) }
	private := [][]byte{
		// CP-246
		le(0x0051, 0x1008, "UN", elements.Undefined, implicitItem(0x0051, 0x1009, "ABCD")...),
		// a VR that is not known
		le(0x0051, 0x100A, "UN", 6, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF),
		// private sequences
		sequenceElement(0x0051, 0x100B, false, sequenceElement(0x0051, 0x100C, true, nil)),
		// an empty item
		le(0x0051, 0x100D, "UN", elements.Undefined, append(le(0xFFFE, 0xE000, "", 0), le(0xFFFE, 0xE0DD, "",
			0)...)...),
		// fragments that are not pixels
		le(0x0051, 0x100E, "OB", elements.Undefined, items([]byte{1, 2, 3, 4})...),
		// an unknown escape
		{0x51, 0, 0x0F, 0x10, 'L', 'O', 2, 0, 0x1B, '$'},
		// longer than the examined texts
		plainElement(0x0051, 0x1010, "ST", bytes.Repeat([]byte("long "), 6000)[:1<<14+2]),
		// NaN
		plainElement(0x0051, 0x1011, "FD", []byte{0, 0, 0, 0, 0, 0, 0xF8, 0x7F}),
		// bytes that look like an element
		le(0x0051, 0x1012, "UN", 8, 0x28, 0, 0x10, 0, 0xFF, 0xFF, 0xFF, 0xFF),
		// Rows of something else
		le(0x0051, 0x1013, "UN", elements.Undefined, implicitItem(0x0028, 0x0010, "\x07\x00")...),
		// EchoTime of something else
		sequenceElement(0x0051, 0x1014, false, textElement(0x0018, 0x0081, "DS", "999")),
		// likewise
		sequenceElement(0x0054, 0x0016, true, shortElement(0x0028, 0x0010, 7), textElement(0x10, 0x20, "LO", "")),
	}
	for _, c := range []struct {
		name   string
		syntax string
		change func(n int, f []byte) []byte
	}{
		{"EchoTime as UN", "", func(n int, f []byte) []byte {
			return inserted(t, f, false, le(0x0018, 0x0081, "UN", 2, []byte(te(n))...))
		}},
		{"Rows as UN", "", func(_ int, f []byte) []byte {
			return inserted(t, f, false,
				le(0x0028, 0x0010, "UN", 2, 3, 0))
		}},
		{"EchoTime as FD", "", func(n int, f []byte) []byte {
			return inserted(t, f, false, plainElement(0x0018, 0x0081, "FD", double(trainOf()[n].TE)))
		}},
		{"EchoTime without VR", "", func(n int, f []byte) []byte {
			return inserted(t, f, false,
				le(0x0018, 0x0081, "", 2, []byte(te(n))...))
		}},
		{"EchoTime with letters of no VR", "", func(n int, f []byte) []byte {
			return inserted(t, f, false, textElement(0x0018, 0x0081, "XX", te(n)))
		}},
		{"private elements", "", func(_ int, f []byte) []byte {
			return inserted(t, f, false, bytes.Join(private, nil))
		}},
		{"private elements, implicit", uid.ImplicitVRLittleEndian, func(_ int, f []byte) []byte {
			return inserted(t, f, true, bytes.Join([][]byte{
				le(0x0051, 0x1008, "", elements.Undefined, implicitItem(0x0051, 0x1009, "ABCD")...),
				le(0x0051, 0x100A, "", 6, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF),
				le(0x0051, 0x100B, "", 8, 0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0xFF, 0xFF, 0x7F), // begins like an item
				le(0x0051, 0x1012, "", 5, 'o', 'd', 'd', '!', '!'),
			}, nil))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			images := trainOf()
			for n := range images {
				images[n].Syntax = c.syntax
			}
			dir := t.TempDir()
			saveFiles(t, dir, images, c.change)
			readsAsTrain(t, dir)
		})
	}
}

// Parts of the complex signal and maps computed by scanners are omitted and counted.
func TestVendorsImageTypes(t *testing.T) {
	for imageType, magnitude := range map[string]bool{
		`ORIGINAL\PRIMARY\OTHER`:                  true,  // GE
		`ORIGINAL\PRIMARY\M\ND`:                   true,  // Siemens
		`ORIGINAL\PRIMARY\M\NORM\DIS2D`:           true,  // Siemens, corrected
		`ORIGINAL\PRIMARY\M\NONE`:                 true,  // Siemens XA
		`ORIGINAL\PRIMARY\T2\NONE`:                true,  // XA: T2 is the contrast
		`DERIVED\PRIMARY\M\NORM`:                  true,  // filtered
		`ORIGINAL\PRIMARY\M_SE\M\SE`:              true,  // Philips
		`ORIGINAL\PRIMARY`:                        true,  // Canon, Bruker
		`ORIGINAL\PRIMARY\M\SE`:                   true,  // UIH
		`ORIGINAL\PRIMARY\P\ND`:                   false, // Siemens, phase
		`ORIGINAL\PRIMARY\PHASE MAP\P\SE`:         false, // Philips
		`ORIGINAL\PRIMARY\R\R\SE`:                 false,
		`ORIGINAL\PRIMARY\I_SE\I\SE`:              false,
		`DERIVED\PRIMARY\T2 MAP\T2\UNSPECIFIED`:   false, // Philips, a map
		`ORIGINAL\PRIMARY\SOME\T2\SE`:             false, // Philips, fourth value
		`DERIVED\PRIMARY\M\T2 MAP`:                false, // Siemens MapIt
		`DERIVED\PRIMARY\T2MAP\ND`:                false,
		`DERIVED\PRIMARY\T2_MAP\NONE`:             false, // XA
		`DERIVED\PRIMARY\T2_STAR_MAP\NONE`:        false,
		`DERIVED\PRIMARY\QUANTITY\T2 MAP`:         false,
		`DERIVED\PRIMARY\PROTON_DENSITY\QUANTITY`: false, // enhanced, fourth value
		`DERIVED\PRIMARY\R2_MAP\NONE`:             false,
		`ORIGINAL\PRIMARY\B0 MAP\B0\UNSPECIFIED`:  false,
		`DERIVED\SECONDARY\FIELD_MAP`:             false,
		`derived\primary\t2 map`:                  false,
		`DERIVED\PRIMARY\DIFFUSION\ADC\SE`:        false,
	} {
		h := &header{texts: &texts{imageType: strings.ToUpper(imageType)}}
		if h.notMagnitude() == magnitude {
			t.Errorf("%s: a magnitude: %t", imageType, !magnitude)
		}
	}
}

// GE identifies phase images only in a private attribute.
func TestGEPhase(t *testing.T) {
	for _, implicit := range []bool{false, true} {
		for manufacturer, passed := range map[string]int{"GE MEDICAL SYSTEMS": 12, "T2MAP": 0} {
			images := trainOf()
			for n := range images {
				images[n].ImageType, images[n].Manufacturer = []string{"ORIGINAL", "PRIMARY", "OTHER"}, manufacturer
				if implicit {
					images[n].Syntax = uid.ImplicitVRLittleEndian
				}
			}
			dir := t.TempDir()
			saveFiles(t, dir, images, func(_ int, f []byte) []byte {
				if implicit {
					return inserted(t, f, true, le(0x0043, 0x102F, "", 2, 1, 0))
				}
				return inserted(t, f, false, plainElement(0x0043, 0x102F, "SS", []byte{1, 0}))
			})
			if s := find(t, dir).Studies[0]; s.Passed.Derived != passed {
				t.Errorf("%s, implicit %t: %d skipped, want %d", manufacturer, implicit, s.Passed.Derived, passed)
			}
		}
	}
	for creator, passed := range map[string]int{"GEMS_PARM_01": 12, "SOMEONE ELSE": 0} {
		images := trainOf()
		for n := range images {
			images[n].Manufacturer = "GE MEDICAL SYSTEMS"
		}
		dir := t.TempDir()
		saveFiles(t, dir, images, func(_ int, f []byte) []byte {
			return inserted(t, f, false, append(textElement(0x0043, 0x0022, "LO", creator),
				plainElement(0x0043, 0x222F, "SS", []byte{1, 0})...))
		})
		if s := find(t, dir).Studies[0]; s.Passed.Derived != passed {
			t.Errorf("block of %s: %d skipped, want %d", creator, s.Passed.Derived, passed)
		}
	}
}

// Each echo an enhanced object and a series of its own, as Siemens XA exports them.
func TestEnhancedSeriesPerEcho(t *testing.T) {
	dir := t.TempDir()
	for e := range 3 {
		m := multiFrame{frames: 9, rows: 3, columns: 5, pixels: nativePixels(135), imageType: `ORIGINAL\PRIMARY\M\NONE`,
			inFrame: func(int) []byte {
				return sequenceElement(0x0018, 0x9112, false, textElement(0x0018, 0x0080, "DS", "2000"))
			}}
		data := m.file(t, "")
		// The nine frames of three echoes lie at three positions; each object keeps one echo
		// at nine.
		for n := range 9 {
			bValue := plainElement(0x0018, 0x9082, "FD", double(float64(10*(1+n%3))))
			data = bytes.ReplaceAll(data, bValue, plainElement(0x0018, 0x9082, "FD", double(float64(11*(1+e)))))
		}
		for n := range 3 {
			old := textElement(0x0020, 0x0032, "DS", fmt.Sprintf(`0\0\%d`, 3*n))
			for r := range 3 {
				data = bytes.Replace(data, old, textElement(0x0020, 0x0032, "DS", fmt.Sprintf(`0\1\%d`, 3*n+r)), 1)
			}
		}
		data = bytes.Replace(data, []byte("2.25.902"), []byte(fmt.Sprint("2.25.91", e)), 1)
		data = bytes.Replace(data, []byte("2.25.903"), []byte(fmt.Sprint("2.25.92", e)), 1)
		write(t, filepath.Join(dir, fmt.Sprint("echo", e)), data)
	}
	train := only(t, dir)
	s, files, err := Read(t.Context(), train, 0)
	if err != nil || len(files) != 3 || len(s.TE) != 3 || s.TE[2] != 33 || s.Size != [3]int{5, 3, 9} ||
		train.Acquisition.TR != 2000 {
		t.Errorf("%v: TE %v, size %v, %d files", err, s.TE, s.Size, len(files))
	}
}

// Series of one echo time are one train if everything that is common to one protocol
// agrees. For TR see TestSeriesPerEcho.
func TestSeriesPerEchoAgree(t *testing.T) {
	for name, change := range map[string]func(im *dicomwrite.Image){
		"flip angle": func(im *dicomwrite.Image) {
			im.Overrides = append(im.Overrides, dicomwrite.Override{Keyword: "FlipAngle",
				Values: []string{fmt.Sprint(im.TE)}})
		},
		"slice thickness": func(im *dicomwrite.Image) { im.SliceThickness = im.TE / 10 },
		"image type": func(im *dicomwrite.Image) {
			im.ImageType = []string{"ORIGINAL", "PRIMARY",
				fmt.Sprint("RECON", im.TE)}
		},
		"sequence": func(im *dicomwrite.Image) {
			im.Overrides = []dicomwrite.Override{{Keyword: "ScanningSequence",
				Values: []string{"SE", fmt.Sprint(im.TE)}}}
		},
		"scanner":       func(im *dicomwrite.Image) { im.Model = fmt.Sprint(im.TE) },
		"pixel spacing": func(im *dicomwrite.Image) { im.PixelSpacing[0] *= 1 + im.TE/1000 },
		"field":         func(im *dicomwrite.Image) { im.FieldStrength = im.TE / 10 },
	} {
		images := trainOf()
		for n := range images {
			images[n].SeriesUID = fmt.Sprintf("2.25.2.%g", images[n].TE)
			change(&images[n])
		}
		dir := t.TempDir()
		save(t, dir, images)
		if s := find(t, dir).Studies[0]; len(s.Trains) != 0 || len(s.Others) != 4 {
			t.Errorf("%s: %d trains, %d other series", name, len(s.Trains), len(s.Others))
		}
	}
}
