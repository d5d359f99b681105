package figure

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"image"
	"image/color"
	"image/png"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// chequers has a colour of its own at every pixel, more than a palette holds.
func chequers(w, h int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.SetNRGBA(x, y, color.NRGBA{uint8(7 * x), uint8(11 * y), uint8(x ^ y), 0xff})
		}
	}
	return img
}

// withImage is a picture with that image, one pixel for each dot, 30 by 20 dots from the
// corner.
func withImage(t *testing.T, img image.Image) Picture {
	t.Helper()
	size := img.Bounds().Size()
	at := vg.Point{X: 30 * Dot, Y: 20 * Dot}
	p, err := Picture{Name: "image", Width: 30, Height: 20}.Render(func(c draw.Canvas) {
		c.DrawImage(vg.Rectangle{Min: at,
			Max: vg.Point{X: at.X + vg.Length(size.X)*Dot, Y: at.Y + vg.Length(size.Y)*Dot}}, img)
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// An image on whole dots stands in the PNG pixel by pixel, and as it is in the SVG.
func TestImagePixelByPixel(t *testing.T) {
	img := chequers(35, 23)
	p := withImage(t, img)
	got, err := png.Decode(bytes.NewReader(p.PNG))
	if err != nil {
		t.Fatal(err)
	}
	top := got.Bounds().Dy() - 20 - 23
	for y := range 23 {
		for x := range 35 {
			r, g, b, _ := got.At(30+x, top+y).RGBA()
			want := img.NRGBAAt(x, y)
			if uint8(r>>8) != want.R || uint8(g>>8) != want.G || uint8(b>>8) != want.B {
				t.Fatalf("pixel %d, %d is %v, want %v", x, y, got.At(30+x, top+y), want)
			}
		}
	}
	var svg struct {
		Group struct {
			Image struct {
				Href string `xml:"href,attr"`
			} `xml:"image"`
		} `xml:"g"`
	}
	if err := xml.Unmarshal(p.SVG, &svg); err != nil {
		t.Fatal(err)
	}
	file, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(svg.Group.Image.Href, "data:image/png;base64,"))
	if err != nil {
		t.Fatal(err)
	}
	inside, err := png.Decode(bytes.NewReader(file))
	if err != nil || inside.Bounds() != img.Bounds() || color.NRGBAModel.Convert(inside.At(34, 22)) != img.At(34, 22) {
		t.Errorf("the image in the SVG is not the one drawn: %v", err)
	}
}

// The PDF holds the image opaque, and the same drawing gives the same bytes.
func TestImageInPDF(t *testing.T) {
	img := chequers(35, 23)
	p, again := withImage(t, img), withImage(t, img)
	if !bytes.Equal(p.PDF, again.PDF) || !bytes.Equal(p.SVG, again.SVG) || !bytes.Equal(p.PNG, again.PNG) {
		t.Error("the same drawing gives other bytes")
	}
	if !bytes.Contains(p.PDF, []byte("/Subtype /Image")) || bytes.Contains(p.PDF, []byte("/ca 0.000")) {
		t.Error("no image, or a transparent one")
	}
	if p := withImage(t, image.NewNRGBA(image.Rectangle{})); len(p.PDF) == 0 || len(p.SVG) == 0 {
		t.Error("an image of no size leaves no picture")
	}
}

// Several images of one size come in one order: fpdf would write them in any.
func TestSameBytesOfEqualImages(t *testing.T) {
	render := func() []byte {
		p, err := Picture{Name: "tiles", Width: 60, Height: 30}.Render(func(c draw.Canvas) {
			for n := range 6 {
				img := chequers(20, 20)
				img.SetNRGBA(n, 0, color.NRGBA{0xff, 0, 0, 0xff})
				at := vg.Point{X: vg.Length(25*n) * Dot}
				c.DrawImage(vg.Rectangle{Min: at, Max: vg.Point{X: at.X + 20*Dot, Y: 20 * Dot}}, img)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		return p.PDF
	}
	want := render()
	for range 20 { // a wrong order would come with 1 − 1/720 each time
		if !bytes.Equal(render(), want) {
			t.Fatal("the PDF differs")
		}
	}
}
