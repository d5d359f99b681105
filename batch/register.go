package batch

import (
	"context"
	"errors"
	"fmt"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/register"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/volume"
)

// Register says that the image a mask was drawn on is aligned with the first echo of the
// series before the mask is used. The zero value aligns nothing.
type Register struct {
	// Moving names the series that masks are drawn on: a number, the beginning of a hash or a
	// pattern of its description; "" aligns nothing.
	Moving string `yaml:"moving"`
	// MaxRotation in degrees and MaxShift in mm are the largest movement that is accepted; 0
	// means 15° and 30 mm.
	MaxRotation float64 `yaml:"max_rotation_degrees"`
	MaxShift    float64 `yaml:"max_shift_mm"`
}

// The defaults of Register: a knee moves by a few mm and degrees between two series, and by
// more between visits; what is beyond is another knee or another place.
const (
	defaultMaxRotation = 15.0
	defaultMaxShift    = 30.0
)

func (r Register) check() error {
	for _, l := range []struct {
		name string
		v    float64
		most float64
	}{{"max_rotation_degrees", r.MaxRotation, 180}, {"max_shift_mm", r.MaxShift, 1000}} {
		if !(l.v >= 0 && l.v <= l.most) {
			return fmt.Errorf("register: %s: %g is not a number from 0 to %g", l.name, l.v, l.most)
		}
	}
	return nil
}

// checkUsed returns an error where limits are set and nothing is aligned: neither is a series named nor
// are masks carried.
func (p Protocol) checkUsed() error {
	if r := p.Register; r.Moving != "" || r == (Register{}) || p.Masks.From != "" {
		return nil
	}
	const advice = "name the series that masks were drawn on: `moving` in `register` of the protocol, or --register; " +
		"or remove `register` from the protocol"
	return hint.Errorf(advice, "register: max_rotation_degrees and max_shift_mm have no effect: no series is named that is to be aligned, "+
		"and no mask is carried")
}

func (r Register) withDefaults() Register {
	if r.MaxRotation == 0 {
		r.MaxRotation = defaultMaxRotation
	}
	if r.MaxShift == 0 {
		r.MaxShift = defaultMaxShift
	}
	return r
}

// chooseMoving returns the one series of the study that the mask was drawn on, where it is to
// be aligned; nil where it is not, or where that is the series that is mapped.
func (s *Intake) chooseMoving(j Job) (*dicomio.Train, error) {
	name := s.Protocol.Register.Moving
	if name == "" {
		return nil, nil
	}
	const advice = "t2map inspect shows the series; name the one that the mask was drawn on with --register, or `register` in the protocol"
	fit := fitting(j, seriesNamed("--register", name))
	switch {
	case len(fit) == 0:
		return nil, ofSetting(hint.Errorf(advice, "register: no series of the study fits %s", printable.Short(name)))
	case len(fit) > 1:
		return nil, ofSetting(hint.Errorf(advice, "register: %d series fit %s: %s", len(fit), printable.Short(name), listTrains(fit)))
	case fit[0].Hash == j.Train.Hash:
		return nil, nil
	}
	t := fit[0].FirstEcho()
	err := t.Problem
	if err == nil {
		err = t.CheckWritten()
	}
	if err != nil {
		return nil, fmt.Errorf("register: series %s (number %d): %w", t.Hash, t.Number, err)
	}
	return &t, nil
}

// alignsWith reports whether the series is the one that is aligned with the job's.
func (j Job) alignsWith(t dicomio.Train) bool {
	return j.Moving != nil && j.Moving.Hash == t.Hash
}

// alignment is a mask's way to the series of a job.
type alignment struct {
	// transform takes a position of the series to the space of the mask.
	transform volume.Rigid
	record    report.Registration
	pictures  report.Aligned
	files     []report.File // of the image that was aligned
}

