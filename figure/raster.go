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

// Dot is the size in points of a pixel of a picture's PNG. An image is copied pixel by pixel if the corners
// of its rectangle are at whole dots from the bottom left corner, and the rectangle has as many dots as the
// image has pixels.
const Dot vg.Length = 72. / dpi

// encoded returns the image as PNG. Only an image without pixels fails, and is omitted.
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

// pdfImage draws the image, which is mark n. used holds the widths of earlier images.
//
// fpdf writes images in the order of their widths in pixels, and images of equal width in any order. So that
// each image has its own width, columns are added on its right, which are clipped.
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

// widened returns the image extended to a width by copies of its last column.
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

// thrifty returns the picture with one byte per pixel. It does not reduce a picture with images, in which
// every colour has a meaning and there are too many colours.
func (s *sheet) thrifty(img *image.RGBA) image.Image {
	for _, m := range s.marks {
		if m.kind == raster {
			return img
		}
	}
	return Paletted(img)
}
