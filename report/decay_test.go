package report

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot/plotter"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/number"
	"github.com/t2map/t2map/volume"
)

func drawDecay(t *testing.T, r Result) image.Image {
	t.Helper()
	var b bytes.Buffer
	if err := writeDecay(&b, r); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// inked returns the box of the pixels of a colour in the plot, left of the
// legend, and their number.
func inked(img image.Image, c color.RGBA) (box image.Rectangle, n int) {
	size := img.Bounds().Size()
	for y := range size.Y {
		for x := range size.X * 7 / 10 {
			if within(img.At(x, y), c, 8) { // and the shades nearest to it
				box = box.Union(image.Rect(x, y, x+1, y+1))
				n++
			}
		}
	}
	return box, n
}

// Points stand where the echo times and signals say.
func TestDecayPlot(t *testing.T) {
	r := sampleResult(volume.Geometry{})
	r.Decays = r.Decays[:1]
	r.Protocol.SkippedEchoes = 0
	r.TE = []float64{10, 20, 50, 80}
	r.Decays[0].T2, r.Decays[0].S0 = number.Float(math.NaN()), number.Float(math.NaN()) // points alone
	points, n := inked(drawDecay(t, r), figure.Colours[0])
	if n == 0 {
		t.Fatal("no points")
	}
	width := float64(points.Dx())
	// The same axes with the first two echoes alone.
	r.Decays[0].Signal = []number.Float{700, 592, number.Float(math.NaN()), number.Float(math.NaN())}
	half, _ := inked(drawDecay(t, r), figure.Colours[0])
	const mark = 14 // pixels a mark is wide at 160 dpi: 2 × 3.2 points
	if got, want := (float64(half.Dx())-mark)/(width-mark), 10.0/70; math.Abs(got-want) > 0.02 {
		t.Errorf("from 10 to 20 ms is %.3f of from 10 to 80 ms, want %.3f", got, want)
	}
	if half.Dx() >= points.Dx() || half.Dy() >= points.Dy() {
		t.Errorf("two points take %v, four %v", half, points)
	}
}

// A skipped echo is hollow: it takes less ink than a fitted one.
func TestDecaySkippedIsHollow(t *testing.T) {
	r := sampleResult(volume.Geometry{})
	r.Decays = r.Decays[:1]
	r.Decays[0].T2 = number.Float(math.NaN())
	_, one := inked(drawDecay(t, r), figure.Colours[0])
	r.Protocol.SkippedEchoes = 0
	_, none := inked(drawDecay(t, r), figure.Colours[0])
	if hollow := none - one; hollow < none/4/4 {
		t.Errorf("4 full marks take %d pixels, 3 full and 1 hollow %d", none, one)
	}
}

// The curve is dashed up to the first fitted echo and goes through the fit.
func TestDecayCurve(t *testing.T) {
	c := curve{Decay: Decay{T2: 40, S0: 1000}, te: []float64{10, 20, 30}, skipped: 1}
	xy := c.exponential(20, 30)
	for _, p := range xy {
		if want := 1000 * math.Exp(-p.X/40); math.Abs(p.Y-want) > 1e-9 {
			t.Errorf("curve at %g ms: %g, want %g", p.X, p.Y, want)
		}
	}
	if xy[0].X != 20 || math.Abs(xy[len(xy)-1].X-30) > 1e-9 {
		t.Errorf("curve runs from %g to %g ms, want 20 to 30", xy[0].X, xy[len(xy)-1].X)
	}
	r := sampleResult(volume.Geometry{})
	r.Decays = r.Decays[:1]
	_, with := inked(drawDecay(t, r), figure.Colours[0])
	r.Decays[0].T2 = number.Float(math.NaN())
	_, without := inked(drawDecay(t, r), figure.Colours[0])
	if with <= without {
		t.Errorf("%d pixels with a curve, %d without", with, without)
	}
}

// A curve that is not an exponential goes from echo to echo over the fitted ones.
func TestDecayModel(t *testing.T) {
	nan := number.Float(math.NaN())
	c := curve{Decay: Decay{T2: 30, S0: 100, Model: []number.Float{nan, 60, 41, nan}}, te: []float64{10, 20, 30, 40},
		skipped: 1}
	want := plotter.XYs{{X: 20, Y: 60}, {X: 30, Y: 41}}
	if got := c.expected(); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// The compartments have the hues of profile.png, and no two of a result share one; rows with other names
// take the colours in turn.
func TestDecayColours(t *testing.T) {
	for _, names := range [][]string{{"medial", "lateral", "patellofemoral", "medial-meniscus", "lateral-meniscus"},
		{"patellofemoral", "tibiofemoral", "lateral"}} {
		seen := map[int]bool{}
		for n, name := range names {
			c := curve{Decay: Decay{Compartment: name}, number: n}.colour()
			if seen[c] {
				t.Errorf("%s of %v has the colour of another", name, names)
			}
			seen[c] = true
			if names[0] == "medial" && n < 3 && figure.Colours[c] != profileInk(name) {
				t.Errorf("%s: %v, in profile.png %v", name, figure.Colours[c], profileInk(name))
			}
		}
	}
}

// Whatever a result holds, there is a picture.
func TestDecayOddResults(t *testing.T) {
	many := sampleResult(volume.Geometry{})
	for n := range 60 {
		many.Decays = append(many.Decays, Decay{Compartment: fmt.Sprintf("sphere-%02d\n%s", n, strings.Repeat("long ", 20)),
			Signal: []number.Float{4, 3, 2, 1}, T2: 30, S0: 5})
	}
	many.Subject = strings.Repeat("subject ", 100)
	inf := sampleResult(volume.Geometry{})
	inf.Decays[0].Signal = []number.Float{number.Float(math.Inf(1)), 0, -1, 1e300}
	for name, r := range map[string]Result{
		"empty": {Version: "1"}, "no decays": {TE: []float64{1, 2, 3}}, "many": many, "infinite": inf,
		"zero TE": {TE: []float64{0}, Decays: []Decay{{Signal: []number.Float{0}, T2: 1, S0: 1}}},
		"all skipped": {TE: []float64{10}, Protocol: Protocol{SkippedEchoes: 1},
			Decays: []Decay{{Signal: []number.Float{1}, T2: 1, S0: 1}}},
	} {
		t.Run(name, func(t *testing.T) { drawDecay(t, r) })
	}
}

// Frequent colours are kept, rare ones become the nearest of these.
func TestToPaletted(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 64, 64))
	for n := range 64 * 64 {
		img.Set(n%64, n/64, color.RGBA{uint8(n % 64), uint8(n / 64 % 4), 0, 0xff}) // 256 colours
	}
	p := figure.Paletted(img)
	for n := range 64 * 64 {
		if got, want := p.At(n%64, n/64), img.At(n%64, n/64); got != want {
			t.Fatalf("pixel %d: got %v, want %v", n, got, want)
		}
	}
	rare, near := color.RGBA{9, 7, 0, 0xff}, color.RGBA{9, 3, 0, 0xff}
	img.Set(5, 60, rare)
	if got := figure.Paletted(img).At(5, 60); got != near {
		t.Errorf("a 257th colour %v became %v, want the nearest, %v", rare, got, near)
	}
}

// The faint lines of the grid stay on the picture.
func TestDecayGrid(t *testing.T) {
	img := drawDecay(t, sampleResult(volume.Geometry{}))
	size := img.Bounds().Size()
	lines := 0
	for y := range size.Y {
		faint := 0
		for x := range size.X * 7 / 10 {
			if g := grey(img.At(x, y)); g > 0xd8 && g < 0xfc {
				faint++
			}
		}
		if faint > size.X/3 {
			lines++
		}
	}
	if lines < 4 {
		t.Errorf("%d rows of the picture hold a line of the grid, want one or two per tick", lines)
	}
}
