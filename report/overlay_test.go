package report

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/png"
	"math"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/font"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/volume"
)

// drawOverlay returns overlay.png of s, decoded, and its arrangement.
func drawOverlay(t *testing.T, s Study) (image.Image, sheet, scene) {
	t.Helper()
	sc := newScene(s)
	var b bytes.Buffer
	if err := writeOverlay(&b, sc, s.Result); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	return img, newSheet(sc, sc.mask.Voxels > 0, sc.rowKeys()), sc
}

// pixelOf returns the middle pixel of the voxel (i, j) on tile n, by the
// definition of the picture: the crop is drawn from its tile's corner on with the
// same pixels per voxel everywhere.
func (sh sheet) pixelOf(n, i, j int) image.Point {
	crop, size := sh.view.crop, sh.view.size
	x := (float64(i-crop.Min.X) + 0.5) * float64(size.X) / float64(crop.Dx())
	y := (float64(j-crop.Min.Y) + 0.5) * float64(size.Y) / float64(crop.Dy())
	return sh.corner(n).Add(image.Pt(int(x), int(y)))
}

// plasmaAt is a value of the published map, from another place than the
// table: matplotlib 3.6, _cm_listed.py, entries 0, 64, 127, 191 and 255.
var plasmaAt = map[float32]color.RGBA{
	0: {13, 8, 135, 255}, 20: {126, 3, 168, 255}, 40: {203, 70, 121, 255}, 60: {248, 148, 65, 255},
	80: {240, 249, 33, 255},
}

// within says whether two colours differ by no more than d in each part.
func within(got, want color.Color, d int) bool {
	r, g, b, _ := got.RGBA()
	wr, wg, wb, _ := want.RGBA()
	for _, p := range [][2]uint32{{r, wr}, {g, wg}, {b, wb}} {
		if diff := int(p[0]>>8) - int(p[1]>>8); diff > d || diff < -d {
			return false
		}
	}
	return true
}

func isLine(c color.Color) bool {
	for _, l := range lineColours {
		if within(c, l, 0) {
			return true
		}
	}
	return false
}

// besideMask says whether a voxel touches one of the mask in its slice, by a corner at least.
func besideMask(s Study, i, j, k int) bool {
	n := s.Echo.Size[0]
	for v := j - 1; v <= j+1; v++ {
		for u := i - 1; u <= i+1; u++ {
			if u >= 0 && v >= 0 && u < n && v < n && s.Regions.Data[u+n*(v+n*k)] != 0 {
				return true
			}
		}
	}
	return false
}

func isGrey(c color.Color) bool {
	r, g, b, _ := c.RGBA()
	return r == g && g == b
}

