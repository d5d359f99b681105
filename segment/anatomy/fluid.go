package anatomy

import (
	"math"

	"github.com/t2map/t2map/volume"
)

// FluidLimits say which voxels of cartilage are taken for joint fluid. The zero value marks
// none: a limit removes long T2, which is also what disease does, so it is a choice of the
// protocol.
type FluidLimits struct {
	// T2 is the T2 in ms above which a voxel is fluid, whatever its fraction. Fluid has several
	// hundred ms, cartilage 20–70 ms. 0: no limit.
	T2 float64
	// PartialT2 is the T2 in ms above which a voxel is taken for a mixture with fluid if less
	// than Fraction of it is cartilage. 0: no limit.
	PartialT2 float64
	// Fraction is the part of a voxel, 0 … 1, from which on it is not at the edge. 0:
	// DefaultEdgeFraction.
	Fraction float64
}

// DefaultEdgeFraction is the fraction below which a voxel is at the edge of the cartilage: a
// tenth of fluid with a T2 of 400 ms raises 40 ms by some 5 ms at the echo times in use.
const DefaultEdgeFraction = 0.9

// FluidCounts count the voxels that MarkFluid marked, each once.
type FluidCounts struct {
	Long    int // above FluidLimits.T2
	Partial int // above FluidLimits.PartialT2 at the edge, and not Long
}

// MarkFluid says which voxels are fluid: true where the voxel has an estimate
// (volume.Status.HasValue) that is above a limit. t2, status and fraction have one value for
// each voxel, in any order; a nil fraction means whole voxels. A T2 beyond the accepted range
// of the fit (OutOfRange) can be fluid, too. Arrays of different lengths are a *LengthError.
func MarkFluid(t2 []float32, status []volume.Status, fraction []float32, limits FluidLimits) ([]bool, FluidCounts, error) {
	var counts FluidCounts
	if len(status) != len(t2) {
		return nil, counts, &LengthError{len(status), len(t2)}
	}
	if fraction != nil && len(fraction) != len(t2) {
		return nil, counts, &LengthError{len(fraction), len(t2)}
	}
	edge := limits.Fraction
	if edge == 0 {
		edge = DefaultEdgeFraction
	}
	marks := make([]bool, len(t2))
	for v, value := range t2 {
		if !status[v].HasValue() || math.IsNaN(float64(value)) {
			continue
		}
		switch {
		case limits.T2 > 0 && float64(value) > limits.T2:
			counts.Long++
			marks[v] = true
		case limits.PartialT2 > 0 && fraction != nil && float64(fraction[v]) < edge && float64(value) > limits.PartialT2:
			counts.Partial++
			marks[v] = true
		}
	}
	return marks, counts, nil
}
