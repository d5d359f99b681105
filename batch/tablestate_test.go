package batch

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/report"
)

// What studies.csv lists without a result stays listed: from the state if the table is the one that was written with it,
// otherwise from the table. Both give the same bytes.
func TestListedFailuresAreKept(t *testing.T) {
	dir, s := resumable(t)
	writeText(t, filepath.Join(dir, "studies", "S01", "labels.nii.gz"), "not a mask")
	if out := run(t, s); out.Mapped != 1 || len(out.Failures) != 1 {
		t.Fatalf("%+v", out.Outcome)
	}
	table, state := filepath.Join(s.Out, studiesTable), filepath.Join(s.Out, stateFolder, tablesFile)
	read := func(path string) string {
		t.Helper()
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	want := read(table)
	rebuild := func(name string) {
		t.Helper()
		if out, err := Tables(t.Context(), s); err != nil || len(out.Failures) != 1 {
			t.Errorf("%s: %v, %+v", name, err, out.Failures)
		}
		if got := read(table); got != want {
			t.Errorf("%s: studies.csv has changed:\n%s\nwant\n%s", name, got, want)
		}
	}
	if failures, known := knownFailures(s.Out); !known || len(failures) != 1 || failures[0].Subject != "S01" {
		t.Errorf("%+v, %v", failures, known)
	}
	rebuild("from the state")
	for name, change := range map[string]func(text string) string{
		"no failures in the state":    func(text string) string { return strings.Replace(text, `"failures":[`, `"others":[`, 1) },
		"a state of nothing":          func(string) string { return "null\n" },
		"a state that cannot be read": func(text string) string { return text[:len(text)/2] },
	} {
		writeText(t, state, change(read(state)))
		if _, known := knownFailures(s.Out); known {
			t.Errorf("%s: the failures are known", name)
		}
		rebuild(name)
	}
	remove(t, state)
	rebuild("no state")

	// A row that somebody has removed is not listed, though the state has it.
	rows := slices.DeleteFunc(strings.SplitAfter(want, "\n"), func(row string) bool { return strings.HasPrefix(row, "S01,") })
	writeText(t, table, strings.Join(rows, ""))
	if out, err := Tables(t.Context(), s); err != nil || len(out.Failures) > 0 || strings.Contains(read(table), "S01") {
		t.Errorf("%v, %+v", err, out.Failures)
	}
}

// Failures in a state that somebody has changed have known codes.
func TestFailuresOfAChangedState(t *testing.T) {
	dir, s := resumable(t)
	writeText(t, filepath.Join(dir, "studies", "S01", "labels.nii.gz"), "not a mask")
	run(t, s)
	state := readTableState(s.Out)
	state.Failures[0].Code, state.Failures[0].MemoryBytes = "=cmd()", -7
	text, err := json.Marshal(state)
	if err != nil {
		t.Fatal(err)
	}
	writeText(t, filepath.Join(s.Out, stateFolder, tablesFile), string(text))
	failures, known := knownFailures(s.Out)
	if !known || failures[0].Code != report.ReasonOther || failures[0].MemoryBytes != 0 {
		t.Errorf("%v, %+v", known, failures)
	}
}
