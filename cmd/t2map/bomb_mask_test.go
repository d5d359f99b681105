package main

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/t2map/t2map/dicomio/dicomwrite"
	"github.com/t2map/t2map/internal/dicomtest"
	"github.com/t2map/t2map/phantom"
)

const deflated = "1.2.840.10008.1.2.1.99"

// element is an explicit little-endian element with a length of 32 bits.
func element(group, number uint16, vr string, length uint32, value []byte) []byte {
	b := binary.LittleEndian.AppendUint16(nil, group)
	b = binary.LittleEndian.AppendUint16(b, number)
	b = append(append(b, vr...), 0, 0)
	return append(binary.LittleEndian.AppendUint32(b, length), value...)
}

// shortElement is an element with a length of 16 bits.
func shortElement(group, number uint16, vr string, value []byte) []byte {
	b := binary.LittleEndian.AppendUint16(nil, group)
	b = binary.LittleEndian.AppendUint16(b, number)
	b = append(b, vr...)
	return append(binary.LittleEndian.AppendUint16(b, uint16(len(value))), value...)
}

// item begins an item of a sequence, without an end.
var item = []byte{0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF}

// setElement replaces the value of an element with a length of 16 bits, outside of sequences.
func setElement(t *testing.T, file []byte, group, number uint16, vr string, value []byte) []byte {
	t.Helper()
	key := shortElement(group, number, vr, nil)[:6]
	index := bytes.LastIndex(file, key)
	if index < 0 {
		t.Fatalf("there is no (%04X,%04X)", group, number)
	}
	end := index + 8 + int(binary.LittleEndian.Uint16(file[index+6:]))
	return append(append(bytes.Clone(file[:index]), shortElement(group, number, vr, value)...), file[end:]...)
}

func number16(n uint16) []byte { return binary.LittleEndian.AppendUint16(nil, n) }

// writeHoled writes a sparse file that ends with the given number of zeros.
func writeHoled(t *testing.T, path string, data []byte, zeros int64) {
	t.Helper()
	write(t, path, string(data))
	if err := os.Truncate(path, int64(len(data))+zeros); err != nil {
		t.Skip("no sparse files here: ", err)
	}
}

// writeDeflated writes a deflated explicit little-endian file that ends with the given number of zeros.
func writeDeflated(t *testing.T, path string, file []byte, zeros int64) {
	t.Helper()
	const groupLength = 132 + 8 // (0002,0000) UL, after preamble and DICM
	meta := int(binary.LittleEndian.Uint32(file[groupLength:])) + groupLength + 4
	head := setElement(t, file[:meta], 0x0002, 0x0010, "UI", []byte(deflated))
	binary.LittleEndian.PutUint32(head[groupLength:], uint32(len(head)-groupLength-4))
	b := bytes.NewBuffer(head)
	w, err := flate.NewWriter(b, flate.BestSpeed)
	if err == nil {
		_, err = w.Write(file[meta:])
	}
	block := make([]byte, 1<<20)
	for ; zeros > 0 && err == nil; zeros -= int64(len(block)) {
		_, err = w.Write(block[:min(int64(len(block)), zeros)])
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, b.String())
}

