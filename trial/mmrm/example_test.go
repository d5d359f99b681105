package mmrm_test

import (
	"fmt"
	"log"

	"gonum.org/v1/gonum/mat"

	"github.com/t2map/t2map/trial/mmrm"
)

// Changes of T2 in ms from baseline to two visits, in two arms of five subjects. One subject of each
// arm misses the second visit. X has one column for each arm at each visit, so that its coefficients
// are the means of these cells.
func ExampleFitFirst() {
	changes := [2][][]float64{
		{{0.4, 1.1}, {-0.2, 0.3}, {0.9, 1.6}, {0.1, 0.2}, {0.6}},        // control
		{{-0.8, -1.9}, {0.2, -0.4}, {-1.1, -1.7}, {-0.3, -1.2}, {-0.5}}, // treatment
	}
	var data mmrm.Data
	var rows []float64
	subject := 0
	for arm, subjects := range changes {
		for _, visits := range subjects {
			for visit, change := range visits {
				row := make([]float64, 4)
				row[2*arm+visit] = 1
				rows = append(rows, row...)
				data.Subject = append(data.Subject, subject)
				data.Visit = append(data.Visit, visit)
				data.Y = append(data.Y, change)
			}
			subject++
		}
	}
	data.X = mat.NewDense(len(data.Y), 4, rows)

	model, _, err := mmrm.FitFirst(data, mmrm.Options{Covariance: mmrm.Unstructured, DF: mmrm.KenwardRoger})
	if err != nil {
		log.Fatal(err)
	}
	difference := model.Contrast([]float64{0, -1, 0, 1}) // treatment minus control at the second visit
	fmt.Printf("%d subjects, %d observations\n", model.Subjects, model.Observations)
	fmt.Printf("difference %.2f ms (95 %% CI %.2f to %.2f), SE %.3f, df %.2f, p = %.4f\n", difference.Value,
		difference.Low, difference.High, difference.SE, difference.DF, difference.P)
	// Output:
	// 10 subjects, 18 observations
	// difference -2.17 ms (95 % CI -3.08 to -1.26), SE 0.391, df 7.73, p = 0.0006
}
