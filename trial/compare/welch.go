package compare

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/stat"

	"github.com/t2map/t2map/trial/mmrm"
)

// errConstant is the error of samples without variance.
var errConstant = errors.New("the values do not vary")

// Welch compares the means of two samples by the t test for unequal variances, as in R's t.test (Welch
// 1947, doi:10.1093/biomet/34.1-2.28): mean(x) − mean(y), SE = √(sx²/nx + sy²/ny), degrees of freedom by
// Satterthwaite's formula.
//
// If a sample has one value, or neither sample varies, the result has only the difference.
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
	// This is the rounding error of the means, and the limit of R's t.test.
	if se <= 10*epsilon*max(math.Abs(mx), math.Abs(my)) {
		return e, errConstant
	}
	// Squares of fractions of the variance do not overflow or underflow.
	fx, fy := vx/(vx+vy), vy/(vx+vy)
	df := 1 / (fx*fx/float64(len(x)-1) + fy*fy/float64(len(y)-1))
	return estimate(e.Value, se, df, level), nil
}

// epsilon is the distance from 1 to the next double.
const epsilon = 0x1p-52
