package batch

import "github.com/t2map/t2map/volume"

// ReadLabels reads a label map that belongs to no study, in any format of label maps. Its
// errors have hints.
func ReadLabels(path string) (volume.Labels, error) {
	j := Job{Mask: Mask{Path: path, format: sniff(nil, path)}}
	l, err := j.openLabelMap(nil)
	if err != nil {
		return volume.Labels{}, hintMask(err)
	}
	if !l.segmented {
		return l.labels, nil
	}
	labels := volume.Labels{Geometry: l.segments.Geometry, Data: make([]uint16, l.segments.Voxels())}
	for _, s := range l.segments.Segments {
		for _, v := range s.Voxels {
			labels.Data[v] = uint16(s.Number)
		}
	}
	return labels, nil
}
