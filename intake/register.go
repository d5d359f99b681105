package intake

import (
	"fmt"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/report"
)

// chooseMoving returns the series on which the mask was drawn, according to --register or the protocol. It is nil if
// nothing is to be aligned, or if it is the mapped series.
func (s *Intake) chooseMoving(j pipeline.Job) (*dicomio.Train, error) {
	name := s.Protocol.Register.Moving
	if name == "" {
		return nil, nil
	}
	const advice = "t2map inspect shows the series; name the one on which the mask was drawn with --register, or " +
		"`register` in the protocol"
	fit := fitting(j, protocol.SeriesNamed("--register", name))
	switch {
	case len(fit) == 0:
		return nil, pipeline.Because(report.ReasonSeriesChoice, pipeline.Explained(hint.Errorf(advice,
			"register: no series of the study fits %s", printable.Short(name))))
	case len(fit) > 1:
		return nil, pipeline.Because(report.ReasonSeriesChoice, pipeline.Explained(hint.Errorf(advice,
			"register: %d series fit %s: %s", len(fit), printable.Short(name), pipeline.ListTrains(fit))))
	case fit[0].Hash == j.Train.Hash:
		return nil, nil
	}
	t, err := firstEcho(fit[0])
	if err != nil {
		return nil, fmt.Errorf("register: series %s (number %d): %w", t.Hash, t.Number, err)
	}
	return &t, nil
}
