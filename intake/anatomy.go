package intake

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/protocol"
)

// chooseAnatomy returns the named series of the study. No other series replaces it, so that all visits show the same
// kind of series.
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
		return pipeline.Anatomy{} // the default: the first echo of the mapped series
	default:
		a.Train, a.Problem = firstEcho(fit[0])
	}
	if a.Problem == nil && !a.Train.SharesFrame(j.Train) {
		a.Problem = fmt.Errorf("series %s (number %d) is not in the frame of reference (0020,0052) of the mapped "+
			"series, or one of them has none", a.Train.Hash, a.Train.Number)
	}
	return a
}

// firstEcho returns the first echo of a series, and an error if it cannot be read.
func firstEcho(t dicomio.Train) (dicomio.Train, error) {
	first := t.FirstEcho()
	return first, cmp.Or(first.Problem, first.CheckWritten())
}

// fitting returns all series of the job's study that fit the rule, including those of one echo. If the rule has no
// side, series of the other knee do not fit.
func fitting(j pipeline.Job, rule protocol.SeriesRule) []dicomio.Train {
	if rule.Side == "" {
		rule.Side = j.Train.Side
	}
	return rule.Matching(slices.Concat(j.Study.Trains, j.Study.Suspects, j.Study.Others))
}
