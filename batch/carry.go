package batch

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/volume"
)

// Masks says where masks come from.
type Masks struct {
	// From is the visit whose mask is carried to the other visits of a subject, as far as they
	// have none of their own; "" carries none.
	From string `yaml:"from"`
}

// carries reports whether the job's mask may be that of another visit.
func (s *Intake) carries(j Job) bool {
	from := s.Protocol.Masks.From
	return from != "" && j.Identity.Visit != from
}

// OtherKneeError says that the visit whose mask would be carried shows the other knee.
type OtherKneeError struct {
	Visit string
	// Side is the knee of the study, left or right, and Other that of the visit.
	Side, Other string
}

// Error names both knees.
func (e *OtherKneeError) Error() string {
	return fmt.Sprintf("none found, and the visit %s, whose mask would be carried, shows the %s knee, this study the %s one",
		printable.Short(e.Visit), e.Other, e.Side)
}

const hintOtherKnee = "a mask is carried to the same knee only: give this study a mask of its own, or map the visit's study of " +
	"this knee together with it; if it is the same knee, correct the side in a manifest (column side)"

// MaskSource returns the job of the subject's visit, and of the same knee, whose mask is carried.
func MaskSource(jobs []Job, to Job, visit string) (*Job, error) {
	var found []*Job
	var sides []string // of the studies of the visit
	for i := range jobs {
		j := &jobs[i]
		if j.carried || j.Identity.Subject != to.Identity.Subject || j.Identity.Visit != visit {
			continue
		}
		sides = append(sides, cmp.Or(j.side(), "unknown"))
		if sameSide(j.side(), to.side()) {
			source := *j
			found = append(found, &source)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) == 0 && len(sides) > 0: // each of them is known
		return nil, hint.Errorf(hintOtherKnee, "mask: %w", &OtherKneeError{Visit: visit, Side: to.side(), Other: sides[0]})
	case len(found) == 0:
		return nil, hint.Errorf("map the visit together with this one and give it a mask, or give this study a mask of its own",
			"mask: none found, and none to carry: the visit %s is missing, failed or has no mask", printable.Short(visit))
	}
	advice := "name the studies in a manifest, so that only one belongs to that visit"
	if to.side() == "" {
		advice = "name the side of this study's knee in a manifest (column side)"
	}
	return nil, hint.Errorf(advice, "mask: %d studies belong to the visit %s, whose mask would be carried (sides: %s)",
		len(found), printable.Short(visit), strings.Join(sides, ", "))
}

// source is the job for whose study the mask was drawn.
func (j Job) source() Job {
	if j.From != nil {
		return *j.From
	}
	return j
}

// correctable returns the mask of a source on the grid of the series, before erosion, in the
// labels of the scheme and with its bones, so that a reader can correct it and use it as the mask of this study.
// It is empty where the scheme has no number for what the mask marks.
func (j Job) correctable(ctx context.Context, src source, p Protocol, workers int) (volume.Labels, error) {
	placed := src.placedMask
	if placed.uneroded != nil {
		whole := src.dividedKnee
		whole.parts, whole.record = *placed.uneroded, nil
		var err error
		if placed, err = j.place(ctx, whole, p.Division, placed.transform, workers); err != nil {
			return volume.Labels{}, err
		}
	}
	labels, ok := placed.inScheme(p.scheme())
	if !ok {
		return volume.Labels{}, nil
	}
	src.bones.addTo(labels, p.scheme())
	return labels, nil
}

// inScheme returns the mask on the grid of the series in the labels of the scheme; ok is false
// where the scheme has no number for what the mask marks.
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

// noteCarried says on the result where its mask comes from, and what was not registered for it.
func (j Job) noteCarried(r *report.Result, k dividedKnee) {
	r.Notes = append(r.Notes, stillTexts(r.Registration)...)
	if j.From == nil {
		if j.Moving != nil && k.onSeries {
			r.Notes = append(r.Notes, "the mask lies on the voxels of the mapped series: nothing was registered")
		}
		return
	}
	r.Mask.From = j.From.Identity.Visit
	r.Notes = append(r.Notes, fmt.Sprintf("the mask is that of the visit %s, carried here by registration of the first echoes", printable.Short(j.From.Identity.Visit)))
}

// sideFrom compares the side that the mask shows with what the images of this study say.
func (j Job) sideFrom(k dividedKnee) error {
	if j.From == nil || k.side == anatomy.UnknownSide {
		return nil
	}
	claims := append(j.sideClaims(), anatomy.Claim{Source: "the mask of the visit " + printable.Short(j.From.Identity.Visit), Side: k.side})
	_, err := anatomy.Evidence{}.Agree(claims...)
	return err
}
