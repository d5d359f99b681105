package report

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
func (a Accuracy) rows() [][]string {
	rows := make([][]string, 0, len(a.Cells))
	for _, c := range a.Cells {
		rows = append(rows, []string{
			c.Method, strconv.Itoa(c.Skipped), strconv.Itoa(c.Echoes), accuracyNumber(c.Spacing), accuracyNumber(c.T2), accuracyNumber(c.SNR), accuracyNumber(c.B1), strconv.Itoa(c.Draws),
			accuracyNumber(100 * c.Bias), accuracyNumber(c.SD), accuracyNumber(c.RobustSD), accuracyNumber(c.RMSE), accuracyNumber(c.Bound), accuracyNumber(c.GaussianBound),
			accuracyNumber(c.SDOverBound()), accuracyNumber(100 * c.Coverage), accuracyNumber(100 * c.Failed),
		})
	}
	return rows
}

// accuracyNumber prints a number for a table: five digits, more than the draws know; empty
// where there is none, inf where it has no limit.
func accuracyNumber(x float64) string {
	switch {
	case math.IsNaN(x):
		return ""
	case math.IsInf(x, 0):
		return "inf"
	}
	return strconv.FormatFloat(x, 'g', 5, 64)
}

// values returns the distinct values of a coordinate of the cells, in order.
func (a Accuracy) values(of func(AccuracyCell) float64) []float64 {
	var list []float64
	for _, c := range a.Cells {
		if x := of(c); !slices.Contains(list, x) {
			list = append(list, x)
		}
	}
	slices.Sort(list)
	return list
}

func t2Of(c AccuracyCell) float64  { return c.T2 }
func snrOf(c AccuracyCell) float64 { return c.SNR }
func b1Of(c AccuracyCell) float64  { return c.B1 }
