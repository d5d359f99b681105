package publish

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial"
	"github.com/t2map/t2map/trial/mmrm"
)

// sentences look like texts that once were cut apart to obtain facts.
var sentences = []string{
	"ANCOVA: nobody has a change", "Welch: x; Wilcoxon: y", "change ~ age + arm:visit", "both knees, none chosen",
	"two studies at one visit, none chosen", "Maker; software 2", "(no study)", "S001 at visit 2: scanner change",
	"study failed: no mask", "site (the same for all); age (it follows from site)", "not in the model: visit 1",
	"baseline: no study", "ValueFlags", ": ", "; ", "–",
}

// worded returns an analysis with missing values, omissions, failures and reasons of many kinds. text
// replaces each of their texts.
func worded(text func(string) string) trial.Analysis {
	a := usual.analysis()
	fitted, failed := &a.Endpoints[0], &a.Endpoints[1]
	fitted.Model.Covariance = mmrm.AR1
	fitted.Model.Rejected = []mmrm.Rejected{{Covariance: mmrm.Unstructured, Reason: text("singular")},
		{Covariance: mmrm.HeterogeneousCS, Reason: text("did not converge")}}
	fitted.Model.Omitted = []trial.Omission{{Term: "site", Reason: text("the same for all")},
		{Visit: 1, Reason: text("too few changes")}}
	fitted.Contrasts[0].Model, fitted.Contrasts[0].Holm = none, nan
	fail(&failed.Model, text("nobody has a change"))
	c := &fitted.Contrasts[0]
	c.Ancova, c.Welch = none, none
	c.Reasons = trial.Reasons{Effect: text("no effect size"), Ancova: text("too few"), Welch: text("no variance"),
		Wilcoxon: text("no interval"), Permutation: text("one arrangement")}
	for i, m := range []trial.Missing{{Kind: trial.NoStudy}, {Kind: trial.StudyFailed, Detail: text("no mask")},
		{Kind: trial.Noted, Detail: text("no voxels")}, {Kind: trial.SeveralStudies, Count: 2},
		{Kind: trial.BothKnees}} {
		value := trial.Value{X: nan, Missing: m}
		for e := range 3 {
			a.Endpoints[e].Values[i+5][1] = value
			a.Endpoints[e].Changes[i+5][1] = trial.Change{Delta: nan, Percent: nan, Missing: m}
		}
	}
	a.Flow[0].Visits[1].Missing = []trial.ReasonCount{
		{Reason: trial.Missing{Kind: trial.StudyFailed, Detail: text("no mask")}, N: 2}}
	for i := range a.Flags {
		a.Flags[i].Text = text(a.Flags[i].Text)
	}
	for i := range a.Correlations {
		a.Correlations[i].Reason = text("too few pairs")
	}
	a.Notes, a.Settings = []string{text("a note")}, []string{text("nlls")}
	return a
}

// rewording returns a function that replaces each text by a sentence of its own.
func rewording() func(string) string {
	n := map[string]int{}
	return func(text string) string {
		if _, seen := n[text]; !seen {
			n[text] = len(n)
		}
		return fmt.Sprint(sentences[n[text]%len(sentences)], n[text])
	}
}

