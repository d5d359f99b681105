package trial

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// This file chooses the value of a subject at a visit from the measurements there.

// pickSide keeps the measurements of the studied knee of a subject, and flags the others. bothKnees
// reports that there are measurements of both knees and the design does not say which is studied, so that
// none can be used.
func (j *joiner) pickSide(s int, visits [][]Measurement) (bothKnees bool) {
	want := j.d.Subjects[s].Side
	seen := map[string]bool{}
	for v, here := range visits {
		var kept []Measurement
		flagged := map[string]bool{} // by series
		for _, m := range here {
			switch {
			case want == "" || m.Side == want || m.Side == "":
				kept = append(kept, m)
				if m.Side == "" && want != "" && !flagged[m.Series] && j.sides {
					j.flag(Flag{Kind: Quality, Subject: m.Subject, Visit: m.Visit,
						Text: "the images do not give the side of the knee; the design says " + want})
				}
			case !flagged[m.Series]:
				j.flag(Flag{Kind: OtherSide, Subject: m.Subject, Visit: m.Visit,
					Text: fmt.Sprintf("results of the %s knee are not used: the design says the %s", m.Side, want)})
			}
			flagged[m.Series] = true
			if m.Side != "" {
				seen[m.Side] = true
			}
		}
		visits[v] = kept
	}
	if bothKnees = want == "" && len(seen) > 1; bothKnees {
		j.flag(Flag{Kind: OtherSide, Subject: j.d.Subjects[s].ID,
			Text: "results of both knees, and the design does not say which is studied: none is used"})
	}
	return bothKnees
}

// changed flags a scanner or protocol that differs from that of the subject's first study. Properties
// are compared as whole texts.
func (j *joiner) changed(first *Measurement, here []Measurement) []int {
	var flags []int
	add := func(kind FlagKind, m Measurement, property, before, now string) bool {
		if before == now {
			return false
		}
		parts := []string{cmp.Or(before, notGiven), cmp.Or(now, notGiven)}
		if kind == ProtocolChange { // long texts
			parts = distinctParts(before, now)
		}
		flags = include(flags, j.flagOnce(Flag{Kind: kind, Subject: m.Subject, Visit: m.Visit,
			Text: fmt.Sprintf("%s: %s; at %s: %s", property, parts[1], first.Visit, parts[0])}))
		return true
	}
	lossy := false
	for _, m := range here {
		if !add(ScannerChange, m, "scanner", first.Scanner, m.Scanner) {
			add(ScannerChange, m, "software of the scanner", first.ScannerSoftware, m.ScannerSoftware)
		}
		add(ProtocolChange, m, "acquisition", first.Acquisition, m.Acquisition)
		if !add(ProtocolChange, m, "settings", first.Settings, m.Settings) {
			add(ProtocolChange, m, "method", first.Method, m.Method) // of a table without settings
		}
		lossy = lossy || m.Lossy
	}
	if lossy {
		flags = append(flags, j.flag(Flag{Kind: Quality, Subject: here[0].Subject, Visit: here[0].Visit,
			Text: "images were compressed with loss"}))
	}
	return flags
}

// choose returns the value of a compartment at a visit.
func (j *joiner) choose(here []Measurement, compartment string, bothKnees bool) Value {
	list := slices.DeleteFunc(slices.Clone(here), func(m Measurement) bool { return m.Compartment != compartment })
	nan := math.NaN()
	switch {
	case len(list) == 0:
		return Value{X: nan, Missing: Missing{Kind: NoCompartment}}
	case bothKnees:
		return Value{X: nan, Missing: Missing{Kind: BothKnees}}
	case len(list) == 1:
		return single(list[0])
	}
	return j.chooseOfSeveral(list)
}

// chooseOfSeveral returns the value of a visit with several studies: missing or, with MeanOfTwo, the mean
// of the studies that have a value.
func (j *joiner) chooseOfSeveral(list []Measurement) Value {
	m := list[0]
	used := "none is used"
	value := Value{X: math.NaN(), Missing: Missing{Kind: SeveralStudies, Count: len(list)}, Side: m.Side,
		Method: m.Method}
	if j.plan.MeanOfTwo {
		sound := slices.DeleteFunc(slices.Clone(list), func(m Measurement) bool { return math.IsNaN(m.T2) })
		switch len(sound) {
		case 0:
			value.Missing, used = m.Missing, "none has a value"
		case 1:
			value, used = single(sound[0]), "one has a value, which is used"
		default:
			value.Missing = Missing{}
			value.setMean(sound)
			used = fmt.Sprintf("the mean of %s is used", numeral(len(sound)))
		}
	}
	value.Flags = []int{j.flagOnce(Flag{Kind: TwoStudies, Subject: m.Subject, Visit: m.Visit,
		Text: fmt.Sprintf("%s studies at this visit: %s", numeral(len(list)), used)})}
	return value
}

// single returns the value of one study. A study that is not used has neither a folder, so that no figure shows its maps,
// nor a quality.
func single(m Measurement) Value {
	v := Value{X: m.T2, Missing: m.Missing, Side: m.Side, Study: m.Study, Series: m.Series, Method: m.Method,
		MaskFrom: m.MaskFrom}
	if !m.Missing.Unused() {
		v.Folder, v.Quality = m.Folder, &m.Quality
	}
	return v
}

// setMean fills in the means of T2 and quality over studies, and names the visits that their masks were carried from.
func (v *Value) setMean(list []Measurement) {
	var all []ImageQuality
	var sources []string
	sum := 0.0
	for _, m := range list {
		sum, all = sum+m.T2, append(all, m.Quality)
		if m.MaskFrom != "" {
			sources = include(sources, m.MaskFrom)
		}
	}
	quality := meanQuality(all)
	v.X, v.Quality, v.MaskFrom = sum/float64(len(list)), &quality, strings.Join(sources, ", ")
}
