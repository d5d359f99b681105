package publish

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial"
)

const upgrade = "scanner: GE; at visit 1: Siemens"

// upgradedTrial has an upgrade of the scanner before visit 2 of 20 participants.
func upgradedTrial() trial.Analysis {
	a := sample{arms: 2, visits: 3, perArm: 15}.analysis()
	a.Flags = a.Flags[:1:1]
	for _, subject := range a.Design.Subjects[:20] {
		a.Flags = append(a.Flags, trial.Flag{Kind: trial.ScannerChange, Subject: subject.ID, Visit: "visit 2",
			Text: upgrade})
	}
	for _, e := range a.Endpoints {
		for s := range e.Values {
			for v := range e.Values[s] {
				e.Values[s][v].Flags = nil
			}
		}
		for arm := range e.Cells {
			for v := range e.Cells[arm] {
				e.Cells[arm][v].ValueFlags, e.Cells[arm][v].ChangeFlags = nil, nil
			}
		}
	}
	return a
}

// The text of a flag is on the page once, with its subjects; figures link to it.
func TestFlagsAppearOnce(t *testing.T) {
	a := upgradedTrial()
	one, other := picture("means"), picture("change")
	for i := range a.Flags[1:] {
		one.Flags = append(one.Flags, i+1)
	}
	other.Flags = one.Flags
	p := page(t, a, one, other)
	got := readable(p)
	if n := strings.Count(got, upgrade); n != 1 {
		t.Errorf("the text of the flag appears %d times on the page", n)
	}
	if n := strings.Count(got, "† 20 participants at visit 2: scanner change (see Flags )"); n != 2 {
		t.Errorf("%d figures name their flags, want 2", n)
	}
	if !strings.Contains(got, "scanner change (20)") ||
		!strings.Contains(got,
			"S001, S002, S003, S004, S005, S006, S007, S008, S009, S010, S011, S012 and 8 more 20 participants visit 2") {
		t.Error("the list of flags does not name the subjects")
	}
	if n := strings.Count(string(p), `href="#flags"`); n != 2 { // two figures
		t.Errorf("%d links to the flags, want 2", n)
	}
}

// The lines depend only on the fields of the flags, not on their texts.
func TestFigureLines(t *testing.T) {
	for _, text := range []string{upgrade, "", "S001 at visit 2: x", "20 subjects at visit 2 (S001, S002): y."} {
		a := upgradedTrial()
		for i := range a.Flags {
			a.Flags[i].Text = text
		}
		a.Flags = append(a.Flags,
			trial.Flag{Kind: trial.ProtocolChange, Subject: "S003", Visit: "visit 1", Endpoint: "medial", Text: text},
			trial.Flag{Kind: trial.TwoStudies, Subject: "S004", Visit: "visit 2", Text: text},
			trial.Flag{Kind: trial.CarriedMask, Text: "masks were carried"})
		beyond := trial.Flag{Kind: trial.BeyondLimit, Subject: "S003", Visit: "visit 1", Endpoint: "medial", Text: text}
		beyond.Excess = trial.Excess{Measure: trial.VoxelChange, Value: 60, Limit: 20}
		a.Flags = append(a.Flags, beyond)
		beyond.Excess = trial.Excess{Measure: trial.ExcludedShare, Value: 33, Limit: 10}
		a.Flags = append(a.Flags, beyond)
		for name, c := range map[string]struct {
			flags []int
			want  []string
			rest  int
		}{
			"none":            {nil, nil, 0},
			"one":             {[]int{2}, []string{"S002 at visit 2: scanner change"}, 0},
			"of an endpoint":  {[]int{21}, []string{"S003 at visit 1, medial: protocol change"}, 0},
			"named":           {[]int{1, 2, 3}, []string{"S001, S002, S003 at visit 2: scanner change"}, 0},
			"counted":         {[]int{1, 2, 3, 4}, []string{"4 participants at visit 2: scanner change"}, 0},
			"of all subjects": {[]int{23}, []string{"masks were carried"}, 0},
			"of one place": {[]int{21, 24, 25}, []string{"S003 at visit 1, medial: protocol change; number of voxels +60.0 % " +
				"against baseline, limit 20 %; 33.0 % of the voxels are excluded, limit 10 %"}, 0},
			"more": {[]int{1, 2, 21, 22, 23},
				[]string{"S001, S002 at visit 2: scanner change", "S003 at visit 1, medial: protocol change"}, 2},
		} {
			got := newFigureLines(&a, figure.Picture{Flags: c.flags, Remarks: []string{"other slices", upgrade}}, 2)
			if !slices.Equal(got.Flags, c.want) || got.Rest != c.rest ||
				!slices.Equal(got.Remarks, []string{"other slices", upgrade}) {
				t.Errorf("%s, %q: %+v", name, text, got)
			}
		}
	}
}

// Names that begin alike are distinct everywhere on the page.
func TestNamesAreNotCut(t *testing.T) {
	a := usual.analysis()
	long := strings.Repeat("regimen of 40 mg twice daily ", 5)
	a.Design.Arms[0], a.Design.Arms[1] = long+"A", long+"B"
	a.Design.Visits[1].Name, a.Design.Visits[2].Name = long+"v1", long+"v2"
	for i := range a.Design.Subjects {
		a.Design.Subjects[i].ID = fmt.Sprintf("%s%03d", strings.Repeat("registry-", 10), i)
	}
	a.Endpoints[0].Title, a.Endpoints[1].Title = long+"T2 medial", long+"T2 lateral"
	p := string(page(t, a))
	if strings.Contains(p, "…") {
		t.Error("something is cut")
	}
	got := readable([]byte(p))
	for _, want := range []string{
		long + "T2 medial, change to " + long + "v2, " + long + "B − " + long + "A",
		strings.Repeat("registry-", 10) + "023",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

// Remarks are shown in full under their figure; many of them are folded.
func TestRemarksAreShownInFull(t *testing.T) {
	p := picture("maps")
	for i := range 6 {
		p.Remarks = append(p.Remarks, fmt.Sprintf("S%03d, visit 1: no study.", i))
		got := readable(page(t, usual.analysis(), p))
		if !strings.Contains(got, strings.Join(p.Remarks, " ")) {
			t.Errorf("%d remarks: not all of them are shown", i+1)
		}
		if folded := strings.Contains(got, "6 remarks"); folded != (i == 5) {
			t.Errorf("%d remarks: folded %v", i+1, folded)
		}
	}
}
