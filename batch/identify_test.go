package batch

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/table"
)

// Searched from another folder on, a study keeps its rows, or fails with both names.
func TestSearchedFromAnotherFolder(t *testing.T) {
	dir := t.TempDir()
	knee(t, filepath.Join(dir, "data", "KN-101", "V1", "dicom"), phantom.Options{})
	s := settings(t, dir)
	s.Roots, s.Layout = []string{filepath.Join(dir, "data")}, "{subject}/{visit}"
	run(t, s)
	before := tree(t, s.Out)["compartments.csv"]
	s.Roots = []string{filepath.Join(dir, "data", "KN-101")}
	out := run(t, s)
	if len(out.Results) != 1 || out.Results[0].Subject != "KN-101" || out.Results[0].Visit != "V1" ||
		tree(t, s.Out)["compartments.csv"] != before {
		t.Errorf("%+v", out)
	}
	if len(out.Remarks) != 1 || !strings.Contains(out.Remarks[0], "is matched from KN-101 on") {
		t.Errorf("remarks %q", out.Remarks)
	}
}

// Subjects that are alike are not two rows of one table: neither of one run nor with an earlier one's.
func TestAlikeSubjects(t *testing.T) {
	for _, c := range []struct{ a, b string }{{"S01", "s01"}, {"007", "7"}, {"KN_1", "KN-1"}, {"J\u00f6", "Jo\u0308"}} {
		dir := t.TempDir()
		knee(t, filepath.Join(dir, "studies", "a"), phantom.Options{Subject: "X1"})
		knee(t, filepath.Join(dir, "studies", "b"), phantom.Options{Subject: "X2"})
		knee(t, filepath.Join(dir, "studies", "c"), phantom.Options{Subject: "X3"})
		identities := map[string]string{"a": c.a, "b": c.b, "c": "S99"}
		s := settings(t, dir)
		s.Layout = "{subject}"
		for folder, identity := range identities {
			if err := os.Rename(filepath.Join(dir, "studies", folder),
				filepath.Join(dir, "studies", identity)); err != nil {
				t.Fatal(err)
			}
		}
		out := run(t, s)
		if len(out.Results) != 1 || out.Results[0].Subject != "S99" || len(out.Failures) != 2 {
			t.Fatalf("%q, %q: %+v", c.a, c.b, out)
		}
		for _, f := range out.Failures {
			if !strings.Contains(f.Reason, fmt.Sprintf("%q", c.a)) || !strings.Contains(f.Reason, fmt.Sprintf("%q",
				c.b)) || f.Hint == "" {
				t.Errorf("%+v", f)
			}
		}
		in, err := Inspect(context.Background(), s)
		if err != nil || in.Failed() != 2 {
			t.Errorf("inspect: %d fail, %v", in.Failed(), err)
		}
		// One after the other.
		s.Out = t.TempDir()
		all := s.Roots
		s.Roots = []string{filepath.Join(all[0], c.a)}
		run(t, s)
		s.Roots = []string{filepath.Join(all[0], c.b)}
		if out = run(t, s); len(out.Results) != 0 || out.Earlier != 1 || len(out.Failures) != 1 ||
			!strings.Contains(out.Failures[0].Reason, table.Alike) {
			t.Errorf("%q after %q: %+v", c.b, c.a, out)
		}
	}
}

// A manifest may select, and is read as it was saved.
func TestManifestSelects(t *testing.T) {
	dir := t.TempDir()
	for i, name := range []string{"a", "b", "c", "d"} {
		knee(t, filepath.Join(dir, "studies", "site7", name), phantom.Options{Subject: fmt.Sprint("X", i)})
	}
	if err := os.WriteFile(filepath.Join(dir, "studies", "site7", "c", "damaged"), []byte("no image"),
		0o644); err != nil {
		t.Fatal(err)
	}
	s := settings(t, dir)
	s.Manifest = filepath.Join(dir, "m.csv")
	writeText(t, s.Manifest, "sep=;\r\nfolder;subject;visit;mask;;\r\n"+
		"studies\\site7\\b;001;M00;labels.nii.gz;;\r\n;;;;;\r\n")
	out := run(t, s)
	if len(out.Results) != 1 || out.Results[0].Subject != "001" || len(out.Failures) != 0 {
		t.Fatalf("%+v", out)
	}
	const want = "3 studies ignored, because no row of m.csv names its folder or one above it: studies/site7/a, " +
		"studies/site7/c, studies/site7/d"
	if len(out.Remarks) != 1 || out.Remarks[0] != want {
		t.Errorf("remarks %q", out.Remarks)
	}
	in, err := Inspect(context.Background(), s)
	if err != nil || in.Failed() != 0 || len(in.Notes) != 1 || in.Notes[0] != want {
		t.Errorf("%+v, %v", in, err)
	}
}

