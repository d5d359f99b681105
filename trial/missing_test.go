package trial

import "testing"

// The words follow from the kinds: every kind has some. Only the kind makes a result unused.
func TestMissingWords(t *testing.T) {
	for m, want := range map[Missing]string{
		{}:                                       "",
		{Kind: NoStudy}:                          "no study",
		{Kind: StudyFailed}:                      "study failed",
		{Kind: StudyFailed, Detail: "no echoes"}: "study failed: no echoes",
		{Kind: NoCompartment}:                    "no such compartment in the study",
		{Kind: BothKnees}:                        "both knees, none chosen",
		{Kind: SeveralStudies, Count: 2}:         "two studies at one visit, none chosen",
		{Kind: SeveralStudies, Count: 3}:         "3 studies at one visit, none chosen",
		{Kind: NoValue}:                          "no value",
		{Kind: SeveralValues}:                    "two values at one visit, none chosen",
		{Kind: EmptyCell}:                        "empty in the table",
		{Kind: Noted, Detail: "x: y"}:            "x: y",
		{Kind: NotSigned}:                        "no reader has signed the mask",
		{Kind: NotAdjudicated}:                   "no adjudicator has signed the mask",
		{Kind: AtBaseline}:                       "baseline",
		{Kind: NoStudy, OfBaseline: true}:        "baseline: no study",
	} {
		if got := m.String(); got != want {
			t.Errorf("%+v: %q, want %q", m, got, want)
		}
	}
	for kind := range MissingKind(len(missingKinds)) {
		m := Missing{Kind: kind, Detail: "two studies at one visit, none chosen"}
		if want := kind == BothKnees || kind == SeveralStudies || kind == SeveralValues ||
			kind == NotSigned || kind == NotAdjudicated; m.Unused() != want {
			t.Errorf("%v: unused %v", kind, !want)
		}
		if (kind.String() == "") != (kind == Present) {
			t.Errorf("%d has the word %q", kind, kind)
		}
	}
}
