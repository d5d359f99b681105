package report

import (
	"cmp"
	"math"

	"github.com/t2map/t2map/number"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/segment/quality"
)

// Quality holds measures of how far the values of a study can be trusted, in addition to those in its compartments and
// decays.
type Quality struct {
	// ShiftI and ShiftJ are the shift in pixels, along rows and columns, between the first and the last fitted echo
	// in the neighbourhood of the mask. ShiftCorrelation is the correlation of their gradients. They are NaN if the
	// images show no gradients there.
	ShiftI           number.Float `json:"shift_i_px"`
	ShiftJ           number.Float `json:"shift_j_px"`
	ShiftCorrelation number.Float `json:"shift_correlation"`
	// Compartments holds the measures of each element of Result.Compartments.
	Compartments []CompartmentQuality `json:"compartments"`
}

// CompartmentQuality holds measures of one compartment, NaN if they do not exist.
type CompartmentQuality struct {
	Compartment string `json:"compartment"`
	// S2S1 is the ratio of the mean signals at the second and at the first echo, and S2S1Fit that of the fitted curve.
	S2S1    number.Float `json:"s2_s1"`
	S2S1Fit number.Float `json:"s2_s1_fit"`
	// ZeroVoxels is the number of voxels with a magnitude of 0 at a fitted echo.
	ZeroVoxels int `json:"zero_voxels"`
	// ErodedVoxels is the number of used voxels that are not at the edge of the mask, and ErodedMeanT2 their mean.
	ErodedVoxels int          `json:"eroded_voxels"`
	ErodedMeanT2 number.Float `json:"eroded_mean_t2_ms"`
	// ResidualChi2 is the residual χ² per degree of freedom.
	ResidualChi2 number.Float `json:"residual_chi2"`
}

// Measure names a measure of quality, as the key of its limit in a protocol or, for measures without a limit, as the
// difference that it finds.
type Measure string

// The measures.
const (
	MeasureSNRLast             Measure = "snr_last"
	MeasureShift               Measure = "shift_px"
	MeasureShiftCorrelation    Measure = "shift_correlation" // too low to measure the shift
	MeasureExcluded            Measure = "excluded_percent"
	MeasureVoxels              Measure = "voxels"
	MeasureEroded              Measure = "eroded_percent"
	MeasureT2                  Measure = "t2_ms"
	MeasureSaturated           Measure = "saturated_percent"
	MeasureZero                Measure = "zero_percent"
	MeasureStimulated          Measure = "stimulated_percent"
	MeasureChi2                Measure = "residual_chi2"
	MeasureAcquisition         Measure = "acquisition" // number of deviations from the protocol
	MeasureVolume              Measure = "volume_percent"
	MeasureBaselineScanner     Measure = "baseline_scanner"
	MeasureBaselineSoftware    Measure = "baseline_software"
	MeasureBaselineAcquisition Measure = "baseline_acquisition"
)

// QualityFlag says that a measure is beyond its limit.
type QualityFlag struct {
	Measure Measure `json:"measure"`
	// Compartment is "" for a measure of the whole study.
	Compartment string `json:"compartment,omitempty"`
	// Value and Limit are NaN for measures that have none.
	Value number.Float `json:"value"`
	Limit number.Float `json:"limit"`
	Level Level        `json:"level"`
}

// ratioDigits rounds a ratio to nine decimals: math.Exp differs between processors in the last digit of a float64.
const ratioDigits = 1e9

// S2S1 returns the ratio of the second echo to the first in a decay, and in the curve that was fitted to it. The curve
// of a skipped echo is that of the model without stimulated echoes: a decay, with the offset of a fitted echo if the
// model has one.
func (d Decay) S2S1(te []float64, skipped int) (measured, fitted number.Float) {
	nan := number.Float(math.NaN())
	if len(te) < 2 || len(d.Signal) < 2 {
		return nan, nan
	}
	decay := func(e int) float64 { return float64(d.S0) * math.Exp(-te[e]/float64(d.T2)) }
	curve := func(e int) float64 {
		switch {
		case len(d.Model) == 0:
			return decay(e)
		case e >= skipped:
			return float64(d.Model[e])
		}
		// At high signal, the difference of the Rician model from a decay is as small as at the first fitted echo.
		return decay(e) + float64(d.Model[skipped]) - decay(skipped)
	}
	return number.Finite(float64(d.Signal[1] / d.Signal[0])), number.Finite(math.Round(curve(1)/curve(0)*ratioDigits) /
		ratioDigits)
}

// measures holds everything that quality control knows about a compartment.
type measures struct {
	summary segment.Summary
	CompartmentQuality
	SNRFirst, SNRLast                  float64
	Stimulated, Excluded, Zero, Eroded float64 // percent
	Saturated                          float64 // percent
}

