package dicomio

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/suyashkumar/dicom/pkg/uid"

	"github.com/t2map/t2map/dicomio/dicomwrite"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/volume"
)

// A scene is a train of 4 slices × 5 echoes, 10 ms apart, of 24 × 20 pixels. Slices differ
// in S0 and T2. A test changes some images.
const (
	sceneSlices, sceneEchoes   = 4, 5
	sceneColumns, sceneRows    = 24, 20
	scenePixels                = sceneColumns * sceneRows
	sceneNoise, sceneS0, other = 12, 2000, 90
)

// scene returns the stored values of image (e, k): blocks with three T2 surrounded by
// another, with noise or without.
func scene(e, k int, noise bool) []int32 {
	rng := rand.New(rand.NewPCG(uint64(e), uint64(k)))
	pixels := make([]int32, scenePixels)
	for v := range pixels {
		i, j := v%sceneColumns, v/sceneColumns
		t2 := float64(other)
		if j >= 3+k && j < 12+k && i%8 < 6 {
			t2 = 30 + 10*float64(i/8)
		}
		s := (sceneS0 + 100*float64(k)) * math.Exp(-10*float64(e+1)/t2)
		if noise {
			s = math.Hypot(s+sceneNoise*rng.NormFloat64(), sceneNoise*rng.NormFloat64())
		}
		pixels[v] = int32(math.Round(s))
	}
	return pixels
}

// sceneImages returns the images, slice by slice; change, unless nil, changes each.
func sceneImages(noise bool, change func(e, k int, im *dicomwrite.Image)) []dicomwrite.Image {
	var images []dicomwrite.Image
	base := obliqueImage()
	base.Orientation = obliqueAxes()
	normal := cross([3]float64(base.Orientation[:3]), [3]float64(base.Orientation[3:]))
	for k := range sceneSlices {
		for e := range sceneEchoes {
			im := base
			im.Rows, im.Columns = sceneRows, sceneColumns
			im.InstanceUID, im.TE = fmt.Sprintf("2.25.3.%d.%d", k, e), float64(10*(e+1))
			for r := range 3 {
				im.Position[r] += 3.5 * float64(k) * normal[r]
			}
			im.Pixels = scene(e, k, noise)
			if change != nil {
				change(e, k, &im)
			}
			images = append(images, im)
		}
	}
	return images
}

// readScene reads the images as files IM_0000 and so on.
func readScene(t *testing.T, images []dicomwrite.Image) (volume.MultiEcho, error) {
	t.Helper()
	dir := t.TempDir()
	save(t, dir, images)
	s, _, err := Read(t.Context(), only(t, dir), 0)
	return s, err
}

// single changes only image (e, k); −1 means all.
func single(e, k int, change func(im *dicomwrite.Image)) func(e, k int, im *dicomwrite.Image) {
	return func(echo, slice int, im *dicomwrite.Image) {
		if (e < 0 || e == echo) && (k < 0 || k == slice) {
			change(im)
		}
	}
}

func filled(v int32) func(im *dicomwrite.Image) {
	return func(im *dicomwrite.Image) {
		for i := range im.Pixels {
			im.Pixels[i] = v
		}
	}
}

// block fills a block of pixels, columns by rows, with a value.
func block(columns, rows [2]int, value int32) func(im *dicomwrite.Image) {
	return func(im *dicomwrite.Image) {
		for j := rows[0]; j < rows[1]; j++ {
			for i := columns[0]; i < columns[1]; i++ {
				im.Pixels[j*sceneColumns+i] = value
			}
		}
	}
}

// dark sets one pixel of an image to little signal.
func dark(im *dicomwrite.Image) { im.Pixels[0] = 3 }

// noiseAlone replaces an image by the noise of the background.
func noiseAlone(im *dicomwrite.Image) {
	rng := rand.New(rand.NewPCG(7, 8))
	for v := range im.Pixels {
		im.Pixels[v] = int32(math.Round(sceneNoise * math.Hypot(rng.NormFloat64(), rng.NormFloat64())))
	}
}

