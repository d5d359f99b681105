package intake

import (
	"fmt"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/report"
)

// chooseInput returns the series of the job's study that the protocol's program gets. If the protocol names a
// series, no other replaces it.
func (s *Intake) chooseInput(j pipeline.Job) (pipeline.Input, error) {
	in := pipeline.NewInput(j.Train.FirstEcho())
	name := s.Protocol.Segment.Input
	if name == "" {
		return in, in.Train.Problem
	}
	fit := fitting(j, protocol.SeriesNamed("input", name))
	switch {
	case len(fit) == 0:
		return in, pipeline.Because(report.ReasonSeriesChoice, pipeline.Explained(hint.Errorf("t2map inspect shows the "+
			"series; correct `input` of the protocol's `segment`", "segment: no series of the study fits input %s",
			printable.Short(name))))
	case len(fit) > 1:
		return in, pipeline.Because(report.ReasonSeriesChoice, pipeline.Explained(hint.Errorf("correct `input` of the "+
			"protocol's `segment` so that it fits one series", "segment: %d series fit input %s: %s", len(fit),
			printable.Short(name), pipeline.ListTrains(fit))))
	case fit[0].Hash == j.Train.Hash:
		return in, in.Train.Problem
	}
	var err error
	if in.Train, err = firstEcho(fit[0]); err != nil {
		return in, fmt.Errorf("segment: series %s (number %d): %w", in.Train.Hash, in.Train.Number, err)
	}
	if !in.Train.SharesFrame(j.Train) && !s.Protocol.AllowForeignMask && !j.AlignsWith(in.Train) {
		return in, pipeline.Because(report.ReasonGeometry, pipeline.Explained(hint.Errorf("align the series with "+
			"--register; if the knee did not move between the two series, add --allow-foreign-mask", "segment: series %s "+
			"(number %d) is not in the frame of reference (0020,0052) of the mapped series, or one of them has none",
			in.Train.Hash, in.Train.Number)))
	}
	return in, nil
}

// prepareSegmenter finds the program of the protocol. If the program has a scheme of its own, that becomes the
// scheme of the protocol, and also holds for masks that a reader has corrected.
func (s *Intake) prepareSegmenter() (err error) {
	p := &s.Protocol
	if p.Segment, err = p.Segment.Find(); err != nil || !p.Segment.Named() {
		return err
	}
	if s.Mask != "" {
		return hint.Errorf("name the masks that were drawn or corrected in a manifest, study by study",
			"--mask %s: a program makes the masks, according to `segment` of the protocol", printable.Short(s.Mask))
	}
	if p.Segment.Scheme.Known() {
		p.Scheme = p.Segment.Scheme
	}
	return nil
}
