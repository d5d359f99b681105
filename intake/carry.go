package intake

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/printable"
)

// carries reports whether the job's mask may be that of another visit.
func (s *Intake) carries(j pipeline.Job) bool {
	visit := s.Protocol.Masks.Visit
	return visit != "" && j.Identity.Visit != visit
}

// OtherKneeError says that the visit whose mask would be carried shows the other knee.
type OtherKneeError struct {
	Visit string
	// Side is the knee of the study, left or right, and Other that of the visit.
	Side, Other string
}

// Error names both knees.
func (e *OtherKneeError) Error() string {
	return fmt.Sprintf("none found, and the visit %s, whose mask would be carried, shows the %s knee, this study "+
		"the %s one",
		printable.Short(e.Visit), e.Other, e.Side)
}

const hintOtherKnee = "a mask is carried to the same knee only: give this study a mask of its own, or map the " +
	"visit's study of this knee together with it; if it is the same knee, correct the side in a manifest (column side)"

// MaskSource returns the job of the subject's visit, and of the same knee, whose mask is carried.
func MaskSource(jobs []pipeline.Job, target pipeline.Job, visit string) (*pipeline.Job, error) {
	var sources []*pipeline.Job
	var sides []string // of the studies of the visit
	for i := range jobs {
		j := &jobs[i]
		if j.Carried || j.Identity.Subject != target.Identity.Subject || j.Identity.Visit != visit {
			continue
		}
		sides = append(sides, cmp.Or(j.Side(), "unknown"))
		if SameSide(j.Side(), target.Side()) {
			source := *j
			sources = append(sources, &source)
		}
	}
	switch {
	case len(sources) == 1:
		return sources[0], nil
	case len(sources) == 0 && len(sides) > 0: // each of them is known
		return nil, hint.Errorf(hintOtherKnee, "mask: %w", &OtherKneeError{Visit: visit, Side: target.Side(),
			Other: sides[0]})
	case len(sources) == 0:
		return nil, hint.Errorf("map the visit together with this one and give it a mask, or give this study a mask "+
			"of its own",
			"mask: none found, and none to carry: the visit %s is missing, failed or has no "+
				"mask", printable.Short(visit))
	}
	advice := "name the studies in a manifest, so that only one belongs to that visit"
	if target.Side() == "" {
		advice = "name the side of this study's knee in a manifest (column side)"
	}
	return nil, hint.Errorf(advice, "mask: %d studies belong to the visit %s, whose mask would be carried (sides: %s)",
		len(sources), printable.Short(visit), strings.Join(sides, ", "))
}
