package nrrd

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/samples"
	"github.com/t2map/t2map/volume"
)

// tissue is the terminology entry of a new segment in 3D Slicer 5.
const tissue = "Segmentation.Status:inprogress|" +
	"TerminologyEntry:Segmentation category and type - 3D Slicer General Anatomy list" +
	"~SCT^85756007^Tissue~SCT^85756007^Tissue~^^~Anatomic codes - DICOM master list~^^~^^|"

// cartilage is a complete entry.
const cartilage = "TerminologyEntry:Segmentation category and type - DICOM master list" +
	"~SCT^85756007^Tissue~SCT^309312004^Cartilage~SCT^255551008^Posterior" +
	"~Anatomic codes - DICOM master list~SCT^71341001^Femur~SCT^255561001^Medial|"

// segmented returns a 2×2×2 segmentation as written by 3D Slicer. Its layers are along the axis
// whose direction is none.
func segmented(sizes, directions, keys string, values []byte) []byte {
	dimension := len(strings.Fields(sizes))
	return append([]byte(fmt.Sprintf(`NRRD0004
type: unsigned char
dimension: %d
space: left-posterior-superior
sizes: %s
space directions: %s
encoding: raw
space origin: (0,0,0)
%sSegmentation_ContainedRepresentationNames:=Binary labelmap|
Segmentation_ReferenceImageExtentOffset:=0 0 0

`, dimension, sizes, directions, keys)), values...)
}

// expectedSegments returns the segments of the file with one layer.
func expectedSegments() (medial, lateral, empty volume.Segment) {
	medial = volume.Segment{
		Number: 1, Label: "Medial\nplate", Type: volume.Code{Value: "85756007", Scheme: "SCT", Meaning: "Tissue"},
		Voxels: []uint32{1, 7},
	}
	lateral = volume.Segment{
		Number:  7,
		Label:   "Lateral",
		Type:    volume.Code{Value: "309312004", Scheme: "SCT", Meaning: "Cartilage"},
		Regions: []volume.Code{{Value: "71341001", Scheme: "SCT", Meaning: "Femur"}},
		Modifiers: []volume.Code{
			{Value: "255551008", Scheme: "SCT", Meaning: "Posterior"},
			{Value: "255561001", Scheme: "SCT", Meaning: "Medial"},
		},
		Voxels: []uint32{2},
	}
	empty = volume.Segment{Number: 9, Label: "Patella"}
	return medial, lateral, empty
}

const axes = "(1,0,0) (0,1,0) (0,0,1)"

