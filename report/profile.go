package report

import (
	"image/color"
	"io"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/number"
	"github.com/t2map/t2map/printable"
)

// Profile is T2 against the relative depth in a plate, from the bone to the joint.
type Profile struct {
	Plate string       `json:"plate"`
	Bins  []ProfileBin `json:"bins"`
}

// ProfileBin is T2 in a range of relative depth, 0 at the bone and 1 at the joint.
type ProfileBin struct {
	Start float64 `json:"from"`
	End   float64 `json:"to"`
	// Used and Excluded count the voxels with and without a sound T2, as in a Summary.
	Used     int `json:"used"`
	Excluded int `json:"excluded"`
	// Depth is the mean depth of the used voxels, and MeanT2 and SDT2 are those of their T2;
	// NaN where there are too few.
	Depth  number.Float `json:"depth"`
	MeanT2 number.Float `json:"mean_t2_ms"`
	SDT2   number.Float `json:"sd_t2_ms"`
}

// profile.png is as wide as decay.png, and has a small plot for each plate.
const (
	profileCols   = 3
	profileHigh   = 2.1 * vg.Inch // of a row of plots
	profileTitle  = 0.42 * vg.Inch
	profileRows   = 3 // more than eight plates a knee does not have
	profileMostMS = figure.ScaleMaxMS
)

// writeProfiles writes profile.png: for each plate mean T2 ± SD against relative depth, all
// on one scale.
func writeProfiles(w io.Writer, r Result) error {
	profiles := r.Profiles[:min(len(r.Profiles), profileCols*profileRows)]
	rows := (len(profiles) + profileCols - 1) / profileCols
	height := profileTitle + vg.Length(rows)*profileHigh + figure.ScreenMargin
	return figure.WriteScreen(w, height, func(page draw.Canvas) {
		page.Max.Y += figure.ScreenMargin // the title stands in the margin
		head := figure.Bold(figure.Letters(11))
		text := printable.Join(" · ", title(r), "T2 by depth, mean ± SD", r.Mask.Carried())
		figure.Write(page, figure.Align(head, figure.Left, figure.Base),
			vg.Point{X: page.Min.X, Y: page.Max.Y - profileTitle*6/10}, figure.Fit(head, text, page.Size().X))
		wide := page.Size().X / profileCols
		for n, p := range profiles {
			left, top := vg.Length(n%profileCols)*wide, profileTitle+vg.Length(n/profileCols)*profileHigh
			area := draw.Crop(page, left, left+wide-page.Size().X-vg.Points(8), 0, -top)
			area.Min.Y = area.Max.Y - profileHigh + vg.Points(6)
			p.plot(n%profileCols == 0, wide).Draw(area)
		}
	})
}

// plot draws a profile; named says that it names the axis of T2.
func (p Profile) plot(labelled bool, width vg.Length) *plot.Plot {
	plotted := figure.NewPlot(8)
	plotted.Title.Text = figure.Fit(plotted.Title.TextStyle, p.Plate, width*3/4)
	plotted.Title.Padding = vg.Points(4)
	plotted.X.Label.Text = "depth: bone to joint"
	if labelled {
		plotted.Y.Label.Text = "T2 (ms)"
	}
	plotted.X.Min, plotted.X.Max, plotted.Y.Min, plotted.Y.Max = 0, 1, 0, profileMostMS
	plotted.X.Tick.Marker = plot.ConstantTicks{{Value: 0, Label: "0"}, {Value: 0.5, Label: "0.5"}, {Value: 1, Label: "1"}}
	plotted.Y.Tick.Marker = plot.TickerFunc(func(low, high float64) []plot.Tick {
		var t []plot.Tick
		for ms := 0.; ms <= high; ms += figure.ScaleTickMS {
			t = append(t, plot.Tick{Value: ms, Label: short(ms)})
		}
		return t
	})
	ink := profileInk(p.Plate)
	for _, run := range p.runs() {
		var band, mean plotter.XYs
		for _, bin := range run {
			mean = append(mean, plotter.XY{X: float64(bin.Depth), Y: onScale(bin.MeanT2)})
			band = append(band, plotter.XY{X: float64(bin.Depth), Y: onScale(bin.MeanT2 + bin.sd())})
		}
		for n := range run {
			bin := run[len(run)-1-n]
			band = append(band, plotter.XY{X: float64(bin.Depth), Y: onScale(bin.MeanT2 - bin.sd())})
		}
		if area, err := plotter.NewPolygon(band); err == nil && len(mean) > 1 {
			area.Color, area.LineStyle.Width = figure.Tint(ink, 0.3), 0
			plotted.Add(area)
		}
		dots := figure.Marks(mean, ink, draw.CircleGlyph{})
		dots.Radius = vg.Points(1.8)
		plotted.Add(figure.Line(mean, ink), dots)
	}
	return plotted
}

// sd is 0 where one voxel has none.
func (b ProfileBin) sd() number.Float {
	if !isFinite(float64(b.SDT2)) {
		return 0
	}
	return b.SDT2
}

// runs returns the bins between gaps.
func (p Profile) runs() [][]ProfileBin {
	var runs [][]ProfileBin
	gap := true
	for _, b := range p.Bins {
		if !isFinite(float64(b.MeanT2)) || !isFinite(float64(b.Depth)) {
			gap = true
			continue
		}
		if gap {
			runs, gap = append(runs, nil), false
		}
		runs[len(runs)-1] = append(runs[len(runs)-1], b)
	}
	return runs
}

// onScale keeps a T2 within the plot.
func onScale(t2 number.Float) float64 { return min(max(float64(t2), 0), profileMostMS) }

// profileInk is the colour of a plate's side, for white paper.
func profileInk(plate string) color.RGBA {
	if c := lineColourOf(plate); c >= 0 {
		return figure.Colours[[...]int{0, 2, 1}[c%strongLines]]
	}
	return figure.Colours[len(figure.Colours)-1]
}
