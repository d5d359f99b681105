package figures

import (
	"math"
	"slices"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial/mmrm"
)

// forestWidest is the width of the widest interval that is not cut, in widths of the median interval.
// Intervals of a trial usually differ less, because visits and arms lose subjects.
const forestWidest = 6

// forestRange returns the range of the axis of estimates: 0, all estimates, and their intervals, each as
// far as half of forestWidest median widths from its estimate. It reports whether that cuts any.
func forestRange(all []mmrm.Estimate) (scale figure.Range, cut bool) {
	var widths []float64
	for _, m := range all {
		if w := m.High - m.Low; figure.Drawable(w) {
			widths = append(widths, w)
		}
	}
	reach := math.Inf(1)
	if len(widths) > 0 {
		slices.Sort(widths)
		// The lower of two medians, so that of two intervals the narrower one counts.
		reach = forestWidest / 2 * widths[(len(widths)-1)/2]
	}
	show := []float64{0}
	for _, m := range all {
		show = append(show, m.Value, max(m.Low, m.Value-reach), min(m.High, m.Value+reach))
	}
	scale, _ = figure.Cover(show...)
	scale = scale.Pad(0.06)
	return scale, slices.ContainsFunc(all, func(m mmrm.Estimate) bool { return scale.Cuts([]float64{m.Low, m.High}) })
}

// decimalsFor returns decimals, or up to two more if a limit would be rounded to 0, which hides its sign.
func decimalsFor(all []mmrm.Estimate, decimals int) int {
	const extra = 2
	need := decimals
	for _, m := range all {
		for _, x := range []float64{m.Low, m.High} {
			for d := decimals; d <= decimals+extra && figure.Drawable(x) && x != 0; d++ {
				if math.Abs(x) >= 0.5*math.Pow(10, -float64(d)) {
					need = max(need, d)
					break
				}
			}
		}
	}
	return need
}
