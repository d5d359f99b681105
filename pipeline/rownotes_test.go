package pipeline

import (
	"math"
	"testing"

	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
)

// A compartment of one plate has a note and no mean of plates. One with voxels that the mask marks with the
// compartment itself has no note.
func TestNotePlates(t *testing.T) {
	row := func(compartment, region string, voxels int) segment.Summary {
		return segment.Summary{Compartment: compartment, Region: region, Layer: segment.All, Voxels: voxels, MeanT2: 40,
			PlateMeanT2: segment.Number(math.NaN())}
	}
	r := report.Result{
		Compartments: []segment.Summary{row("medial", segment.All, 10), row("lateral", segment.All, 30),
			row("patellofemoral", segment.All, 20)},
		Regions: []segment.Summary{row("medial", "medial-femoral", 10), row("lateral", "lateral-femoral", 10),
			row("lateral", "lateral-tibial", 20), row("patellofemoral", "trochlear", 15)},
	}
	segment.SetPlateMeans(r.Compartments, r.Regions)
	placedMask{}.notePlates(&r)
	for n, want := range []struct {
		note string
		mean float64
	}{{"the medial femur alone: the mask has no medial tibial cartilage", math.NaN()}, {"", 40}, {"", math.NaN()}} {
		got := r.Compartments[n]
		same := float64(got.PlateMeanT2) == want.mean || math.IsNaN(float64(got.PlateMeanT2)) && math.IsNaN(want.mean)
		if got.Note != want.note || !same {
			t.Errorf("%s: note %q, mean of plates %g; want %q, %g", got.Compartment, got.Note, got.PlateMeanT2,
				want.note, want.mean)
		}
	}
}
