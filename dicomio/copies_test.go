package dicomio

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/suyashkumar/dicom/pkg/uid"

	"github.com/t2map/t2map/dicomio/dicomwrite"
	"github.com/t2map/t2map/hint"
)

// Images of one slice and echo are copies only if their pixels are equal; otherwise the
// reason says how they differ and what to do.
func TestSeveralImagesOfOneEcho(t *testing.T) {
	coil := func(name string) []dicomwrite.Override {
		return []dicomwrite.Override{{Keyword: "ReceiveCoilName", Values: []string{name}}}
	}
	siemens := func(file []byte, name string) []byte {
		return inserted(t, inserted(t, file, false, textElement(0x0051, 0x10, "LO", "SIEMENS MR HEADER")), false,
			textElement(0x0051, 0x100F, "LO", name))
	}
	other := func(im dicomwrite.Image) dicomwrite.Image {
		im.Pixels = append([]int32{}, im.Pixels...)
		im.Pixels[7]++
		return im
	}
	for _, c := range []struct {
		name       string
		copies     int
		change     func(n int, im dicomwrite.Image) dicomwrite.Image
		file       func(n int, file []byte) []byte
		want, hint string
	}{
		{"copies", 1, func(_ int, im dicomwrite.Image) dicomwrite.Image { return im }, nil,
			"slice 1 at echo time 10 ms appears twice (also IM_0000)", "remove the copy"},
		{"copies with other headers", 1, func(_ int, im dicomwrite.Image) dicomwrite.Image {
			im.PatientID,
				im.Serial = "P01", "9"
			return im
		}, nil, "appears twice (also IM_0000)", "remove the copy"},
		{"copies, one without its coil", 1, func(_ int,
			im dicomwrite.Image) dicomwrite.Image {
			im.Overrides = coil("C1")
			return im
		}, nil,
			"appears twice (also IM_0000)", "remove the copy"},
		{"one of a coil", 1, func(_ int, im dicomwrite.Image) dicomwrite.Image {
			im.Overrides = coil("C1")
			return other(im)
		}, nil, "with different pixels", "not copies"},
		{"other pixels", 1, func(_ int, im dicomwrite.Image) dicomwrite.Image {
			im.InstanceNumber = 99
			return other(im)
		}, nil, "appears twice, with different pixels (also IM_0000): InstanceNumber (0020,0013) 7, 99", "not copies"},
		{"other values", 1, func(_ int, im dicomwrite.Image) dicomwrite.Image { im.RescaleSlope = 2; return im }, nil,
			"with different pixels", "not copies"},
		{"coils", 7, func(n int, im dicomwrite.Image) dicomwrite.Image {
			im = other(im)
			im.Overrides = coil(fmt.Sprint("C", n))
			return im
		}, nil, `ReceiveCoilName (0018,1250): slice 1 at echo time 10 ms appears 8 times, from different coils: ` +
			`"C0", "C1", "C2", "C3", and 4 more`, "combined images"},
		{"Siemens' coils", 1, func(_ int, im dicomwrite.Image) dicomwrite.Image { return other(im) },
			func(n int, file []byte) []byte { return siemens(file, fmt.Sprint("H0", n)) },
			`private (0051,100F): slice 1 at echo time 10 ms appears twice, from different coils: "H00", "H01"`,
			"combined images"},
		{"acquisitions", 2, func(n int, im dicomwrite.Image) dicomwrite.Image {
			im.Overrides = []dicomwrite.Override{{Keyword: "AcquisitionNumber", Values: []string{fmt.Sprint(n)}}}
			return other(im)
		}, nil, "AcquisitionNumber (0020,0012): slice 1 at echo time 10 ms appears 3 times, from different " +
			"acquisitions: 1, 2", "separate the acquisitions"},
		{"echo times that rounding set apart", 1, func(_ int,
			im dicomwrite.Image) dicomwrite.Image {
			im.TE += 0.001
			return other(im)
		}, nil, "with different pixels",
			"not copies"},
	} {
		for _, syntax := range []string{"", uid.DeflatedExplicitVRLittleEndian} {
			if syntax != "" && c.file != nil {
				continue // the test does not make such files
			}
			dir := t.TempDir()
			images := trainOf()
			if c.name == "coils" {
				images[0].Overrides = coil("C0")
			}
			for n := range c.copies {
				im := c.change(n+1, images[0])
				im.InstanceUID = fmt.Sprint("2.25.99.", n)
				images = append(images, im)
			}
			for n := range images {
				images[n].Syntax = syntax
			}
			saveFiles(t, dir, images, func(n int, file []byte) []byte {
				switch {
				case c.file != nil && n == 0:
					return c.file(0, file)
				case c.file != nil && n >= 12:
					return c.file(n-11, file)
				}
				return file
			})
			p := only(t, dir).Problem
			if p == nil || !strings.Contains(p.Error(), c.want) || !strings.Contains(hint.Find(p), c.hint) {
				t.Errorf("%s %s: %v (%s), want …%s… (…%s…)", c.name, syntax, p, hint.Find(p), c.want, c.hint)
			}
		}
	}
}

