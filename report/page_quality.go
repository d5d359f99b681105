package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/table"
)

// shownFlag is a quality flag of a study or of a compartment.
type shownFlag struct {
	Text  string `json:"text"`
	Level Level  `json:"level"`
}

// qualityView holds the measures of a study, which a reader of the page can unfold.
type qualityView struct {
	Shift    string       `json:"shift,omitempty"`
	Baseline string       `json:"baseline,omitempty"`
	Rows     []qualityRow `json:"rows"`
}

// qualityRow holds the measures of a compartment.
type qualityRow struct {
	Compartment string `json:"compartment"`
	SNR         string `json:"snr,omitempty"`
	Ratio       string `json:"ratio,omitempty"`
	Saturated   string `json:"saturated"`
	Zero        string `json:"zero,omitempty"`
	Excluded    string `json:"excluded,omitempty"`
	Eroded      string `json:"eroded,omitempty"`
	Chi2        string `json:"chi2,omitempty"`
	Volume      string `json:"volume,omitempty"` // change
}

// addFlags adds the flags of the study, and those of its compartments to their rows.
func (d *pageDetail) addFlags(r Result, flags []QualityFlag) {
	for _, f := range flagsOf(flags, "") {
		text := f.text()
		if f.Measure == MeasureAcquisition && len(r.Deviations) > 0 {
			text += ": " + printable.Line(DeviationsText(r.Deviations))
		}
		d.Flags = append(d.Flags, shownFlag{text, f.Level})
	}
	for n, s := range r.Compartments {
		for _, f := range flagsOf(flags, s.Compartment) {
			d.Rows[n].Flags = append(d.Rows[n].Flags, shownFlag{f.text(), f.Level})
		}
	}
}

// addWarnings adds the warnings. That about deviations is omitted if a flag lists them.
func (d *pageDetail) addWarnings(r Result, flags []QualityFlag) {
	isFlag := slices.ContainsFunc(flags, func(f QualityFlag) bool { return f.Measure == MeasureAcquisition })
	for _, w := range r.Warnings {
		if !isFlag || len(r.Deviations) == 0 || w != DeviationsWarning(r.Deviations) {
			d.Warnings = append(d.Warnings, printable.Line(w))
		}
	}
}

// addQuality adds the measures.
func (d *pageDetail) addQuality(r Result, all baselines) {
	if r.Quality == nil {
		return
	}
	d.Quality = &qualityView{Rows: []qualityRow{}}
	if s := r.shift(); !math.IsNaN(s.Pixels()) {
		px := func(x float64) string { return table.Decimals(x, decimalsShift) }
		d.Quality.Shift = fmt.Sprintf("shift between the first and the last fitted echo %s px (%s along rows, %s along "+
			"columns; correlation %s)", px(s.Pixels()), px(s.I), px(s.J), px(s.Correlation))
	}
	if b, ok := all.before(r); ok {
		d.Quality.Baseline = "volumes are compared with the visit " + printable.Line(b.visit)
	}
	for n := range r.Compartments {
		d.Quality.Rows = append(d.Quality.Rows, r.qualityRow(n, all))
	}
}

func (r Result) qualityRow(n int, all baselines) qualityRow {
	m := r.measuresOf(n)
	row := qualityRow{
		Compartment: printable.Line(m.summary.Compartment), Saturated: fmt.Sprint(m.summary.Excluded.Saturated),
		Excluded: percent(m.Excluded), Volume: signed(all.volumeChange(r, m.summary.Compartment)),
		Chi2: table.Decimals(float64(m.ResidualChi2), decimalsShift),
	}
	if m.ZeroVoxels >= 0 {
		row.Zero = fmt.Sprint(m.ZeroVoxels)
	}
	if last := table.Decimals(m.SNRLast, decimalsSNR); last != "" {
		row.SNR = table.Decimals(m.SNRFirst, decimalsSNR) + "–" + last
	}
	if ratio := table.Decimals(float64(m.S2S1), decimalsRatio); ratio != "" {
		row.Ratio = fmt.Sprintf("%s (%s)", ratio, table.Decimals(float64(m.S2S1Fit), decimalsRatio))
	}
	if t2 := table.Decimals(float64(m.ErodedMeanT2), decimalsT2); t2 != "" {
		row.Eroded = fmt.Sprintf("%s (%s)", t2, signed(m.Eroded))
	}
	return row
}

// percent prints a share, "" for NaN.
func percent(x float64) string {
	if text := table.Decimals(x, decimalsPercent); text != "" {
		return text + " %"
	}
	return ""
}

// signed prints a difference in percent with its sign, "" for NaN.
func signed(x float64) string {
	text := percent(x)
	if text != "" && x > 0 {
		text = "+" + text
	}
	return text
}

// text describes a flag: "SNR at the last echo 2.7 (limit 3)".
func (f QualityFlag) text() string {
	value, limit := table.Decimals(float64(f.Value), decimalsPercent), short(float64(f.Limit))
	words := map[Measure]string{
		MeasureSNRLast: "SNR at the last echo %s (limit %s)", MeasureExcluded: "%s %% excluded (limit %s)",
		MeasureEroded: "eroded mean %s %% off (limit %s)", MeasureT2: "mean %s ms (limit %s)",
		MeasureSaturated: "%s %% saturated (limit %s)", MeasureZero: "%s %% without signal (limit %s)",
		MeasureStimulated: "S2/S1 %s %% off the fit (limit %s)", MeasureChi2: "residual χ² %s (limit %s)",
		MeasureVolume: "volume %s %% off the baseline (limit %s)",
	}[f.Measure]
	switch f.Measure {
	case MeasureShift:
		return fmt.Sprintf("echoes shifted by %s px (limit %s)", table.Decimals(float64(f.Value), decimalsShift), limit)
	case MeasureShiftCorrelation:
		return fmt.Sprintf("shift between echoes not measurable (correlation %s, limit %s)",
			table.Decimals(float64(f.Value), decimalsShift), limit)
	case MeasureVoxels:
		return fmt.Sprintf("%s (limit %s)", printable.Counted(int(f.Value), "voxel", "voxels"), limit)
	case MeasureAcquisition:
		return printable.Counted(int(f.Value), "deviation", "deviations") + " from the protocol"
	case MeasureBaselineScanner:
		return "another scanner than at the baseline"
	case MeasureBaselineSoftware:
		return "other software of the scanner than at the baseline"
	case MeasureBaselineAcquisition:
		return "another acquisition than at the baseline"
	}
	if words == "" { // of a later version
		return printable.Line(string(f.Measure))
	}
	return fmt.Sprintf(words, value, limit)
}
