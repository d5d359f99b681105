package t2fit_test

import (
	"context"
	"fmt"
	"log"
	"math"

	"github.com/t2map/t2map/t2fit"
	"github.com/t2map/t2map/volume"
)

// Fit the decay of one voxel or of one region. The first echo is skipped by default.
func ExampleCurve() {
	te := []float64{10, 20, 30, 40, 50, 60, 70} // ms
	signal := make([]float64, len(te))
	for e, t := range te {
		signal[e] = 1000 * math.Exp(-t/40)
	}
	estimate, err := t2fit.Curve(te, signal, t2fit.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("T2 %.1f ms, S0 %.0f, R² %.3f, %d echoes, %v\n",
		estimate.T2, estimate.S0, estimate.R2, estimate.Echoes, estimate.Status)
	// Output: T2 40.0 ms, S0 1000, R² 1.000, 6 echoes, fitted
}

// Fit the voxels of a mask by log-linear least squares. Voxels outside are NaN.
func ExampleFit() {
	series := volume.MultiEcho{
		Geometry: volume.Geometry{Size: [3]int{3, 1, 1}, Affine: [3][4]float64{{0.5}, {0, 0.5}, {0, 0, 3}}},
		TE:       []float64{10, 20, 30, 40, 50}, // ms
	}
	for _, te := range series.TE {
		echo := make([]float32, series.Voxels())
		for v, t2 := range []float64{30, 45, 60} {
			echo[v] = float32(1000 * math.Exp(-te/t2))
		}
		series.Echo = append(series.Echo, echo)
	}
	mask := volume.Labels{Geometry: series.Geometry, Data: []uint16{1, 1, 0}}
	maps, err := t2fit.Fit(context.Background(), series, mask, t2fit.Options{Method: t2fit.LogLinear})
	if err != nil {
		log.Fatal(err)
	}
	for v, t2 := range maps.T2 {
		fmt.Printf("voxel %d: T2 %.1f ms, %v\n", v, t2, maps.Status[v])
	}
	// Output:
	// voxel 0: T2 30.0 ms, fitted
	// voxel 1: T2 45.0 ms, fitted
	// voxel 2: T2 NaN ms, not_fitted
}
