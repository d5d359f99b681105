package accuracy

import (
	"math"
	"slices"

	"github.com/t2map/t2map/table"
)

// cellColumns are the columns of accuracy.csv, which has a row for each cell.
var cellColumns = []table.Column[Cell]{
	table.Text("method", "Method", table.Assigned, func(c Cell) string { return c.Method }),
	table.Count("skipped_echoes", "First echoes that are not fitted", func(c Cell) int { return c.Skipped }),
	table.Count("echoes", "Echoes of the train", func(c Cell) int { return c.Echoes }),
	numbers("echo_spacing_ms", "First echo time and echo spacing", func(c Cell) float64 { return c.Spacing }),
	numbers("t2_ms", "True T2", func(c Cell) float64 { return c.T2 }),
	numbers("snr", "S0 over the standard deviation of the noise", func(c Cell) float64 { return c.SNR }),
	numbers("b1", "Angle of the refocusing pulses over 180°", func(c Cell) float64 { return c.B1 }),
	table.Count("draws", "Draws of the noise", func(c Cell) int { return c.Draws }),
	numbers("median_bias_percent", "Bias of the median", func(c Cell) float64 { return 100 * c.Bias }),
	numbers("sd_ms", "Standard deviation", func(c Cell) float64 { return c.SD }),
	numbers("robust_sd_ms", "Standard deviation from the quartiles", func(c Cell) float64 { return c.RobustSD }),
	numbers("rmse_ms", "Root mean square error", func(c Cell) float64 { return c.RMSE }),
	numbers("cramer_rao_sd_ms", "Cramér–Rao bound, Rician noise", func(c Cell) float64 { return c.Bound }),
	numbers("cramer_rao_sd_gaussian_ms", "Cramér–Rao bound, Gaussian noise",
		func(c Cell) float64 { return c.GaussianBound }),
	numbers("sd_over_bound", "Standard deviation over its bound", Cell.SDOverBound),
	numbers("coverage_percent", "Intervals that contain the true T2", func(c Cell) float64 { return 100 * c.Coverage }),
	numbers("failed_percent", "Draws without an estimate", func(c Cell) float64 { return 100 * c.Failed }),
}

// numbers returns a column of numbers with five digits, more than the draws support. An
// infinite number is inf.
func numbers(name, label string, value func(Cell) float64) table.Column[Cell] {
	c := table.Significant(name, label, 5, value)
	finite := c.Cell
	c.Cell = func(r Cell) string {
		if math.IsInf(value(r), 0) {
			return "inf"
		}
		return finite(r)
	}
	return c
}

// values returns the distinct values of a coordinate of the cells, in order.
func (a Result) values(coordinate func(Cell) float64) []float64 {
	var list []float64
	for _, c := range a.Cells {
		if x := coordinate(c); !slices.Contains(list, x) {
			list = append(list, x)
		}
	}
	slices.Sort(list)
	return list
}

func t2Of(c Cell) float64  { return c.T2 }
func snrOf(c Cell) float64 { return c.SNR }
func b1Of(c Cell) float64  { return c.B1 }
