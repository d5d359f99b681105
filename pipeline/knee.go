package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/segment/depth"
)

// dividedKnee is a mask that was divided into parts on its own grid, and facts about the division.
type dividedKnee struct {
	parts segment.Parts
	// side is the side on which all sources agree, and shown the side that the mask shows; both may be unknown.
	side   anatomy.Side
	shown  anatomy.Side
	record *report.Division // nil if nothing was divided
	// cropped says that the grid of parts is only a part of the mask's grid.
	cropped bool
	notes   []anatomy.Note
	// onSeries says that the mask lies on the voxels of the mapped series.
	onSeries bool
	// uneroded are the parts before erosion, nil if there was none. marked and left are the numbers of voxels of each
	// part, by its number, before and after erosion.
	uneroded     *segment.Parts
	marked, left []int
	// depths and axes are set if the cartilage has layers. sheet is the part of each of depths.Voxels.
	depths *depth.Field
	sheet  []uint16
	axes   anatomy.Axes
	// marks are the marks of the mask, kept until it is known whether its bones are needed; then nil.
	marks *segment.Marks
}

// divideMask divides the tissues of a mask, which are given by its marks. Its errors have hints.
func (j Job) divideMask(
	ctx context.Context, m maskRead, marks segment.Marks, p protocol.Protocol, workers int,
) (dividedKnee, error) {
	if _, err := (anatomy.Evidence{}).Agree(j.sideClaims()...); err != nil {
		return dividedKnee{}, hint.Errorf(hintAnatomy(err), "%s: %w", m.file.Path, err)
	}
	k, err := j.divideMarks(ctx, marks, p.MaskScheme(), p.Division.WithDefaults(), workers)
	switch {
	case ctx.Err() != nil:
		return k, ctx.Err()
	case err != nil:
		return k, hint.Errorf(hintAnatomy(err), "%s: %w", m.file.Path, err)
	}
	return k, nil
}

// divideMarks divides the tissues of one knee, if there are any.
func (j Job) divideMarks(
	ctx context.Context, marks segment.Marks, scheme segment.Scheme, d protocol.Division, workers int,
) (k dividedKnee, err error) {
	tissues := d.Method != protocol.DivideNone && scheme.Tissues()
	if tissues && marks.HasTissue() {
		return j.divideTissues(ctx, marks, d, workers)
	}
	plane, two, err := anatomy.PlaneBetween(ctx, marks.KneeMask())
	var shape *anatomy.Error
	if err != nil && !errors.As(err, &shape) { // an error of the shape is ignored: rows may have any shape
		return k, err
	}
	if two {
		if marks, err = j.theseMarks(marks, plane); err != nil {
			return k, err
		}
	}
	rows := marks.Sides(true)
	if k.shown, err = (anatomy.Evidence{}).Agree(rows...); err != nil {
		return k, err
	}
	if k.side, err = (anatomy.Evidence{}).Agree(append(j.sideClaims(), rows...)...); err != nil {
		return k, err
	}
	k.marks = &marks
	if k.parts = marks.Whole(); tissues { // the mask marks rows only, or nothing; both are valid
		k.parts = marks.Divided(nil, nil, 0)
	}
	return k, nil
}

// theseMarks returns the marks of the knee that the series shows, out of two knees on both sides of a plane.
func (j Job) theseMarks(marks segment.Marks, plane anatomy.Plane) (segment.Marks, error) {
	switch j.Side() {
	case "right":
		return marks.OnSide(plane, anatomy.Right), nil
	case "left":
		return marks.OnSide(plane, anatomy.Left), nil
	}
	return marks, &anatomy.Error{Problem: anatomy.NoSide}
}

// release drops the voxels of the parts. They are not needed when the mask is on the grid of the series, and a mask
// with bones may have several times as many voxels as the series.
func (k *dividedKnee) release() { k.parts.Data = nil }

