package t2map_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/segment/resample"
	"github.com/t2map/t2map/t2fit"
	"github.com/t2map/t2map/volume"
)

// A study becomes the mean T2 of its compartments: find, read, mask, divide, resample, fit, summarise. The study is a
// synthetic knee, whose mask marks tissues on a DESS series.
func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "t2map")
	check(err)
	defer os.RemoveAll(dir)
	study, err := phantom.New(ctx, phantom.Options{Matrix: 96, DESSMatrix: 160, DESSSlices: 40})
	check(err)
	check(study.WriteAs(ctx, dir, phantom.Form{Mask: phantom.MaskTissues}))

	// Find the multi-echo series and read its echoes.
	found, err := dicomio.Find(ctx, []string{dir}, dicomio.FindOptions{})
	check(err)
	defer found.Close()
	train := found.Studies[0].Trains[0]
	series, _, err := dicomio.Read(ctx, train, 0)
	check(err)

	// Read the mask, and divide the knee that it marks into compartments and regions.
	parts := divide(ctx, filepath.Join(dir, "labels.nii.gz"), "skm-tea", anatomy.Right)

	// Bring the parts onto the voxels of the series: those that the mask covers by half or more.
	fractions, err := resample.ComputeFractions(ctx, parts.Labels, series.Geometry,
		resample.Options{ThicknessMM: train.Thickness})
	check(err)
	taken, err := fractions.Assign(0.5, parts.Groups())
	check(err)
	regions := parts.OnGrid(series.Geometry, taken.Data, taken.Shares())

	// Fit T2 in these voxels, and summarise it.
	maps, err := t2fit.Fit(ctx, series, regions.Labels, t2fit.Options{Method: t2fit.NLLS})
	check(err)
	rows, err := segment.Summarize(maps, regions)
	check(err)
	for _, row := range rows {
		if row.Voxels > 0 {
			fmt.Printf("%s: %.0f ms\n", row.Compartment, float64(row.MeanT2))
		}
	}
	// Output:
	// medial: 35 ms
	// lateral: 34 ms
	// patellofemoral: 36 ms
	// medial-meniscus: 17 ms
	// lateral-meniscus: 16 ms
}

// divide reads a label map with the labels of a scheme, and divides the knee by its shape.
func divide(ctx context.Context, path, schemeName string, side anatomy.Side) segment.Parts {
	file, err := os.Open(path)
	check(err)
	defer file.Close()
	labels, err := nifti.ReadLabels(file)
	check(err)
	scheme, err := segment.Named(schemeName)
	check(err)
	marks, err := scheme.Interpret(labels)
	check(err)
	division, err := anatomy.Divide(ctx, marks.Tissues(), side)
	check(err)
	return marks.Divided(division.Data, nil, 0)
}

// One decay is fitted without any image. The first of the seven echoes is not fitted, which is the default.
func Example_curve() {
	te := []float64{10, 20, 30, 40, 50, 60, 70} // ms
	signal := []float64{902, 611, 469, 371, 284, 225, 173}
	estimate, err := t2fit.Curve(te, signal, t2fit.Options{})
	check(err)
	if estimate.Status == volume.Fitted {
		fmt.Printf("T2 = %.1f ± %.1f ms, S0 = %.0f\n", estimate.T2, estimate.SE, estimate.S0)
	}
	// Output:
	// T2 = 39.7 ± 0.4 ms, S0 = 1007
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
