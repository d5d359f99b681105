package segment

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/volume"
)

// SegmentCount is a named segment with its number of voxels.
type SegmentCount struct {
	Number int
	Label  string
	Voxels int
	// Hint is what the scheme knows about it, as text, or "".
	Hint string
}

// UnknownSegmentsError lists the segments of a mask that the scheme does not know.
type UnknownSegmentsError struct {
	Scheme   string
	Segments []SegmentCount // in the order of the mask
}

// Error returns a text such as `scheme oai-zib does not know segment 7 "Fibula" (12 voxels)`.
func (e *UnknownSegmentsError) Error() string {
	var parts []string
	for _, s := range e.Segments[:min(shownLabels, len(e.Segments))] {
		detail := fmt.Sprintf("%d voxels", s.Voxels)
		if s.Voxels == 1 {
			detail = "1 voxel"
		}
		if s.Hint != "" {
			detail += "; " + s.Hint
		}
		parts = append(parts, fmt.Sprintf("%s (%s)", called(volume.Segment{Number: s.Number, Label: s.Label}), detail))
	}
	if n := len(e.Segments) - shownLabels; n > 0 {
		parts = append(parts, fmt.Sprintf("%d segments more", n))
	}
	return fmt.Sprintf("scheme %s does not know %s", e.Scheme, strings.Join(parts, ", "))
}

// OverlapError reports that voxels have two meanings.
type OverlapError struct {
	// Pairs are the meanings that share voxels, the largest overlap first.
	Pairs []Overlap
}

// Overlap is the number of voxels that two meanings share.
type Overlap struct {
	First, Second string
	Voxels        int
}

// Error returns a text such as "12 voxels are both medial and lateral".
func (e *OverlapError) Error() string {
	var parts []string
	for _, p := range e.Pairs[:min(shownLabels, len(e.Pairs))] {
		verb := "voxels are"
		if p.Voxels == 1 {
			verb = "voxel is"
		}
		parts = append(parts, fmt.Sprintf("%d %s both %s and %s", p.Voxels, verb, p.First, p.Second))
	}
	return strings.Join(parts, ", ")
}

// FrameError reports that two segments that are to be reported have different frames of reference.
type FrameError struct{ First, Second volume.Segment }

// Error names both segments and their frames.
func (e *FrameError) Error() string {
	return fmt.Sprintf(
		"%s is drawn in frame %s, %s in frame %s", called(e.First), e.First.Frame, called(e.Second), e.Second.Frame,
	)
}

// InterpretSegments gives the voxels of named segments their meanings, as Interpret does for a label map.
// A segment has a meaning by its label, its codes or its number; ignored segments are omitted. Readings
// has every segment. Segments with one meaning may overlap, and a mask without voxels is not an error.
//
// Bone only helps to divide the cartilage. If both overlap, the voxel is cartilage. Bone that cannot be
// drawn, or that has another frame of reference, is omitted.
//
// Errors: a segment to which the scheme gives two meanings; an *UnknownSegmentsError that lists all
// unknown segments, including empty ones; the Problem of a segment that has a meaning; a *FrameError; an
// *OverlapError; an index outside the grid.
func (s Scheme) InterpretSegments(m volume.Segmentation) (Marks, error) {
	readings, err := s.read(m.Segments)
	if err != nil {
		return Marks{}, err
	}
	names := s.meanings()
	r := Marks{
		Labels: volume.Labels{Geometry: m.Geometry, Data: make([]uint16, m.Voxels())}, Names: names,
		Readings: readings,
	}
	shared := map[[2]uint16]int{}
	var framed volume.Segment // the first one with a known frame of reference
	for n, g := range m.Segments {
		name := readings[n].Meaning
		if name == Ignore || isBone(name) {
			continue
		}
		if g.Problem != nil {
			return Marks{}, fmt.Errorf("%s, %s: %w", called(g), name, g.Problem)
		}
		if g.Frame != "" && len(g.Voxels) > 0 {
			if framed.Frame == "" {
				framed = g
			}
			if g.Frame != framed.Frame {
				return Marks{}, &FrameError{framed, g}
			}
		}
		mark := uint16(slices.Index(names, name) + 1)
		if err := r.paint(g, mark, shared); err != nil {
			return Marks{}, err
		}
	}
	if len(shared) > 0 {
		return Marks{}, overlapError(names, shared)
	}
	for n, g := range m.Segments {
		name := readings[n].Meaning
		if !isBone(name) || g.Problem != nil || g.Frame != "" && framed.Frame != "" && g.Frame != framed.Frame {
			continue
		}
		if err := r.paint(g, uint16(slices.Index(names, name)+1), nil); err != nil {
			return Marks{}, err
		}
	}
	return r, nil
}

// paint marks the voxels of a segment. It counts voxels that have another mark in shared, by both marks.
// If shared is nil, such voxels keep their mark.
func (m Marks) paint(g volume.Segment, mark uint16, shared map[[2]uint16]int) error {
	for _, v := range g.Voxels {
		if int64(v) >= int64(len(m.Data)) {
			return fmt.Errorf("%s: voxel %d is not on the grid of %d", called(g), v, len(m.Data))
		}
		was := m.Data[v]
		if was != 0 && was != mark {
			if shared == nil {
				continue
			}
			shared[[2]uint16{min(was, mark), max(was, mark)}]++
		}
		m.Data[v] = mark
	}
	return nil
}

// isBone reports whether the name is that of a bone.
func isBone(name string) bool {
	t := anatomy.TissueNamed(name)
	return t != anatomy.NoTissue && len(compartmentsOf(name)) == 0
}

// read returns the readings of all segments.
func (s Scheme) read(segments []volume.Segment) ([]Reading, error) {
	out := make([]Reading, len(segments))
	var unknown []SegmentCount
	for n, g := range segments {
		decided, known, err := s.meaning(g)
		if err != nil {
			return nil, err
		}
		if decided.name == "" {
			unknown = append(
				unknown, SegmentCount{Number: g.Number, Label: g.Label, Voxels: len(g.Voxels), Hint: known},
			)
		}
		out[n] = Reading{
			Number: g.Number, Label: g.Label, Meaning: decided.name, Source: decided.source, Voxels: len(g.Voxels),
		}
	}
	if len(unknown) > 0 {
		return nil, &UnknownSegmentsError{Scheme: s.Name, Segments: unknown}
	}
	return out, nil
}

func overlapError(names []string, shared map[[2]uint16]int) error {
	e := &OverlapError{}
	for pair, voxels := range shared {
		e.Pairs = append(e.Pairs, Overlap{names[pair[0]-1], names[pair[1]-1], voxels})
	}
	slices.SortFunc(e.Pairs, func(a, b Overlap) int {
		return cmp.Or(b.Voxels-a.Voxels, strings.Compare(a.First, b.First), strings.Compare(a.Second, b.Second))
	})
	return e
}
