package compare

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/stat"

	"github.com/t2map/t2map/trial/mmrm"
)

// errConstant says that a sample has no spread to measure by.
var errConstant = errors.New("the values do not vary")

// Welch compares the means of two samples by the t test of unequal variances (Welch 1947,
// doi:10.1093/biomet/34.1-2.28): mean(x) − mean(y), SE = √(sx²/nx + sy²/ny), degrees of
// freedom by Satterthwaite's formula. As R's t.test.
//
// A sample of one value leaves the difference alone, as do samples that both do not
// vary.
func Welch(x, y []float64, level float64) (mmrm.Estimate, error) {
	if err := checkSamples(x, y, level); err != nil {
		return noEstimate, err
	}
	mx, my := stat.Mean(x, nil), stat.Mean(y, nil)
	e := noEstimate
	e.Value = mx - my
	if len(x) < 2 || len(y) < 2 {
		return e, errors.New("a sample of one value has no variance")
	}
	vx, vy := stat.Variance(x, nil)/float64(len(x)), stat.Variance(y, nil)/float64(len(y))
	se := math.Sqrt(vx + vy)
	// Rounding of the means alone brings as much; R's t.test draws the line here, too.
	if se <= 10*epsilon*max(math.Abs(mx), math.Abs(my)) {
		return e, errConstant
	}
	// Of fractions of the variance, so that no square overflows or vanishes.
	fx, fy := vx/(vx+vy), vy/(vx+vy)
	df := 1 / (fx*fx/float64(len(x)-1) + fy*fy/float64(len(y)-1))
	return estimate(e.Value, se, df, level), nil
}

// epsilon is the distance from 1 to the next double.
const epsilon = 0x1p-52
