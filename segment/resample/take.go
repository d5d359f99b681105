package resample

import (
	"fmt"
	"math"

	"github.com/t2map/t2map/volume"
)

// DefaultThreshold is the fraction from which a voxel is assigned to a label: most of it is tissue.
const DefaultThreshold = 0.5

// Assignment holds the voxels of a series that are assigned to labels.
type Assignment struct {
	// Labels holds the label of each voxel; 0 if it is not assigned.
	volume.Labels
	// Voxels are the indices of the voxels that a group covers at least in part, increasing. Fraction is
	// the largest fraction of the voxel that one group covers, whether it is assigned or not.
	Voxels   []uint32
	Fraction []float32
	// Means has an entry for each label that has a group, in increasing order, including labels
	// without voxels.
	Means []Mean
}

// Mean is the mean fraction of the voxels that are assigned to a label.
type Mean struct {
	Label, Group uint16
	Voxels       int
	// Fraction is the mean fraction of these voxels that the label's group covers; NaN without voxels.
	Fraction float64
	// VolumeMM3 is the volume of the label in all voxels, assigned or not: the sum of its fractions
	// times the volume of a voxel, which includes the gap between slices.
	VolumeMM3 float64
}

// Assign assigns each voxel to the group of labels that covers the largest fraction of it, if this
// fraction is at least the threshold, and within the group to the label that covers most. In a tie, the
// lower number wins.
//
// Labels that divide one tissue, such as regions and layers, belong to one group, so that no voxel is lost
// where they meet. group holds the group of each label at its index. Labels that are not in it, or that
// have group 0, get no voxels and do not compete. If group is nil, each label is its own group. A
// threshold of 0 means DefaultThreshold; other values outside 0 to 1 are an error.
func (f Fractions) Assign(threshold float64, group []uint16) (Assignment, error) {
	if threshold == 0 {
		threshold = DefaultThreshold
	}
	if !(threshold > 0 && threshold <= 1) {
		return Assignment{}, fmt.Errorf("the threshold of the fraction is %g, want 0 to 1", threshold)
	}
	out := Assignment{Labels: volume.Labels{Geometry: f.Geometry, Data: make([]uint16, f.Geometry.Voxels())}}
	means := f.means(group)
	sums := make([]float64, len(means))
	var c contest
	for n, voxel := range f.Voxels {
		start, end := f.Start[n], f.Start[n+1]
		best := c.winner(f.Label[start:end], f.Fraction[start:end], means)
		if best.group == 0 {
			continue
		}
		out.Voxels, out.Fraction = append(out.Voxels, voxel), append(out.Fraction, best.fraction)
		if float64(best.fraction) >= threshold {
			out.Data[voxel] = best.label
			m := &means[best.label]
			m.Voxels++
			sums[best.label] += float64(best.fraction)
		}
	}
	for _, label := range f.Labels {
		m := means[label]
		if m.Group == 0 {
			continue
		}
		m.Fraction = math.NaN()
		if m.Voxels > 0 {
			m.Fraction = sums[label] / float64(m.Voxels)
		}
		m.VolumeMM3 *= f.VoxelVolume()
		out.Means = append(out.Means, m)
	}
	return out, nil
}

// means returns a Mean for each label, at its index, with its group. Its VolumeMM3 is in voxels.
func (f Fractions) means(group []uint16) []Mean {
	if len(f.Labels) == 0 {
		return nil
	}
	out := make([]Mean, int(f.Labels[len(f.Labels)-1])+1)
	for _, label := range f.Labels {
		out[label].Label = label
		switch {
		case group == nil:
			out[label].Group = label
		case int(label) < len(group):
			out[label].Group = group[label]
		}
	}
	for n, label := range f.Label {
		out[label].VolumeMM3 += float64(f.Fraction[n])
	}
	return out
}

// share is the fraction of a voxel that a group covers, and the label of the group that covers most, with
// its own fraction.
type share struct {
	group, label  uint16
	fraction, own float32
}

// contest holds the groups of one voxel.
type contest []share

// winner returns the group that covers most; its group is 0 if there is none. labels are increasing.
func (c *contest) winner(labels []uint16, fractions []float32, means []Mean) share {
	*c = (*c)[:0]
	for n, label := range labels {
		if g := means[label].Group; g != 0 {
			c.add(g, label, fractions[n])
		}
	}
	var best share
	for _, s := range *c {
		if s.fraction > best.fraction || s.fraction == best.fraction && s.group < best.group {
			best = s
		}
	}
	return best
}

func (c *contest) add(group, label uint16, fraction float32) {
	for n := range *c {
		if s := &(*c)[n]; s.group == group {
			s.fraction += fraction
			if fraction > s.own {
				s.label, s.own = label, fraction
			}
			return
		}
	}
	*c = append(*c, share{group, label, fraction, fraction})
}

// Shares returns, for each voxel of the series, the fraction that its label's group covers; 0 if the voxel
// is not assigned.
func (t Assignment) Shares() []float32 {
	out := volume.Floats(t.Geometry.Voxels())
	for n, voxel := range t.Voxels {
		if t.Data[voxel] != 0 {
			out[voxel] = t.Fraction[n]
		}
	}
	return out
}