// align returns the transform from the series of the job, whose first echo is fixed, to the
// space of the mask k, which was drawn for the study of from: the job itself, or that of the
// visit whose mask is carried. It is nil where both share their space.
func (j Job) align(ctx context.Context, fixed volume.Map, from Job, k dividedKnee, p Protocol, workers int) (*alignment, error) {
	var out *alignment
	if from.Study.Hash != j.Study.Hash {
		known := j.side() != "" && (from.side() != "" || k.shown != anatomy.UnknownSide)
		a, first, err := alignWith(ctx, fixed, moving{from.Train.FirstEcho(), report.EarlierVisit, known}, k, p.Register, workers)
		if err != nil {
			return nil, err
		}
		out, fixed = a, first
	}
	if from.Moving == nil || k.onSeries {
		return out, nil
	}
	known := from.side() != "" && (from.Moving.Side != "" || from.Identity.Side != "" || k.shown != anatomy.UnknownSide)
	a, _, err := alignWith(ctx, fixed, moving{*from.Moving, report.MaskImage, known}, k, p.Register, workers)
	if err != nil {
		return nil, err
	}
	if out == nil {
		return a, nil
	}
	out.transform = out.transform.Then(a.transform)
	out.record.Then = &a.record
	out.files = append(out.files, a.files...)
	return out, nil
}

// moving is a series whose first echo is aligned with another image.
type moving struct {
	dicomio.Train
	of string // what it is, as results say
	// sided says that the sides of both images are known, and have been compared.
	sided bool
}

// alignWith aligns the first echo of a series with the fixed image and returns it, too.
func alignWith(
	ctx context.Context, fixed volume.Map, m moving, k dividedKnee, r Register, workers int,
) (*alignment, volume.Map, error) {
	r = r.withDefaults()
	read, files, err := dicomio.Read(ctx, m.Train, workers)
	if err != nil {
		return nil, volume.Map{}, err
	}
	image := volume.Map{Geometry: read.Geometry, Data: read.Echo[0]}
	result, err := register.Joint(ctx, fixed, image, k.parts.Labels, register.Options{
		MaxRotation: r.MaxRotation, MaxShift: r.MaxShift, CheckMirror: !m.sided,
	})
	if err != nil {
		return nil, image, hint.Errorf(hintRegister(err), "series %s with the first echo: %w", m.Hash, err)
	}
	a := &alignment{transform: result.Transform, record: report.Registration{
		Of: m.of, Moving: m.Hash, Rotation: result.Transform.Rotation, ShiftMM: result.Transform.Shift,
		AngleDegrees: result.Rotation, CentreShiftMM: result.Shift,
		MutualInformationBefore: number(result.Before), MutualInformationAfter: number(result.After), Program: "elastix " + result.Version,
	}}
	a.record.Still = result.Still
	a.pictures = report.Aligned{
		Before: register.Resampled(image, fixed.Geometry, volume.Identity()),
		After:  register.Resampled(image, fixed.Geometry, result.Transform),
	}
	for _, f := range files {
		a.files = append(a.files, report.File{Path: f.Path, SHA256: f.SHA256})
	}
	return a, image, nil
}

// hintRegister says what to do about images that could not be aligned.
func hintRegister(err error) string {
	var unsuitable *register.UnsuitableError
	switch {
	case errors.As(err, new(*register.MotionError)):
		return "check whether both images show this knee; if they do, raise max_rotation_degrees or max_shift_mm of `register` in the protocol"
	case errors.As(err, new(*register.MirrorError)):
		return "use the mask and the images of this knee; if they do show it, name its side in a manifest (column side): " +
			"then the images are not compared with their mirror image"
	case errors.As(err, new(*register.MetricError)):
		return "if the knee did not move, omit --register; otherwise check whether both images show this knee"
	case errors.As(err, new(*register.OverlapError)):
		return "check whether both images show this knee"
	case errors.As(err, &unsuitable):
		return "name another series with --register"
	}
	return "try the study again; if it fails again, report it with the versions that t2map --version prints"
}
