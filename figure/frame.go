package figure

import (
	"fmt"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Sizes in points, of pictures with PictureWidth.
const (
	Margin     = 6
	BodyWidth  = vg.Length(PictureWidth*pointsPerMM) - 2*Margin
	NoteRow    = 9.5 // a line of Small letters
	MarkRadius = 2.7

	titleRow    = 18
	legendRow   = 13
	symbolWidth = 22
	symbolGap   = 12
	longestName = 150
)

// Styles of letters in pictures with PictureWidth. Small is the smallest; see PictureWidth.
var (
	Heading = Bold(Letters(10))
	Strong  = Bold(Letters(8.5))
	Medium  = Letters(8.5)
	Small   = Letters(7.5)
)

// Frame is the title, the legend and the footnotes around the body of a picture.
type Frame struct {
	Picture
	Legend []Symbol
	Notes  []string
	// Files makes the files. Default: Picture.Render.
	Files func(Picture, func(draw.Canvas)) (Picture, error)
}

// Symbol is a sign of the legend and its meaning.
type Symbol struct {
	Words string
	// Draw draws into a box, 8 points high. Width is its width; default: 22.
	Draw  func(c draw.Canvas, box vg.Rectangle)
	Width vg.Length
}

// NoteArrowheads explains arrowheads, if a panel cuts an interval.
func (f *Frame) NoteArrowheads(cut bool) {
	if cut {
		f.Notes = append(f.Notes, "Arrowheads: the interval extends beyond the panel.")
	}
}

// LineSymbols returns the legend of the arms by their lines with marks.
func LineSymbols(arms []string) []Symbol {
	return armSymbols(arms, symbolWidth, func(c draw.Canvas, box vg.Rectangle, sign Sign) {
		y := (box.Min.Y + box.Max.Y) / 2
		c.StrokeLine2(sign.Line(1.2), box.Min.X, y, box.Max.X, y)
		c.DrawGlyphNoClip(sign.Mark(MarkRadius, false), Centre(box))
	})
}

// MarkSymbols returns the legend of the arms by their marks alone.
func MarkSymbols(arms []string) []Symbol {
	return armSymbols(arms, 2*MarkRadius+2, func(c draw.Canvas, box vg.Rectangle, sign Sign) {
		c.DrawGlyphNoClip(sign.Mark(MarkRadius, false), Centre(box))
	})
}

func armSymbols(arms []string, width vg.Length, paint func(draw.Canvas, vg.Rectangle, Sign)) []Symbol {
	var symbols []Symbol
	for n, name := range arms {
		symbols = append(symbols, Symbol{Words: name, Width: width, Draw: func(c draw.Canvas, box vg.Rectangle) {
			paint(c, box, SignOf(n))
		}})
	}
	return symbols
}

// PageName names the pictures of a figure that has several: NAME, NAME-2, NAME-3.
func PageName(name string, page int) string {
	if page == 0 {
		return name
	}
	return fmt.Sprintf("%s-%d", name, page+1)
}

// Draw draws the frame, and calls paint to draw a body of this height into its rectangle.
func (f Frame) Draw(body vg.Length, paint func(c draw.Canvas, r vg.Rectangle)) (Picture, error) {
	rows := f.legendRows()
	var notes []string
	for _, n := range f.Notes {
		notes = append(notes, Wrap(Small, n, BodyWidth, 2)...)
	}
	height := 2*Margin + titleRow + vg.Length(len(rows))*legendRow + body + vg.Length(len(notes))*NoteRow
	if len(notes) > 0 {
		height += 4
	}
	f.Width, f.Height = PictureWidth, float64(height/MM(1))
	render := f.Files
	if render == nil {
		render = Picture.Render
	}
	return render(f.Picture, func(c draw.Canvas) {
		y := height - Margin
		Write(c, Align(Heading, Left, Below), vg.Point{X: Margin, Y: y}, Fit(Heading, f.Title, BodyWidth))
		y -= titleRow
		for _, row := range rows {
			drawSymbols(c, row, vg.Point{X: Margin, Y: y})
			y -= legendRow
		}
		paint(c, vg.Rectangle{Min: vg.Point{X: Margin, Y: y - body}, Max: vg.Point{X: Margin + BodyWidth, Y: y}})
		y -= body + 4
		for _, n := range notes {
			Write(c, Align(Small, Left, Below), vg.Point{X: Margin, Y: y}, n)
			y -= NoteRow
		}
	})
}

// legendRows divides the legend into rows, and shortens its words.
func (f Frame) legendRows() [][]Symbol {
	var rows [][]Symbol
	var used vg.Length
	var words []string
	for _, s := range f.Legend {
		words = append(words, s.Words)
	}
	words = FitAll(Small, words, longestName)
	for n, s := range f.Legend {
		s.Words = words[n]
		if s.Width == 0 {
			s.Width = symbolWidth
		}
		if len(rows) == 0 || used+s.fullWidth() > BodyWidth {
			rows, used = append(rows, nil), 0
		}
		rows[len(rows)-1] = append(rows[len(rows)-1], s)
		used += s.fullWidth()
	}
	return rows
}

func (s Symbol) fullWidth() vg.Length { return s.Width + 4 + Small.Width(s.Words) + symbolGap }

// drawSymbols draws a row of the legend with its top at p.
func drawSymbols(c draw.Canvas, row []Symbol, p vg.Point) {
	for _, s := range row {
		s.Draw(c, vg.Rectangle{Min: vg.Point{X: p.X, Y: p.Y - 8}, Max: vg.Point{X: p.X + s.Width, Y: p.Y}})
		Write(c, Align(Small, Left, Middle), vg.Point{X: p.X + s.Width + 4, Y: p.Y - 4}, s.Words)
		p.X += s.fullWidth()
	}
}
