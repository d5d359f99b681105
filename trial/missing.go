package trial

import (
	"cmp"
	"fmt"
	"slices"
)

// MissingKind says why a value or a change does not exist.
type MissingKind int8

// The kinds. The zero value is of a value that exists.
const (
	Present MissingKind = iota
	// NoStudy: there is no study at the visit.
	NoStudy
	// StudyFailed: the study failed. Detail says why.
	StudyFailed
	// NoCompartment: the study has no such compartment.
	NoCompartment
	// BothKnees: there are results of both knees, and the design does not say which is studied.
	BothKnees
	// SeveralStudies: there are Count studies at the visit, none of which is used.
	SeveralStudies
	// NoValue: the table of another endpoint has no row.
	NoValue
	// SeveralValues: the table of another endpoint has several rows, none of which is used.
	SeveralValues
	// EmptyCell: the table has a row with an empty cell.
	EmptyCell
	// Noted: the table has a row with an empty cell and a note, which is Detail.
	Noted
	// NotSigned: no reader has signed the mask, and Plan.Reads requires it.
	NotSigned
	// NotAdjudicated: no adjudicator has signed the mask, and Plan.Reads requires it.
	NotAdjudicated
	// AtBaseline: the visit is the baseline, which has no change.
	AtBaseline
	// NotPlanned: the visit is not planned for the endpoint. Tables and figures have no such place.
	NotPlanned
	// NotInSet: the subject is not in the analysis set.
	NotInSet
)

var missingKinds = [...]string{
	Present: "", NoStudy: "no study", StudyFailed: "study failed", NoCompartment: "no compartment",
	BothKnees: "both knees", SeveralStudies: "several studies", NoValue: "no value", SeveralValues: "several values",
	EmptyCell: "empty cell", Noted: "note", NotSigned: "mask not signed", NotAdjudicated: "mask not adjudicated",
	AtBaseline: "baseline", NotPlanned: "not planned", NotInSet: "not in the analysis set",
}

// missingReasons are the reasons that are clearer in more words.
var missingReasons = map[MissingKind]string{
	NoCompartment: "no such compartment in the study", BothKnees: "both knees, none chosen",
	SeveralValues: "two values at one visit, none chosen", EmptyCell: "empty in the table",
	NotSigned: "no reader has signed the mask", NotAdjudicated: "no adjudicator has signed the mask",
}

// String returns the word for the kind in trial.json.
func (k MissingKind) String() string { return missingKinds[k] }

// Missing says why a value or a change does not exist. Its zero value is of one that exists.
type Missing struct {
	Kind MissingKind
	// Count is the number of studies of SeveralStudies.
	Count int
	// Detail is the reason of StudyFailed and the note of Noted, as in the table.
	Detail string
	// OfBaseline reports that a change is missing because the value at baseline is.
	OfBaseline bool
}

// Unused reports whether there are results, none of which is used.
func (m Missing) Unused() bool {
	return slices.Contains([]MissingKind{BothKnees, SeveralStudies, SeveralValues, NotSigned, NotAdjudicated}, m.Kind)
}

// String returns the reason in words; empty for a value that exists.
func (m Missing) String() string {
	if m.OfBaseline {
		m.OfBaseline = false
		return "baseline: " + m.String()
	}
	switch m.Kind {
	case StudyFailed:
		if m.Detail != "" {
			return "study failed: " + m.Detail
		}
	case SeveralStudies:
		return fmt.Sprintf("%s studies at one visit, none chosen", numeral(m.Count))
	case Noted:
		return m.Detail
	}
	return cmp.Or(missingReasons[m.Kind], m.Kind.String())
}

// numeral returns a number as text, with two as a word.
func numeral(n int) string {
	if n == 2 {
		return "two"
	}
	return fmt.Sprint(n)
}
