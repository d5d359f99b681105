package dicomio

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/dicomio/dicomwrite"
)

// obliqueAxes are perpendicular and not aligned with the patient.
func obliqueAxes() [6]float64 {
	s, c := math.Sincos(0.1234567)
	return [6]float64{-s, c, 0, 0.6 * c, 0.6 * s, -0.8}
}

// trainOf returns the images of a small sound train, 3 slices × 4 echoes of
// 3 × 5 pixels, in a shuffled order of files. Pixel v of slice k and echo e
// holds 1000·e + 100·k + v.
func trainOf() []dicomwrite.Image {
	var images []dicomwrite.Image
	for n := range 12 {
		k, e := n*5%12%3, n*5%12/3
		im := obliqueImage()
		im.Orientation = obliqueAxes()
		im.InstanceUID = fmt.Sprintf("2.25.3.%d", n)
		im.TE, im.EchoNumber, im.InstanceNumber = float64(10*(e+1)), 1, 7
		normal := cross([3]float64(im.Orientation[:3]), [3]float64(im.Orientation[3:]))
		for r := range 3 {
			im.Position[r] += 3.5 * float64(k) * normal[r]
		}
		im.Pixels = make([]int32, 15)
		for v := range im.Pixels {
			im.Pixels[v] = int32(1000*e + 100*k + v)
		}
		images = append(images, im)
	}
	return images
}

// save writes the images as dir/IM_0000 and so on.
func save(t *testing.T, dir string, images []dicomwrite.Image) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for n, im := range images {
		var b bytes.Buffer
		if err := dicomwrite.WriteImage(&b, im); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, fmt.Sprintf("IM_%04d", n)), b.Bytes())
	}
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// find is Find, and checks that all chunks of a Search together are the same.
func find(t *testing.T, roots ...string) Finding {
	t.Helper()
	f, err := Find(context.Background(), roots, FindOptions{})
	if err != nil {
		t.Fatal(err)
	}
	sameInChunks(t, f, roots, FindOptions{})
	return f
}

// only returns the one train of the one study under dir.
func only(t *testing.T, dir string) Train {
	t.Helper()
	f := find(t, dir)
	if len(f.Studies) != 1 || len(f.Studies[0].Trains) != 1 {
		t.Fatalf("found %+v, want one study with one train", f)
	}
	return f.Studies[0].Trains[0]
}

func TestReadEverySyntaxAndStorage(t *testing.T) {
	for _, syntax := range writtenSyntaxes {
		for _, c := range []struct {
			allocated, stored int
			signed            bool
			slope, intercept  float64
		}{
			{8, 8, false, 0, 0}, {8, 8, true, 2, -1}, {16, 8, false, 0, 0}, {16, 10, true, 0, 0},
			{16, 12, false, 1.5, 0}, {16, 12, true, 0.25, 7}, {16, 16, false, 0, 0}, {16, 16, true, 1, 0},
		} {
			t.Run(fmt.Sprintf("%s %d of %d signed=%t slope=%g", syntax.name, c.stored, c.allocated, c.signed, c.slope),
				func(t *testing.T) {
					images := trainOf()
					for n := range images {
						im := &images[n]
						im.Syntax, im.Signed = syntax.uid, c.signed
						im.BitsAllocated, im.BitsStored = c.allocated, c.stored
						im.RescaleSlope, im.RescaleIntercept = c.slope, c.intercept
						for v, p := range im.Pixels {
							// The whole range of stored values, with both ends.
							span := int32(1) << c.stored
							im.Pixels[v] = (p*7919 + int32(v%2)*(span-1)) % span
							if c.signed {
								im.Pixels[v] -= span / 2
							}
						}
					}
					dir := t.TempDir()
					save(t, dir, images)
					train := only(t, dir)
					s, _, err := Read(context.Background(), train, 2)
					if err != nil {
						t.Fatal(err)
					}
					if c.slope == 0 {
						c.slope = 1
					}
					for n, im := range images {
						k, e := n*5%12%3, n*5%12/3
						for v, p := range im.Pixels {
							want := float32(float64(p)*c.slope + c.intercept)
							if got := s.Echo[e][k*15+v]; got != want {
								t.Fatalf("echo %d, slice %d, pixel %d: got %g, want %g", e, k, v, got, want)
							}
						}
					}
				})
		}
	}
}

