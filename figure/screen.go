package figure

import (
	"image"
	"image/color"
	"io"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// ScreenWidth is the width of plots for a screen: 1200 pixels, enough for a page on a screen and on paper.
// ScreenMargin is the margin around them.
const (
	ScreenWidth  = 7.5 * vg.Inch
	ScreenMargin = 0.14 * vg.Inch
	screenDPI    = 160
)

// WriteScreen writes a plot for a screen as a PNG. paint draws within its margins.
func WriteScreen(w io.Writer, height vg.Length, paint func(draw.Canvas)) error {
	canvas := vgimg.NewWith(vgimg.UseWH(ScreenWidth, height), vgimg.UseDPI(screenDPI))
	paint(draw.Crop(draw.New(canvas), ScreenMargin, -ScreenMargin, ScreenMargin, -ScreenMargin))
	return EncodePNG(w, Paletted(canvas.Image().(*image.RGBA)))
}

// RoundTicks returns about six ticks at round numbers; see Range.Ticks. It can be used as a
// plot.TickerFunc.
func RoundTicks(low, high float64) []plot.Tick {
	var ticks []plot.Tick
	for _, t := range (Range{Low: low, High: high}).Ticks(7) {
		ticks = append(ticks, plot.Tick{Value: t.Value, Label: strconv.FormatFloat(t.Value, 'g', 6, 64)})
	}
	return ticks
}

// Marks returns a scatter plot of the points.
func Marks(points plotter.XYs, ink color.Color, shape draw.GlyphDrawer) *plotter.Scatter {
	return &plotter.Scatter{XYs: points, GlyphStyle: draw.GlyphStyle{Color: ink, Radius: vg.Points(3.2), Shape: shape}}
}

// Line returns a line through the points.
func Line(points plotter.XYs, ink color.Color) *plotter.Line {
	return &plotter.Line{XYs: points, LineStyle: draw.LineStyle{Color: ink, Width: vg.Points(1.3)}}
}
