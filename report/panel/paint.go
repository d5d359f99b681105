package panel

import (
	"image"
	"image/color"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/printable"
)

// dots are lengths in pixels of the picture's PNG. The corners of tiles are at whole dots.
type dots int

func (d dots) length() vg.Length { return vg.Length(d) * figure.Dot }

func (d dots) mm() float64 { return float64(d.length()) * 25.4 / 72 }

func inDots(mm float64) dots { return dots(math.Round(float64(figure.MM(mm) / figure.Dot))) }

// The sizes of a panel in mm.
const (
	panelTileMM   = 58.  // largest width of a tile, about the size of a joint
	panelLeastMM  = 20.  // smallest width of a tile
	panelPageMM   = 255. // height of a page, which is exceeded only if tiles would be too small
	panelMostMM   = 590. // largest height of a picture; see figure.Picture.Render
	panelWidthMM  = 95.  // smallest width of a picture, for the scale
	panelSmallMM  = 35.  // tiles that are narrower have no room for letters on all edges
	panelTitleMM  = 5.
	panelLabelMM  = 4.5
	panelPlaceMM  = 4.8  // the position of a slice, below each tile
	panelLineMM   = 3.2  // a line of notes
	panelGapMM    = 2.54 // 30 dots
	panelLegendMM = 11.
)

// layout holds sizes and distances in dots.
type layout struct {
	tile          image.Point
	rows          int
	width, height dots
	gap, below    dots
}

// newLayout returns a layout of tiles with the shape of window (mm across and down). They are as large as
// the width and the height of a page allow.
func newLayout(window [2]float64, rows, visits int) layout {
	gaps := panelGapMM * float64(visits-1)
	wide := min(panelTileMM, max(panelLeastMM, (figure.PictureWidth-gaps)/float64(visits)))
	shape := window[1] / window[0]
	words := panelLabelMM + panelPlaceMM + panelLineMM + panelGapMM
	high := func(picture float64) float64 {
		return (picture-panelTitleMM-panelLegendMM)/float64(rows) - words
	}
	wide = max(min(wide, high(panelPageMM)/shape), min(wide, panelLeastMM))
	wide = min(wide, high(panelMostMM)/shape)
	l := layout{rows: rows, gap: inDots(panelGapMM)}
	l.tile = image.Pt(max(1, int(figure.MM(wide)/figure.Dot)), max(1, int(inDots(wide*shape))))
	l.width = max(dots(visits*l.tile.X+(visits-1)*int(l.gap)), inDots(panelWidthMM))
	l.setLines(1)
	return l
}

// setLines reserves space for n lines of notes below each tile, or for as many as the largest height of a
// picture allows.
func (l *layout) setLines(n int) {
	for ; n >= 0; n-- {
		l.below = inDots(panelPlaceMM + float64(n)*panelLineMM)
		l.height = inDots(panelTitleMM) + inDots(panelLegendMM) + dots(l.rows)*l.pitch()
		if l.height.mm() <= panelMostMM {
			return
		}
	}
}

// panelLines is the largest number of lines of notes below a tile. The flags hold all notes.
const panelLines = 3

// notes breaks the flags and then the notes of a tile into lines.
func (l layout) notes(flags, notes []string) []string {
	return figure.Wrap(noteLetters(), strings.Join(slices.Concat(flags, notes), "; "), dots(l.tile.X).length(), panelLines)
}

// The smallest letters; see figure.PictureWidth.
func mapLetters() draw.TextStyle { return figure.Letters(7.5) }

func noteLetters() draw.TextStyle { return figure.Bold(mapLetters()) }

// lines returns the largest number of lines of notes of a tile.
func (p *panel) lines() int {
	most := 0
	p.tiles.each(func(_, _ int, t *tileView) {
		if t.missing == "" {
			most = max(most, len(p.notes(t.flags, t.notes)))
		}
	})
	return most
}

// small reports whether tiles are too small for letters on all edges.
func (l layout) small() bool { return dots(l.tile.X).mm() < panelSmallMM }

// pitch is the distance between rows.
func (l layout) pitch() dots {
	return inDots(panelLabelMM) + dots(l.tile.Y) + l.below + l.gap
}

// corner returns the bottom left corner of a tile.
func (l layout) corner(row, visit int) vg.Point {
	down := inDots(panelTitleMM) + dots(row)*l.pitch() + inDots(panelLabelMM) + dots(l.tile.Y)
	return vg.Point{X: dots(visit * (l.tile.X + int(l.gap))).length(), Y: (l.height - down).length()}
}

// paint draws the panel.
func (p *panel) paint(c draw.Canvas) {
	p.paintTitles(c, p.titles)
	each := p.layout.rows / len(p.rows) // rows of tiles of a subject
	for r, row := range p.rows {
		p.paintLabel(c, each*r, row.Label, p.side(r))
		if each > 1 {
			p.paintLabel(c, each*r+1, "change of T2", "")
		}
	}
	p.tiles.each(func(r, v int, t *tileView) {
		p.paintTile(c, p.corner(each*r, v), t, v == 0)
		if t.change != nil {
			p.paintChange(c, p.corner(each*r+1, v), t)
		}
	})
	p.paintScale(c)
}