// A voxel of known T2 has the colour of that T2; an excluded one the flat
// colour; all others stay grey, brighter where the echo is, but for outlines beside the mask.
func TestOverlayColours(t *testing.T) {
	s := smallStudy()
	n := s.Echo.Size[0]
	const k = 2
	first := slices.IndexFunc(s.Regions.Data[k*n*n:], func(r uint16) bool { return r > 0 }) // any voxel of the mask
	j, i := first/n, first%n
	for t2, want := range plasmaAt {
		at := i + n*(j+n*k)
		s.Maps.T2[at], s.Maps.Status[at] = t2, volume.Fitted
		img, sh, _ := drawOverlay(t, s)
		// Half a step of the palette moves a colour by 2.5, the table by 2.1.
		if got := img.At(sh.pixelOf(k, i, j).X, sh.pixelOf(k, i, j).Y); !within(got, want, 5) {
			t.Errorf("T2 %g ms: got %v, want %v", t2, got, want)
		}
	}
	img, sh, sc := drawOverlay(t, s)
	var seen [3]int
	for k := range s.Echo.Size[2] {
		for j := sh.view.crop.Min.Y; j < sh.view.crop.Max.Y; j++ {
			for i := sh.view.crop.Min.X; i < sh.view.crop.Max.X; i++ {
				at := i + n*(j+n*k)
				p := sh.pixelOf(k, i, j)
				got := img.At(p.X, p.Y)
				switch {
				case s.Regions.Data[at] == 0:
					seen[0]++
					if !isGrey(got) && !(isLine(got) && besideMask(s, i, j, k)) {
						t.Fatalf("voxel (%d, %d, %d) outside the mask has the colour %v", i, j, k, got)
					}
				case s.Maps.Status[at] != volume.Fitted:
					seen[1]++
					if !within(got, figure.ExcludedColour, 0) {
						t.Fatalf("excluded voxel (%d, %d, %d) has the colour %v", i, j, k, got)
					}
				default:
					seen[2]++
					if isGrey(got) || within(got, figure.ExcludedColour, 0) {
						t.Fatalf("voxel (%d, %d, %d) with T2 %g has the colour %v", i, j, k, s.Maps.T2[at], got)
					}
				}
			}
		}
	}
	if seen[0] == 0 || seen[1] == 0 || seen[2] == 0 {
		t.Fatalf("the test saw %v voxels outside, excluded, fitted", seen)
	}
	bone, fluid := sh.pixelOf(k, n/2+3, n/2+3), sh.pixelOf(k, n*30/120+n/2, n/2+1)
	if b, f := img.At(bone.X, bone.Y), img.At(fluid.X, fluid.Y); grey(b) <= grey(f) {
		t.Errorf("grey of echo 700 is %d, of echo 200 %d (white is %g)", grey(b), grey(f), sc.window)
	}
}

func grey(c color.Color) uint8 { return color.GrayModel.Convert(c).(color.Gray).Y }

func TestT2Index(t *testing.T) {
	for t2, want := range map[float32]int{0: 0, -3: 0, 0.66: 0, 0.67: 1, 40: 60, 79.9: 119, 80: 119, 99: 119} {
		if got := int(figure.T2Index(t2)) - figure.FirstT2; got != want {
			t.Errorf("T2 %g ms: step %d, want %d", t2, got, want)
		}
	}
}

