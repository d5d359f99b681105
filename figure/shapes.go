package figure

import (
	"image/color"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// FillRect fills a rectangle.
func FillRect(c draw.Canvas, ink color.Color, r vg.Rectangle) {
	c.FillPolygon(ink, []vg.Point{r.Min, {X: r.Max.X, Y: r.Min.Y}, r.Max, {X: r.Min.X, Y: r.Max.Y}})
}

// StrokeRect draws the outline of a rectangle.
func StrokeRect(c draw.Canvas, style draw.LineStyle, r vg.Rectangle) {
	c.StrokeLines(style, []vg.Point{r.Min, {X: r.Max.X, Y: r.Min.Y}, r.Max, {X: r.Min.X, Y: r.Max.Y}, r.Min})
}

// Arrow draws an arrow to its tip, to the right or downwards.
func Arrow(c draw.Canvas, line draw.LineStyle, start, tip vg.Point) {
	c.StrokeLine2(line, start.X, start.Y, tip.X, tip.Y)
	outward := vg.Point{Y: -2}
	if tip.Y == start.Y {
		outward = vg.Point{X: 2}
	}
	fillHead(c, line.Color, tip, outward)
}

// fillHead fills an arrowhead that points outward, twice as long and wide as that vector.
func fillHead(c draw.Canvas, ink color.Color, tip, outward vg.Point) {
	base, side := tip.Sub(outward.Scale(2)), vg.Point{X: outward.Y, Y: outward.X}
	c.FillPolygon(ink, []vg.Point{tip, base.Add(side), base.Sub(side)})
}

// IntervalY draws the bar of an interval of the y axis at x. The strokes at its ends have twice the length half; an
// end beyond the panel is an arrowhead.
func (p Panel) IntervalY(line draw.LineStyle, x vg.Length, low, high float64, half vg.Length) {
	ends := [2]vg.Point{{X: x, Y: p.AtY(p.Y.Clamp(low))}, {X: x, Y: p.AtY(p.Y.Clamp(high))}}
	bar(p.Canvas, line, ends, [2]bool{low < p.Y.Low, high > p.Y.High}, vg.Point{Y: half})
}

// IntervalX draws the bar of an interval of the x axis at y, as IntervalY does.
func (p Panel) IntervalX(line draw.LineStyle, y vg.Length, low, high float64, half vg.Length) {
	ends := [2]vg.Point{{X: p.AtX(p.X.Clamp(low)), Y: y}, {X: p.AtX(p.X.Clamp(high)), Y: y}}
	bar(p.Canvas, line, ends, [2]bool{low < p.X.Low, high > p.X.High}, vg.Point{X: half})
}

// bar draws a bar along an axis. Its ends have strokes, or arrowheads where it is cut; along has the direction of the
// axis and the length of half a stroke.
func bar(c draw.Canvas, line draw.LineStyle, ends [2]vg.Point, cut [2]bool, along vg.Point) {
	c.StrokeLine2(line, ends[0].X, ends[0].Y, ends[1].X, ends[1].Y)
	for n, tip := range ends {
		outward := along.Scale(vg.Length(2*n - 1))
		if cut[n] {
			fillHead(c, line.Color, tip, outward)
			continue
		}
		side := vg.Point{X: outward.Y, Y: outward.X}
		start, end := tip.Sub(side), tip.Add(side)
		c.StrokeLine2(line, start.X, start.Y, end.X, end.Y)
	}
}

// Dagger marks points with a flag.
const Dagger = "†"

const markSize = 8.5

// WriteMark writes a dagger or a star above a point or, if up is false, below it.
func WriteMark(c draw.Canvas, pos vg.Point, mark string, up bool) {
	y := Base
	if !up {
		y = Below
	}
	Write(c, Align(Bold(Letters(markSize)), Center, y), pos, mark)
}

// fade fades the background of a mark, so that lines do not cross it.
func fade(c draw.Canvas, pos vg.Point) {
	pos.Y += markSize * 0.3
	c.DrawGlyphNoClip(draw.GlyphStyle{Color: color.NRGBA{0xff, 0xff, 0xff, 0xa0}, Radius: markSize * 0.4,
		Shape: draw.CircleGlyph{}}, pos)
}

// Mark draws the mark of an arm; a hollow one has a white background.
func (p Panel) Mark(sign Sign, radius vg.Length, pos vg.Point, hollow bool) {
	if hollow {
		p.DrawGlyphNoClip(draw.GlyphStyle{Color: color.White, Radius: radius, Shape: draw.CircleGlyph{}}, pos)
	}
	p.DrawGlyphNoClip(sign.Mark(radius, hollow), pos)
}
