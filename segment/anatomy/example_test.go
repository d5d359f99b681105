package anatomy_test

import (
	"context"
	"fmt"
	"log"

	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/segment/anatomy"
)

// Divide the mask of a knee into regions. The mask here is that of a phantom; masks of files come
// from segment.Scheme.Interpret and segment.Marks.Tissues.
func ExampleDivide() {
	ctx := context.Background()
	knee, err := phantom.NewKnee(phantom.Options{Side: "R"})
	if err != nil {
		log.Fatal(err)
	}
	drawn, err := knee.Structures(ctx, knee.Grid([3]float64{1, 1, 1.5})) // mm
	if err != nil {
		log.Fatal(err)
	}
	mask := anatomy.Mask{Geometry: drawn.Geometry, Data: make([]anatomy.Tissue, drawn.Voxels())}
	for v, tissue := range drawn.Tissue {
		mask.Data[v] = anatomy.TissueNamed(phantom.Tissues[tissue])
	}
	division, err := anatomy.Divide(ctx, mask, anatomy.UnknownSide)
	if err != nil {
		log.Fatal(err)
	}
	counts := division.Counts()
	fmt.Println(division.Side, "knee")
	for _, region := range anatomy.PlateMedialTibial.Regions() {
		fmt.Println(region, counts[region] > 0)
	}
	// Output:
	// right knee
	// medial-tibial-anterior true
	// medial-tibial-central true
	// medial-tibial-posterior true
}
