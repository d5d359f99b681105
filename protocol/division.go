package protocol

import (
	"fmt"
	"math"

	"github.com/t2map/t2map/segment"
)

// Division says how the tissues of a mask become compartments, regions and layers on the
// grid of the series. The zero value is the default of each field.
type Division struct {
	// By is what decides: DivideKnee or DivideNone; "" means DivideKnee.
	By DivideBy
	// Layers is the number of layers from bone to joint; 0 means 2, and NoLayers none.
	Layers int
	// MinFraction is the least share of a voxel of the series that the mask has to cover,
	// where the mask lies on another grid; 0 means 0.5.
	MinFraction float64
	// ErodeMM is the distance in mm by which every tissue is eroded before it is
	// brought onto the grid of the series; 0 means not at all.
	ErodeMM float64
	// FluidMS is the T2 in ms above which a voxel of cartilage counts as fluid and is
	// excluded; 0 means that no voxel does.
	FluidMS float64
	// FluidEdgeMS is the same limit for voxels at the edge, which the mask covers in part; 0
	// means that they have no limit of their own.
	FluidEdgeMS float64
}

// DivideBy says what divides tissues into compartments.
type DivideBy string

// The ways to divide.
const (
	DivideKnee DivideBy = "knee" // the shape of the knee, see package anatomy
	DivideNone DivideBy = "none" // nothing: each tissue is a row of its own
)

// NoLayers is the value of Division.Layers for no layers.
const NoLayers = -1

// mostLayers is more than any cartilage has voxels across: 3 mm at 0.3 mm.
const mostLayers = 10

// mostErosion in mm is more than any cartilage is thick.
const mostErosion = 10.0

// The defaults of Division.
const (
	defaultLayers      = 2
	defaultMinFraction = 0.5 // a voxel is rather cartilage than not
)

// WithDefaults returns the division with its defaults filled in; Layers is 0 for none.
func (d Division) WithDefaults() Division {
	if d.By == "" {
		d.By = DivideKnee
	}
	switch {
	case d.Layers == NoLayers || d.By == DivideNone:
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
	case d.By != "" && d.By != DivideKnee && d.By != DivideNone:
		return fmt.Errorf("division %q is neither %s nor %s", d.By, DivideKnee, DivideNone)
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

// MaskFraction checks a least fraction as people write it: 0 is a mistake here, although it is
// the default of the option.
func MaskFraction(v float64) (float64, error) {
	if !(v > 0 && v <= 1) {
		return 0, fmt.Errorf("mask fraction %g is not above 0 and at most 1", v)
	}
	return v, nil
}

// LayerOption turns a number of layers, as people write it, into the option, whose zero is
// its default.
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
	d = Division{By: DivideBy(f.Division), ErodeMM: f.Erode, FluidMS: f.Fluid, FluidEdgeMS: f.FluidEdge}
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

// MaskScheme is the scheme as masks are read with it: with rows in the place of tissues where
// nothing is divided.
func (p Protocol) MaskScheme() segment.Scheme {
	if p.Division.WithDefaults().By == DivideNone {
		return p.Scheme.Undivided()
	}
	return p.Scheme
}
