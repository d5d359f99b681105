// Package volume holds the values that the stages of t2map pass to each other: a grid in patient
// space, a multi-echo series on it, the maps that a fit returns and the labels of a mask. It has no
// I/O and no algorithms except index arithmetic, and imports only the standard library.
//
// Units are mm for space and ms for TE and T2. Patient space is DICOM's: LPS,
// x to the patient's left, y to posterior, z to the head.
//
// Every array of voxels is in DICOM's order, slice by slice, row by row: voxel (i, j, k) has the
// index v = i + Nx·(j + Ny·k), where i runs along a row, j down a column and k over slices.
package volume

import (
	"fmt"
	"math"
)

// Geometry is a grid of voxels in patient space.
type Geometry struct {
	// Size is the number of voxels (Nx, Ny, Nz): columns, rows, slices.
	Size [3]int
	// Affine maps a voxel index to the patient position of its centre in mm, LPS: position[r] =
	// Affine[r][0]·i + Affine[r][1]·j + Affine[r][2]·k + Affine[r][3].
	Affine [3][4]float64
}

// Voxels returns Nx·Ny·Nz.
func (g Geometry) Voxels() int { return g.Size[0] * g.Size[1] * g.Size[2] }

// SliceVoxels returns Nx·Ny.
func (g Geometry) SliceVoxels() int { return g.Size[0] * g.Size[1] }

// Position returns the patient position, mm LPS, of the index (i, j, k), which
// need not be whole numbers.
func (g Geometry) Position(i, j, k float64) [3]float64 {
	var p [3]float64
	for r, a := range g.Affine {
		p[r] = a[0]*i + a[1]*j + a[2]*k + a[3]
	}
	return p
}

// Index returns the index (i, j, k) of voxel v.
func (g Geometry) Index(v int) [3]int {
	row := v / g.Size[0]
	return [3]int{v - row*g.Size[0], row % g.Size[1], row / g.Size[1]}
}

// Distance returns the largest distance in mm between the centres of voxels of the same index in g
// and in other, for the indices of g; NaN if a position is not a number. The length of the
// difference of two affine maps is convex, so that its maximum is at a corner.
func (g Geometry) Distance(other Geometry) float64 {
	farthest := 0.0
	for corner := range 8 {
		var i [3]float64
		for d := range i {
			i[d] = float64((corner >> d & 1) * (g.Size[d] - 1))
		}
		p, q := g.Position(i[0], i[1], i[2]), other.Position(i[0], i[1], i[2])
		x, y, z := p[0]-q[0], p[1]-q[1], p[2]-q[2]
		farthest = max(farthest, math.Sqrt(x*x+y*y+z*z)) // max keeps NaN
	}
	return farthest
}

// Spacing returns the distance in mm between neighbouring voxel centres along
// i, j and k.
func (g Geometry) Spacing() [3]float64 {
	var s [3]float64
	for c := range s {
		s[c] = math.Sqrt(g.Affine[0][c]*g.Affine[0][c] + g.Affine[1][c]*g.Affine[1][c] + g.Affine[2][c]*g.Affine[2][c])
	}
	return s
}

// sameVoxel is the largest distance in mm between the centres of one voxel in two descriptions of a
// grid: float32 headers round positions to 1e-3 mm or better, while the smallest voxels in use are
// 0.3 mm. sameVoxelPart keeps it below a third of a voxel if voxels are smaller, so that a shift by
// one voxel is always detected.
const (
	sameVoxel     = 0.1
	sameVoxelPart = 1.0 / 3
)

// Tolerance returns the largest distance in mm at which a position counts as the centre of a voxel
// of g: 0.1, or a third of the smallest spacing if that is less. It is NaN if a spacing is not a
// number.
func (g Geometry) Tolerance() float64 {
	s := g.Spacing()
	return min(sameVoxel, sameVoxelPart*min(s[0], s[1], s[2]))
}

// Inverse returns the affine map from a patient position in mm LPS to an index, in the layout of
// Affine, by Cramer's rule; ok is false if the affine has no inverse or is not finite.
func (g Geometry) Inverse() (inv [3][4]float64, ok bool) {
	a := g.Affine
	var cofactor [3][3]float64
	for r := range 3 {
		for c := range 3 {
			r1, r2, c1, c2 := (r+1)%3, (r+2)%3, (c+1)%3, (c+2)%3
			cofactor[r][c] = float64(a[r1][c1]*a[r2][c2]) - float64(a[r1][c2]*a[r2][c1])
		}
	}
	det := float64(a[0][0]*cofactor[0][0]) + float64(a[0][1]*cofactor[0][1]) + float64(a[0][2]*cofactor[0][2])
	ok = det != 0
	for r := range 3 {
		for c := range 3 {
			inv[r][c] = cofactor[c][r] / det
			inv[r][3] -= float64(inv[r][c] * a[c][3])
		}
		for _, v := range inv[r] {
			ok = ok && !math.IsNaN(v) && !math.IsInf(v, 0)
		}
	}
	return inv, ok
}