// PatientID that tells who the patient is does not name the study; codes do.
func TestPatientIDsThatAreNotCodes(t *testing.T) {
	for _, c := range []struct {
		name, id, removed string
		code              bool
	}{
		{"S01", "S01", "", true},
		{"KN-101", "KN-101", "", true},
		{"subject-001", "subject-001", "", true},
		{"ANON^KN101", "ANON_KN101", "", true},
		{"Doe^Jane", "20150001", "", true},
		{"Doe^Jane", "4711", "", true},
		{"GIVENNAME_ KNEE_ 01MAY2015", "GIVENNAME_ KNEE_ 01MAY2015", "", false},
		{"GIVENNAME_ KNEE_ 01MAY2015", "GIVENNAME_ KNEE_ 01MAY2015", "YES", true},
		{"GIVENNAME_ KNEE_ 01MAY2015", "GIVENNAME_ KNEE_ 01MAY2015", "NO", false},
		{"Müller^Jörg", "MUELLER_01", "", false},
		{"FNIH-0023", "FNIH-0023", "", false},
		{"NIST", "NIST", "", false},
		{"Doe^John", "JDoe", "", false},
		{"Smith^Ann", "smit01", "", false},
		{"Doe^Jane", "S01-20150501", "", false},
	} {
		dir := t.TempDir()
		folder := filepath.Join(dir, "studies", "v1")
		scanOf(t, folder, map[string]string{"PatientName": c.name, "PatientID": c.id,
			"PatientIdentityRemoved": c.removed, "SpecificCharacterSet": "ISO_IR 192"}, false)
		s := settings(t, dir)
		out := run(t, s)
		if len(out.Results) != 1 {
			t.Fatalf("%+v: %+v", c, out)
		}
		r := out.Results[0]
		if c.code != (r.Subject == c.id) || c.code != (len(warningsOf(r)) == 0) {
			t.Errorf("%+v: subject %q, warnings %q", c, r.Subject, r.Warnings)
		}
		if !c.code {
			if r.Subject != "anon-"+r.Study || r.Visit != "v1" {
				t.Errorf("%+v: subject %q, visit %q", c, r.Subject, r.Visit)
			}
			for _, want := range []string{"--manifest", "--layout", "--accept-patient-id"} {
				if !strings.Contains(strings.Join(r.Warnings, "\n"), want) {
					t.Errorf("%+v: the warning does not name %s: %q", c, want, r.Warnings)
				}
			}
		}
		s.AcceptPatientID, s.Out = true, t.TempDir()
		if out = run(t, s); len(out.Results) != 1 || out.Results[0].Subject != c.id {
			t.Errorf("%+v, accepted: %+v", c, out)
		}
	}
}

// Two people whose letters are lost do not get one code.
func TestUndecodedPatientIDs(t *testing.T) {
	dir := t.TempDir()
	scanOf(t, filepath.Join(dir, "studies", "a"), map[string]string{"PatientID": "M\xfc01",
		"StudyInstanceUID": "2.25.1"}, false)
	scanOf(t, filepath.Join(dir, "studies", "b"), map[string]string{"PatientID": "M\xf601",
		"StudyInstanceUID": "2.25.2"}, false)
	out := run(t, settings(t, dir))
	if len(out.Results) != 2 || out.Results[0].Subject == out.Results[1].Subject ||
		len(warningsOf(out.Results[0])) != 1 {
		t.Errorf("%+v", out)
	}
}

// What a folder is called is held against the name, too, but not against dates; and what a person chose
// is used with a warning.
func TestFoldersCalledAfterPatients(t *testing.T) {
	for _, c := range []struct {
		folder, id, layout    string
		subject, visit, warns string // subject and visit: "" for a code
	}{
		{"Quinn_Knee", "S01", "", "S01", "", "the name of the study's folder repeats"},
		{"20150501", "S01", "", "S01", "20150501", ""},
		{"Quinn_Knee", "", "", "", "none", "rename it"},
		{"Quinn_Knee", "S01", "{subject}", "Quinn_Knee", "none", "the subject from the layout repeats"},
	} {
		dir := t.TempDir()
		scanOf(t, filepath.Join(dir, "studies", c.folder), map[string]string{"PatientName": "Quinn^Harley",
			"PatientID": c.id}, false)
		s := settings(t, dir)
		s.Layout = c.layout
		out := run(t, s)
		if len(out.Results) != 1 {
			t.Fatalf("%+v: %+v", c, out)
		}
		r := out.Results[0]
		visit := c.visit
		if visit == "none" {
			visit = ""
		} else if visit == "" {
			visit = "anon-" + r.Study
		}
		if r.Visit != visit || r.Subject != cmp.Or(c.subject, "anon-"+r.Study) ||
			strings.Contains(strings.Join(r.Warnings, "\n"), c.warns) == false ||
			(c.warns == "") != (len(r.Warnings) == 0) {
			t.Errorf("%+v: subject %q, visit %q, warnings %q", c, r.Subject, r.Visit, r.Warnings)
		}
	}
}

// warningsOf are those of the identity.
func warningsOf(r report.Result) []string {
	var all []string
	for _, w := range r.Warnings {
		if strings.Contains(w, "manifest") {
			all = append(all, w)
		}
	}
	return all
}
