package report

import (
	"fmt"
	"image"
	"strconv"

	"golang.org/x/image/font"

	"github.com/t2map/t2map/figure"
)

// key explains a colour of a picture.
type key struct {
	text    string
	colours []uint8 // palette indices, from left to right; a remark has none
	frame   bool    // the colour is that of lines, not of areas
}

// keyRow is the keys of a picture in lines below its title.
type keyRow struct {
	em    int
	lines [][]placedKey
}

type placedKey struct {
	key
	x int
}

// A picture of many rows explains no more of them than stand in mostKeyLines lines.
const mostKeyLines = 4

// newKeyRow places keys in lines of that many pixels, in letters of em pixels.
func newKeyRow(keys []key, width, em int) keyRow {
	r := keyRow{em: em}
	face := r.face()
	left := em * 3 / 4
	x := left
	for n, k := range keys {
		k.text = figure.Shorten(k.text, func(s string) bool { return textWidth(face, s) <= width-r.swatch()-3*em })
		need := r.swatch() + textWidth(face, k.text)
		last := len(r.lines) == mostKeyLines
		rest := fmt.Sprintf("and %d more", len(keys)-n)
		reserve := 0
		if last && n < len(keys)-1 {
			reserve = textWidth(face, rest) + 2*em
		}
		if len(r.lines) == 0 || x > left && x+need+reserve > width-left {
			if last {
				r.put(placedKey{key: key{text: rest}, x: x})
				return r
			}
			r.lines = append(r.lines, nil)
			x = left
		}
		r.put(placedKey{key: k, x: x})
		x += need + em*5/4
	}
	return r
}

func (r *keyRow) put(k placedKey) {
	n := len(r.lines) - 1
	r.lines[n] = append(r.lines[n], k)
}

func (r keyRow) face() font.Face { return typeface(figure.Sans, r.em, font.WeightNormal) }

// swatch is the width of a colour with the space behind it.
func (r keyRow) swatch() int { return r.em * 7 / 4 }

func (r keyRow) pitch() int { return r.em * 3 / 2 }

func (r keyRow) height() int { return len(r.lines) * r.pitch() }

// draw writes the keys from the row of pixels top on.
func (r keyRow) draw(img *image.Paletted, top int) {
	face := r.face()
	for n, line := range r.lines {
		base := top + n*r.pitch() + r.em
		for _, k := range line {
			x := k.x
			area := image.Rect(x, base-r.em*8/10, x+r.em*5/4, base+r.em/10)
			for i, c := range k.colours {
				part := area
				part.Min.X += i * area.Dx() / len(k.colours)
				fill(img, part, c)
				if k.frame {
					fill(img, area.Inset(max(2, r.em/8)), 0)
				}
			}
			if k.colours != nil {
				x += r.swatch()
			}
			caption{face: face, text: k.text, level: greyBright}.draw(img, image.Pt(x, base))
		}
	}
}

// rowKeys explains the outlines of the rows that have voxels.
func (s scene) rowKeys() []key {
	var keys []key
	colours := lineColoursOf(s.regions.Names)
	for n, name := range s.regions.Names {
		if n < len(s.present) && s.present[n] {
			if name == "" {
				name = strconv.Itoa(n + 1)
			}
			keys = append(keys, key{text: name, colours: []uint8{uint8(firstLine + colours[n])}, frame: true})
		}
	}
	return keys
}
