package nrrd

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/t2map/t2map/samples"
	"github.com/t2map/t2map/volume"
)

// segmentOf is a segment and the place of its voxels: those with a value in a layer.
type segmentOf struct {
	index   int // in the names of its keys
	value   uint16
	layer   int
	segment volume.Segment
}

// segmentKey matches the key of an attribute of a segment: Segment0_Name, or Segment_Name if there
// is only one segment.
var segmentKey = regexp.MustCompile(`^Segment(\d{0,6})_(\w+)$`)

// setSegments interprets the table of segments, in the order of their indices.
func (f *file) setSegments(h *header) error {
	attributes := map[int]map[string]string{}
	for key, value := range h.keys {
		m := segmentKey.FindStringSubmatch(key)
		if m == nil {
			continue
		}
		n, err := strconv.Atoi(m[1])
		if err != nil {
			n = -1
		}
		if attributes[n] == nil {
			attributes[n] = map[string]string{}
		}
		attributes[n][m[2]] = value
	}
	for n, index := range slices.Sorted(maps.Keys(attributes)) {
		s := segmentOf{index: index}
		if err := s.setPlace(attributes[index], n, f.layers()); err != nil {
			return samples.Mark(samples.FaultSegments, err)
		}
		s.segment = described(attributes[index])
		f.segments = append(f.segments, s)
	}
	return f.number()
}

// setPlace interprets the layer and the label value of the n-th of all segments. As in Slicer
// (vtkMRMLSegmentationStorageNode.cxx), a missing value is 1, and a missing layer is n, or the last
// layer.
func (s *segmentOf) setPlace(attributes map[string]string, n, layers int) error {
	s.value, s.layer = 1, min(n, layers-1)
	if text, there := attributes["LabelValue"]; there {
		v, err := strconv.ParseUint(strings.TrimSpace(text), 10, 16)
		if err != nil || v == 0 {
			return fmt.Errorf("%s: %.20q, want 1 to %d", s.key("LabelValue"), text, math.MaxUint16)
		}
		s.value = uint16(v)
	}
	if text, there := attributes["Layer"]; there {
		var err error
		if s.layer, err = strconv.Atoi(strings.TrimSpace(text)); err != nil || s.layer < 0 || s.layer >= layers {
			return fmt.Errorf("%s: %.20q, but the file has layers 0 to %d", s.key("Layer"), text, layers-1)
		}
	}
	return nil
}

// key returns the name of an attribute in the file.
func (s segmentOf) key(attribute string) string {
	if s.index < 0 {
		return "Segment_" + attribute
	}
	return fmt.Sprintf("Segment%d_%s", s.index, attribute)
}

// number sets the numbers of the segments, and checks that no two have the same voxels.
func (f *file) number() error {
	type voxels struct {
		layer int
		value uint16
	}
	seen := map[voxels]string{}
	values := map[uint16]bool{}
	for _, s := range f.segments {
		if other, twice := seen[voxels{s.layer, s.value}]; twice {
			return samples.Mark(
				samples.FaultSegments,
				fmt.Errorf("%s: %d in layer %d, as %s", s.key("LabelValue"), s.value, s.layer, other),
			)
		}
		seen[voxels{s.layer, s.value}] = s.key("LabelValue")
		values[s.value] = true
	}
	for n := range f.segments {
		s := &f.segments[n]
		s.segment.Number = int(s.value)
		if len(values) < len(f.segments) {
			s.segment.Number, s.segment.Unnumbered = n+1, true
		}
	}
	return nil
}

// described returns the segment with its name and codes.
func described(attributes map[string]string) volume.Segment {
	g := volume.Segment{Label: cmp.Or(attributes["Name"], attributes["ID"])}
	for tag := range strings.SplitSeq(attributes["Tags"], "|") {
		if entry, ok := strings.CutPrefix(tag, "TerminologyEntry:"); ok {
			setCodes(&g, entry)
		}
	}
	return g
}

// The parts of a terminology entry, between tildes (vtkSlicerTerminologiesModuleLogic,
// SerializeTerminologyEntry): the name of a context, category, type and its modifier, the name of a context of
// anatomy, region and its modifier. A code is SCT^85756007^Tissue.
const (
	entryType           = 2
	entryTypeModifier   = 3
	entryRegion         = 5
	entryRegionModifier = 6
)

func setCodes(g *volume.Segment, entry string) {
	parts := strings.Split(entry, "~")
	code := func(n int) (c volume.Code, ok bool) {
		if n >= len(parts) {
			return c, false
		}
		words := strings.SplitN(parts[n], "^", 3)
		if len(words) < 3 || words[0] == "" || words[1] == "" {
			return c, false
		}
		return volume.Code{Scheme: words[0], Value: words[1], Meaning: words[2]}, true
	}
	g.Type, _ = code(entryType)
	if c, ok := code(entryRegion); ok {
		g.Regions = append(g.Regions, c)
	}
	for _, n := range []int{entryTypeModifier, entryRegionModifier} {
		if c, ok := code(n); ok {
			g.Modifiers = append(g.Modifiers, c)
		}
	}
}

// mostOverlap is the largest number of segments per voxel, on average over the grid, as for DICOM's
// segments.
const mostOverlap = 8

// divide reads the voxels of the segments, at most most; 0 means mostOverlap for each voxel of the
// grid.
func (f *file) divide(data *samples.Reader, most int) (volume.Segmentation, error) {
	out := volume.Segmentation{Geometry: f.geometry}
	segment := map[uint64]int{}
	for n, s := range f.segments {
		out.Segments = append(out.Segments, s.segment)
		segment[uint64(s.layer)<<16|uint64(s.value)] = n
	}
	inner, layers := 1, f.layers() // the values before a step along the axis of layers
	if layers > 1 {
		for _, n := range f.array.Size[:f.layerAxis] {
			inner *= n
		}
	}
	last, current := uint64(0), -1 // most neighbours belong to one segment
	marked, limit := 0, mostOverlap*f.geometry.Voxels()
	if most > 0 {
		limit = min(limit, most)
	}
	err := data.EachLabels(func(first int, labels []uint16) error {
		for i, label := range labels {
			if label == 0 {
				continue
			}
			v, layer := first+i, 0
			if layers > 1 {
				layer = v / inner % layers
				v = v/(inner*layers)*inner + v%inner
			}
			if key := uint64(layer)<<16 | uint64(label); key != last || current < 0 {
				n, known := segment[key]
				if !known {
					i := f.geometry.Index(v)
					return samples.Mark(
						samples.FaultSegments,
						fmt.Errorf(
							"voxel (%d, %d, %d): label %d in layer %d belongs to no segment", i[0], i[1], i[2], label,
							layer,
						),
					)
				}
				last, current = key, n
			}
			out.Segments[current].Voxels = append(out.Segments[current].Voxels, uint32(v))
			marked++
		}
		if marked > limit {
			return samples.Mark(samples.FaultSegments, fmt.Errorf("its segments hold more than %d voxels", limit))
		}
		return nil
	})
	return out, err
}
