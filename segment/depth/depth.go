// Package depth measures how deep each voxel of cartilage lies between bone and joint, from the
// mask alone and on its own grid, and what follows from that: layers, profiles of T2, and masks
// without their outermost voxels. Positions and distances are in mm, in LPS.
package depth

import (
	"context"
	"fmt"
	"math"

	"github.com/t2map/t2map/internal/parallel"
	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/volume"
)

// Options are the options of Depth. The zero value is the default.
type Options struct {
	// Axes returns the axes of the knee. It is called only where a bone has no label, so that Depth
	// can run beside what finds the axes, and several goroutines may call it at the same time. Its error
	// ends Depth. An axis of zero, and all of them without a function, are the patient's.
	Axes func(context.Context) (anatomy.Axes, error)
	// Workers is the number of goroutines; 0 means one per processor. The result does not depend on it.
	Workers int
}

// AffineError says that a grid's affine has no inverse.
type AffineError struct{ Affine [3][4]float64 }

func (e *AffineError) Error() string {
	return fmt.Sprintf("the affine of the mask has no inverse: %v", e.Affine)
}

// Field is the relative depth of the cartilage of a mask, voxel by voxel.
type Field struct {
	volume.Geometry
	// Voxels are the indices of the voxels of cartilage in the mask: sheet by sheet in the
	// order of Bone, and ascending in each.
	Voxels []int32
	// Depth is 0 at the bone and 1 at the joint; NaN where it is not defined.
	Depth []float32
	// Thickness is that of the cartilage through the voxel, in mm, from one surface to the
	// other.
	Thickness []float32
	// Normal is the direction from bone to joint through the voxel, of length 1, in LPS.
	Normal [][3]float32
	// Sheets says what was found on each bone.
	Sheets [anatomy.Bones]SheetDepth
}

// BoneSource says how the bone side of cartilage was found.
type BoneSource uint8

// The sources.
const (
	NoBoneSource BoneSource = iota // there is no cartilage
	BoneByLabel                    // the label of the bone
	BoneByShape                    // the shape: the mask has no bone there
	BoneByBoth                     // the label where it is beside the cartilage, and the shape elsewhere
)

// String returns label, shape, label and shape, or none.
func (s BoneSource) String() string {
	if names := [...]string{"none", "label", "shape", "label and shape"}; int(s) < len(names) {
		return names[s]
	}
	return "unknown"
}

// SheetDepth is the cartilage of one bone.
type SheetDepth struct {
	// From and To bound its voxels: Voxels[From:To].
	From, To int
	// Source says how the bone side was found.
	Source BoneSource
	// Undefined is the number of voxels without a depth: there is no bone side or no joint side
	// near them.
	Undefined int
	// Bone is the bone side: positions in mm LPS, of equal areas up to a factor of about two.
	Bone [][3]float64
	// Areas of the two sides in mm².
	BoneArea, JointArea float64
}

// Measure returns the relative depth of every voxel of cartilage: b/(b + j), where b and j are
// the distances in mm from the centre of the voxel to the bone side and to the joint side. On
// spherical, cylindrical and flat shells that is the exact depth. (The solution of Laplace's
// equation is not: in a shell of 2.5 mm on a sphere of 20 mm, its value at half depth is 0.53.)
//
// The bone side is the part of the boundary that faces the label of the bone, across a gap of
// up to two voxels. Where the mask has no such label it is found from the shape: the side
// towards the axis of the femur's cylinder, the lower side of the tibia, the front of the
// patella. The joint side is the part that looks away from the bone side, whatever lies there:
// background, other cartilage, a meniscus. The rim of a plate is neither, nor is what the edge
// of the grid cuts off.
//
// The surface lies midway between the centres of voxels, and is smoothed along itself (see
// smooth), so that distances are finer than the grid. A plate of one voxel has depth 0.5.
//
// The order of slices, rows and columns does not matter, nor does a mirrored or oblique affine.
// An affine without an inverse is an *AffineError. When ctx ends, so does Depth, with its error.
func Measure(ctx context.Context, m anatomy.Mask, options Options) (Field, error) {
	out := Field{Geometry: m.Geometry}
	l, ok := newLattice(m.Geometry)
	if !ok {
		return Field{}, &AffineError{m.Affine}
	}
	workers := parallel.Workers(options.Workers)
	sheets, err := findSheets(ctx, m.Data, l, workers)
	if err != nil {
		return Field{}, err
	}
	for b := range sheets {
		s := &sheets[b]
		from := len(out.Voxels)
		out.Voxels = append(out.Voxels, s.voxels...)
		out.Sheets[b] = SheetDepth{From: from, To: len(out.Voxels)}
	}
	out.Depth = make([]float32, len(out.Voxels))
	out.Thickness = make([]float32, len(out.Voxels))
	out.Normal = make([][3]float32, len(out.Voxels))
	err = parallel.Each(ctx, len(sheets), workers, func(b int) error {
		if len(sheets[b].voxels) == 0 {
			return nil
		}
		return out.measure(ctx, &sheets[b], m.Data, l, options)
	})
	if err != nil {
		return Field{}, err
	}
	return out, nil
}

