package segment

import (
	"fmt"
	"math"

	"github.com/t2map/t2map/volume"
)

// GridError reports that a mask does not lie on the voxels of the series.
type GridError struct {
	Mask, Series [3]int // voxels along i, j, k
	// Distance is the largest distance in mm between corresponding voxel centres, in the best order of
	// the axes, and Allowed is its limit. Both are NaN if the sizes fit in no order.
	Distance, Allowed float64
}

// Error gives both sizes, or the distance: "mask grid differs from the series:
// voxel centres up to 12.50 mm apart (allowed 0.10 mm)".
func (e *GridError) Error() string {
	if math.IsNaN(e.Distance) {
		return fmt.Sprintf("mask is %d×%d×%d voxels, the series %d×%d×%d",
			e.Mask[0], e.Mask[1], e.Mask[2], e.Series[0], e.Series[1], e.Series[2])
	}
	return fmt.Sprintf(
		"mask grid differs from the series: voxel centres up to %.2f mm apart (allowed %.2f mm)", e.Distance,
		e.Allowed,
	)
}

// OnGrid returns l in the voxel order of g, the geometry of the series. Mask and series must have the same
// voxels, but their axes may be permuted and flipped, as they are between NIfTI and DICOM. Labels are
// moved by whole indices, never interpolated. If the order is already the same, the result shares l.Data.
//
// If the size of the mask fits in no order of the axes, or if its voxel centres are more than 0.1 mm (or a
// third of the smallest spacing) from those of the series, the error is a *GridError. A one-slice mask
// that was flipped along its slice axis cannot be distinguished from the original: the voxels are the
// same.
func OnGrid(l volume.Labels, g volume.Geometry) (volume.Labels, error) {
	if len(l.Data) != l.Voxels() {
		return volume.Labels{}, fmt.Errorf(
			"mask has %d labels, want %d×%d×%d", len(l.Data), l.Size[0], l.Size[1], l.Size[2],
		)
	}
	m, err := order(l.Geometry, g)
	if err != nil {
		return volume.Labels{}, err
	}
	if m == (indexMap{axis: [3]int{0, 1, 2}}) {
		return volume.Labels{Geometry: g, Data: l.Data}, nil
	}
	return volume.Labels{Geometry: g, Data: m.reorder(l, g.Size)}, nil
}

// CheckGrid returns the *GridError that OnGrid would return for a mask with this geometry. It does not
// need the voxels of the mask.
func CheckGrid(mask, series volume.Geometry) error {
	_, err := order(mask, series)
	return err
}

// order returns the map from the voxels of g to those of the mask, or a *GridError.
func order(mask, g volume.Geometry) (indexMap, error) {
	allowed := g.Tolerance()
	m, distance, fits := nearest(mask, g)
	if !fits {
		return m, &GridError{Mask: mask.Size, Series: g.Size, Distance: math.NaN(), Allowed: math.NaN()}
	}
	// A NaN fails this comparison.
	if !(distance <= allowed) {
		return m, &GridError{Mask: mask.Size, Series: g.Size, Distance: distance, Allowed: allowed}
	}
	return m, nil
}

// indexMap maps an index of the series to an index of the mask: axis d of the series is axis[d] of the
// mask, reversed if flip[d].
type indexMap struct {
	axis [3]int
	flip [3]bool
}

// nearest returns the signed permutation of axes that brings the voxels of mask nearest to those of g, and
// the largest remaining distance in mm between voxel centres, infinite if a position is NaN. fits is false
// if no permutation fits the sizes.
//
// The map is inv(A_mask)·A_g rounded to a signed permutation. All 48 of these are tried instead: this
// needs no inverse and no rule for rounding, and gives the distance of the best one if none is good.
func nearest(mask, g volume.Geometry) (best indexMap, least float64, fits bool) {
	for _, axis := range [][3]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		if mask.Size[axis[0]] != g.Size[0] || mask.Size[axis[1]] != g.Size[1] || mask.Size[axis[2]] != g.Size[2] {
			continue
		}
		for flips := range 8 {
			m := indexMap{axis, [3]bool{flips&1 != 0, flips&2 != 0, flips&4 != 0}}
			// The first of equals is kept: along an axis of one voxel a flip
			// changes nothing and is not made.
			if d := m.distance(mask, g); !fits || d < least {
				best, least, fits = m, d, true
			}
		}
	}
	if math.IsNaN(least) {
		least = math.Inf(1)
	}
	return best, least, fits
}

// distance returns the largest distance between voxel centres under the map. The length of the difference
// of two affine maps is convex, so that it is largest at a corner of the grid.
func (m indexMap) distance(mask, g volume.Geometry) float64 {
	farthest := 0.0
	for corner := range 8 {
		var index, in [3]float64
		for d := range index {
			end := float64(g.Size[d] - 1)
			if corner>>d&1 == 1 {
				index[d] = end
			}
			in[m.axis[d]] = index[d]
			if m.flip[d] {
				in[m.axis[d]] = end - index[d]
			}
		}
		p, q := g.Position(index[0], index[1], index[2]), mask.Position(in[0], in[1], in[2])
		x, y, z := p[0]-q[0], p[1]-q[1], p[2]-q[2]
		farthest = max(farthest, math.Sqrt(x*x+y*y+z*z)) // max keeps NaN
	}
	return farthest
}

// reorder returns the labels of l in the order of the series, which has the
// given size.
func (m indexMap) reorder(l volume.Labels, size [3]int) []uint16 {
	stride := [3]int{1, l.Size[0], l.Size[0] * l.Size[1]}
	var step [3]int
	first := 0
	for d := range step {
		step[d] = stride[m.axis[d]]
		if m.flip[d] {
			first += (size[d] - 1) * step[d]
			step[d] = -step[d]
		}
	}
	out := make([]uint16, len(l.Data))
	v := 0
	for k := range size[2] {
		for j := range size[1] {
			source := first + k*step[2] + j*step[1]
			for range size[0] {
				out[v] = l.Data[source]
				source += step[0]
				v++
			}
		}
	}
	return out
}
