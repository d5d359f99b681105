// Package figure defines the look of all plots and writes them: typefaces, colours, the signs of arms,
// panels with axes, charts of arms, frames with a legend, and pictures as SVG, PNG and PDF.
//
// It does not depend on the content of plots. Lengths are in points of 1/72 inch (vg.Length), and y points
// up. The size of a Picture is in mm.
package figure

import (
	"image/color"

	"golang.org/x/image/font"
	"gonum.org/v1/plot"
	plotfont "gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Colours of all plots.
var (
	Ink  = color.Gray{0x22} // letters
	Axis = color.Gray{0x88}
	Grid = color.Gray{0xe4}
)

// The typefaces of figures are from Liberation, which gonum/plot includes. The letter I of Mono cannot be
// confused with a line.
var (
	Sans = plotfont.Font{Typeface: "Liberation", Variant: "Sans"}
	Mono = plotfont.Font{Typeface: "Liberation", Variant: "Mono"}
)

// Colours are by Okabe and Ito (Color Universal Design, 2008). Dichromats can distinguish them. Yellow is
// omitted, because it is too faint on white.
var Colours = [...]color.RGBA{
	{0x00, 0x72, 0xb2, 0xff}, // blue
	{0xd5, 0x5e, 0x00, 0xff}, // vermilion
	{0x00, 0x9e, 0x73, 0xff}, // bluish green
	{0xcc, 0x79, 0xa7, 0xff}, // reddish purple
	{0xe6, 0x9f, 0x00, 0xff}, // orange
	{0x56, 0xb4, 0xe9, 0xff}, // sky blue
	{0x33, 0x33, 0x33, 0xff}, // near black
}

// NewPlot returns an empty plot with a grid. The names of the axes have the given size in points, the title
// is one point larger, and the labels of ticks are one point smaller.
func NewPlot(size vg.Length) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil // canvases are white
	bold := Sans
	bold.Weight = font.WeightBold
	p.Title.TextStyle.Font = plotfont.From(bold, size+1)
	p.Title.TextStyle.Color = Ink
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Label.TextStyle.Font = plotfont.From(Sans, size)
		a.Label.TextStyle.Color = Ink
		a.Tick.Label.Font = plotfont.From(Sans, size-1)
		a.Tick.Label.Color = Ink
		a.LineStyle.Color, a.Tick.LineStyle.Color = Axis, Axis
		a.Padding = 0
	}
	p.Y.LineStyle.Width, p.Y.Tick.LineStyle.Width = 0, 0 // the grid replaces them
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = Grid, Grid
	p.Add(grid)
	return p
}

// Letters returns the style of text with the given size in points.
func Letters(size vg.Length) draw.TextStyle {
	// Each style has its own handler, so that no lock is needed.
	return draw.TextStyle{Color: Ink, Font: plotfont.From(Sans, size),
		Handler: text.Plain{Fonts: plotfont.DefaultCache}}
}

// Bold returns the style with bold letters.
func Bold(s draw.TextStyle) draw.TextStyle {
	s.Font.Weight = font.WeightBold
	return s
}

// Sign is the appearance of an arm. Two arms differ in colour (including its lightness), in mark and in
// dash. Any of the three is enough to distinguish them.
type Sign struct {
	Glyph
	Colour color.RGBA
	Dashes []vg.Length
}

// Glyph is the shape of a mark, full and hollow.
type Glyph struct{ Full, Hollow draw.GlyphDrawer }

// Glyphs are the shapes of marks.
var Glyphs = [...]Glyph{
	{draw.CircleGlyph{}, draw.RingGlyph{}},
	{draw.BoxGlyph{}, draw.SquareGlyph{}},
	{draw.PyramidGlyph{}, draw.TriangleGlyph{}},
	{diamond{full: true}, diamond{}},
	{pyramidDown{full: true}, pyramidDown{}},
	{cross{}, cross{}},
}

