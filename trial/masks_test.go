package trial

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// carriedAt returns the tables of a trial in which the masks of some visits of some subjects were
// carried from baseline.
func carriedAt(carried func(subject, visit string) bool) Tables {
	tables := made{arms: twoArms, visits: threeVisits, perArm: 3}.tables()
	lines := strings.Split(strings.TrimSpace(string(tables.Compartments.Data)), "\n")
	for n, line := range lines {
		cells := strings.Split(line, ",")
		switch {
		case n == 0:
			lines[n] += ",mask_from"
		case carried(cells[0], cells[1]):
			lines[n] += ",baseline"
		default:
			lines[n] += ","
		}
	}
	tables.Compartments.Data = []byte(strings.Join(lines, "\n") + "\n")
	return tables
}

func TestCarriedMasks(t *testing.T) {
	for name, c := range map[string]struct {
		carried func(subject, visit string) bool
		text    string // of the flag
		flagged int    // values with it
		note    string
	}{
		"none": {func(string, string) bool { return false }, "", 0, ""},
		"all later visits": {func(_, visit string) bool { return visit != "baseline" },
			"masks of month03, month12 carried from baseline by registration", 24,
			"the masks of 12 of 18 visits with values were carried from baseline by registration, not drawn: see " +
				"mask_from in values.csv"},
		// A visit whose masks were drawn is compared with one whose masks were carried.
		"one visit": {func(_, visit string) bool { return visit == "month03" },
			"the masks of some visits were carried from baseline, those of others were drawn (6 and 6): a change may " +
				"be due to the masks", 36,
			"the masks of 6 of 18 visits with values were carried from baseline by registration, not drawn: see " +
				"mask_from in values.csv; of the visits other than baseline, 6 have a drawn mask"},
		// Two subjects of one visit are.
		"one subject": {func(subject, visit string) bool { return subject == "S02" && visit != "baseline" },
			"the masks of some visits were carried from baseline, those of others were drawn (2 and 10): a change " +
				"may be due to the masks", 36,
			"the masks of 2 of 18 visits with values were carried from baseline by registration, not drawn: see " +
				"mask_from in values.csv; of the visits other than baseline, 10 have a drawn mask"},
	} {
		a := analyse(t, carriedAt(c.carried))
		got := flagged(a, CarriedMask)
		if c.text == "" {
			if len(got) > 0 || len(a.Notes) > 0 {
				t.Errorf("%s: flags %v, notes %q", name, got, a.Notes)
			}
			continue
		}
		if len(got) != 1 || got[0].Text != c.text || got[0].Subject != "" || !got[0].Kind.OnFigures() {
			t.Errorf("%s: flags %+v, want %q", name, got, c.text)
			continue
		}
		if !slices.Equal(a.Notes, []string{c.note}) {
			t.Errorf("%s: notes %q, want %q", name, a.Notes, c.note)
		}
		flag, n := slices.Index(a.Flags, got[0]), 0
		for _, e := range a.Endpoints {
			for s, visits := range e.Values {
				for v, value := range visits {
					if slices.Contains(value.Flags, flag) {
						n++
					}
					if carried := c.carried(a.Design.Subjects[s].ID,
						threeVisits[v]); carried != (value.MaskFrom == "baseline") {
						t.Errorf("%s: %s at %s: mask from %q", name, a.Design.Subjects[s].ID, threeVisits[v],
							value.MaskFrom)
					}
				}
			}
		}
		if n != c.flagged {
			t.Errorf("%s: %d values are flagged, want %d", name, n, c.flagged)
		}
	}
}

// The mean of two studies has the visit from which the mask of one of them was carried.
func TestCarriedMaskOfTwoStudies(t *testing.T) {
	tables := carriedAt(func(subject, visit string) bool { return subject == "S01" && visit == "month12" }).and(
		"S01,month12,st-2nd,se-2nd,right,medial,40.00,nlls,plain,Maker One,7 echoes,,,",
		"S01,month12,st-2nd,se-2nd,right,lateral,40.00,nlls,plain,Maker One,7 echoes,,,")
	a, err := Analyse(t.Context(), "test", tables, func(_ Design, p *Plan) error { p.MeanOfTwo = true; return nil })
	if err != nil {
		t.Fatal(err)
	}
	v := a.Endpoints[0].Values[subjectIndex(t, a, "S01")][2]
	if math.IsNaN(v.X) || v.MaskFrom != "baseline" {
		t.Errorf("%+v", v)
	}
}