// paintChange draws a tile of changes and the number of voxels.
func (p *panel) paintChange(c draw.Canvas, corner vg.Point, t *tileView) {
	area := p.area(corner)
	if t.change.missing != "" {
		p.paintMissing(c, area, t.change.missing)
		return
	}
	c.DrawImage(area, t.change.picture(t.picture, p.change))
	p.paintBelow(c, corner, [2]string{counted(t.change.voxels, "voxel")}, nil)
}

// paintTitles writes the titles of the visits above the columns.
func (l layout) paintTitles(c draw.Canvas, titles []string) {
	bold := figure.Bold(figure.Letters(8))
	width := dots(l.tile.X).length()
	for v, title := range titles {
		centre := vg.Point{X: l.corner(0, v).X + width/2, Y: l.height.length() - 8}
		figure.Write(c, figure.Align(bold, figure.Center, figure.Base), centre, figure.Fit(bold, title, width))
	}
}

// paintLabel writes the name of a row and the side of its knee above its first tile.
func (l layout) paintLabel(c draw.Canvas, row int, name, side string) {
	bold := figure.Bold(figure.Letters(8))
	corner := l.corner(row, 0)
	corner.Y += dots(l.tile.Y).length() + 3
	label := printable.Join(" · ", strings.TrimSpace(name), side)
	if bold.Width(label) > l.width.length() { // cut the name, not the side
		label = printable.Join(" · ", figure.Fit(bold, name, l.width.length()-bold.Width(" · "+side)), side)
	}
	figure.Write(c, bold, corner, label)
}

// area returns the area of a tile, given its bottom left corner.
func (l layout) area(corner vg.Point) vg.Rectangle {
	return vg.Rectangle{Min: corner, Max: corner.Add(vg.Point{X: dots(l.tile.X).length(), Y: dots(l.tile.Y).length()})}
}

// paintMissing draws an empty tile with the reason.
func (l layout) paintMissing(c draw.Canvas, area vg.Rectangle, text string) {
	c.SetColor(color.Gray{0xf0})
	c.Fill(area.Path())
	size := area.Size()
	words := mapLetters()
	lines := figure.Wrap(words, text, size.X-8, max(1, int(size.Y/10)))
	for n, line := range lines {
		y := area.Min.Y + size.Y/2 + vg.Length(float64(len(lines))/2-float64(n)-0.5)*9
		figure.Write(c, figure.Align(words, figure.Center, figure.Middle), vg.Point{X: area.Min.X + size.X/2, Y: y}, line)
	}
}

// paintBelow writes two texts and the notes below the corner of a tile. If there is no room for both
// texts, it writes only the first.
func (l layout) paintBelow(c draw.Canvas, corner vg.Point, texts [2]string, notes []string) {
	small := mapLetters()
	width := dots(l.tile.X).length()
	text := printable.Join(", ", texts[:]...)
	if small.Width(text) > width {
		text = texts[0]
	}
	figure.Write(c, figure.Align(small, figure.Left, figure.Below),
		vg.Point{X: corner.X, Y: corner.Y - 2.5}, figure.Fit(small, text, width))
	for n, line := range notes {
		if y := 10.5 + figure.MM(panelLineMM)*vg.Length(n); y < l.below.length() {
			figure.Write(c, figure.Align(noteLetters(), figure.Left, figure.Below), vg.Point{X: corner.X, Y: corner.Y - y}, line)
		}
	}
}

// paintTile draws a tile and the texts below it. If tiles are small, only the first of a row has letters.
func (p *panel) paintTile(c draw.Canvas, corner vg.Point, t *tileView, first bool) {
	area := p.area(corner)
	if t.missing != "" {
		p.paintMissing(c, area, t.missing)
		return
	}
	c.DrawImage(area, t.picture.Paletted)
	if !p.small() || first {
		p.paintDirections(c, area, t.picture.edges)
	}
	p.paintRuler(c, area, !p.small() || first)
	p.paintBelow(c, corner, t.place, p.notes(t.flags, t.notes))
}

// paintDirections writes the patient's directions at the edges of a tile.
func (p *panel) paintDirections(c draw.Canvas, area vg.Rectangle, edges [4]string) {
	const inset = 6
	middle := area.Min.Add(area.Size().Scale(0.5))
	for n, place := range []vg.Point{
		{X: area.Min.X + inset, Y: middle.Y}, {X: area.Max.X - inset, Y: middle.Y},
		{X: middle.X, Y: area.Max.Y - inset}, {X: middle.X, Y: area.Min.Y + inset},
	} {
		if !p.small() || n%2 == 0 { // left and top are enough
			paintOnDark(c, place, edges[n])
		}
	}
}

