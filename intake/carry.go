package intake

import (
	"cmp"
	"strings"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/report"
)

// carries reports whether the mask of another visit may be carried to the job.
func (s *Intake) carries(j pipeline.Job) bool {
	visit := s.Protocol.Masks.Visit
	return visit != "" && j.Identity.Visit != visit
}

// MaskSources find the studies whose masks are carried to other visits.
type MaskSources struct {
	visit   string
	studies map[string][]*Line // of the visit, by subject
}

// NewMaskSources takes the studies whose masks may be carried: those of the given visit that have a mask.
func NewMaskSources(lines []*Line, visit string) MaskSources {
	s := MaskSources{visit, map[string][]*Line{}}
	for _, l := range lines {
		if !l.Carried && visit != "" && l.Identity.Visit == visit {
			s.studies[l.Identity.Subject] = append(s.studies[l.Identity.Subject], l)
		}
	}
	return s
}

// Find returns the study whose mask is carried to the target: that of the same subject and knee. It is an error if
// there is not exactly one.
func (s MaskSources) Find(target *Line) (*Line, error) {
	source, err := s.find(target)
	return source, pipeline.Because(report.ReasonNoMask, err)
}

func (s MaskSources) find(target *Line) (*Line, error) {
	var sources []*Line
	var sides []string // of the studies of the visit
	for _, l := range s.studies[target.Identity.Subject] {
		sides = append(sides, cmp.Or(l.Side, "unknown"))
		if SameSide(l.Side, target.Side) {
			sources = append(sources, l)
		}
	}
	switch {
	case len(sources) == 1:
		return sources[0], nil
	case len(sources) == 0 && len(sides) > 0: // all sides are known and differ
		return nil, pipeline.Because(report.ReasonSide, hint.Errorf("a mask is carried to the same knee only: give this "+
			"study a mask of its own, or map the visit's study of this knee together with it; if it is the same knee, "+
			"correct the side in a manifest (column side)", "mask: none found, and the visit %s, whose mask would be carried, shows the %s knee, "+
			"this study the %s one", printable.Short(s.visit), sides[0], target.Side))
	case len(sources) == 0:
		return nil, hint.Errorf("map the visit together with this one and give it a mask, or give this study a mask "+
			"of its own", "mask: none found, and none to carry: the visit %s is missing, failed or has no mask",
			printable.Short(s.visit))
	}
	advice := "name the studies in a manifest, so that only one belongs to that visit"
	if target.Side == "" {
		advice = "name the side of this study's knee in a manifest (column side)"
	}
	return nil, hint.Errorf(advice, "mask: %d studies belong to the visit %s, whose mask would be carried (sides: %s)",
		len(sources), printable.Short(s.visit), strings.Join(sides, ", "))
}
