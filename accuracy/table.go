package accuracy

import (
	"math"
	"slices"
	"strconv"
)

var accuracyColumns = []string{
	"method", "skipped_echoes", "echoes", "echo_spacing_ms", "t2_ms", "snr", "b1", "draws",
	"median_bias_percent", "sd_ms", "robust_sd_ms", "rmse_ms", "cramer_rao_sd_ms", "cramer_rao_sd_gaussian_ms",
	"sd_over_bound", "coverage_percent", "failed_percent",
}

// rows returns accuracy.csv, a row per cell.
func (a Result) rows() [][]string {
	rows := make([][]string, 0, len(a.Cells))
	for _, c := range a.Cells {
		rows = append(rows, []string{
			c.Method, strconv.Itoa(c.Skipped), strconv.Itoa(c.Echoes), cellNumber(c.Spacing), cellNumber(c.T2), cellNumber(c.SNR), cellNumber(c.B1), strconv.Itoa(c.Draws),
			cellNumber(100 * c.Bias), cellNumber(c.SD), cellNumber(c.RobustSD), cellNumber(c.RMSE), cellNumber(c.Bound), cellNumber(c.GaussianBound),
			cellNumber(c.SDOverBound()), cellNumber(100 * c.Coverage), cellNumber(100 * c.Failed),
		})
	}
	return rows
}

// cellNumber prints a number for a table: five digits, more than the draws know; empty
// where there is none, inf where it has no limit.
func cellNumber(x float64) string {
	switch {
	case math.IsNaN(x):
		return ""
	case math.IsInf(x, 0):
		return "inf"
	}
	return strconv.FormatFloat(x, 'g', 5, 64)
}

// values returns the distinct values of a coordinate of the cells, in order.
func (a Result) values(of func(Cell) float64) []float64 {
	var list []float64
	for _, c := range a.Cells {
		if x := of(c); !slices.Contains(list, x) {
			list = append(list, x)
		}
	}
	slices.Sort(list)
	return list
}

func t2Of(c Cell) float64  { return c.T2 }
func snrOf(c Cell) float64 { return c.SNR }
func b1Of(c Cell) float64  { return c.B1 }
