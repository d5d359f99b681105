package batch

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/report"
)

func TestIdentity(t *testing.T) {
	dir := t.TempDir()
	knee(t, filepath.Join(dir, "studies", "site7", "P-1", "v0", "dicom"), phantom.Options{Subject: "S01",
		Visit: "baseline"})
	s := settings(t, dir)
	manifest := filepath.Join(dir, "manifest.csv")
	for _, c := range []struct {
		name, layout, manifest string
		subject, visit, want   string
		code                   report.Reason
	}{
		{name: "clinical-trial attributes", subject: "S01", visit: "baseline"},
		{name: "layout", layout: "*/{subject}/{visit}", subject: "P-1", visit: "v0"},
		{name: "layout with text", layout: "site7/P-{subject}/v{visit}", subject: "1", visit: "0"},
		{name: "layout that does not match", layout: "site8/{subject}/{visit}", want: "does not match the layout",
			code: report.ReasonIdentity},
		{name: "layout that splits in two ways", layout: "{subject}{visit}", want: "splits the folder site7",
			code: report.ReasonIdentity},
		{name: "layout with the last folder", layout: "*/{subject}/{visit}/dicom", subject: "P-1", visit: "v0"},
		{name: "manifest", manifest: "\ufefffolder,subject,visit\nstudies/site7/P-1,X1,week 4\n", subject: "X1",
			visit: "week 4"},
		{name: "manifest, deepest row", manifest: "folder,subject\nstudies,X\nstudies/site7/P-1/v0,Y\n", subject: "Y",
			want: "no MR study in the folder, studies", code: report.ReasonNoStudy},
		{name: "manifest without the study", manifest: "folder,subject\nstudies/other,X\n",
			want: "manifest manifest.csv: line 2: no MR study in the folder, studies/other",
			code: report.ReasonNoStudy},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := s
			s.Out = t.TempDir()
			s.Layout = c.layout
			if c.manifest != "" {
				if err := os.WriteFile(manifest, []byte(c.manifest), 0o644); err != nil {
					t.Fatal(err)
				}
				s.Manifest = manifest
			}
			out := run(t, s)
			if c.want != "" && !slices.ContainsFunc(out.Failures,
				func(f report.Failure) bool {
					return strings.Contains(f.Reason, c.want) && f.Hint != "" && f.Code == c.code
				}) {
				t.Errorf("failures %+v, want …%s…", out.Failures, c.want)
			}
			if c.subject != "" && (len(out.Results) != 1 || out.Results[0].Subject != c.subject ||
				out.Results[0].Visit != c.visit) {
				t.Errorf("%+v, want subject %q, visit %q", out.Results, c.subject, c.visit)
			}
		})
	}
}

// A manifest's mask is taken whatever it is called, and its side where the images
// have none.
func TestManifestMask(t *testing.T) {
	dir := t.TempDir()
	study := filepath.Join(dir, "studies", "a")
	knee(t, study, phantom.Options{})
	if err := os.Rename(filepath.Join(study, "labels.nii.gz"), filepath.Join(study, "reader2.nii.gz")); err != nil {
		t.Fatal(err)
	}
	s := settings(t, dir)
	s.Manifest = filepath.Join(dir, "m.csv")
	if err := os.WriteFile(s.Manifest, []byte("folder,subject,mask\nstudies/a,S9,reader2.nii.gz\n"),
		0o644); err != nil {
		t.Fatal(err)
	}
	out := run(t, s)
	if len(out.Results) != 1 || out.Results[0].Inputs[len(out.Results[0].Inputs)-1].Path != "a/reader2.nii.gz" {
		t.Errorf("%+v", out)
	}
}

// Two studies of one subject and visit do not overwrite each other.
func TestSameSubjectAndVisit(t *testing.T) {
	dir := t.TempDir()
	knee(t, filepath.Join(dir, "studies", "a"), phantom.Options{Subject: "S01"})
	knee(t, filepath.Join(dir, "studies", "b"), phantom.Options{Subject: "S02"})
	s := settings(t, dir)
	s.Manifest = filepath.Join(dir, "m.csv")
	writeText(t, s.Manifest, "folder,subject,visit\nstudies/a,S01,v1\nstudies/b,S01,v1\n")
	out := run(t, s)
	if len(out.Results) != 2 || strings.EqualFold(out.Results[0].Dir, out.Results[1].Dir) {
		t.Errorf("%+v", out)
	}
}

