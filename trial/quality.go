package trial

import (
	"math"
	"slices"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/table"
)

// ImageQuality describes the voxels and the images from which a T2 was computed. A number is NaN if the tables do
// not give it.
type ImageQuality struct {
	// Voxels is the number of voxels of the row, and Excluded the share of them without an accepted T2 in percent.
	Voxels, Excluded float64
	VolumeMM3        float64
	// SNRFirst and SNRLast are the signal over the noise at the first and the last echo.
	SNRFirst, SNRLast float64
	MeanR2            float64
	// Sigma is the noise of the study, in the units of its images.
	Sigma float64
}

// numbers returns all numbers of q.
func (q *ImageQuality) numbers() []*float64 {
	return []*float64{&q.Voxels, &q.Excluded, &q.VolumeMM3, &q.SNRFirst, &q.SNRLast, &q.MeanR2, &q.Sigma}
}

// Known returns the numbers of q, which are NaN if q is nil.
func (q *ImageQuality) Known() ImageQuality {
	if q == nil {
		return meanQuality(nil)
	}
	return *q
}

// readQuality reads the numbers of a row of compartments.csv. Sigma is in studies.csv.
func readQuality(r table.Row) (q ImageQuality, err error) {
	used := math.NaN()
	for _, c := range []struct {
		column string
		x      *float64
	}{{"voxels", &q.Voxels}, {"used", &used}, {"volume_mm3", &q.VolumeMM3}, {"snr_first", &q.SNRFirst},
		{"snr_last", &q.SNRLast}, {"mean_r2", &q.MeanR2}} {
		if *c.x, err = r.Number(c.column); err != nil {
			return q, err
		}
		if *c.x < 0 && c.x != &q.MeanR2 || *c.x > 1 && c.x == &q.MeanR2 {
			return q, hint.Errorf("rebuild the tables: t2map tables", "%s: %g is not possible", r.Place(c.column), *c.x)
		}
	}
	if used > q.Voxels {
		return q, hint.Errorf("rebuild the tables: t2map tables", "%s: %g is more than the %g voxels", r.Place("used"), used,
			q.Voxels)
	}
	q.Excluded, q.Sigma = 100*(q.Voxels-used)/q.Voxels, math.NaN()
	return q, nil
}

// meanQuality returns the mean of each number over those who have it.
func meanQuality(all []ImageQuality) (mean ImageQuality) {
	for i, x := range mean.numbers() {
		sum, n := 0.0, 0.0
		for _, q := range all {
			if v := *q.numbers()[i]; !math.IsNaN(v) {
				sum, n = sum+v, n+1
			}
		}
		*x = sum / n
	}
	return mean
}

// QualityCell describes the quality of one arm at one visit.
type QualityCell struct {
	// N counts the subjects with a row of the results, with or without a T2; Flagged those whose value has a
	// flag of BeyondLimit.
	N, Flagged int
	// ImageQuality has the mean of each number over the subjects who have it.
	ImageQuality
}

// quality describes the members of an arm at a visit.
func (e Endpoint) quality(members []int, visit int, flags []Flag) (c QualityCell) {
	var all []ImageQuality
	for _, s := range members {
		value := e.Values[s][visit]
		if value.Quality == nil {
			continue
		}
		all = append(all, *value.Quality)
		if slices.ContainsFunc(value.Flags, func(f int) bool { return flags[f].Kind == BeyondLimit }) {
			c.Flagged++
		}
	}
	c.N, c.ImageQuality = len(all), meanQuality(all)
	return c
}

// ContrastFlags returns the flags that touch the changes that a contrast compares, as indices into
// Analysis.Flags.
func (a *EndpointAnalysis) ContrastFlags(c Contrast) []int {
	flags := slices.Concat(a.Cells[0][c.Visit].ChangeFlags, a.Cells[c.Arm][c.Visit].ChangeFlags)
	slices.Sort(flags)
	return slices.Compact(flags)
}

// Measure is a number that has a limit of quality. Its text is the name of the limit in a plan.
type Measure string

// The measures: changes from baseline in percent (VoxelChange, VolumeChange, T2Change), the share of excluded voxels in
// percent, the SNR at the first echo over that at baseline, and T2 in ms.
const (
	VoxelChange   Measure = "voxels"
	VolumeChange  Measure = "volume"
	ExcludedShare Measure = "excluded"
	SNRRatio      Measure = "snr"
	T2Level       Measure = "t2"
	T2Change      Measure = "change"
)

// Excess is a number beyond its limit. The zero value is of flags of other kinds.
type Excess struct {
	Measure      Measure
	Value, Limit float64
}

// problems describe an Excess by its value and limit.
var problems = map[Measure]string{
	VoxelChange:   "number of voxels %+.1f %% against baseline, limit %g %%",
	VolumeChange:  "volume %+.1f %% against baseline, limit %g %%",
	ExcludedShare: "%.1f %% of the voxels are excluded, limit %g %%",
	SNRRatio:      "SNR is %.2g times that at baseline, limit a factor of %g",
	T2Level:       "T2 is %.2f ms, limit %g ms",
	T2Change:      "T2 changed by %+.1f %% from baseline, limit %g %%",
}

// flagLimits flags the values of compartments that are beyond a limit of quality.
func (j *joiner) flagLimits(endpoints []Endpoint) {
	limits := j.plan.Limits.withDefaults()
	for _, e := range endpoints {
		for s := range e.Values {
			for _, v := range e.Visits {
				value, baseline := &e.Values[s][v], e.Values[s][0]
				if math.IsNaN(value.X) {
					continue // NoResult
				}
				for _, x := range limits.excesses(*value, baseline, isMeniscus(e.Name)) {
					value.Flags = append(value.Flags, j.flagAt(s, v, Flag{Kind: BeyondLimit, Endpoint: e.Name, Excess: x}))
				}
			}
		}
	}
}

// excesses returns the numbers of a value that are beyond their limits. A number that is NaN is not. T2 of a
// meniscus has no limit, since the range is that of cartilage. Volume is not repeated if the voxels changed.
func (l Limits) excesses(value, baseline Value, meniscus bool) (all []Excess) {
	change := func(now, before float64) float64 { return 100 * (now - before) / before }
	q, first := value.Quality.Known(), baseline.Quality.Known()
	if math.IsNaN(baseline.X) { // nothing is compared with a baseline that has no T2
		first = meanQuality(nil)
	}
	voxels, volume := change(q.Voxels, first.Voxels), change(q.VolumeMM3, first.VolumeMM3)
	ratio, t2 := q.SNRFirst/first.SNRFirst, change(value.X, baseline.X)
	otherVoxels := math.Abs(voxels) > l.Voxels
	for _, x := range []struct {
		Excess
		beyond bool
	}{
		{Excess{VoxelChange, voxels, l.Voxels}, otherVoxels},
		{Excess{VolumeChange, volume, l.Volume}, math.Abs(volume) > l.Volume && !otherVoxels},
		{Excess{ExcludedShare, q.Excluded, l.Excluded}, q.Excluded > l.Excluded},
		{Excess{SNRRatio, ratio, l.SNR}, max(ratio, 1/ratio) > l.SNR},
		{Excess{T2Level, value.X, l.T2[0]}, value.X < l.T2[0] && !meniscus},
		{Excess{T2Level, value.X, l.T2[1]}, value.X > l.T2[1] && !meniscus},
		{Excess{T2Change, t2, l.Change}, math.Abs(t2) > l.Change},
	} {
		if x.beyond {
			all = append(all, x.Excess)
		}
	}
	return all
}
