package dicomio

import (
	"math"
	"testing"

	"github.com/t2map/t2map/dicomio/dicomwrite"
	"github.com/t2map/t2map/volume"
)

// clip limits values, as a converter does.
func clip(most int32) func(im *dicomwrite.Image) {
	return func(im *dicomwrite.Image) {
		for v, n := range im.Pixels {
			im.Pixels[v] = min(n, most)
		}
	}
}

// stored sets the storage of pixels.
func stored(allocated, bits int, signed bool) change {
	return func(_, _ int, im *dicomwrite.Image) {
		im.BitsAllocated, im.BitsStored, im.Signed = allocated, bits, signed
	}
}

// bright sets pixels of row 10, from column 2 on, to one value.
func bright(value int32, n int) func(im *dicomwrite.Image) {
	return func(im *dicomwrite.Image) {
		for i := range n {
			im.Pixels[10*sceneColumns+2+i] = value
		}
	}
}

func brighter(amount int32) change {
	return func(_, _ int, im *dicomwrite.Image) {
		for v := range im.Pixels {
			im.Pixels[v] *= amount
		}
	}
}

// ceilingsOf counts the images with a ceiling by their level.
func ceilingsOf(s volume.MultiEcho) map[float32]int {
	out := map[float32]int{}
	for _, levels := range s.Ceiling {
		for _, level := range levels {
			if !math.IsInf(float64(level), 1) {
				out[level]++
			}
		}
	}
	return out
}

func TestClippedSignal(t *testing.T) {
	for _, c := range []struct {
		name   string
		noise  bool
		change change
		level  float32
		images int
	}{
		{"one voxel at the end of 12 bits", true,
			combined(stored(16, 12, false), single(2, 1, bright(4095, 1))), 4095, 1},
		{"the end of 16 bits", false, single(2, 1, bright(65535, 2)), 65535, 1},
		{"the end of 16 bits, signed", false, combined(stored(16, 16, true), single(2, 1, bright(32767, 1))), 32767, 1},
		{"the end of 10 bits, signed", false, combined(stored(16, 10, true),
			func(_, _ int, im *dicomwrite.Image) { clip(511)(im) }), 511, 20},
		{"8 bits", false, combined(eight, single(1, 1, bright(255, 1))), 255, 1},
		{"12 bits declared as 16, where only one slice reaches their end", false,
			combined(brighter(2), single(0, -1, clip(4095))), 4095, 1},
		{"12 bits declared as 16, clipped at every pixel", false,
			combined(brighter(3), single(0, 3, clip(4095))), 4095, 1},
		{"12 bits declared as 16, signed, with noise", true,
			combined(brighter(3), stored(16, 16, true), single(0, 3, clip(4095))), 4095, 1},
		{"12 bits on one scale for all", true, combined(combined(stored(16, 12, false),
			rescaled(func(int) float64 { return 0.5 }, 0)), single(2, 1, bright(4095, 4))), 2047.5, 1},
		{"a program cut off noise", true, single(1, 2, clip(1700)), 1700, 1},
		{"and on scales of each echo", true, combined(rescaled(func(e int) float64 { return 1 + float64(e) }, 0),
			single(1, 2, clip(1700))), 3400, 1},
		{"a first echo that is clipped at every pixel, on one slice", false, single(0, 1, filled(1900)), 1900, 1},
		{"most pixels of an echo, which decay from above", false, single(2, 3, clip(1100)), 1100, 1},
		{"a phantom whose slices are alike below the ceiling", false, func(e, k int, im *dicomwrite.Image) {
			for v := range im.Pixels {
				im.Pixels[v] = min(4095, int32(float64((v%3)*(9000+1000*k))*math.Exp(-10*float64(e+1)/40)))
			}
		}, 4095, 20},
		{"the same height in two echoes", false, combined(single(1, 2, clip(1100)), single(2, 2, clip(1100))), 1100, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := readScene(t, sceneImages(c.noise, c.change))
			if err != nil {
				t.Fatal(err)
			}
			got := ceilingsOf(s)
			if len(got) != 1 || got[c.level] != c.images {
				t.Errorf("ceilings %v, want %d images at %g", got, c.images, c.level)
			}
		})
	}
}

