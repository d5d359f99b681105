package pipeline

import (
	"fmt"
	"math"

	"github.com/t2map/t2map/protocol"

	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/volume"
)

// alignmentWarnings warns of a --register that has no effect, because it names the mapped series itself, or that
// names another series than the one on which the mask was drawn.
func (j Job) alignmentWarnings(m maskRead, k dividedKnee, p protocol.Protocol) []string {
	source := j.maskJob()
	switch {
	case p.Register.Moving == "" || k.onSeries:
		return nil
	case source.Moving == nil:
		return []string{"--register names the mapped series itself: the mask, which lies on another grid, was not " +
			"registered with it"}
	case !liesOn(m.geometry(), source.Moving.Geometry):
		return []string{fmt.Sprintf("the mask does not lie on the voxels of series %s (number %d), which --register "+
			"names: if it was drawn on another series, the registration does not apply to it",
			source.Moving.Hash, source.Moving.Number)}
	}
	return nil
}

// liesOn reports whether the mask lies on voxels of the series: on its grid, or on a part of that grid.
func liesOn(mask, series volume.Geometry) bool {
	if segment.CheckGrid(mask, series) == nil {
		return true
	}
	inverse, ok := series.Inverse()
	if !ok {
		return false
	}
	spacing, tolerance := series.Spacing(), series.Tolerance()
	for corner := range 8 {
		var index [3]float64
		for c := range index {
			index[c] = float64(corner >> c & 1 * (mask.Size[c] - 1))
		}
		p := mask.Position(index[0], index[1], index[2])
		for c, row := range inverse {
			x := row[0]*p[0] + row[1]*p[1] + row[2]*p[2] + row[3]
			n := math.Round(x)
			if math.Abs(x-n)*spacing[c] > tolerance || n < 0 || n > float64(series.Size[c]-1) {
				return false
			}
		}
	}
	return sameSteps(mask, inverse)
}

// sameSteps reports whether each step to a neighbouring voxel of the mask is a step to a neighbouring voxel of the
// series. inverse is the inverse of the affine of the series.
func sameSteps(mask volume.Geometry, inverse [3][4]float64) bool {
	for c := range 3 {
		steps := 0.0
		for _, row := range inverse {
			step := math.Abs(row[0]*mask.Affine[0][c] + row[1]*mask.Affine[1][c] + row[2]*mask.Affine[2][c])
			if math.Abs(step-math.Round(step)) > alikeSpacing {
				return false
			}
			steps += math.Round(step)
		}
		if steps != 1 {
			return false
		}
	}
	return true
}
