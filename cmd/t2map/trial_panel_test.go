package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/trial"
)

// A tile has the notes of its visit, or the reason why it is empty.
func TestPanelVisit(t *testing.T) {
	a := trial.Analysis{Flags: []trial.Flag{
		{Kind: trial.TwoStudies, Text: "two studies at this visit: their mean is used"},
		{Kind: trial.ProtocolChange, Text: "acquisition: 5 echoes; at baseline: 7 echoes"},
		{Kind: trial.ScannerChange, Text: "scanner: B; at baseline: A"},
		{Kind: trial.Quality, Text: "images were compressed with loss"},
	}}
	nan := math.NaN()
	for _, c := range []struct {
		name            string
		values          []trial.Value // of one compartment after the other
		folder, missing string
		notes           []string
	}{
		{"nothing", []trial.Value{{X: 38, Folder: "S/v"}}, "S/v", "", nil},
		{"changes", []trial.Value{{X: 38, Folder: "S/v", Flags: []int{1, 2, 3}},
			{X: 38, Folder: "S/v", Flags: []int{1, 2, 3}}}, "S/v", "", []string{a.Flags[1].Text, a.Flags[2].Text}},
		{"the second has it", []trial.Value{{X: nan, Missing: trial.Missing{Kind: trial.NoCompartment}},
			{X: 38, Folder: "S/v", Flags: []int{2}}}, "S/v", "", []string{a.Flags[2].Text}},
		{"their mean", []trial.Value{{X: 38, Flags: []int{0}}, {X: 39, Flags: []int{0}}}, "",
			"two studies at this visit: their mean is used; no map is shown", nil},
		{"one of them alone", []trial.Value{{X: 38, Flags: []int{0}}, {X: 39, Folder: "S/v"}}, "S/v", "",
			[]string{a.Flags[0].Text}},
		{"a folder that is not known", []trial.Value{{X: 38}}, "", "its folder is unknown", nil},
		{"a folder elsewhere", []trial.Value{{X: 38, Folder: "../x"}}, "", "its folder is unknown", nil},
		{"none", []trial.Value{{X: nan, Missing: trial.Missing{Kind: trial.StudyFailed, Detail: "no echo"}}}, "",
			"study failed: no echo", nil},
	} {
		a.Endpoints = nil
		for _, v := range c.values {
			a.Endpoints = append(a.Endpoints, trial.EndpointAnalysis{Endpoint: trial.Endpoint{Compartment: true,
				Values: [][]trial.Value{{v}}}})
		}
		a.Endpoints = append(a.Endpoints,
			trial.EndpointAnalysis{Endpoint: trial.Endpoint{Values: [][]trial.Value{{{X: 1}}}}}) // a score has no maps
		want := c.folder
		if want != "" {
			want = filepath.Join("results", filepath.FromSlash(want))
		}
		if got := panelVisit(a, [2]int{}, "results"); got.Folder != want || got.Missing != c.missing ||
			!slices.Equal(got.Notes, c.notes) {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

// Without maps, the report has a picture of maps only if --panel names subjects. If --panel is not given, a note
// gives the reason.
func TestPanelOfNoMaps(t *testing.T) {
	dir := studies(t, 2)
	results := filepath.Join(t.TempDir(), "results")
	if code, _, stderr := call("run", dir, "--out", results, "--scheme", "compartments", "--maps", "none",
		"--quiet"); code != exitOK {
		t.Fatal(stderr)
	}
	design := filepath.Join(t.TempDir(), "trial.csv")
	write(t, design, "# visits: baseline=0\nsubject,arm\nSA,a\nSB,a\n")
	const note = "no figure of T2 maps"
	for _, c := range []struct {
		panel string
		drawn bool
	}{{"", false}, {"SB", true}, {"none", false}} {
		out := filepath.Join(t.TempDir(), "report")
		args := []string{"trial", results, "--design", design, "--out", out}
		if c.panel != "" {
			args = append(args, "--panel", c.panel)
		}
		code, stdout, stderr := call(args...)
		_, err := os.Stat(filepath.Join(out, "figures", "maps.svg"))
		if drawn := err == nil; code != exitOK || drawn != c.drawn ||
			strings.Contains(stdout, note) != (c.panel == "") {
			t.Errorf("--panel %q: status %d, drawn %v\n%s%s", c.panel, code, drawn, stdout, stderr)
		}
		if page := readAll(t, out)[string(filepath.Separator)+"trial.html"]; strings.Contains(page,
			note) != (c.panel == "") {
			t.Errorf("--panel %q: the page does not say why", c.panel)
		}
	}
}

// A panel that is too large is refused before anything is analysed or written.
func TestPanelRoom(t *testing.T) {
	results, design := trialFiles(t, plainName)
	many := strings.TrimSuffix(strings.Repeat("S01,", 13), ",")
	visits := "baseline=0,month03=3,month12=12"
	for i := range 6 {
		visits += fmt.Sprintf(",v%d=%d", i, 20+i)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--panel", many}, "13 subjects; a page has room for 12\nhint: choose fewer"},
		{[]string{"--panel", "S01", "--visits", visits}, "maps of 9 visits; a page has room for 8"},
		{[]string{"--panel", "S01,S99"}, `subject "S99" is not in the design`},
		{[]string{"--display-range", "60,20"}, `--display-range "60,20" is not a range in ms`},
		{[]string{"--display-range", "30"}, "hint: write it as 20,60"},
		{[]string{"--slice", "-1"}, "--slice -1 is negative"},
	} {
		out := filepath.Join(t.TempDir(), "report")
		code, _, stderr := call(append([]string{"trial", results, "--design", design, "--out", out}, c.args...)...)
		if code != exitUsage || !strings.Contains(stderr, c.want) {
			t.Errorf("%v: status %d\n%s", c.args, code, stderr)
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%v: something was written", c.args)
		}
	}
}

// Slices are chosen by the primary endpoint, if it is a row of the results.
func TestPrimaryRow(t *testing.T) {
	a := trial.Analysis{Endpoints: []trial.EndpointAnalysis{
		{Endpoint: trial.Endpoint{Name: "medial", Compartment: true}},
		{Endpoint: trial.Endpoint{Name: "trochlear deep", Compartment: true}},
		{Endpoint: trial.Endpoint{Name: "WOMAC"}},
	}}
	for primary, want := range map[string]string{"": "", "medial": "medial", "trochlear deep": "trochlear deep",
		"WOMAC": ""} {
		a.Design.Primary = []trial.Target{{Endpoint: primary}}
		if got := primaryRow(a); got != want {
			t.Errorf("primary endpoint %q: slices by %q, want %q", primary, got, want)
		}
	}
	a.Design.Primary = []trial.Target{{Endpoint: "WOMAC"}, {Endpoint: "medial", Visit: 1}, {Endpoint: "medial", Visit: 2}}
	if got := primaryRow(a); got != "medial" {
		t.Errorf("one compartment at two visits, and a score: slices by %q", got)
	}
	a.Design.Primary = append(a.Design.Primary, trial.Target{Endpoint: "trochlear deep"})
	if got := primaryRow(a); got != "" {
		t.Errorf("two compartments: slices by %q", got)
	}
}

// Maps are shown at the planned visits of T2 alone.
func TestVisitsOfMaps(t *testing.T) {
	a := trial.Analysis{Endpoints: []trial.EndpointAnalysis{
		{Endpoint: trial.Endpoint{Compartment: true, Visits: []int{0, 1, 4}}},
		{Endpoint: trial.Endpoint{Compartment: true, Visits: []int{0, 4, 5}}},
		{Endpoint: trial.Endpoint{Visits: []int{0, 1, 2, 3, 4}}},
	}}
	if got := t2Visits(a); !slices.Equal(got, []int{0, 1, 4, 5}) {
		t.Errorf("visits %d", got)
	}
}