// SignOf returns the sign of an arm, where 0 is the reference. Signs repeat after 42 arms.
func SignOf(arm int) Sign {
	// Neighbours in this order differ clearly in grey level: 87, 162, 51, 151, 106, 158, 119 of 255 (luma
	// by ITU-R BT.601).
	order := [...]int{0, 4, 6, 3, 2, 5, 1}
	dashes := [...][]vg.Length{nil, {5, 2.5}, {1.5, 1.5}, {6, 2, 1.5, 2}, {9, 3}, {3, 1.5, 1, 1.5, 1, 1.5}}
	arm = max(arm, 0)
	return Sign{Colour: Colours[order[arm%len(order)]], Glyph: Glyphs[arm%len(Glyphs)],
		Dashes: dashes[arm%len(dashes)]}
}

// Mark returns the glyph of the sign with a radius in points.
func (s Sign) Mark(radius vg.Length, hollow bool) draw.GlyphStyle {
	g := draw.GlyphStyle{Color: s.Colour, Radius: radius, Shape: s.Full}
	if hollow {
		g.Shape = s.Hollow
	}
	return g
}

// Line returns a line style with the sign's colour and dashes.
func (s Sign) Line(width vg.Length) draw.LineStyle {
	return draw.LineStyle{Color: s.Colour, Width: width, Dashes: s.Dashes}
}

// Tint mixes a colour with white. A share of 0 is white, and 1 is the colour.
func Tint(c color.RGBA, share float64) color.RGBA {
	mix := func(v uint8) uint8 { return uint8(255 - share*float64(255-v) + 0.5) }
	return color.RGBA{mix(c.R), mix(c.G), mix(c.B), 0xff}
}

// diamond and pyramidDown are additions to the glyphs of vg, of which only three can be distinguished when
// small.
type diamond struct{ full bool }

// DrawGlyph implements draw.GlyphDrawer.
func (d diamond) DrawGlyph(c *draw.Canvas, sty draw.GlyphStyle, pt vg.Point) {
	r := sty.Radius * 1.25
	outline(c, sty, d.full, []vg.Point{{X: pt.X, Y: pt.Y + r}, {X: pt.X + r, Y: pt.Y}, {X: pt.X, Y: pt.Y - r},
		{X: pt.X - r, Y: pt.Y}})
}

type pyramidDown struct{ full bool }

// DrawGlyph implements draw.GlyphDrawer.
func (d pyramidDown) DrawGlyph(c *draw.Canvas, sty draw.GlyphStyle, pt vg.Point) {
	r := sty.Radius * 1.15
	outline(c, sty, d.full, []vg.Point{{X: pt.X, Y: pt.Y - r}, {X: pt.X + r, Y: pt.Y + 0.75*r},
		{X: pt.X - r, Y: pt.Y + 0.75*r}})
}

// cross is like that of vg, but the width of its lines is proportional to its size.
type cross struct{}

// DrawGlyph implements draw.GlyphDrawer.
func (cross) DrawGlyph(c *draw.Canvas, sty draw.GlyphStyle, pt vg.Point) {
	line, r := draw.LineStyle{Color: sty.Color, Width: 0.55 * sty.Radius}, sty.Radius
	c.StrokeLine2(line, pt.X-r, pt.Y-r, pt.X+r, pt.Y+r)
	c.StrokeLine2(line, pt.X-r, pt.Y+r, pt.X+r, pt.Y-r)
}

func outline(c *draw.Canvas, sty draw.GlyphStyle, full bool, corners []vg.Point) {
	var p vg.Path
	p.Move(corners[0])
	for _, corner := range corners[1:] {
		p.Line(corner)
	}
	p.Close()
	if full {
		c.SetColor(sty.Color)
		c.Fill(p)
		return
	}
	c.SetLineStyle(draw.LineStyle{Color: sty.Color, Width: vg.Points(0.5)})
	c.Stroke(p)
}
