package protocol

import (
	"fmt"
	"math"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/number"
	"github.com/t2map/t2map/report"
)

// Quality holds the limits of quality control. A field that is nil or empty has its default. An infinite limit, and 0
// where values below the limit are flagged, switch a flag off. A measure whose warning is switched off has no limit of
// failing by default either.
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

// levels are the limits of a measure that has two, as they are written.
type levels struct {
	name, failKey string // as in the file
	warn, fail    *float64
	// below reports that values below the limits are flagged. Then 0 means no limit.
	below    bool
	defaults report.Limits
	settled  func(*report.QualityLimits) *report.Limits
}

// levels returns the measures that have two limits.
func (q Quality) levels() []levels {
	return []levels{
		{"snr_last", "fail", q.SNRLast.Warn, q.SNRLast.Fail, true, defaultQuality.SNRLast,
			func(l *report.QualityLimits) *report.Limits { return &l.SNRLast }},
		{"voxels", "least", q.Voxels.Warn, q.Voxels.Least, true, defaultQuality.Voxels,
			func(l *report.QualityLimits) *report.Limits { return &l.Voxels }},
		{"shift_px", "fail", q.Shift.Warn, q.Shift.Fail, false, defaultQuality.ShiftPX,
			func(l *report.QualityLimits) *report.Limits { return &l.ShiftPX }},
		{"excluded_percent", "fail", q.Excluded.Warn, q.Excluded.Fail, false, defaultQuality.ExcludedPercent,
			func(l *report.QualityLimits) *report.Limits { return &l.ExcludedPercent }},
	}
}

// limits returns the limits, with NaN for one that is switched off.
func (l levels) limits() report.Limits {
	limit := func(written float64) number.Float {
		if l.below && written == 0 {
			return number.Float(math.NaN())
		}
		return number.Finite(written)
	}
	out := l.defaults
	if l.warn != nil {
		if out.Warn = limit(*l.warn); !isLimit(out.Warn) {
			out.Fail = out.Warn
		}
	}
	if l.fail != nil {
		out.Fail = limit(*l.fail)
	}
	return out
}

func isLimit(x number.Float) bool { return !math.IsNaN(float64(x)) }

// check returns an error if a study could fail before it is warned of.
func (l levels) check() error {
	const consequence = "a study would fail without a warning"
	all := l.limits()
	text := func(limit number.Float, written *float64) string {
		if written == nil {
			return fmt.Sprintf("%g (the default)", float64(limit))
		}
		return fmt.Sprintf("%g", float64(limit))
	}
	switch {
	case isLimit(all.Fail) && !isLimit(all.Warn):
		return hint.Errorf("switch off both, or write a limit for warn", "quality: %s: warn is switched off and %s is %s: %s",
			l.name, l.failKey, text(all.Fail, l.fail), consequence)
	case l.below && all.Fail > all.Warn:
		return fmt.Errorf("quality: %s: %s is above warn: %s and %s: %s", l.name, l.failKey, text(all.Fail, l.fail),
			text(all.Warn, l.warn), consequence)
	case !l.below && all.Fail < all.Warn:
		return fmt.Errorf("quality: %s: %s is below warn: %s and %s: %s", l.name, l.failKey, text(all.Fail, l.fail),
			text(all.Warn, l.warn), consequence)
	}
	return nil
}

// Limits returns all limits, with NaN for a flag that is switched off.
func (q Quality) Limits() report.QualityLimits {
	out := defaultQuality
	for _, l := range q.levels() {
		*l.settled(&out) = l.limits()
	}
	set := func(limit *number.Float, written *float64) {
		if written != nil {
			*limit = number.Finite(*written)
		}
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
	for _, l := range q.levels() {
		if err := l.check(); err != nil {
			return err
		}
	}
	return nil
}
