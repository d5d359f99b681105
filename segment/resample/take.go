package resample

import (
	"fmt"
	"math"

	"github.com/t2map/t2map/volume"
)

// DefaultThreshold is the fraction from which a voxel is taken: most of it is tissue.
const DefaultThreshold = 0.5

// Assignment is the voxels of a series that were given to labels.
type Assignment struct {
	// Labels holds the label of each voxel, 0 where none was taken.
	volume.Labels
	// Voxels are those that some group covers in part, increasing, and Fraction what the
	// group that covers most of it covers, whether the voxel was taken or not.
	Voxels   []uint32
	Fraction []float32
	// Means are those of the labels that a group has, in increasing order, also of those to
	// which no voxel went.
	Means []Mean
}

// Mean is the mean fraction of the voxels that went to a label.
type Mean struct {
	Label, Group uint16
	Voxels       int
	// Fraction is the mean of what the label's group covers of the voxels; NaN without voxels.
	Fraction float64
	// VolumeMM3 is the volume that the label covers, in all voxels, taken or not: the sum of
	// its fractions times the volume of a voxel, to which a gap between slices counts.
	VolumeMM3 float64
}

// Assign gives each voxel to the group of labels that covers most of it, if that is the
// threshold or more, and in the group to the label that covers most of it. Of equals, the
// group and the label of the lower number win.
//
// Labels that divide one tissue, such as regions and layers, belong to one group, so that a
// voxel is not lost to the tissue where they meet. group has the group of each label
// at its index; labels beyond its end, and those of group 0, get no voxels and compete for none.
// Without groups each label is a group of its own. A threshold of 0 means
// DefaultThreshold; it is an error if it is not between 0 and 1.
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

// means returns a Mean for each label, at its index, with its group; VolumeMM3 still counts voxels.
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

// share is what a group covers of a voxel, and its label that covers most, with its part.
type share struct {
	group, label  uint16
	fraction, own float32
}

// contest is the groups of one voxel.
type contest []share

// winner returns the group that covers most; its group is 0 where none does. Labels increase.
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

// Shares returns, for each voxel of the series, what its label's group covers of it; 0 where no label was
// taken.
func (t Assignment) Shares() []float32 {
	out := volume.Floats(t.Geometry.Voxels())
	for n, voxel := range t.Voxels {
		if t.Data[voxel] != 0 {
			out[voxel] = t.Fraction[n]
		}
	}
	return out
}