// kneeWithSegmentation writes the study SA with a DICOM mask and returns the mask.
func kneeWithSegmentation(t *testing.T, study string) (path string, mask []byte) {
	t.Helper()
	if err := os.RemoveAll(study); err != nil {
		t.Fatal(err)
	}
	s, err := phantom.New(context.Background(), phantom.Options{Subject: "SA", Matrix: 64, Slices: 6})
	if err == nil {
		err = dicomtest.Write(context.Background(), s, study, dicomtest.Form{Segmentation: true})
	}
	path = filepath.Join(study, "labels.dcm")
	if err == nil {
		mask, err = os.ReadFile(path)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path, mask
}

// beforePixels returns the part of a file before its pixel data.
func beforePixels(t *testing.T, file []byte) []byte {
	t.Helper()
	index := bytes.LastIndex(file, []byte("\xe0\x7f\x10\x00O"))
	if index < 0 {
		t.Fatal("there are no pixel data")
	}
	return file[:index]
}

// structures returns the beginning of a structure set of the study, up to the points of a contour of the given number
// of bytes.
func structures(t *testing.T, study string, length uint32) []byte {
	t.Helper()
	image, err := os.ReadFile(filepath.Join(study, "IM_0001.dcm"))
	if err != nil {
		t.Fatal(err)
	}
	uid := func(group, number uint16) string {
		index := bytes.LastIndex(image, shortElement(group, number, "UI", nil)[:6])
		return string(bytes.TrimRight(image[index+8:][:binary.LittleEndian.Uint16(image[index+6:])], "\x00"))
	}
	set := dicomtest.Structures{InstanceUID: "2.25.77", SourceSeriesUID: uid(0x20, 0x0E),
		Sources: []dicomwrite.Instance{{Class: dicomwrite.MRImageStorage, UID: uid(0x08, 0x18)}},
		ROIs:    []dicomtest.ROI{{Number: 1, Name: "medial"}}}
	set.StudyUID, set.SeriesUID, set.FrameOfReferenceUID = uid(0x20, 0x0D), "2.25.78", uid(0x20, 0x52)
	var b bytes.Buffer
	if err := dicomtest.WriteStructures(&b, set); err != nil {
		t.Fatal(err)
	}
	index := bytes.LastIndex(b.Bytes(), []byte("\x06\x30\x39\x00SQ"))
	if index < 0 {
		t.Fatal("there are no contours")
	}
	if err := os.Remove(filepath.Join(study, "labels.nii.gz")); err != nil {
		t.Fatal(err)
	}
	file := bytes.Clone(b.Bytes()[:index])
	for _, part := range [][]byte{
		element(0x3006, 0x0039, "SQ", 0xFFFFFFFF, item), shortElement(0x3006, 0x0084, "IS", []byte("1 ")),
		element(0x3006, 0x0040, "SQ", 0xFFFFFFFF, item), shortElement(0x3006, 0x0042, "CS", []byte("CLOSED_PLANAR ")),
		element(0x3006, 0x0050, "UN", length, nil),
	} {
		file = append(file, part...)
	}
	return file
}

// DICOM masks that declare gigabytes are refused.
func TestBombsInDICOMMasks(t *testing.T) {
	needHoles(t)
	const side, length = 32768, 2 << 30
	for _, c := range []struct {
		name string
		make func(t *testing.T, study string)
		want string
	}{
		{"a segmentation of a billion frames", func(t *testing.T, study string) {
			path, mask := kneeWithSegmentation(t, study)
			write(t, path, string(setElement(t, mask, 0x28, 0x08, "IS", []byte("1000000000"))))
		}, "SA/labels.dcm: Rows (0028,0010): 64, with 64 columns and 1000000000 frames: too many pixels"},
		{"frames of 32768 × 32768 that were never written", func(t *testing.T, study string) {
			path, mask := kneeWithSegmentation(t, study)
			mask = setElement(t, setElement(t, mask, 0x28, 0x10, "US", number16(side)), 0x28, 0x11, "US",
				number16(side))
			writeHoled(t, path, append(beforePixels(t, mask), element(0x7FE0, 0x0010, "OB", length, nil)...), length)
		}, "labels.dcm"},
		{"2 GB of pixels in a small file", func(t *testing.T, study string) {
			path, mask := kneeWithSegmentation(t, study)
			writeDeflated(t, path, append(beforePixels(t, mask), element(0x7FE0, 0x0010, "OB", length, nil)...), length)
		}, "labels.dcm"},
		{"2 GB of a segment's label in a small file", func(t *testing.T, study string) {
			path, mask := kneeWithSegmentation(t, study)
			writeDeflated(t, path, append(beforePixels(t, mask), element(0x7FDF, 0x0010, "UT", length, nil)...), length)
		}, "labels.dcm"},
		{"a contour of 2 GB that was never written", func(t *testing.T, study string) {
			writeHoled(t, filepath.Join(study, "rt.dcm"), structures(t, study, length), length)
		}, "SA/rt.dcm: ContourData (3006,0050): the points of the contours take more than 64 MiB in total"},
		{"contours of 300 MB together that were never written", func(t *testing.T, study string) {
			const length = 60 << 20
			head := structures(t, study, length)
			index := bytes.LastIndex(head, item)
			path := filepath.Join(study, "rt.dcm")
			writeHoled(t, path, head, length)
			for range 4 {
				items := append(bytes.Clone([]byte{0xFE, 0xFF, 0x0D, 0xE0, 0, 0, 0, 0}), head[index:]...)
				f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
				if err == nil {
					_, err = f.Write(items)
				}
				if err != nil {
					t.Fatal(err)
				}
				info, _ := f.Stat()
				_ = f.Close()
				_ = os.Truncate(path, info.Size()+length)
			}
		}, "the points of the contours take more than 64 MiB in total"},
		{"a contour of 2 GB in a small file", func(t *testing.T, study string) {
			writeDeflated(t, filepath.Join(study, "rt.dcm"), structures(t, study, length), length)
		}, "rt.dcm"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := studies(t, 2)
			c.make(t, filepath.Join(dir, "SA"))
			checkBomb(t, dir, c.want)
		})
	}
}

