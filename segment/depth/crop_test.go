package depth

import (
	"math"
	"slices"
	"testing"

	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/volume"
)

// Of a mask that is cropped with a margin, every voxel of the real knee has the same region and
// depth: voxels outside the margin have no effect.
func TestCroppedKnee(t *testing.T) {
	whole := layersKnee(t)
	whole.Data = slices.Clone(whole.Data)
	l := volume.Labels{Geometry: whole.Geometry, Data: make([]uint16, len(whole.Data))}
	for v, tissue := range whole.Data {
		if tissue < anatomy.Femur { // without bone, which fills half of the grid
			l.Data[v] = uint16(tissue)
		} else {
			whole.Data[v] = anatomy.NoTissue
		}
	}
	var scheme segment.Scheme
	for _, tissue := range anatomy.Tissues() {
		scheme.Labels = append(scheme.Labels, segment.Label{Value: uint16(tissue), Name: tissue.String()})
	}
	marks, err := scheme.InterpretBox(l, segment.BoxOf(l, Margin))
	if err != nil {
		t.Fatal(err)
	}
	crop := marks.Tissues()
	if len(crop.Data) > len(whole.Data)/5 {
		t.Errorf("%v of %v is left", crop.Size, whole.Size)
	}
	want, err := anatomy.Divide(t.Context(), whole, anatomy.UnknownSide)
	if err != nil {
		t.Fatal(err)
	}
	got, err := anatomy.Divide(t.Context(), crop, anatomy.UnknownSide)
	if err != nil {
		t.Fatal(err)
	}
	wantDepth, err := Measure(t.Context(), whole, Options{})
	if err != nil {
		t.Fatal(err)
	}
	gotDepth, err := Measure(t.Context(), crop, Options{})
	if err != nil || len(gotDepth.Voxels) != len(wantDepth.Voxels) {
		t.Fatal(err, len(gotDepth.Voxels), len(wantDepth.Voxels))
	}
	regions, depths := 0, 0
	for n, v := range wantDepth.Voxels { // in the same order in both
		if want.Data[v] != got.Data[gotDepth.Voxels[n]] {
			regions++
		}
		a, b := float64(wantDepth.Depth[n]), float64(gotDepth.Depth[n])
		if math.IsNaN(a) != math.IsNaN(b) || math.Abs(a-b) > 1.1e-5 { // the last digit of a depth
			depths++
		}
	}
	// Positions round differently by 1e-14 mm: a tie may be decided the other way.
	if regions > 0 || depths > 0 {
		t.Errorf("of %d voxels %d have another region, %d another depth", len(wantDepth.Voxels), regions, depths)
	}
}
