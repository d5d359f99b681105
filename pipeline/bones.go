package pipeline

import (
	"context"

	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/segment/resample"
	"github.com/t2map/t2map/volume"
)

// bones are the voxels that a mask marks as bone. They are not reported, but help to divide the cartilage, so that a
// registered mask for a reader to correct must contain them. A voxel with Data n > 0 belongs to names[n−1].
type bones struct {
	volume.Labels
	names []string
}

// bonesOf returns the bones of the marks; it is empty if there are none. It clears the other voxels of the marks.
func bonesOf(m segment.Marks) bones {
	isBone := make([]bool, len(m.Names)+1)
	for n, name := range m.Names {
		t := anatomy.TissueNamed(name)
		isBone[n+1] = t == anatomy.Femur || t == anatomy.Tibia || t == anatomy.Patella || t == anatomy.Fibula
	}
	any := false
	for v, mark := range m.Data {
		if isBone[mark] {
			any = true
		} else {
			m.Data[v] = 0
		}
	}
	if !any {
		return bones{}
	}
	return bones{Labels: m.Labels, names: m.Names}
}

// placeBones brings the bones onto the grid of the job's series, as place does with the other tissues. Bones
// compete for voxels only with each other, so that they take none from the cartilage.
func (j Job) placeBones(
	ctx context.Context, b bones, d protocol.Division, transform *volume.Rigid, workers int,
) (bones, error) {
	if len(b.Data) == 0 {
		return b, nil
	}
	f, err := resample.ComputeFractions(ctx, b.Labels, j.Train.Geometry, resample.Options{
		ThicknessMM: j.Train.Thickness, Transform: transform, LeastCovered: resample.AnyCover, Workers: workers,
	})
	if err != nil {
		return bones{}, err
	}
	assigned, err := f.Assign(d.WithDefaults().MinFraction, nil)
	return bones{Labels: assigned.Labels, names: b.names}, err
}

// addTo adds the bones to voxels of label 0, in the labels of a scheme. A bone that the scheme does not contain is
// omitted.
func (b bones) addTo(labels volume.Labels, s segment.Scheme) {
	numbers := make([]uint16, len(b.names)+1)
	for n, name := range b.names {
		numbers[n+1] = numberOf(s, name)
	}
	for v, n := range b.Data {
		if labels.Data[v] == 0 {
			labels.Data[v] = numbers[n]
		}
	}
}

// numberOf returns the first label of the scheme with that name, 0 if there is none.
func numberOf(s segment.Scheme, name string) uint16 {
	for _, l := range s.Labels {
		if l.Name == name {
			return l.Value
		}
	}
	return 0
}
