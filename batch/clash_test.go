package batch

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
)

// twoScans writes two studies with these attributes into two folders.
func twoScans(t *testing.T, dir, a, b string, attributes map[string]string) {
	for i, folder := range []string{a, b} {
		all := map[string]string{"StudyInstanceUID": []string{"2.25.1", "2.25.2"}[i]}
		for k, v := range attributes {
			all[k] = v
		}
		scanOf(t, filepath.Join(dir, "studies", filepath.FromSlash(folder)), all, false)
	}
}

// Studies whose names say too little to tell their patients or visits apart do not become one.
func TestStudiesThatNamesDoNotTellApart(t *testing.T) {
	for _, c := range []struct {
		name, a, b, id, manifest string
		fails                    string
		warns                    string
	}{
		{"folders of one name without PatientID", "a/v1", "b/v1", "", "", "studies in several folders named \"v1\" " +
			"would be one subject", ""},
		{"folders of other names", "a/v1", "b/v2", "", "", "", ""},
		{"one subject, folders of one name", "V1/T2map", "V2/T2map", "KN-101", "", "", "studies of this subject in " +
			"several folders are visit \"T2map\""},
		{"a manifest without visits", "a", "b", "P", "folder,subject\nstudies/a,S1\nstudies/b,S1\n",
			"several studies of subject \"S1\", and the manifest gives no visit", ""},
		{"a manifest with empty visits", "a", "b", "P", "folder,subject,visit\nstudies/a,S1,\nstudies/b,S1,\n",
			"several studies of subject \"S1\", and the manifest gives no visit", ""},
		{"a manifest with one visit", "a", "b", "P", "folder,subject,visit\nstudies/a,S1,\nstudies/b,S1,V2\n", "", ""},
		{"a manifest with two knees", "a", "b", "P", "folder,subject,side\nstudies/a,S1,L\nstudies/b,S1,R\n", "", ""},
		{"a manifest with two studies at one visit", "a", "b", "P",
			"folder,subject,visit\nstudies/a,S1,V1\nstudies/b,S1,V1\n", "", "lines 2 and 3 of the manifest name " +
				"studies of one subject, visit and side"},
		{"a manifest with two knees at one visit", "a", "b", "P",
			"folder,subject,visit,side\nstudies/a,S1,V1,L\nstudies/b,S1,V1,R\n", "", ""},
		{"a manifest with a knee of unknown side", "a", "b", "P",
			"folder,subject,visit,side\nstudies/b,S1,V1,\nstudies/a,S1,V1,R\n", "", "lines 2 and 3 of the manifest " +
				"name studies of one subject, visit and side"},
	} {
		dir := t.TempDir()
		twoScans(t, dir, c.a, c.b, map[string]string{"PatientID": c.id})
		s := settings(t, dir)
		if c.manifest != "" {
			s.Manifest = filepath.Join(dir, "m.csv")
			writeText(t, s.Manifest, c.manifest)
		}
		out := run(t, s)
		if c.fails == "" != (len(out.Results) == 2) || len(out.Results)+len(out.Failures) != 2 {
			t.Errorf("%s: %+v", c.name, out.Failures)
		}
		for _, f := range out.Failures {
			if !strings.Contains(f.Reason, c.fails) || f.Hint == "" {
				t.Errorf("%s: %+v", c.name, f)
			}
		}
		for _, r := range out.Results {
			if text := strings.Join(r.Warnings, "\n"); !strings.Contains(text, c.warns) ||
				(c.warns == "") != (text == "") {
				t.Errorf("%s: warnings %q", c.name, r.Warnings)
			}
		}
		in, err := Inspect(context.Background(), s)
		if err != nil || in.Failed() != len(out.Failures) || len(in.Studies[0].Warnings) != len(out.Results)/2*min(1,
			len(c.warns)) {
			t.Errorf("%s: inspect: %d fail, %+v, %v", c.name, in.Failed(), in.Studies, err)
		}
	}
}

// Likewise one run after the other.
func TestFolderOfOneNameInAnotherRun(t *testing.T) {
	dir := t.TempDir()
	twoScans(t, dir, "a/v1", "b/v1", map[string]string{"PatientID": ""})
	s := settings(t, dir)
	all := s.Roots[0]
	s.Roots = []string{filepath.Join(all, "a")}
	if out := run(t, s); len(out.Results) != 1 {
		t.Fatalf("%+v", out)
	}
	s.Roots = []string{filepath.Join(all, "b")}
	if out := run(t, s); len(out.Results) != 0 || out.Earlier != 1 || len(out.Failures) != 1 ||
		!strings.Contains(out.Failures[0].Reason, "would be one subject") {
		t.Errorf("%+v", out)
	}
}

// A study is the same one though another of its series is mapped, or none can be: under another name
// it fails, and its rows stay.
func TestRenamedStudyOfAnotherSeries(t *testing.T) {
	dir := t.TempDir()
	for i, series := range []string{"5", "6"} {
		folder := filepath.Join(dir, "studies", "KN-101", "V1", "s"+series)
		uid := []string{"2.25.1", "2.25.2"}[i]
		scanOf(t, folder, map[string]string{"SeriesNumber": series, "SeriesInstanceUID": uid, "SOPInstanceUID": ""},
			false)
	}
	s := settings(t, dir)
	s.Layout, s.Series, s.Mask = "{subject}/{visit}", "5", "s5/labels.nii.gz"
	if out := run(t, s); len(out.Results) != 1 {
		t.Fatalf("%+v", out)
	}
	before := tree(t, s.Out)["compartments.csv"]
	s.Layout = "{visit}/{subject}"
	for _, c := range []struct{ name, series, mask string }{
		{"the same series", "5", "s5/labels.nii.gz"}, {"another series", "6", "s6/labels.nii.gz"},
		{"no series", "99", ""}, {"no mask", "6", "nothing.nii"},
	} {
		s.Series, s.Mask = c.series, c.mask
		out := run(t, s)
		if len(out.Failures) != 1 || !strings.Contains(out.Failures[0].Reason,
			`(from layout), but the output folder holds its results as "KN-101/V1"`) ||
			tree(t, s.Out)["compartments.csv"] != before {
			t.Errorf("%s: %+v", c.name, out.Failures)
		}
	}
	s.Layout, s.Series, s.Mask, s.Rename = "{visit}/{subject}", "6", "s6/labels.nii.gz", true
	if out := run(t, s); len(out.Results) != 1 || out.Earlier != 0 {
		t.Errorf("%+v", out)
	}
}