// measuresOf returns the measures of the compartment with that index.
func (r Result) measuresOf(n int) measures {
	s := r.Compartments[n]
	nan := number.Float(math.NaN())
	m := measures{summary: s, CompartmentQuality: CompartmentQuality{S2S1: nan, S2S1Fit: nan, ZeroVoxels: -1,
		ErodedVoxels: -1, ErodedMeanT2: nan, ResidualChi2: nan}}
	d := r.decayOf(s.Compartment)
	m.SNRFirst, m.SNRLast = float64(d.SNRFirst), float64(d.SNRLast)
	share := func(voxels int) float64 { return 100 * float64(voxels) / float64(s.Voxels) } // 0/0 is NaN: absent
	m.Saturated, m.Excluded = share(s.Excluded.Saturated), share(s.Excluded.Total())
	m.Zero = math.NaN()
	if r.Quality != nil && n < len(r.Quality.Compartments) {
		m.CompartmentQuality = r.Quality.Compartments[n]
		m.Zero = share(m.ZeroVoxels)
	}
	m.Stimulated = percentChange(float64(m.S2S1), float64(m.S2S1Fit))
	m.Eroded = percentChange(float64(m.ErodedMeanT2), float64(s.MeanT2))
	return m
}

// percentChange returns the difference of a value from a reference in percent of the reference.
func percentChange(value, reference float64) float64 { return 100 * (value/reference - 1) }

// shift returns the shift between echoes; NaN if it is not known.
func (r Result) shift() quality.Shift {
	if r.Quality == nil {
		nan := math.NaN()
		return quality.Shift{I: nan, J: nan, Correlation: nan}
	}
	return quality.Shift{I: float64(r.Quality.ShiftI), J: float64(r.Quality.ShiftJ),
		Correlation: float64(r.Quality.ShiftCorrelation)}
}

// FindFlags returns the flags of a result that follow from the result alone: first those of the study, then those of
// its compartments in their order. A compartment without voxels has no flags; its note says that it is empty.
func (r Result) FindFlags() []QualityFlag {
	limits := r.Protocol.Quality
	if limits == nil {
		return nil
	}
	var f flagged
	if n := len(r.Deviations); n > 0 {
		f.add(MeasureAcquisition, float64(n), 0, Warn)
	}
	f.shift(r.shift(), limits.ShiftPX)
	for n, s := range r.Compartments {
		if s.Voxels == 0 {
			continue
		}
		m := r.measuresOf(n)
		f.compartment = s.Compartment
		if !segment.IsMeniscus(s.Compartment) { // whose T2 of about 13 ms leaves no signal at the last echo
			f.below(MeasureSNRLast, m.SNRLast, limits.SNRLast)
			f.above(MeasureT2, float64(s.MeanT2), only(limits.T2MS[1]))
			f.below(MeasureT2, float64(s.MeanT2), only(limits.T2MS[0]))
		}
		f.above(MeasureExcluded, m.Excluded, limits.ExcludedPercent)
		f.below(MeasureVoxels, float64(s.Voxels), limits.Voxels)
		// The mean of a few voxels differs by chance, and that of the middle of thin cartilage because T2 varies with
		// depth.
		if !(float64(m.ErodedVoxels) < float64(limits.Voxels.Fail)) && m.ErodedVoxels >= s.Used/leastEroded {
			f.above(MeasureEroded, m.Eroded, only(limits.ErodedPercent))
		}
		f.above(MeasureSaturated, m.Saturated, only(limits.SaturatedPercent))
		f.above(MeasureZero, m.Zero, only(limits.ZeroPercent))
		f.above(MeasureStimulated, m.Stimulated, only(limits.StimulatedPercent))
		f.above(MeasureChi2, float64(m.ResidualChi2), only(limits.ResidualChi2))
	}
	return f.flags
}

// leastEroded is the part of the used voxels, as a fraction 1/leastEroded, that must remain after erosion for a flag.
// Cartilage of three voxels across keeps a third.
const leastEroded = 4

// only returns limits of which only the first level exists.
func only(limit number.Float) Limits { return Limits{Warn: limit, Fail: number.Float(math.NaN())} }

// flagged collects flags.
type flagged struct {
	compartment string
	flags       []QualityFlag
}

func (f *flagged) add(m Measure, value, limit float64, level Level) {
	f.flags = append(f.flags, QualityFlag{Measure: m, Compartment: f.compartment, Value: number.Finite(value),
		Limit: number.Float(limit), Level: level})
}

// above adds a flag if the size of the value is above a limit. NaN, a value or a limit, is not.
func (f *flagged) above(m Measure, value float64, l Limits) {
	switch size := math.Abs(value); {
	case size > float64(l.Fail):
		f.add(m, value, float64(l.Fail), Fail)
	case size > float64(l.Warn):
		f.add(m, value, float64(l.Warn), Warn)
	}
}

// shift adds a flag if the shift between echoes is above a limit, or if it cannot be measured: then it may be large,
// and a large one may be accidental.
func (f *flagged) shift(s quality.Shift, l Limits) {
	switch {
	case math.IsNaN(float64(l.Warn)) && math.IsNaN(float64(l.Fail)): // switched off
	case s.Correlation < quality.LeastCorrelation:
		f.add(MeasureShiftCorrelation, s.Correlation, quality.LeastCorrelation, Warn)
	default:
		f.above(MeasureShift, s.Pixels(), l)
	}
}

// below adds a flag if the value is below a limit.
func (f *flagged) below(m Measure, value float64, l Limits) {
	switch {
	case value < float64(l.Fail):
		f.add(m, value, float64(l.Fail), Fail)
	case value < float64(l.Warn):
		f.add(m, value, float64(l.Warn), Warn)
	}
}

// Worst returns the more serious level of flags, "" without flags.
func Worst(flags []QualityFlag) (level Level) {
	for _, f := range flags {
		if level = cmp.Or(level, f.Level); f.Level == Fail {
			return Fail
		}
	}
	return level
}