// divideTissues divides the marks by the shape of the knee.
func (j Job) divideTissues(
	ctx context.Context, marks segment.Marks, d protocol.Division, workers int,
) (dividedKnee, error) {
	mask, marks, err := j.thisKnee(ctx, marks)
	if err != nil {
		return dividedKnee{}, err
	}
	k, division, layers, err := j.divideKnee(ctx, mask, marks.Sides(false), d, workers)
	k.marks = &marks
	if err != nil {
		return k, err
	}
	k.parts = marks.Divided(division.Data, layers, d.Layers)
	if d.ErodeMM > 0 {
		if err := k.erode(ctx, mask, d.ErodeMM); err != nil {
			return k, err
		}
	}
	if k.depths != nil {
		k.sheet = make([]uint16, len(k.depths.Voxels))
		for n, v := range k.depths.Voxels {
			k.sheet[n] = k.parts.Data[v]
		}
	}
	return k, nil
}

// divideKnee divides the mask of one knee into regions and, in parallel, layers.
func (j Job) divideKnee(
	ctx context.Context, mask anatomy.Mask, rows []anatomy.Claim, d protocol.Division, workers int,
) (k dividedKnee, division anatomy.Division, layers []uint8, err error) {
	examined := newExamination()
	err = inParallelUntil(ctx, func(ctx context.Context) (err error) {
		if d.Layers > 0 {
			o := depth.Options{Axes: examined.axes, Workers: workers}
			layers, err = k.measureDepth(ctx, mask, o, d.Layers)
		}
		return err
	}, func(ctx context.Context) (err error) {
		division, err = j.divideRegions(ctx, &k, mask, rows, examined)
		return err
	})
	if err == nil {
		k.record.Layers = d.Layers
	}
	return k, division, layers, err
}

// examination is a knee that is being examined. Other goroutines can wait for its axes.
type examination struct {
	done chan struct{}
	knee *anatomy.Knee
}

func newExamination() *examination { return &examination{done: make(chan struct{})} }

// finish makes the knee available to the waiting goroutines.
func (e *examination) finish(k *anatomy.Knee) {
	e.knee = k
	close(e.done)
}

// axes waits for the axes of the knee, until ctx ends.
func (e *examination) axes(ctx context.Context) (anatomy.Axes, error) {
	select {
	case <-e.done:
		return e.knee.Axes(), nil
	case <-ctx.Done():
		return anatomy.Axes{}, ctx.Err()
	}
}

// divideRegions divides the mask into regions. It sets the side, the notes, the record and the axes of k.
func (j Job) divideRegions(
	ctx context.Context, k *dividedKnee, mask anatomy.Mask, rows []anatomy.Claim, e *examination,
) (anatomy.Division, error) {
	examined, err := anatomy.Examine(ctx, mask)
	if err != nil {
		return anatomy.Division{}, err
	}
	e.finish(examined)
	evidence := examined.Side()
	claims := append(j.sideClaims(), rows...)
	k.shown = evidence.Side
	if k.side, err = evidence.Agree(claims...); err != nil {
		return anatomy.Division{}, err
	}
	division, err := examined.Divide(ctx, k.side)
	if err != nil {
		return division, err
	}
	k.notes = division.Notes
	k.record = recordDivision(division, append(claims, evidence.Claims()...))
	if division.Femur != nil {
		k.axes = division.Femur.Axes
	} else if division.Tibia != nil {
		k.axes = division.Tibia.Axes
	}
	return division, nil
}

// measureDepth sets the depths of the cartilage and returns the layer of each voxel.
func (k *dividedKnee) measureDepth(
	ctx context.Context, mask anatomy.Mask, o depth.Options, n int,
) ([]uint8, error) {
	depths, err := depth.Measure(ctx, mask, o)
	if err != nil {
		return nil, err
	}
	k.depths = &depths
	layers := make([]uint8, len(mask.Data))
	for i, layer := range depths.Layers(n) {
		layers[depths.Voxels[i]] = layer
	}
	return layers, nil
}

