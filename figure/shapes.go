package figure

import (
	"image/color"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// BarEnd is the end of a bar. Half is half the length of its stroke; Cut reports that the panel cuts the
// interval.
type BarEnd struct {
	Tip, Outward vg.Point
	Half         vg.Length
	Cut          bool
}

// EndBar draws the end of a bar: a stroke, or an arrowhead if it is cut.
func EndBar(c draw.Canvas, bar draw.LineStyle, e BarEnd) {
	side := vg.Point{X: e.Outward.Y, Y: e.Outward.X}.Scale(e.Half)
	if e.Cut {
		base := e.Tip.Sub(e.Outward.Scale(2 * e.Half))
		c.FillPolygon(bar.Color, []vg.Point{e.Tip, base.Add(side), base.Sub(side)})
		return
	}
	start, end := e.Tip.Sub(side), e.Tip.Add(side)
	c.StrokeLine2(bar, start.X, start.Y, end.X, end.Y)
}

// FillRect fills a rectangle.
func FillRect(c draw.Canvas, style draw.LineStyle, r vg.Rectangle) {
	c.FillPolygon(style.Color, []vg.Point{r.Min, {X: r.Max.X, Y: r.Min.Y}, r.Max, {X: r.Min.X, Y: r.Max.Y}})
}

// StrokeRect draws the outline of a rectangle.
func StrokeRect(c draw.Canvas, style draw.LineStyle, r vg.Rectangle) {
	c.StrokeLines(style, []vg.Point{r.Min, {X: r.Max.X, Y: r.Min.Y}, r.Max, {X: r.Min.X, Y: r.Max.Y}, r.Min})
}

// Arrow draws an arrow to its tip, to the right or downwards.
func Arrow(c draw.Canvas, line draw.LineStyle, start, tip vg.Point) {
	c.StrokeLine2(line, start.X, start.Y, tip.X, tip.Y)
	outward := vg.Point{Y: -1}
	if tip.Y == start.Y {
		outward = vg.Point{X: 1}
	}
	EndBar(c, line, BarEnd{Tip: tip, Outward: outward, Half: 2, Cut: true})
}

// IntervalY draws the bar of an interval of the y axis at x. The strokes at its ends have twice the length half; an
// end beyond the panel is an arrowhead.
func (p Panel) IntervalY(line draw.LineStyle, x vg.Length, low, high float64, half vg.Length) {
	start, end := vg.Point{X: x, Y: p.AtY(p.Y.Clamp(low))}, vg.Point{X: x, Y: p.AtY(p.Y.Clamp(high))}
	p.StrokeLine2(line, x, start.Y, x, end.Y)
	EndBar(p.Canvas, line, BarEnd{Tip: start, Outward: vg.Point{Y: -1}, Half: half, Cut: low < p.Y.Low})
	EndBar(p.Canvas, line, BarEnd{Tip: end, Outward: vg.Point{Y: 1}, Half: half, Cut: high > p.Y.High})
}

// IntervalX draws the bar of an interval of the x axis at y, as IntervalY does.
func (p Panel) IntervalX(line draw.LineStyle, y vg.Length, low, high float64, half vg.Length) {
	start, end := vg.Point{X: p.AtX(p.X.Clamp(low)), Y: y}, vg.Point{X: p.AtX(p.X.Clamp(high)), Y: y}
	p.StrokeLine2(line, start.X, y, end.X, y)
	EndBar(p.Canvas, line, BarEnd{Tip: start, Outward: vg.Point{X: -1}, Half: half, Cut: low < p.X.Low})
	EndBar(p.Canvas, line, BarEnd{Tip: end, Outward: vg.Point{X: 1}, Half: half, Cut: high > p.X.High})
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
