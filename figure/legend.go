package figure

import (
	"fmt"

	"golang.org/x/image/font"
	"gonum.org/v1/plot"
	plotfont "gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/t2map/t2map/printable"
)

// Legend explains the signs of a plot, one entry below the other.
type Legend []Entry

// Entry explains a curve of a plot: its signs, its name and a text. A remark has neither signs nor a name.
type Entry struct {
	Signs      []plot.Thumbnailer
	Name, Text string
	// Detail follows Text if entries have two lines.
	Detail string
}

const (
	signWidth = 20   // points
	linePitch = 11.5 // points, for 9 point text
)

// Draw writes the entries from the top of c, with two lines each, or with one line if there are too many.
// The last line states the number of entries that do not fit.
func (l Legend) Draw(c draw.Canvas) {
	lines := int(c.Rectangle.Size().Y / linePitch)
	brief := len(l)*5/2 > lines
	y := c.Max.Y - linePitch
	for n, e := range l {
		if n == lines-1 && n < len(l)-1 {
			e = Entry{Text: fmt.Sprintf("and %d more", len(l)-n)}
		}
		y -= e.draw(c, y, brief)
		if n == lines-1 {
			return
		}
	}
}

// draw writes the entry with the baseline of its first line at y and returns its height.
func (e Entry) draw(c draw.Canvas, y vg.Length, brief bool) vg.Length {
	plain := draw.TextStyle{Color: Ink, Font: plotfont.From(Sans, 9), Handler: plot.DefaultTextHandler}
	strong := plain
	strong.Font.Weight = font.WeightBold
	sign := draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
		Min: vg.Point{X: c.Min.X, Y: y - 2}, Max: vg.Point{X: c.Min.X + signWidth, Y: y + linePitch - 4},
	}}
	for _, s := range e.Signs {
		s.Thumbnail(&sign)
	}
	position := vg.Point{X: c.Min.X, Y: y}
	if e.Signs != nil {
		position.X += signWidth + 5
	}
	room := c.Max.X - position.X
	switch {
	case e.Name == "":
		c.FillText(plain, position, Fit(plain, e.Text, room))
	case brief:
		width := plain.Width(e.Text)
		c.FillText(strong, position, Fit(strong, e.Name, room-width-4))
		c.FillText(plain, vg.Point{X: c.Max.X - width, Y: y}, e.Text)
	default:
		c.FillText(strong, position, Fit(strong, e.Name, room))
		position.Y -= linePitch
		c.FillText(plain, position, Fit(plain, printable.Join(", ", e.Text, e.Detail), room))
	}
	if brief {
		return linePitch
	}
	return y - position.Y + 1.5*linePitch
}
