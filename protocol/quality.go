package protocol

import (
	"fmt"
	"math"

	"github.com/t2map/t2map/number"
	"github.com/t2map/t2map/report"
)

// Quality holds the limits of quality control. A field that is nil or empty has its default. An infinite limit, and 0
// where values below the limit are flagged, switch a flag off.
type Quality struct {
	// SNRLast is the signal of the last echo over the noise, flagged below.
	SNRLast Limits `yaml:"snr_last"`
	// Shift is the shift between the first and the last fitted echo in pixels, and Excluded the share of excluded
	// voxels in percent, flagged above.
	Shift    Limits `yaml:"shift_px"`
	Excluded Limits `yaml:"excluded_percent"`
	// Voxels is the number of voxels of a compartment, flagged below.
	Voxels VoxelLimits `yaml:"voxels"`
	// Eroded is the difference in percent between the mean of the eroded mask and the mean of the mask, and Volume
	// that between the volumes of a visit and the baseline.
	Eroded *float64 `yaml:"eroded_percent"`
	Volume *float64 `yaml:"volume_percent"`
	// T2 is the range of means in ms.
	T2 []float64 `yaml:"t2_ms"`
	// Saturated and Zero are shares of saturated voxels, and of voxels without signal at a fitted echo, in percent.
	Saturated *float64 `yaml:"saturated_percent"`
	Zero      *float64 `yaml:"zero_percent"`
	// Stimulated is the difference in percent between S2/S1 and the same ratio of the fit, and Chi2 the residual χ²
	// per degree of freedom. Both have no limit by default, because they depend on the sequence.
	Stimulated *float64 `yaml:"stimulated_percent"`
	Chi2       *float64 `yaml:"residual_chi2"`
	// Baseline is the name of the visit with which others are compared; empty means "baseline".
	Baseline string `yaml:"baseline"`
}

// Limits are the limits of a measure; nil is the default.
type Limits struct {
	Warn *float64 `yaml:"warn"`
	Fail *float64 `yaml:"fail"`
}

// VoxelLimits are the limits of a number of voxels; nil is the default.
type VoxelLimits struct {
	Warn  *float64 `yaml:"warn"`
	Least *float64 `yaml:"least"`
}

// defaultQuality holds the defaults. Quality control of multi-echo knees commonly uses the first five and the
// percentages of erosion and volume; they are conventions of the field, without a published derivation. A saturated
// voxel is never expected. A cartilage of which 1 % has no signal at an echo was masked by the scanner.
var defaultQuality = report.QualityLimits{
	SNRLast:           report.Limits{Warn: 5, Fail: 3},
	ShiftPX:           report.Limits{Warn: 0.5, Fail: 1},
	ExcludedPercent:   report.Limits{Warn: 10, Fail: 25},
	Voxels:            report.Limits{Warn: 200, Fail: 50},
	T2MS:              [2]number.Float{20, 70},
	ErodedPercent:     5,
	VolumePercent:     20,
	SaturatedPercent:  0,
	ZeroPercent:       1,
	StimulatedPercent: number.Float(math.NaN()),
	ResidualChi2:      number.Float(math.NaN()),
	Baseline:          "baseline",
}

// Limits returns all limits, with NaN for a flag that is switched off.
func (q Quality) Limits() report.QualityLimits {
	out := defaultQuality
	set := func(limit *number.Float, written *float64) {
		if written != nil {
			*limit = number.Finite(*written)
		}
	}
	for _, l := range []struct {
		limits     *report.Limits
		warn, fail *float64
	}{
		{&out.SNRLast, q.SNRLast.Warn, q.SNRLast.Fail}, {&out.ShiftPX, q.Shift.Warn, q.Shift.Fail},
		{&out.ExcludedPercent, q.Excluded.Warn, q.Excluded.Fail}, {&out.Voxels, q.Voxels.Warn, q.Voxels.Least},
	} {
		set(&l.limits.Warn, l.warn)
		set(&l.limits.Fail, l.fail)
	}
	set(&out.ErodedPercent, q.Eroded)
	set(&out.VolumePercent, q.Volume)
	set(&out.SaturatedPercent, q.Saturated)
	set(&out.ZeroPercent, q.Zero)
	set(&out.StimulatedPercent, q.Stimulated)
	set(&out.ResidualChi2, q.Chi2)
	if len(q.T2) == len(out.T2MS) {
		out.T2MS = [2]number.Float{number.Float(q.T2[0]), number.Finite(q.T2[1])}
	}
	if q.Baseline != "" {
		out.Baseline = q.Baseline
	}
	return out
}

// check returns an error if limits are not numbers, negative, above 100 % of a share, or if a study can fail before it
// is warned of.
func (q Quality) check() error {
	for _, l := range []struct {
		name  string
		value *float64
		share bool
	}{
		{"snr_last: warn", q.SNRLast.Warn, false}, {"snr_last: fail", q.SNRLast.Fail, false},
		{"shift_px: warn", q.Shift.Warn, false}, {"shift_px: fail", q.Shift.Fail, false},
		{"excluded_percent: warn", q.Excluded.Warn, true}, {"excluded_percent: fail", q.Excluded.Fail, true},
		{"voxels: warn", q.Voxels.Warn, false}, {"voxels: least", q.Voxels.Least, false},
		{"eroded_percent", q.Eroded, false}, {"volume_percent", q.Volume, false},
		{"saturated_percent", q.Saturated, true}, {"zero_percent", q.Zero, true},
		{"stimulated_percent", q.Stimulated, false}, {"residual_chi2", q.Chi2, false},
	} {
		switch {
		case l.value == nil:
		case !(*l.value >= 0):
			return fmt.Errorf("quality: %s: %g is not a limit of 0 or more", l.name, *l.value)
		case l.share && *l.value > 100 && !math.IsInf(*l.value, 1):
			return fmt.Errorf("quality: %s: %g is more than 100 %%; .inf switches the flag off", l.name, *l.value)
		}
	}
	if q.T2 != nil && !(len(q.T2) == 2 && q.T2[0] >= 0 && q.T2[1] > q.T2[0]) {
		return fmt.Errorf("quality: t2_ms: %v is not a range [low, high]", q.T2)
	}
	limits := q.Limits()
	for _, l := range []struct {
		name         string
		first, later number.Float
		below        string
	}{
		{"snr_last", limits.SNRLast.Fail, limits.SNRLast.Warn, "fail is above warn"},
		{"voxels", limits.Voxels.Fail, limits.Voxels.Warn, "least is above warn"},
		{"shift_px", limits.ShiftPX.Warn, limits.ShiftPX.Fail, "fail is below warn"},
		{"excluded_percent", limits.ExcludedPercent.Warn, limits.ExcludedPercent.Fail, "fail is below warn"},
	} {
		if l.first > l.later {
			return fmt.Errorf("quality: %s: %s: a study would fail without a warning (%g and %g)", l.name, l.below,
				float64(l.first), float64(l.later))
		}
	}
	return nil
}