// Frames of one object are compared frame by frame, and compressed ones by their codes.
func TestSeveralFramesOfOneEcho(t *testing.T) {
	for _, same := range []bool{false, true} {
		images := trainOf()
		copied := images[4]
		if !same {
			copied.Pixels = append([]int32{9}, copied.Pixels[1:]...)
		}
		dir := t.TempDir()
		saveEnhanced(t, dir, append(images, copied))
		// The dimensions of such an object contradict it before pixels are compared.
		if frames := only(t, dir).images; samePixels(frames[4], frames[12]) != same ||
			samePixels(frames[4], frames[5]) {
			t.Errorf("frames, same %t: they are taken for the other", same)
		}
		dir = t.TempDir()
		images = append(images, copied)
		images[12].InstanceUID = "2.25.99"
		save(t, dir, nil)
		for n, im := range images {
			write(t, filepath.Join(dir, fmt.Sprintf("IM_%04d", n)), encapsulated(t, im, rleSyntax, rle(im.Pixels)))
		}
		p := only(t, dir).Problem
		if p == nil || !strings.Contains(p.Error(), "appears twice") ||
			strings.Contains(p.Error(), "different pixels") == same {
			t.Errorf("RLE, same %t: %v", same, p)
		}
	}
}

// A damaged file is a copy of a readable one with its UID if echo and place are equal, too.
// An anonymiser may have given one UID to several images.
func TestDamagedFilesOfSharedUIDs(t *testing.T) {
	cut := func(file []byte) []byte { return file[:len(file)-4] }
	for _, c := range []struct {
		name     string
		change   func(n int, im *dicomwrite.Image)
		again    bool // whether a sound copy of the damaged image is present
		lost     func(im dicomwrite.Image) bool
		damaged  int
		isSpoilt int
	}{
		{"own UIDs", func(int, *dicomwrite.Image) {}, false, func(im dicomwrite.Image) bool { return im.TE == 40 }, 3,
			0},
		{"a UID for each slice", func(n int, im *dicomwrite.Image) { im.InstanceUID = fmt.Sprint("2.25.9.", n*5%12%3) },
			false, func(im dicomwrite.Image) bool { return im.TE == 40 }, 3, 0},
		{"a UID for each echo", func(_ int, im *dicomwrite.Image) { im.InstanceUID = fmt.Sprint("2.25.9.", im.TE) },
			false, func(im dicomwrite.Image) bool {
				return im.InstanceUID == "2.25.9.10" && im.Position == trainOf()[0].Position
			}, 1, 0},
		{"one UID", func(_ int, im *dicomwrite.Image) { im.InstanceUID = "2.25.9" }, false,
			func(im dicomwrite.Image) bool { return im.TE == 20 }, 3, 0},
		{"copies", func(int, *dicomwrite.Image) {}, true, func(im dicomwrite.Image) bool { return im.TE == 40 }, 0, 3},
		{"copies of one UID", func(_ int, im *dicomwrite.Image) { im.InstanceUID = "2.25.9" }, true,
			func(im dicomwrite.Image) bool { return im.TE == 40 }, 0, 3},
	} {
		dir := t.TempDir()
		images := trainOf()
		for n := range images {
			c.change(n, &images[n])
		}
		saveFiles(t, dir, images, func(n int, file []byte) []byte {
			if !c.lost(images[n]) {
				return file
			}
			if c.again {
				write(t, filepath.Join(dir, fmt.Sprint("copy", n)), cut(file))
				return file
			}
			return cut(file)
		})
		s := find(t, dir).Studies[0]
		if len(s.Damaged) != c.damaged || len(s.Spoiled) != c.isSpoilt {
			t.Errorf("%s: %d damaged, %d spoilt, want %d and %d", c.name, len(s.Damaged), len(s.Spoiled), c.damaged,
				c.isSpoilt)
		}
	}
}
