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

// Profile is T2 against relative depth in a plate, from bone to joint.
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
	// Depth is the mean depth of the used voxels. MeanT2 and SDT2 are the mean and the standard
	// deviation of their T2. Each is NaN if there are too few voxels.
	Depth  number.Float `json:"depth"`
	MeanT2 number.Float `json:"mean_t2_ms"`
	SDT2   number.Float `json:"sd_t2_ms"`
}

// profile.png is as wide as decay.png and has a small plot for each plate.
const (
	profileCols   = 3
	profileHigh   = 2.1 * vg.Inch // of a row of plots
	profileTitle  = 0.42 * vg.Inch
	profileRows   = 3 // enough for the eight plates that a knee can have
	profileMostMS = figure.ScaleMaxMS
)

// writeProfiles writes profile.png: for each plate mean T2 ± SD against relative depth, all on the same
// scale.
func writeProfiles(w io.Writer, r Result) error {
	profiles := r.Profiles[:min(len(r.Profiles), profileCols*profileRows)]
	rows := (len(profiles) + profileCols - 1) / profileCols
	height := profileTitle + vg.Length(rows)*profileHigh + figure.ScreenMargin
	return figure.WriteScreen(w, height, func(page draw.Canvas) {
		page.Max.Y += figure.ScreenMargin // the title is in the margin
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

// plot returns the plot of a profile. The axis of T2 has a name if labelled is set.
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

// sd returns the standard deviation, or 0 if it does not exist, as for a single voxel.
func (b ProfileBin) sd() number.Float {
	if !isFinite(float64(b.SDT2)) {
		return 0
	}
	return b.SDT2
}

// runs divides the bins at gaps: bins without a mean.
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

// onScale clamps T2 to the range of the plot.
func onScale(t2 number.Float) float64 { return min(max(float64(t2), 0), profileMostMS) }

// profileInk is the colour of a plate's side on white.
func profileInk(plate string) color.RGBA {
	if c := lineColourOf(plate); c >= 0 {
		return figure.Colours[[...]int{0, 2, 1}[c%strongLines]]
	}
	return figure.Colours[len(figure.Colours)-1]
}