// likeImage replaces the pixels of an image by those of image (e, k) of the scene.
func likeImage(e, k int, noise bool) func(im *dicomwrite.Image) {
	return func(im *dicomwrite.Image) { im.Pixels = scene(e, k, noise) }
}

// emptied fills rows first to end with zeros.
func emptied(first, end int) func(im *dicomwrite.Image) {
	return func(im *dicomwrite.Image) { clear(im.Pixels[first*sceneColumns : end*sceneColumns]) }
}

type change = func(e, k int, im *dicomwrite.Image)

// combined makes several changes in turn.
func combined(changes ...change) change {
	return func(e, k int, im *dicomwrite.Image) {
		for _, c := range changes {
			c(e, k, im)
		}
	}
}

func rescaled(slope func(e int) float64, intercept float64) change {
	return func(e, k int, im *dicomwrite.Image) { im.RescaleSlope, im.RescaleIntercept = slope(e), intercept }
}

func eight(_, _ int, im *dicomwrite.Image) {
	im.BitsAllocated = 8
	for v := range im.Pixels {
		im.Pixels[v] /= 16
	}
}

func TestImagesWithoutDataAreRefused(t *testing.T) {
	constant := func(float64) func(int) float64 { return func(int) float64 { return 2.5 } }(0)
	own := func(e int) float64 { return 1 / float64(e+1) }
	for _, c := range []struct {
		name   string
		noise  bool
		change change
		want   string // slice by slice, image n is echo n%5 of slice n/5
	}{
		{"one echo is blank", false, single(3, -1, filled(0)),
			"IM_0003: PixelData (7FE0,0010): all pixels hold the value 0, but those of IM_0004, another echo of the " +
				"slice, do not; 3 more images of the series have the same fault"},
		{"one image is blank", true, single(3, 2, filled(0)),
			"IM_0013: PixelData (7FE0,0010): all pixels hold the value 0, but those of IM_0014, another echo of the " +
				"slice, do not"},
		{"the first echo", false, single(0, -1, filled(0)), "IM_0000: PixelData (7FE0,0010): all pixels hold"},
		{"the last echo", false, single(4, 1, filled(0)),
			"IM_0009: PixelData (7FE0,0010): all pixels hold the value 0, but those of IM_0008"},
		{"two in a row", true, combined(single(3, 1, filled(0)), single(4, 1, filled(0))),
			"IM_0008: PixelData (7FE0,0010): all pixels hold the value 0, but those of IM_0007"},
		{"all but one", true, combined(single(-1, 1, filled(0)), single(2, 1, likeImage(2, 1, true))),
			"IM_0005: PixelData"},
		{"a constant", true, single(2, 3, filled(700)),
			"IM_0017: PixelData (7FE0,0010): all pixels hold the value 700"},
		{"a constant after rescale", true, combined(rescaled(constant, -20), single(2, 3, filled(0))),
			"IM_0017: PixelData (7FE0,0010): all pixels hold the value -20"},
		{"zeros among constants", false,
			combined(func(e, k int, im *dicomwrite.Image) { filled(int32(1000 - 100*e))(im) },
				single(2, 0, filled(0))), "IM_0002: PixelData"},
		{"8 bits", false, combined(eight, single(2, 0, filled(0))), "IM_0002: PixelData (7FE0,0010): all pixels hold"},
		{"signed", true, combined(func(e, k int, im *dicomwrite.Image) { im.Signed = true }, single(2, 0, filled(-1))),
			"IM_0002: PixelData (7FE0,0010): all pixels hold the value -1"},
		{"big endian", true, combined(func(e, k int, im *dicomwrite.Image) { im.Syntax = uid.ExplicitVRBigEndian },
			single(2, 0, filled(0))), "IM_0002: PixelData"},

		{"an echo is a copy of another", false, func(e, k int,
			im *dicomwrite.Image) {
			im.Pixels = scene(min(e, 3), k, false)
		},
			"IM_0004: PixelData (7FE0,0010): the same pixels as in IM_0003, another echo of the slice"},
		{"one image, of an echo further away", true, single(4, 2, likeImage(1, 2, true)),
			"IM_0014: PixelData (7FE0,0010): the same pixels as in IM_0011, another echo of the slice"},
		{"a copied echo of clipped images", true, combined(combined(stored(16, 10, false),
			func(_, _ int, im *dicomwrite.Image) { clip(1023)(im) }),
			single(4, 2, func(im *dicomwrite.Image) { likeImage(3, 2, true)(im); clip(1023)(im) })),
			"IM_0014: PixelData (7FE0,0010): the same pixels as in IM_0013, another echo of the slice"},
		{"a copy on another scale", true, combined(rescaled(own, 0), single(4, 2, likeImage(1, 2, true))),
			"IM_0014: PixelData (7FE0,0010): the same pixels as in IM_0011"},
		{"a copy but for one pixel", true, single(4, 2, func(im *dicomwrite.Image) {
			likeImage(3, 2,
				true)(im)
			im.Pixels[0]++
		}), "IM_0014: PixelData (7FE0,0010): 479 of 480 pixels with signal are the " +
			"same as in IM_0013, another echo of the slice"},
		{"a copy with a text in it", false, single(3, 0, func(im *dicomwrite.Image) {
			likeImage(1, 0, false)(im)
			block([2]int{8, 13}, [2]int{10, 15}, 4000)(im)
		}), "IM_0003: PixelData (7FE0,0010): 455 of 480 pixels with signal are the same as in IM_0001, another echo " +
			"of the slice"},
		{"a copied slice", false, single(1, 3, likeImage(1, 2, false)),
			"IM_0016: PixelData (7FE0,0010): the same pixels as in IM_0011, another slice"},
		{"a copied slice of the last echo, not beside it", true, single(4, 3, likeImage(4, 0, true)),
			"IM_0019: PixelData (7FE0,0010): the same pixels as in IM_0004, another slice"},
		{"another echo of another slice", true, single(1, 3, likeImage(2, 0, true)),
			"IM_0016: PixelData (7FE0,0010): the same pixels as in IM_0002, another slice"},

		{"the lower half is empty", true, single(2, 1, emptied(10, 20)),
			"IM_0007: PixelData (7FE0,0010): 10 of 20 rows hold only zeros, where IM_0006, another echo of the " +
				"slice, has signal"},
		{"the first echo's", false, single(0, 1, emptied(10, 20)),
			"IM_0005: PixelData (7FE0,0010): 10 of 20 rows hold only zeros, where IM_0006"},
		{"the last echo's", false, single(4, 1, emptied(17, 20)), "IM_0009: PixelData (7FE0,0010): 3 of 20 rows"},
		{"the upper rows of two echoes", true, combined(single(2, 1, emptied(0, 4)), single(3, 1, emptied(0, 6))),
			"IM_0007: PixelData (7FE0,0010): 4 of 20 rows"},
		{"the right half", true, single(2, 1, block([2]int{12, sceneColumns}, [2]int{0, 20}, 0)),
			"IM_0007: PixelData (7FE0,0010): 12 of 24 columns hold only zeros, where IM_0006, another echo of the " +
				"slice, has signal"},
		{"a tile of every slice", true, single(3, -1, block([2]int{4, 12}, [2]int{4, 12}, 0)),
			"IM_0003: PixelData (7FE0,0010): 64 of 480 pixels hold 0, in one block or several, where IM_0002, " +
				"another echo of the slice, has signal"},
		{"a tile without noise", false, single(2, 0, block([2]int{4, 12}, [2]int{4, 12}, 0)),
			"IM_0002: PixelData (7FE0,0010): 64 of 480 pixels"},
		{"a tile of the first echo", true,
			combined(single(-1, -1, dark), single(0, 0, block([2]int{8, 16}, [2]int{8, 16}, 0))),
			"IM_0000: PixelData (7FE0,0010): 64 of 480 pixels"},
		{"a tile of the last echo", true,
			combined(single(-1, -1, dark), single(4, 0, block([2]int{8, 16}, [2]int{8, 16}, 0))),
			"IM_0004: PixelData (7FE0,0010): 64 of 480 pixels"},
		{"rows of another value", true, single(2, 1, block([2]int{0, sceneColumns}, [2]int{10, 20}, 7)),
			"IM_0007: PixelData (7FE0,0010): 3 of 20 rows hold only one value, where IM_0006, another echo of the " +
				"slice, has signal"},
		{"columns of a signal's value, first echo", true, single(0, 1, block([2]int{0, 6}, [2]int{0, 20}, 900)),
			"IM_0005: PixelData (7FE0,0010): 6 of 24 columns hold only one value, where IM_0006"},
		{"nothing at all", false, single(-1, -1, filled(0)),
			"IM_0000: PixelData (7FE0,0010): all pixels hold the value 0, and no image of the series shows anything"},
		{"all images hold another value", false, single(-1, -1, filled(300)),
			"IM_0000: PixelData (7FE0,0010): all pixels hold the value 300, and no image"},
		{"each slice holds one value", false, func(e, k int, im *dicomwrite.Image) { filled(int32(100 + k))(im) },
			"IM_0000: PixelData (7FE0,0010): all pixels hold the value 100, and no image"},
		{"two images are blank", true, combined(single(3, 1, filled(0)), single(3, 2, filled(0))),
			"IM_0008: PixelData (7FE0,0010): all pixels hold the value 0, but those of IM_0009, another echo of the " +
				"slice, do not; another image of the series has the same fault"},
		{"noise alone", true, single(3, 2, noiseAlone), "IM_0013: PixelData (7FE0,0010): the signal is 0.0"},
		{"noise alone in an echo of every slice", true, single(2, -1, noiseAlone),
			"IM_0002: PixelData (7FE0,0010): the signal is 0.0"},
		{"a scale that was lost", false, combined(rescaled(constant, 0),
			single(1, 3, func(im *dicomwrite.Image) { im.RescaleSlope = 0.25 })),
			"IM_0016: PixelData (7FE0,0010): the signal is 0.1"},
		{"a gap", false, combined(rescaled(constant, 0), single(2, 1, emptied(8, 10))),
			"IM_0007: PixelData (7FE0,0010): 2 of 20 rows"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := readScene(t, sceneImages(c.noise, c.change))
			if err == nil || !strings.HasPrefix(err.Error(), c.want) || hint.Find(err) == "" {
				t.Errorf("got  %v, hint %q\nwant %s…", err, hint.Find(err), c.want)
			}
		})
	}
}

