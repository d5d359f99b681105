package figures

import (
	"cmp"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/t2map/t2map/figure"
)

// Sizes in points.
const (
	margin      = 6
	titleSize   = 10
	labelSize   = 8.5
	smallSize   = 7.5 // the smallest letters; see figure.PictureWidth
	titleRow    = 18
	legendRow   = 13
	noteRow     = 9.5
	markRadius  = 2.7
	legendSign  = 22 // the sign of an entry of the legend
	legendGap   = 12 // between entries
	daggerSize  = 8.5
	longestName = 150
	pageHeight  = 680 // of the panels of a picture: A4 without title, notes and caption
	bodyWidth   = vg.Length(figure.PictureWidth*72/25.4) - 2*margin
	vertical    = math.Pi / 2 // rotation of the names of y axes
)

var (
	titles = figure.Bold(figure.Letters(titleSize))
	labels = figure.Letters(labelSize)
	small  = figure.Letters(smallSize)
	strong = figure.Bold(labels)
)

// renderFiles makes the files of a picture. Most tests replace it by figure.Picture.RenderSVG.
var renderFiles = figure.Picture.Render

// frame is the title, legend and footnotes around the panels of a figure.
type frame struct {
	figure.Picture
	legend []entry
	notes  []string
}

// entry is a sign and its meaning.
type entry struct {
	words string
	// sign draws into a box, 8 points high. width is its width; 0 means legendSign.
	sign  func(c draw.Canvas, box vg.Rectangle)
	width vg.Length
}

// armEntries returns the legend of the arms.
func armEntries(arms []string) []entry {
	var out []entry
	for n, name := range arms {
		sign := figure.SignOf(n)
		out = append(out, entry{words: name, sign: func(c draw.Canvas, box vg.Rectangle) {
			y := (box.Min.Y + box.Max.Y) / 2
			c.StrokeLine2(sign.Line(1.2), box.Min.X, y, box.Max.X, y)
			c.DrawGlyphNoClip(sign.Mark(markRadius, false), vg.Point{X: (box.Min.X + box.Max.X) / 2, Y: y})
		}})
	}
	return out
}

// markEntries returns the legend of the arms by their marks alone.
func markEntries(arms []string) []entry {
	var out []entry
	for n, name := range arms {
		sign := figure.SignOf(n)
		out = append(out, entry{words: name, width: 2*markRadius + 2, sign: func(c draw.Canvas, box vg.Rectangle) {
			c.DrawGlyphNoClip(sign.Mark(markRadius, false),
				vg.Point{X: (box.Min.X + box.Max.X) / 2, Y: (box.Min.Y + box.Max.Y) / 2})
		}})
	}
	return out
}

// render draws the frame, and calls paint to draw a body of this height into its rectangle.
func (f frame) render(body vg.Length, paint func(c draw.Canvas, r vg.Rectangle)) (figure.Picture, error) {
	width := bodyWidth
	rows := f.legendRows(width)
	var notes []string
	for _, n := range f.notes {
		notes = append(notes, figure.Wrap(small, n, width, 2)...)
	}
	height := 2*margin + titleRow + vg.Length(len(rows))*legendRow + body + vg.Length(len(notes))*noteRow
	if len(notes) > 0 {
		height += 4
	}
	f.Width, f.Height = figure.PictureWidth, float64(height/figure.MM(1))
	return renderFiles(f.Picture, func(c draw.Canvas) {
		y := height - margin
		figure.Write(c, figure.Align(titles, figure.Left, figure.Below), vg.Point{X: margin, Y: y},
			figure.Fit(titles, f.Title, width))
		y -= titleRow
		for _, row := range rows {
			drawRow(c, row, vg.Point{X: margin, Y: y})
			y -= legendRow
		}
		paint(c, vg.Rectangle{Min: vg.Point{X: margin, Y: y - body}, Max: vg.Point{X: margin + width, Y: y}})
		y -= body + 4
		for _, n := range notes {
			figure.Write(c, figure.Align(small, figure.Left, figure.Below), vg.Point{X: margin, Y: y}, n)
			y -= noteRow
		}
	})
}

// grid is the places of panels: rows of equal height, as many in a picture as fit a page.
type grid struct {
	panels, columns int
	// rows are ranges of panels; nil fills each row.
	rows   [][2]int
	height vg.Length // of a row
	// left is the room for the labels of the y axis: of the first panel of a row or, with each, of every panel.
	left vg.Length
	each bool
	// widest is the largest width of a panel; 0 means chartWidest. right is free at the right of a row.
	widest, right vg.Length
}

// slot is the place of a panel: the left end and the top of its row, and its width without the labels.
type slot struct {
	panel         int
	x, top, width vg.Length
	labelled      bool // the panel has labels of the y axis
}

// rowsOfPanels divides the panels from first to before end into rows.
func rowsOfPanels(first, end, columns int) (rows [][2]int) {
	for ; first < end; first += columns {
		rows = append(rows, [2]int{first, min(first+columns, end)})
	}
	return rows
}

// width returns the width of a panel.
func (g grid) width() vg.Length {
	columns := vg.Length(min(g.columns, g.panels))
	lefts := g.left
	if g.each {
		lefts *= columns
	}
	return min((bodyWidth-g.right-lefts-chartGap*(columns-1)-2)/columns, vg.Length(cmp.Or(float64(g.widest), chartWidest)))
}

