package report

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/t2map/t2map/table"
)

// The study's folder is removed from paths, not from other words.
func TestWithoutFolder(t *testing.T) {
	for _, c := range []struct{ text, folder, want string }{
		{"mask: a/labels.nii.gz: bad", "a", "mask: labels.nii.gz: bad"},
		{"a/IM1: (also a/IM2), data/a/x", "a", "IM1: (also IM2), data/a/x"},
		{`entry "a/IM1"`, "a", `entry "IM1"`},
		{"nothing of it", "a", "nothing of it"}, {"x", "", "x"}, {"", "a", ""},
	} {
		if got := withoutFolder(c.text, c.folder); got != c.want {
			t.Errorf("%q without %q: %q, want %q", c.text, c.folder, got, c.want)
		}
	}
}

// Failures are grouped by code and by the reason that they share, and each group has its studies and what to do.
func TestFailuresPage(t *testing.T) {
	dir := t.TempDir()
	failures := []Failure{
		{Subject: "S1", Visit: "V1", Folder: "S1/V1", Code: ReasonNoMask, Reason: "mask: none", Hint: "send it"},
		{Subject: "S2", Visit: "V1", Folder: "S2/V1", Code: ReasonDamaged, Reason: "read: S2/V1/IM1: ends", Hint: "again"},
		{Subject: "S3", Visit: "V1", Folder: "S3/V1", Code: ReasonDamaged, Reason: "read: S3/V1/IM1: ends", Hint: "again"},
		{Subject: "S4", Folder: "all", Study: "0123456789abcdef", SharedFolder: true, Code: ReasonDamaged,
			Reason: "read: all/IM7: ends", Hint: "again"},
		{Subject: "S5", Visit: "V2", Code: "code of a later version", Reason: "x"},
		{Subject: "S6", Visit: "V2", Code: ReasonNotDone, NotDone: true, Reason: "interrupted", Hint: "run again"},
	}
	for n := range 30 {
		failures = append(failures, Failure{Subject: fmt.Sprintf("T%02d", n), Code: ReasonSide, Reason: "side unknown"})
	}
	if err := WriteTables(dir, Cohort{Version: "1.2", Failures: failures}); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, failuresPage))
	if err != nil {
		t.Fatal(err)
	}
	text := readable(string(raw))
	position := 0
	for _, want := range []string{ // in this order
		"35 studies failed, 1 not done.",
		"30 Side of the knee unclear 3 Damaged files 1 No mask 1 Other reasons 1 Not done yet",
		"Side of the knee unclear side, 30 studies", "whether each study below shows the left or the right knee",
		"side unknown 30 studies", "show 30 studies", "T29",
		"Damaged files damaged, 3 studies", "please send these studies again.",
		"read: IM1: ends 2 studies What to do: again subject visit folder S2 V1 S2/V1 S3 V1 S3/V1",
		"read: all/IM7: ends 1 study", "S4 all (study 0123456789ab)", "mask: none 1 study What to do: send it", "S5 V2",
		"interrupted", "t2map 1.2",
	} {
		n := strings.Index(text[position:], want)
		if n < 0 {
			t.Fatalf("the page lacks %q after %q:\n%s", want, text[:position], text[position:])
		}
		position += n
	}
	if strings.Count(string(raw), "<details>") != 1 {
		t.Error("a short list is folded, or a long one is not")
	}
	if err := WriteTables(dir, Cohort{Version: "1.2"}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, failuresPage)); !os.IsNotExist(err) {
		t.Errorf("the page remains without failures: %v", err)
	}
}

// Texts of unknown origin stay text, and the page loads nothing.
func TestFailuresPageEscapes(t *testing.T) {
	const evil = `"><script>alert(1)</script><img src=x onerror=a>` + "\u202e\x1b[31m"
	dir := t.TempDir()
	f := Failure{Subject: evil, Visit: evil, Study: evil, Folder: evil, Code: evil, Reason: evil, Hint: evil,
		SharedFolder: true}
	if err := WriteTables(dir, Cohort{Version: evil, Failures: []Failure{f}}); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, failuresPage))
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"<script", "<img", "\u202e", "\x1b", "http:", "https:", " src="} {
		if strings.Contains(strings.ReplaceAll(string(raw), "&lt;img src=x", ""), bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
}

// Each reason has a text, and studies.csv keeps codes and memory.
func TestReasonsAreListedAgain(t *testing.T) {
	dir := t.TempDir()
	var failures []Failure
	for n, r := range reasonTexts {
		if r.title == "" || r.reason.known() != r.reason {
			t.Errorf("%s has no title", r.reason)
		}
		failures = append(failures, Failure{Subject: fmt.Sprintf("S%02d", n), Code: r.reason, Reason: "x",
			NotDone: r.reason == ReasonNotDone, MemoryBytes: int64(n) << 32})
	}
	if err := WriteTables(dir, Cohort{Failures: failures}); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, studiesTable))
	if err != nil {
		t.Fatal(err)
	}
	again := listedIn(t, string(raw))
	for n, f := range again {
		if want := failures[n]; f.Code != want.Code || f.NotDone != want.NotDone || f.MemoryBytes != want.MemoryBytes {
			t.Errorf("%+v, want %+v", f, want)
		}
	}
	if len(again) != len(failures) {
		t.Errorf("%d failures, want %d", len(again), len(failures))
	}
	// A table of an earlier version has no codes.
	old := "subject,visit,study,series,side,folder,status,reason,hint\nS1,,,,,,failed,x,\nS2,,,,,,not done,y,\n"
	if got := listedIn(t, old); len(got) != 2 || got[0].Code != ReasonOther || got[1].Code != ReasonNotDone {
		t.Errorf("%+v", got)
	}
}

// listedIn returns the failures in a studies.csv.
func listedIn(t *testing.T, text string) []Failure {
	t.Helper()
	tab, err := table.Read(table.Source{Name: studiesTable, Data: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	failures, err := FailuresOf(tab)
	if err != nil {
		t.Fatal(err)
	}
	return failures
}
