package segment

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/t2map/t2map/number"
	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/volume"
)

// Number is a float64 whose NaN, meaning absent, is null in JSON.
type Number = number.Float

// Excluded counts the voxels of a region that are excluded, by reason.
type Excluded struct {
	LowSignal    int `json:"low_signal"`
	NotDecaying  int `json:"not_decaying"`
	NotConverged int `json:"not_converged"`
	OutOfRange   int `json:"t2_out_of_range"`
	PoorFit      int `json:"poor_fit"`
	AtBound      int `json:"at_bound"`
	Saturated    int `json:"saturated"`
	Fluid        int `json:"fluid"`
}

// field returns the count of a status, or nil for a status that excludes no voxel. Only this function maps
// statuses to fields.
func (e *Excluded) field(s volume.Status) *int {
	switch s {
	case volume.LowSignal:
		return &e.LowSignal
	case volume.NotDecaying:
		return &e.NotDecaying
	case volume.NotConverged:
		return &e.NotConverged
	case volume.OutOfRange:
		return &e.OutOfRange
	case volume.PoorFit:
		return &e.PoorFit
	case volume.AtBound:
		return &e.AtBound
	case volume.Saturated:
		return &e.Saturated
	case volume.Fluid:
		return &e.Fluid
	}
	return nil
}

// Each yields every exclusion with its number of voxels, including 0, in the order of volume.Exclusions:
// for status, n := range e.Each { … }.
func (e Excluded) Each(yield func(s volume.Status, n int) bool) {
	for _, s := range volume.Exclusions {
		if !yield(s, *e.field(s)) {
			return
		}
	}
}

// Total returns the number of excluded voxels.
func (e Excluded) Total() int {
	total := 0
	for _, n := range e.Each {
		total += n
	}
	return total
}

// inWords converts the name of a column to text.
var inWords = strings.NewReplacer("_", " ", "t2", "T2")

// Reasons returns the exclusions that occur as texts, such as "3 low signal" or "1 T2 out of range".
func (e Excluded) Reasons() []string {
	var out []string
	for s, n := range e.Each {
		if n > 0 {
			out = append(out, fmt.Sprintf("%d %s", n, inWords.Replace(s.String())))
		}
	}
	return out
}

// count counts a voxel of the given status, and reports whether the status is an exclusion.
func (e *Excluded) count(s volume.Status) bool {
	n := e.field(s)
	if n == nil {
		return false
	}
	*n++
	return true
}

// All is the value of Region or Layer in rows that cover all of them.
const All = "all"

// Summary is one row of the results of a study. Values are over the used voxels. They are NaN if there are
// too few voxels, with the reason in Note.
type Summary struct {
	Compartment string `json:"compartment"`
	// Region is a plate, such as medial-tibial, a region of it, such as
	// medial-tibial-central, or All; Layer is deep, superficial, layer-1 and so on from the
	// bone, or All.
	Region   string   `json:"region"`
	Layer    string   `json:"layer"`
	Voxels   int      `json:"voxels"` // in the row: Used + Excluded.Total()
	Used     int      `json:"used"`   // with status Fitted
	Excluded Excluded `json:"excluded"`
	MeanT2   Number   `json:"mean_t2_ms"`
	// SEMeanT2 is the uncertainty of MeanT2 due to image noise:
	// √(Σ SE²)/Used over the voxels' standard errors, whose noise is independent. It
	// does not include errors of the model or the mask, or the variation between scans. NaN if a
	// voxel has no standard error.
	SEMeanT2 Number `json:"se_mean_t2_ms"`
	SDT2     Number `json:"sd_t2_ms"` // of the sample, n − 1
	// Quartiles interpolate linearly between order statistics (type 7 of
	// Hyndman & Fan 1996, 10.1080/00031305.1996.10473566, numpy's default).
	MedianT2  Number `json:"median_t2_ms"`
	Q1T2      Number `json:"q1_t2_ms"`
	Q3T2      Number `json:"q3_t2_ms"`
	MeanR2    Number `json:"mean_r2"`    // mean coefficient of determination; NaN if a voxel has none
	VolumeMM3 Number `json:"volume_mm3"` // Voxels × volume of a voxel, including excluded voxels
	// MeanFraction is the mean over Voxels of the fraction of a voxel that the mask covers; 1 if the mask
	// is on the grid of the series.
	MeanFraction Number `json:"mean_fraction"`
	// PlateMeanT2 is the unweighted mean of the mean T2 of the compartment's plates; NaN for other rows,
	// or if a plate has no T2.
	PlateMeanT2 Number `json:"plate_mean_t2_ms"`
	// Texture is the variation of T2 from voxel to voxel. It is not computed for layers, which are too
	// thin for pairs of voxels.
	Texture Texture `json:"texture"`
	Note    string  `json:"note"`
}

