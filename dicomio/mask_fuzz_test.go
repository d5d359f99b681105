package dicomio

import (
	"context"
	"slices"
	"testing"

	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/volume"
)

// fuzzMask reads the bytes of a file as a mask on a small grid. The result is always an
// error or a consistent segmentation.
func fuzzMask(t *testing.T, file []byte) {
	m, err := OpenMaskObject(new(files.Tree), writeTemp(t, file), "mask.dcm")
	if err != nil {
		return
	}
	g := unitGrid(5, 4, 2)
	s, _, err := ReadMask(context.Background(), m, g, MaskOptions{})
	if err != nil {
		if s.Segments != nil {
			t.Errorf("segments beside the error %v", err)
		}
		return
	}
	checkSegmentation(t, s, g)
}

func checkSegmentation(t *testing.T, s volume.Segmentation, g volume.Geometry) {
	t.Helper()
	all := 0
	numbers := map[int]bool{}
	for _, segment := range s.Segments {
		v := segment.Voxels
		all += len(v)
		switch {
		case numbers[segment.Number]:
			t.Errorf("segment %d appears twice", segment.Number)
		case segment.Problem != nil && len(v) > 0:
			t.Errorf("segment %d has a problem and voxels", segment.Number)
		case len(v) == 0:
		case int(v[len(v)-1]) >= g.Voxels():
			t.Errorf("voxel %d is not on the grid", v[len(v)-1])
		case !slices.IsSorted(v) || len(slices.Compact(slices.Clone(v))) != len(v):
			t.Errorf("segment %d: voxels %v do not increase", segment.Number, v)
		}
		numbers[segment.Number] = true
	}
	if all > mostOverlap*g.Voxels() || s.Geometry != g {
		t.Errorf("%d voxels, geometry %v", all, s.Geometry)
	}
}

func FuzzReadSEG(f *testing.F) {
	frames := []testFrame{{1, [3]float64{}, pixels("x...x .xx.. ....x xx...")},
		{1, [3]float64{0, 0, 1}, pixels("x...x .xx.. ....x .....")}}
	base := testSEG{rows: 4, columns: 5, segments: []fields{segment(1, "a")}, frames: frames}
	f.Add(base.bytes())
	turned := base
	turned.orientation, turned.ownGroups, turned.rows, turned.columns = [6]float64{0, 1, 0, 1, 0, 0}, true, 5, 4
	f.Add(turned.bytes())
	fraction := base
	fraction.kind = fractionalType
	fraction.others = fields{}.add(tag.MaximumFractionalValue, "US", 1).add(tag.SegmentationFractionalType, "CS",
		"OCCUPANCY")
	f.Add(fraction.bytes())
	labels := base
	labels.kind, labels.class = labelMapType, labelMapClass
	labels.others = fields{}.add(tag.PixelPaddingValue, "US", 9)
	labels.segments = append(labels.segments, segment(0, "b"))
	f.Add(labels.bytes())
	f.Fuzz(fuzzMask)
}

func FuzzReadRTSTRUCT(f *testing.F) {
	f.Add(structureSet("1.2", "1.3", testStructure{number: 1, name: "a",
		contours: []testContour{square(0, 2, 1.5, 1.4), square(0, 2, 1.5, 0.6), square(1, 1, 1, 0.7)}},
		testStructure{number: 2, name: "b", contours: []testContour{{kind: "POINT", data: `1\1\0`}}}))
	f.Add(structureSet("", "1.3", testStructure{number: 1, contours: []testContour{{kind: "CLOSEDPLANAR_XOR",
		data: `1e300\1\0\2\1\0\2\2\-0`}}}))
	f.Fuzz(fuzzMask)
}
