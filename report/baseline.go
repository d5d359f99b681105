package report

import (
	"math"
	"slices"
	"strings"
)

// baselines holds the baseline of each knee: what other visits of the knee are compared with.
type baselines map[knee]baseline

// knee identifies a knee of a subject over its visits.
type knee struct{ subject, side string }

// baseline holds what is compared.
type baseline struct {
	visit                          string
	scanner, software, acquisition string
	volumes                        map[string]float64 // of compartments, in mm³
}

func (r Result) knee() knee { return knee{r.Subject, r.Side} }

// atBaseline reports whether the visit of a result is the one that the protocol calls the baseline.
func (r Result) atBaseline() bool {
	return r.Protocol.Quality != nil && strings.EqualFold(r.Visit, r.Protocol.Quality.Baseline)
}

// findBaselines returns the baselines. A knee with two results at the baseline has none, because it is not known
// which one counts.
func findBaselines(results []Result) baselines {
	out := baselines{}
	seen := map[knee]bool{}
	for _, r := range results {
		if !r.atBaseline() {
			continue
		}
		k := r.knee()
		if seen[k] {
			delete(out, k)
			continue
		}
		seen[k] = true
		b := baseline{visit: r.Visit, scanner: r.Scanner.text(), software: r.Scanner.software(),
			acquisition: r.acquisition(), volumes: map[string]float64{}}
		for _, s := range r.Compartments {
			b.volumes[s.Compartment] = float64(s.VolumeMM3)
		}
		out[k] = b
	}
	return out
}

// before returns the baseline of a result's knee; false at the baseline itself, and if there is none.
func (all baselines) before(r Result) (baseline, bool) {
	if r.atBaseline() {
		return baseline{}, false
	}
	b, ok := all[r.knee()]
	return b, ok
}

// volumeChange returns the difference in percent between the volume of a compartment and that at the baseline; NaN if
// one is not known or 0.
func (all baselines) volumeChange(r Result, compartment string) float64 {
	b, ok := all.before(r)
	reference, known := b.volumes[compartment]
	if !ok || !known || reference == 0 {
		return math.NaN()
	}
	for _, s := range r.Compartments {
		if s.Compartment == compartment {
			return percentChange(float64(s.VolumeMM3), reference)
		}
	}
	return math.NaN()
}

// flags returns the flags of a result and those that follow from its baseline, those of the study first.
func (all baselines) flags(r Result) []QualityFlag {
	var study, compartments []QualityFlag
	for _, f := range r.QualityFlags {
		if f.Compartment == "" {
			study = append(study, f)
		} else {
			compartments = append(compartments, f)
		}
	}
	b, ok := all.before(r)
	if !ok {
		return append(study, compartments...)
	}
	var f flagged
	for _, c := range []struct {
		measure       Measure
		before, today string
	}{
		{MeasureBaselineScanner, b.scanner, r.Scanner.text()}, {MeasureBaselineSoftware, b.software, r.Scanner.software()},
		{MeasureBaselineAcquisition, b.acquisition, r.acquisition()},
	} {
		if c.before != c.today {
			f.add(c.measure, math.NaN(), math.NaN(), Warn)
		}
	}
	return slices.Concat(study, f.flags, compartments, all.volumeFlags(r))
}

// volumeFlags returns the flags of volumes that differ from those at the baseline. A result without limits, of
// a version before quality control, has no such flags.
func (all baselines) volumeFlags(r Result) []QualityFlag {
	if r.Protocol.Quality == nil {
		return nil
	}
	var f flagged
	for _, s := range r.Compartments {
		f.compartment = s.Compartment
		f.above(MeasureVolume, all.volumeChange(r, s.Compartment), only(r.Protocol.Quality.VolumePercent))
	}
	return f.flags
}

// flagsOf returns the flags of the study, or of one of its compartments.
func flagsOf(flags []QualityFlag, compartment string) []QualityFlag {
	var out []QualityFlag
	for _, f := range flags {
		if f.Compartment == compartment {
			out = append(out, f)
		}
	}
	return out
}