// The wording of texts changes no number, kind, count, row or mark of any file: nothing is obtained by
// reading a text.
func TestWordingChangesNothing(t *testing.T) {
	a := worded(func(text string) string { return text })
	b := worded(rewording())
	wordy := []string{"note", "text", "missing", "reason", "MKREASND"}
	for i, table := range tables(&a) {
		want, got := cells(table), cells(tables(&b)[i])
		for _, row := range slices.Concat(want, got) {
			for _, column := range wordy {
				isCount := table.name == "description" // its column missing
				if row[column] != "" && !isCount {
					row[column] = "a text"
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s.csv:\n%s", table.name, diff)
		}
	}
	if diff := cmp.Diff(wordless(t, &a), wordless(t, &b)); diff != "" {
		t.Errorf("trial.json:\n%s", diff)
	}
	p := picture("means")
	p.Caption = "S001 at visit 2: scanner change"
	for i := range a.Flags {
		if a.Flags[i].Subject != "" || a.Flags[i].Visit != "" {
			p.Flags = append(p.Flags, i)
		}
	}
	if diff := cmp.Diff(wordlessPage(&a, p), wordlessPage(&b, p)); diff != "" {
		t.Errorf("the page:\n%s", diff)
	}
}

// wordless returns trial.json in which "a text" replaces texts that explain something.
func wordless(t *testing.T, a *trial.Analysis) any {
	t.Helper()
	content, err := encode(a, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var document any
	if err := json.Unmarshal(content, &document); err != nil {
		t.Fatal(err)
	}
	wordy := []string{"text", "failed", "why", "detail", "reason", "notes", "settings", "effect", "ancova", "welch",
		"wilcoxon", "permutation"}
	var walk func(any) any
	walk = func(x any) any {
		switch x := x.(type) {
		case map[string]any:
			for key, value := range x {
				switch text, isText := value.(string); {
				case isText && text != "" && slices.Contains(wordy, key):
					x[key] = "a text"
				case key == "notes" || key == "settings":
					x[key] = len(value.([]any))
				default:
					x[key] = walk(value)
				}
			}
		case []any:
			for i := range x {
				x[i] = walk(x[i])
			}
		}
		return x
	}
	return walk(document)
}

// wordlessPage returns the names, numbers and marks of the page, the kinds of its flags, and the lines
// under a figure.
func wordlessPage(a *trial.Analysis, p figure.Picture) (parts []string) {
	v := newPageView(a, []figure.Picture{p})
	for _, g := range v.Flags {
		parts = append(parts, g.Kind, g.N, g.Meaning)
	}
	for _, s := range append(v.Results, v.Individuals) {
		for _, g := range s.Grids {
			parts = append(parts, s.Title, g.Title, fmt.Sprint(len(g.Reasons), g.MoreReasons))
			for _, block := range g.Groups {
				parts = append(parts, block.Name)
				for _, r := range block.Rows {
					for _, c := range r.Cells {
						parts = append(parts, fmt.Sprint(c.Text, c.Mark, c.Part, c.Class, r.Marked, r.Kept))
					}
				}
			}
		}
	}
	for _, f := range v.Figures {
		parts = append(parts, f.Lines.Flags...)
		parts = append(parts, fmt.Sprint(f.Lines.Rest))
	}
	return parts
}

// A reason stays with its test, whatever it says.
func TestReasonsStayWithTheirTests(t *testing.T) {
	a := worded(func(text string) string { return text })
	a.Endpoints[0].Contrasts[0].Reasons = trial.Reasons{Ancova: "Welch: no variance; Wilcoxon: no interval"}
	for method, want := range map[string]string{"ancova": "Welch: no variance; Wilcoxon: no interval", "welch": "",
		"wilcoxon": "", "hedges g": ""} {
		r := only(t, contrastTable(&a), "endpoint", "medial", "visit", "visit 1", "method", method)
		if r["note"] != want {
			t.Errorf("%s: note %q, want %q", method, r["note"], want)
		}
	}
}

// The effects of a model are its terms, whatever their names contain.
func TestEffectsAreTerms(t *testing.T) {
	f := trial.Formula{{"baseline"}, {"site + age"}, {"a:b ~ c"}, {"arm", "visit"}}
	if got, want := effectNames(f), "baseline, site + age, a:b ~ c and arm × visit"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// A value is unused by its kind, not by its text: only then mk.csv has no row.
func TestUnusedResultsHaveNoRow(t *testing.T) {
	count := func(m trial.Missing) int {
		a := usual.analysis()
		a.Endpoints[0].Values[0][1] = trial.Value{X: nan, Missing: m}
		return len(mkRows(&a))
	}
	used := count(trial.Missing{Kind: trial.NoStudy})
	for _, text := range sentences {
		for kind, want := range map[trial.MissingKind]int{trial.StudyFailed: used, trial.Noted: used,
			trial.SeveralStudies: used - 1, trial.BothKnees: used - 1, trial.NotSigned: used - 1} {
			if got := count(trial.Missing{Kind: kind, Count: 2, Detail: text}); got != want {
				t.Errorf("%v, %q: %d rows, want %d", kind, text, got, want)
			}
		}
	}
}
