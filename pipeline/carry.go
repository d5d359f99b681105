package pipeline

import (
	"context"
	"fmt"

	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/volume"
)

// source is the job for whose study the mask was drawn.
func (j Job) source() Job {
	if j.From != nil {
		return *j.From
	}
	return j
}

// correctable returns the mask of a source on the grid of the series, before erosion, in the
// labels of the scheme and with its bones, so that a reader can correct it and use it as the mask of this study.
// It is empty if the scheme has no number for what the mask marks.
func (j Job) correctable(ctx context.Context, src source, p protocol.Protocol, workers int) (volume.Labels, error) {
	placed := src.placedMask
	if placed.uneroded != nil {
		whole := src.dividedKnee
		whole.parts, whole.record = *placed.uneroded, nil
		var err error
		if placed, err = j.place(ctx, whole, p.Division, placed.transform, workers); err != nil {
			return volume.Labels{}, err
		}
	}
	labels, ok := placed.inScheme(p.MaskScheme())
	if !ok {
		return volume.Labels{}, nil
	}
	src.bones.addTo(labels, p.MaskScheme())
	return labels, nil
}

// inScheme returns the mask on the grid of the series in the labels of the scheme; ok is false
// if the scheme has no number for what the mask marks.
func (p placedMask) inScheme(s segment.Scheme) (labels volume.Labels, ok bool) {
	numbers := make([]uint16, len(p.parts.Part)+1)
	for n := range p.parts.Part {
		if numbers[n+1] = numberOf(s, p.parts.Marked[p.parts.Tissue[n]-1]); numbers[n+1] == 0 {
			return labels, false
		}
	}
	part := p.regions.Part
	if part == nil {
		part = p.regions.Data
	}
	labels = volume.Labels{Geometry: p.regions.Geometry, Data: make([]uint16, len(part))}
	for v, n := range part {
		labels.Data[v] = numbers[n]
	}
	return labels, true
}

// noteCarried adds notes on the origin of the mask, and on images that were not registered.
func (j Job) noteCarried(r *report.Result, k dividedKnee) {
	r.Notes = append(r.Notes, stillTexts(r.Registration)...)
	if j.From == nil {
		if j.Moving != nil && k.onSeries {
			r.Notes = append(r.Notes, "the mask lies on the voxels of the mapped series: nothing was registered")
		}
		return
	}
	r.Mask.SourceVisit = j.From.Identity.Visit
	r.Notes = append(r.Notes, fmt.Sprintf("the mask is that of the visit %s, carried here by registration of the "+
		"first echoes", printable.Short(j.From.Identity.Visit)))
}

// sideFrom compares the side that the mask shows with what the images of this study say.
func (j Job) sideFrom(k dividedKnee) error {
	if j.From == nil || k.side == anatomy.UnknownSide {
		return nil
	}
	claims := append(j.sideClaims(), anatomy.Claim{Source: "the mask of the visit " +
		printable.Short(j.From.Identity.Visit), Side: k.side})
	_, err := anatomy.Evidence{}.Agree(claims...)
	return err
}
