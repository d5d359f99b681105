package figure

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"image"
	"image/color"
	"maps"
	"slices"
)

// Paletted returns the opaque picture with one byte per pixel. The file of a plot is then a third as large
// and is written faster.
//
// The 256 most frequent colours, such as those of paper, ink, grid and lines, are unchanged. Any other
// colour, a shade at the edge of a line or letter, becomes the nearest of these.
func Paletted(img *image.RGBA) *image.Paletted { return reduce(img, nil) }

// reduce is Paletted with indices in memory, if that is large enough.
func reduce(img *image.RGBA, memory []uint8) *image.Paletted {
	const limit = 256
	counts := map[color.RGBA]int{}
	bands := bandsOf(img)
	for _, b := range bands {
		b.eachRun(img, func(c color.RGBA, _, pixels int) { counts[c] += pixels * b.rows })
	}
	byCount := slices.SortedFunc(maps.Keys(counts), func(a, b color.RGBA) int {
		return cmp.Or(counts[b]-counts[a], cmp.Compare(packed(a), packed(b)))
	})
	width, n := img.Rect.Dx(), img.Rect.Dx()*img.Rect.Dy()
	paletted := &image.Paletted{Pix: slices.Grow(memory[:0], n)[:n], Stride: width, Rect: img.Rect}
	index := make(map[color.RGBA]uint8, len(byCount))
	kept := byCount[:min(len(byCount), limit)]
	for n, c := range kept {
		index[c] = uint8(n)
		paletted.Palette = append(paletted.Palette, c)
	}
	for _, c := range byCount[len(kept):] {
		index[c] = nearest(c, kept)
	}
	for _, b := range bands {
		rows := paletted.Pix[b.first*paletted.Stride:][:b.rows*paletted.Stride]
		b.eachRun(img, func(c color.RGBA, first, pixels int) {
			entry := index[c]
			run := rows[first:][:pixels]
			for i := range run {
				run[i] = entry
			}
		})
		for n := 1; n < b.rows; n++ {
			copy(rows[n*paletted.Stride:], rows[:paletted.Stride])
		}
	}
	return paletted
}

// band is consecutive equal rows of a picture. Most rows of a plot are like the row above.
type band struct{ first, rows int }

func bandsOf(img *image.RGBA) []band {
	var bands []band
	row := func(y int) []byte { return img.Pix[y*img.Stride:][:4*img.Rect.Dx()] }
	for y := range img.Rect.Dy() {
		if y > 0 && bytes.Equal(row(y), row(y-1)) {
			bands[len(bands)-1].rows++
		} else {
			bands = append(bands, band{first: y, rows: 1})
		}
	}
	return bands
}

// eachRun calls f for each run of one colour in a row of the band, with its first pixel and its number of pixels.
func (b band) eachRun(img *image.RGBA, f func(c color.RGBA, start, pixels int)) {
	width := img.Rect.Dx()
	row := img.Pix[b.first*img.Stride:][:4*width]
	for start := 0; start < width; {
		end := start + sameAsFirst(row[4*start:])
		f(color.RGBA{row[4*start], row[4*start+1], row[4*start+2], 0xff}, start, end-start)
		start = end
	}
}

// sameAsFirst returns the length of the run of equal pixels at the start of the row. It compares two pixels
// at a time, since most of a plot is paper.
func sameAsFirst(row []byte) int {
	first := binary.LittleEndian.Uint32(row)
	pair := uint64(first)<<32 | uint64(first)
	n, rest := 1, row[4:]
	for len(rest) >= 8 && binary.LittleEndian.Uint64(rest) == pair {
		n, rest = n+2, rest[8:]
	}
	if len(rest) >= 4 && binary.LittleEndian.Uint32(rest) == first {
		n++
	}
	return n
}

// nearest returns the index of the colour of p with the smallest sum of squared differences from c.
func nearest(c color.RGBA, p []color.RGBA) uint8 {
	best, least := 0, 3*255*255+1
	for n, q := range p {
		r, g, b := int(c.R)-int(q.R), int(c.G)-int(q.G), int(c.B)-int(q.B)
		if distance := r*r + g*g + b*b; distance < least {
			best, least = n, distance
		}
	}
	return uint8(best)
}

func packed(c color.RGBA) uint32 { return uint32(c.R)<<16 | uint32(c.G)<<8 | uint32(c.B) }