// Texture is the co-occurrence of T2 in the voxels of a row, see package texture. Values are NaN if they
// were not computed, or if there are too few pairs of voxels.
type Texture struct {
	Pairs       int    `json:"pairs"`
	Contrast    Number `json:"contrast"`
	Entropy     Number `json:"entropy"` // in nats
	Homogeneity Number `json:"homogeneity"`
}

// The notes of Summary.
const (
	noteEmpty = "no voxels in the mask"
	noteNone  = "no voxel with a sound T2"
	noteOne   = "one voxel with a sound T2, no SD"
)

// Summarize returns one Summary per name in r, in the same order. Voxels with status Fitted are used; the
// others are counted by reason. Sums are in voxel order in float64, so that the values do not depend on
// the machine.
//
// A compartment without voxels, or without used voxels, has NaN values and a Note. It is an error if m and
// r differ in size, or if a voxel of a region was not fitted, has an unknown status, or is Fitted without
// a T2.
func Summarize(m volume.Maps, r Regions) ([]Summary, error) {
	rows := make([]row, len(r.Names))
	rowsOf := make([][]int, len(r.Names))
	for n, name := range r.Names {
		rows[n], rowsOf[n] = row{name, All, All}, []int{n}
	}
	return summarize(m, r, r.Data, rows, rowsOf)
}

// SummarizeParts returns one Summary per plate, region and layer in r, by compartment: first its layers,
// then each plate with its layers, then its regions with theirs. If the mask marks compartments, it
// returns none. Otherwise it is like Summarize.
func SummarizeParts(m volume.Maps, r Regions) ([]Summary, error) {
	if r.Part == nil {
		return nil, nil
	}
	rows, rowsOf := r.partRows()
	return summarize(m, r, r.Part, rows, rowsOf)
}

// SetPlateMeans sets PlateMeanT2 of the whole compartments from the summaries of their plates. It stays
// NaN if a plate is missing or has no T2, and if voxels of the compartment belong to no plate: the mean of
// some plates is not that of the compartment.
func SetPlateMeans(whole, parts []Summary) {
	for n := range whole {
		sum, plates, voxels := 0.0, 0, 0
		for _, p := range parts {
			if p.Compartment == whole[n].Compartment && p.Layer == All &&
				slices.Contains(anatomy.Plates(), anatomy.Plate(p.Region)) &&
				p.Voxels > 0 {
				sum += float64(p.MeanT2)
				plates++
				voxels += p.Voxels
			}
		}
		if plates > 0 && plates == platesOf(whole[n].Compartment) && voxels == whole[n].Voxels {
			whole[n].PlateMeanT2 = Number(sum / float64(plates))
		}
	}
}

// platesOf returns the number of plates of a compartment.
func platesOf(compartment string) int {
	n := 0
	for _, p := range anatomy.Plates() {
		if p.Compartment() == compartment && string(p) != compartment {
			n++
		}
	}
	return n
}

// summarize returns one Summary per row. member is the part of each voxel, starting with 1, and rowsOf the
// rows of each part.
func summarize(m volume.Maps, r Regions, member []uint16, rows []row, rowsOf [][]int) ([]Summary, error) {
	if err := sameGrid(m, r); err != nil {
		return nil, err
	}
	sums := make([]rowSum, len(rows))
	for v, part := range member {
		if part == 0 {
			continue
		}
		if int(part) > len(rowsOf) {
			return nil, fmt.Errorf("voxel %s: region %d of %d", voxelIndex(r, v), part, len(rowsOf))
		}
		status := m.Status[v]
		used := status == volume.Fitted && !math.IsNaN(float64(m.T2[v]))
		for _, n := range rowsOf[part-1] {
			s := &sums[n]
			s.voxels++
			if r.Fraction != nil {
				s.fraction += float64(r.Fraction[v])
			}
			if used {
				s.add(m, v)
			} else if !s.excluded.count(status) {
				return nil, fmt.Errorf("voxel %s of %s: status %v, T2 %g ms: mask and fit disagree",
					voxelIndex(r, v), rows[n].compartment, status, m.T2[v])
			}
		}
	}
	out := make([]Summary, len(rows))
	for n, s := range sums {
		out[n] = s.summary(rows[n], r.VoxelVolume())
		if r.Fraction == nil && s.voxels > 0 {
			out[n].MeanFraction = 1
		}
	}
	return out, nil
}

