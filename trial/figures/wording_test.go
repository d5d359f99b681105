package figures

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial"
	"github.com/t2map/t2map/trial/mmrm"
)

// worded returns a trial with flags, missing values, omissions and a failed model. text replaces each of
// their texts.
func worded(text func(string) string) trial.Analysis {
	a := trialOf(founding)
	for i := range a.Flags {
		a.Flags[i].Text = text(a.Flags[i].Text)
	}
	for _, e := range a.Endpoints {
		for s := range e.Values {
			for v := range e.Values[s] {
				if m := &e.Values[s][v].Missing; m.Detail != "" {
					m.Detail = text(m.Detail)
				}
			}
		}
	}
	fail(&a.Endpoints[1].Model, text("nobody has a change"))
	m := &a.Endpoints[0].Model
	m.Covariance = mmrm.AR1
	m.Rejected = []mmrm.Rejected{{Covariance: mmrm.Unstructured, Reason: text("singular")}}
	m.Omitted = []trial.Omission{{Term: "age", Reason: text("it follows from site")}}
	return a
}

// The wording of texts changes no picture's name, flags, daggers or tiles, and no remark on models: nothing
// is obtained by reading a text.
func TestWordingChangesNothing(t *testing.T) {
	sentences := []string{"two studies at one visit, none chosen", "study failed: x", "Maker; software 2",
		"not in the model: age (x); month3 (y)", "ANCOVA: x", "S001 at month3: two studies", "no study", "(x)"}
	n := map[string]int{}
	a := worded(func(text string) string { return text })
	b := worded(func(text string) string {
		if _, seen := n[text]; !seen {
			n[text] = len(n)
		}
		return fmt.Sprint(sentences[n[text]%len(sentences)], n[text])
	})
	for _, draw := range []kind{means, lsMeans, forest, missing} {
		want, errA := ofT2(draw, a)
		got, errB := ofT2(draw, b)
		if errA != nil || errB != nil || len(got) != len(want) {
			t.Fatalf("%d pictures, want %d; %v, %v", len(got), len(want), errA, errB)
		}
		for i, p := range got {
			daggers := func(p figure.Picture) int { return strings.Count(joined(t, p), figure.Dagger) }
			if p.Name != want[i].Name || !slices.Equal(p.Flags, want[i].Flags) || daggers(p) != daggers(want[i]) {
				t.Errorf("%s: flags %d and %d daggers, want %d and %d", p.Name, p.Flags, daggers(p), want[i].Flags,
					daggers(want[i]))
			}
		}
	}
	_, t2, other, _ := families(a)
	for _, f := range []family{t2, other} {
		_, names := renamed(a)
		want, got := newTiles(a, f, newFlagged(names)), newTiles(b, f, newFlagged(names))
		state := map[tileState]tileState{} // reasons may have another order
		for s := range want.tiles {
			for v, x := range want.tiles[s] {
				y := got.tiles[s][v]
				if _, seen := state[x.state]; !seen {
					state[x.state] = y.state
				}
				if state[x.state] != y.state || x.flagged != y.flagged || (x.state < 0 && x != y) {
					t.Errorf("subject %d, visit %d: tile %+v, want %+v", s, v, y, x)
				}
			}
		}
		if fallbackRemark(a, f) != fallbackRemark(b, f) ||
			(omissionRemark(a, f) == "") != (omissionRemark(b, f) == "") {
			t.Errorf("remarks on models: %q, want %q", modelRemarks(b, f), modelRemarks(a, f))
		}
	}
}
