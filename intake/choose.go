package intake

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/t2fit"
)

// chooseTrain returns the only train of the study that fits the rules.
func (s *Intake) chooseTrain(st dicomio.Study, side string) (dicomio.Train, error) {
	var none dicomio.Train
	if len(st.Damaged) > 0 { // a damaged file may be an echo
		return none, fmt.Errorf("%s%w", SeveralFiles(st.Damaged), st.Damaged[0])
	}
	rule := s.Protocol.Series
	if s.Series != "" {
		rule = protocol.SeriesNamed("--series", s.Series)
	}
	if rule.Side == "" {
		rule.Side = side
	}
	trains := st.Trains
	// The quantity in the protocol holds for every series that fits its rule, whichever of them the user chooses.
	if named := s.Protocol.Series; named.Quantity == protocol.QuantityT2 {
		trains = slices.Clone(trains)
		for _, t := range st.Suspects {
			if t.Claim != nil && named.Matches(t) && rule.Matches(t) {
				trains = append(trains, t.AsT2())
			}
		}
	}
	chosen := rule.Matching(trains)
	if len(chosen) == 0 {
		if suspects := rule.Matching(st.Suspects); len(suspects) > 0 && rule.NamesSeries() {
			return none, suspects[0].Problem // the user means this series
		}
	}
	switch {
	case len(trains) == 0:
		return none, noTrain(st)
	case len(chosen) == 0:
		if err := tooShort(rule, trains); err != nil {
			return none, err
		}
		return none, pipeline.Explained(noneFits(rule, trains, side))
	case len(chosen) > 1:
		return none, pipeline.Because(report.ReasonSeriesChoice, pipeline.Explained(hint.Errorf(
			"choose one with --series or a series rule in the protocol",
			"%d multi-echo series: %s", len(chosen), pipeline.ListTrains(chosen))))
	}
	if problem := chosen[0].Problem; problem != nil && len(st.Spoiled) > 0 {
		return none, hint.Errorf(hint.Find(problem), "%w; its folder contains %s%w", problem, SeveralFiles(st.Spoiled),
			st.Spoiled[0])
	}
	return chosen[0], chosen[0].Problem
}

// noneFits says that no train fits the rule. If the cause is the side in the manifest or the layout, it lists the
// sides of the trains.
func noneFits(r protocol.SeriesRule, trains []dicomio.Train, side string) error {
	text := fmt.Sprintf("no multi-echo series fits %s; there are %s", r, pipeline.ListTrains(trains))
	anySide := r
	anySide.Side = ""
	others := anySide.Matching(trains)
	if side == "" || r.Side != side || len(others) == 0 {
		return pipeline.Because(report.ReasonSeriesChoice, hint.Errorf("t2map inspect shows the series", "%s", text))
	}
	claims := []string{"the manifest or the layout says " + side}
	for _, t := range others {
		for _, c := range t.Sides {
			claims = append(claims, fmt.Sprintf("%s of number %d says %s", c.Attribute, t.Number, c.Side))
		}
	}
	return pipeline.Because(report.ReasonSide, hint.Errorf("find out which knee it is: correct the side in the manifest, "+
		"or ask the site to correct the images", "%s: %s", text, strings.Join(claims, ", ")))
}

// SeveralFiles is the beginning of a message that quotes the first of several errors; "" if there is only one.
func SeveralFiles(errs []error) string {
	switch n := len(errs); {
	case n < 2:
		return ""
	case slices.ContainsFunc(errs, func(err error) bool { return !errors.Is(err, dicomio.ErrUnsupported) }):
		return fmt.Sprintf("%d damaged files, the first: ", n)
	default:
		return fmt.Sprintf("%d files that are not supported, the first: ", n)
	}
}

// noTrain returns the reason why a study has no train.
func noTrain(st dicomio.Study) error {
	if len(st.Suspects) > 0 {
		return st.Suspects[0].Problem
	}
	for _, t := range st.Others {
		if len(t.TE) > 1 {
			return pipeline.Because(report.ReasonEchoTimes, hint.Errorf("T2 needs a series with more echoes",
				"series %s (number %d) has %d echo times, at least %d are needed", t.Hash, t.Number, len(t.TE),
				t2fit.MinEchoes))
		}
	}
	return pipeline.Because(report.ReasonNoSeries, hint.Errorf("t2map inspect lists the series of the study",
		"no multi-echo series: %d MR images of other series, %d maps or phase images", st.Passed.OtherSeries,
		st.Passed.Derived))
}

// tooShort returns an error if exactly one train fits the rule except for the number of echoes and has too few of
// them. The error holds the evidence for lost echoes.
func tooShort(r protocol.SeriesRule, trains []dicomio.Train) error {
	rest := r
	rest.Echoes = 0
	fit := rest.Matching(trains)
	if r.Echoes == 0 || len(fit) != 1 || len(fit[0].TE) >= r.Echoes {
		return nil
	}
	t := fit[0]
	var evidence []string
	for _, l := range t.Losses {
		evidence = append(evidence, pipeline.LossText(t, l))
	}
	if te := t.Next(); len(t.Losses) == 0 && te > 0 {
		evidence = append(evidence, fmt.Sprintf("the next echo would be at %s", pipeline.ListTimes([]float64{te})))
	}
	reason := ""
	if len(evidence) > 0 {
		reason = ": " + strings.Join(evidence, "; ")
	}
	return pipeline.Because(report.ReasonMissingImages, hint.Errorf(
		"ask the site for the missing images, or correct echoes in the protocol's series rule",
		"series %s (number %d) has %d echo times, %s, and the protocol asks for %d%s",
		t.Hash, t.Number, len(t.TE), pipeline.ListTimes(t.TE), r.Echoes, reason))
}
