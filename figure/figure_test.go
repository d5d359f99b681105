package figure

import (
	"bytes"
	"crypto/sha256"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"regexp"
	"strings"
	"sync"
	"testing"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// sample draws something of everything: lines, dashes, areas, arcs, curves, letters of
// both weights, turned ones, and such as no typeface has.
func sample(c draw.Canvas) {
	for arm := range 8 {
		s := SignOf(arm)
		x := vg.Length(20 + 30*arm)
		c.StrokeLine2(s.Line(1), x, 20, x+20, 60)
		c.DrawGlyph(s.Mark(4, false), vg.Point{X: x, Y: 80})
		c.DrawGlyph(s.Mark(4, true), vg.Point{X: x, Y: 100})
	}
	c.FillPolygon(color.NRGBA{0, 0, 0xff, 0x40}, []vg.Point{{X: 10, Y: 10}, {X: 200, Y: 10}, {X: 100, Y: 90}})
	var p vg.Path
	p.Move(vg.Point{X: 10, Y: 10})
	p.QuadTo(vg.Point{X: 20, Y: 40}, vg.Point{X: 60, Y: 10})
	p.CubeTo(vg.Point{X: 70, Y: 1}, vg.Point{X: 80, Y: 3}, vg.Point{X: 90, Y: 20})
	p.Arc(vg.Point{X: 100, Y: 50}, 20, 0, 1.2)
	c.Stroke(p)
	turned := Bold(Letters(9))
	turned.Rotation = math.Pi / 2
	Write(c, Align(turned, Center, Base), vg.Point{X: 15, Y: 60}, "T2 (ms)")
	Write(c, Align(Letters(8), Left, Middle), vg.Point{X: 40, Y: 120}, "−1.5 ± 2 ≤ Δ ρ † <b>&amp;</b> 漢 😀 \x00\xff")
}

func rendered(t *testing.T) Picture {
	t.Helper()
	p, err := Picture{Name: "sample", Title: "A <title>", Caption: "Says \"what\" & how", Width: 100,
		Height: 50}.Render(sample)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestSVG(t *testing.T) {
	svg := rendered(t).SVG
	d := xml.NewDecoder(bytes.NewReader(svg))
	var words []string
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, svg)
		}
		if c, ok := token.(xml.CharData); ok {
			words = append(words, strings.TrimSpace(string(c)))
		}
	}
	text := strings.Join(words, "|")
	for _, want := range []string{"A <title>", `Says "what" & how`, "T2 (ms)", "−1.5 ± 2 ≤ Δ ρ † <b>&amp;</b> 漢 😀"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %q", want, text)
		}
	}
	for _, want := range []string{`width="100mm"`, `height="50mm"`, "sans-serif", "textLength=", "rotate(-90 ",
		`fill-opacity="0.25"`, "stroke-dasharray"} {
		if !bytes.Contains(svg, []byte(want)) {
			t.Errorf("no %s in\n%s", want, svg)
		}
	}
	if links := regexp.MustCompile(`href|url\(|https?://`).FindAll(bytes.ReplaceAll(svg,
		[]byte("http://www.w3.org/2000/svg"), nil), -1); links != nil {
		t.Errorf("the SVG refers to something: %s", links)
	}
	if long := regexp.MustCompile(`\d\.\d{3}`).Find(svg); long != nil {
		t.Errorf("a number of more than two decimals: %s", long)
	}
}

func TestPNG(t *testing.T) {
	data := rendered(t).PNG
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if b := img.Bounds(); b.Dx() != 1181 || b.Dy() != 591 { // 100 mm and 50 mm at 300 dots per inch
		t.Errorf("the picture is %v", b)
	}
	// 300 dots per inch are 11811 per metre.
	if !bytes.Contains(data, []byte("pHYs\x00\x00\x2e\x23\x00\x00\x2e\x23\x01")) {
		t.Error("no density in the file")
	}
}

