package dicomio

import (
	"archive/zip"
	"bytes"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/suyashkumar/dicom/pkg/uid"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/volume"
)

// stampsOf returns the modification times of files.
type stampsOf map[string]time.Time

func stamps(t *testing.T, dir string) stampsOf {
	t.Helper()
	s := stampsOf{}
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Stat(path)
		if err == nil {
			s[path] = info.ModTime()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// restore sets the times of the files that still exist.
func (s stampsOf) restore(t *testing.T) { s.later(t, 0) }

// later advances the times by a delay: two writes may fall into one tick of a file system's
// clock.
func (s stampsOf) later(t *testing.T, delay time.Duration) {
	t.Helper()
	for path, stamp := range s {
		if err := os.Chtimes(path, stamp.Add(delay), stamp.Add(delay)); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
}

// zipped packs files, without compression.
func zipped(t *testing.T, files map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err == nil {
			_, err = w.Write(files[name])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Pixels that are exchanged between Find and Read are an error even if no byte of the
// header has changed: in plain files, frames, deflated and compressed objects and archives.
func TestReadNoticesOtherPixels(t *testing.T) {
	object := func(syntax string, pixels func(first int) []byte) func(t *testing.T, first int) []byte {
		return func(t *testing.T, first int) []byte {
			return multiFrame{frames: 6, rows: 3, columns: 5, pixels: pixels(first)}.file(t, syntax)
		}
	}
	native := func(first int) []byte {
		b := nativePixels(90)
		b[len(b)-2] = byte(first)
		return b
	}
	compressed := func(first int) []byte {
		frames := make([][]byte, 6)
		for n := range frames {
			pixels := make([]int32, 15)
			for v := range pixels {
				pixels[v] = int32(first + 20*n + v)
			}
			frames[n] = rle(pixels)
		}
		return append(le(0x7FE0, 0x0010, "OB", 0xFFFFFFFF), items(frames...)...)
	}
	classic := func(t *testing.T, first int) map[string][]byte {
		files := map[string][]byte{}
		for n, im := range trainOf() {
			im.Pixels[7] += int32(first)
			files["IM_"+string(rune('a'+n))] = written(t, im)
		}
		return files
	}
	for _, c := range []struct {
		name, file string // the file to change
		make       func(t *testing.T, first int) map[string][]byte
	}{
		{"classic", "IM_e", classic},
		{"frames", "object", alone("object", object(uid.ExplicitVRLittleEndian, native))},
		{"compressed frames", "object", alone("object", object("1.2.840.10008.1.2.5", compressed))},
		{"zip", "study.zip", alone("study.zip", func(t *testing.T,
			first int) []byte {
			return zipped(t, classic(t, first))
		})},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, data := range c.make(t, 0) {
				write(t, filepath.Join(dir, name), data)
			}
			path := filepath.Join(dir, c.file)
			was := stampsOf{path: stamps(t, dir)[path]}
			f := find(t, dir)
			defer f.Close()
			train := f.Studies[0].Trains[0]
			if _, _, err := Read(t.Context(), train, 0); err != nil {
				t.Fatal(err)
			}
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			after := c.make(t, 1)[c.file]
			if len(after) != len(before) || bytes.Equal(after, before) {
				t.Fatal("not another file of the same size")
			}
			write(t, path, after)
			was.later(t, time.Second)
			_, _, err = Read(t.Context(), train, 0)
			if err == nil || !strings.Contains(err.Error(), c.file) ||
				!strings.Contains(err.Error(), "has changed since") || hint.Find(err) == "" {
				t.Errorf("%v, hint %q", err, hint.Find(err))
			}
		})
	}
}

// alone returns a folder with one file.
func alone(name string, file func(t *testing.T, first int) []byte) func(t *testing.T, first int) map[string][]byte {
	return func(t *testing.T, first int) map[string][]byte { return map[string][]byte{name: file(t, first)} }
}

// An object is written between the reading of its first frame and of its last.
func TestReadNoticesChangeWhileReading(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "object")
	write(t, path, multiFrame{frames: 6, rows: 3, columns: 5, pixels: nativePixels(90)}.file(t,
		uid.ExplicitVRLittleEndian))
	d := newDecoded(only(t, dir))
	file := d.files()[0]
	work := readTasks([]*trainFile{file})
	if err := work[0](new(buffer)); err != nil {
		t.Fatal(err)
	}
	stamps(t, dir).later(t, time.Second)
	err := work[len(work)-1](new(buffer))
	if err == nil || !strings.Contains(err.Error(), "object: has changed while it was read") || hint.Find(err) == "" {
		t.Errorf("%v, hint %q", err, hint.Find(err))
	}
}

// The same applies to a DICOM mask.
func TestMaskNoticesChange(t *testing.T) {
	g := volume.Geometry{Size: [3]int{4, 4, 2}, Affine: [3][4]float64{{1}, {0, 1}, {0, 0, 1}}}
	path := writeTemp(t, structureSet("2.25.9", "2.25.4"))
	f := find(t, filepath.Dir(path))
	defer f.Close()
	mask, err := OpenMaskObject(f.Tree, path, "mask.dcm")
	if err != nil {
		t.Fatal(err)
	}
	stamps(t, filepath.Dir(path)).later(t, time.Second)
	if _, _, err := ReadMask(t.Context(), mask, g, MaskOptions{}); err == nil ||
		!strings.Contains(err.Error(), "has changed since it was found") {
		t.Errorf("%v", err)
	}
}
