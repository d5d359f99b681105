package depth

import (
	"github.com/t2map/t2map/internal/parallel"
	"github.com/t2map/t2map/volume"
)

// DefaultLayers is the default number of layers: deep and superficial.
const DefaultLayers = 2

// Layers divides the cartilage into n layers of equal depth (n < 1: DefaultLayers). It returns the layer
// of each of d.Voxels: 1 at the bone … n at the joint. It is 0 if the depth is not defined, or if the
// cartilage is less than n − ½ voxels of the mask thick along its normal: a plate one voxel thick has no
// halves.
func (d Field) Layers(n int) []uint8 {
	if n < 1 {
		n = DefaultLayers
	}
	n = min(n, 255)
	out := make([]uint8, len(d.Voxels))
	l, ok := newLattice(d.Geometry)
	if !ok {
		return out
	}
	parallel.Split(len(out), 0, worthSharing, func(_, start, end int) {
		for v := start; v < end; v++ {
			if d.Thickness[v] > 0 && float64(d.Thickness[v]) >= (float64(n)-0.5)*l.extent(d.normal(v)) {
				out[v] = uint8(1 + min(n-1, int(float64(d.Depth[v])*float64(n))))
			}
		}
	})
	return out
}

func (d Field) normal(v int) vector {
	n := d.Normal[v]
	return vector{float64(n[0]), float64(n[1]), float64(n[2])}
}

// Thin describes how thin cartilage is on a grid.
type Thin struct {
	Voxels int // of the mask, with a thickness
	Thin   int // the number of these where the cartilage is thinner than n voxels of the grid
	// Thickness is the mean over the area of the plate in mm. It is the harmonic mean over voxels,
	// because a voxel represents less area where the cartilage is thicker. NaN without voxels.
	Thickness float64
	// VoxelsAcross is the mean over the area of the thickness in voxels of the grid.
	VoxelsAcross float64
}

// Fraction returns the share of voxels where the cartilage is thin; NaN without voxels.
func (t Thin) Fraction() float64 { return float64(t.Thin) / float64(t.Voxels) }

// ThinFor measures how much of the cartilage is thinner than n voxels of the grid g, usually that of a T2
// series. take selects indices of d.Voxels; nil selects all. The size of a voxel is measured along the
// normal of the cartilage, as that of the ellipsoid whose axes are the edges of the voxel: within a slice
// it is the pixel size, and perpendicular to it the slice distance. An affine without an inverse is an
// *AffineError.
func (d Field) ThinFor(g volume.Geometry, n float64, take func(v int) bool) (Thin, error) {
	var t Thin
	l, ok := newLattice(g)
	if !ok {
		return t, &AffineError{g.Affine}
	}
	for v, thickness := range d.Thickness {
		if !(thickness > 0) || take != nil && !take(v) {
			continue
		}
		voxels := float64(thickness) / l.extent(d.normal(v))
		t.Voxels++
		t.Thickness += 1 / float64(thickness)
		t.VoxelsAcross += voxels / float64(thickness)
		if voxels < n {
			t.Thin++
		}
	}
	t.VoxelsAcross /= t.Thickness
	t.Thickness = float64(t.Voxels) / t.Thickness
	return t, nil
}