func TestPDF(t *testing.T) {
	pdf := rendered(t).PDF
	if !bytes.HasPrefix(pdf, []byte("%PDF-1.")) || !bytes.HasSuffix(bytes.TrimSpace(pdf), []byte("%%EOF")) {
		t.Error("this is not a PDF")
	}
	for _, never := range []string{"CreationDate", "ModDate", "/ID", "1970"} {
		if bytes.Contains(pdf, []byte(never)) {
			t.Errorf("the PDF holds %s", never)
		}
	}
	if n := bytes.Count(pdf, []byte("/FontFile2")); n != 2 {
		t.Errorf("%d typefaces are embedded, want 2", n)
	}
	if len(pdf) > 60<<10 {
		t.Errorf("%d bytes: are whole typefaces embedded?", len(pdf))
	}
	// The offsets are still right where the dates were: each object starts at its own.
	for n, line := range regexp.MustCompile(`(?m)^(\d{10}) 00000 n`).FindAllSubmatch(pdf, -1) {
		var at int
		if _, err := fmt.Sscan(strings.TrimLeft(string(line[1]), "0"), &at); err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("%d 0 obj", n+1); !bytes.HasPrefix(pdf[at:], []byte(want)) {
			t.Errorf("object %d does not start at %d", n+1, at)
		}
	}
}

func TestSameBytes(t *testing.T) {
	first := rendered(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			p, err := Picture{Name: "sample", Title: "A <title>", Caption: "Says \"what\" & how", Width: 100,
				Height: 50}.Render(sample)
			if err != nil || !bytes.Equal(p.SVG, first.SVG) || !bytes.Equal(p.PNG, first.PNG) ||
				!bytes.Equal(p.PDF, first.PDF) {
				t.Errorf("not the same bytes, or %v", err)
			}
		})
	}
	wg.Wait()
}

// The same drawing on every processor: CI repeats this on arm64, whose fused multiply-adds
// end in other last bits. Pixels are compared, not files, since another release of Go may
// compress them otherwise.
func TestSameBytesEverywhere(t *testing.T) {
	p := rendered(t)
	img, err := png.Decode(bytes.NewReader(p.PNG))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"SVG": {p.SVG, "0bb76042a0f1c9227beb3aeee1d002676924389bc6f875fbc738a343c5145b45"},
		"PNG": {img.(*image.Paletted).Pix, "1f865df2c1b034201cf53c6b2aef53dccfcdc81f548d8cfe30838e68dd19be76"},
	} {
		if got := fmt.Sprintf("%x", sha256.Sum256(c.data)); got != c.want {
			t.Errorf("%s: %s, want %s: if it is meant to look otherwise now, say so here", name, got, c.want)
		}
	}
}

// The SVG alone is the one of all files.
func TestRenderSVG(t *testing.T) {
	all := rendered(t)
	p, err := Picture{Name: "sample", Title: "A <title>", Caption: "Says \"what\" & how", Width: 100,
		Height: 50}.RenderSVG(sample)
	if err != nil || !bytes.Equal(p.SVG, all.SVG) || p.PNG != nil || p.PDF != nil {
		t.Errorf("not the same SVG, or more than it: %v", err)
	}
}

func TestSizes(t *testing.T) {
	for _, size := range [][2]float64{{0, 10}, {10, -1}, {math.NaN(), 10}, {10, math.Inf(1)}, {10, 601}} {
		if _, err := (Picture{Name: "x", Width: size[0],
			Height: size[1]}).Render(func(draw.Canvas) { t.Error("painted") }); err == nil {
			t.Errorf("%v is taken for a size", size)
		}
		if _, err := (Picture{Name: "x", Width: size[0],
			Height: size[1]}).RenderSVG(func(draw.Canvas) { t.Error("painted") }); err == nil {
			t.Errorf("%v is taken for a size of an SVG", size)
		}
	}
}

// Coordinates that are not numbers, or not on a sheet, harm no backend.
func TestFarOff(t *testing.T) {
	_, err := Picture{Name: "x", Width: 10, Height: 10}.Render(func(c draw.Canvas) {
		c.StrokeLine2(draw.LineStyle{Width: 1}, vg.Length(math.NaN()), vg.Length(math.Inf(1)), 1e300, -1e300)
		c.FillPolygon(color.Black, []vg.Point{{X: 1e9, Y: 1}, {X: -1e9, Y: 2}, {X: 3, Y: 1e9}})
		Write(c, Letters(8), vg.Point{X: vg.Length(math.NaN())}, "far")
	})
	if err != nil {
		t.Error(err)
	}
}

