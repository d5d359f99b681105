package report

import (
	"image/color"

	"golang.org/x/image/font"
	"gonum.org/v1/plot"
	plotfont "gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// What the plots have in common.
var (
	plotInk  = color.Gray{0x22}
	plotAxis = color.Gray{0x88}
	plotGrid = color.Gray{0xe4}
)

// newPlot returns an empty plot with a grid, whose axes are named in letters of that
// size in points; the title's are a point larger, the ticks' a point smaller.
func newPlot(size vg.Length) *plot.Plot {
	p := plot.New()
	bold := sans
	bold.Weight = font.WeightBold
	p.Title.TextStyle.Font = plotfont.From(bold, size+1)
	p.Title.TextStyle.Color = plotInk
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Label.TextStyle.Font = plotfont.From(sans, size)
		a.Label.TextStyle.Color = plotInk
		a.Tick.Label.Font = plotfont.From(sans, size-1)
		a.Tick.Label.Color = plotInk
		a.LineStyle.Color, a.Tick.LineStyle.Color = plotAxis, plotAxis
		a.Padding = 0
	}
	p.Y.LineStyle.Width, p.Y.Tick.LineStyle.Width = 0, 0 // the grid is enough
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = plotGrid, plotGrid
	p.Add(grid)
	return p
}
