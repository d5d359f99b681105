package figure

import (
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
