package report

import (
	"image"
	"image/color"
)

// toPaletted returns the opaque picture with one byte per pixel, which makes
// the file a third as large and the figure in half the time, or the picture
// itself where it has too many colours. Only the shades at the edges of lines
// and letters move, by no more than 15 of 255.
func toPaletted(img image.Image) image.Image {
	rgba, ok := img.(*image.RGBA)
	if !ok {
		return img
	}
	for _, bits := range []uint{8, 5, 4} { // of each colour that are told apart
		if p := withPalette(rgba, bits); p != nil {
			return p
		}
	}
	return img
}

// withPalette returns nil where img has more than 256 colours that differ in
// the upper bits. Of the colours that do not, the first stands for all.
func withPalette(img *image.RGBA, bits uint) *image.Paletted {
	out := image.NewPaletted(img.Rect, nil)
	index := make(map[[3]uint8]uint8, 256)
	var last color.RGBA // zero is not opaque, so no pixel is equal to it
	var at uint8
	n := 0
	for y := img.Rect.Min.Y; y < img.Rect.Max.Y; y++ {
		row := img.Pix[img.PixOffset(img.Rect.Min.X, y):][:4*img.Rect.Dx()]
		for ; len(row) > 0; row = row[4:] {
			if c := (color.RGBA{row[0], row[1], row[2], 0xff}); c != last {
				key := [3]uint8{c.R >> (8 - bits), c.G >> (8 - bits), c.B >> (8 - bits)}
				known, ok := index[key]
				if !ok {
					if len(out.Palette) == 256 {
						return nil
					}
					known = uint8(len(out.Palette))
					index[key] = known
					out.Palette = append(out.Palette, c)
				}
				last, at = c, known
			}
			out.Pix[n] = at
			n++
		}
	}
	return out
}