// pictures draws panels into the slots of a grid.
func (f frame) pictures(g grid, paint func(draw.Canvas, slot)) ([]figure.Picture, error) {
	if g.rows == nil {
		g.rows = rowsOfPanels(0, g.panels, g.columns)
	}
	var out []figure.Picture
	for rows := range slices.Chunk(g.rows, max(1, int(pageHeight/g.height))) {
		page := f
		page.Name, page.Part = pageName(f.Name, len(out)), len(out)
		p, err := page.render(vg.Length(len(rows))*g.height, func(c draw.Canvas, body vg.Rectangle) {
			for r, row := range rows {
				s := slot{x: body.Min.X + g.left, top: body.Max.Y - vg.Length(r)*g.height, width: g.width()}
				for s.panel = row[0]; s.panel < row[1]; s.panel++ {
					s.labelled = g.each || s.panel == row[0]
					paint(c, s)
					s.x += s.width + chartGap
					if g.each {
						s.x += g.left
					}
				}
			}
		})
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// tickRoom returns the width of the labels of the y axes and of the axis name.
func tickRoom(axes ...figure.Range) vg.Length {
	const gap, name = 3, 14
	widest := vg.Length(0)
	for _, r := range axes {
		for _, t := range r.Ticks(6) {
			widest = max(widest, small.Width(t.Label))
		}
	}
	return widest + gap + name
}

// writeAxisName writes the name of the y axis of a panel at x, reading upwards.
func writeAxisName(p figure.Panel, style draw.TextStyle, x vg.Length, name string) {
	style.Rotation = vertical
	pos := vg.Point{X: x, Y: (p.Area.Min.Y + p.Area.Max.Y) / 2}
	figure.Write(p.Canvas, figure.Align(style, figure.Center, figure.Base), pos,
		figure.Fit(style, name, p.Area.Size().Y))
}

// fitOne shortens a name as fitAll does among all names.
func fitOne(style draw.TextStyle, name string, names []string, width vg.Length) string {
	return fitAll(style, names, width)[slices.Index(names, name)]
}

// fitAll shortens names that are shown together to a width in a style. Different names stay different.
func fitAll(style draw.TextStyle, names []string, width vg.Length) []string {
	return figure.ShortenAll(names, func(s string) bool { return style.Width(s) <= width })
}

// legendRows divides the legend into rows, and shortens its words.
func (f frame) legendRows(width vg.Length) [][]entry {
	var rows [][]entry
	var used vg.Length
	var words []string
	for _, e := range f.legend {
		words = append(words, e.words)
	}
	words = fitAll(small, words, longestName)
	for n, e := range f.legend {
		e.words = words[n]
		w := e.fullWidth()
		if len(rows) == 0 || used+w > width {
			rows, used = append(rows, nil), 0
		}
		rows[len(rows)-1] = append(rows[len(rows)-1], e)
		used += w
	}
	return rows
}

func (e entry) signWidth() vg.Length {
	if e.width > 0 {
		return e.width
	}
	return legendSign
}

func (e entry) fullWidth() vg.Length { return e.signWidth() + 4 + small.Width(e.words) + legendGap }

// drawRow draws a row of the legend with its top at p.
func drawRow(c draw.Canvas, row []entry, p vg.Point) {
	for _, e := range row {
		e.sign(c, vg.Rectangle{Min: vg.Point{X: p.X, Y: p.Y - 8}, Max: vg.Point{X: p.X + e.signWidth(), Y: p.Y}})
		figure.Write(c, figure.Align(small, figure.Left, figure.Middle),
			vg.Point{X: p.X + e.signWidth() + 4, Y: p.Y - 4}, e.words)
		p.X += e.fullWidth()
	}
}

// noValues writes why nothing is drawn in an area, above its middle, where a line at 0 may be.
func noValues(c draw.Canvas, area vg.Rectangle, reason string) {
	lines := figure.Wrap(small, reason, area.Size().X-8, 3)
	pos := vg.Point{X: (area.Min.X + area.Max.X) / 2, Y: area.Min.Y + 0.7*area.Size().Y +
		vg.Length(len(lines)-1)*noteRow/2}
	for _, l := range lines {
		figure.Write(c, figure.Align(small, figure.Center, figure.Middle), pos, l)
		pos.Y -= noteRow
	}
}

// patch fades the background of a dagger, so that lines do not cross it.
func patch(c draw.Canvas, pos vg.Point) {
	pos.Y += daggerSize * 0.3
	c.DrawGlyphNoClip(draw.GlyphStyle{Color: color.NRGBA{0xff, 0xff, 0xff, 0xa0}, Radius: daggerSize * 0.4,
		Shape: draw.CircleGlyph{}}, pos)
}

// writeMark writes a dagger or a star above a point or, if up is false, below it.
func writeMark(c draw.Canvas, pos vg.Point, mark string, up bool) {
	y := figure.Base
	if !up {
		y = figure.Below
	}
	figure.Write(c, figure.Align(figure.Bold(figure.Letters(daggerSize)), figure.Center, y), pos, mark)
}

// sight returns the range of an axis: the values of core and full, unless the full range is so much wider
// that the core could not be read. Then it is the range of the core with room at either end, and
// intervals are cut.
func sight(core, full []float64) (r figure.Range, exists bool) {
	const wider = 3
	inner, some := figure.Cover(core...)
	outer, exists := figure.Cover(append(full, core...)...)
	if some && len(core) > 1 && outer.Length() > wider*inner.Length() {
		outer = inner.Pad(0.5)
	}
	return outer.Pad(0.06), exists
}
