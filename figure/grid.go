package figure

import (
	"cmp"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Sizes of panels in points.
const (
	PanelTitle  = 14 // above a panel
	PanelFoot   = 27 // labels and name of the x axis
	PanelGap    = 12 // between panels of a row
	PanelRowGap = 10
	// TextGap is below text over the labels of a y axis: the highest label reaches 2.7 points above the panel, and
	// descenders reach 1.8 points below the text.
	TextGap = 5.5

	widestPanel = 215
	pageHeight  = 680 // of the panels of a picture: A4 without title, notes and caption
)

// PanelGrid is the places of panels: rows of equal height, as many in a picture as fit a page.
type PanelGrid struct {
	Panels, Columns int
	// Rows are ranges of panels; nil fills each row.
	Rows   [][2]int
	Height vg.Length // of a row
	// Left is the room for the labels of the y axis: of the first panel of a row or, with Each, of every panel.
	Left vg.Length
	Each bool
	// Widest is the largest width of a panel; default: 215. Right is free at the right of a row.
	Widest, Right vg.Length
}

// Slot is the place of a panel: the left end and the top of its row, and its width without the labels.
type Slot struct {
	Panel         int
	X, Top, Width vg.Length
	Labelled      bool // the panel has labels of the y axis
}

// Place returns a panel of this height, so far below the top of the slot.
func (s Slot) Place(c draw.Canvas, below, height vg.Length) Panel {
	top := s.Top - below
	return Panel{Canvas: c, Area: vg.Rectangle{Min: vg.Point{X: s.X, Y: top - height},
		Max: vg.Point{X: s.X + s.Width, Y: top}}}
}

// rowsOfPanels divides the panels from first to before end into rows.
func rowsOfPanels(first, end, columns int) (rows [][2]int) {
	for ; first < end; first += columns {
		rows = append(rows, [2]int{first, min(first+columns, end)})
	}
	return rows
}

// Width returns the width of a panel.
func (g PanelGrid) Width() vg.Length {
	columns := vg.Length(min(g.Columns, g.Panels))
	lefts := g.Left
	if g.Each {
		lefts *= columns
	}
	return min((BodyWidth-g.Right-lefts-PanelGap*(columns-1)-2)/columns, cmp.Or(g.Widest, widestPanel))
}

// DrawPanels draws a body of panels into the slots of a grid, in as many pictures as are needed.
func (f Frame) DrawPanels(g PanelGrid, paint func(draw.Canvas, Slot)) ([]Picture, error) {
	if g.Rows == nil {
		g.Rows = rowsOfPanels(0, g.Panels, g.Columns)
	}
	var pictures []Picture
	for rows := range slices.Chunk(g.Rows, max(1, int(pageHeight/g.Height))) {
		page := f
		page.Name, page.Part = PageName(f.Name, len(pictures)), len(pictures)
		p, err := page.Draw(vg.Length(len(rows))*g.Height, func(c draw.Canvas, body vg.Rectangle) {
			for r, row := range rows {
				s := Slot{X: body.Min.X + g.Left, Top: body.Max.Y - vg.Length(r)*g.Height, Width: g.Width()}
				for s.Panel = row[0]; s.Panel < row[1]; s.Panel++ {
					s.Labelled = g.Each || s.Panel == row[0]
					paint(c, s)
					s.X += s.Width + PanelGap
					if g.Each {
						s.X += g.Left
					}
				}
			}
		})
		if err != nil {
			return nil, err
		}
		pictures = append(pictures, p)
	}
	return pictures, nil
}