func TestReadGeometryAndHashes(t *testing.T) {
	dir := t.TempDir()
	images := trainOf()
	save(t, dir, images)
	train := only(t, dir)
	s, files, err := Read(context.Background(), train, 0)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.TE, []float64{10, 20, 30, 40}) || s.Size != [3]int{5, 3, 3} {
		t.Errorf("TE %v, size %v", s.TE, s.Size)
	}
	im := obliqueImage()
	im.Orientation = obliqueAxes()
	normal := cross([3]float64(im.Orientation[:3]), [3]float64(im.Orientation[3:]))
	for _, index := range [][3]float64{{0, 0, 0}, {4, 0, 0}, {0, 2, 0}, {0, 0, 2}, {4, 2, 2}} {
		got := s.Position(index[0], index[1], index[2])
		for r := range 3 {
			want := im.Position[r] + index[0]*im.PixelSpacing[1]*im.Orientation[r] +
				index[1]*im.PixelSpacing[0]*im.Orientation[3+r] + index[2]*3.5*normal[r]
			// Decimal strings of positions hold 16 characters.
			if math.Abs(got[r]-want) > 1e-6 {
				t.Errorf("voxel %v lies at %v, want coordinate %d to be %g", index, got, r, want)
			}
		}
	}
	if len(files) != 12 || train.Side != "L" || train.Hash == "" {
		t.Errorf("%d files, side %q, hash %q", len(files), train.Side, train.Hash)
	}
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(dir, f.Path))
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("%x", sha256.Sum256(data)); f.SHA256 != want {
			t.Errorf("%s: hash %s, want %s", f.Path, f.SHA256, want)
		}
	}
}

// A slope that changes over the echoes is applied file by file.
func TestReadAppliesEachSlope(t *testing.T) {
	dir := t.TempDir()
	images := trainOf()
	for n := range images {
		images[n].RescaleSlope = 1 / images[n].TE
		images[n].RescaleIntercept = images[n].TE
	}
	save(t, dir, images)
	s, _, err := Read(context.Background(), only(t, dir), 0)
	if err != nil {
		t.Fatal(err)
	}
	for e, te := range s.TE {
		for k := range 3 {
			// Decimal strings hold the slope to 14 digits, float32 the value to 7.
			want := float64(1000*e+100*k+7)/te + te
			if got := float64(s.Echo[e][k*15+7]); math.Abs(got-want) > 1e-6*want {
				t.Errorf("echo %d, slice %d: %g, want %g", e, k, got, want)
			}
		}
	}
}

// Files can change between Find and Read.
func TestReadNoticesChange(t *testing.T) {
	for _, c := range []struct {
		name, want string
		change     func(path string, data []byte)
	}{
		{"truncated", "has changed", func(path string, data []byte) { write(t, path, data[:len(data)-4]) }},
		{"longer", "has changed", func(path string, data []byte) { write(t, path, append(data, 0, 0)) }},
		{"another image", "has changed", func(path string, _ []byte) {
			var b bytes.Buffer
			im := trainOf()[5]
			im.InstanceUID = trainOf()[4].InstanceUID
			if err := dicomwrite.WriteImage(&b, im); err != nil {
				t.Fatal(err)
			}
			write(t, path, b.Bytes())
		}},
		{"another echo", "has changed", func(path string, data []byte) {
			im := trainOf()[4]
			im.TE = 90 // as many bytes as before
			var b bytes.Buffer
			if err := dicomwrite.WriteImage(&b, im); err != nil || b.Len() != len(data) {
				t.Fatal(err, b.Len(), len(data))
			}
			write(t, path, b.Bytes())
		}},
		{"gone", "cannot be read", func(path string, _ []byte) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}},
		{"text", "has changed", func(path string, data []byte) {
			write(t, path,
				bytes.Repeat([]byte("x"), len(data)))
		}},
	} {
		dir := t.TempDir()
		save(t, dir, trainOf())
		train := only(t, dir)
		path := filepath.Join(dir, "IM_0004")
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		was := stamps(t, dir)
		c.change(path, data)
		was.restore(t) // only the bytes of the header differ
		if _, _, err := Read(context.Background(), train, 0); err == nil || !strings.Contains(err.Error(), c.want) ||
			!strings.Contains(err.Error(), "IM_0004") {
			t.Errorf("%s: %v, want …%s…", c.name, err, c.want)
		}
	}
}
