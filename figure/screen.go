package figure

import (
	"image"
	"image/color"
	"io"
	"runtime"
	"slices"
	"strconv"

	"git.sr.ht/~sbinet/gg"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"github.com/t2map/t2map/internal/spare"
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
	s := screens.Take()
	defer screens.Give(s)
	canvas, pixels := newPixels(ScreenWidth, height, screenDPI, s.colours)
	s.colours = pixels.Pix
	page := draw.NewCanvas(canvas, ScreenWidth, height)
	paint(draw.Crop(page, ScreenMargin, -ScreenMargin, ScreenMargin, -ScreenMargin))
	indexed := reduce(pixels, s.indices)
	s.indices = indexed.Pix
	return EncodePNG(w, indexed)
}

// screen is the memory of a plot for a screen: the colours of its pixels and their indices in the palette.
type screen struct{ colours, indices []uint8 }

// screens are those of plots that were written, several MB each.
var screens = spare.NewList(max(1, runtime.GOMAXPROCS(0)/2), func() *screen { return new(screen) })

// newPixels returns a white canvas of a size and its pixels, which are in memory if that is large enough. It is
// vgimg.NewWith without a copy of the pixels.
func newPixels(width, height vg.Length, dpi int, memory []uint8) (*vgimg.Canvas, *image.RGBA) {
	whole := func(l vg.Length) int { return int(l/vg.Inch*vg.Length(dpi) + 0.5) } // as vgimg rounds
	size := image.Rect(0, 0, whole(width), whole(height))
	const channels = 4
	n := channels * size.Dx() * size.Dy()
	pixels := &image.RGBA{Pix: slices.Grow(memory[:0], n)[:n], Stride: channels * size.Dx(), Rect: size}
	c := gg.NewContextForRGBA(pixels)
	c.SetLineCapButt()
	c.InvertY()
	return vgimg.NewWith(vgimg.UseImageWithContext(pixels, c), vgimg.UseDPI(dpi)), pixels
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