func TestWhatLooksClipped(t *testing.T) {
	disc := func(radius, height, edge float64) change {
		return func(e, _ int, im *dicomwrite.Image) {
			for v := range im.Pixels {
				i, j := float64(v%sceneColumns)-11.6, float64(v/sceneColumns)-9.3
				r := math.Hypot(i, j)
				im.Pixels[v] = int32(math.Round(height * math.Exp(-10*float64(e+1)/80) / (1 +
					math.Exp((r-radius)/edge))))
			}
		}
	}
	for _, c := range []struct {
		name   string
		noise  bool
		change change
	}{
		{"the brightest block of a phantom", false, nil},
		{"a vial with soft edges", false, disc(6, 1000, 0.7)},
		{"a smooth hill", false, func(e, _ int, im *dicomwrite.Image) {
			for v := range im.Pixels {
				i, j := float64(v%sceneColumns)-11.6, float64(v/sceneColumns)-9.3
				im.Pixels[v] = int32(math.Round(1000 * (1 - (i*i+j*j)/500) * math.Exp(-10*float64(e+1)/80)))
			}
		}},
		{"three neighbours share the peak of noise", true, single(2, 1, bright(3000, 3))},
		{"four share it apart from each other", true, single(2, 1, func(im *dicomwrite.Image) {
			for _, v := range []int{25, 110, 230, 333} {
				im.Pixels[v] = 3000
			}
		})},
		{"each image is scaled to the end of 12 bits", true,
			combined(stored(16, 12, false), func(e, k int, im *dicomwrite.Image) {
				peak := int32(0)
				for _, n := range im.Pixels {
					peak = max(peak, n)
				}
				for v, n := range im.Pixels {
					im.Pixels[v] = n * 4095 / peak
				}
				im.RescaleSlope = float64(peak) / 4095
			})},
		{"an image of zeros and below", false, combined(stored(16, 16, true), func(e, k int, im *dicomwrite.Image) {
			for v := range im.Pixels {
				im.Pixels[v] = min(-im.Pixels[v]+900, 0)
			}
		})},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := readScene(t, sceneImages(c.noise, c.change))
			if err != nil || s.Ceiling != nil {
				t.Errorf("%v; ceilings %v", err, ceilingsOf(s))
			}
		})
	}
}

// No image of the real scans is clipped: their peaks are one voxel or two.
func TestRealScansAreNotClipped(t *testing.T) {
	for _, scan := range []string{"knee-ge-mese", "nist-ge-1.5t", "nist-philips-3t"} {
		train := only(t, sharedData(t, scan, "dicom"))
		d, _, err := train.decode(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.checkContent(); err != nil || d.ceilings() != nil {
			t.Errorf("%s: %v, ceilings %v", scan, err, d.ceilings())
		}
		most := 0
		for e := range d.seen {
			for k, c := range d.seen[e] {
				most = max(most, c.count)
				if !d.noisy(place{e, k}, math.Inf(1)) {
					t.Errorf("%s, echo %d, slice %d: no noise", scan, e, k)
				}
			}
		}
		if most > 2 {
			t.Errorf("%s: %d pixels share a peak", scan, most)
		}
	}
}

// Plateaus do not continue across the edge of an image.
func TestPlateau(t *testing.T) {
	for _, c := range []struct {
		echoes []int
		want   bool
	}{
		{[]int{0, 1, 5, 6}, true},         // a square
		{[]int{3, 4, 5, 6}, false},        // the end of a row and the beginning of the next
		{[]int{7, 12, 11, 17}, true},      // a T
		{[]int{0, 6, 12, 18}, false},      // corners touch
		{[]int{15, 16, 17}, false},        // three
		{[]int{2, 7, 12, 17, 4, 9}, true}, // a column
	} {
		pixels := make([]float32, 20)
		for _, v := range c.echoes {
			pixels[v] = 9
		}
		d := decoded{
			Train: Train{Geometry: volume.Geometry{Size: [3]int{5, 4, 1}},
				grid: [][]*header{{{texts: &texts{}, rows: 4, columns: 5, slope: 1}}}},
			echo: [][]float32{pixels}, seen: [][]content{{{peak: peak{9, len(c.echoes)}}}},
		}
		if got := d.plateau(place{}); got != c.want {
			t.Errorf("%v: %t", c.echoes, got)
		}
	}
}