func TestSoundImagesAreNotRefused(t *testing.T) {
	blocks := func(t2 float64) change {
		return func(e, k int, im *dicomwrite.Image) {
			for v := range im.Pixels {
				im.Pixels[v] = 0
				if i := v % sceneColumns; i > 5 && i < 15 {
					im.Pixels[v] = int32(math.Round(2000 * math.Exp(-10*float64(e+1)/t2)))
				}
			}
		}
	}
	for _, c := range []struct {
		name   string
		noise  bool
		change change
	}{
		{"noise-free", false, nil},
		{"noise", true, nil},
		{"edge slices are blank at every echo", false, combined(single(-1, 0, filled(0)), single(-1, 3, filled(0)))},
		{"every image is one value that decays", false, func(e, k int, im *dicomwrite.Image) {
			filled(int32(1000 / (e +
				1)))(im)
		}},
		{"every slice is the same", false, func(e, k int, im *dicomwrite.Image) { im.Pixels = scene(e, 0, false) }},
		{"the signal decays to nothing", false, blocks(3)},
		{"slices differ in what decays first", false, func(e, k int, im *dicomwrite.Image) {
			blocks(40)(e, k, im)
			for v := range 12 {
				im.Pixels[v] = int32(math.Round(float64(1000+100*k) * math.Exp(-10*float64(e+1)/4)))
			}
		}},
		{"one T2, each echo scaled to its peak", false, combined(func(e, k int, im *dicomwrite.Image) {
			blocks(1e9)(e, k, im)
			im.RescaleSlope = math.Exp(-10 * float64(e+1) / 40)
		}, func(_, k int, im *dicomwrite.Image) { im.Pixels[k] = 5 })},
		{"few steps that round alike", false, func(e, k int, im *dicomwrite.Image) {
			for v := range im.Pixels {
				im.Pixels[v] = int32(math.Round(float64(v%60) * math.Exp(-10*float64(e+1)/3000)))
			}
		}},
		{"a few voxels of no decay", true, func(e, k int, im *dicomwrite.Image) {
			block([2]int{0, 24}, [2]int{0, 4}, 500)(im)
		}},
		{"zeros around the knee", true, func(e, k int, im *dicomwrite.Image) {
			emptied(0, 3)(im)
			emptied(18, 20)(im)
		}},
		{"noise below a threshold is zero, of each image its own", true, func(e, k int, im *dicomwrite.Image) {
			for v := range im.Pixels {
				if j := v / sceneColumns; j >= 10 && (v*7+e*3)%41 != 0 {
					im.Pixels[v] = 0
				}
			}
		}},
		{"an edge slice of noise below a threshold", true, single(-1, 0, func(im *dicomwrite.Image) {
			noise := im.Pixels
			im.Pixels = make([]int32, scenePixels)
			if im.TE > 35 {
				im.Pixels[17] = noise[17]
			}
		})},
		{"stripes without noise", false, func(e, k int, im *dicomwrite.Image) {
			for v := range im.Pixels {
				im.Pixels[v] = int32(1000 * math.Exp(-10*float64(e+1)/(20+float64(v/sceneColumns))))
			}
		}},
		{"what falls below a threshold in the last echo", true, single(-1, -1, func(im *dicomwrite.Image) {
			for v, n := range im.Pixels {
				if i, j := v%sceneColumns, v/sceneColumns; i >= 8 && i < 20 && j >= 4 && j < 17 {
					n = int32(float64(n) * 0.35) // to 449 and 401 at the last two echoes
				}
				if im.Pixels[v] = n; n < 420 {
					im.Pixels[v] = 0
				}
			}
		})},
		{"a vessel that shows at every second echo", true, func(e, k int, im *dicomwrite.Image) {
			if e%2 == 0 {
				block([2]int{8, 10}, [2]int{8, 11}, 0)(im)
			}
		}},
		{"corners that a correction of the gradients leaves, at each echo its own", true,
			func(e, k int, im *dicomwrite.Image) {
				for v := range im.Pixels {
					if i, j := v%sceneColumns, v/sceneColumns; i+j < 5+e%2 || i+j > sceneColumns+sceneRows-7-e%2 {
						im.Pixels[v] = 0
					}
				}
			}},
		{"a mask of the background, at each echo its own", true, func(e, k int, im *dicomwrite.Image) {
			for v, n := range im.Pixels {
				if i, j := v%sceneColumns, v/sceneColumns; math.Hypot(float64(i-12), float64(j-10)) > 8 {
					if im.Pixels[v] = n / 50; (i/4+j/4)%4 == e%4 { // background noise
						im.Pixels[v] = 0
					}
				}
			}
		}},
		{"echoes that refocus badly", true, func(e, k int, im *dicomwrite.Image) {
			for v, n := range im.Pixels {
				im.Pixels[v] = n * int32(5+3*(e%2)) / 8
			}
		}},
		{"the lower half decays below one step", false, func(e, k int, im *dicomwrite.Image) {
			for v := range im.Pixels[scenePixels/2:] {
				im.Pixels[scenePixels/2+v] = int32(math.Round(1500 * math.Exp(-10*float64(e+1)/4)))
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := readScene(t, sceneImages(c.noise, c.change))
			if err != nil || s.Ceiling != nil {
				t.Errorf("%v; ceilings %v", err, s.Ceiling)
			}
		})
	}
}

// The error names a blank frame and a copied frame, native or compressed.
func TestFramesWithoutData(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(frames [][]int32)
		want string
	}{
		{"sound", func([][]int32) {}, ""},
		{"blank", func(f [][]int32) { clear(f[4]) },
			"object frame 5: PixelData (7FE0,0010): all pixels hold the value 0, but those of object frame 6"},
		{"copied", func(f [][]int32) { copy(f[5], f[4]) },
			"object frame 6: PixelData (7FE0,0010): the same pixels as in object frame 5"},
		{"empty in part", func(f [][]int32) { clear(f[3][8*sceneColumns:]) },
			"object frame 4: PixelData (7FE0,0010): 12 of 20 rows hold only zeros, where object frame 5"},
	} {
		frames := make([][]int32, 6) // three echoes of two slices
		for n := range frames {
			frames[n] = scene(n%3, n/3, true)
		}
		c.edit(frames)
		var native []byte
		packed := make([][]byte, len(frames))
		for n, pixels := range frames {
			for _, v := range pixels {
				native = append(native, byte(v), byte(v>>8))
			}
			packed[n] = rle(pixels)
		}
		for syntax, pixels := range map[string][]byte{
			uid.ExplicitVRLittleEndian: le(0x7FE0, 0x0010, "OW", uint32(len(native)), native...),
			"1.2.840.10008.1.2.5":      append(le(0x7FE0, 0x0010, "OB", 0xFFFFFFFF), items(packed...)...),
		} {
			m := multiFrame{frames: 6, rows: sceneRows, columns: sceneColumns, pixels: pixels}
			dir := t.TempDir()
			write(t, filepath.Join(dir, "object"), m.file(t, syntax))
			_, _, err := Read(t.Context(), only(t, dir), 0)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)) {
				t.Errorf("%s, %s:\ngot  %v\nwant %s…", c.name, syntax, err, c.want)
			}
		}
	}
}

