package segment

import (
	"fmt"
	"math"
	"strings"

	"github.com/t2map/t2map/volume"
)

// Regions is a mask divided into compartments: a voxel with Data r > 0 belongs
// to the compartment Names[r−1], one with 0 to none.
type Regions struct {
	volume.Labels
	Names []string
	// Readings are how the segments of a DICOM mask were read, in the mask's order, the
	// ignored ones too; nil for a label map.
	Readings []Reading
}

// Reading is a segment of a DICOM mask and what the scheme took it for.
type Reading struct {
	Number int    `json:"number"`
	Label  string `json:"label"`
	// Compartment is that of the segment, or Ignore.
	Compartment string `json:"compartment"`
	// By is what decided: label, code or number. Where several say the same it is the
	// first of them.
	By     string `json:"by"`
	Voxels int    `json:"voxels"`
}

// LabelCount is a label and how many voxels have it.
type LabelCount struct {
	Value  uint16
	Voxels int
}

// UnknownLabelsError lists the labels of a mask that the scheme does not know.
type UnknownLabelsError struct {
	Scheme string
	Labels []LabelCount // in increasing order of Value
}

// shownLabels bounds the list in a message: a picture taken for a mask has
// hundreds of values.
const shownLabels = 8

// Error says it as "scheme oai-zib does not know label 7 (12 voxels)".
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
		parts = append(parts, fmt.Sprintf("%d labels more", n))
	}
	return fmt.Sprintf("scheme %s does not know %s", e.Scheme, strings.Join(parts, ", "))
}

// Divide sorts the labelled voxels into the scheme's compartments. Names is
// Compartments, so a compartment without voxels keeps its row; a mask without
// labels is sound. Labels that the scheme ignores become 0. A label that it does
// not know is an *UnknownLabelsError that lists every one with its voxel count.
func (s Scheme) Divide(l volume.Labels) (Regions, error) {
	const unknown = -1
	names := s.Compartments()
	regionOf := make(map[string]int32, len(names)+1) // Ignore is not in it: 0
	for n, name := range names {
		regionOf[name] = int32(n + 1)
	}
	lut := make([]int32, math.MaxUint16+1)
	for v := 1; v < len(lut); v++ {
		lut[v] = unknown
	}
	for _, label := range s.Labels {
		lut[label.Value] = regionOf[label.Name]
	}
	lut[0] = 0

	r := Regions{Labels: volume.Labels{Geometry: l.Geometry, Data: make([]uint16, len(l.Data))}, Names: names}
	for v, label := range l.Data {
		region := lut[label]
		if region == unknown {
			return Regions{}, &UnknownLabelsError{Scheme: s.Name, Labels: countUnknown(l.Data, lut)}
		}
		r.Data[v] = uint16(region)
	}
	return r, nil
}

// countUnknown counts the voxels of each label that lut holds below 0.
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