// VoxelVolume returns the volume of one voxel in mm³: the absolute determinant of the affine, so
// that a gap between slices is part of the voxel.
func (g Geometry) VoxelVolume() float64 {
	a := g.Affine
	return math.Abs(a[0][0]*(a[1][1]*a[2][2]-a[1][2]*a[2][1]) -
		a[0][1]*(a[1][0]*a[2][2]-a[1][2]*a[2][0]) +
		a[0][2]*(a[1][0]*a[2][1]-a[1][1]*a[2][0]))
}

// MultiEcho is a multi-echo series: the magnitude of every voxel at every echo
// time.
type MultiEcho struct {
	Geometry
	// TE holds the echo times in ms, strictly increasing.
	TE []float64
	// Echo[e] holds the magnitudes at TE[e], one per voxel. Values are finite.
	Echo [][]float32
	// Ceiling[e][k] is the magnitude at which the signal of slice k was clipped at TE[e], +Inf if
	// it was not clipped; nil if nothing was clipped in the series.
	Ceiling [][]float32
}

// Saturated reports whether voxel v reaches the ceiling of echo e, so that its signal
// there was not measured.
func (s MultiEcho) Saturated(e, v int) bool {
	return s.Ceiling != nil && s.Echo[e][v] >= s.Ceiling[e][v/s.SliceVoxels()]
}

// Labels is a label map: for each voxel, the whole number that a reader or a segmentation assigned
// to it, 0 if none.
type Labels struct {
	Geometry
	Data []uint16
}

// Map is one number per voxel, NaN if there is no estimate.
type Map struct {
	Geometry
	Data []float32
}

// Maps is the result of a fit, one value per voxel in each array. Unless Status is Fitted,
// OutOfRange, AtBound or Fluid, T2, S0, SE, Offset and B1 are NaN.
type Maps struct {
	Geometry
	// T2 in ms.
	T2 []float32
	// S0 is the magnitude at TE = 0, in the units of the series.
	S0 []float32
	// R2 is the coefficient of determination of the fitted echoes (not the relaxation rate); NaN if
	// no curve was found.
	R2 []float32
	// SE is the standard error of T2 in ms.
	SE []float32
	// Offset is the constant added to the decay, in the units of the series; nil
	// unless the model has one.
	Offset []float32
	// B1 is the refocusing angle as a fraction of 180°; nil unless the model has one.
	B1 []float32
	// Echoes is the number of echoes that each voxel's fit used, 255 if there are more; nil if the
	// number is the same for all voxels.
	Echoes []uint8
	// Noise is the noise of the series.
	Noise Noise
	// Status is the outcome of the fit of each voxel.
	Status []Status
}

// Noise is the noise of a magnitude series.
type Noise struct {
	// Sigma is the standard deviation of each channel of the complex signal, one per slice, in the
	// units of the series; NaN if it is not known.
	Sigma []float64
	// Source is the source of Sigma: given, residuals or background; empty if Sigma was not
	// determined.
	Source string
}

// Status is the outcome of the fit of a voxel. Its numbers are written to status.nii.gz and do not
// change between versions.
type Status uint8

// The states of a voxel. A voxel that was to be fitted has any state but NotFitted.
const (
	NotFitted    Status = 0 // outside the mask
	Fitted       Status = 1 // a sound estimate
	LowSignal    Status = 2 // fewer than two fitted echoes above the floor
	NotDecaying  Status = 3 // no decay fits better than a constant
	NotConverged Status = 4 // no best rate: none found within the allowed steps, or it is unbounded
	OutOfRange   Status = 5 // T2 outside the accepted range; the maps keep the value
	PoorFit      Status = 6 // R² below the threshold
	AtBound      Status = 7 // on a bound of the model's parameters, which is not an estimate; the maps keep the value
	Saturated    Status = 8 // a fitted echo was clipped
	Fluid        Status = 9 // T2 above the limit of cartilage; the maps keep the value
)

// HasValue reports whether the maps hold an estimate for a voxel in this state.
func (s Status) HasValue() bool { return s == Fitted || s == OutOfRange || s == AtBound || s == Fluid }

// Exclusions lists the states that exclude a voxel from summaries, in the
// order of their columns in tables.
var Exclusions = [...]Status{LowSignal, NotDecaying, NotConverged, OutOfRange, PoorFit, AtBound, Saturated, Fluid}

var statusNames = [...]string{
	"not_fitted", "fitted", "low_signal", "not_decaying", "not_converged", "t2_out_of_range", "poor_fit", "at_bound",
	"saturated", "fluid",
}

// String returns the state's name as in table columns: low_signal.
func (s Status) String() string {
	if int(s) < len(statusNames) {
		return statusNames[s]
	}
	return fmt.Sprintf("status_%d", uint8(s))
}
