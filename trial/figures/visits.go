package figures

import (
	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial"
)

// newVisitAxis returns the axis of some of a design's visits, to scale by month. Visits are placed by order if a
// month is not a number or months do not ascend.
func newVisitAxis(d trial.Design, visits []int) figure.Steps {
	var months []float64
	var words []string
	d.Visits = pick(d.Visits, visits)
	for n, visit := range d.Visits {
		months, words = append(months, visit.Month), append(words, month(visit.Month))
		if !figure.Drawable(visit.Month) || n > 0 && visit.Month <= months[n-1] {
			return figure.ByOrder("Visit", figure.FitAll(figure.Small, visitNames(d), 30))
		}
	}
	return figure.ToScale("Month", months, words)
}

// pick returns the elements with these indices.
func pick[T any](all []T, indices []int) []T {
	var out []T
	for _, i := range indices {
		out = append(out, all[i])
	}
	return out
}