// lightness is L* of CIE 1976 of an sRGB colour, D65 (IEC 61966-2-1).
func lightness(c color.RGBA) float64 {
	linear := func(v uint8) float64 {
		x := float64(v) / 255
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	y := 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
	if y <= 216.0/24389 {
		return y * 24389 / 27
	}
	return 116*math.Cbrt(y) - 16
}

// Of two T2 the longer is the lighter, in steps that are nearly even.
func TestScaleIsPerceptuallyOrdered(t *testing.T) {
	const steps = 16
	last := lightness(figure.ScaleColour(0))
	mean := (lightness(figure.ScaleColour(1)) - last) / steps
	for n := 1; n <= steps; n++ {
		l := lightness(figure.ScaleColour(float64(n) / steps))
		if step := l - last; step < 0.5*mean || step > 1.5*mean {
			t.Errorf("from %d/%d to %d/%d of the scale L* grows by %.1f, want about %.1f", n-1, steps, n, steps, step, mean)
		}
		last = l
	}
	if len(palette) > 256 {
		t.Errorf("%d colours do not fit a byte", len(palette))
	}
}

// The colour bar runs from 0 to 80 ms and its ticks stand where the colours are.
func TestOverlayColourBar(t *testing.T) {
	img, sh, _ := drawOverlay(t, smallStudy())
	y := sh.textSize(sh.size.X) // in the middle of the bar
	from, to := -1, -1
	for x := range sh.size.X {
		if c := img.At(x, y); !isGrey(c) && !within(c, figure.ExcludedColour, 0) {
			if from < 0 {
				from = x
			}
			to = x
		}
	}
	if to-from < sh.size.X/6 {
		t.Fatalf("the bar runs from %d to %d of %d pixels", from, to, sh.size.X)
	}
	for ms, want := range plasmaAt {
		x := from + int(math.Round(float64(to-from)*float64(ms)/80))
		if got := img.At(x, y); !within(got, want, 6) {
			t.Errorf("at %g ms the bar has %v, want %v", ms, got, want)
		}
	}
}

// Voxels of 0.5 × 1 mm are shown twice as high as wide, whatever the matrix.
func TestOverlayAspect(t *testing.T) {
	s := smallStudy()
	for r := range 3 {
		s.Echo.Affine[r][1] *= 2
	}
	s.Maps.Affine, s.Regions.Affine = s.Echo.Affine, s.Echo.Affine
	_, sh, _ := drawOverlay(t, s)
	perI := float64(sh.view.size.X) / float64(sh.view.crop.Dx())
	perJ := float64(sh.view.size.Y) / float64(sh.view.crop.Dy())
	if math.Abs(perJ/perI-2) > 0.01 {
		t.Errorf("a voxel has %g × %g pixels, want twice as many down", perI, perJ)
	}
}

func TestEdgeLetters(t *testing.T) {
	for _, c := range []struct {
		name string
		i, j [3]float64 // directions in LPS
		want [4]string  // left, right, top, bottom
	}{
		{"sagittal", [3]float64{0, 1, 0}, [3]float64{0, 0, -1}, [4]string{"A", "P", "S", "I"}},
		{"sagittal, mirrored", [3]float64{0, -1, 0}, [3]float64{0, 0, -1}, [4]string{"P", "A", "S", "I"}},
		{"axial", [3]float64{1, 0, 0}, [3]float64{0, 1, 0}, [4]string{"R", "L", "A", "P"}},
		{"coronal", [3]float64{1, 0, 0}, [3]float64{0, 0, -1}, [4]string{"R", "L", "S", "I"}},
		{"upside down", [3]float64{-1, 0, 0}, [3]float64{0, 0, 1}, [4]string{"L", "R", "I", "S"}},
		{"knee-ge-mese, oblique", [3]float64{-0.0218343, 0.999511, 0.0224019}, [3]float64{-0.144772, 0.01901, -0.989282},
			[4]string{"A", "P", "S", "I"}},
	} {
		var g volume.Geometry
		for r := range 3 {
			g.Affine[r][0], g.Affine[r][1] = 0.5*c.i[r], 0.5*c.j[r]
		}
		if got := volume.EdgeLetters(g); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

func TestOverlayWithoutMask(t *testing.T) {
	s := smallStudy()
	clear(s.Regions.Data)
	img, sh, _ := drawOverlay(t, s)
	for y := sh.header; y < sh.size.Y; y++ {
		for x := range sh.size.X {
			if !isGrey(img.At(x, y)) {
				t.Fatalf("a colour at (%d, %d) without a mask", x, y)
			}
		}
	}
	var b bytes.Buffer
	if err := writePreview(&b, newScene(s), s.Result); err != nil {
		t.Error(err)
	}
}

// Magnitudes that no scanner writes do not break the picture.
func TestOverlayOddMagnitudes(t *testing.T) {
	for _, v := range []float64{0, -5, math.NaN(), math.Inf(1), math.Inf(-1)} {
		s := smallStudy()
		for n := range s.Echo.Data {
			if n%3 > 0 || v == 0 {
				s.Echo.Data[n] = float32(v)
			}
		}
		img, sh, _ := drawOverlay(t, s)
		p := sh.pixelOf(1, s.Echo.Size[0]/2, s.Echo.Size[1]/2)
		if !isGrey(img.At(p.X, p.Y)) {
			t.Errorf("magnitude %g: the bone has a colour", v)
		}
	}
}

// Sheets stay within reach of a screen: large grids are not enlarged, small ones
// are, and one of 1024 × 1024 × 120 is reduced.
func TestSheetSize(t *testing.T) {
	for _, c := range []struct {
		n, slices    int
		mm           float64
		least, most  int // pixels of the picture
		perVoxelWant float64
	}{
		{64, 1, 2, 60_000, 4 << 20, 4},
		{256, 3, 0.6, 1 << 20, 4 << 20, 3},
		{384, 30, 0.3, 1 << 20, 6 << 20, 1},
		{1024, 120, 0.15, 20 << 20, 28 << 20, 0},
	} {
		g := volume.Geometry{Size: [3]int{c.n, c.n, c.slices},
			Affine: [3][4]float64{{0, 0, 3, 0}, {c.mm, 0, 0, 0}, {0, -c.mm, 0, 0}}}
		s := scene{echo: volume.Map{Geometry: g}}
		s.mask.Box = image.Rect(0, 0, c.n, c.n)
		if c.n == 384 {
			s.mask.Box = image.Rect(80, 80, 304, 304) // a knee's cartilage, 70 mm
		}
		s.mask.Slices = make([]int, c.slices)
		sh := newSheet(s, true, nil)
		if got := sh.size.X * sh.size.Y; got < c.least || got > c.most {
			t.Errorf("%d × %d × %d: picture of %v, want %d to %d pixels", c.n, c.n, c.slices, sh.size, c.least, c.most)
		}
		if got := float64(sh.view.size.X) / float64(sh.view.crop.Dx()); c.perVoxelWant > 0 && got != c.perVoxelWant {
			t.Errorf("%d × %d × %d: %g pixels per voxel, want %g", c.n, c.n, c.slices, got, c.perVoxelWant)
		}
		last := sh.corner(c.slices - 1).Add(sh.view.size)
		if last.X > sh.size.X || last.Y > sh.size.Y {
			t.Errorf("%d × %d × %d: the last tile ends at %v, outside of %v", c.n, c.n, c.slices, last, sh.size)
		}
	}
}

// A long or hostile name neither breaks the picture nor takes the scale's place.
func TestShorten(t *testing.T) {
	fits := func(s string) bool { return len([]rune(s)) <= 6 }
	for in, want := range map[string]string{"": "", "S01": "S01", "sixsix": "sixsix", "seven77": "seven…", "a\nb": "a b",
		"\xff": "\uFFFD", "ääääääää": "äääää…"} {
		if got := figure.Shorten(in, fits); got != want {
			t.Errorf("Shorten(%q) = %q, want %q", in, got, want)
		}
	}
	s := smallStudy()
	s.Result.Subject = strings.Repeat("x\n", 5000)
	long, sh, _ := drawOverlay(t, s)
	s.Result.Subject = ""
	plain, _, _ := drawOverlay(t, s)
	scale := drawScale(image.NewPaletted(plain.Bounds(), palette), sh,
		figure.Typeface(figure.Sans, sh.textSize(sh.size.X)*8/10, font.WeightNormal), true)
	for y := range sh.header {
		for x := scale; x < sh.size.X; x++ {
			if long.At(x, y) != plain.At(x, y) {
				t.Fatalf("the name changed the scale at (%d, %d)", x, y)
			}
		}
	}
}

// A PNG holds the colours that were drawn; a writer that fails is the error.
func TestEncodePNG(t *testing.T) {
	img := image.NewPaletted(image.Rect(0, 0, 301, 77), palette)
	for n := range img.Pix {
		img.Pix[n] = uint8(n * n / 7)
	}
	var b bytes.Buffer
	if err := figure.EncodePNG(&b, img); err != nil {
		t.Fatal(err)
	}
	got, err := png.Decode(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if p, ok := got.(*image.Paletted); !ok || p.Rect != img.Rect || !bytes.Equal(p.Pix, img.Pix) ||
		len(p.Palette) != len(palette) {
		t.Error("other pixels than were drawn")
	}
	for n := range palette {
		if !within(got.(*image.Paletted).Palette[n], palette[n], 0) {
			t.Fatalf("colour %d is %v, want %v", n, got.(*image.Paletted).Palette[n], palette[n])
		}
	}
	for _, room := range []int{0, 20, 300, 900} {
		if err := figure.EncodePNG(&shortWriter{room: room}, img); err == nil {
			t.Errorf("no error after %d bytes", room)
		}
	}
}

// shortWriter fails after so many bytes.
type shortWriter struct{ room int }

func (w *shortWriter) Write(b []byte) (int, error) {
	if w.room -= len(b); w.room < 0 {
		return 0, errors.New("no space left on device")
	}
	return len(b), nil
}
