package tools

import (
	"errors"
	"fmt"
	"image"
	"math"
	"slices"

	"github.com/t2map/t2map/drawing"
	"github.com/t2map/t2map/volume"
)

// Average returns the mask between two masks on one grid, slice by slice. Each label becomes a map of distances from its
// edge in mm, positive inside; a voxel gets the label with the largest mean of both distances, or none if no mean is
// positive (shape-based averaging: Rohlfing and Maurer 2007, IEEE Transactions on Image Processing 16:153–161). Where the
// means do not decide, as at an edge that differs by one voxel, the voxel has the label of the first mask. A label that only
// one of the masks has in a slice is not in the average of that slice.
//
// It is an error, which wraps drawing.ErrStroke, if the masks have different sizes.
func Average(a, b volume.Labels) (volume.Labels, error) {
	out := volume.Labels{Geometry: a.Geometry, Data: make([]uint16, len(a.Data))}
	var painters [2]*painter
	for n, mask := range []volume.Labels{a, b} {
		p, err := newPainter(Gesture{Tool: Clear}, mask)
		if err == nil && mask.Size != a.Size {
			err = errors.New("the masks have different sizes")
		}
		if err != nil {
			return out, fmt.Errorf("%w: %w", drawing.ErrStroke, err)
		}
		painters[n] = p
	}
	for k := range a.Size[2] {
		averageSlice(volume.Slice(out.Geometry, out.Data, k), k, painters)
	}
	return out, nil
}

// averageSlice fills in the labels of slice k.
func averageSlice(labels []uint16, k int, masks [2]*painter) {
	size := masks[0].mask.Size
	best := make([]float64, len(labels))
	first := volume.Slice(masks[0].mask.Geometry, masks[0].mask.Data, k)
	for _, label := range labelsOf(first) {
		var box image.Rectangle
		for _, p := range masks {
			p.Label = label
			box = box.Union(p.bounds(k))
		}
		box = box.Inset(-1)
		fromA, fromB := masks[0].distances(k, box, image.Point{}), masks[1].distances(k, box, image.Point{})
		within := box.Intersect(masks[0].slice())
		for j := within.Min.Y; j < within.Max.Y; j++ {
			for i := within.Min.X; i < within.Max.X; i++ {
				n := (j-box.Min.Y)*box.Dx() + i - box.Min.X
				v := i + size[0]*j
				mean := (fromA[n] + fromB[n]) / 2
				if math.Abs(mean) <= slack && first[v] == label || mean > slack && mean > best[v]+slack {
					labels[v], best[v] = label, max(mean, best[v])
				}
			}
		}
	}
}

// labelsOf returns the labels that occur, in increasing order, without 0.
func labelsOf(labels []uint16) []uint16 {
	var all []uint16
	for _, r := range drawing.Runs(labels) {
		if !slices.Contains(all, r.Label) {
			all = append(all, r.Label)
		}
	}
	slices.Sort(all)
	return all
}