// paintOnDark writes white letters on a dark background, legible over any image.
func paintOnDark(c draw.Canvas, centre vg.Point, text string) {
	style := mapLetters()
	style.Color = color.White
	half := vg.Point{X: style.Width(text)/2 + 1.5, Y: 4}
	c.SetColor(color.NRGBA{A: 0x90})
	c.Fill(vg.Rectangle{Min: centre.Sub(half), Max: centre.Add(half)}.Path())
	figure.Write(c, figure.Align(style, figure.Center, figure.Middle), centre, text)
}

// paintRuler draws a bar of 20 mm at the bottom right of a tile, or of 5 mm if 20 mm are more than half of
// the tile. With letters, it writes the length.
func (p *panel) paintRuler(c draw.Canvas, area vg.Rectangle, letters bool) {
	mm := 20.
	if p.window[0] < 2*mm {
		mm = 5
	}
	length := area.Size().X * vg.Length(mm/p.window[0])
	right, y := area.Max.X-4, area.Min.Y+4
	style := mapLetters()
	style.Color = color.White
	text := strconv.FormatFloat(mm, 'f', -1, 64) + " mm"
	wide, high := max(length, style.Width(text)), vg.Length(9)
	if !letters {
		wide, high = length, 2
	}
	c.SetColor(color.NRGBA{A: 0x90})
	c.Fill(vg.Rectangle{Min: vg.Point{X: right - wide - 2, Y: y - 2}, Max: vg.Point{X: right + 2, Y: y + high}}.Path())
	c.StrokeLine2(draw.LineStyle{Color: color.White, Width: 1.2}, right-length, y, right, y)
	if letters {
		figure.Write(c, figure.Align(style, figure.Right, figure.Base), vg.Point{X: right, Y: y + 2.2}, text)
	}
}

// paintScale draws the colours of T2 with ticks in ms and the colour of excluded voxels at the bottom.
func (p *panel) paintScale(c draw.Canvas) {
	words := mapLetters()
	bar := paintBar(c, 0, figure.MM(33), p.bar())
	flat := vg.Rectangle{Min: vg.Point{X: bar.Max.X + 18, Y: bar.Min.Y}, Max: vg.Point{X: bar.Max.X + 28, Y: bar.Max.Y}}
	c.SetColor(figure.ExcludedColour)
	c.Fill(flat.Path())
	figure.Write(c, figure.Align(words, figure.Left, figure.Middle),
		vg.Point{X: flat.Max.X + 4, Y: (bar.Min.Y + bar.Max.Y) / 2}, "excluded")
	if p.hasChanges() {
		paintBar(c, flat.Max.X+48, figure.MM(28), changeBar(p.change, -1, 0, 1))
	}
}

// scaleBar is a scale of colours with its name and the labels of its ticks, which are at equal distances.
type scaleBar struct {
	name    string
	colours []color.Color
	ticks   []string
}

func t2Bar() scaleBar {
	b := scaleBar{name: "T2 (ms)", colours: figure.MapPalette[figure.FirstT2 : figure.FirstT2+figure.T2Levels]}
	for ms := 0; ms <= figure.ScaleMaxMS; ms += figure.ScaleTickMS {
		b.ticks = append(b.ticks, strconv.Itoa(ms))
	}
	b.ticks[len(b.ticks)-1] = "≥" + b.ticks[len(b.ticks)-1]
	return b
}

// paintBar draws a scale at the bottom, with its name beginning at left, and returns the area of its
// colours, which has the given length.
func paintBar(c draw.Canvas, left, length vg.Length, b scaleBar) vg.Rectangle {
	words := mapLetters()
	bar := vg.Rectangle{Min: vg.Point{X: left + words.Width(b.name) + 7, Y: 13}}
	bar.Max = vg.Point{X: bar.Min.X + length, Y: bar.Min.Y + 8}
	figure.Write(c, figure.Align(words, figure.Left, figure.Middle),
		vg.Point{X: left, Y: (bar.Min.Y + bar.Max.Y) / 2}, b.name)
	for n, colour := range b.colours {
		// Each colour is drawn up to the end and the next one over it, so that no gap is visible.
		rest := bar
		rest.Min.X += bar.Size().X * vg.Length(n) / vg.Length(len(b.colours))
		c.SetColor(colour)
		c.Fill(rest.Path())
	}
	for n, text := range b.ticks {
		x := bar.Min.X + bar.Size().X*vg.Length(n)/vg.Length(len(b.ticks)-1)
		c.StrokeLine2(figure.Thin(figure.Axis), x, bar.Min.Y, x, bar.Min.Y-2.5)
		figure.Write(c, figure.Align(words, figure.Center, figure.Below), vg.Point{X: x, Y: bar.Min.Y - 4}, text)
	}
	return bar
}
