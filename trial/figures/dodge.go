package figures

import (
	"image/color"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/t2map/t2map/figure"
)

// dodged is a panel in which the points of different arms are shifted, so that they do not overlap.
type dodged struct {
	figure.Panel
	ch   chart
	x    []float64   // of the visits of the chart
	room []vg.Length // around each visit
	bars bool        // there are no bands
}

func (g charts) dodge(p placed) dodged {
	d := dodged{Panel: p.inner, ch: p.chart, bars: g.bars}
	room := g.visits.room(p.inner)
	for _, v := range p.visits {
		d.x, d.room = append(d.x, g.visits.x[v]), append(d.room, room[v])
	}
	return d
}

// radius returns the radius of the marks at a visit.
func (d dodged) radius(visit int) vg.Length { return min(markRadius, max(0.7, 0.3*d.room[visit])) }

// dense reports whether bars at a visit would overlap, so that only the band is drawn.
func (d dodged) dense(visit int) bool {
	return d.room[visit] < 3 && len(d.ch.arms) <= ribbonsMost && !d.bars
}

// position returns the position of a point of an arm, inside the panel.
func (d dodged) position(arm, visit int, y float64) vg.Point {
	step := min(dodgeStep, 0.7*d.room[visit]/vg.Length(len(d.ch.arms)))
	pos := d.At(d.x[visit], clamp(d.Y, y))
	pos.X += step * (vg.Length(arm) - vg.Length(len(d.ch.arms)-1)/2)
	return pos
}

// ribbon fills the band between the limits. The dashes of its edges distinguish the arms without colour.
func (d dodged) ribbon(arm int) {
	points := d.ch.arms[arm]
	if len(d.ch.arms) > ribbonsMost || d.bars {
		return
	}
	sign := figure.SignOf(arm)
	for _, run := range runs(len(points), func(v int) bool { return points[v].hasInterval() }) {
		var low, high []vg.Point
		for v := run[0]; v < run[1]; v++ {
			low, high = append(low, d.position(arm, v, points[v].low)), append(high, d.position(arm, v, points[v].high))
		}
		if len(low) < 2 {
			continue
		}
		edge := draw.LineStyle{Color: sign.Colour, Width: 0.4, Dashes: sign.Dashes}
		d.StrokeLines(edge, low, high)
		slices.Reverse(low)
		c := sign.Colour
		d.FillPolygon(color.NRGBA{c.R, c.G, c.B, ribbonAlpha}, append(high, low...))
	}
}

// line joins the means of consecutive visits.
func (d dodged) line(arm int) {
	points := d.ch.arms[arm]
	for _, run := range runs(len(points), func(v int) bool { return points[v].drawn() }) {
		var path []vg.Point
		for v := run[0]; v < run[1]; v++ {
			path = append(path, d.position(arm, v, points[v].mid))
		}
		d.StrokeLines(figure.SignOf(arm).Line(1.2), path)
	}
}

// points draws the means with their bars; means without an interval are hollow.
func (d dodged) points(arm int) {
	sign := figure.SignOf(arm)
	for v, p := range d.ch.arms[arm] {
		if !p.drawn() {
			continue
		}
		pos, r := d.position(arm, v, p.mid), d.radius(v)
		if p.hasInterval() && !d.dense(v) {
			d.bar(arm, v)
		}
		if !p.hasInterval() {
			d.DrawGlyphNoClip(draw.GlyphStyle{Color: color.White, Radius: r, Shape: draw.CircleGlyph{}}, pos)
		}
		if !p.hasInterval() || !d.dense(v) {
			d.DrawGlyphNoClip(sign.Mark(r, !p.hasInterval()), pos)
		}
	}
}

func (d dodged) bar(arm, visit int) {
	p := d.ch.arms[arm][visit]
	bar := draw.LineStyle{Color: figure.SignOf(arm).Colour, Width: min(0.9, d.radius(visit)/2)}
	low, high := d.position(arm, visit, p.low), d.position(arm, visit, p.high)
	d.StrokeLine2(bar, low.X, low.Y, high.X, high.Y)
	half := 0.8 * d.radius(visit)
	figure.EndBar(d.Canvas, bar, figure.BarEnd{Tip: low, Outward: vg.Point{Y: -1}, Half: half, Cut: p.low < d.Y.Low})
	figure.EndBar(d.Canvas, bar, figure.BarEnd{Tip: high, Outward: vg.Point{Y: 1}, Half: half, Cut: p.high > d.Y.High})
}

// marks calls f with the position of the star and dagger of each point of an arm that has one: above its bar, or
// beside it if that is outside the panel.
func (d dodged) marks(arm int, f func(c draw.Canvas, pos vg.Point, mark string)) {
	for v, p := range d.ch.arms[arm] {
		mark := word(p.star, "*", "") + word(p.flagged, dagger, "")
		if mark == "" || !p.drawn() {
			continue
		}
		pos := d.position(arm, v, p.mid)
		pos.Y += d.radius(v) + 1
		if p.hasInterval() {
			pos.Y = max(pos.Y, d.position(arm, v, p.high).Y+2)
		}
		if highest := d.Area.Max.Y - 5; pos.Y > highest {
			pos.X, pos.Y = pos.X+daggerSize/2, d.Area.Max.Y-daggerSize
		}
		f(d.Canvas, pos, mark)
	}
}
