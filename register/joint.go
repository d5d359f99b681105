package register

import (
	"context"

	"github.com/t2map/t2map/volume"
)

const (
	// jointMargin is the margin in mm around the mask in which the images are registered. It
	// includes the ends of the bones with their edges, but not the muscles, which do not move with
	// the bones.
	jointMargin = 20.0
	// cutJoint is the length in mm of the joint that may lie outside the first field after the
	// largest accepted shift: a shift of 28 mm was recovered with 8 mm outside.
	cutJoint = 10.0
	// farShift is the shift in mm above which the field follows the knee, because less than half of
	// the margin remains on one side.
	farShift = jointMargin / 2
)

// Joint registers the images around the joint that a mask marks. The mask was drawn on the moving
// image; Options.Field is ignored. The field is the box around the mask with a margin of 20 mm, or
// more if a shift of more than 30 mm is accepted. If the knee moved by more than 10 mm, the images
// are registered again around the position of the joint in the fixed image.
//
// Errors: those of Rigid.
func Joint(ctx context.Context, fixed, moving volume.Map, mask volume.Labels, o Options) (Result, error) {
	o = o.fill()
	o.Field = BoundingBox(mask, max(jointMargin, o.MaxShift-cutJoint))
	r, err := Rigid(ctx, fixed, moving, o)
	if err != nil || r.Shift <= farShift || o.Field.isZero() {
		return r, err
	}
	o.known = &r.Transform
	o.Field = BoundingBox(mask, 0).moved(r.Transform.Inverse()).widened(jointMargin)
	return Rigid(ctx, fixed, moving, o)
}

// moved returns the box around the transformed box.
func (b Box) moved(t volume.Rigid) Box {
	corners := b.corners()
	for n, c := range corners {
		corners[n] = t.Apply(c)
	}
	return boxOf(corners)
}

// widened returns the box with margin mm more on every side.
func (b Box) widened(margin float64) Box {
	for r := range 3 {
		b.Min[r] -= margin
		b.Max[r] += margin
	}
	return b
}
