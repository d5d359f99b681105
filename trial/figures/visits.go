package figures

import (
	"math"

	"gonum.org/v1/plot/vg"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial"
)

// visitAxis is where visits lie across a panel: by month, with true spacing.
type visitAxis struct {
	x      []float64
	words  []string
	label  string
	across figure.Range
}

// newVisitAxis returns the axis of a design's visits. Where a month is no number or
// none follows another, it goes by their order.
func newVisitAxis(d trial.Design) visitAxis {
	v := visitAxis{label: "Month"}
	for n, visit := range d.Visits {
		v.x = append(v.x, visit.Month)
		v.words = append(v.words, month(visit.Month))
		if !figure.Drawable(visit.Month) || n > 0 && visit.Month <= d.Visits[n-1].Month {
			return byOrder(d)
		}
	}
	v.across, _ = figure.Cover(v.x...)
	return v
}

func byOrder(d trial.Design) visitAxis {
	v := visitAxis{label: "Visit"}
	for n, visit := range d.Visits {
		v.x = append(v.x, float64(n))
		v.words = append(v.words, figure.Fit(small, visit.Name, 30))
	}
	v.across, _ = figure.Cover(v.x...)
	return v
}

// spacing is the least distance of two visits in a panel.
func (v visitAxis) spacing(p figure.Panel) vg.Length {
	least := p.Area.Size().X
	for n := 1; n < len(v.x); n++ {
		least = min(least, p.AtX(v.x[n])-p.AtX(v.x[n-1]))
	}
	return least
}

// draw draws the axis with its labels, as many as there is room for, and its name. It
// returns the visits that have a label: what stands below the axis stands below these.
func (v visitAxis) draw(p figure.Panel, widest vg.Length) []int {
	places := make([]vg.Length, len(v.x))
	for n, x := range v.x {
		places[n] = p.AtX(x)
		widest = max(widest, small.Width(v.words[n]))
	}
	p.BottomAxis(places)
	shown := thin(places, widest+3)
	for _, n := range shown {
		figure.Write(p.Canvas, small, vg.Point{X: places[n], Y: p.Area.Min.Y - 5}, v.words[n], figure.Center, figure.Below)
	}
	at := vg.Point{X: (p.Area.Min.X + p.Area.Max.X) / 2, Y: p.Area.Min.Y - 15}
	figure.Write(p.Canvas, small, at, v.label, figure.Center, figure.Below)
	return shown
}

// thin returns the numbers of the places that are at least that far apart: the first,
// the last, and what fits between them.
func thin(places []vg.Length, apart vg.Length) []int {
	if len(places) == 0 {
		return nil
	}
	last := len(places) - 1
	shown := []int{0}
	at := places[0]
	for n := 1; n < last; n++ {
		if places[n]-at >= apart && places[last]-places[n] >= apart {
			shown = append(shown, n)
			at = places[n]
		}
	}
	if last > 0 && places[last]-at >= apart {
		shown = append(shown, last)
	}
	return shown
}

// clamp brings y into the range.
func clamp(r figure.Range, y float64) float64 {
	if math.IsNaN(y) {
		return y
	}
	return min(max(y, r.Low), r.High)
}
