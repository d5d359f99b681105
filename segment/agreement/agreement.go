// Package agreement compares two masks on one grid: the overlap of each label, the difference of the
// volumes, and the distance between the surfaces. The masks may come from two readers, from a
// reader and a program, or from before and after a correction.
//
// The surface of a label consists of its voxels that have a face neighbour without the label
// or outside the grid. The distance of a surface voxel is the exact distance from its centre to
// the centre of the nearest surface voxel of the other mask, given the spacing of the grid, whose
// axes are assumed to be perpendicular. The distances in both directions are pooled (Heimann et
// al. 2009, IEEE Transactions on Medical Imaging 28:1251–1265): each surface voxel of either mask
// counts once. On a grid of thick slices, all voxels in the outermost slices of a label are surface.
//
// Volumes are in mm³, distances in mm.
package agreement

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/t2map/t2map/volume"
)

// Missing is the reason why the distances of a label do not exist.
type Missing uint8

// The reasons.
const (
	NotMissing  Missing = iota
	EmptyFirst          // the first mask has no voxel of the label
	EmptySecond         // the second has none
	EmptyBoth
)

// String returns the reason as text; "" for NotMissing.
func (m Missing) String() string {
	return [...]string{"", "no voxels in the first mask", "no voxels in the second mask", "no voxels in either mask"}[m]
}

// Label is the agreement on one label. Values that do not exist are NaN, and Missing is the reason.
type Label struct {
	Value  uint16
	Voxels [2]int
	Common int // voxels that have the label in both masks
	// Dice is 2·Common over the sum of Voxels; 0 if one mask lacks the label, and NaN if both do.
	Dice      float64
	VolumeMM3 [2]float64
	// DifferenceMM3 is the volume in the second mask minus that in the first. DifferencePercent is in
	// percent of the mean of both, and NaN if both masks lack the label.
	DifferenceMM3, DifferencePercent float64
	// MeanMM, P95MM and LargestMM are the mean, the 95th percentile (linear between order statistics)
	// and the maximum of the pooled surface distances. The maximum is the Hausdorff distance. They are
	// NaN if a mask lacks the label.
	MeanMM, P95MM, LargestMM float64
	Missing                  Missing
}

// Compare returns the agreement of two masks on the given labels, in their order. If labels is nil, it
// compares all labels that occur in either mask, in increasing order. Masks on different grids, to the
// tolerance of volume.Geometry, are an error; see segment.OnGrid. If ctx ends, its error is returned.
func Compare(ctx context.Context, a, b volume.Labels, labels []uint16) ([]Label, error) {
	if err := sameGrid(a, b); err != nil {
		return nil, err
	}
	boxes := extents(a, b)
	if labels == nil {
		for value := range boxes {
			labels = append(labels, value)
		}
		slices.Sort(labels)
	}
	var out []Label
	for _, value := range labels {
		x := Label{Value: value}
		if e := boxes[value]; e != nil {
			x.Voxels, x.Common = e.voxels, e.common
		}
		x.volumes(a.VoxelVolume())
		x.MeanMM, x.P95MM, x.LargestMM = math.NaN(), math.NaN(), math.NaN()
		if x.Missing == NotMissing {
			x.distances(ctx, a, b, *boxes[value])
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

// sameGrid checks that the masks have the same size and the same positions of their corners.
func sameGrid(a, b volume.Labels) error {
	if a.Size != b.Size || len(a.Data) != a.Voxels() || len(b.Data) != b.Voxels() {
		return fmt.Errorf(
			"masks have %v and %v voxels, with %d and %d labels", a.Size, b.Size, len(a.Data), len(b.Data),
		)
	}
	farthest := a.Distance(b.Geometry)
	if !(farthest <= a.Tolerance()) { // false for NaN
		return fmt.Errorf("the voxel centres of the masks lie up to %.2f mm apart (allowed %.2f mm)", farthest, a.Tolerance())
	}
	return nil
}

// volumes sets the values that follow from the numbers of voxels.
func (x *Label) volumes(voxel float64) {
	n := [2]float64{float64(x.Voxels[0]), float64(x.Voxels[1])}
	x.VolumeMM3 = [2]float64{n[0] * voxel, n[1] * voxel}
	x.DifferenceMM3 = (n[1] - n[0]) * voxel
	x.Dice = 2 * float64(x.Common) / (n[0] + n[1]) // NaN for 0/0
	x.DifferencePercent = 100 * (n[1] - n[0]) / ((n[0] + n[1]) / 2)
	switch {
	case n[0] == 0 && n[1] == 0:
		x.Missing = EmptyBoth
	case n[0] == 0:
		x.Missing = EmptyFirst
	case n[1] == 0:
		x.Missing = EmptySecond
	}
}

// extent is the bounding box of a label in both masks, with its numbers of voxels.
type extent struct {
	voxels    [2]int
	common    int
	low, high [3]int // high is exclusive
}

// extents returns the extents of all labels except 0.
func extents(a, b volume.Labels) map[uint16]*extent {
	all := map[uint16]*extent{}
	var last uint16
	var e *extent
	extentOf := func(value uint16) *extent {
		if e == nil || value != last {
			if last, e = value, all[value]; e == nil {
				e = &extent{low: a.Size}
				all[value] = e
			}
		}
		return e
	}
	for v, first := range a.Data {
		second := b.Data[v]
		if first|second == 0 {
			continue
		}
		index := a.Index(v)
		if first != 0 {
			extentOf(first).add(index, 0)
		}
		if second != 0 {
			extentOf(second).add(index, 1)
		}
		if first == second {
			e.common++
		}
	}
	return all
}

func (e *extent) add(index [3]int, mask int) {
	e.voxels[mask]++
	for d, x := range index {
		e.low[d], e.high[d] = min(e.low[d], x), max(e.high[d], x+1)
	}
}