// A series that declares gigabytes and is named as anatomy: the study is mapped, with a warning or without anatomy, or
// it is refused. No memory is allocated for the series.
func TestBombsInAnatomy(t *testing.T) {
	needHoles(t)
	const described, anatomy = "SAG T2 MAP 7 ECHO", "SAG PD ANATOMY 01"
	for _, c := range []struct {
		name   string
		layout dicomtest.Layout
		spoil  func(t *testing.T, dir string)
		want   string
	}{
		{"images of 8192 × 8192", dicomtest.LayoutShuffled, func(t *testing.T, dir string) { sparse(t, dir, 8192) },
			"never written"},
		{"frames of 8192 × 8192", dicomtest.LayoutEnhanced, func(t *testing.T, dir string) { sparse(t, dir, 8192) },
			"want 5637144576 (8192 rows"},
		{"a million frames", dicomtest.LayoutEnhanced, func(t *testing.T, dir string) {
			path := filepath.Join(dir, "IM_0001.dcm")
			file := must(os.ReadFile(path))
			write(t, path, string(setElement(t, file, 0x28, 0x08, "IS", []byte("1000000 "))))
		}, "1000000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := studies(t, 2)
			inner := filepath.Join(dir, "SA", "anatomy")
			s, err := phantom.New(context.Background(), phantom.Options{Subject: "SA", Matrix: 64, Slices: 6})
			if err == nil {
				err = dicomtest.Write(context.Background(), s, inner, dicomtest.Form{Layout: c.layout})
			}
			if err == nil {
				err = os.Remove(filepath.Join(inner, "labels.nii.gz"))
			}
			images, _ := filepath.Glob(filepath.Join(inner, "*.dcm"))
			if err != nil || len(images) == 0 {
				t.Fatal(err)
			}
			for _, path := range images {
				write(t, path, string(bytes.ReplaceAll(must(os.ReadFile(path)), []byte(described), []byte(anatomy))))
			}
			c.spoil(t, inner)
			out := filepath.Join(t.TempDir(), "results")
			code, text, peak := peakOf(t, "run", dir, "--out", out, "--scheme", "compartments", "--series", "SAG T2*",
				"--anatomy", "SAG PD*")
			if code != exitOK && code != exitFailed || peak > 300 || !strings.Contains(text, c.want) ||
				strings.Contains(text, "goroutine") {
				t.Errorf("status %d, %.0f MiB\n%s", code, peak, text)
			}
			table, err := os.ReadFile(filepath.Join(out, "compartments.csv"))
			if err != nil || bytes.Count(table, []byte("\nSB,")) != 3 {
				t.Errorf("%v\n%s", err, table)
			}
		})
	}
}
