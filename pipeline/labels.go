package pipeline

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/volume"
)

// LabelPair is two label maps without a study, each on its own grid, with common labels: label n of both has the name
// Names[n−1].
type LabelPair struct {
	A, B  volume.Labels
	Names []string
}

// ReadLabelPair reads two label maps in any format of label maps. Labels of the two files correspond if they have
// the same meaning in the scheme. If scheme is nil, they correspond if they have the same name in files that both
// name their segments, as those of 3D Slicer do, and otherwise if they have the same number. Segments that share
// voxels or a name are errors, and so are segments without numbers if the other file has no names, and a grid that
// takes more memory than a study may use. Errors have hints.
func ReadLabelPair(paths [2]string, scheme *segment.Scheme) (LabelPair, error) {
	var maps [2]maskRead
	for n, path := range paths {
		j := Job{Mask: Mask{Path: path, Format: Sniff(nil, path)}, Bound: MachineBound()}
		var err error
		if maps[n], err = j.openLabelMap(j.checkLabelGrid); err != nil {
			return LabelPair{}, HintMask(err)
		}
	}
	named := maps[0].segmented && maps[1].segmented
	var labels [2]volume.Labels
	var names [2][]labelName
	for n, m := range maps {
		var err error
		if labels[n], names[n], err = m.named(scheme, named); err != nil {
			return LabelPair{}, err
		}
	}
	return pairLabels(labels, names), nil
}

// checkLabelGrid checks the grid of one of two label maps without a study, see checkMaskGrid.
func (j Job) checkLabelGrid(g volume.Geometry) error {
	alone := j
	alone.Bound = Bound{}
	if err := alone.checkMaskGrid(g); err != nil {
		return err
	}
	if need := 2 * int64(g.Voxels()) * bytesPerMaskVoxel; j.Bound.Bytes > 0 && need > j.Bound.Bytes {
		return hint.Errorf("crop both masks to the knee", "the mask has %d×%d×%d voxels: two such masks do not "+
			"fit into %d MiB", g.Size[0], g.Size[1], g.Size[2], j.Bound.Bytes>>20)
	}
	return nil
}

// labelName is a label of a file, with its name and the key that pairs it with a label of the other file.
type labelName struct {
	value     uint16
	name, key string
}

// named returns the labels of the file and their names, in the order of the file.
func (m maskRead) named(scheme *segment.Scheme, byName bool) (volume.Labels, []labelName, error) {
	switch {
	case scheme != nil:
		marks, err := m.interpret(*scheme)
		var names []labelName
		for n, name := range marks.Names {
			names = append(names, labelName{uint16(n + 1), name, name})
		}
		return marks.Labels, names, err
	case m.segmented:
		return m.segmentLabels(byName)
	}
	var present [math.MaxUint16 + 1]bool
	for _, v := range m.labels.Data {
		present[v] = true
	}
	var names []labelName
	for v := 1; v < len(present); v++ {
		if present[v] {
			names = append(names, labelName{uint16(v), strconv.Itoa(v), strconv.Itoa(v)})
		}
	}
	return m.labels, names, nil
}

// segmentLabels returns the segments as labels, in their order.
func (m maskRead) segmentLabels(byName bool) (volume.Labels, []labelName, error) {
	labels := volume.Labels{Geometry: m.segments.Geometry, Data: make([]uint16, m.segments.Voxels())}
	var names []labelName
	for n, s := range m.segments.Segments {
		name := labelName{uint16(n + 1), printable.Short(s.Label), strconv.Itoa(s.Number)}
		if strings.TrimSpace(s.Label) == "" {
			name.name = strconv.Itoa(s.Number)
		}
		switch {
		case byName && strings.TrimSpace(s.Label) != "":
			name.key = " " + segment.Fold(s.Label) // unlike any number
		case s.Unnumbered:
			return labels, nil, hint.Errorf("give the labels meanings with --scheme, or save both masks with the "+
				"names of their segments", "%s: segment %q has no number of its own that could pair it",
				m.file.Path, name.name)
		}
		if index := slices.IndexFunc(names, func(o labelName) bool { return o.key == name.key }); index >= 0 {
			return labels, nil, hint.Errorf("give each segment a name of its own, or their meanings with --scheme",
				"%s: segments %d and %d are both called %q", m.file.Path, index+1, n+1, name.name)
		}
		names = append(names, name)
		for _, v := range s.Voxels {
			if other := labels.Data[v]; other != 0 {
				return labels, nil, hint.Errorf("correct the masks: each voxel belongs to one segment",
					"%s: segments %q and %q share voxels", m.file.Path, names[other-1].name, name.name)
			}
			labels.Data[v] = name.value
		}
	}
	return labels, names, nil
}

// pairLabels gives the labels of both files common numbers: numbers in ascending order, names in the order of A and
// then of B.
func pairLabels(labels [2]volume.Labels, names [2][]labelName) LabelPair {
	all := slices.Concat(names[0], names[1])
	slices.SortStableFunc(all, func(a, b labelName) int {
		x, errX := strconv.Atoi(a.key)
		y, errY := strconv.Atoi(b.key)
		if errX != nil || errY != nil {
			return 0
		}
		return cmp.Compare(x, y)
	})
	p := LabelPair{}
	number := map[string]uint16{}
	for _, name := range all {
		if number[name.key] == 0 {
			p.Names = append(p.Names, name.name)
			number[name.key] = uint16(len(p.Names))
		}
	}
	for n := range labels {
		lut := make([]uint16, math.MaxUint16+1)
		for _, name := range names[n] {
			lut[name.value] = number[name.key]
		}
		for v, label := range labels[n].Data {
			labels[n].Data[v] = lut[label]
		}
	}
	p.A, p.B = labels[0], labels[1]
	return p
}