// unlabelled is the least part of a sheet without a depth for which the label of the bone is
// taken to lack a part of the bone. Rims and crumbs leave up to 0.3 % of real plates without
// one.
const unlabelled = 0.02

// measure finds the sides of a sheet, and the depth of its voxels between them. What it sets is
// of no use where it returns an error.
func (out *Field) measure(ctx context.Context, s *sheet, data []anatomy.Tissue, l *lattice, options Options) error {
	workers := parallel.Workers(options.Workers)
	about := &out.Sheets[s.bone]
	f := findSurface(ctx, s, data, l, workers)
	s.locate(l, workers)
	about.Source = BoneByShape
	if f.boneByLabel() {
		looked := append([]side(nil), f.side...)
		bone := f.boundary(s, sideBone, l)
		f.judge(bone, sideBone, sideJoint)
		out.between(s, l, workers, bone, f.boundary(s, sideJoint, l))
		about.Source = BoneByLabel
		if err := ctx.Err(); err != nil || float64(about.Undefined) <= unlabelled*float64(len(s.voxels)) {
			return err
		}
		about.Source = BoneByBoth
		copy(f.side, looked)
	}
	toBone, err := options.toBone(ctx, s, l)
	if err != nil {
		return err
	}
	f.boneByShape(toBone, about.Source == BoneByBoth)
	bone := f.boundary(s, sideBone, l)
	f.judge(bone, sideBone, sideJoint)
	joint := f.boundary(s, sideJoint, l)
	f.judge(joint, sideJoint, sideBone) // so far, half of the rim counted as bone
	bone = f.boundary(s, sideBone, l)
	f.judge(bone, sideBone, sideJoint)
	out.between(s, l, workers, bone, f.boundary(s, sideJoint, l))
	return ctx.Err()
}

// between sets the depth of a sheet's voxels between its two sides.
func (out *Field) between(s *sheet, l *lattice, workers int, bone, joint *boundary) {
	about := &out.Sheets[s.bone]
	about.BoneArea, about.JointArea, about.Undefined = bone.area, joint.area, 0
	about.Bone = make([][3]float64, len(bone.pieces))
	for n, p := range bone.pieces {
		about.Bone[n] = p.at
	}
	undefined := make([]int, parallel.Parts(len(s.voxels), workers, worthSharing))
	parallel.Split(len(s.voxels), workers, worthSharing, func(part, from, to int) {
		for n := from; n < to; n++ {
			at := about.From + n
			x := l.centre(s.index[n])
			b, fromBone := bone.height(n, x)
			j, fromJoint := joint.height(n, x)
			thickness := b + j
			if !(thickness > 0) {
				out.Depth[at], out.Thickness[at] = float32(math.NaN()), float32(math.NaN())
				out.Normal[at] = [3]float32{}
				undefined[part]++
				continue
			}
			// Rounded, so that the middle of a plate of three voxels is at 0.5 on every machine
			// and on a mirrored grid.
			out.Depth[at], out.Thickness[at] = float32(math.Round(b/thickness*1e5)/1e5), float32(thickness)
			normal := fromBone.Minus(fromJoint).Unit()
			if s.single(n, l, normal) {
				out.Depth[at] = 0.5
			}
			out.Normal[at] = normal.Short()
		}
	})
	for _, n := range undefined {
		about.Undefined += n
	}
}
