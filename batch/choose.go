package batch

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/t2fit"
)

// chooseTrain returns the one train of the study that is meant.
func (s *Intake) chooseTrain(st dicomio.Study, side string) (dicomio.Train, error) {
	var none dicomio.Train
	if len(st.Damaged) > 0 { // what cannot be read may have been an echo
		return none, fmt.Errorf("%s%w", more(st.Damaged), st.Damaged[0])
	}
	rule := s.Protocol.Series
	if s.Series != "" {
		rule = seriesNamed("--series", s.Series)
	}
	if rule.Side == "" {
		rule.Side = side
	}
	trains := st.Trains
	// The protocol's word on a quantity is for the series that it names, however the user
	// chooses among them.
	if named := s.Protocol.Series; named.Quantity == quantityT2 {
		trains = slices.Clone(trains)
		for _, t := range st.Suspects {
			if t.Claim != nil && named.matches(t) && rule.matches(t) {
				trains = append(trains, t.AsT2())
			}
		}
	}
	chosen := rule.among(trains)
	if len(chosen) == 0 {
		if suspects := rule.among(st.Suspects); len(suspects) > 0 && rule.names() {
			return none, suspects[0].Problem // the one that is meant
		}
	}
	switch {
	case len(trains) == 0:
		return none, noTrain(st)
	case len(chosen) == 0:
		if err := tooShort(rule, trains); err != nil {
			return none, err
		}
		return none, ofSetting(noneFits(rule, trains, side))
	case len(chosen) > 1:
		return none, ofSetting(hint.Errorf("choose one with --series or a series rule in the protocol", "%d multi-echo series: %s", len(chosen), listTrains(chosen)))
	}
	if problem := chosen[0].Problem; problem != nil && len(st.Spoiled) > 0 {
		return none, hint.Errorf(hint.Find(problem), "%w; in its folder lies %s%w", problem, more(st.Spoiled), st.Spoiled[0])
	}
	return chosen[0], chosen[0].Problem
}

// noneFits says that no train fits the rule and, where that is for the side that the manifest or
// the layout names, what the trains say of theirs.
func noneFits(r SeriesRule, trains []dicomio.Train, side string) error {
	text, advice := fmt.Sprintf("no multi-echo series fits %s; there are %s", r, listTrains(trains)), "t2map inspect shows the series"
	anySide := r
	anySide.Side = ""
	others := anySide.among(trains)
	if side == "" || r.Side != side || len(others) == 0 {
		return hint.Errorf(advice, "%s", text)
	}
	said := []string{"the manifest or the layout says " + side}
	for _, t := range others {
		for _, c := range t.Sides {
			said = append(said, fmt.Sprintf("%s of number %d says %s", c.Attribute, t.Number, c.Side))
		}
	}
	return hint.Errorf("find out which knee it is: correct the side in the manifest, or ask the site to correct the images", "%s: %s", text, strings.Join(said, ", "))
}

// among returns those of the trains that fit the rule.
func (r SeriesRule) among(trains []dicomio.Train) []dicomio.Train {
	var out []dicomio.Train
	for _, t := range trains {
		if r.matches(t) {
			out = append(out, t)
		}
	}
	return out
}

// names reports whether the rule names a series, so that no other can be meant.
func (r SeriesRule) names() bool {
	return r.Description != "" || r.Number != 0 || r.anyOf != ""
}

// more says how many files have errors, if the one that follows is the first of several.
func more(errs []error) string {
	switch n := len(errs); {
	case n < 2:
		return ""
	case slices.ContainsFunc(errs, func(err error) bool { return !errors.Is(err, dicomio.ErrUnsupported) }):
		return fmt.Sprintf("%d damaged files, the first: ", n)
	default:
		return fmt.Sprintf("%d files that are not supported, the first: ", n)
	}
}

// noTrain says why a study has no train, as well as its files tell.
func noTrain(st dicomio.Study) error {
	if len(st.Suspects) > 0 {
		return st.Suspects[0].Problem
	}
	for _, t := range st.Others {
		if len(t.TE) > 1 {
			return hint.Errorf("T2 needs a series of more echoes", "series %s (number %d) has %d echo times, at least %d are needed", t.Hash, t.Number, len(t.TE), t2fit.MinEchoes)
		}
	}
	return hint.Errorf("t2map inspect shows what is there", "no multi-echo series: %d MR images of other series, %d maps or phase images", st.Passed.OtherSeries, st.Passed.Derived)
}

// String says what the rule asks for: description "SAG*", 7 echoes, side L.
func (r SeriesRule) String() string {
	var parts []string
	if r.Description != "" {
		parts = append(parts, fmt.Sprintf("description %q", r.Description))
	}
	if r.Number != 0 {
		parts = append(parts, fmt.Sprintf("number %d", r.Number))
	}
	if r.Echoes != 0 {
		parts = append(parts, fmt.Sprintf("%d echoes", r.Echoes))
	}
	if r.Side != "" {
		parts = append(parts, "side "+r.Side)
	}
	if r.Quantity != "" {
		parts = append(parts, "quantity "+r.Quantity)
	}
	if r.anyOf != "" {
		parts = append(parts, fmt.Sprintf("%s %s", r.flag, printable.Short(r.anyOf)))
	}
	return strings.Join(parts, ", ")
}

// matches reports whether the train fits every part of the rule that is set. A
// train of unknown side fits either side.
func (r SeriesRule) matches(t dicomio.Train) bool {
	return (r.Description == "" || glob(r.Description, t.Description)) &&
		(r.Number == 0 || r.Number == t.Number) &&
		(r.Echoes == 0 || r.Echoes == len(t.TE)) &&
		(r.Side == "" || t.Side == "" || r.Side == t.Side) &&
		(r.anyOf == "" || r.anyOf == strconv.Itoa(t.Number) || beginsHash(t.Hash, r.anyOf) || glob(r.anyOf, t.Description))
}

// beginsHash reports whether text is enough of the hash to be meant as one.
func beginsHash(hash, text string) bool {
	return len(text) >= 6 && strings.HasPrefix(hash, strings.ToLower(text))
}

// glob reports whether text fits the pattern, upper and lower case alike. It is
// not a pattern of file names: a slash is a character like others.
func glob(pattern, text string) bool {
	expr := regexp.QuoteMeta(pattern)
	expr = strings.ReplaceAll(strings.ReplaceAll(expr, `\*`, `.*`), `\?`, `.`)
	return regexp.MustCompile(`(?is)^` + expr + `$`).MatchString(text)
}

// listTrains names trains for people who have to choose.
func listTrains(trains []dicomio.Train) string {
	var out []string
	for _, t := range trains {
		side := cmp.Or(t.Side, "unknown")
		out = append(out, fmt.Sprintf("number %d (hash %s, %q, %d echoes, side %s)", t.Number, t.Hash, printable.Short(t.Description), len(t.TE), side))
	}
	return strings.Join(out, "; ")
}
