package dicomio

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/suyashkumar/dicom/pkg/uid"

	"github.com/t2map/t2map/dicomio/dicomwrite"
	"github.com/t2map/t2map/internal/dicomtest"
)

// alike writes a train in which change is applied to the file of each image.
func alike(t *testing.T, change func(im dicomwrite.Image) []byte) string {
	t.Helper()
	dir := t.TempDir()
	for n, im := range trainOf() {
		write(t, filepath.Join(dir, fmt.Sprintf("IM_%04d", n)), change(im))
	}
	return dir
}

// A train whose images all have the same fault passes every check except the one for that
// fault, which allocates little memory.
func TestHostileTrains(t *testing.T) {
	size := func(rows, columns string) []dicomwrite.Override {
		return []dicomwrite.Override{{Keyword: "Rows", Values: []string{rows}},
			{Keyword: "Columns", Values: []string{columns}}}
	}
	for _, c := range []struct {
		name, want string
		dir        string
	}{
		{"65535 × 65535", "too many pixels", alike(t, func(im dicomwrite.Image) []byte {
			im.Overrides = size("65535", "65535")
			return written(t, im)
		})},
		{"8192 × 8192 out of nothing", "bytes cannot hold an image of 134217728",
			alike(t, func(im dicomwrite.Image) []byte {
				im.Overrides = size("8192", "8192")
				return encapsulated(t, im, "1.2.840.10008.1.2.4.90", make([]byte, 366))
			})},
		{"a fragment padded beyond its image", "compressed bytes for an image of",
			alike(t, func(im dicomwrite.Image) []byte {
				return encapsulated(t, im, rleSyntax, append(rle(im.Pixels), make([]byte, 2<<20)...))
			})},
		{"images of 2048 × 2048 out of nothing", "cannot hold", func() string {
			dir := t.TempDir()
			for n, im := range trainOf() {
				for k := range 4 { // 48 images of 8 MiB
					im.TE = float64(10*(n/3+1)) + 0.5*float64(k)
					im.Overrides, im.InstanceUID = size("2048", "2048"), fmt.Sprintf("2.25.4.%d.%d", n, k)
					write(t, filepath.Join(dir, fmt.Sprintf("IM_%04d_%d", n, k)),
						encapsulated(t, im, rleSyntax, make([]byte, 100)))
				}
			}
			return dir
		}()},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f := find(t, c.dir)
		runtime.ReadMemStats(&after)
		if len(f.Studies) != 1 || len(f.Studies[0].Trains) != 1 {
			t.Fatalf("%s: %+v", c.name, f)
		}
		if p := f.Studies[0].Trains[0].Problem; p == nil || !strings.Contains(p.Error(), c.want) {
			t.Errorf("%s: %v, want …%s…", c.name, p, c.want)
		}
		if got := after.TotalAlloc - before.TotalAlloc; got > 32<<20 {
			t.Errorf("%s: %d MiB were allocated", c.name, got>>20)
		}
	}
}

// A multi-frame object without pixels, or with more frames than fit into its file, is
// refused before headers are made for the frames.
func TestHostileFrameCounts(t *testing.T) {
	for name, file := range map[string][]byte{
		"no pixels": multiFrame{frames: 50_000, rows: 3, columns: 5}.file(t, uid.ExplicitVRLittleEndian),
		"frames of nothing": multiFrame{frames: 50_000, rows: 1, columns: 1, pixels: nativePixels(50_000)}.file(t,
			uid.ExplicitVRLittleEndian),
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "object"), file)
		f := find(t, dir)
		damaged := f.Damaged
		for _, s := range f.Studies {
			damaged = append(damaged, s.Damaged...)
			for _, other := range slices.Concat(s.Trains, s.Suspects, s.Others) {
				if name == "no pixels" || other.Images > len(file)/leastPerFrame {
					t.Errorf("%s: %d images of %d bytes", name, other.Images, len(file))
				}
			}
		}
		if name == "no pixels" && len(damaged) != 1 {
			t.Errorf("%s: %v", name, damaged)
		}
	}
}

// A compressed object of many frames, deflated or in an archive, is inflated a few times,
// not for every few frames.
func TestPackedObjectIsUnpackedOnce(t *testing.T) {
	const slices, echoes, side = 40, 8, 64
	o := dicomtest.Enhanced{}
	o.StudyUID, o.SeriesUID, o.InstanceUID, o.FrameOfReferenceUID = "2.25.1", "2.25.2", "2.25.3", "2.25.4"
	o.Rows, o.Columns, o.PixelSpacing, o.Orientation = side, side, [2]float64{0.5, 0.5}, [6]float64{1, 0, 0, 0, 1, 0}
	for n := range slices * echoes {
		pixels := make([]int32, side*side)
		for v := range pixels {
			pixels[v] = int32((v*7 + n*13) % 4096)
		}
		o.Frames = append(o.Frames, dicomtest.Frame{TE: float64(10 * (n%echoes + 1)),
			Position: [3]float64{0, 0, float64(n / echoes)}, Pixels: pixels})
	}
	var want [][]float32
	for _, packing := range []string{"native", "deflated", "zip"} {
		if packing == "deflated" {
			o.Syntax = uid.DeflatedExplicitVRLittleEndian
		}
		var file bytes.Buffer
		if err := dicomtest.WriteEnhanced(&file, o); err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		if o.Syntax = ""; packing == "zip" {
			pack(t, filepath.Join(dir, "study.zip"), file.Bytes())
		} else {
			write(t, filepath.Join(dir, "object"), file.Bytes())
		}
		train := only(t, dir)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		s, _, err := Read(context.Background(), train, 2)
		runtime.ReadMemStats(&after)
		if err != nil {
			t.Fatalf("%s: %v", packing, err)
		}
		if want == nil {
			want = s.Echo
		}
		for e := range want {
			if fmt.Sprint(s.Echo[e]) != fmt.Sprint(want[e]) {
				t.Errorf("%s: echo %d differs", packing, e)
			}
		}
		// The magnitudes take twice as much, and buffers grow; inflating for every eight
		// frames would take 40 times.
		const object = slices * echoes * side * side * 2
		if got := after.TotalAlloc - before.TotalAlloc; got > 16*object {
			t.Errorf("%s: %d MiB were allocated for an object of %d", packing, got>>20, object>>20)
		}
	}
}

func pack(t *testing.T, path string, file []byte) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	w, err := z.Create("object")
	if err == nil {
		_, err = w.Write(file)
	}
	if err == nil {
		err = z.Close()
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}
