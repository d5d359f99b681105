package publish

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/trial"
)

const upgrade = "scanner: GE; at visit 1: Siemens"

// upgradedTrial has an upgrade of the scanner before visit 2 of 20 participants.
func upgradedTrial() trial.Analysis {
	a := sample{arms: 2, visits: 3, perArm: 15}.analysis()
	a.Flags = a.Flags[:1:1]
	for _, who := range a.Design.Subjects[:20] {
		a.Flags = append(a.Flags, trial.Flag{Kind: trial.ScannerChange, Subject: who.ID, Visit: "visit 2", Text: upgrade})
	}
	return a
}

// What is the matter stands once on the page, with whom it is about; figures link there.
func TestFlagsStandOnce(t *testing.T) {
	a := upgradedTrial()
	one, other := picture("means"), picture("change")
	one.Flags = nil
	for _, f := range a.Flags[1:] {
		one.Flags = append(one.Flags, f.Subject+" at visit 2: "+f.Text)
	}
	other.Flags = []string{"20 subjects at visit 2 (S001, S002, S003): " + upgrade}
	p := page(t, a, one, other)
	got := readable(p)
	if n := strings.Count(got, upgrade); n != 1 {
		t.Errorf("the text of the flag stands %d times on the page", n)
	}
	if n := strings.Count(got, "† 20 subjects at visit 2: scanner change (see Flags )"); n != 2 {
		t.Errorf("%d figures say what touches them, want 2", n)
	}
	if !strings.Contains(got, "scanner change (20)") || !strings.Contains(got, "S001, S002, S003, S004, S005, S006, S007, S008, S009, S010, S011, S012 and 8 more 20 subjects visit 2") {
		t.Error("the list of flags does not say whom they are about")
	}
	if n := strings.Count(string(p), `href="#flags"`); n != 3 { // contents and two figures
		t.Errorf("%d links to the flags, want 3", n)
	}
}

func TestFigureLines(t *testing.T) {
	a := upgradedTrial()
	a.Flags = append(a.Flags,
		trial.Flag{Kind: trial.ProtocolChange, Subject: "S003", Visit: "visit 1", Endpoint: "medial", Text: "method: epg; at baseline: nlls"},
		trial.Flag{Kind: trial.TwoStudies, Subject: "S004", Visit: "visit 2", Text: upgrade}, // a text that others have, too
		trial.Flag{Kind: trial.Quality, Subject: "S001", Visit: "visit 1", Text: "lossy"})
	for name, c := range map[string]struct {
		in   []string
		want figureLines
	}{
		"none":             {nil, figureLines{[]string{}, 0, []string{}}},
		"one of many":      {[]string{"S002 at visit 2: " + upgrade}, figureLines{[]string{"S002 at visit 2: scanner change"}, 0, []string{}}},
		"one":              {[]string{"S003 at visit 1, medial: method: epg; at baseline: nlls"}, figureLines{[]string{"S003 at visit 1, medial: protocol change"}, 0, []string{}}},
		"listed":           {[]string{"S001, S002 at visit 2: " + upgrade}, figureLines{[]string{"S001, S002 at visit 2: scanner change"}, 0, []string{}}},
		"a place of maps":  {[]string{"S001 (control), visit 2: " + upgrade + "."}, figureLines{[]string{"S001 (control), visit 2: scanner change"}, 0, []string{}}},
		"counted":          {[]string{"1200 subjects at visit 2 (S001 (a), S002, …): " + upgrade}, figureLines{[]string{"1200 subjects at visit 2: scanner change"}, 0, []string{}}},
		"not of the trial": {[]string{"the maps are of other slices", "no result"}, figureLines{[]string{}, 0, []string{"the maps are of other slices", "no result"}}},
		"more": {
			[]string{"S001 at visit 2: " + upgrade, "S003 at visit 1, medial: method: epg; at baseline: nlls", "S002 at visit 2: " + upgrade, "a", "x: " + upgrade},
			figureLines{[]string{"2 subjects at visit 2: scanner change", "S003 at visit 1, medial: protocol change"}, 1, []string{"a"}},
		},
	} {
		if diff := cmp.Diff(c.want, newFigureLines(&a, c.in)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// Names that begin alike stay apart wherever the page has them.
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
		long + "T2 medial, change to " + long + "v2, " + long + "B − " + long + "A", long + "A " + long + "B Planned",
		strings.Repeat("registry-", 10) + "023",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

// Remarks that are in no list of flags stand whole under their figure, many of them folded.
func TestRemarksStandWhole(t *testing.T) {
	p := picture("maps")
	p.Flags = nil
	for i := range 6 {
		p.Flags = append(p.Flags, fmt.Sprintf("S%03d, visit 1: no study.", i))
		got := readable(page(t, usual.analysis(), p))
		if !strings.Contains(got, strings.Join(p.Flags, " ")) {
			t.Errorf("%d remarks: not all of them are shown", i+1)
		}
		if folded := strings.Contains(got, "6 remarks"); folded != (i == 5) {
			t.Errorf("%d remarks: folded %v", i+1, folded)
		}
	}
}
