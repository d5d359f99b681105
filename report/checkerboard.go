package report

import (
	"fmt"
	"image"
	"io"
	"math"

	"golang.org/x/image/font"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/volume"
)

// Aligned is a registered image, resampled on the grid of Study.Echo: Before at the position in its
// header, and After as aligned. Voxels outside the image are NaN.
type Aligned struct{ Before, After volume.Map }

// The squares, margin and slices of checkerboard.png.
const (
	checkMM       = 10 // side of a square: a condyle spans several
	checkMarginMM = 30 // around the mask, to show the edges of the bones
	checkSlices   = 3
)

// checks is the sheet of checkerboard.png: pairs of tiles, before and after registration.
type checks struct {
	sheet
	slices []int
}

func newChecks(s scene) checks {
	c := checks{slices: spread(s.mask.Slices, checkSlices)}
	crop := s.crop(s.mask.Box, checkMarginMM)
	sp := s.echo.Spacing()
	mm2 := float64(crop.Dx()) * sp[0] * float64(crop.Dy()) * sp[1] * float64(2*len(c.slices))
	scale := min(math.Sqrt(overlayPixels/mm2), maxEnlarge/min(sp[0], sp[1]))
	v := newView(crop, scale*sp[0], scale*sp[1])
	c.sheet = sheet{
		view: v, label: min(max(min(v.size.X, v.size.Y)/20, 12), 22), lead: v.size.X + pairGap, cols: len(c.slices),
	}
	if c.place()*c.cols > 2*v.size.Y*2 { // pairs of wide slices are placed one below the other
		c.cols = 1
	}
	c.sheet = c.arrange(len(c.slices), nil)
	return c
}

// spread returns n of the slices at even distances, including the middle one.
func spread(slices []int, n int) []int {
	if len(slices) <= n {
		return slices
	}
	var chosen []int
	for i := range n {
		chosen = append(chosen, slices[(2*i+1)*len(slices)/(2*n)])
	}
	return chosen
}

// writeCheckerboard writes checkerboard.png: three slices in which squares of the first echo and of the
// registered image alternate. On the left the images are where their headers place them, on the right
// they are aligned. Edges that continue from square to square show that the images agree. Each image
// has its own grey levels.
func writeCheckerboard(w io.Writer, s scene, a Aligned, r Result) error {
	c := newChecks(s)
	img := image.NewPaletted(image.Rectangle{Max: c.size}, figure.GreyPalette())
	figure.Fill(img, image.Rect(0, 0, c.size.X, c.header), figure.GreyPanel)
	text := words{
		title: printable.Join(" · ", title(r), "registration"), subtitle: fmt.Sprintf("squares of %d mm", checkMM),
	}
	if g := r.Registration; g != nil {
		text.subtitle = printable.Join("; ", g.sourceName(r.Mask.SourceVisit)+" aligned with the first echo", g.summary(),
			text.subtitle)
	}
	drawWords(img, c.sheet, text, c.size.X-2*c.textSize(c.size.X))
	for n, moving := range []volume.Map{a.Before, a.After} {
		m := s
		m.echo = volume.Map{Geometry: s.echo.Geometry, Data: moving.Data}
		m.window = m.whiteLevel()
		for t, k := range c.slices {
			corner := c.corner(t)
			if n == 0 {
				corner.X -= c.lead
			}
			c.drawSquares(img, corner, s, m, k)
		}
	}
	c.drawLabels(img, s.echo.Geometry)
	return figure.EncodePNG(w, img)
}

// drawSquares draws a slice of both images with the top left pixel at corner. The first square is of the
// fixed image.
func (c checks) drawSquares(img *image.Paletted, corner image.Point, fixed, moving scene, k int) {
	v := c.view
	v.drawGrey(img, corner, volume.Slice(fixed.echo.Geometry, fixed.echo.Data, k), fixed)
	other := image.NewPaletted(image.Rectangle{Max: v.size}, img.Palette)
	v.drawGrey(other, image.Point{}, volume.Slice(moving.echo.Geometry, moving.echo.Data, k), moving)
	side := max(1, int(math.Round(checkMM*float64(v.size.X)/(float64(v.crop.Dx())*fixed.echo.Spacing()[0]))))
	for y := range v.size.Y {
		row, otherRow := img.Pix[img.PixOffset(corner.X, corner.Y+y):][:v.size.X], other.Pix[y*other.Stride:][:v.size.X]
		for x := side * (1 - y/side%2); x < v.size.X; x += 2 * side {
			copy(row[x:min(x+side, v.size.X)], otherRow[x:])
		}
	}
}

// drawLabels writes slice numbers, directions, and "before" or "after".
func (c checks) drawLabels(img *image.Paletted, g volume.Geometry) {
	labels := newTileLabels(g, c.view.size, c.label)
	face := figure.Typeface(figure.Sans, c.label, font.WeightBold)
	for t, k := range c.slices {
		for n, word := range []string{"before", "after"} {
			corner := c.corner(t)
			if n == 0 {
				corner.X -= c.lead
			}
			labels.draw(img, corner, k)
			x := c.view.size.X - figure.TextWidth(face, word) - c.label/2
			caption := figure.Caption{Face: face, Text: word, Level: figure.GreyWhite, Halo: true}
			caption.Draw(img, corner.Add(image.Pt(x, c.label*13/10)))
		}
	}
}

// check returns an error if the images are not on the grid.
func (a Aligned) check(g volume.Geometry) error {
	for _, m := range []volume.Map{a.Before, a.After} {
		if m.Size != g.Size || len(m.Data) != g.Voxels() {
			return fmt.Errorf("aligned image: got %d voxels of %v, want the grid %v of the echo image",
				len(m.Data), m.Size, g.Size)
		}
	}
	return nil
}
