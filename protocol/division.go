package protocol

import (
	"fmt"
	"math"

	"github.com/t2map/t2map/segment"
)

// Division says how the tissues of a mask become compartments, regions and layers on the grid of the series. The zero
// value of each field is its default.
type Division struct {
	// Method is DivideKnee or DivideNone; "" means DivideKnee.
	Method DivisionMethod
	// Layers is the number of layers from bone to joint; 0 means 2, and NoLayers means none.
	Layers int
	// MinFraction is the smallest share of a voxel of the series that the mask must cover if it lies on another grid;
	// 0 means 0.5.
	MinFraction float64
	// ErodeMM is the distance in mm by which every tissue is eroded before it is brought onto the grid of the series;
	// 0 means no erosion.
	ErodeMM float64
	// FluidMS is the T2 in ms above which a voxel of cartilage counts as fluid and is excluded; 0 means no limit.
	FluidMS float64
	// FluidEdgeMS is the same limit for voxels at the edge, which the mask covers in part; 0 means that FluidMS is
	// their only limit.
	FluidEdgeMS float64
}

// DivisionMethod is a way to divide tissues into compartments.
type DivisionMethod string

// The methods of division.
const (
	DivideKnee DivisionMethod = "knee" // by the shape of the knee, see package anatomy
	DivideNone DivisionMethod = "none" // each tissue is a row of its own
)

// NoLayers is the value of Division.Layers for no layers.
const NoLayers = -1

// mostLayers is the largest number of layers: cartilage of 3 mm has 10 voxels of 0.3 mm.
const mostLayers = 10

// mostErosion is the largest erosion in mm. No cartilage is thicker.
const mostErosion = 10.0

// The defaults of Division.
const (
	defaultLayers      = 2
	defaultMinFraction = 0.5 // at least half of the voxel is cartilage
)

// WithDefaults fills in the defaults. In the result, Layers 0 means no layers.
func (d Division) WithDefaults() Division {
	if d.Method == "" {
		d.Method = DivideKnee
	}
	switch {
	case d.Layers == NoLayers || d.Method == DivideNone:
		d.Layers = 0
	case d.Layers == 0:
		d.Layers = defaultLayers
	}
	if d.MinFraction == 0 {
		d.MinFraction = defaultMinFraction
	}
	return d
}

func (d Division) check() error {
	switch {
	case d.Method != "" && d.Method != DivideKnee && d.Method != DivideNone:
		return fmt.Errorf("division %q is neither %s nor %s", d.Method, DivideKnee, DivideNone)
	case d.Layers < NoLayers || d.Layers > mostLayers:
		return fmt.Errorf("layers: %d is not a number from 0 to %d", d.Layers, mostLayers)
	case !(d.ErodeMM >= 0 && d.ErodeMM <= mostErosion):
		return fmt.Errorf("erode_mm: %g is not a distance from 0 to %g mm", d.ErodeMM, mostErosion)
	case !(d.FluidMS >= 0) || math.IsInf(d.FluidMS, 0):
		return fmt.Errorf("fluid_ms: %g is not a T2 of 0 or more", d.FluidMS)
	case !(d.FluidEdgeMS >= 0) || math.IsInf(d.FluidEdgeMS, 0):
		return fmt.Errorf("fluid_edge_ms: %g is not a T2 of 0 or more", d.FluidEdgeMS)
	case d.FluidMS > 0 && d.FluidEdgeMS > d.FluidMS:
		return fmt.Errorf("fluid_edge_ms: %g is above fluid_ms, %g, and has no effect", d.FluidEdgeMS, d.FluidMS)
	case d.MinFraction != 0:
		_, err := MaskFraction(d.MinFraction)
		return err
	}
	return nil
}

// MaskFraction checks a smallest fraction that a user has written. 0 is an error, although it is the default of the
// option.
func MaskFraction(v float64) (float64, error) {
	if !(v > 0 && v <= 1) {
		return 0, fmt.Errorf("mask fraction %g is not above 0 and at most 1", v)
	}
	return v, nil
}

// LayerOption turns a number of layers that a user has written into the value of Division.Layers, in which 0 means
// the default.
func LayerOption(n int) (int, error) {
	switch {
	case n < 0 || n > mostLayers:
		return 0, fmt.Errorf("layers: %d is not a number from 0 to %d", n, mostLayers)
	case n == 0:
		return NoLayers, nil
	}
	return n, nil
}

// division returns the division of the protocol.
func (f protocolFile) division() (d Division, err error) {
	d = Division{Method: DivisionMethod(f.Division), ErodeMM: f.Erode, FluidMS: f.Fluid, FluidEdgeMS: f.FluidEdge}
	if f.Layers != nil {
		if d.Layers, err = LayerOption(*f.Layers); err != nil {
			return d, err
		}
	}
	if f.Fraction != nil {
		d.MinFraction, err = MaskFraction(*f.Fraction)
	}
	return d, err
}

// MaskScheme is the scheme for reading masks. If nothing is divided, its tissues are rows.
func (p Protocol) MaskScheme() segment.Scheme {
	if p.Division.Method == DivideNone {
		return p.Scheme.Undivided()
	}
	return p.Scheme
}
