package figure

import (
	"fmt"
	"image"

	"golang.org/x/image/font"
)

// Key explains a colour of a picture.
type Key struct {
	Text    string
	Colours []uint8 // palette indices, from left to right; nil for a remark
	Frame   bool    // whether the colour is that of lines, not of areas
}

// KeyRow places the keys of a picture in lines below its title.
type KeyRow struct {
	em    int
	lines [][]placedKey
}

type placedKey struct {
	Key
	x int
}

// mostKeyLines is the largest number of lines. The last line states the number of keys that do not fit.
const mostKeyLines = 4

// NewKeyRow places keys in lines of the given width in pixels, in letters of em pixels.
func NewKeyRow(keys []Key, width, em int) KeyRow {
	r := KeyRow{em: em}
	face := r.face()
	left := em * 3 / 4
	x := left
	for n, k := range keys {
		k.Text = Shorten(k.Text, func(s string) bool { return TextWidth(face, s) <= width-r.swatch()-3*em })
		need := r.swatch() + TextWidth(face, k.Text)
		last := len(r.lines) == mostKeyLines
		rest := fmt.Sprintf("and %d more", len(keys)-n)
		reserve := 0
		if last && n < len(keys)-1 {
			reserve = TextWidth(face, rest) + 2*em
		}
		if len(r.lines) == 0 || x > left && x+need+reserve > width-left {
			if last {
				r.put(placedKey{Key: Key{Text: rest}, x: x})
				return r
			}
			r.lines = append(r.lines, nil)
			x = left
		}
		r.put(placedKey{Key: k, x: x})
		x += need + em*5/4
	}
	return r
}

func (r *KeyRow) put(k placedKey) {
	n := len(r.lines) - 1
	r.lines[n] = append(r.lines[n], k)
}

func (r KeyRow) face() font.Face { return Typeface(Sans, r.em, font.WeightNormal) }

// swatch is the width of a colour and the space after it.
func (r KeyRow) swatch() int { return r.em * 7 / 4 }

func (r KeyRow) pitch() int { return r.em * 3 / 2 }

// Height returns the height of the lines in pixels.
func (r KeyRow) Height() int { return len(r.lines) * r.pitch() }

// Draw writes the keys below the row of pixels top.
func (r KeyRow) Draw(img *image.Paletted, top int) {
	face := r.face()
	for n, line := range r.lines {
		base := top + n*r.pitch() + r.em
		for _, k := range line {
			x := k.x
			area := image.Rect(x, base-r.em*8/10, x+r.em*5/4, base+r.em/10)
			for i, c := range k.Colours {
				part := area
				part.Min.X += i * area.Dx() / len(k.Colours)
				Fill(img, part, c)
				if k.Frame {
					Fill(img, area.Inset(max(2, r.em/8)), 0)
				}
			}
			if k.Colours != nil {
				x += r.swatch()
			}
			Caption{Face: face, Text: k.Text, Level: GreyBright}.Draw(img, image.Pt(x, base))
		}
	}
}
