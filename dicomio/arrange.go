package dicomio

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/t2map/t2map/volume"
)

func dot(a, b [3]float64) float64 { return a[0]*b[0] + a[1]*b[1] + a[2]*b[2] }

func cross(a, b [3]float64) [3]float64 {
	return [3]float64{a[1]*b[2] - a[2]*b[1], a[2]*b[0] - a[0]*b[2], a[0]*b[1] - a[1]*b[0]}
}

// arrange sorts the images by echo and slice, and derives the grid. Slices are sorted by
// the projection of ImagePositionPatient on the normal, row × column.
func (t *Train) arrange() error {
	o := t.images[0].orientation
	normal := cross([3]float64(o[:3]), [3]float64(o[3:]))
	projection := func(h *header) float64 { return dot(h.position, normal) }
	sorted := slices.Clone(t.images)
	slices.SortStableFunc(sorted, func(a, b *header) int { return cmp.Compare(projection(a), projection(b)) })
	var slicesAt [][]*header
	for i, h := range sorted {
		// Compared with the first image of the slice, so that a chain of small steps does
		// not count as one slice.
		if i == 0 || projection(h)-projection(slicesAt[len(slicesAt)-1][0]) > samePosition {
			slicesAt = append(slicesAt, nil)
		}
		slicesAt[len(slicesAt)-1] = append(slicesAt[len(slicesAt)-1], h)
	}
	all := echoes(t.images)
	grid := make([][]*header, len(all))
	for e := range grid {
		grid[e] = make([]*header, len(slicesAt))
	}
	for k, images := range slicesAt {
		for _, h := range images {
			e := echoIndex(all, h)
			if grid[e][k] != nil {
				return t.duplicate(k, slices.DeleteFunc(images, func(h *header) bool { return echoIndex(all, h) != e }))
			}
			grid[e][k] = h
		}
	}
	for e := range grid {
		for k, h := range grid[e] {
			if h == nil {
				return t.missing(e, k, len(slicesAt), projection(slicesAt[k][0]))
			}
		}
	}
	if err := t.stack(grid, normal); err != nil {
		return err
	}
	t.grid = grid
	return nil
}

func (t *Train) missing(e, k, slices int, position float64) error {
	return &TrainError{
		Series: t.Hash,
		Problem: fmt.Sprintf("echo time %s ms is missing at slice %d of %d (%.2f mm along the normal)",
			milliseconds(t.TE[e]), k+1, slices, position),
		Topic: TopicMissing,
		Hint:  "every slice must have every echo: ask the site to send the missing image",
	}
}

// stack derives the affine from the slices' positions and checks that they are evenly
// spaced on a straight line.
func (t *Train) stack(grid [][]*header, normal [3]float64) error {
	first := grid[0][0]
	if first.thickness > 0 {
		t.Thickness = first.thickness
	}
	n := len(grid[0])
	var step [3]float64
	if n > 1 {
		last := grid[0][n-1]
		for r := range step {
			step[r] = (last.position[r] - first.position[r]) / float64(n-1)
		}
	} else {
		// A single slice has no neighbour: its spacing is its thickness.
		if !(first.thickness > 0) {
			return first.wrong(tag.SliceThickness, "missing: the spacing of a single slice is not known")
		}
		for r := range step {
			step[r] = normal[r] * first.thickness
		}
	}
	spacing := math.Sqrt(dot(step, step))
	for e := range grid {
		for k, h := range grid[e] {
			var offset [3]float64
			for r := range offset {
				offset[r] = h.position[r] - first.position[r] - step[r]*float64(k)
			}
			if d := math.Sqrt(dot(offset, offset)); d > max(evenness*spacing, samePosition) {
				return h.wrong(tag.ImagePositionPatient,
					"slice %d of %d lies %.3f mm from its place in a stack spaced %.3f mm: uneven slice spacing", k+1,
					n, d, spacing).
					withHint("a slice is missing or belongs to another acquisition: ask the site for the whole series")
			}
		}
	}
	if lean := math.Abs(dot(step, normal))/spacing - 1; math.Abs(lean) > squareness {
		return first.wrong(tag.ImagePositionPatient, "slices are not stacked along their normal (cosine %.4f)", lean+1)
	}
	g := volume.Geometry{Size: [3]int{first.columns, first.rows, n}}
	for r := range 3 {
		// PixelSpacing gives the distance between rows first.
		g.Affine[r] = [4]float64{
			first.orientation[r] * first.spacing[1],
			first.orientation[3+r] * first.spacing[0],
			step[r],
			first.position[r],
		}
	}
	t.Geometry = g
	return nil
}
