package batch

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/t2map/t2map/dicomio"
)

// A folder between the visit and the images does not change who a study is, whichever folder is
// searched, where PatientID or earlier results say which folder is the subject's.
func TestIdentityBelowInnerFolders(t *testing.T) {
	const layout = "{subject}/{visit}"
	for _, c := range []struct {
		name, folder, id string
		earlier          earlierStudies
		rename           bool
		subject, visit   string
	}{
		{"PatientID", "data/KN-101/V1/T2map", "KN-101", nil, false, "KN-101", "V1"},
		{"PatientID, a series' folder", "data/KN-101/V1/series5", "kn_101", nil, false, "KN-101", "V1"},
		{"PatientID, two inner folders", "data/KN-101/V1/knee/T2map/dicom", "KN-101", nil, false, "KN-101", "V1"},
		{"its own results", "data/KN-101/V1/T2map", "4711", earlierStudies{"h": {{subject: "KN-101", visit: "V1", folder: "x"}}}, false, "KN-101", "V1"},
		{"results of another visit", "data/KN-101/V2/T2map", "4711", earlierStudies{"other": {{subject: "KN-101", visit: "V1", folder: "x"}}}, false, "KN-101", "V2"},
	} {
		base := t.TempDir()
		folder := filepath.Join(base, filepath.FromSlash(c.folder))
		for root := folder; root != base; root = filepath.Dir(root) {
			st := dicomio.Study{Hash: "h", Root: root, Folder: folder, PatientID: c.id}
			s := Settings{Layout: layout, earlier: c.earlier}
			s.anchor([]dicomio.Study{st})
			id, err := s.identify(st, nil)
			if err != nil || id.Subject != c.subject || id.Visit != c.visit {
				t.Errorf("%s, searched %s: %+v, %v", c.name, strings.TrimPrefix(root, base), id, err)
			}
		}
	}
	// The folder's own reading stays where PatientID says nothing else.
	st := dicomio.Study{Hash: "h", Root: "/KN-101/data", Folder: "/KN-101/data/V1/x", PatientID: "V1"}
	s := Settings{Layout: layout}
	s.anchor([]dicomio.Study{st})
	if id, err := s.identify(st, nil); err != nil || id.Subject != "V1" {
		t.Errorf("%+v, %v", id, err)
	}
}

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
				"PatientID": c.id, "SeriesNumber": "5", "SeriesDescription": "SAG T2 MAP", "StudyInstanceUID": []string{"2.25.1", "2.25.2"}[i]}, false)
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
			if text := strings.Join(r.Warnings, "\n"); !strings.Contains(text, c.warns) || (c.warns == "") != (text == "") {
				t.Errorf("%s: warnings %q", c.name, r.Warnings)
			}
		}
		// From the folder of the subjects all of them are right.
		s.Roots, s.Out = []string{filepath.Join(dir, "studies")}, t.TempDir()
		if out = run(t, s); len(out.Results) != 2 || out.Results[0].Subject != "KN-101" || out.Results[1].Visit != "V2" || len(out.Results[0].Warnings) != 0 {
			t.Errorf("%s, from above: %+v", c.name, out.Failures)
		}
	}
}
