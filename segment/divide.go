package segment

import (
	"fmt"
	"math"
	"strings"
	"sync/atomic"

	"github.com/t2map/t2map/volume"
)

// Marks is a mask by meaning: a voxel with Data m > 0 is marked as Names[m−1], a row or a tissue; a voxel
// with 0 is not marked.
type Marks struct {
	volume.Labels
	Names []string
	// Readings are the readings of all named segments in the order of the mask, including ignored ones;
	// nil for a label map.
	Readings []Reading
}

// Reading is a named segment of a mask with the meaning that the scheme gave it.
type Reading struct {
	Number int    `json:"number"`
	Label  string `json:"label"`
	// Meaning is a row, a tissue or Ignore.
	Meaning string `json:"meaning"`
	// Source is the source of the meaning: label, code or number. If several agree, it is the
	// first of them.
	Source string `json:"by"`
	Voxels int    `json:"voxels"`
}

// LabelCount is a label with its number of voxels.
type LabelCount struct {
	Value  uint16
	Voxels int
}

// UnknownLabelsError lists the labels of a mask that the scheme does not know.
type UnknownLabelsError struct {
	Scheme string
	Labels []LabelCount // in increasing order of Value
}

// shownLabels is the largest number of labels in a message: an image that is used as a mask has hundreds.
const shownLabels = 8

// Error returns a text such as "scheme oai-zib does not know label 7 (12 voxels)".
func (e *UnknownLabelsError) Error() string {
	var parts []string
	for _, l := range e.Labels[:min(shownLabels, len(e.Labels))] {
		voxels := "voxels"
		if l.Voxels == 1 {
			voxels = "voxel"
		}
		parts = append(parts, fmt.Sprintf("label %d (%d %s)", l.Value, l.Voxels, voxels))
	}
	if n := len(e.Labels) - shownLabels; n > 0 {
		parts = append(parts, fmt.Sprintf("and %d more labels", n))
	}
	return fmt.Sprintf("scheme %s does not know %s", e.Scheme, strings.Join(parts, ", "))
}

// Interpret gives the labelled voxels their meanings. Names has every meaning of the scheme, including
// those without voxels. A mask without labels is not an error. Labels that the scheme ignores become 0.
// Labels that it does not know are an *UnknownLabelsError that lists all of them with their numbers of
// voxels.
func (s Scheme) Interpret(l volume.Labels) (Marks, error) {
	return s.InterpretBox(l, whole(l.Geometry))
}

// InterpretBox is Interpret for a box that contains all labels; the marks are on the grid of the box.
func (s Scheme) InterpretBox(l volume.Labels, b Box) (Marks, error) {
	const unknown = -1
	names := s.meanings()
	markOf := make(map[string]int32, len(names)+1) // Ignore is not in it: 0
	for n, name := range names {
		markOf[name] = int32(n + 1)
	}
	lut := make([]int32, math.MaxUint16+1)
	for v := 1; v < len(lut); v++ {
		lut[v] = unknown
	}
	for _, label := range s.Labels {
		lut[label.Value] = markOf[label.Name]
	}
	lut[0] = 0

	m := Marks{Labels: volume.Labels{Geometry: b.in(l.Geometry)}, Names: names}
	m.Data = make([]uint16, m.Voxels())
	nx := m.Size[0]
	var unknownFound atomic.Bool
	shareOut(len(m.Data), func(_, start, end int) {
		for row := start / max(nx, 1); row < end/max(nx, 1); row++ {
			j, k := b.Start[1]+row%m.Size[1], b.Start[2]+row/m.Size[1]
			labels := l.Data[l.Size[0]*(j+l.Size[1]*k):][b.Start[0]:b.End[0]]
			for v := 0; v < nx; {
				n := run(labels[v:])
				switch mark := lut[labels[v]]; mark {
				case unknown:
					unknownFound.Store(true)
					return
				case 0:
				default:
					fill(m.Data[row*nx+v:][:n], uint16(mark))
				}
				v += n
			}
		}
	})
	if unknownFound.Load() {
		return Marks{}, &UnknownLabelsError{Scheme: s.Name, Labels: countUnknown(l.Data, lut)}
	}
	return m, nil
}

// fill sets all elements of x.
func fill[T any](x []T, value T) {
	for n := range x {
		x[n] = value
	}
}

// countUnknown counts the voxels of each label whose entry in lut is negative.
func countUnknown(data []uint16, lut []int32) []LabelCount {
	counts := make([]int, len(lut))
	for _, label := range data {
		counts[label]++
	}
	var out []LabelCount
	for v, n := range counts {
		if n > 0 && lut[v] < 0 {
			out = append(out, LabelCount{Value: uint16(v), Voxels: n})
		}
	}
	return out
}