// erode removes the voxels near the surface of their tissue from their parts. A part without remaining voxels keeps
// its number, and therefore its rows.
func (k *dividedKnee) erode(ctx context.Context, mask anatomy.Mask, mm float64) error {
	eroded, err := depth.Erode(ctx, mask, mm)
	if err != nil {
		return err
	}
	whole := k.parts
	k.uneroded, k.parts.Data = &whole, slices.Clone(whole.Data)
	k.marked, k.left = make([]int, len(whole.Part)+1), make([]int, len(whole.Part)+1)
	for v, part := range whole.Data {
		k.marked[part]++
		if part != 0 && whole.Part[part-1].Region != "" && eroded.Data[v] == anatomy.NoTissue {
			k.parts.Data[v] = 0
			k.record.ErodedVoxels++
			continue
		}
		k.left[part]++
	}
	return nil
}

// thisKnee returns the mask and the marks of the knee that the series shows; the mask may mark two knees.
func (j Job) thisKnee(ctx context.Context, marks segment.Marks) (anatomy.Mask, segment.Marks, error) {
	tissues := marks.Tissues()
	knees, err := anatomy.Knees(ctx, tissues)
	if err != nil {
		return tissues, marks, err
	}
	if len(knees) == 1 {
		return knees[0], marks, nil
	}
	plane, _, err := anatomy.PlaneBetween(ctx, tissues)
	if err != nil {
		return tissues, marks, err
	}
	if marks, err = j.theseMarks(marks, plane); err != nil {
		return tissues, marks, err
	}
	if j.Side() == "left" {
		return knees[1], marks, nil // the patient's right comes first
	}
	return knees[0], marks, nil
}

// sideClaims lists the sides that sources other than the mask name.
func (j Job) sideClaims() []anatomy.Claim {
	var claims []anatomy.Claim
	add := func(source, side string) {
		switch side {
		case "L":
			claims = append(claims, anatomy.Claim{Source: source, Side: anatomy.Left})
		case "R":
			claims = append(claims, anatomy.Claim{Source: source, Side: anatomy.Right})
		}
	}
	for _, c := range j.Train.Sides {
		add(c.Attribute, c.Side)
	}
	for _, t := range j.maskSeries() {
		for _, c := range t.Sides {
			add(fmt.Sprintf("%s of series number %d", c.Attribute, t.Number), c.Side)
		}
	}
	add("the manifest or the layout", j.Identity.Side)
	return claims
}

// maskSeries lists the series on which the mask was drawn or from which it was made, without the mapped one.
func (j Job) maskSeries() []dicomio.Train {
	var out []dicomio.Train
	add := func(t dicomio.Train) {
		same := func(other dicomio.Train) bool { return other.Hash == t.Hash }
		if t.Hash != j.Train.Hash && !slices.ContainsFunc(out, same) {
			out = append(out, t)
		}
	}
	if j.Moving != nil {
		add(*j.Moving)
	}
	if j.Mask.Drawn != nil {
		add(*j.Mask.Drawn)
	}
	if j.Input.Named {
		add(j.Input.Train)
	}
	return out
}

// recordSides records the sources of the side.
func recordSides(claims []anatomy.Claim) (out []report.SideSource) {
	for _, c := range claims {
		out = append(out, report.SideSource{Source: c.Source, Side: c.Side.String()})
	}
	return out
}

// recordDivision describes a division for the results.
func recordDivision(d anatomy.Division, claims []anatomy.Claim) *report.Division {
	out := &report.Division{Omitted: recordPieces(d.Notes), Sides: recordSides(claims)}
	switch {
	case d.Femur != nil:
		out.AxesBy = d.Femur.Axes.Source.String()
		notch := d.Femur.Notch
		out.NotchMM, out.CentralMM, out.EndMM = &notch, d.Femur.Central, d.Femur.End
	case d.Tibia != nil:
		out.AxesBy = d.Tibia.Axes.Source.String()
	}
	counts := d.Counts()
	for _, r := range anatomy.Regions() {
		if n := counts[r]; n > 0 {
			out.Regions = append(out.Regions, report.RegionSize{Region: r.String(), Voxels: n,
				VolumeMM3: float64(n) * d.VoxelVolume()})
		}
	}
	return out
}

// sideName names the side in full, or "" if it is not known.
func (k dividedKnee) sideName() string {
	if k.side == anatomy.UnknownSide {
		return ""
	}
	return k.side.String()
}
