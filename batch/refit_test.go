package batch

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/audit"
	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/report"
)

// Results that are made again from their inputs have the same numbers, and each cause of another number is named.
func TestRefit(t *testing.T) {
	dir, s := resumable(t)
	kept := func(option string) bool { return option != "--quiet true" }
	s.Options = []string{"--layout {subject}"}
	run(t, s)
	s.Options, s.Protocol.Maps = []string{"--layout {subject}", "--series 1"}, protocol.MapsFull
	knee(t, filepath.Join(dir, "studies", "S03"), phantom.Options{Subject: "S03", Seed: 3})
	run(t, s)                                     // maps S03 only
	s.Options = append(s.Options, "--quiet true") // changes no result
	knee(t, filepath.Join(dir, "studies", "S04"), phantom.Options{Subject: "S04", Seed: 4})
	run(t, s)
	scratch := t.TempDir()
	t.Setenv("TMPDIR", scratch)
	var asked []string
	refit := func() (int, []Finding) {
		t.Helper()
		asked = nil
		before := tree(t, s.Out)
		n, findings, err := Refit(t.Context(), s.Out, kept, func(options []string) (Settings, error) {
			asked = append(asked, strings.Join(options, " "))
			again := s
			again.Workers = 2
			return again, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, tree(t, s.Out)); diff != "" {
			t.Errorf("the results were changed: %s", diff)
		}
		if left := list(t, scratch); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
		return n, findings
	}
	if n, findings := refit(); n != 4 || len(findings) > 0 ||
		!cmp.Equal(asked, []string{"--layout {subject}", "--layout {subject} --series 1"}) {
		t.Fatalf("%d results, %v, options %q", n, findings, asked)
	}
	// A number that was changed by hand.
	path := filepath.Join(s.Out, "S02", "study", report.ResultFile)
	sound, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(sound, []byte(`"mean_t2_ms": `)) + len(`"mean_t2_ms": `)
	forged := bytes.Clone(sound)
	forged[at] = '9'
	if err := os.WriteFile(path, forged, 0o644); err != nil {
		t.Fatal(err)
	}
	_, findings := refit()
	if len(findings) != 1 || findings[0].Place != "S02/study/result.json" ||
		!strings.HasPrefix(findings[0].Problem, "compartments[0].mean_t2_ms: 9") ||
		!strings.Contains(findings[0].Problem, ", derived again "+string(sound[at:at+4])) {
		t.Errorf("%v", findings)
	}
	if err := os.WriteFile(path, sound, 0o644); err != nil {
		t.Fatal(err)
	}
	// Another setting, which the record does not have.
	s.Protocol.Fit.T2Range = [2]float64{0, 30}
	const result = "S01/study/result.json"
	if _, findings = refit(); !mentions(findings, result, "protocol.t2_range_ms[1]: 150, derived again 30") ||
		!mentions(findings, "S01/study/result.json", "more values differ") {
		t.Errorf("%v", findings)
	}
	s.Protocol.Fit.T2Range = [2]float64{}
	// Inputs that are gone or damaged.
	if err := os.RemoveAll(filepath.Join(dir, "studies", "S03")); err != nil {
		t.Fatal(err)
	}
	remove(t, filepath.Join(dir, "studies", "S01", "labels.nii.gz"))
	n, findings := refit()
	if n != 2 || len(findings) != 2 || !mentions(findings, result, "cannot be derived again: mask: none") ||
		!mentions(findings, "S03/study/result.json", "its study is not in the searched folders") {
		t.Errorf("%d, %v", n, findings)
	}
	// Without a record nothing is assumed.
	remove(t, filepath.Join(s.Out, audit.File))
	if n, findings := refit(); n != 0 || len(findings) != 4 || !mentions(findings, "S02/study/result.json", "options") {
		t.Errorf("%d, %v", n, findings)
	}
}

// list returns the names in a folder.
func list(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// mentions reports whether a finding about a place has the words.
func mentions(findings []Finding, place, words string) bool {
	for _, f := range findings {
		if f.Place == place && strings.Contains(f.Problem, words) {
			return true
		}
	}
	return false
}

// Results of another version are not compared, and results within a searched folder are refused.
func TestRefitRefuses(t *testing.T) {
	dir, s := resumable(t)
	s.Out = filepath.Join(dir, "studies", "results")
	run(t, s)
	kept := func(string) bool { return true }
	same := func([]string) (Settings, error) { return s, nil }
	if _, _, err := Refit(t.Context(), s.Out, kept, same); err == nil || !strings.Contains(err.Error(), "lie in the searched") {
		t.Errorf("%v", err)
	}
	for _, name := range []string{"S01", "S02"} {
		path := filepath.Join(s.Out, name, "study", report.ResultFile)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		i := bytes.Index(data, []byte(`"version": "`)) + len(`"version": "`)
		data = append(append(bytes.Clone(data[:i]), "0.0.1-"...), data[i:]...)
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	n, findings, err := Refit(t.Context(), s.Out, kept, same)
	if err != nil || n != 0 || len(findings) != 2 || !mentions(findings, "S01/study/result.json", "by version 0.0.1-") {
		t.Errorf("%d, %v, %v", n, findings, err)
	}
}

func TestCompareValues(t *testing.T) {
	for _, c := range []struct{ before, again, want string }{
		{`{"a":[1,2.50,null],"b":{"c":"x"}}`, `{"a":[1,2.50,null],"b":{"c":"x"}}`, ""},
		{`{"a":[1,2.5]}`, `{"a":[1,2.6,3]}`, "a: 2 values, derived again 3; a[1]: 2.5, derived again 2.6"},
		{`{"a":null,"b":1}`, `{"a":0,"c":{"d":1}}`,
			`a: null, derived again 0; b: 1, derived again absent; c: absent, derived again {"d":1}`},
		{`{"a":{"b":1}}`, `{"a":[1]}`, `a: {"b":1}, derived again [1]`},
		{`{"o":[{"path":"x","sha256":"1"}]}`, `{"o":[{"path":"x","sha256":"2"}]}`,
			`o[x].sha256: "1", derived again "2"`},
		{`{"a":1}`, `{ "a":1}`, "the same values are written in another way"},
	} {
		dirs := [2]string{t.TempDir(), t.TempDir()}
		for n, text := range []string{c.before, c.again} {
			writeText(t, filepath.Join(dirs[n], report.ResultFile), text)
		}
		got, err := resultDifferences(dirs[0], dirs[1])
		if err != nil || strings.Join(got, "; ") != c.want {
			t.Errorf("%s and %s: %q, %v", c.before, c.again, got, err)
		}
	}
}