// A copy is recognised even if bits above the stored ones, or bytes after the pixels,
// differ.
func TestCopyWithOtherBits(t *testing.T) {
	dir := t.TempDir()
	for n, im := range sceneImages(true, single(4, 2, likeImage(1, 2, true))) {
		im.BitsStored = 12
		file := written(t, im)
		if n == 14 {
			pixels := file[pixelsAt(t, file):]
			for v := 13; v < len(pixels); v += 2 {
				pixels[v] |= 0xA0
			}
			pixels[8] += 4 // PixelData is longer by four zeros, well below 256 bytes
			file = append(file, 0, 0, 0, 0)
		}
		write(t, filepath.Join(dir, fmt.Sprintf("IM_%04d", n)), file)
	}
	_, _, err := Read(t.Context(), only(t, dir), 0)
	if want := "IM_0014: PixelData (7FE0,0010): the same pixels as in IM_0011"; err == nil ||
		!strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v, want %s…", err, want)
	}
}

// decode returns the peak of the values at any position, for every storage.
func TestDecodePeak(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for round := range 2000 {
		h := &header{texts: &texts{}, rows: 1, columns: 1 + rng.IntN(40), allocated: 8 << (round % 2),
			representation: round / 2 % 2, slope: 1}
		h.stored = 1 + rng.IntN(h.allocated)
		raw := make([]byte, h.columns*h.allocated/8)
		for v := range raw {
			raw[v] = byte(rng.Uint32())
		}
		if round%3 == 0 { // mostly zeros
			clear(raw[rng.IntN(len(raw)):])
		}
		dst := make([]float32, h.columns)
		got := h.decode(dst, raw)
		want := peak{value: math.MinInt32}
		for v := range dst {
			word := uint64(raw[v*h.allocated/8])
			if h.allocated == 16 {
				word |= uint64(raw[2*v+1]) << 8
			}
			n := h.bits().number(word)
			want.add(n)
			if dst[v] != float32(n) {
				t.Fatalf("%+v: pixel %d is %g, want %d", h.bits(), v, dst[v], n)
			}
		}
		if got != want {
			t.Fatalf("%d bits of %d, signed %d, %v: peak %+v, want %+v", h.stored, h.allocated, h.representation, dst,
				got, want)
		}
	}
}

// Rows and columns of one value are found, for any value.
func TestContentOfOneImage(t *testing.T) {
	h := &header{texts: &texts{}, rows: 4, columns: 3, slope: 2, intercept: -1}
	var c content
	c.note(h, []float32{-1, -1, -1, -1, 5, -1, 5, 5, -1, 7, 7, -1})
	want := [2][]bool{{true, false, false, false}, {false, false, true}}
	if c.flat || !slices.Equal(c.constant[0], want[0]) || !slices.Equal(c.constant[1], want[1]) {
		t.Errorf("%+v", c)
	}
	c = content{}
	if c.note(h, []float32{5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5}); !c.flat || c.constant[0] != nil {
		t.Errorf("%+v", c)
	}
}
