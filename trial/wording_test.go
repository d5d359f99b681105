package trial

import (
	"slices"
	"strings"
	"testing"
)

// The texts of tables, whatever they say, change no kind of flag, no missing value and no number: nothing
// is obtained by reading a text.
func TestWordingChangesNothing(t *testing.T) {
	base := made{arms: twoArms, visits: threeVisits, perArm: 3,
		t2: func(_, n, v int) float64 { return float64(30 + n + v) }}
	analyseWith := func(reason, note, scanner string) Analysis {
		tables := base.tables().with(t, "Maker One", scanner).and(
			"S03,month12,again,again,right,medial,,nlls,plain," + scanner + ",7 echoes,," + note)
		tables.Studies.Data = []byte("subject,visit,status,reason\n" +
			"S01,month12,failed," + reason + "\n" + // beside a study with a result
			"(S04),month12,failed," + reason + "\n" + // a name like any other
			",,failed," + reason + "\n") // files of no study
		return analyse(t, tables)
	}
	want := analyseWith("no mask", "no voxels", "Maker One")
	for _, text := range []string{"two studies at one visit. none chosen", "(no study)", "study failed: x",
		"baseline: no study", "Maker; software 2", "scanner: A; at baseline: B", "S01 at month12: scanner change"} {
		got := analyseWith(text, text, text)
		if kinds(got) != kinds(want) {
			t.Errorf("%q: flags %s, want %s", text, kinds(got), kinds(want))
		}
		for i, e := range got.Endpoints {
			for s := range e.Values {
				for v, x := range e.Values[s] {
					y := want.Endpoints[i].Values[s][v]
					if x.Missing.Kind != y.Missing.Kind || x.X != y.X && x.Missing.Kind == Present ||
						!slices.Equal(x.Flags, y.Flags) {
						t.Errorf("%q: subject %d, visit %d: %+v, want %+v", text, s, v, x, y)
					}
				}
			}
		}
	}
	if n := strings.Count(kinds(want), string(NotInDesign)); n != 1 {
		t.Errorf("%d subjects are not in the design, want 1: %s", n, kinds(want))
	}
}

// kinds lists the flags without their texts.
func kinds(a Analysis) string {
	var b strings.Builder
	for _, f := range a.Flags {
		b.WriteString(strings.Join([]string{string(f.Kind), f.Subject, f.Visit, f.Endpoint, ""}, "|"))
	}
	return b.String()
}
