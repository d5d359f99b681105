package figures

import (
	"math"
	"slices"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial/mmrm"
)

// forestWidest is how many times as wide as the median interval one may be that is shown
// whole: ordinary ones of a trial differ by visits and arms that lost subjects, by less.
const forestWidest = 6

// forestRange returns what the axis of estimates shows: no difference, all of them, and
// their intervals, each as far as half of forestWidest median widths from its estimate.
// It says whether that cuts any.
func forestRange(all []mmrm.Estimate) (across figure.Range, cut bool) {
	var widths []float64
	for _, m := range all {
		if w := m.High - m.Low; figure.Drawable(w) {
			widths = append(widths, w)
		}
	}
	reach := math.Inf(1)
	if len(widths) > 0 {
		slices.Sort(widths)
		// The lower of two medians: of two intervals, one of them is the ordinary one.
		reach = forestWidest / 2 * widths[(len(widths)-1)/2]
	}
	show := []float64{0}
	for _, m := range all {
		show = append(show, m.Value, max(m.Low, m.Value-reach), min(m.High, m.Value+reach))
	}
	across, _ = figure.Cover(show...)
	across = across.Pad(0.06)
	for _, m := range all {
		for _, x := range []float64{m.Low, m.High} {
			cut = cut || figure.Drawable(x) && !across.Has(x)
		}
	}
	return across, cut
}

// decimalsFor returns at least that many decimals, and as many more as let no limit
// round to 0, which would hide on which side of it a limit lies. Two more are
// enough for those that a reader can tell from 0.
func decimalsFor(all []mmrm.Estimate, decimals int) int {
	const more = 2
	need := decimals
	for _, m := range all {
		for _, x := range []float64{m.Low, m.High} {
			for d := decimals; d <= decimals+more && figure.Drawable(x) && x != 0; d++ {
				if math.Abs(x) >= 0.5*math.Pow(10, -float64(d)) {
					need = max(need, d)
					break
				}
			}
		}
	}
	return need
}
