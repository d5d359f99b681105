package report

import (
	"math"
	"slices"
	"strings"

	"github.com/t2map/t2map/number"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/table"
)

// qcTable is the table of quality control in the folder of results.
const qcTable = "qc.csv"

// qcRow is a row of qc.csv: a compartment with its measures, and those of its study.
type qcRow struct {
	measures
	result       Result
	baseline     string  // name of the visit
	volumeChange float64 // percent
	flags        []QualityFlag
}

// qcRows returns a row for each compartment. A row has the flags of its study and of its compartment.
func (r Result) qcRows(all baselines) []qcRow {
	var rows []qcRow
	flags := all.flags(r)
	b, _ := all.before(r)
	for n, s := range r.Compartments {
		rows = append(rows, qcRow{measures: r.measuresOf(n), result: r, baseline: b.visit,
			volumeChange: all.volumeChange(r, s.Compartment),
			flags:        slices.Concat(flagsOf(flags, ""), flagsOf(flags, s.Compartment))})
	}
	return rows
}

// The decimals of qc.csv that other tables do not have.
const (
	decimalsRatio   = 3
	decimalsShift   = 2
	decimalsPercent = 1
)

// fixed returns a column with decimals and a unit.
func fixed(name, label, unit string, decimals int, value func(qcRow) float64) table.Column[qcRow] {
	return table.Fixed(name, label, decimals, value).WithUnit(unit)
}

// plain converts a value for a column.
func plain(value func(qcRow) number.Float) func(qcRow) float64 {
	return func(r qcRow) float64 { return float64(value(r)) }
}

// ofShift returns a value of the study's shift; NaN if it was not measured.
func ofShift(value func(*Quality) number.Float) func(qcRow) float64 {
	return func(r qcRow) float64 {
		if r.result.Quality == nil {
			return math.NaN()
		}
		return float64(value(r.result.Quality))
	}
}

// ofSummary returns a value of the compartment's summary.
func ofSummary(value func(segment.Summary) number.Float) func(qcRow) float64 {
	return func(r qcRow) float64 { return float64(value(r.summary)) }
}

// qcEchoColumns compare echoes with each other, with the noise and with the fit.
var qcEchoColumns = []table.Column[qcRow]{
	fixed("snr_first", "Signal over noise at the first fitted echo", "", decimalsSNR,
		func(r qcRow) float64 { return r.SNRFirst }),
	fixed("snr_last", "Signal over noise at the last echo", "", decimalsSNR,
		func(r qcRow) float64 { return r.SNRLast }),
	fixed("shift_px", "Shift between the first and the last fitted echo", "px", decimalsShift,
		func(r qcRow) float64 { return r.result.shift().Pixels() }),
	fixed("shift_i_px", "Shift along a row", "px", decimalsShift,
		ofShift(func(q *Quality) number.Float { return q.ShiftI })),
	fixed("shift_j_px", "Shift along a column", "px", decimalsShift,
		ofShift(func(q *Quality) number.Float { return q.ShiftJ })),
	fixed("shift_correlation", "Correlation of the gradients of both echoes", "", decimalsRatio,
		ofShift(func(q *Quality) number.Float { return q.ShiftCorrelation })),
	fixed("s2_s1", "Mean signal of the second echo over that of the first", "", decimalsRatio,
		plain(func(r qcRow) number.Float { return r.S2S1 })),
	fixed("s2_s1_fit", "The same ratio of the fitted curve", "", decimalsRatio,
		plain(func(r qcRow) number.Float { return r.S2S1Fit })),
	fixed("stimulated_percent", "Difference between both ratios", "%", decimalsPercent,
		func(r qcRow) float64 { return r.Stimulated }),
}

// qcVoxelColumns are about the voxels of the mask.
var qcVoxelColumns = []table.Column[qcRow]{
	table.Count("voxels", "Voxels", func(r qcRow) int { return r.summary.Voxels }),
	fixed("volume_mm3", "Volume", "mm3", decimalsVolume,
		ofSummary(func(s segment.Summary) number.Float { return s.VolumeMM3 })),
	table.Count("saturated_voxels", "Saturated voxels", func(r qcRow) int { return r.summary.Excluded.Saturated }),
	table.Count("zero_voxels", "Voxels without signal at a fitted echo", func(r qcRow) int { return r.ZeroVoxels }),
	fixed("excluded_percent", "Share of excluded voxels", "%", decimalsPercent,
		func(r qcRow) float64 { return r.Excluded }),
	fixed("mean_t2_ms", "Mean T2", "ms", decimalsT2,
		ofSummary(func(s segment.Summary) number.Float { return s.MeanT2 })),
	table.Count("eroded_voxels", "Used voxels that are not at the edge of the mask",
		func(r qcRow) int { return r.ErodedVoxels }),
	fixed("eroded_mean_t2_ms", "Their mean T2", "ms", decimalsT2,
		plain(func(r qcRow) number.Float { return r.ErodedMeanT2 })),
	fixed("eroded_percent", "Difference between both means", "%", decimalsPercent,
		func(r qcRow) float64 { return r.Eroded }),
	fixed("residual_chi2", "Residual χ² per degree of freedom", "", decimalsRatio,
		plain(func(r qcRow) number.Float { return r.ResidualChi2 })),
}

// qcColumns are the columns of qc.csv.
var qcColumns = func() []table.Column[qcRow] {
	return slices.Concat(
		table.Lift(func(r qcRow) identified { return r.result.identified() }, identityColumns),
		[]table.Column[qcRow]{
			table.Text("compartment", "Compartment", table.Derived, func(r qcRow) string { return r.summary.Compartment }),
			table.Text("level", "Most serious level of the flags", table.Derived,
				func(r qcRow) string { return string(Worst(r.flags)) }).WithTerms("warn, fail or empty"),
			table.Text("flags", "Measures beyond their limits", table.Derived,
				func(r qcRow) string { return flagNames(r.flags) }),
		},
		qcEchoColumns, qcVoxelColumns,
		[]table.Column[qcRow]{
			table.Text("deviations", "Deviations from the acquisition that the protocol expects", table.Derived,
				func(r qcRow) string { return DeviationsText(r.result.Deviations) }),
			table.Text("baseline", "Visit that is the baseline", table.FromSettings, func(r qcRow) string { return r.baseline }),
			fixed("volume_percent", "Difference of the volume from the baseline", "%", decimalsPercent,
				func(r qcRow) float64 { return r.volumeChange }),
		},
		table.Lift(func(r qcRow) Result { return r.result }, []table.Column[Result]{protocolColumn}),
	)
}()

// flagNames lists flags as "shift_px:fail snr_last:warn".
func flagNames(flags []QualityFlag) string {
	var names []string
	for _, f := range flags {
		names = append(names, string(f.Measure)+":"+string(f.Level))
	}
	return strings.Join(names, " ")
}
