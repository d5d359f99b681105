package segment_test

import (
	"fmt"
	"log"

	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/volume"
)

// Give the labels of a mask their meanings and summarize T2 in each compartment.
func ExampleSummarize() {
	grid := volume.Geometry{Size: [3]int{4, 1, 1}, Affine: [3][4]float64{{0.5}, {0, 0.5}, {0, 0, 3}}}
	mask := volume.Labels{Geometry: grid, Data: []uint16{1, 1, 1, 2}}
	scheme, err := segment.Named("compartments")
	if err != nil {
		log.Fatal(err)
	}
	marks, err := scheme.Interpret(mask)
	if err != nil {
		log.Fatal(err)
	}
	parts := marks.Whole()
	regions := parts.OnGrid(grid, parts.Data, nil) // the mask lies on the grid of the maps

	maps := volume.Maps{ // as t2fit.Fit returns them
		Geometry: grid,
		T2:       []float32{38, 42, 130, 35}, // ms
		R2:       []float32{0.99, 0.98, 0.97, 0.99},
		SE:       []float32{1, 1, 4, 1},
		Status:   []volume.Status{volume.Fitted, volume.Fitted, volume.OutOfRange, volume.Fitted},
	}
	rows, err := segment.Summarize(maps, regions)
	if err != nil {
		log.Fatal(err)
	}
	for _, row := range rows {
		fmt.Printf("%s: T2 %.1f ms in %d of %d voxels, %q, %q\n",
			row.Compartment, row.MeanT2, row.Used, row.Voxels, row.Excluded.Reasons(), row.Note)
	}
	// Output:
	// medial: T2 40.0 ms in 2 of 3 voxels, ["1 T2 out of range"], ""
	// lateral: T2 35.0 ms in 1 of 1 voxels, [], "one voxel with a sound T2, no SD"
	// patellofemoral: T2 NaN ms in 0 of 0 voxels, [], "no voxels in the mask"
}
