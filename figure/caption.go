package figure

import (
	"image"

	"golang.org/x/image/font"
	"golang.org/x/image/math/fixed"
	plotfont "gonum.org/v1/plot/font"
)

// Typeface returns a face with the given number of pixels per em. A face is not safe for concurrent use.
func Typeface(f plotfont.Font, size int, weight font.Weight) font.Face {
	f.Weight = weight
	face := plotfont.DefaultCache.Lookup(f, plotfont.Length(size))
	return face.FontFace(72) // dots per inch: one point is one pixel
}

// TextWidth returns the advance of s in pixels.
func TextWidth(face font.Face, s string) int { return font.MeasureString(face, s).Ceil() }

// Caption is a line of text on a picture with MapPalette.
type Caption struct {
	Face  font.Face
	Text  string
	Level uint8 // grey of the letters
	Halo  bool  // whether the letters have a black rim, for text over an image
}

// Draw writes the caption. Its baseline begins at p.
func (c Caption) Draw(dst *image.Paletted, p image.Point) {
	const rim = 2 // pixels, the width of a stem of the letters
	bounds, _ := font.BoundString(c.Face, c.Text)
	area := image.Rect(bounds.Min.X.Floor(), bounds.Min.Y.Floor(), bounds.Max.X.Ceil(), bounds.Max.Y.Ceil()).Inset(-rim)
	mask := image.NewAlpha(area)
	d := font.Drawer{Dst: mask, Src: image.Opaque, Face: c.Face, Dot: fixed.P(0, 0)}
	d.DrawString(c.Text)
	if c.Halo {
		blend(dst, p, thicken(mask, rim), 0)
	}
	blend(dst, p, mask, c.Level)
}

// thicken returns the mask grown by r pixels in every direction.
func thicken(m *image.Alpha, r int) *image.Alpha {
	out := image.NewAlpha(m.Rect)
	for y := m.Rect.Min.Y; y < m.Rect.Max.Y; y++ {
		for x := m.Rect.Min.X; x < m.Rect.Max.X; x++ {
			a := m.AlphaAt(x, y).A
			if a == 0 {
				continue
			}
			for dy := -r; dy <= r; dy++ {
				for dx := -r; dx <= r; dx++ {
					if dx*dx+dy*dy > r*r+1 || !image.Pt(x+dx, y+dy).In(m.Rect) {
						continue
					}
					if i := out.PixOffset(x+dx, y+dy); out.Pix[i] < a {
						out.Pix[i] = a
					}
				}
			}
		}
	}
	return out
}

// blend mixes the grey level into dst with the weights of the mask, whose origin is at p. Colours of a
// palette cannot be mixed: a colour is replaced if the mask covers at least half of the pixel.
func blend(dst *image.Paletted, p image.Point, mask *image.Alpha, level uint8) {
	r := mask.Rect.Add(p).Intersect(dst.Rect)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			a := int(mask.AlphaAt(x-p.X, y-p.Y).A)
			i := dst.PixOffset(x, y)
			switch old := int(dst.Pix[i]); {
			case old < GreyLevels:
				dst.Pix[i] = uint8((old*(255-a) + int(level)*a + 127) / 255)
			case a >= 128:
				dst.Pix[i] = level
			}
		}
	}
}

// Fill fills a rectangle of the picture with a colour of its palette.
func Fill(img *image.Paletted, r image.Rectangle, index uint8) {
	r = r.Intersect(img.Rect)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := img.Pix[img.PixOffset(r.Min.X, y):][:r.Dx()]
		for x := range row {
			row[x] = index
		}
	}
}
