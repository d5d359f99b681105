package report

import (
	"fmt"
	"image"
	"image/color"
	"io"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/segment"
)

// Profile is T2 against the relative depth in a plate.
type Profile struct {
	Plate string `json:"plate"`
	// Depth holds the middle of each bin, 0 at the bone and 1 at the joint.
	Depth []float64 `json:"depth"`
	// Used is the number of used voxels of each bin, MeanT2 and SDT2 are those of their T2;
	// NaN where there are too few.
	Used   []int            `json:"used"`
	MeanT2 []segment.Number `json:"mean_t2_ms"`
	SDT2   []segment.Number `json:"sd_t2_ms"`
}

// check returns an error where the lists of a profile differ in length.
func (p Profile) check() error {
	if n := len(p.Depth); len(p.Used) != n || len(p.MeanT2) != n || len(p.SDT2) != n {
		return fmt.Errorf("profile of %q: %d depths, %d counts, %d means and %d SDs, want as many of each", p.Plate, n, len(p.Used), len(p.MeanT2), len(p.SDT2))
	}
	return nil
}

// profile.png is as wide as decay.png, and has a small plot for each plate.
const (
	profileCols   = 3
	profileHigh   = 2.1 * vg.Inch // of a row of plots
	profileTitle  = 0.42 * vg.Inch
	profileRows   = 3 // more than eight plates a knee does not have
	profileMostMS = scaleMaxMS
)

// writeProfiles writes profile.png: for each plate mean T2 ± SD against relative depth, all
// on one scale.
func writeProfiles(w io.Writer, r Result) error {
	profiles := r.Profiles[:min(len(r.Profiles), profileCols*profileRows)]
	rows := (len(profiles) + profileCols - 1) / profileCols
	height := profileTitle + vg.Length(rows)*profileHigh + decayMargin
	canvas := vgimg.NewWith(vgimg.UseWH(decayWidth, height), vgimg.UseDPI(decayDPI))
	page := draw.New(canvas)
	page = draw.Crop(page, decayMargin, -decayMargin, decayMargin, 0)
	head := figure.Bold(figure.Letters(11))
	text := joinKnown(" · ", title(r), "T2 by depth, mean ± SD", r.Mask.carried())
	figure.Write(page, figure.Align(head, figure.Left, figure.Base), vg.Point{X: page.Min.X, Y: page.Max.Y - profileTitle*6/10}, figure.Fit(head, text, page.Size().X))
	wide := page.Size().X / profileCols
	for n, p := range profiles {
		left, top := vg.Length(n%profileCols)*wide, profileTitle+vg.Length(n/profileCols)*profileHigh
		area := draw.Crop(page, left, left+wide-page.Size().X-vg.Points(8), 0, -top)
		area.Min.Y = area.Max.Y - profileHigh + vg.Points(6)
		p.plot(n%profileCols == 0, wide).Draw(area)
	}
	return encodePNG(w, figure.Paletted(canvas.Image().(*image.RGBA)))
}

// plot draws a profile; named says that it names the axis of T2.
func (p Profile) plot(named bool, width vg.Length) *plot.Plot {
	out := figure.NewPlot(8)
	out.Title.Text = figure.Fit(out.Title.TextStyle, p.Plate, width*3/4)
	out.Title.Padding = vg.Points(4)
	out.X.Label.Text = "depth: bone to joint"
	if named {
		out.Y.Label.Text = "T2 (ms)"
	}
	out.X.Min, out.X.Max, out.Y.Min, out.Y.Max = 0, 1, 0, profileMostMS
	out.X.Tick.Marker = plot.ConstantTicks{{Value: 0, Label: "0"}, {Value: 0.5, Label: "0.5"}, {Value: 1, Label: "1"}}
	out.Y.Tick.Marker = plot.TickerFunc(func(low, high float64) []plot.Tick {
		var t []plot.Tick
		for ms := 0.; ms <= high; ms += scaleTickMS {
			t = append(t, plot.Tick{Value: ms, Label: short(ms)})
		}
		return t
	})
	ink := profileInk(p.Plate)
	for _, run := range p.runs() {
		var band, mean plotter.XYs
		for n := run[0]; n < run[1]; n++ {
			mean = append(mean, plotter.XY{X: p.Depth[n], Y: onScale(p.MeanT2[n])})
			band = append(band, plotter.XY{X: p.Depth[n], Y: onScale(p.MeanT2[n] + p.sd(n))})
		}
		for n := run[1] - 1; n >= run[0]; n-- {
			band = append(band, plotter.XY{X: p.Depth[n], Y: onScale(p.MeanT2[n] - p.sd(n))})
		}
		if area, err := plotter.NewPolygon(band); err == nil && len(mean) > 1 {
			area.Color, area.LineStyle.Width = figure.Tint(ink, 0.3), 0
			out.Add(area)
		}
		dots := glyphs(mean, ink, draw.CircleGlyph{})
		dots.Radius = vg.Points(1.8)
		out.Add(line(mean, ink), dots)
	}
	return out
}

// sd is 0 where one voxel has none.
func (p Profile) sd(n int) segment.Number {
	if !isFinite(float64(p.SDT2[n])) {
		return 0
	}
	return p.SDT2[n]
}

// runs returns the bins between gaps, as half-open intervals.
func (p Profile) runs() [][2]int {
	var out [][2]int
	for n := range p.Depth {
		switch last := len(out) - 1; {
		case !isFinite(float64(p.MeanT2[n])) || !isFinite(p.Depth[n]):
		case last >= 0 && out[last][1] == n:
			out[last][1]++
		default:
			out = append(out, [2]int{n, n + 1})
		}
	}
	return out
}

// onScale keeps a T2 within the plot.
func onScale(t2 segment.Number) float64 { return min(max(float64(t2), 0), profileMostMS) }

// profileInk is the colour of a plate's side, for white paper.
func profileInk(plate string) color.RGBA {
	if c := lineColourOf(plate); c >= 0 {
		return figure.Colours[[...]int{0, 2, 1}[c%strongLines]]
	}
	return figure.Colours[len(figure.Colours)-1]
}