func writeText(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestFolderName(t *testing.T) {
	for in, want := range map[string]string{
		"S01": "S01", "Größe 7": "Größe_7", "../../etc": "_.._.._etc", "a/b\\c": "a_b_c", "CON": "_CON",
		"nul.txt":          "_nul.txt",
		"compartments.csv": "_compartments.csv", "Index.html": "_Index.html", "": "_", ".hidden": "_.hidden",
		"dots...": "dots", "a\x00b": "a_b", "=cmd|' /C": "_cmd___C", strings.Repeat("x", 99): strings.Repeat("x", 64),
	} {
		got := folderName(in)
		if in == "../../etc" {
			if strings.ContainsAny(got, `/\`) || strings.HasPrefix(got, ".") {
				t.Errorf("%q becomes %q", in, got)
			}
			continue
		}
		if in == "=cmd|' /C" {
			if strings.ContainsAny(got, `/\|'= `) {
				t.Errorf("%q becomes %q", in, got)
			}
			continue
		}
		if got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

// A row over the folder of several studies names none of them, whichever is found first; a scout beside
// the knee does not matter.
func TestRowOverSeveralStudies(t *testing.T) {
	dir := t.TempDir()
	twoScans(t, dir, "in/a", "in/b", nil)
	scanOf(t, filepath.Join(dir, "studies", "one", "knee"), map[string]string{"StudyInstanceUID": "2.25.3"}, false)
	scanOf(t, filepath.Join(dir, "studies", "one", "0-scout"), map[string]string{"StudyInstanceUID": "2.25.5"}, false)
	for n := 2; n < 10; n++ { // all but the first echo
		if err := os.Remove(filepath.Join(dir, "studies", "one", "0-scout", fmt.Sprintf("IM_%04d", n))); err != nil {
			t.Fatal(err)
		}
	}
	s := settings(t, dir)
	s.Manifest, s.Mask = filepath.Join(dir, "m.csv"), "labels.nii.gz"
	for _, c := range []struct {
		rows    string
		results int
		reason  string
		failed  int
	}{
		{"studies/in,S1,V1\n", 0, "manifest m.csv: line 2: the folder holds 2 studies (studies/in/a, studies/in/b)", 2},
		{"studies/in/a,S1,V1\nstudies/in/b,S1,V2\n", 2, "", 0},
		{"studies/in,S1,V1\nstudies/in/b,S1,V2\n", 2, "", 0}, // the deeper row takes one of them
		{"studies,S1,V1\n", 0, "line 2: the folder holds 3 studies (studies/in/a, studies/in/b, studies/one/knee)", 4},
		{"studies/one,S1,V1\n", 1, "manifest m.csv: line 2 names another study in the same folder", 1},
	} {
		s.Out = t.TempDir()
		writeText(t, s.Manifest, "folder,subject,visit\n"+c.rows)
		out := run(t, s)
		if len(out.Results) != c.results || len(out.Failures) != c.failed {
			t.Errorf("%q: %d results, %+v", c.rows, len(out.Results), out.Failures)
			continue
		}
		for _, f := range out.Failures[:min(1, c.failed)] {
			found := false
			for _, f := range out.Failures {
				found = found || strings.Contains(f.Reason, c.reason) && strings.Contains(f.Hint,
					"a row for each study")
			}
			if !found {
				t.Errorf("%q: %+v", c.rows, f)
			}
		}
		in, err := Inspect(context.Background(), s)
		if err != nil || in.Failed() != c.failed {
			t.Errorf("%q: inspect: %d fail, %v", c.rows, in.Failed(), err)
		}
	}
}

// The hint for a row without a study names a folder that differs only in case and that no row names.
func TestManifestFolderInAnotherCase(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("it is the same folder there")
	}
	for _, c := range []struct{ row, hint string }{
		{"studies/kn-101/V1", "write the folder in the right case: studies/KN-101/v1"},
		{"STUDIES/KN-101", "write the folder in the right case: studies/KN-101"},
		{"studies/KN-102", "check the folder"},
	} {
		dir := t.TempDir()
		twoScans(t, dir, "KN-101/v1", "b", map[string]string{"PatientID": "P"})
		s := settings(t, dir)
		s.Manifest = filepath.Join(dir, "m.csv")
		writeText(t, s.Manifest, "folder,subject\nstudies/b,S1\n"+c.row+",S2\n")
		out := run(t, s)
		if len(out.Results) != 1 || len(out.Failures) != 1 || !strings.HasPrefix(out.Failures[0].Hint, c.hint) ||
			strings.HasPrefix(c.hint, "write") && !strings.HasSuffix(out.Failures[0].Hint, c.hint) {
			t.Errorf("%s: %+v", c.row, out.Failures)
		}
		if in, err := Inspect(t.Context(), s); err != nil || len(in.Problems) != 1 ||
			!strings.HasPrefix(in.Problems[0].Hint, c.hint) {
			t.Errorf("%s: %+v, %v", c.row, in.Problems, err)
		}
	}
}

// Rows whose folders lie outside of the searched ones are not failures of this run, unless all do.
func TestRowsOutsideTheSearchedFolders(t *testing.T) {
	dir := t.TempDir()
	twoScans(t, dir, "a/v1", "b/v1", nil)
	s := settings(t, dir)
	s.Manifest, s.Mask = filepath.Join(dir, "m.csv"), "labels.nii.gz"
	writeText(t, s.Manifest, "folder,subject,visit\nstudies/a/v1,A,1\nstudies/b/v1,B,1\nstudies/a/v2,A,2\n")
	s.Roots = []string{filepath.Join(dir, "studies", "b")}
	const note = "manifest m.csv: 2 rows name folders outside of the searched folders"
	out := run(t, s)
	if len(out.Results) != 1 || len(out.Failures) != 0 || !slices.Contains(out.Remarks, note) {
		t.Errorf("%+v, %q", out.Failures, out.Remarks)
	}
	in, err := Inspect(context.Background(), s)
	if err != nil || in.Failed() != 0 || !slices.Contains(in.Notes, note) {
		t.Errorf("inspect: %d fail, %q, %v", in.Failed(), in.Notes, err)
	}
	s.Roots = []string{filepath.Join(dir, "studies")}
	if out := run(t, s); len(out.Results) != 2 || len(out.Failures) != 1 {
		t.Errorf("%+v", out)
	}
	writeText(t, s.Manifest, "folder,subject,visit\nother/a,A,1\nother/b,B,1\n")
	s.Out = t.TempDir()
	if out := run(t, s); len(out.Results) != 0 || len(out.Failures) != 2 {
		t.Errorf("%+v", out)
	}
}
