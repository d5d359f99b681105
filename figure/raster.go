package figure

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/png"

	"codeberg.org/go-pdf/fpdf"
	"gonum.org/v1/plot/vg"
)

// Dot is a pixel of a picture's PNG in points. An image whose rectangle lies on whole dots
// from the bottom left corner, of as many as it has pixels, stands there pixel by pixel.
const Dot vg.Length = 72. / dpi

// encoded is the image as PNG. A bytes.Buffer takes everything, so that only an image of no
// size fails, and is omitted.
func (m mark) encoded() []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, m.image); err != nil {
		return nil
	}
	return b.Bytes()
}

func (m mark) rectangle() vg.Rectangle {
	return vg.Rectangle{Min: vg.Point{X: vg.Length(m.start.x), Y: vg.Length(m.start.y)},
		Max: vg.Point{X: vg.Length(m.corner.x), Y: vg.Length(m.corner.y)}}
}

// svgImage writes the image into the file itself.
func (s *sheet) svgImage(b *bytes.Buffer, m mark) {
	file := m.encoded()
	if file == nil {
		return
	}
	fmt.Fprintf(b,
		`<image x="%s" y="%s" width="%s" height="%s" preserveAspectRatio="none" href="data:image/png;base64,%s"/>`+"\n",
		plain(m.start.x), plain(s.height-m.corner.y), plain(m.corner.x-m.start.x), plain(m.corner.y-m.start.y),
		base64.StdEncoding.EncodeToString(file))
}

// pdfImage puts the image, which is mark n, on the page. taken are the widths of those before it.
//
// fpdf writes images in the order of their widths in pixels, and equal ones in any. So each gets a
// width of its own by columns at its right, which are clipped.
func (s *sheet) pdfImage(doc *fpdf.Fpdf, m mark, n int, used map[int]bool) {
	size := m.image.Bounds().Size()
	wide := size.X
	for used[wide] {
		wide++
	}
	used[wide] = true
	x, y, w, h := m.start.x, s.height-m.corner.y, m.corner.x-m.start.x, m.corner.y-m.start.y
	if wide > size.X {
		m.image = widened(m.image, wide)
		doc.ClipRect(x, y, w, h, false)
		defer doc.ClipEnd()
	}
	file := m.encoded()
	if file == nil {
		return
	}
	name, options := fmt.Sprintf("image%06d", n), fpdf.ImageOptions{ImageType: "PNG"}
	doc.RegisterImageOptionsReader(name, options, bytes.NewReader(file))
	doc.ImageOptions(name, x, y, w*float64(wide)/float64(size.X), h, false, options, 0, "")
}

// widened returns the image with columns at its right, as the last one, up to a width.
func widened(img image.Image, width int) image.Image {
	r := img.Bounds()
	wide := image.NewRGBA(image.Rect(0, 0, width, r.Dy()))
	for y := range r.Dy() {
		for x := range width {
			wide.Set(x, y, img.At(r.Min.X+min(x, r.Dx()-1), r.Min.Y+y))
		}
	}
	return wide
}

// thrifty returns the picture with one byte per pixel, unless images are in it, whose
// colours have a meaning each and are too many.
func (s *sheet) thrifty(img *image.RGBA) image.Image {
	for _, m := range s.marks {
		if m.kind == raster {
			return img
		}
	}
	return Paletted(img)
}
