package figure

import (
	"image/color"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// dodged is a panel in which the points of different arms are shifted, so that they do not overlap.
type dodged struct {
	Panel
	chart Chart
	x     []float64   // of the steps of the chart
	room  []vg.Length // around each step
	bars  bool        // there are no bands
}

func (g Charts) dodge(p placed) dodged {
	d := dodged{Panel: p.inner, chart: p.Chart, bars: g.Bars}
	room := g.X.room(p.inner)
	for _, v := range p.Steps {
		d.x, d.room = append(d.x, g.X.At[v]), append(d.room, room[v])
	}
	return d
}

// radius returns the radius of the marks at a step.
func (d dodged) radius(step int) vg.Length { return min(MarkRadius, max(0.7, 0.3*d.room[step])) }

// dense reports whether bars at a step would overlap, so that only the band is drawn.
func (d dodged) dense(step int) bool {
	return d.room[step] < 3 && len(d.chart.Arms) <= MostRibbons && !d.bars
}

// position returns the position of a point of an arm, inside the panel.
func (d dodged) position(arm, step int, y float64) vg.Point {
	shift := min(dodgeStep, 0.7*d.room[step]/vg.Length(len(d.chart.Arms)))
	pos := d.At(d.x[step], d.Y.Clamp(y))
	pos.X += shift * (vg.Length(arm) - vg.Length(len(d.chart.Arms)-1)/2)
	return pos
}

// ribbon fills the band between the limits. The dashes of its edges distinguish the arms without colour.
func (d dodged) ribbon(arm int) {
	points := d.chart.Arms[arm]
	if len(d.chart.Arms) > MostRibbons || d.bars {
		return
	}
	sign := SignOf(arm)
	for _, run := range runs(len(points), func(v int) bool { return points[v].hasInterval() }) {
		var low, high []vg.Point
		for v := run[0]; v < run[1]; v++ {
			low, high = append(low, d.position(arm, v, points[v].Low)), append(high, d.position(arm, v, points[v].High))
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

// line joins the means of consecutive steps.
func (d dodged) line(arm int) {
	points := d.chart.Arms[arm]
	for _, run := range runs(len(points), func(v int) bool { return points[v].drawn() }) {
		var path []vg.Point
		for v := run[0]; v < run[1]; v++ {
			path = append(path, d.position(arm, v, points[v].Mid))
		}
		d.StrokeLines(SignOf(arm).Line(1.2), path)
	}
}

// points draws the means with their bars; means without an interval are hollow.
func (d dodged) points(arm int) {
	for v, p := range d.chart.Arms[arm] {
		if !p.drawn() {
			continue
		}
		pos, r := d.position(arm, v, p.Mid), d.radius(v)
		if p.hasInterval() && !d.dense(v) {
			bar := draw.LineStyle{Color: SignOf(arm).Colour, Width: min(0.9, r/2)}
			d.IntervalY(bar, pos.X, p.Low, p.High, 0.8*r)
		}
		if !p.hasInterval() || !d.dense(v) {
			d.Mark(SignOf(arm), r, pos, !p.hasInterval())
		}
	}
}

// fadeMarks fades what is behind the marks of an arm, and marks writes them.
func (d dodged) fadeMarks(arm int) {
	d.eachMark(arm, func(pos vg.Point, _ string) { fade(d.Canvas, pos) })
}

func (d dodged) marks(arm int) {
	d.eachMark(arm, func(pos vg.Point, mark string) { WriteMark(d.Canvas, pos, mark, true) })
}

// eachMark calls f with the position of the star and dagger of each point of an arm that has one: above its bar, or
// beside it if that is outside the panel.
func (d dodged) eachMark(arm int, f func(pos vg.Point, mark string)) {
	for v, p := range d.chart.Arms[arm] {
		mark := ""
		if p.Star {
			mark = "*"
		}
		if p.Flagged {
			mark += Dagger
		}
		if mark == "" || !p.drawn() {
			continue
		}
		pos := d.position(arm, v, p.Mid)
		pos.Y += d.radius(v) + 1
		if p.hasInterval() {
			pos.Y = max(pos.Y, d.position(arm, v, p.High).Y+2)
		}
		if highest := d.Area.Max.Y - 5; pos.Y > highest {
			pos.X, pos.Y = pos.X+markSize/2, d.Area.Max.Y-markSize
		}
		f(pos, mark)
	}
}
