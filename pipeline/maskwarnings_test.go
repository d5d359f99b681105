package pipeline

import (
	"slices"
	"testing"

	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/volume"
)

// Each finding has its own text, which is the same for all studies with this finding.
func TestSchemeWarnings(t *testing.T) {
	// 1 cm³ a voxel
	g := volume.Geometry{Size: [3]int{48, 1, 1}, Affine: [3][4]float64{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1000, 0}}}
	regions := func(names []string, voxels ...int) segment.Regions {
		r := segment.Regions{Labels: volume.Labels{Geometry: g, Data: make([]uint16, 48)}, Names: names}
		v := 0
		for n, count := range voxels {
			for range count {
				r.Data[v] = uint16(n + 1)
				v++
			}
		}
		return r
	}
	const perhaps = "the scheme may belong to another mask"
	tiny := regions([]string{"medial"}, 1)
	tiny.Size[2], tiny.Affine[2][2] = 3, 1
	tiny.Data = slices.Repeat(tiny.Data, 3) // on three slices
	for _, c := range []struct {
		name string
		r    segment.Regions
		side string
		want []string
	}{
		{"large", regions([]string{"patellofemoral"}, 16), "", []string{"patellofemoral holds more than 15 cm³, too " +
			"much for the cartilage of a knee: " + perhaps}},
		{"sum", regions([]string{"medial", "lateral", "patellofemoral"}, 14, 14, 13), "",
			[]string{"medial, lateral and patellofemoral together hold more than 40 cm³, too much for the cartilage " +
				"of a knee: " + perhaps}},
		{"small", tiny, "", []string{"medial holds less than 0.05 cm³, too little for a plate of cartilage: the mask " +
			"may be unfinished, or " + perhaps}},
		{"side", regions([]string{"medial", "lateral"}, 12, 12), "right",
			[]string{"the row medial lies on the lateral side of the row lateral, but should lie on its medial side " +
				"in a right knee: " + perhaps + ", or its labels are exchanged, or the knee is the other one"}},
		{"undivided", regions([]string{"medial", "lateral", "femoral"}, 3, 3, 3), "",
			[]string{"the femoral cartilage is not divided (row femoral): medial, lateral hold the cartilage of the " +
				"tibia or the patella alone"}},
		{"sound", regions([]string{"medial", "lateral"}, 12, 12), "left", nil},
	} {
		if got := schemeWarnings(c.r, c.side); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