func TestSegments(t *testing.T) {
	medial, lateral, empty := expectedSegments()
	oneLayer := "Segment0_ID:=Segment_1\nSegment0_Name:=Medial\\nplate\n" +
		"Segment0_LabelValue:=1\nSegment0_Layer:=0\nSegment0_Tags:=" + tissue + "\n" +
		"Segment1_ID:=Segment_2\nSegment1_Name:=Lateral\nSegment1_LabelValue:=7\nSegment1_Layer:=0\n" +
		"Segment1_Tags:=" + cartilage + "\nSegment1_Color:=0.5 0.5 0.5\n" +
		"Segment10_ID:=Segment_3\nSegment10_Name:=Patella\nSegment10_LabelValue:=9\nSegment10_Layer:=0\n"
	// Two layers that overlap in voxel 3. Both have the value 1 there; 2 in layer 1 is another
	// segment.
	layered := "Segment0_Name:=A\nSegment0_LabelValue:=1\nSegment0_Layer:=0\n" +
		"Segment1_Name:=B\nSegment1_LabelValue:=1\nSegment1_Layer:=1\n" +
		"Segment2_Name:=C\nSegment2_LabelValue:=2\nSegment2_Layer:=1\n"
	layer0, layer1 := []byte{0, 1, 0, 1, 0, 0, 0, 0}, []byte{0, 0, 0, 1, 2, 0, 0, 2}
	overlapping := []volume.Segment{
		{Number: 1, Unnumbered: true, Label: "A", Voxels: []uint32{1, 3}},
		{Number: 2, Unnumbered: true, Label: "B", Voxels: []uint32{3}},
		{Number: 3, Unnumbered: true, Label: "C", Voxels: []uint32{4, 7}},
	}
	// Before 2020: an axis of segments, each with the value 1 in its own layer, without attributes
	// of layers and values.
	old := "Segment0_ID:=A\nSegment0_Name:=A\nSegment1_ID:=B\n"
	for _, c := range []struct {
		name string
		file []byte
		want []volume.Segment
	}{
		{"one layer", segmented("2 2 2", axes, oneLayer, []byte{0, 1, 7, 0, 0, 0, 0, 1}),
			[]volume.Segment{medial, lateral, empty}},
		{"layers first", segmented("2 2 2 2", "none "+axes, layered, interleave(layer0, layer1, 1)), overlapping},
		{"layers last", segmented("2 2 2 2", axes+" none", layered, append(bytes.Clone(layer0), layer1...)),
			overlapping},
		{"layers in between",
			segmented("2 2 2 2", "(1,0,0) none (0,1,0) (0,0,1)", layered, interleave(layer0, layer1, 2)), overlapping},
		{"old", segmented("2 2 2 2", "none "+axes, old, interleave(layer0, []byte{0, 0, 0, 1, 1, 0, 0, 1}, 1)),
			[]volume.Segment{{Number: 1, Unnumbered: true, Label: "A", Voxels: []uint32{1, 3}},
				{Number: 2, Unnumbered: true, Label: "B", Voxels: []uint32{3, 4, 7}}}},
		{"one, without an index", segmented("2 2 2", axes, "Segment_Name:=Medial\nSegment_ID:=x\n", layer0),
			[]volume.Segment{{Number: 1, Label: "Medial", Voxels: []uint32{1, 3}}}},
	} {
		m, err := Read(bytes.NewReader(c.file), Options{})
		if err != nil || !m.Segments || m.Labels.Data != nil {
			t.Errorf("%s: %v, %v", c.name, m, err)
			continue
		}
		if d := cmp.Diff(c.want, m.Segmentation.Segments); d != "" || m.Segmentation.Size != [3]int{2, 2, 2} {
			t.Errorf("%s: %v %s", c.name, m.Segmentation.Size, d)
		}
	}
}

// interleave alternates inner values of one layer with inner values of the other.
func interleave(a, b []byte, inner int) []byte {
	var out []byte
	for n := 0; n < len(a); n += inner {
		out = append(append(out, a[n:n+inner]...), b[n:n+inner]...)
	}
	return out
}

// A table that contradicts itself or the voxels is refused.
func TestSegmentDamage(t *testing.T) {
	one := "Segment0_Name:=A\nSegment0_LabelValue:=1\nSegment0_Layer:=0\n"
	zero := make([]byte, 8)
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"a label of no segment", segmented("2 2 2", axes, one, []byte{0, 1, 0, 0, 0, 0, 2, 0}),
			"voxel (0, 1, 1): label 2 in layer 0 belongs to no segment"},
		{"value 0", segmented("2 2 2", axes, "Segment0_LabelValue:=0\n", zero),
			`Segment0_LabelValue: "0", want 1 to 65535`},
		{"value 70000", segmented("2 2 2", axes, "Segment3_LabelValue:=70000\n", zero), "Segment3_LabelValue"},
		{"layer 1 of 1", segmented("2 2 2", axes, "Segment0_Layer:=1\n", zero), "Segment0_Layer"},
		{"two of one value", segmented("2 2 2", axes, one+"Segment1_LabelValue:=1\nSegment1_Layer:=0\n", zero),
			"Segment1_LabelValue: 1 in layer 0, as Segment0_LabelValue"},
		{"two without values", segmented("2 2 2", axes, "Segment0_Name:=A\nSegment1_Name:=B\n", zero), "in layer 0"},
		{"three layers for one", segmented("3 2 2 2", "none "+axes, one, make([]byte, 24)), "3 layers for 1 segments"},
	} {
		_, err := Read(bytes.NewReader(c.file), Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) || samples.FaultOf(err) != samples.FaultSegments {
			t.Errorf("%s: %v of kind %d, want %q", c.name, err, samples.FaultOf(err), c.want)
		}
	}
	// A segmentation without segments is an empty label map.
	if m, err := Read(bytes.NewReader(segmented("2 2 2", axes, "", zero)), Options{}); err != nil || m.Segments ||
		len(m.Labels.Data) != 8 {
		t.Errorf("%+v, %v", m, err)
	}
}
