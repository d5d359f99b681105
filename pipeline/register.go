package pipeline

import (
	"context"
	"errors"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/register"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/volume"
)

// AlignsWith reports whether the series is the one that is aligned with the job's series.
func (j Job) AlignsWith(t dicomio.Train) bool {
	return j.Moving != nil && j.Moving.Hash == t.Hash
}

// alignment is how a mask was brought onto the series of a job.
type alignment struct {
	// transform maps a position of the series to the space of the mask.
	transform volume.Rigid
	record    report.Registration
	pictures  report.Aligned
	files     []report.File // of the image that was aligned
}

// align returns the transform from the series of the job, whose first echo is fixed, to the space of the mask k.
// source is the job for whose study the mask was drawn: the job itself, or that of the visit whose mask is carried.
// The alignment is nil if both share their space.
func (j Job) align(
	ctx context.Context, fixed volume.Map, source Job, k dividedKnee, p protocol.Protocol, workers int,
) (*alignment, error) {
	var out *alignment
	if source.Study.Hash != j.Study.Hash {
		known := j.Side() != "" && (source.Side() != "" || k.shown != anatomy.UnknownSide)
		a, first, err := alignWith(ctx, fixed, moving{source.Train.FirstEcho(), report.EarlierVisit, known}, k,
			p.Register, workers)
		if err != nil {
			return nil, err
		}
		out, fixed = a, first
	}
	if source.Moving == nil || k.onSeries {
		return out, nil
	}
	known := source.Side() != "" && (source.Moving.Side != "" || source.Identity.Side != "" ||
		k.shown != anatomy.UnknownSide)
	a, _, err := alignWith(ctx, fixed, moving{*source.Moving, report.MaskImage, known}, k, p.Register, workers)
	if err != nil {
		return nil, err
	}
	if out == nil {
		return a, nil
	}
	out.transform = out.transform.Then(a.transform)
	out.record.Next = &a.record
	out.files = append(out.files, a.files...)
	return out, nil
}

// moving is a series whose first echo is aligned with another image.
type moving struct {
	dicomio.Train
	role string // in results
	// sided says that the sides of both images are known and have been compared.
	sided bool
}

// alignWith aligns the first echo of a series with the fixed image. It also returns the first echo.
func alignWith(
	ctx context.Context, fixed volume.Map, m moving, k dividedKnee, r protocol.Register, workers int,
) (*alignment, volume.Map, error) {
	r = r.WithDefaults()
	read, files, err := dicomio.Read(ctx, m.Train, workers)
	if err != nil {
		return nil, volume.Map{}, err
	}
	image := volume.Map{Geometry: read.Geometry, Data: read.Echo[0]}
	result, err := register.Joint(ctx, fixed, image, k.parts.Labels, register.Options{
		MaxRotation: r.MaxRotation, MaxShift: r.MaxShift, CheckMirror: !m.sided,
	})
	if err != nil {
		return nil, image, Because(report.ReasonRegistration,
			hint.Errorf(hintRegister(err), "series %s with the first echo: %w", m.Hash, err))
	}
	a := &alignment{transform: result.Transform, record: report.Registration{
		Source: m.role, Moving: m.Hash, Rotation: result.Transform.Rotation, ShiftMM: result.Transform.Shift,
		AngleDegrees: result.Rotation, CentreShiftMM: result.Shift,
		MutualInformationBefore: segment.Number(result.Before), MutualInformationAfter: segment.Number(result.After),
		Program: "elastix " + result.Version,
	}}
	a.record.Unmoved = result.Still
	a.pictures = report.Aligned{
		Before: register.Resampled(image, fixed.Geometry, volume.Identity()),
		After:  register.Resampled(image, fixed.Geometry, result.Transform),
	}
	for _, f := range files {
		a.files = append(a.files, report.File{Path: f.Path, SHA256: f.SHA256})
	}
	return a, image, nil
}

// hintRegister is the hint for images that could not be aligned.
func hintRegister(err error) string {
	var unsuitable *register.UnsuitableError
	switch {
	case errors.As(err, new(*register.MotionError)):
		return "check whether both images show this knee; if they do, raise max_rotation_degrees or max_shift_mm of " +
			"`register` in the protocol"
	case errors.As(err, new(*register.MirrorError)):
		return "use the mask and the images of this knee; if they do show it, name its side in a manifest (column " +
			"side): then the images are not compared with their mirror image"
	case errors.As(err, new(*register.MetricError)):
		return "if the knee did not move, omit --register; otherwise check whether both images show this knee"
	case errors.As(err, new(*register.OverlapError)):
		return "check whether both images show this knee"
	case errors.As(err, &unsuitable):
		return "name another series with --register"
	}
	return "try the study again; if it fails again, report it with the versions that t2map --version prints"
}
