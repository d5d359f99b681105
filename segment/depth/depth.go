// Package depth measures the relative depth of each voxel of cartilage between bone and joint, from the
// mask alone and on its own grid. It also divides cartilage into layers, computes profiles of T2 by depth,
// and erodes masks. Positions are in mm LPS, distances in mm.
package depth

import (
	"context"
	"fmt"
	"math"

	"github.com/t2map/t2map/internal/parallel"
	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/volume"
)

// Options are the options of Measure. The zero value is the default.
type Options struct {
	// Axes returns the axes of the knee. It is called only if a bone has no label, so that Measure can
	// run concurrently with the search for the axes. Several goroutines may call it at the same time.
	// If it returns an error, so does Measure. For a zero axis, or if Axes is nil, the axis of the patient
	// is used.
	Axes func(context.Context) (anatomy.Axes, error)
	// Workers is the number of goroutines; 0 means one per processor. The result does not depend on it.
	Workers int
}

// AffineError reports that a grid's affine has no inverse.
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
	// Depth is 0 at the bone and 1 at the joint; NaN if it is not defined.
	Depth []float32
	// Thickness is that of the cartilage through the voxel, in mm, from one surface to the
	// other.
	Thickness []float32
	// Normal is the direction from bone to joint through the voxel, of length 1, in LPS.
	Normal [][3]float32
	// Sheets describes the cartilage of each bone.
	Sheets [anatomy.Bones]SheetDepth
}

// BoneSource is how the bone side of cartilage was found.
type BoneSource uint8

// The sources.
const (
	NoBoneSource BoneSource = iota // there is no cartilage
	BoneByLabel                    // the label of the bone
	BoneByShape                    // the shape: the mask has no such bone
	BoneByBoth                     // the label where it adjoins the cartilage, and the shape elsewhere
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
	// Start and End bound its voxels: Voxels[Start:End].
	Start, End int
	// Source is how the bone side was found.
	Source BoneSource
	// Undefined is the number of voxels without a depth, because no bone side or no joint side is near
	// them.
	Undefined int
	// Bone is the bone side: positions in mm LPS, of equal areas up to a factor of about two.
	Bone [][3]float64
	// BoneArea and JointArea are the areas of the two sides in mm².
	BoneArea, JointArea float64
}

// Measure returns the relative depth of every voxel of cartilage: b/(b + j), where b and j are
// the distances in mm from the centre of the voxel to the bone side and to the joint side. On
// spherical, cylindrical and flat shells that is the exact depth. (The solution of Laplace's
// equation is not: in a shell of 2.5 mm on a sphere of 20 mm, its value at half depth is 0.53.)
//
// The bone side is the part of the boundary that faces the label of the bone, across a gap of
// up to two voxels. If the mask has no such label, it is found from the shape: on the femur the
// side towards the axis of its cylinder, on the tibia the lower side, on the patella the anterior
// side. The joint side is the part that faces away from the bone side, whether it adjoins
// background, other cartilage or a meniscus. The rim of a plate belongs to neither side, and neither
// do faces at the edge of the grid.
//
// The surface lies midway between the centres of voxels, and is smoothed along itself (see
// smooth), so that distances are finer than the grid. A plate of one voxel has depth 0.5.
//
// The order of slices, rows and columns does not matter, nor does a mirrored or oblique affine.
// An affine without an inverse is an *AffineError. When ctx ends, Measure returns its error.
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
		start := len(out.Voxels)
		out.Voxels = append(out.Voxels, s.voxels...)
		out.Sheets[b] = SheetDepth{Start: start, End: len(out.Voxels)}
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

// unlabelled is the share of a sheet without a depth above which the label of the bone is assumed to be
// incomplete. On real plates, rims and small pieces leave up to 0.3 % without a depth.
const unlabelled = 0.02

// measure finds the sides of a sheet and the depth of its voxels. If it returns an error, the values that
// it has set are invalid.
func (out *Field) measure(ctx context.Context, s *sheet, data []anatomy.Tissue, l *lattice, options Options) error {
	workers := parallel.Workers(options.Workers)
	info := &out.Sheets[s.bone]
	f := findSurface(ctx, s, data, l, workers)
	s.locate(l, workers)
	info.Source = BoneByShape
	if f.boneByLabel() {
		byLabel := append([]side(nil), f.side...)
		bone := f.boundary(s, sideBone, l)
		f.findOpposite(bone, sideBone, sideJoint)
		out.setDepths(s, l, workers, bone, f.boundary(s, sideJoint, l))
		info.Source = BoneByLabel
		if err := ctx.Err(); err != nil || float64(info.Undefined) <= unlabelled*float64(len(s.voxels)) {
			return err
		}
		info.Source = BoneByBoth
		copy(f.side, byLabel)
	}
	toBone, err := options.toBone(ctx, s, l)
	if err != nil {
		return err
	}
	f.boneByShape(toBone, info.Source == BoneByBoth)
	bone := f.boundary(s, sideBone, l)
	f.findOpposite(bone, sideBone, sideJoint)
	joint := f.boundary(s, sideJoint, l)
	f.findOpposite(joint, sideJoint, sideBone) // so far, half of the rim counted as bone
	bone = f.boundary(s, sideBone, l)
	f.findOpposite(bone, sideBone, sideJoint)
	out.setDepths(s, l, workers, bone, f.boundary(s, sideJoint, l))
	return ctx.Err()
}

// setDepths sets the depth of a sheet's voxels between its two sides.
func (out *Field) setDepths(s *sheet, l *lattice, workers int, bone, joint *boundary) {
	info := &out.Sheets[s.bone]
	info.BoneArea, info.JointArea, info.Undefined = bone.area, joint.area, 0
	info.Bone = make([][3]float64, len(bone.pieces))
	for n, p := range bone.pieces {
		info.Bone[n] = p.centre
	}
	undefined := make([]int, parallel.Parts(len(s.voxels), workers, worthSharing))
	parallel.Split(len(s.voxels), workers, worthSharing, func(part, start, end int) {
		for n := start; n < end; n++ {
			v := info.Start + n
			x := l.centre(s.index[n])
			b, fromBone := bone.height(n, x)
			j, fromJoint := joint.height(n, x)
			thickness := b + j
			if !(thickness > 0) {
				out.Depth[v], out.Thickness[v] = float32(math.NaN()), float32(math.NaN())
				out.Normal[v] = [3]float32{}
				undefined[part]++
				continue
			}
			// Rounded, so that the middle of a plate of three voxels is at 0.5 on every machine
			// and on a mirrored grid.
			out.Depth[v], out.Thickness[v] = float32(math.Round(b/thickness*1e5)/1e5), float32(thickness)
			normal := fromBone.Minus(fromJoint).Unit()
			if s.single(n, l, normal) {
				out.Depth[v] = 0.5
			}
			out.Normal[v] = normal.Short()
		}
	})
	for _, n := range undefined {
		info.Undefined += n
	}
}
