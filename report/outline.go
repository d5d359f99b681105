package report

import (
	"image"
	"image/color"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/segment"
)

// lineColours are the colours of outlines: of the medial, the lateral and the patellofemoral
// compartment, and muted colours of other rows, such as menisci. None is grey, a colour of plasma or
// the colour of excluded voxels. Dichromats can distinguish the first three: blue, a light colour and
// a dark colour (a test measures this).
var lineColours = [...]color.RGBA{
	{0x40, 0xa0, 0xff, 0xff}, // azure
	{0xbe, 0xff, 0x00, 0xff}, // lime
	{0xe6, 0x00, 0x00, 0xff}, // red
	{0x78, 0x9b, 0xc8, 0xff},
	{0x9b, 0xb4, 0x6e, 0xff},
	{0xc3, 0x7d, 0x73, 0xff},
	{0xd7, 0xcd, 0xa5, 0xff},
}

// strongLines is how many of lineColours are not muted.
const strongLines = 3

// lineColoursOf returns for each name of a row its index in lineColours. A row has the colour of its
// side, so that medial has the same colour in every study and scheme. If that colour is in use, or the
// row has no side, it takes the next muted colour.
func lineColoursOf(names []string) []int {
	colours := make([]int, len(names))
	var used [len(lineColours)]bool
	muted := strongLines
	for n, name := range names {
		c := lineColourOf(name)
		if c < 0 || used[c] {
			c = muted
			for range lineColours[strongLines:] { // the next unused colour, if there is one
				if !used[c] {
					break
				}
				c = nextMuted(c)
			}
			muted = nextMuted(c)
		}
		colours[n], used[c] = c, true
	}
	return colours
}

func nextMuted(c int) int {
	if c++; c == len(lineColours) {
		return strongLines
	}
	return c
}

// lineColourOf returns the colour for the side in a row's name, or -1.
func lineColourOf(name string) int {
	muted := 0
	if strings.HasSuffix(name, "-meniscus") {
		muted = strongLines
	}
	switch {
	case strings.HasPrefix(name, segment.Medial):
		return muted
	case strings.HasPrefix(name, segment.Lateral):
		return muted + 1
	case strings.HasPrefix(name, "patell"), strings.HasPrefix(name, "trochlea"):
		return muted + 2
	}
	return -1
}

// SideColour returns the colour of the outlines of a row, if it is that of its side: medial, lateral or patellofemoral.
func SideColour(name string) (color.RGBA, bool) {
	c := lineColourOf(name)
	if c < 0 {
		return color.RGBA{}, false
	}
	return lineColours[c], true
}

// palette is the palette of the pictures of a study: figure.MapPalette and lineColours.
var palette = func() color.Palette {
	p := slices.Clone(figure.MapPalette)
	for _, c := range lineColours {
		p = append(p, c)
	}
	return p
}()

// firstLine is the index of the first of lineColours in palette.
const firstLine = figure.ExcludedT2 + 1

// rowKeys returns a key for the outline of each row that has voxels.
func (s scene) rowKeys() []figure.Key {
	var keys []figure.Key
	colours := lineColoursOf(s.regions.Names)
	for n, name := range s.regions.Names {
		if n < len(s.present) && s.present[n] {
			if name == "" {
				name = strconv.Itoa(n + 1)
			}
			keys = append(keys, figure.Key{Text: name, Colours: []uint8{uint8(firstLine + colours[n])}, Frame: true})
		}
	}
	return keys
}

// outliner draws the outlines of rows on tiles. The lines are outside the voxels of the row, so that
// they hide no T2. A black line separates two rows that touch, if voxels are larger than a pixel.
type outliner struct {
	view
	width  int     // of a line, in pixels
	parted bool    // whether there is room for a line between rows
	colour []uint8 // palette index by row, counted from 1
	row    []uint16
}

func newOutliner(v view, names []string) *outliner {
	perVoxel := math.Min(float64(v.size.X)/float64(v.crop.Dx()), float64(v.size.Y)/float64(v.crop.Dy()))
	o := &outliner{
		view: v, width: max(1, int(math.Round(perVoxel/2))), parted: perVoxel >= 2, row: make([]uint16, v.size.X*v.size.Y),
	}
	o.colour = append(o.colour, 0)
	for _, c := range lineColoursOf(names) {
		o.colour = append(o.colour, uint8(firstLine+c))
	}
	return o
}

// draw draws the outlines of a slice, given the row of each voxel, on the tile with its top left pixel
// at corner.
func (o *outliner) draw(dst *image.Paletted, corner image.Point, rows []uint16, nx int) {
	w, h := o.size.X, o.size.Y
	clear(o.row)
	for y, j := range o.y.near {
		inRow := rows[o.crop.Min.X+nx*(o.crop.Min.Y+j):][:o.crop.Dx()]
		row := o.row[y*w:][:w]
		for x, i := range o.x.near {
			if r := inRow[i]; r != 0 {
				row[x] = r
			}
		}
	}
	for y := range h {
		for x, r := range o.row[y*w:][:w] {
			if r == 0 {
				continue
			}
			if o.parted && o.divides(x, y, r) {
				dst.Pix[dst.PixOffset(corner.X+x, corner.Y+y)] = 0
			}
			if o.atEdge(x, y) {
				o.surround(dst, corner, x, y, o.colour[r])
			}
		}
	}
}

// divides reports whether the pixel to the left or above is in another row.
func (o *outliner) divides(x, y int, r uint16) bool {
	other := func(x, y int) bool {
		if x < 0 || y < 0 {
			return false
		}
		q := o.row[y*o.size.X+x]
		return q != 0 && q != r
	}
	return other(x-1, y) || other(x, y-1)
}

// atEdge reports whether one of the eight neighbours of a pixel is not in any row.
func (o *outliner) atEdge(x, y int) bool {
	w, h := o.size.X, o.size.Y
	if x == 0 || y == 0 || x == w-1 || y == h-1 {
		return true
	}
	n := y*w + x
	for _, d := range [...]int{-w - 1, -w, -w + 1, -1, 1, w - 1, w, w + 1} {
		if o.row[n+d] == 0 {
			return true
		}
	}
	return false
}

// surround colours the pixels around a pixel of the mask that are not in any row.
func (o *outliner) surround(dst *image.Paletted, corner image.Point, x, y int, colour uint8) {
	w, h := o.size.X, o.size.Y
	for v := max(0, y-o.width); v <= min(h-1, y+o.width); v++ {
		for u := max(0, x-o.width); u <= min(w-1, x+o.width); u++ {
			if o.row[v*w+u] == 0 {
				dst.Pix[dst.PixOffset(corner.X+u, corner.Y+v)] = colour
			}
		}
	}
}
