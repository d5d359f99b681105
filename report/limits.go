package report

import "github.com/t2map/t2map/number"

// Level says how serious a quality flag is.
type Level string

// The levels.
const (
	Warn Level = "warn" // look at the study
	Fail Level = "fail" // do not use the values
)

// Limits are two limits of a measure, NaN if there is none.
type Limits struct {
	Warn number.Float `json:"warn"`
	Fail number.Float `json:"fail"`
}

// QualityLimits are the quality limits that a protocol sets. A single limit has the level Warn. NaN means no
// limit.
type QualityLimits struct {
	// SNRLast and Voxels are flagged below their limits, the others above.
	SNRLast         Limits `json:"snr_last"`
	Voxels          Limits `json:"voxels"`
	ShiftPX         Limits `json:"shift_px"`
	ExcludedPercent Limits `json:"excluded_percent"`
	// The percentages of a difference are flagged in both directions.
	ErodedPercent     number.Float `json:"eroded_percent"`
	VolumePercent     number.Float `json:"volume_percent"`
	SaturatedPercent  number.Float `json:"saturated_percent"`
	ZeroPercent       number.Float `json:"zero_percent"`
	StimulatedPercent number.Float `json:"stimulated_percent"`
	ResidualChi2      number.Float `json:"residual_chi2"`
	// T2MS is the range in ms outside of which a mean is flagged.
	T2MS [2]number.Float `json:"t2_ms"`
	// Baseline is the name of the visit that is the baseline of the subjects.
	Baseline string `json:"baseline"`
}