// rowSum accumulates the voxels of a row.
type rowSum struct {
	voxels   int
	excluded Excluded
	fraction float64   // sum over the voxels
	t2       []float64 // of the used voxels
	r2       float64   // sums over the used voxels
	variance float64
}

// add adds a used voxel.
func (s *rowSum) add(m volume.Maps, v int) {
	s.t2 = append(s.t2, float64(m.T2[v]))
	s.r2 += float64(m.R2[v])
	s.variance += float64(float64(m.SE[v]) * float64(m.SE[v]))
}

// summary returns the summary of the row.
func (s rowSum) summary(r row, voxelVolume float64) Summary {
	out := Summary{Compartment: r.compartment, Region: r.region, Layer: r.layer, Voxels: s.voxels, Excluded: s.excluded}
	out.fill(s.t2, s.r2, voxelVolume)
	out.SEMeanT2 = Number(math.Sqrt(s.variance) / float64(len(s.t2))) // 0/0 is NaN: absent
	out.MeanFraction = Number(s.fraction / float64(s.voxels))
	nan := Number(math.NaN())
	out.PlateMeanT2, out.Texture = nan, Texture{Contrast: nan, Entropy: nan, Homogeneity: nan}
	return out
}

// sameGrid checks that all arrays have one value per voxel of the same grid.
func sameGrid(m volume.Maps, r Regions) error {
	if m.Size != r.Size {
		return fmt.Errorf("maps of %v voxels, mask of %v", m.Size, r.Size)
	}
	n := r.Voxels()
	if len(r.Data) != n || len(m.T2) != n || len(m.R2) != n || len(m.SE) != n || len(m.Status) != n {
		return fmt.Errorf(
			"mask, T2, R², SE, status have %d, %d, %d, %d, %d values, want %d", len(r.Data), len(m.T2), len(m.R2),
			len(m.SE), len(m.Status), n,
		)
	}
	return nil
}

// voxelIndex returns the index of voxel v as (i, j, k).
func voxelIndex(r Regions, v int) string {
	i := r.Index(v)
	return fmt.Sprintf("(%d, %d, %d)", i[0], i[1], i[2])
}

// fill sets the values from the T2 of the used voxels, which it sorts, and the sum of their R².
func (s *Summary) fill(t2 []float64, r2, voxelVolume float64) {
	nan := Number(math.NaN())
	s.MeanT2, s.SDT2, s.MedianT2, s.Q1T2, s.Q3T2, s.MeanR2, s.VolumeMM3 = nan, nan, nan, nan, nan, nan, nan
	s.Used = len(t2)
	if s.Voxels == 0 {
		s.Note = noteEmpty
		return
	}
	s.VolumeMM3 = Number(float64(s.Voxels) * voxelVolume)
	if s.Used == 0 {
		s.Note = noteNone
		return
	}
	if s.Used == 1 {
		s.Note = noteOne
	}
	mean, sd := meanSD(t2)
	s.MeanT2, s.SDT2 = Number(mean), Number(sd)
	s.MeanR2 = Number(r2 / float64(s.Used))
	slices.Sort(t2)
	s.Q1T2, s.MedianT2, s.Q3T2 = Number(quantile(t2, 0.25)), Number(quantile(t2, 0.5)), Number(quantile(t2, 0.75))
}

// meanSD returns the mean and the sample standard deviation √(Σ(x−mean)²/(n−1))
// of at least one value; the SD of one is NaN. gonum's stat sums in an order
// that its assembly for each processor chooses; this one sums in voxel order,
// the same to the last bit everywhere.
func meanSD(x []float64) (mean, sd float64) {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	mean = sum / float64(len(x))
	if len(x) < 2 {
		return mean, math.NaN()
	}
	squares := 0.0
	for _, v := range x {
		d := v - mean
		squares += float64(d * d) // the conversion forbids fusing with the sum
	}
	return mean, math.Sqrt(squares / float64(len(x)-1))
}

// quantile returns the p-quantile of sorted values by linear interpolation at
// position (n−1)·p, counted from 0, type 7 of Hyndman & Fan. gonum's LinInterp is
// their type 4 (position n·p counted from 1), whose median of an even number of
// values is the lower of the middle two.
func quantile(sorted []float64, p float64) float64 {
	h := float64(len(sorted)-1) * p
	low := math.Floor(h)
	n := int(low)
	if n+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[n] + float64((h-low)*(sorted[n+1]-sorted[n]))
}
