package dicomio

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"

	"github.com/t2map/t2map/hint"
)

// hollow writes the images of trainOf as images of side × side pixels, all unwritten. If
// marked is true for an image, its middle pixel is written.
func hollow(t *testing.T, dir string, side int, marked func(te float64, n int) bool) {
	t.Helper()
	for n, im := range trainOf() {
		file := written(t, im)
		for _, element := range []string{"\x28\x00\x10\x00US\x02\x00", "\x28\x00\x11\x00US\x02\x00"} {
			position := bytes.Index(file, []byte(element))
			binary.LittleEndian.PutUint16(file[position+8:], uint16(side))
		}
		position := pixelsAt(t, file) + 12
		binary.LittleEndian.PutUint32(file[position-4:], uint32(2*side*side))
		path := filepath.Join(dir, fmt.Sprintf("IM_%04d", n))
		write(t, path, file[:position])
		if err := os.Truncate(path, int64(position+2*side*side)); err != nil {
			t.Skip("no files with holes here: ", err)
		}
		if !marked(im.TE, n) {
			continue
		}
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		// A row in the middle is at one of the places that are examined: they are evenly
		// spaced, and the eighth of sixteen is just before the middle.
		row := bytes.Repeat([]byte{1}, 2*side)
		first := int64(position) + (int64(2*side*side)-lookBytes)*7/15
		if _, err := f.WriteAt(row, first); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// A train that declares hundreds of megabytes and has an unwritten echo is refused before
// memory is allocated for it.
func TestCheckWritten(t *testing.T) {
	for _, c := range []struct {
		name   string
		side   int
		marked func(te float64, n int) bool
		want   string
	}{
		{"nothing was written", 4096, func(float64, int) bool { return false },
			"and all other images at echo time 10 ms: the pixels were never written"},
		{"one echo was not", 4096, func(te float64, _ int) bool { return te != 30 },
			"and all other images at echo time 30 ms: the pixels were never written"},
		{"a slice of each echo is blank", 4096, func(_ float64, n int) bool { return n*5%12%3 != 1 }, ""},
		{"little is promised", 512, func(float64, int) bool { return false }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			hollow(t, dir, c.side, c.marked)
			train := only(t, dir)
			if train.Problem != nil {
				t.Fatal(train.Problem)
			}
			err := train.CheckWritten()
			if c.want == "" && err != nil || c.want != "" &&
				(err == nil || !strings.Contains(err.Error(), c.want) || hint.Find(err) == "") {
				t.Errorf("%v, want …%s…", err, c.want)
			}
		})
	}
}

// The additional memory for reading grows with the files, the workers and the decoder's
// needs, and is limited for files of any size.
func TestReadMemory(t *testing.T) {
	dir := t.TempDir()
	save(t, dir, trainOf())
	train := only(t, dir)
	size := train.images[0].size
	for _, h := range train.images {
		size = max(size, h.size)
	}
	// Twelve files keep twelve workers busy at most.
	for workers, want := range map[int]int64{1: size, 2: 2 * size, 16: 12 * size} {
		if got := train.ReadMemory(workers); got != want {
			t.Errorf("%d workers: %d bytes, want %d", workers, got, want)
		}
	}
	for _, h := range train.images {
		h.size = 100 << 20
	}
	if got, want := train.ReadMemory(1), int64(100<<20); got != want {
		t.Errorf("files of 100 MiB: %d bytes, want one of them", got)
	}
	dir = t.TempDir()
	for n, im := range trainOf() {
		write(t, filepath.Join(dir, fmt.Sprint(n)), encapsulated(t, im, "1.2.840.10008.1.2.4.90", seed(t, "90-jp2")))
	}
	for _, h := range find(t, dir).Studies[0].Trains[0].images {
		if got := h.decodeMemory(); got < 32<<20 || got > 33<<20 {
			t.Errorf("JPEG 2000 of 15 pixels: %d bytes, want the decoder's 32 MiB and a little", got)
		}
	}
}

// The caller limits the voxels of the segments of a mask, too.
func TestMostVoxels(t *testing.T) {
	all := []testContour{contourOf(0, -0.5, -0.5, 4.5, -0.5, 4.5, 3.5, -0.5, 3.5)}
	file := structureSet("1.2", "1.3", testStructure{number: 1, contours: all})
	g := unitGrid(5, 4, 2)
	if _, err := readMask(t, file, g, MaskOptions{MostVoxels: 20}); err != nil {
		t.Errorf("20 voxels: %v", err)
	}
	if _, err := readMask(t, file, g, MaskOptions{MostVoxels: 19}); err == nil ||
		!strings.Contains(err.Error(), "its segments hold more than 19 voxels") {
		t.Errorf("20 voxels where 19 may be: %v", err)
	}
}

// Headers store each text once, and a released study stores none of them; a train that was
// copied before can still be read.
func TestRelease(t *testing.T) {
	dir := t.TempDir()
	save(t, dir, trainOf())
	f := find(t, dir)
	s := &f.Studies[0]
	train := s.Trains[0]
	for _, h := range train.images[1:] {
		if unsafe.StringData(h.study) != unsafe.StringData(train.images[0].study) ||
			unsafe.StringData(h.model) != unsafe.StringData(train.images[0].model) {
			t.Error("a text of all images is there more than once")
		}
	}
	s.Release()
	f.Tree.Forget()
	if s.Trains[0].images != nil || s.Trains[0].grid != nil || s.instances != nil || len(f.Tree.Entries()) != 0 {
		t.Error("headers are still held")
	}
	if s.Trains[0].Hash != train.Hash || s.Trains[0].Geometry != train.Geometry {
		t.Error("what is known of the series is gone")
	}
	if _, _, err := Read(context.Background(), train, 1); err != nil {
		t.Error(err)
	}
}
