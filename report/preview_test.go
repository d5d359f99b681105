package report

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"slices"
	"testing"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/volume"
)

// The preview has what overlay.png has: each slice with a mask, the colours, the
// excluded voxels and the scale.
func TestPreview(t *testing.T) {
	s := rings(384, 12)
	clear(s.Regions.Data[:384*384]) // the first slice has no mask
	// One wide patch of each kind, which JPEG cannot blur away.
	const k, patch = 5, 40
	for j := range patch {
		for i := range 3 * patch {
			v := 170 + i + 384*(150+j+384*k)
			s.Regions.Data[v], s.Maps.Status[v], s.Maps.T2[v] = 1, volume.Fitted, 40
			switch {
			case i >= 2*patch:
				s.Maps.Status[v] = volume.PoorFit
			case i >= patch:
				s.Maps.T2[v] = 60
			}
		}
	}
	sc := newScene(s)
	var b bytes.Buffer
	if err := writePreview(&b, sc, s.Result); err != nil {
		t.Fatal(err)
	}
	if b.Len() > 90<<10 { // 24 MiB of previews are to be some 300 studies
		t.Errorf("preview of %d bytes for 11 slices", b.Len())
	}
	img, err := jpeg.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	sh := newPreviewSheet(sc)
	if got, want := img.Bounds().Size(), sh.size; got != want || got.X > previewWidth || got.X < previewWidth*9/10 {
		t.Errorf("size %v, want %v, about %d wide", got, want, previewWidth)
	}
	if len(sc.mask.Slices) != 11 || sh.cols != 6 {
		t.Errorf("%d slices in %d columns, want 11 in 6", len(sc.mask.Slices), sh.cols)
	}
	at := func(i, j int) image.Point { return sh.pixelOf(slices.Index(sc.mask.Slices, k), i, j) }
	for _, c := range []struct {
		name string
		p    image.Point
		want [3]uint8
	}{
		{"40 ms", at(170+patch/2, 150+patch/2), [3]uint8{203, 70, 121}},
		{"60 ms", at(170+patch*3/2, 150+patch/2), [3]uint8{248, 148, 65}},
		{"excluded", at(170+patch*5/2, 150+patch/2), [3]uint8{0x00, 0xe5, 0xff}},
	} {
		r, g, b, _ := img.At(c.p.X, c.p.Y).RGBA()
		got := [3]uint8{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8)}
		for n := range got {
			// JPEG at quality 75: the quantiser's steps for the mean of a block are 8 and 9.
			if math.Abs(float64(got[n])-float64(c.want[n])) > 20 {
				t.Errorf("%s: got %v, want %v", c.name, got, c.want)
				break
			}
		}
	}
}

// Tiles keep a size at which cartilage can be seen, whatever their number.
func TestPreviewSheetSize(t *testing.T) {
	for _, c := range []struct {
		slices, cols int
		tile         int // least pixels across in the file
	}{{1, 1, 300}, {3, 3, 300}, {12, 6, 195}, {14, 7, 165}, {30, 8, 145}, {120, 8, 145}} {
		g := volume.Geometry{Size: [3]int{384, 384, c.slices},
			Affine: [3][4]float64{{0, 0, 3, 0}, {0.3, 0, 0, 0}, {0, -0.3, 0, 0}}}
		s := scene{echo: volume.Map{Geometry: g}}
		s.mask.Box = image.Rect(80, 80, 304, 304)
		s.mask.Slices = make([]int, c.slices)
		sh := newPreviewSheet(s)
		if tile := sh.view.size.X; sh.cols != c.cols || tile < c.tile || tile > previewTile {
			t.Errorf("%d slices: %d columns of %d pixels, want %d of at least %d", c.slices, sh.cols, tile, c.cols, c.tile)
		}
		if sh.size.X > previewWidth {
			t.Errorf("%d slices: %d pixels wide", c.slices, sh.size.X)
		}
		if last := sh.corner(c.slices - 1).Add(sh.view.size); last.X > sh.size.X || last.Y > sh.size.Y {
			t.Errorf("%d slices: the last tile ends at %v, outside of %v", c.slices, last, sh.size)
		}
	}
}

// A pixel of four voxels is their mean: no voxel is passed over.
func TestPreviewMixesVoxels(t *testing.T) {
	g := volume.Geometry{Size: [3]int{4, 2, 1}, Affine: [3][4]float64{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}}}
	s := scene{echo: volume.Map{Geometry: g}}
	s.maps.T2 = make([]float32, 8)
	s.maps.Status = make([]volume.Status, 8)
	s.regions.Data = []uint16{
		1, 0, 1, 1,
		0, 0, 1, 1,
	}
	dst := image.NewYCbCr(image.Rect(0, 0, 2, 1), image.YCbCrSubsampleRatio444)
	for n := range dst.Y {
		dst.Y[n], dst.Cb[n], dst.Cr[n] = 100, 128, 128
	}
	newFiner(newView(image.Rect(0, 0, 4, 2), 0.5, 0.5)).draw(dst, image.Point{}, s, 0)
	cyan := color.YCbCrModel.Convert(figure.ExcludedColour).(color.YCbCr)
	mix := func(part, rest uint8) uint8 { return uint8(math.Round((float64(part) + 3*float64(rest)) / 4)) }
	if got, want := dst.YCbCrAt(0, 0), (color.YCbCr{Y: mix(cyan.Y, 100), Cb: mix(cyan.Cb, 128),
		Cr: mix(cyan.Cr, 128)}); got != want {
		t.Errorf("one voxel of four is excluded: got %v, want %v", got, want)
	}
	if got := dst.YCbCrAt(1, 0); got != cyan {
		t.Errorf("four excluded voxels: got %v, want %v", got, cyan)
	}
}
