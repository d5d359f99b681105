package publish

import (
	"math"
	"slices"

	"github.com/t2map/t2map/table"
	"github.com/t2map/t2map/trial"
)

// imageColumns describe the images and the mask of a value, or their means over an arm.
var imageColumns = []table.Column[trial.ImageQuality]{
	table.Number("voxels", "Voxels of the compartment", func(q trial.ImageQuality) float64 { return q.Voxels }),
	table.Number("excluded_percent", "Voxels without an accepted T2",
		func(q trial.ImageQuality) float64 { return q.Excluded }).WithUnit("%").
		WithDerivation("100*(voxels - used)/voxels of compartments.csv"),
	table.Number("volume_mm3", "Volume of the compartment",
		func(q trial.ImageQuality) float64 { return q.VolumeMM3 }).WithUnit("mm3"),
	table.Number("snr_first", "Signal over noise at the first echo",
		func(q trial.ImageQuality) float64 { return q.SNRFirst }),
	table.Number("snr_last", "Signal over noise at the last echo",
		func(q trial.ImageQuality) float64 { return q.SNRLast }),
	table.Number("mean_r2", "Mean R2 of the fits", func(q trial.ImageQuality) float64 { return q.MeanR2 }),
	table.Number("median_sigma", "Noise of the study", func(q trial.ImageQuality) float64 { return q.Sigma }).
		WithDerivation("median over the slices, in the units of the images, of studies.csv"),
}

// qualityRow is an arm at a visit.
type qualityRow struct {
	place
	trial.QualityCell
}

var qualityColumns = func() []table.Column[qualityRow] {
	toPlace := func(r qualityRow) place { return r.place }
	return slices.Concat(table.Lift(toPlace, endpointColumns[:1]), table.Lift(toPlace, armColumns),
		table.Lift(toPlace, visitColumns), []table.Column[qualityRow]{
			table.Count("n", "Subjects with a row of the results", func(r qualityRow) int { return r.N }).
				WithDerivation("with or without a T2; of the analysis set. Other columns: means over those who have the " +
					"number"),
			table.Count("flagged", "Subjects whose value is beyond a limit of quality",
				func(r qualityRow) int { return r.Flagged }),
		}, table.Lift(func(r qualityRow) trial.ImageQuality { return r.ImageQuality }, imageColumns))
}()

// qualityTable has a row for each arm at each planned visit of a compartment.
func qualityTable(a *trial.Analysis) output {
	var rows []qualityRow
	for p := range places(a, plannedVisits) {
		if p.e.Compartment {
			rows = append(rows, qualityRow{p, p.e.Cells[p.arm][p.visit].Quality})
		}
	}
	return newOutput("quality", qualityColumns, rows)
}

// excessColumns are empty for flags of other kinds.
var excessColumns = func() []table.Column[trial.Excess] {
	x := func(name, label string, f func(trial.Excess) float64) table.Column[trial.Excess] {
		return table.Number(name, label, func(x trial.Excess) float64 {
			if x == (trial.Excess{}) {
				return math.NaN()
			}
			return f(x)
		})
	}
	return []table.Column[trial.Excess]{
		table.Text("measure", "Number that is beyond its limit", table.Derived,
			func(x trial.Excess) string { return string(x.Measure) }).
			WithTerms("voxels, volume, change: percent of baseline; excluded: percent; snr: ratio to baseline; t2: ms"),
		x("value", "Its value", func(x trial.Excess) float64 { return x.Value }),
		x("limit", "Its limit", func(x trial.Excess) float64 { return x.Limit }),
	}
}()
