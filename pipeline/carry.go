package pipeline

import (
	"context"

	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/protocol"

	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/volume"
)

// maskJob is the job for whose study the mask was drawn: that of another visit if the mask is carried, else j.
func (j Job) maskJob() Job {
	if j.MaskSource != nil {
		return *j.MaskSource
	}
	return j
}

// correctable returns the mask on the grid of the series, before erosion, in the labels of the scheme and with its
// bones, so that a reader can correct it and use it as the mask of this study. It is empty if the scheme lacks a
// label for a tissue of the mask.
func (j Job) correctable(ctx context.Context, d studyData, p protocol.Protocol, workers int) (volume.Labels, error) {
	placed := d.placedMask
	if placed.uneroded != nil {
		whole := d.dividedKnee
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
	d.bones.addTo(labels, p.MaskScheme())
	return labels, nil
}

// inScheme returns the mask on the grid of the series in the labels of the scheme. It returns false if the scheme
// lacks a label for a tissue of the mask.
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

// checkCarriedSide returns an error if a carried mask shows another side than the sources of this study name.
func (j Job) checkCarriedSide(k dividedKnee) error {
	if j.MaskSource == nil || k.side == anatomy.UnknownSide {
		return nil
	}
	claims := append(j.sideClaims(), anatomy.Claim{Source: "the mask of the visit " +
		printable.Short(j.MaskSource.Identity.Visit), Side: k.side})
	_, err := anatomy.Evidence{}.Agree(claims...)
	return err
}
