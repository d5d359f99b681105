package intake

import (
	"fmt"
	"slices"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/protocol"
)

// chooseAnatomy returns the one series of the study that is named. No other is used instead, so that all
// visits show the same kind of series.
func (s *Intake) chooseAnatomy(j pipeline.Job) pipeline.Anatomy {
	rule := s.Protocol.Anatomy
	if s.Anatomy != "" {
		rule = protocol.SeriesNamed("--anatomy", s.Anatomy)
	}
	if rule == (protocol.SeriesRule{}) || s.Protocol.Maps == protocol.MapsNone {
		return pipeline.Anatomy{}
	}
	name := rule.String()
	fit := fitting(j, rule)
	a := pipeline.Anatomy{Named: true}
	switch {
	case len(fit) == 0:
		a.Problem = fmt.Errorf("no series of the study fits %s", name)
	case len(fit) > 1:
		a.Problem = fmt.Errorf("%d series fit %s: %s", len(fit), name, pipeline.ListTrains(fit))
	case fit[0].Hash == j.Train.Hash:
		return pipeline.Anatomy{} // its first echo is what is shown by default
	default:
		a.Train = fit[0].FirstEcho()
		if a.Problem = a.Train.Problem; a.Problem == nil {
			a.Problem = a.Train.CheckWritten()
		}
	}
	if a.Problem == nil && !a.Train.SharesFrame(j.Train) {
		a.Problem = fmt.Errorf("series %s (number %d) is not in the frame of reference (0020,0052) of the mapped "+
			"series, or one of them has none", a.Train.Hash, a.Train.Number)
	}
	return a
}

// fitting returns all series of the study of a job that fit the rule, also those of one echo. If the
// rule has no side, the other knee cannot be meant.
func fitting(j pipeline.Job, rule protocol.SeriesRule) []dicomio.Train {
	if rule.Side == "" {
		rule.Side = j.Train.Side
	}
	return rule.Matching(slices.Concat(j.Study.Trains, j.Study.Suspects, j.Study.Others))
}