func TestNumber(t *testing.T) {
	for _, c := range []struct {
		x        float64
		decimals int
		want     string
	}{
		{1.25, 1, "1.2"}, {-1.26, 1, "−1.3"}, {-0.04, 1, "0.0"}, {0, 0, "0"}, {math.NaN(), 1, "–"},
		{math.Inf(-1), 1, "–"},
		{1234567, 0, "1234567"}, {-1e20, 2, "−1.00e+20"}, {0, 300, "0"}, {-3e-200, 201, "−3.00e−200"},
	} {
		if got := Number(c.x, c.decimals); got != c.want {
			t.Errorf("Number(%g, %d) = %q, want %q", c.x, c.decimals, got, c.want)
		}
	}
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		Range
		want string
	}{
		{Range{Low: 0, High: 10}, "0 2 4 6 8 10"}, {Range{Low: -1, High: 1}, "−1.0 −0.5 0.0 0.5 1.0"},
		{Range{Low: 28.1, High: 41}, "30 35 40"},
		{Range{Low: -0.03, High: 0.02}, "−0.03 −0.02 −0.01 0.00 0.01 0.02"},
		{Range{Low: 0, High: 0.6}, "0.0 0.1 0.2 0.3 0.4 0.5 0.6"},
		{Range{Low: 900, High: 1100}, "900 950 1000 1050 1100"},
	} {
		var labels []string
		for _, tick := range c.Ticks(6) {
			labels = append(labels, tick.Label)
		}
		if got := strings.Join(labels, " "); got != c.want {
			t.Errorf("%v: %s, want %s", c.Range, got, c.want)
		}
	}
	for _, r := range []Range{{Low: 1, High: 1 + 1e-11}, {Low: -1e99, High: 1e99}, {Low: 1e-300, High: 2e-300},
		{Low: 1e15, High: 1e15 + 8}} {
		if n := len(r.Ticks(6)); n < 1 || n > 13 {
			t.Errorf("%v: %d ticks", r, n)
		}
	}
}

func TestCover(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		in   []float64
		want Range
		ok   bool
	}{
		{nil, Range{Low: 0, High: 1}, false}, {[]float64{nan, inf, -inf, 1e200}, Range{Low: 0, High: 1}, false},
		{[]float64{3, nan, -1}, Range{Low: -1, High: 3}, true},
		{[]float64{40, 40}, Range{Low: 38, High: 42}, true}, {[]float64{0}, Range{Low: -1, High: 1}, true},
		{[]float64{-20}, Range{Low: -21, High: -19}, true},
	} {
		if got, ok := Cover(c.in...); got != c.want || ok != c.ok {
			t.Errorf("Cover(%v) = %v, %v, want %v, %v", c.in, got, ok, c.want, c.ok)
		}
	}
}

func TestWrap(t *testing.T) {
	style := Letters(10)
	lines := Wrap(style, strings.Repeat("word ", 40), 100, 3)
	if len(lines) != 3 || !strings.HasSuffix(lines[2], "…") {
		t.Errorf("%q", lines)
	}
	for _, l := range append(lines, Wrap(style, strings.Repeat("x", 500), 100, 3)...) {
		if style.Width(l) > 100 {
			t.Errorf("%q is wider than 100 points", l)
		}
	}
	if got := Wrap(style, " one\ntwo ", 100, 3); len(got) != 1 || got[0] != "one two" {
		t.Errorf("%q", got)
	}
	if got := Wrap(style, "", 100, 3); got != nil {
		t.Errorf("%q", got)
	}
}

// Signs differ in more than colour: each pair of the first six by mark and by dash, and
// neighbours by a seventh of the way from black to white.
func TestSigns(t *testing.T) {
	grey := func(s Sign) float64 { return float64(color.GrayModel.Convert(s.Colour).(color.Gray).Y) }
	for a := range 6 {
		for b := range a {
			x, y := SignOf(a), SignOf(b)
			if x.Full == y.Full || fmt.Sprint(x.Dashes) == fmt.Sprint(y.Dashes) || x.Colour == y.Colour {
				t.Errorf("arms %d and %d share a mark, a dash or a colour", b, a)
			}
		}
		if d := math.Abs(grey(SignOf(a)) - grey(SignOf(a+1))); d < 35 {
			t.Errorf("arms %d and %d differ by %.0f of 255 in grey", a, a+1, d)
		}
	}
	if SignOf(-1).Colour != SignOf(0).Colour {
		t.Error("an arm that is none has no sign")
	}
}
