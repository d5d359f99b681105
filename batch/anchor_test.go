package batch

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// Where neither PatientID nor results say which folder is the subject's, two visits that would be two
// subjects fail, and one that may be right has a warning.
func TestInnerFoldersThatNothingExplains(t *testing.T) {
	for _, c := range []struct {
		name, inner, id string
		fails           bool
		warns           string
	}{
		{"a map's folder", "T2map", "P4711", true, ""},
		{"a series' folder", "series_05", "P4711", true, ""},
		{"a folder named as the series", "SAG T2 MAP", "P4711", true, ""},
		{"another folder", "images2", "P4711", false, "the layout gives several subjects to one PatientID"},
		{"one PatientID for all", "T2map", "anonymous", false, "is named after a series"},
		{"one PatientID for all, zeros", "T2map", "0000", false, "is named after a series"},
		{"no PatientID", "series5", "", false, "is named after a series"},
		{"no series of this number", "series6", "", false, ""},
		{"a visit", "M00", "", false, ""},
	} {
		dir := t.TempDir()
		for i, visit := range []string{"V1", "V2"} {
			scanOf(t, filepath.Join(dir, "studies", "KN-101", visit, c.inner), map[string]string{
				"PatientID": c.id, "SeriesNumber": "5", "SeriesDescription": "SAG T2 MAP",
				"StudyInstanceUID": []string{"2.25.1", "2.25.2"}[i]}, false)
		}
		s := settings(t, dir)
		s.Layout = "{subject}/{visit}"
		s.Roots = []string{filepath.Join(dir, "studies", "KN-101")}
		out := run(t, s)
		if (len(out.Failures) == 2) != c.fails || len(out.Results)+len(out.Failures) != 2 {
			t.Errorf("%s: %d results, failures %+v", c.name, len(out.Results), out.Failures)
		}
		for _, f := range out.Failures {
			if !strings.Contains(f.Reason, "have one PatientID") || f.Hint == "" {
				t.Errorf("%s: %+v", c.name, f)
			}
		}
		for _, r := range out.Results {
			if text := strings.Join(r.Warnings, "\n"); !strings.Contains(text, c.warns) ||
				(c.warns == "") != (text == "") {
				t.Errorf("%s: warnings %q", c.name, r.Warnings)
			}
		}
		// From the folder of the subjects all of them are right.
		s.Roots, s.Out = []string{filepath.Join(dir, "studies")}, t.TempDir()
		if out = run(t, s); len(out.Results) != 2 || out.Results[0].Subject != "KN-101" ||
			out.Results[1].Visit != "V2" || len(out.Results[0].Warnings) != 0 {
			t.Errorf("%s, from above: %+v", c.name, out.Failures)
		}
	}
}

// A layout that begins a folder too high gives the subject's code to the visit, which is a warning.
func TestSubjectAsVisit(t *testing.T) {
	for id, warns := range map[string]bool{"KN-101": true, "4711": false, "anonymous": false} {
		dir := t.TempDir()
		scanOf(t, filepath.Join(dir, "studies", "site", "KN-101", "V1"), map[string]string{"PatientID": id}, false)
		s := settings(t, dir)
		s.Layout, s.Roots = "{subject}/{visit}", []string{filepath.Join(dir, "studies")}
		out := run(t, s)
		if len(out.Results) != 1 || out.Results[0].Visit != "KN-101" {
			t.Fatalf("%s: %+v", id, out)
		}
		const warning = `the layout takes "KN-101" for the visit, but PatientID (0010,0020) names the subject so`
		if got := strings.Contains(strings.Join(out.Results[0].Warnings, "\n"), warning); got != warns {
			t.Errorf("%s: %q", id, out.Results[0].Warnings)
		}
	}
}

// One study that seems to match from a folder too low does not keep the layout there, where all
// match from the right one.
func TestNumbersThatLookLikeVisits(t *testing.T) {
	dir := t.TempDir()
	for i, folder := range []string{"01/01/03", "01/02/03", "02/01/03"} {
		scanOf(t, filepath.Join(dir, "studies", filepath.FromSlash(folder)), map[string]string{"PatientID": folder[:2],
			"StudyInstanceUID": fmt.Sprint("2.25.", i+1)}, false)
	}
	s := settings(t, dir)
	s.Layout, s.Roots = "{subject}/{visit}", []string{filepath.Join(dir, "studies", "01")}
	out := run(t, s)
	if len(out.Results) != 2 || len(out.Failures) != 0 {
		t.Fatalf("%+v", out)
	}
	for _, r := range out.Results {
		if r.Subject != "01" || r.Visit == "03" {
			t.Errorf("%s/%s", r.Subject, r.Visit)
		}
	}
}
